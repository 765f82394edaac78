"""Ticket clocks: events a second, bytes of an open one, until many run again, and how late what is due is told."""

from __future__ import annotations

import gc
import time
import tracemalloc
from statistics import median
from typing import Final, NamedTuple

import orjson

from agents.process import collect_seldom, uncollected
from bench.contenders import entrants
from bench.contenders.contender import Pace, run
from bench.contenders.task import Task
from bench.lab import Lab, Scale
from bench.measures.measure import Found, Measure
from bench.workload.backlog import PARTITIONS, begun_with_tickets, empty_changelog
from bench.workload.tickets import TICK, Office, OpenTickets, catalogue, event_of, rounds
from schemas.topics import CLOCKS, TICKETS
from sla.units import HOUR_MS, SECOND_MS

_DUE_COUNT: Final = 20


_RUN_WITHIN_S: Final = 120.0


class _Size(NamedTuple):
    played_count: int  # tickets whose ten events are played
    weighed_count: int
    open_count: int
    live_count: int  # tickets whose ten events go through a worker
    runs_count: int


_SIZES: Final = {
    Scale.FULL: _Size(3_000, 1_000, 200_000, 10_000, 3),
    Scale.SMOKE: _Size(20, 20, 100, 20, 1),
}


def _rate(tickets_count: int) -> float:
    """Events a second of processor time through the fold."""
    office = Office(catalogue())
    office.step(None, TICK)
    events = list(rounds(tickets_count))
    began_s = time.process_time()
    for key, value, at in events:
        office.now = at
        for emission in office.step(key, value):
            orjson.dumps(emission.value)
    return len(events) / (time.process_time() - began_s)


def _live_rates(lab: Lab, size: _Size) -> list[Pace]:
    """A worker reads a backlog of ticket events and says all that they cause, each time as a role of another name."""
    bootstrap = lab.broker()
    events_count = begun_with_tickets(bootstrap, size.live_count)
    paces: list[Pace] = []
    for number in range(size.runs_count):
        task = Task(bootstrap, TICKETS.name, PARTITIONS, events_count, f"bench-clock-{number}")
        empty_changelog(bootstrap, task.name)
        paces.append(run(entrants.TICKETS, task, _RUN_WITHIN_S))
        lab.say(f"{paces[-1].rate:,.0f} ticket events a second through a worker")
    return paces


def _bytes_per_clock(tickets_count: int) -> float:
    """What an open ticket takes that was played, event by event, and rests: it has one clock and ten events.

    As many are played before, so that the caches, whose size does not depend on how many there are, are full.
    """
    followed = catalogue()
    tracemalloc.start()
    first = _rested(Office(followed), tickets_count)
    before, _ = tracemalloc.get_traced_memory()
    second = _rested(Office(followed), tickets_count)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del first, second
    return (after - before) / tickets_count


def _rested(office: Office, tickets_count: int) -> Office:
    """After the ten events of so many tickets, the table written now and then, and twice without an event."""
    office.tick()
    for place, (key, value, at) in enumerate(rounds(tickets_count)):
        office.now = at
        office.step(key, value)
        if place % tickets_count == 0:
            office.fold.take_dirty()
    for _ in range(2):
        office.tick()
        office.fold.take_dirty()
    gc.collect()
    return office


def _loaded(open_count: int) -> tuple[Office, float]:
    """A fold with so many open clocks, and the seconds of processor time that it took to have them again."""
    tickets = OpenTickets(catalogue())
    records = dict(tickets.records(open_count, 0))
    began_s = time.process_time()
    with uncollected():  # as a worker does it
        office = tickets.office(records)
    return office, time.process_time() - began_s


def _due_delays_ms(office: Office) -> list[float]:
    """How long the fold takes to tell of a deadline once `now` has reached it, with all its open clocks beside it."""
    office.tick()
    for number in range(_DUE_COUNT):
        office.tick()
        name, fields = f"DUE-{number}", {"priority": "P1", "state": "new"}
        office.step(name, event_of(name, {"event": "created", "by": "customer", "fields": fields}, office.now))
    office.tick(HOUR_MS - (_DUE_COUNT + 1) * SECOND_MS)
    delays: list[float] = []
    while len(delays) < _DUE_COUNT:
        began_s = time.perf_counter()
        told = [emission for emission in office.tick() if emission.topic == CLOCKS.name]
        if told:
            delays.append((time.perf_counter() - began_s) * 1000)
    return delays


def _measured(lab: Lab) -> Found:
    threshold = gc.get_threshold()
    collect_seldom()  # as every worker does
    try:
        return _found(lab)
    finally:
        gc.set_threshold(*threshold)


def _found(lab: Lab) -> Found:
    size = _SIZES[lab.scale]
    rate = _rate(size.played_count)
    lab.say(f"{rate:,.0f} ticket events a second")
    per_clock = _bytes_per_clock(size.weighed_count)
    office, load_s = _loaded(size.open_count)
    lab.say(f"{size.open_count:,} open clocks loaded in {load_s:.1f} s")
    delays = _due_delays_ms(office)
    paces = _live_rates(lab, size)
    live, live_by_cpu = (median(rates) for rates in ([p.rate for p in paces], [p.rate_by_cpu for p in paces]))
    figures = {
        "tickets_per_s": live,
        "tickets_per_s_by_cpu": live_by_cpu,
        "tickets_per_s_of_the_fold": rate,
        "bytes_per_clock": per_clock,
        "clock_load_s": load_s,
        "due_delay_ms": max(delays),
    }
    rows = [
        ["ticket events a second through a worker", f"{live:,.0f}"],
        ["ticket events a second of its processor time", f"{live_by_cpu:,.0f}"],
        ["ticket events a second of processor time through the fold alone", f"{rate:,.0f}"],
        ["bytes of an open ticket that was played, with one clock and ten events", f"{per_clock:,.0f}"],
        ["open clocks", f"{size.open_count:,}"],
        ["CPU s from their heads to clocks that run", f"{load_s:.1f}"],
        ["ms from `now` at a deadline to its event, longest", f"{max(delays):.1f}"],
    ]
    return Found(figures, ("what", "figure"), rows)


MEASURE: Final = Measure(
    name="clocks",
    asks="ticket events a second; size, restart and punctuality of open clocks",
    keys=(
        "tickets_per_s",
        "tickets_per_s_by_cpu",
        "tickets_per_s_of_the_fold",
        "bytes_per_clock",
        "clock_load_s",
        "due_delay_ms",
    ),
    minutes=5,
    run=_measured,
)
