"""The restart law: whatever reached the table, a restarted fold says what an uninterrupted one would have said."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from sla.catalogue import Catalogue
from sla.detect import Detect
from sla.fold import Line
from sla.units import HOUR_MS, MINUTE_MS, SECOND_MS, rfc3339

from .histories import history
from .restart import Flush, as_consumed, interrupted, random_flushes, uninterrupted
from .world import QUIET, T0, catalogue_of, detect_of, line_of, marker, objective

Told = tuple[int, Mapping[str, Any]]


@pytest.mark.parametrize("seed", [6, 7, 8, 13, 24, 100, 2, 5, 12, 34])
def test_restarts_anywhere_and_flushes_that_arrived_in_part_change_nothing(seed: int) -> None:
    make, lines = history(seed, lines_most=1500)
    expected = as_consumed(uninterrupted(make, lines))
    dice = random.Random(seed)
    for count in (2, 12):
        flushes = random_flushes(dice, count, len(lines))
        assert as_consumed(interrupted(make, lines, flushes)) == expected, flushes


class Log:
    """A short log by hand, and what is said of it with a flush cut off after each line and each atom."""

    def __init__(self, base: Catalogue, *revisions: Catalogue) -> None:
        self._base = base
        self._revisions = revisions
        self.lines: list[Line] = []

    def tell(self, at: int, value: Mapping[str, Any]) -> None:
        self.lines.append(line_of(len(self.lines), at, value, "pay"))

    def counts(self, at: int, good: int, bad: int, signal: str = "ok", happened_at: int | None = None) -> None:
        body = {"type": "counts", "service": "pay", "signal": signal, "good": good, "bad": bad}
        self.tell(at, {**body, "at": at if happened_at is None else happened_at})

    def tick(self, at: int) -> None:
        self.tell(at, {"type": "tick"})

    def make(self) -> Detect:
        return detect_of(self._base, self._revisions, MINUTE_MS)

    def assert_lawful(self, expected: str | None = None) -> None:
        """Every pair of a flush that arrived whole and a later one that arrived in part, then a crash."""
        whole = as_consumed(uninterrupted(self.make, self.lines))
        if expected is not None:
            assert any(expected.encode() in value for values in whole.values() for value in values)
        for first, second in places(len(self.lines)):
            for reached in range(5):
                flushes = [Flush(first, None, crashes=False), Flush(second, reached, crashes=True)]
                assert as_consumed(interrupted(self.make, self.lines, flushes)) == whole, flushes


def places(count: int) -> Sequence[tuple[int, int]]:
    return [(first, second) for first in range(count) for second in range(first + 1, min(first + 8, count))]


def broken(log: Log, start: int, minutes: int) -> None:
    for minute in range(minutes):
        log.counts(start + minute * MINUTE_MS, 0, 10)


def test_an_exclusion_learned_between_two_heads_is_not_lost() -> None:
    log = Log(catalogue_of([objective()]))
    broken(log, T0, 9)
    window = {"from": rfc3339(T0), "to": rfc3339(T0 + 5 * MINUTE_MS)}
    more = {"id": "CHG-1", "category": "planned", "reason": "work", "status": "approved"}
    log.tell(T0 + 9 * MINUTE_MS, {"type": "exclusion", "service": "pay", **window, **more})
    broken(log, T0 + 10 * MINUTE_MS, 4)
    log.assert_lawful("CHG-1")


def test_a_stream_ahead_of_its_partition_follows_the_revision_it_was_written_under() -> None:
    stricter = catalogue_of([objective(target="95%"), objective("more")], 7, 2)
    log = Log(catalogue_of([objective()]), stricter)
    log.counts(T0, 10, 0)
    log.counts(T0 + MINUTE_MS, 10, 0)
    log.tell(T0 + 2 * MINUTE_MS, marker(stricter))
    broken(log, T0 + 3 * MINUTE_MS, 8)
    log.tick(T0 + 12 * MINUTE_MS)
    log.assert_lawful('"name":"more"')


def test_sequences_survive_a_removal_whose_flush_arrived_in_part() -> None:
    without = catalogue_of([objective("other")], 7)
    again = catalogue_of([objective(), objective("other")], 9, 2)
    log = Log(catalogue_of([objective(), objective("other")]), without, again)
    broken(log, T0, 9)
    log.tell(T0 + 9 * MINUTE_MS, marker(without))
    log.counts(T0 + 10 * MINUTE_MS, 0, 10)
    log.tell(T0 + 11 * MINUTE_MS, marker(again))
    broken(log, T0 + 12 * MINUTE_MS, 3)
    log.assert_lawful('"rule":"retired"')


def test_a_gap_noticed_between_two_heads_is_known_after_a_restart() -> None:
    # 10:00   10:01 gap 10:04          10:09 without the gap it would be 10:06
    log = Log(catalogue_of([objective(noData={"after": "5m", "treat": "unknown"})]))
    log.counts(T0, 10, 0)
    log.counts(T0 + MINUTE_MS, 10, 0)
    for minute in (4, 5, 6, 7, 8, 9, 10):
        log.tick(T0 + minute * MINUTE_MS)
    log.assert_lawful("forewarn.unknown.v1")


def test_silence_that_a_revoked_exclusion_leaves_behind_is_told_after_a_restart() -> None:
    log = Log(catalogue_of([objective(noData={"after": "2m", "treat": "unknown"})]))
    body = {"type": "exclusion", "service": "pay", "id": "CHG-1", "category": "planned", "reason": None}
    window = {"from": rfc3339(T0 + MINUTE_MS), "to": rfc3339(T0 + HOUR_MS)}
    log.counts(T0, 10, 0)
    log.tell(T0 + 30 * SECOND_MS, {**body, **window, "status": "approved"})
    for minute in (1, 2, 3, 4):
        log.tick(T0 + minute * MINUTE_MS)
    log.tell(T0 + 5 * MINUTE_MS, {**body, **window, "status": "revoked"})
    log.tick(T0 + 5 * MINUTE_MS + 10 * SECOND_MS)
    log.tick(T0 + 6 * MINUTE_MS)
    log.assert_lawful("forewarn.unknown.v1")


def test_a_late_record_is_weighed_once_although_weighing_it_said_nothing() -> None:
    log = Log(catalogue_of([objective(grace="0s", correctFor="3d")]))
    log.counts(T0, 100, 0)
    for minute in range(1, 6):
        log.counts(T0 + minute * MINUTE_MS, 100, 0)
        log.counts(T0 + minute * MINUTE_MS + SECOND_MS, 0, 4 * minute, happened_at=T0 + SECOND_MS)
        log.tick(T0 + minute * MINUTE_MS + 2 * SECOND_MS)
    log.counts(T0 + 6 * MINUTE_MS, 0, 1000)
    log.tick(T0 + 7 * MINUTE_MS)
    log.assert_lawful()


def test_uptime_counted_by_decisions_alone_is_there_for_a_late_state_after_a_restart() -> None:
    promise = objective(indicator={"type": "uptime", "signal": "up"}, grace="0s", noData="none")
    log = Log(catalogue_of([promise]))
    log.tell(T0, {"type": "state", "service": "pay", "signal": "up", "at": T0, "up": True})
    for minute in range(1, 9):
        log.tick(T0 + minute * MINUTE_MS)
    late = {"type": "state", "service": "pay", "signal": "up", "at": T0 + MINUTE_MS, "up": False}
    log.tell(T0 + 8 * MINUTE_MS + SECOND_MS, late)
    log.tick(T0 + 9 * MINUTE_MS)
    log.tick(T0 + 10 * MINUTE_MS)
    log.assert_lawful("forewarn.correction.v1")


def test_old_minutes_are_merged_at_the_same_hour_with_or_without_a_restart() -> None:
    warned = {
        **QUIET,
        "burnRates": [{"name": "slow", "severity": "warning", "budget": "60%", "long": "1h", "short": "5m"}],
    }
    promise = objective(window={"rolling": "2h"}, warnings=warned, grace="0s", correctFor="3d")
    log = Log(catalogue_of([promise]))
    for minute in range(12):
        log.counts(T0 + minute * MINUTE_MS, 20, 1)
    for minutes in (100, 390, 405, 419, 420, 421, 450):
        log.tick(T0 + minutes * MINUTE_MS)
    log.counts(T0 + 451 * MINUTE_MS, 0, 40, happened_at=T0 + 7 * MINUTE_MS)
    log.tick(T0 + 452 * MINUTE_MS)
    log.assert_lawful("forewarn.correction.v1")


def test_facts_ahead_of_the_log_are_not_forgotten_before_it_reaches_them() -> None:
    # 09:20    09:50    10:30                  11:00    11:02
    # [excluded)        told, no stream yet    aged     history of the excluded time, and the first record
    log = Log(catalogue_of([objective(window={"rolling": "4h"})]))
    stretch = {"from": rfc3339(T0 - 40 * MINUTE_MS), "to": rfc3339(T0 - 10 * MINUTE_MS)}
    more = {"id": "CHG-1", "category": "customer", "reason": "theirs", "status": "approved"}
    log.tick(T0)
    log.tick(T0 + HOUR_MS // 2 - SECOND_MS)
    log.tell(T0 + HOUR_MS // 2, {"type": "exclusion", "service": "pay", **stretch, **more})
    log.tick(T0 + HOUR_MS)
    loaded = {"type": "history", "service": "pay", "signal": "ok", "good": 0, "bad": 900, **stretch}
    log.tell(T0 + HOUR_MS + MINUTE_MS, loaded)
    for minute in range(2, 9):
        log.counts(T0 + HOUR_MS + minute * MINUTE_MS, 10, 1)
    log.assert_lawful("CHG-1")
    assert b"forewarn.breach" not in b"".join(each[2] for each in uninterrupted(log.make, log.lines))


def test_a_table_without_its_head_begins_at_the_first_line() -> None:
    make, lines = history(8, lines_most=400)
    expected = as_consumed(uninterrupted(make, lines))
    assert as_consumed(interrupted(make, lines, [Flush(250, 1, crashes=True)])) == expected


def test_a_revision_that_is_not_to_be_had_ends_the_start() -> None:
    later = catalogue_of([objective()], 7, 2)
    fold = detect_of(catalogue_of([objective()]), [later])
    fold.step(line_of(0, T0, marker(later)))
    with pytest.raises(LookupError, match="revision 7"):
        detect_of(catalogue_of([objective()])).load(fold.take_dirty())


def test_nothing_is_flushed_twice_and_a_line_that_was_applied_says_nothing() -> None:
    fold = detect_of(catalogue_of([objective()]))
    line = line_of(0, T0, {"type": "counts", "service": "pay", "signal": "ok", "at": T0, "good": 1, "bad": 0}, "pay")
    fold.step(line)
    assert [atom.key for atom in fold.take_dirty()] == ["stream/pay/ok", "partition/0"]
    assert fold.take_dirty() == []
    assert fold.step(line) == []
    assert fold.take_dirty() == []
