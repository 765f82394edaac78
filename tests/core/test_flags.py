"""Flags: who has taken an episode on, and whether people are told of it. Machines are told of each change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sla.detect import Detect
from sla.fold import Emission, Line
from sla.units import MINUTE_MS, SECOND_MS, rfc3339

from .orders import changes, order, outcomes
from .restart import Flush, as_consumed, interrupted, uninterrupted
from .world import T0, World, agreement, catalogue_of, detect_of, line_of, objective

KEY = "pay/paid"


def in_breach() -> World:
    """`pay/paid` is breached from 10:07 on, told at 10:08."""
    world = World(objective(), agreement("acme-gold", "paid")).well()
    world.minutes(0, 8, 0, 10)
    assert [name for _, name, _ in world.story()] == ["breach"]
    return world


def obey(world: World, minute: float, kind: str, name: str = "c1", **fields: Any) -> list[Emission]:
    at = T0 + int(minute * MINUTE_MS)
    return world.tell(at, order(kind, at, name, **fields))


def spoken(emissions: list[Emission]) -> list[Emission]:
    """All but how things stand at a whole minute."""
    return [each for each in emissions if each.topic != "sla.status.v1"]


def flags(world: World) -> list[tuple[str, dict[str, Any]]]:
    return changes(world.events("flags_changed"))


def test_an_ack_is_a_flag_of_its_episode_a_feed_for_all_stakeholders_and_on_record() -> None:
    world = in_breach()
    said = obey(world, 9, "ack", dedup_key=KEY, reason="on it")
    assert flags(world) == [("acked", {"acked_by": "bob"})]
    assert outcomes(said) == [("command_accepted", "")]
    (fed,) = [each for each in said if each.topic == "sla.notices.v1"]
    assert (fed.key, fed.everywhere, fed.value["type"], fed.value["reason"]) == (None, True, "ack", "on it")
    (event,) = world.events("flags_changed")
    assert (event["data"]["state"], event["data"]["previous_state"]) == ("breached", "breached")


def test_an_ack_ends_at_its_own_instant_and_may_be_taken_back() -> None:
    world = in_breach()
    obey(world, 9, "ack", "a", dedup_key=KEY, until=rfc3339(T0 + 12 * MINUTE_MS))
    world.minutes(9, 14, 0, 10)
    obey(world, 15, "ack", "b", dedup_key=KEY)
    said = obey(world, 16, "unack", "c", dedup_key=KEY)
    assert [rule for rule, _ in flags(world)] == ["acked", "ack_ended", "acked", "unacked"]
    assert world.events("flags_changed")[1]["time"] == rfc3339(T0 + 12 * MINUTE_MS)
    assert outcomes(said) == [("command_accepted", "")]
    assert outcomes(obey(world, 17, "unack", "d", dedup_key=KEY)) == [("command_refused", "nobody has acknowledged it")]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"dedup_key": "pay/other"}, "no promise has this dedup key"),
        ({"dedup_key": KEY, "until": rfc3339(T0)}, "it expired before it was heard"),
    ],
)
def test_an_ack_of_nothing_is_refused_on_record(fields: dict[str, Any], why: str) -> None:
    world = in_breach()
    assert outcomes(obey(world, 9, "ack", **fields)) == [("command_refused", why)]
    assert flags(world) == []


def test_the_flags_end_with_the_episode_and_an_ack_of_a_closed_one_is_refused() -> None:
    world = in_breach()
    obey(world, 9, "ack", dedup_key=KEY)
    world.minutes(9, 90, 100, 0)
    (recovery,) = world.events("recovery")
    assert recovery["data"]["flags"]["acked_by"] is None
    assert outcomes(obey(world, 91, "ack", "again", dedup_key=KEY)) == [("command_refused", "its episode 1 is closed")]


def test_an_ack_before_any_episode_is_refused() -> None:
    world = World(objective()).well()
    world.minutes(0, 3, 10, 0)
    assert outcomes(obey(world, 4, "ack", dedup_key=KEY)) == [("command_refused", "it has no episode yet")]


def test_the_same_command_twice_changes_nothing() -> None:
    world = in_breach()
    obey(world, 9, "ack", "same", dedup_key=KEY)
    assert spoken(obey(world, 10, "ack", "same", dedup_key=KEY)) == []
    redelivered = order("ack", T0, "older", dedup_key=KEY)
    assert spoken(world.tell(T0 + 11 * MINUTE_MS, redelivered)) == []
    assert len(flags(world)) == 1


ACK, UNACK, SAID = "ack", "unack", "action"


@pytest.mark.parametrize(
    ("given", "done", "acked_by"),
    [
        ([(ACK, "a"), (ACK, "a")], [1, 0], "bob"),
        ([(ACK, "a"), (ACK, "b")], [1, 1], "bob"),
        ([(ACK, "a"), (UNACK, "u"), (ACK, "a")], [1, 1, 0], None),
        ([(ACK, "a"), (UNACK, "u"), (ACK, "b")], [1, 1, 1], "bob"),
        ([(ACK, "a"), (UNACK, "u"), (ACK, "b"), (UNACK, "u")], [1, 1, 1, 0], "bob"),
        ([(ACK, "a"), (UNACK, "u"), (ACK, "b"), (UNACK, "v")], [1, 1, 1, 1], None),
        ([(UNACK, "u"), (ACK, "a"), (UNACK, "u")], [1, 1, 0], "bob"),
        ([(SAID, "s"), (SAID, "s"), (SAID, "t")], [1, 0, 1], None),
    ],
)
def test_a_command_that_comes_again_changes_nothing_and_a_new_one_does_what_it_says(
    given: list[tuple[str, str]], done: list[int], acked_by: str | None
) -> None:
    """`done` counts what each puts on record."""
    world = in_breach()
    said = []
    for place, (kind, name) in enumerate(given):
        about = {"service": "pay"} if kind == SAID else {"dedup_key": KEY}
        said.append(obey(world, 9 + place, kind, name, **about))
    assert [len(outcomes(each)) for each in said] == done
    assert [bool(spoken(each)) for each in said] == [bool(count) for count in done]
    told = [event["data"]["flags"]["acked_by"] for event in world.events("flags_changed")]
    assert (told or [None])[-1] == acked_by


def test_a_silence_that_was_ended_does_not_begin_again_by_its_repeat() -> None:
    world = in_breach()
    fields = {"matchers": {"service": ["pay"]}, "until": rfc3339(T0 + 60 * MINUTE_MS)}
    obey(world, 9, "silence", "s", **fields)
    obey(world, 10, "unsilence", "u", silence="s")
    assert spoken(obey(world, 11, "silence", "s", **fields)) == []
    obey(world, 12, "silence", "t", **fields)
    assert spoken(obey(world, 13, "unsilence", "u", silence="t")) == []
    assert [rule for rule, _ in flags(world)] == ["silenced", "unsilenced", "silenced"]


def test_an_ack_of_an_episode_that_is_over_does_not_take_on_the_one_that_is_open() -> None:
    world = in_breach()
    why = "it takes on episode 2, and that is over: episode 1 is open"
    assert outcomes(obey(world, 9, "ack", "a", dedup_key=KEY, episode=2)) == [("command_refused", why)]
    assert outcomes(obey(world, 10, "ack", "b", dedup_key=KEY, episode=1)) == [("command_accepted", "")]


def test_a_silence_is_a_flag_from_its_begin_to_its_end_of_what_is_open_and_of_what_opens() -> None:
    # 09 silence begins   12 ends
    world = in_breach()
    until = rfc3339(T0 + 12 * MINUTE_MS)
    obey(world, 9, "silence", matchers={"customer": ["acme"]}, until=until)
    world.minutes(9, 14, 0, 10)
    assert flags(world) == [("silenced", {"silenced": True}), ("unsilenced", {})]
    assert world.events("flags_changed")[1]["time"] == until
    late = World(objective()).well()
    late.minutes(0, 5, 0, 10)
    obey(late, 5, "silence", matchers={"service": ["pay"]}, until=rfc3339(T0 + 60 * MINUTE_MS))
    late.minutes(6, 9, 0, 10)
    (breach,) = late.events("breach")
    assert breach["data"]["flags"]["silenced"] is True
    obey(late, 9, "unsilence", "end", silence="c1")
    assert [rule for rule, _ in flags(late)] == ["unsilenced"]


def test_a_silence_for_one_stakeholder_is_no_flag() -> None:
    world = in_breach()
    obey(world, 9, "silence", matchers={"stakeholder": ["ann"]}, until=rfc3339(T0 + 60 * MINUTE_MS))
    assert flags(world) == []


def test_an_exclusion_that_was_asked_for_counts_once_it_is_approved_and_only_then() -> None:
    world = in_breach()
    world.exclusion(T0 + 9 * MINUTE_MS, "CHG-7", T0, T0 + 9 * MINUTE_MS, status="requested", requested_by="ann")
    assert world.events("correction") == []
    said = obey(world, 10, "approve", service="pay", exclusion="CHG-7")
    assert [each["data"]["reason"]["rule"] for each in world.events("correction")] == ["exclusion"]
    assert outcomes(said) == [("command_accepted", "approved: CHG-7")]
    again = obey(world, 11, "reject", "later", service="pay", exclusion="CHG-7")
    assert outcomes(again) == [("command_refused", "exclusion CHG-7 is approved already")]
    unknown = obey(world, 12, "approve", "other", service="pay", exclusion="CHG-8")
    assert outcomes(unknown) == [("command_refused", "no exclusion CHG-8 of pay is known")]


def test_asking_again_by_the_same_command_for_what_was_approved_since_changes_nothing() -> None:
    world, window = in_breach(), (T0, T0 + 9 * MINUTE_MS)
    asked = {"status": "requested", "requested_by": "ann", "command": "ask-7", "by": "bob"}
    first = world.exclusion(T0 + 9 * MINUTE_MS, "CHG-7", *window, **asked)
    assert outcomes(first) == [("command_accepted", "requested, as CHG-7")]
    assert first[-1].value["by"] == "bob"
    obey(world, 10, "approve", service="pay", exclusion="CHG-7")
    (corrected,) = world.events("correction")
    again = world.exclusion(T0 + 11 * MINUTE_MS, "CHG-7", *window, **asked)
    assert {"sla.tickets.v1", "sla.records.v1"}.isdisjoint({each.topic for each in again})
    assert world.events("correction") == [corrected]
    late = obey(world, 12, "reject", "later", service="pay", exclusion="CHG-7")
    assert outcomes(late) == [("command_refused", "exclusion CHG-7 is approved already")]
    anew = world.exclusion(T0 + 13 * MINUTE_MS, "CHG-7", *window, **{**asked, "command": "ask-8"})
    assert [each.value["status"] for each in anew if each.topic == "sla.tickets.v1"] == ["requested"]


def test_what_is_said_of_a_service_is_on_record_as_it_was_said() -> None:
    world = in_breach()
    (record,) = spoken(obey(world, 8, "dispute", service="pay", text="the figures of October", amount="20 EUR"))
    assert (record.topic, record.key, record.value["type"]) == ("sla.records.v1", "pay", "command_accepted")
    assert record.value["body"]["text"] == "the figures of October"
    assert record.value["body"]["amount"] == "20 EUR"


def lines_of_an_ordered_life() -> list[Line]:
    told: list[tuple[int, Mapping[str, Any]]] = []
    for minute in range(30):
        at = T0 + minute * MINUTE_MS
        counts = {"type": "counts", "service": "pay", "signal": "ok", "at": at, "good": 0, "bad": 10}
        told += [(at, counts), (at + 30 * SECOND_MS, {"type": "tick"})]
    told += [
        (at, order(kind, at, name, **fields))
        for at, kind, name, fields in (
            (T0 + 9 * MINUTE_MS, "ack", "a", {"dedup_key": KEY, "until": rfc3339(T0 + 12 * MINUTE_MS)}),
            (
                T0 + 10 * MINUTE_MS,
                "silence",
                "s",
                {"matchers": {"service": ["pay"]}, "until": rfc3339(T0 + 14 * MINUTE_MS)},
            ),
            (T0 + 16 * MINUTE_MS, "ack", "b", {"dedup_key": KEY}),
            (T0 + 17 * MINUTE_MS, "unack", "u", {"dedup_key": KEY}),
            (T0 + 18 * MINUTE_MS, "ack", "b", {"dedup_key": KEY}),  # again: it changes nothing, read once or twice
        )
    ]
    told.sort(key=lambda each: each[0])
    return [line_of(offset, at, value, "pay") for offset, (at, value) in enumerate(told)]


def test_wherever_it_is_killed_it_tells_the_same_of_acks_and_silences() -> None:
    base = catalogue_of([objective()])
    lines = lines_of_an_ordered_life()

    def make() -> Detect:
        return detect_of(base, (), MINUTE_MS)

    expected = as_consumed(uninterrupted(make, lines))
    assert sum(b"flags_changed" in value for values in expected.values() for value in values) > 6
    for after in range(15, len(lines), 2):
        for reached in (None, 0, 1):
            flushes = [Flush(after - 6, None, crashes=False), Flush(after, reached, crashes=True)]
            told = interrupted(make, lines, flushes)
            assert as_consumed(told) == expected, (after, reached)
