"""design.md 6, `forewarn replay`, sentence by sentence."""

from __future__ import annotations

import random
from base64 import b64decode, b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forewarn.replay.entry import read_entry
from schemas.text import read_json
from tests.replay.echo import NOTICES, SECOND, TELEMETRY, Played, T, dead_letters, line, lines_of, play

TICK = {"type": "tick"}


def counts(service: str = "payments", **more: Any) -> dict[str, Any]:
    return {"type": "counts", "service": service, "signal": "s", "at": T, "good": 1, "bad": 0, **more}


# -- what a line holds


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"value": {"a": 1, "ü": [1.5, None]}}, '{"a":1,"ü":[1.5,null]}'.encode()),
        ({"value": '{"a": NaN}'}, b'{"a": NaN}'),
        ({"value": ""}, b""),
        ({"value": None}, None),
        ({"value": [1, 2]}, b"[1,2]"),
        ({"value": 5}, b"5"),
        ({"value_base64": b64encode(b"\xff\x00").decode()}, b"\xff\x00"),
        ({"value": None, "value_base64": b64encode(b"x").decode()}, b"x"),
        ({"value": {"a": 10**30}}, b'{"a": 1000000000000000000000000000000}'),
    ],
)
def test_the_value_is_the_record_a_string_its_raw_text_null_a_tombstone(
    given: dict[str, Any], expected: bytes | None
) -> None:
    one = {"topic": TELEMETRY, "key": None, "timestamp": T + 1, **given}
    assert play(one).records() == [expected]


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 400])
def test_a_number_out_of_range_is_the_fault_of_the_record_not_of_the_line(number: str) -> None:
    value = f'{{"type":"sample","service":"a","signal":"s","at":{T},"value":{number}}}'
    raw = f'{{"topic":"{TELEMETRY}","key":"a", "value" : {value} ,"timestamp":{T}}}'.encode()
    (letter,) = dead_letters(raw)
    assert (letter["reason"], letter["topic"], letter["offset"]) == ("out_of_range", TELEMETRY, 1)
    assert b64decode(letter["value_base64"]) == value.encode()


@pytest.mark.parametrize("levels", [201, 300, 1100, 50_000])
def test_too_many_levels_are_the_fault_of_the_record_not_of_the_line(levels: int) -> None:
    raw = f'{{"topic":"{TELEMETRY}","key":"a","value":{"[" * levels}{"]" * levels},"timestamp":{T}}}'.encode()
    (letter,) = dead_letters(raw)
    assert (letter["reason"], letter["topic"]) == ("too_deep", TELEMETRY)


def test_unknown_fields_of_a_line_are_ignored_and_of_a_duplicated_one_the_last_counts() -> None:
    raw = f'{{"x":1,"topic":"a","topic":"{TELEMETRY}","key":null,"value":{{"a":1,"a":2}},"timestamp":{T + 1}}}'
    assert play(raw.encode()).records() == [b'{"a":2}']


def test_a_null_optional_field_of_a_line_is_absent() -> None:
    played = play(line("x", T + 1, partition=None, offset=None, timestamp_type=None))
    assert [(one.offset, one.append_at) for one in played.folds[TELEMETRY, 0].lines] == [(0, T + 1)]


def test_key_and_headers_reach_the_fold() -> None:
    played = play(line("x", T + 1, key="ü", headers=[["h", "AAE="]]), line("y", T + 1, key_base64="/w=="))
    told = played.folds[TELEMETRY, 0].lines
    assert [(one.key, one.headers) for one in told] == [("ü".encode(), (("h", b"\x00\x01"),)), (b"\xff", ())]


# -- a line that is no such object

BAD_LINES = [
    b"",
    b"   ",
    b"hello",
    b"[]",
    b"5",
    b'"text"',
    b"null",
    b"\xff\xfe",
    b'{"topic":"a"',
    b"{}",
    b'{"key":null,"value":null,"timestamp":1}',
    b'{"topic":5,"key":null,"value":null,"timestamp":1}',
    b'{"topic":"sla.telemetry.v1","key":null,"timestamp":1}',
    b'{"topic":"sla.telemetry.v1","key":5,"value":{},"timestamp":1}',
    b'{"topic":"sla.telemetry.v1","key":null,"value":{}}',
    b'{"topic":"sla.telemetry.v1","key":null,"value":{},"timestamp":"1"}',
    b'{"topic":"sla.telemetry.v1","key":null,"value":{},"timestamp":1.0}',
    b'{"topic":"sla.telemetry.v1","key":null,"value":{},"timestamp":true}',
    b'{"topic":"sla.telemetry.v1","key":null,"value":{},"timestamp":-1}',
    b'{"topic":"sla.telemetry.v1","key":null,"value":{},"timestamp":1e999}',
    b'{"topic":"sla.telemetry.v1","key":null,"value":{},"timestamp":999999999999999}',
    b'{"topic":"sla.telemetry.v1","key":null,"value":{},"timestamp":253402300799000}',  # no period of it ends
    b'{"topic":"sla.telemetry.v1","key":null,"value":{},"timestamp":1,"partition":-1}',
    b'{"topic":"sla.telemetry.v1","key":null,"value":{},"timestamp":1,"partition":"0"}',
    b'{"topic":"sla.telemetry.v1","key":null,"value":{},"timestamp":1,"offset":1.5}',
    b'{"topic":"sla.telemetry.v1","key":null,"value":{},"timestamp":1,"timestamp_type":"log"}',
    b'{"topic":"sla.telemetry.v1","key":null,"value_base64":"?","timestamp":1}',
    b'{"topic":"sla.telemetry.v1","key":null,"value_base64":5,"timestamp":1}',
    b'{"topic":"sla.telemetry.v1","key":null,"value":{"a":NaN},"timestamp":1}',
    b'{"topic":"sla.telemetry.v1","key":null,"value":{"a":"\\ud800"},"timestamp":1}',
    b'{"topic":"sla.telemetry.v1","key":"\\ud800","value":{},"timestamp":1}',
    b'{"topic":"sla.telemetry.v1","key":null,"value":{},"timestamp":1} x',
    b'{"topic":"sla.telemetry.v1","key":null,"value":{},"timestamp":1,"x":' + b"[" * 9999 + b"]" * 9999 + b"}",
    b"[" * 100_000,
    b'{"a":' * 100_000,
]


@pytest.mark.parametrize("bad", BAD_LINES)
def test_a_line_that_is_no_such_object_is_a_dead_letter(bad: bytes) -> None:
    before, after = line(counts(), T + 500), line(counts(), T + 700)
    letters = [one for one in play(before, bad, after).printed if one["topic"] == "sla.dlq.v1"]
    assert len(letters) == 1
    assert letters[0]["key"] is None
    letter = letters[0]["value"]
    assert letter.pop("detail")
    assert letter == {
        "reason": "bad_line",
        "topic": None,
        "partition": None,
        "offset": 1,
        "timestamp": "2026-11-23T10:00:00.500Z",
        "key_base64": None,
        "value_base64": b64encode(bad).decode(),
        "headers": [],
    }


def test_a_bad_line_before_all_others_has_no_timestamp_and_comes_first() -> None:
    printed = play(b"?", line(counts(), T)).printed
    assert printed[0]["topic"] == "sla.dlq.v1"
    assert printed[0]["value"]["timestamp"] is None
    assert len(printed) > 1


def test_nothing_in_is_nothing_out() -> None:
    assert play().printed == []
    assert [one["value"]["reason"] for one in play(b"?").printed] == ["bad_line"]


def test_the_last_line_needs_no_line_feed() -> None:
    assert Played(lines_of(line("x", T + 1))[:-1], None, SECOND, is_decoding=False).records() == [b"x"]


# -- lines that no fold reads


def test_lines_of_topics_that_no_fold_reads_are_ignored() -> None:
    others = [line("x", T - 60 * SECOND, topic="sla.alerts.v1"), line("x", T + 60 * SECOND, topic="foreign")]
    assert play(others[0], line(counts(), T), others[1]).printed == play(line(counts(), T)).printed


# -- partitions and offsets


def test_without_partition_there_is_one_per_topic() -> None:
    assert list(play(line(counts("a"), T), line(counts("b"), T)).folds) == [(TELEMETRY, 0), (NOTICES, 0)]


def test_without_offset_lines_count_from_0_per_partition_and_ticks_count_as_records() -> None:
    played = play(
        line("a", T, partition=1), line("b", T, partition=3), line("c", T + SECOND, partition=1), until=T + SECOND
    )
    assert [(v["by"][-1], v["offset"], v["said"]) for v in played.values if v["by"] < "sla.t" or "said" in v] == [
        ("0", 0, "tick"),
        ("1", 0, "tick"),
        ("1", 1, "a"),
        ("3", 0, "tick"),
        ("3", 1, "b"),
        ("0", 1, "tick"),
        ("1", 2, "tick"),
        ("1", 3, "c"),
        ("3", 2, "tick"),
    ]


def test_offsets_of_the_input_are_kept() -> None:
    played = play(line(TICK, T, offset=40), line("a", T, offset=41), line("b", T, offset=50), line("c", T))
    assert [one.offset for one in played.folds[TELEMETRY, 0].lines] == [40, 41, 50, 51]


def test_an_offset_that_was_read_before_is_a_repeat() -> None:
    played = play(line("a", T + 1, offset=5), line("a", T + 1, offset=5), line("b", T + 2, offset=6))
    assert played.records() == [b"a", b"b"]


def test_ticks_never_make_a_record_a_repeat_and_its_dead_letter_names_the_offset_of_the_input() -> None:
    given = [line("not JSON", T + second * SECOND, offset=7 + second) for second in range(4)]
    assert [letter["offset"] for letter in dead_letters(*given)] == [7, 8, 9, 10]


# -- time


def test_a_record_stamped_by_its_producer_has_no_append_time() -> None:
    played = play(line("a", T + 1, timestamp_type="create"), line("b", T + 2, timestamp_type="append"))
    assert [(one.stamped_at, one.append_at) for one in played.folds[TELEMETRY, 0].lines] == [
        (T + 1, None),
        (T + 2, T + 2),
    ]


def test_ticks_come_at_each_whole_step_from_the_earliest_to_the_last_timestamp() -> None:
    played = play(line("a", T + 300), line("b", T + 3999))
    assert played.ticks() == [T + 1000, T + 2000, T + 3000]


def test_a_tick_may_stand_at_the_first_and_at_the_last_timestamp() -> None:
    assert play(line("a", T), line("b", T + 2000)).ticks() == [T, T + 1000, T + 2000]


def test_ticks_come_before_records_of_the_same_instant() -> None:
    assert play(line("a", T), line("b", T + SECOND), line("c", T + SECOND)).story() == [
        "0 n0 tick",
        "0 t0 tick",
        "0 t0 a",
        "1 n0 tick",
        "1 t0 tick",
        "1 t0 b",
        "1 t0 c",
    ]


def test_ticks_go_on_until() -> None:
    assert play(line("a", T), until=T + 2999).ticks() == [T, T + 1000, T + 2000]


def test_lines_after_until_are_not_replayed() -> None:
    played = play(line("a", T), line("b", T + 2000), line("c", T + 2001), until=T + 2000)
    assert played.records() == [b"a", b"b"]
    assert played.ticks()[-1] == T + 2000


def test_the_step_of_ticks_may_be_another() -> None:
    assert play(line("a", T + 1), until=T + 60_000, step_ms=20_000).ticks() == [T + 20_000, T + 40_000, T + 60_000]


def test_the_step_changes_with_the_catalogue() -> None:
    assert play(line("every 5 s", T + 1500), until=T + 12_000).ticks() == [T + 2000, T + 5000, T + 10_000]


@pytest.mark.parametrize("tick", [TICK, '{"type": "tick"}', '{"type":"\\u0074ick"}'])
def test_no_ticks_are_made_in_a_partition_whose_input_holds_one(tick: Any) -> None:
    played = play(line("a", T, partition=0), line("b", T, partition=1), line(tick, T + 2500, partition=1))
    assert played.ticks(0) == [T, T + 1000, T + 2000]
    assert [one.stamped_at for one in played.folds[TELEMETRY, 1].lines] == [T, T + 2500]


def test_the_catalogue_is_read_wholly_before_the_first_record() -> None:
    document, commit = {"type": "document"}, {"type": "commit"}
    played = play(
        line("a", T),
        line(document, T + 1, topic="sla.catalogue.v1", key="Objective/x"),
        line(commit, T + 3000, topic="sla.catalogue.v1", key="commit"),
        line(None, T + 3000, topic="sla.catalogue.v1", key="commit"),
        line(commit, T + 3000, topic="sla.catalogue.v1", key="commit", offset=17),
    )
    assert played.catalogue == [(0, b'{"type":"document"}'), (1, b'{"type":"commit"}'), (17, b'{"type":"commit"}')]
    assert played.records() == [b"a"]


# -- feeds


def test_feeds_are_applied_directly_after_their_cause_at_its_timestamp() -> None:
    played = play(line("quiet", T + 1), line({"tell": 1}, T + 500), line("after", T + 501))
    assert [(one["topic"], one["value"].get("said"), one["value"]["at"] - T) for one in played.printed] == [
        ("said", "quiet", 1),
        ("said", '{"tell":1}', 500),
        (NOTICES, None, 500),
        ("said", "after the notice", 500),
        ("said", '{"by":"sla.telemetry.v1/0","offset":1,"at":1795428000500,"type":"notice"}', 500),
        ("said", "after", 501),
    ]
    (notice,) = played.folds[NOTICES, 0].lines
    assert (notice.key, notice.stamped_at, notice.append_at, notice.offset) == (b"ann", T + 500, T + 500, 0)
    assert played.folds[NOTICES, 0].slot.is_fed


def test_the_cause_of_a_late_record_is_its_log_time() -> None:
    played = play(line("a", T + 900), line({"tell": 1}, T + 500))
    assert [one.stamped_at for one in played.folds[NOTICES, 0].lines] == [T + 900]


def test_feeds_that_the_input_holds_already_are_not_applied_twice() -> None:
    played = play(line({"tell": 1}, T + 1), line({"held": 1}, T + 2, topic=NOTICES, partition=5))
    assert list(played.folds) == [(TELEMETRY, 0), (NOTICES, 5)]
    assert played.records(5, NOTICES) == [b'{"held":1}']
    assert NOTICES in [one["topic"] for one in played.printed]
    assert not played.folds[NOTICES, 5].slot.is_fed


# -- the order of output


def test_output_is_in_order_of_log_time_then_topic_and_partition_then_place() -> None:
    played = play(
        line("d", T + 400, partition=1),
        line("c", T + 400, partition=0),
        line("n", T + 400, topic=NOTICES),
        line("e", T + 400, partition=1),
        line("b", T + 300, partition=0),
        b"?",
        line("a", T + 200, partition=1),
    )
    # Partition 0 reads c, then b: time does not go back. Partition 1 reads d, e, a.
    assert [one["value"].get("said", "?") for one in played.printed] == ["?", "n", "c", "b", "d", "e", "a"]


@pytest.mark.parametrize("seed", range(20))
def test_how_partitions_are_interleaved_in_the_file_changes_nothing(seed: int) -> None:
    chance = random.Random(seed)
    partitions = [
        [
            line(
                f"{partition}.{number}", T + at, partition=partition, timestamp_type=chance.choice(["append", "create"])
            )
            for number, at in enumerate(chance.choices(range(0, 5000, 250), k=12))
        ]
        for partition in range(3)
    ]
    one_after_the_other = play(*(one for lines in partitions for one in lines))
    mixed = []
    while any(partitions):
        mixed.append(chance.choice([lines for lines in partitions if lines]).pop(0))
    played = play(*mixed)
    assert played.printed == one_after_the_other.printed
    keys = [(one["at"], one["by"]) for one in played.values]
    assert keys == sorted(keys)


def test_log_time_of_a_producers_stamp_is_that_of_the_last_tick() -> None:
    played = play(
        line("a", T + 400, timestamp_type="create"), line("b", T + 1700, timestamp_type="create", partition=1)
    )
    assert played.story() == ["0.4 t0 a", "1 n0 tick", "1 t0 tick", "1 t1 tick", "1 t1 b"]


def test_two_runs_print_the_same_bytes() -> None:
    lines = [line(counts(), T + 137 * number, partition=number % 3) for number in range(50)]
    assert play(*lines).printed == play(*lines).printed


@settings(max_examples=1000, deadline=None)
@given(
    place=st.integers(0, 120),
    inserted=st.binary(max_size=2)
    | st.sampled_from([b"1e999", b"NaN", b"\\ud800", b"{", b'"', b"[" * 3000, b"9" * 5000]),
    cut=st.integers(0, 4),
)
def test_no_line_whatever_it_holds_ends_a_replay(place: int, inserted: bytes, cut: int) -> None:
    good = lines_of(line(counts(), T, key="payments"))[:-1]
    entry = read_entry(good[:place] + inserted + good[place + cut :])
    if entry is not None:
        assert entry.raw_value is None or read_json(entry.raw_value) is not None
