"""What the doctor decides where no broker of this machine can be made to differ: tables of what is seen and said."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import orjson
import pytest

from agents.transport import pack
from forewarn.doctor import broker, clocks, partitioners, producers, state, versions
from forewarn.doctor.clocks import Reading
from forewarn.doctor.diagnosis import numbers
from schemas.topics import TELEMETRY
from sla.fold import AtomState, Line
from sla.partitioner import partition_of
from sla.queue.queues import Queues
from sla.units import HOUR_MS, SECOND_MS
from tests.clock.world import World as Tickets
from tests.clock.world import promise
from tests.core.world import T0, World, objective
from tests.queue.test_queues import clock

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([], []),
        ([Reading(1, 0, 2), Reading(2, 900, 2)], []),
        ([Reading(1, 1_500, 600)], []),  # it may be as little as 900 ms
        ([Reading(1, 1_500, 2)], [("broker 1", "warning", "1.5 s ahead of this machine's")]),
        ([Reading(1, -800, 2), Reading(2, 800, 2)], [("broker 2", "warning", "1.6 s ahead of broker 1's")]),
        (
            [Reading(1, 0, 2), Reading(2, -20_000, 2)],
            [("broker 2", "warning", "20.0 s behind this"), ("broker 1", "error", "20.0 s ahead of broker 2's")],
        ),
    ],
)
def test_clocks_are_told_only_as_far_as_the_measurement_is_sure(
    readings: list[Reading], expected: list[tuple[str, str, str]]
) -> None:
    found = clocks.judge(readings)
    assert [(each.where, each.finding.level.value) for each in found] == [each[:2] for each in expected]
    assert all(said in each.finding.what for each, (_, _, said) in zip(found, expected, strict=True))


def test_the_pins_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (
        dict(line.split("==") for line in project["dependencies"] if ";" not in line and "==" in line)
        == versions.PINNED
    )
    assert versions.judge_libraries(versions.installed()) == []


def test_another_version_of_a_pinned_library_is_told_with_the_command() -> None:
    missing, other = versions.judge_libraries({**versions.PINNED, "aiokafka": "0.15.0", "mode-streaming": None})
    assert (missing.what, other.what) == (
        "mode-streaming is missing, exactly 0.7.1 is needed",
        "aiokafka is 0.15.0, exactly 0.14.0 is needed",
    )
    assert other.remedy.endswith("pip install 'aiokafka==0.14.0'")


@pytest.mark.parametrize(
    ("counts", "level", "said"),
    [
        ({}, None, ""),
        ({"1.1": 3}, None, ""),
        ({"1.0": 3}, "note", "another version than this doctor: 3 of 1.0, here 1.1"),
        ({"1.0": 2, "1.1": 1}, "warning", "of different versions (2 of 1.0, 1 of 1.1)"),
        ({"faust-0.15.3": 1, "1.1": 1}, "warning", "of different versions (1 of 1.1, 1 of faust-0.15.3)"),
    ],
)
def test_workers_of_one_group_are_of_one_version(counts: dict[str, int], level: str | None, said: str) -> None:
    found = versions.judge_workers(counts, "1.1")
    assert [each.level.value for each in found] == ([] if level is None else [level])
    assert all(said in each.what for each in found)


@pytest.mark.parametrize(
    ("protocol", "level"),
    [(None, None), ("4.0-IV3", None), ("3.9-IV0", "note"), ("2.4-IV1", "note"), ("2.3-IV1", "error")],
)
def test_an_old_broker_is_known_by_the_protocol_it_speaks(protocol: str | None, level: str | None) -> None:
    found = versions.judge_broker({} if protocol is None else {"inter.broker.protocol.version": protocol})
    assert [each.level.value for each in found] == ([] if level is None else [level])


@pytest.mark.parametrize(
    ("settings", "session_ms", "said"),
    [
        ({"group.min.session.timeout.ms": "6000", "group.max.session.timeout.ms": "1800000"}, 10_000, None),
        ({"group.min.session.timeout.ms": "6000"}, 3_000, "group.min.session.timeout.ms is 6000, but FOREWARN"),
        (
            {"group.max.session.timeout.ms": "9000"},
            10_000,
            "group.max.session.timeout.ms is 9000, but FOREWARN",
        ),
        ({"log.cleaner.enable": "false"}, 10_000, "changelogs grow for ever"),
        ({"log.cleaner.enable": "true", "auto.create.topics.enable": "true"}, 10_000, "auto.create.topics.enable is"),
    ],
)
def test_a_brokers_settings_are_judged_by_what_a_worker_needs(
    settings: dict[str, str], session_ms: int, said: str | None
) -> None:
    found = broker.judge(settings, session_ms)
    assert [re.search(re.escape(said or ""), each.what) is not None for each in found] == ([True] if said else [])


def test_saramas_partitions_are_as_its_source_computes_them() -> None:
    # FNV-1a of "a" is 0xE40C292C, which is -468965076 as a signed number.
    assert partitioners.sarama_place(b"a", 7) == 468965076 % 7
    # …and of "foobar" 0xBF9CF968.
    assert partitioners.sarama_place(b"foobar", 10) == abs(0xBF9CF968 - (1 << 32)) % 10


def test_a_habit_is_named_only_if_it_explains_every_record() -> None:
    count = 8
    keys = [f"s{number}".encode() for number in range(200)]
    lines: dict[int, list[Line]] = {}
    for offset, key in enumerate(keys):
        place = partitioners.sarama_place(key, count)
        body = b'{"service":"' + key + b'"}'
        lines.setdefault(place, []).append(Line(offset, key, body, 1_700_000_000_000, 1_700_000_000_000))
    (finding,) = partitioners.judge(TELEMETRY, count, lines)
    assert "Sarama's default (Go)" in finding.what
    stray = next(key for key in keys if len({partitioners.sarama_place(key, count), partition_of(key, count), 0}) == 3)
    lines.setdefault(0, []).append(Line(999, stray, b'{"service":"' + stray + b'"}', 1, 1))
    (finding,) = partitioners.judge(TELEMETRY, count, lines)
    assert "Sarama" not in finding.what


def measured(service: str, *ahead_s: float, kind: str = "counts", append_time: bool = True) -> list[Line]:
    """Records whose `at` is so many seconds ahead of the instant at which the broker took them."""
    bodies = [orjson.dumps({"type": kind, "service": service, "at": round(T0 + s * SECOND_MS)}) for s in ahead_s]
    return [Line(n, service.encode(), body, T0, T0 if append_time else None) for n, body in enumerate(bodies)]


@pytest.mark.parametrize(
    ("lines", "level", "said"),
    [
        (measured("pay", 0.9, -3, -60), None, ""),
        (
            measured("pay", -3, 4.2),
            "warning",
            "'pay' bear an `at` up to 4.2 s ahead of the broker's clock: they count at",
        ),
        (
            measured("pay", *[600] * 3),
            "error",
            "up to 600.0 s ahead of the broker's clock: more than 5 min ahead is a dead",
        ),
        (measured("pay", 600, append_time=False), None, ""),  # the stamp is the producer's own
        (measured("pay", 600, kind="exclusion"), None, ""),  # planned work lies ahead
        (measured("pay", *[-600] * 5), "warning", "'pay' came less than 600 s after its `at`"),
        (measured("pay", *[-600] * 4), None, ""),  # some that were sent later
        (measured("pay", -1, *[-600] * 9), None, ""),  # one was in time, so the clock is right
        ([Line(0, b"pay", b"nonsense", T0, T0), Line(1, None, None, T0, T0)], None, ""),
    ],
)
def test_a_producers_clock_is_told_by_what_it_writes(lines: list[Line], level: str | None, said: str) -> None:
    found = producers.judge_clocks(lines)
    assert [each.level for each in found] == ([] if level is None else [level])
    assert all(said in each.what for each in found)


def test_many_services_with_a_wrong_clock_are_one_finding_that_names_the_worst() -> None:
    lines = [line for n in range(8) for line in measured(f"s{n}", 10 + n)]
    (finding,) = producers.judge_clocks(lines)
    assert "records of 's7', 's6', 's5', 's4', 's3' and 3 more services bear" in finding.what


def test_dead_letters_of_the_last_hour_are_told_by_reason_and_older_ones_are_not() -> None:
    def letter(reason: str, at: int) -> Line:
        body = {"reason": reason, "detail": "why", "topic": TELEMETRY.name, "partition": 2, "offset": 7}
        return Line(0, None, orjson.dumps(body), at, None)

    assert producers.judge_letters([letter("not_json", T0 - HOUR_MS)], T0) == []
    lines = [letter("not_json", T0 - 5), letter("not_json", T0 - 4), letter("from_the_future", T0 - 3)]
    (finding,) = producers.judge_letters(lines, T0)
    assert "(2 not_json, 1 from_the_future, " in finding.what
    assert "from sla.telemetry.v1/2 at offset 7: why" in finding.what


def heads(atoms: Iterable[AtomState]) -> dict[str, state.Head]:
    """As the doctor finds them in a changelog."""
    lines = [Line(0, atom.key.encode(), pack(atom.offset, orjson.dumps(atom.body)), 0, None) for atom in atoms]
    return state.heads_of(lines)


def test_what_each_fold_stores_is_what_this_version_reads_of_its_role() -> None:
    telemetry, tickets, queues = World(objective()), Tickets(promise()), Queues()
    telemetry.counts(T0, 9, 1)
    tickets.created("00:00", priority="P1")
    queues.take(clock("T1"), T0, 1)
    detect = {**heads(telemetry.fold.take_dirty()), **heads(queues.changes(lambda: 1))}
    assert {key.partition("/")[0] for key in detect} >= {"partition", "stream", "queue"}
    assert list(state.strange_of("detect", detect)) == []
    assert list(state.strange_of("clock", heads(tickets.fold.take_dirty()))) == []


def test_a_shape_is_judged_by_the_role_and_the_kind_of_atom() -> None:
    ahead = heads([AtomState("partition/0", 1, {"shape": 99})])
    assert list(state.strange_of("clock", ahead)) == [
        f"partition: shape 99 instead of {state.SHAPES['clock']['partition']}"
    ]
    assert list(state.strange_of("dispatch", ahead)) == []  # it numbers no shape


def test_many_partitions_are_named_by_the_first_of_them() -> None:
    assert numbers([3]) == "partition 3"
    assert numbers([3, 0]) == "partitions 0, 3"
    assert numbers(list(range(32))) == "partitions 0, 1, 2, 3, 4, 5, 6, 7 and 24 more"
