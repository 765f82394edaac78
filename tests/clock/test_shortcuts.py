"""What the fold leaves out because it would change nothing: doing it all the same says the same."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest

from sla.clock import Clock
from sla.clock.history import Pool
from sla.clock.story import Story
from sla.fold import Emission
from sla.records import Ticket, TicketEvent

from .histories import history

SEEDS = range(24)


def said(seed: int, after_each: Callable[[Clock], None] = lambda _: None) -> list[Emission]:
    make, lines = history(seed)
    fold = make()
    found: list[Emission] = []
    for line in lines:
        found += fold.step(line)
        after_each(fold)
    return found


def forget_what_is_true(fold: Clock) -> None:
    for ticket in fold._partition._memory.tickets.values():
        ticket.story = None


@pytest.mark.parametrize("seed", SEEDS)
def test_an_event_on_top_of_what_was_true_says_what_all_events_told_anew_would(seed: int) -> None:
    assert said(seed, forget_what_is_true) == said(seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_asking_every_clock_at_every_event_says_the_same(seed: int, core_patch: pytest.MonkeyPatch) -> None:
    expected = said(seed)
    core_patch.setattr(Story, "_concerned", lambda self, _kind, _changed: self.courses)
    assert said(seed) == expected


@pytest.mark.parametrize("seed", range(3))
def test_what_events_share_is_not_changed_after_they_were_emitted(seed: int) -> None:
    make, lines = history(seed)
    fold = make()
    told: list[tuple[Emission, bytes]] = []
    for line in lines:
        told += [(emission, orjson.dumps(emission.value)) for emission in fold.step(line)]
    assert told
    assert all(orjson.dumps(emission.value) == written for emission, written in told)


def test_values_that_python_takes_for_equal_are_kept_apart() -> None:
    pool = Pool()
    values: list[object] = ["1", 1, 1.0, True, None, [1], "1"]
    events = [Ticket("T", "pay", 0, TicketEvent.UPDATED, None, (("a", value),), is_import=False) for value in values]
    kept = [pool.change_of(event).fields[0][1] for event in events]
    assert [(type(value), value) for value in kept] == [(type(value), value) for value in values]
    stored = [("updated", None, "pay", {"a": value}, False) for value in values]
    read = [pool.read(*entry).fields[0][1] for entry in stored]
    assert [(type(value), value) for value in read] == [(type(value), value) for value in values]
    assert pool.change_of(events[0]) is pool.read(*stored[0])
