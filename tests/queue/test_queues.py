"""Which queue a clock is in, and what a restart makes of it."""

from __future__ import annotations

import orjson
import pytest

from sla.fold import AtomState
from sla.queue import queues as module
from sla.queue.queue import QueueName
from sla.queue.queues import OTHER, Queues
from sla.records import ClockChange, Feed, OpenClock
from sla.sealed import UnknownShape

T = 1_795_428_000_000
HOUR = 3_600_000


def clock(
    ticket: str, change: ClockChange = ClockChange.STARTED, *, team: str | None = "a", outcome: str | None = None,
    sequence: int = 0,
) -> OpenClock:  # fmt: skip
    return OpenClock(
        "pay", "p1", ticket, T, change, HOUR, HOUR, is_paused=False, deadline=T + HOUR, team=team, priority="P1",
        outcome=outcome, feed=Feed("forewarn:sla.tickets.v1/0", sequence),
    )  # fmt: skip


def stored(queues: Queues, offset: int) -> list[AtomState]:
    """As the table has them: what happens later does not change them."""
    return [each._replace(body=orjson.loads(orjson.dumps(each.body))) for each in queues.changes(lambda: offset)]


def opens(queues: Queues) -> dict[str | None, list[str]]:
    return {name.team: sorted(queue.open) for name, queue in queues._queues.items()}


def test_a_clock_is_in_the_queue_of_its_newest_team_alone() -> None:
    queues = Queues()
    queues.take(clock("T1", sequence=1), T, 1)
    queues.take(clock("T1", ClockChange.CHANGED, team="b", sequence=2), T, 2)
    assert opens(queues) == {"a": [], "b": ["T1"]}
    queues.take(clock("T1", ClockChange.ENDED, team="b", outcome="met", sequence=3), T, 3)
    assert opens(queues) == {"a": [], "b": []}
    assert queues._places == {}


def test_what_a_zombie_tells_again_changes_nothing() -> None:
    queues = Queues()
    for place, each in enumerate([clock("T1", sequence=1), clock("T1", ClockChange.CHANGED, team="b", sequence=2)]):
        queues.take(each, T, place)
    queues.take(clock("T1", sequence=1), T, 2)
    assert opens(queues) == {"a": [], "b": ["T1"]}


def test_a_queue_that_was_stored_ahead_of_the_move_is_passed_over_and_the_other_is_not() -> None:
    before = Queues()
    before.take(clock("T1", sequence=1), T, 1)
    (stored_a,) = stored(before, 1)
    before.take(clock("T1", ClockChange.CHANGED, team="b", sequence=2), T, 2)
    stored_b = next(atom for atom in stored(before, 2) if atom.body["name"][2] == "b")
    after = Queues()
    after.load([stored_a, stored_b])
    assert opens(after) == {"a": ["T1"], "b": ["T1"]}
    after.take(clock("T1", ClockChange.CHANGED, team="b", sequence=2), T, 2)
    assert opens(after) == opens(before)


def test_teams_without_end_share_a_queue_beyond_the_limit(core_patch: pytest.MonkeyPatch) -> None:
    core_patch.setattr(module, "QUEUES_MAX", 2)
    queues = Queues()
    for number in range(5):
        queues.take(clock(f"T{number}", team=f"team-{number}", sequence=number), T, number)
    assert opens(queues) == {"team-0": ["T0"], "team-1": ["T1"], OTHER: ["T2", "T3", "T4"]}
    assert QueueName("pay", "p1", OTHER, OTHER) in queues._queues


def test_clocks_left_out_are_counted_once_each(core_patch: pytest.MonkeyPatch) -> None:
    core_patch.setattr("sla.queue.queue.OPEN_MAX", 1)
    queues = Queues()
    queues.take(clock("T1", sequence=1), T, 1)
    queues.take(clock("T2", sequence=2), T, 2)
    queues.take(clock("T2", ClockChange.CHANGED, sequence=3), T, 3)
    (queue,) = queues._queues.values()
    assert queue.left_out_count == 1
    queues.take(clock("T2", ClockChange.ENDED, outcome="met", sequence=4), T, 4)
    assert (queue.left_out_count, queue.samples_count) == (0, 1)


def test_a_queue_of_another_version_is_a_finding_about_the_state() -> None:
    queues = Queues()
    queues.take(clock("T1"), T, 1)
    (atom,) = stored(queues, 1)
    with pytest.raises(UnknownShape, match="shape 99"):
        Queues().load([atom._replace(body={**atom.body, "shape": 99})])
