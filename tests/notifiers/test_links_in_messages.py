"""A planning question in a message leads to the page that takes its answer, a trouble to the one that takes it on."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from agents.delivery.links import ACK_WITHIN_MS, ACKS_MAX, links_of
from agents.settings import Settings, WrongSettings, read
from notifiers.links import Link, May, Opened, verify
from notifiers.rendering import Renderer
from notifiers.view import NO_LINKS
from sla.dispatch import Send
from sla.records import Feed
from sla.stakeholder import Channel

SECRET = "s" * 32
BASE = "https://answers.example/forewarn"
DUE = 1_795_428_000_000  # 2026-11-23T10:00:00Z
QUESTION = {"dedup_key": "pay/paid", "event_id": "e" * 32, "answer_by": "2026-11-23T10:00:00.000Z", "answers": []}
SEND = Send(
    "id",
    "ann",
    "owner",
    Channel("console"),
    "subject",
    "text",
    "e" * 32,
    "pay/paid",
    Feed("f", 1),
    planning=(QUESTION,),
)


def settings(**more: str) -> Settings:
    return Settings(kafka_bootstrap_servers="127.0.0.1:1", **more)  # type: ignore[arg-type]


def test_the_message_has_a_link_that_permits_this_answer_and_no_other() -> None:
    links = links_of(settings(forewarn_link_url=BASE, forewarn_link_secret=SECRET))
    text = Renderer(links=links).words(SEND).words.text
    (url,) = [word for word in text.split() if word.startswith(BASE)]
    opened = verify(SECRET, parse_qs(urlsplit(url).query)["token"][0], DUE - 1)
    assert isinstance(opened, Opened)
    assert opened.link == Link(May.REPLY, "ann", "pay/paid", "e" * 32, DUE)


OPEN = {
    "event_id": "e" * 32, "event": "breach", "dedup_key": "pay/paid", "time": "2026-11-23T10:00:00.000Z", "holds": True,
    "episode": 3,
}  # fmt: skip
TOLD = SEND._replace(audience="oncall", planning=(), items=(OPEN,))


def links_in(send: Send) -> list[Link]:
    """What the links of a message permit an instant before they end."""
    rendered = Renderer(links=links_of(settings(forewarn_link_url=BASE, forewarn_link_secret=SECRET))).words(send)
    assert rendered.mistake is None
    found = [word for word in rendered.words.text.split() if word.startswith(BASE)]
    assert all(url in (rendered.words.html or "").replace("&amp;", "&") for url in found)
    opened = [verify(SECRET, parse_qs(urlsplit(url).query)["token"][0], DUE + ACK_WITHIN_MS - 1) for url in found]
    return [each.link for each in opened if isinstance(each, Opened)]


def test_who_may_take_a_trouble_on_has_a_link_that_takes_on_its_episode_and_nothing_else() -> None:
    assert links_in(TOLD) == [Link(May.ACK, "ann", "pay/paid", "e" * 32, DUE + ACK_WITHIN_MS, 3)]


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({"audience": "owner"}, 1),
        ({"kind": "repeat"}, 1),
        ({"items": ({**OPEN, "event": "unack"},)}, 1),
        ({"items": (OPEN, {**OPEN, "dedup_key": "pay/other"})}, 2),
        ({"items": (OPEN, {**OPEN, "event": "early_warning"})}, 1),
        ({"items": tuple({**OPEN, "dedup_key": f"pay/{number}"} for number in range(9))}, ACKS_MAX),
        ({"audience": "executive"}, 0),
        ({"audience": "customer"}, 0),
        ({"kind": "machine"}, 0),
        ({"items": ({**OPEN, "holds": False},)}, 0),
        ({"items": ({**OPEN, "event": "recovery"},)}, 0),
        ({"items": ({**OPEN, "event": "maintenance"},)}, 0),
        ({"items": ({**OPEN, "time": "soon"},)}, 0),
        ({"items": ({},)}, 0),
    ],
)
def test_there_is_a_link_for_each_trouble_that_is_open_and_for_nobody_who_cannot_act(
    fields: dict[str, Any], count: int
) -> None:
    assert len(links_in(TOLD._replace(**fields))) == count


def test_without_an_address_or_a_secret_there_is_no_link() -> None:
    assert links_of(settings(forewarn_link_url=BASE)) is NO_LINKS
    assert links_of(settings(forewarn_link_secret=SECRET)) is NO_LINKS


def test_a_question_that_is_not_whole_has_no_link() -> None:
    links = links_of(settings(forewarn_link_url=BASE, forewarn_link_secret=SECRET))
    assert links.answers(SEND, {**QUESTION, "answer_by": "soon"}) == ()
    assert links.answers(SEND, {}) == ()


def test_a_secret_comes_from_a_file_too_and_a_bad_one_is_told_at_the_start_and_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    path = tmp_path / "secret"
    path.write_text(SECRET + "\n")
    monkeypatch.setenv("FOREWARN_LINK_SECRET_FILE", str(path))
    assert read().link_secret() == SECRET
    path.write_text("hunter2")
    for name in (str(path), str(tmp_path / "missing")):
        monkeypatch.setenv("FOREWARN_LINK_SECRET_FILE", name)
        with pytest.raises(WrongSettings) as wrong:
            read()
        assert "hunter2" not in str(wrong.value)
