"""The page takes one answer per link, from whoever holds it, and only by POST."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestClient, TestServer

from forewarn.answers.gate import Gate
from forewarn.answers.server import BODY_BYTES_MAX, REFUSALS_PER_HOUR, Answers
from notifiers.links import Link, May, sign

SECRET = "s" * 32
T = 1_795_428_000_000
LINK = Link(May.REPLY, "ann", "pay/paid", "e" * 32, T + 1000)
TOKEN = sign(SECRET, LINK)
NO_REDIS = "redis://127.0.0.1:1/0"


class Desk:
    """A server with what it wrote."""

    def __init__(self, redis_url: str = NO_REDIS) -> None:
        self.written: list[tuple[str, dict[str, Any]]] = []
        self.is_broken = False
        self.now = T
        self.gate = Gate(redis_url)
        self.client = TestClient(TestServer(Answers(SECRET, self.gate, self._write, lambda: self.now).app()))

    async def _write(self, topic: str, _key: str, value: Mapping[str, Any]) -> None:
        if self.is_broken:
            raise OSError("no broker")
        self.written.append((topic, dict(value)))

    async def post(self, **fields: str) -> int:
        return (await self.client.post("/answer", data=FormData(fields))).status

    async def api(self, **fields: Any) -> tuple[int, str]:
        response = await self.client.post("/api/v1/answer", json=fields)
        return response.status, (await response.json())["outcome"]

    async def close(self) -> None:
        await self.client.close()
        await self.gate.close()


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    made = Desk()
    await made.client.start_server()
    yield made
    await made.close()


async def test_a_post_becomes_one_command_of_whom_the_link_is_for(desk: Desk) -> None:
    assert await desk.post(token=TOKEN, answer="mitigate", text="two nodes", stakeholder="eve", by="eve") == 200
    ((topic, told),) = desk.written
    assert topic == "sla.commands.v1"
    assert (told["type"], told["by"], told["stakeholder"], told["dedup_key"]) == ("reply", "ann", "ann", "pay/paid")
    assert (told["answer"], told["text"]) == ("mitigate", "two nodes")
    assert told["event_id"] == LINK.event_id


async def test_a_link_to_take_a_trouble_on_becomes_an_ack(desk: Desk) -> None:
    assert await desk.api(token=sign(SECRET, LINK._replace(may=May.ACK, episode=3))) == (200, "taken")
    assert [(told["type"], told["episode"]) for _, told in desk.written] == [("ack", 3)]


async def test_looking_changes_nothing_however_often(desk: Desk) -> None:
    for _ in range(3):
        response = await desk.client.get("/answer", params={"token": TOKEN})
        assert response.status == 200
        assert "Nothing happens before you confirm" in await response.text()
    assert (await desk.client.head("/answer", params={"token": TOKEN})).status == 200
    assert (await desk.client.put("/answer", data=TOKEN)).status == 405
    assert desk.written == []


@pytest.mark.parametrize(
    ("fields", "code", "outcome"),
    [
        ({"token": TOKEN + "x", "answer": "accept"}, 403, "forged"),
        ({"token": sign("t" * 32, LINK), "answer": "accept"}, 403, "forged"),
        ({"answer": "accept"}, 403, "forged"),
        ({"token": sign(SECRET, LINK._replace(expires_at=T)), "answer": "accept"}, 410, "expired"),
        ({"token": TOKEN}, 400, "malformed"),
        ({"token": TOKEN, "answer": "perhaps"}, 400, "malformed"),
        ({"token": TOKEN, "answer": ["accept"]}, 400, "malformed"),
        ({"token": TOKEN, "answer": "accept", "text": "x" * 2001}, 400, "malformed"),
    ],
)
async def test_what_permits_nothing_or_says_nothing_is_told_so(
    desk: Desk, fields: dict[str, Any], code: int, outcome: str
) -> None:
    assert await desk.api(**fields) == (code, outcome)
    kinds = [(topic, told["type"]) for topic, told in desk.written]
    assert kinds == ([("sla.records.v1", "command_refused")] if outcome in {"forged", "expired"} else [])


async def test_a_body_that_is_no_object_or_too_large_is_refused(desk: Desk) -> None:
    for body in (b"[", b"[]", b"null"):
        assert (await desk.client.post("/api/v1/answer", data=body)).status == 400
    assert await desk.post(token=TOKEN, answer="accept", text="x" * BODY_BYTES_MAX) == 413
    assert desk.written == []


async def test_a_text_with_half_a_character_is_refused_and_not_written(desk: Desk) -> None:
    assert await desk.api(token=TOKEN, answer="accept", text="two \ud800 nodes") == (400, "malformed")
    assert desk.written == []


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/api/v1/answer", "application/json", b"[" * 10_000),
        ("/api/v1/answer", "application/json; charset=klingon", b"{}"),
        ("/api/v1/answer", "application/json", b"\xff"),
        ("/answer", "multipart/form-data", b"x"),
        ("/answer", "multipart/form-data; boundary=b", b"x"),
        ("/answer", "multipart/form-data; boundary=b", b"--b\r\nContent-Transfer-Encoding: odd\r\n\r\nx\r\n--b--"),
        ("/answer", "application/x-www-form-urlencoded; charset=klingon", b"token=x"),
        ("/answer", "application/x-www-form-urlencoded", b"token=\xff"),
    ],
)
async def test_a_body_that_cannot_be_read_is_the_senders_mistake_and_bears_the_headers(
    desk: Desk, path: str, kind: str, body: bytes
) -> None:
    response = await desk.client.post(path, data=body, headers={"Content-Type": kind})
    assert (response.status, desk.written) == (400, [])
    assert response.headers["Cache-Control"] == "no-store"


async def test_an_error_of_ours_bears_the_headers_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_link_id: str) -> bool:
        raise RuntimeError

    monkeypatch.setattr(desk.gate, "is_used", broken)
    response = await desk.client.post("/answer", data=FormData({"token": TOKEN, "answer": "accept"}))
    assert (response.status, response.headers["Cache-Control"]) == (500, "no-store")


async def test_a_form_that_another_site_sends_is_refused(desk: Desk) -> None:
    form = FormData({"token": TOKEN, "answer": "accept"})
    response = await desk.client.post("/answer", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert (response.status, desk.written) == (403, [])


async def test_every_answer_forbids_scripts_frames_and_keeping(desk: Desk) -> None:
    for path in ("/answer", f"/answer?token={TOKEN}", "/nothing-here"):
        headers = (await desk.client.get(path)).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        assert "unsafe" not in policy
        assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")


async def test_what_a_link_names_is_shown_as_text(desk: Desk) -> None:
    wild = sign(SECRET, LINK._replace(stakeholder="<script>alert(1)</script>"))
    assert "<script>" not in await (await desk.client.get("/answer", params={"token": wild})).text()


async def test_whoever_guesses_links_does_not_fill_the_records(desk: Desk) -> None:
    for number in range(REFUSALS_PER_HOUR + 5):
        assert (await desk.api(token=f"guess-{number}"))[0] == 403
    assert len(desk.written) == REFUSALS_PER_HOUR
    desk.now += 3_600_000
    await desk.api(token=TOKEN + "x")
    assert len(desk.written) == REFUSALS_PER_HOUR + 1


async def test_without_redis_a_second_use_has_the_same_command_id_so_that_the_fold_drops_it(desk: Desk) -> None:
    assert await desk.post(token=TOKEN, answer="accept") == 200
    assert await desk.post(token=TOKEN, answer="mitigate") == 200
    assert len({told["id"] for _, told in desk.written}) == 1


async def test_with_redis_a_link_is_used_once_and_not_used_up_when_the_broker_is_away(redis_url: str) -> None:
    desk = Desk(redis_url)
    await desk.client.start_server()
    desk.is_broken = True
    assert await desk.api(token=TOKEN, answer="accept") == (503, "unavailable")
    assert await desk.api(token=TOKEN, answer="accept", text="\ud800") == (400, "malformed")
    desk.is_broken = False
    assert await desk.api(token=TOKEN, answer="accept") == (200, "taken")
    assert await desk.api(token=TOKEN, answer="mitigate") == (409, "used")
    assert [told["answer"] for _, told in desk.written] == ["accept"]
    await desk.close()
