"""The fold of notices: at once, per channel, once."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from schemas.feeds import decode_notice, decode_send
from sla.dispatch import Dispatch, Send
from sla.feeds import PLACES
from sla.fold import Emission, Line
from sla.records import Reason, Rejection
from sla.stakeholder import Channel

CONSOLE = {"kind": "console", "url": None}
WEBHOOK = {"kind": "webhook", "url": "${HOOK}"}


def dead_letter(rejection: Rejection, topic: str, partition: int, line: Line) -> Emission:
    return Emission(
        "sla.dlq.v1", None, {"reason": str(rejection.reason), "topic": f"{topic}/{partition}", "offset": line.offset}
    )


def dispatch(partition: int = 3) -> Dispatch:
    return Dispatch("sla.notices.v1", partition, decode=decode_notice, dead_letter=dead_letter)


def notice(sequence: int = 1, *, who: str = "ops", source: str = "forewarn:sla.telemetry.v1/0", **other: Any) -> Any:
    event = {
        "id": f"event-{source}-{sequence}",
        "type": "forewarn.breach.v1",
        "time": "2026-11-23T10:07:00.000Z",
        "data": {"dedup_key": "payments/availability", "service": "payments"},
    }
    base = {"type": "notice", "stakeholder": who, "audience": "oncall", "revision": 1, "channels": [CONSOLE]}
    return base | {"event": event, "source": source, "sequence": sequence} | other


def line(offset: int, value: Any, key: bytes | None = b"ops", at: int = 1_000) -> Line:
    raw = value if isinstance(value, bytes) or value is None else orjson.dumps(value)
    return Line(offset, key, raw, at, at)


def test_a_notice_is_told_at_once_by_each_channel_of_the_stakeholder() -> None:
    told = dispatch().step(line(7, notice(channels=[CONSOLE, WEBHOOK])))
    assert [(e.topic, e.key, e.value["channel"]) for e in told] == [
        ("sla.outbox.v1", "ops", CONSOLE),
        ("sla.outbox.v1", "ops", WEBHOOK),
    ]


def test_a_feed_numbers_its_records_by_offset_and_place() -> None:
    told = dispatch(partition=3).step(line(7, notice(channels=[CONSOLE, WEBHOOK])))
    assert {e.value["source"] for e in told} == {"forewarn:sla.notices.v1/3"}
    assert [e.value["sequence"] for e in told] == [7 * PLACES, 7 * PLACES + 1]


def test_what_is_told_can_be_read_by_deliver() -> None:
    (emission,) = dispatch().step(line(0, notice()))
    send = decode_send(Line(0, b"ops", orjson.dumps(emission.value), 0, 0), 0)
    assert isinstance(send, Send)
    assert (send.stakeholder, send.channel, send.event_id) == ("ops", Channel("console"), emission.value["event_id"])


def test_the_same_event_has_the_same_id_wherever_it_stands_and_another_per_channel() -> None:
    first = dispatch().step(line(0, notice(channels=[CONSOLE, WEBHOOK])))
    again = dispatch(partition=1).step(line(9, notice(channels=[CONSOLE, WEBHOOK])))
    assert [e.value["id"] for e in first] == [e.value["id"] for e in again]
    assert len({e.value["id"] for e in first}) == 2


@pytest.mark.parametrize(
    ("sequences", "told"),
    [
        ([5, 5], [True, False]),
        ([5, 4], [True, False]),
        ([5, 6], [True, True]),
        ([0, 0], [True, False]),
    ],
)
def test_a_sequence_not_above_the_last_of_its_source_is_a_repeat(sequences: list[int], told: list[bool]) -> None:
    fold = dispatch()
    assert [bool(fold.step(line(i, notice(s)))) for i, s in enumerate(sequences)] == told


def test_repeats_are_counted_per_stakeholder_and_source() -> None:
    fold = dispatch()
    assert fold.step(line(0, notice(5)))
    assert fold.step(line(1, notice(5, source="forewarn:sla.telemetry.v1/1")))
    assert fold.step(line(2, notice(5, who="boss"), key=b"boss"))


def test_replay_may_pass_the_repeat_check() -> None:
    fold = Dispatch("t", 0, decode=decode_notice, dead_letter=dead_letter, check_repeats=False)
    assert fold.step(line(0, notice(5)))
    assert fold.step(line(1, notice(5)))


def test_a_line_already_applied_says_nothing() -> None:
    fold = dispatch()
    assert fold.step(line(4, notice(1)))
    assert fold.step(line(4, notice(2))) == []
    assert fold.step(line(3, notice(3))) == []


def test_a_stakeholder_without_channels_is_told_nothing_and_it_is_on_record() -> None:
    fold = dispatch()
    (dropped,) = fold.step(line(0, notice(1, channels=[])))
    assert (dropped.topic, dropped.value["outcome"]) == ("sla.deliveries.v1", "dropped")
    assert [s.body.get("name") for s in fold.take_dirty()] == ["ops", None]


def test_state_ends_with_the_head_and_names_only_what_changed() -> None:
    fold = dispatch(partition=2)
    fold.step(line(0, notice(1, who="b"), key=b"b", at=10))
    fold.step(line(1, notice(1, who="a/ü"), key="a/ü".encode(), at=20))
    states = fold.take_dirty()
    assert [s.key for s in states] == ["stakeholder/a%2F%C3%BC", "stakeholder/b", "partition/2"]
    assert (states[-1].offset, states[-1].body["now"]) == (1, 20)
    fold.step(line(2, {"type": "tick"}, key=None, at=30))
    assert [s.key for s in fold.take_dirty()] == ["partition/2"]


def test_a_fold_that_was_loaded_goes_on_as_the_one_that_was_stored() -> None:
    lines = [line(i, notice(s, who=w), key=w.encode()) for i, (w, s) in enumerate([("a", 1), ("b", 1), ("a", 1)])]
    steady, stored, loaded = dispatch(), dispatch(), dispatch()
    expected = [steady.step(each) for each in lines]
    first = [stored.step(each) for each in lines[:2]]
    loaded.load(reversed(stored.take_dirty()))
    assert [*first, loaded.step(lines[2])] == expected
    assert loaded.now == steady.now


def test_an_atom_that_stands_ahead_of_the_head_is_not_told_again() -> None:
    # The worker died after it had stored the stakeholder and before it stored the head.
    fold, again = dispatch(), dispatch()
    fold.step(line(0, notice(1)))
    fold.step(line(1, notice(2)))
    again.load([state for state in fold.take_dirty() if state.body["type"] == "stakeholder"])
    assert again.step(line(1, notice(2))) == []
    assert again.step(line(2, notice(3)))


def test_time_is_the_highest_append_time_and_a_tick_always_moves_it() -> None:
    fold = dispatch()
    assert fold.now is None
    assert fold.take_dirty() == []
    for offset, value, stamped_at, append_at, now in [
        (0, notice(1), 50, 50, 50),
        (1, notice(2), 40, 40, 50),
        (2, notice(3), 900, None, 50),
        (3, {"type": "tick"}, 60, None, 60),
    ]:
        fold.step(Line(offset, None, orjson.dumps(value), stamped_at, append_at))
        assert fold.now == now


@pytest.mark.parametrize(
    ("value", "key", "reason"),
    [
        (None, b"ops", Reason.NULL_VALUE),
        (b"\xff", b"ops", Reason.NOT_UTF8),
        (b"{", b"ops", Reason.NOT_JSON),
        (b'{"type":"notice","sequence":NaN}', b"ops", Reason.NOT_JSON),
        ([], b"ops", Reason.WRONG_TYPE),
        ({}, b"ops", Reason.MISSING_FIELD),
        ({"type": "poem"}, b"ops", Reason.UNKNOWN_TYPE),
        (notice(sequence="1"), b"ops", Reason.WRONG_TYPE),
        (notice(sequence=True), b"ops", Reason.WRONG_TYPE),
        (notice(sequence=-1), b"ops", Reason.OUT_OF_RANGE),
        (notice(sequence=2**63), b"ops", Reason.OUT_OF_RANGE),
        (notice(channels=["console"]), b"ops", Reason.WRONG_TYPE),
        (notice(event={"id": "x", "data": {"dedup_key": "k", "z": [2**63]}}), b"ops", Reason.OUT_OF_RANGE),
        (notice(event={"id": "x"}), b"ops", Reason.MISSING_FIELD),
        (notice(event={"id": "x", "data": {}}), b"ops", Reason.MISSING_FIELD),
        (notice(stakeholder=None), b"ops", Reason.MISSING_FIELD),
        (notice(), b"boss", Reason.KEY_MISMATCH),
    ],
)
def test_a_bad_notice_is_a_dead_letter_and_the_next_one_is_told(value: Any, key: bytes, reason: Reason) -> None:
    fold = dispatch()
    (emission,) = fold.step(line(0, value, key=key))
    assert (emission.topic, emission.value["reason"]) == ("sla.dlq.v1", str(reason))
    assert fold.step(line(1, notice()))


def test_a_null_key_is_derived_from_the_body() -> None:
    assert dispatch().step(line(0, notice(), key=None))
