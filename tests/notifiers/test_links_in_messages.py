"""A planning question in a message leads to the page that takes its answer, for whom it was asked, until it is due."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from agents.delivery.links import links_of
from agents.settings import Settings, WrongSettings, read
from notifiers.links import Link, May, Opened, verify
from notifiers.rendering import Renderer
from notifiers.view import no_links
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


def test_without_an_address_or_a_secret_there_is_no_link() -> None:
    assert links_of(settings(forewarn_link_url=BASE)) is no_links
    assert links_of(settings(forewarn_link_secret=SECRET)) is no_links


def test_a_question_that_is_not_whole_has_no_link() -> None:
    links = links_of(settings(forewarn_link_url=BASE, forewarn_link_secret=SECRET))
    assert links(SEND, {**QUESTION, "answer_by": "soon"}) == ()
    assert links(SEND, {}) == ()


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
