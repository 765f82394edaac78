"""The seven services of the demo: what each does, and what must be seen of it.

Their objectives are in `deploy/examples/`. The figures are chosen so that the play of 43 minutes shows it all: most
services start with a third of their error budget spent, as services do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from typing import Final

from forewarn.demo.expectations import Expectation, NeverAlerts, SilenceNoticed, WarnedBeforeBreach
from forewarn.demo.players import (
    Latency,
    OneFailure,
    Past,
    Played,
    Player,
    Requests,
    Tickets,
    leak,
    live_of,
    outage,
    past_of,
    steady,
    tickets_of,
)
from sla.units import DAY_MS, MINUTE_MS

PLAY_MS: Final = 43 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Scenario:
    """One service and its story."""

    name: str
    service: str
    signal: str | None  # None: it is judged by its tickets
    past: Past | None
    player: Player | Tickets
    turns: tuple[tuple[int, str], ...]  # what happens to it: milliseconds since the start, and words
    expects: Expectation


def minutes(number: float) -> int:
    """Minutes as milliseconds."""
    return round(number * MINUTE_MS)


SCENARIOS: Final = (
    Scenario(
        # 99.95 % over 7 d of 160 requests a minute allows 806 bad ones.
        name="slow leak",
        service="checkout",
        signal="availability",
        past=Past(8 * DAY_MS, per_minute_count=160, bad_count=250),
        player=Requests(40, leak(minutes(4), minutes(49), 0.25)),
        turns=((minutes(4), "starts to leak: a few requests fail, then more and more"),),
        expects=WarnedBeforeBreach(wrong_from_ms=minutes(4), lead_at_least_ms=minutes(15)),
    ),
    Scenario(
        # 99.9 % over 30 d of 160 requests a minute allows 6,912 bad ones: a full outage of 43 minutes.
        name="sudden outage",
        service="payments",
        signal="availability",
        past=Past(31 * DAY_MS, per_minute_count=160, bad_count=2_000),
        player=Requests(40, outage(minutes(10), 1.0)),
        turns=((minutes(10), "goes down: every request fails"),),
        expects=WarnedBeforeBreach(wrong_from_ms=minutes(10), lead_at_least_ms=minutes(15)),
    ),
    Scenario(
        # 99 % over 1 d of 12 samples a minute allows 172 slow ones; the day is reckoned from what was seen of it.
        name="latency creep",
        service="search",
        signal="latency_ms",
        past=None,  # the past is told in good and bad, which samples are not before their objective judges them
        player=Latency(mean_ms=180, spread_ms=40, creep_ms_per_min=6, creeps_from_ms=minutes(3)),
        turns=((minutes(3), "gets slower, by 6 ms a minute"),),
        expects=WarnedBeforeBreach(wrong_from_ms=minutes(3), lead_at_least_ms=minutes(5)),
    ),
    Scenario(
        name="falls silent",
        service="inventory",
        signal="availability",
        past=Past(31 * DAY_MS, per_minute_count=80, bad_count=500),
        player=Requests(20, steady(0.0), silent_ms=range(minutes(15), minutes(28))),
        turns=(
            (minutes(15), "falls silent"),
            (minutes(28), "speaks again"),
        ),
        expects=SilenceNoticed(silent_from_ms=minutes(15), noticed_within_ms=minutes(8)),
    ),
    Scenario(
        # One bad request in the twelve of an hour burns 17 times too fast: noise, which the significance test knows.
        name="one unlucky failure",
        service="reports",
        signal="availability",
        past=Past(31 * DAY_MS, per_minute_count=0.2, bad_count=4),
        player=OneFailure(fails_at_ms=minutes(20), step_ms=minutes(5)),
        turns=((minutes(20), "one of its few requests fails"),),
        expects=NeverAlerts(),
    ),
    Scenario(
        name="stays well",
        service="catalog",
        signal="availability",
        past=Past(31 * DAY_MS, per_minute_count=160, bad_count=1_000),
        player=Requests(40, steady(0.0005)),
        turns=((0, "stays well, with a failure here and there"),),
        expects=NeverAlerts(),
    ),
    Scenario(
        # A P1 ticket has 30 minutes: three quarters of them are a warning, nine tenths a critical one.
        name="waiting ticket",
        service="helpdesk",
        signal=None,
        past=None,
        player=Tickets(
            "INC-1042", ((minutes(5), "created", {"priority": "P1", "state": "new", "team": "first-line"}),)
        ),
        turns=((minutes(5), "gets a P1 ticket, INC-1042, and nobody resolves it"),),
        expects=WarnedBeforeBreach(wrong_from_ms=minutes(5), lead_at_least_ms=minutes(5)),
    ),
)


def past_records(start_at: int) -> list[Played]:
    """The history of all services, which ends at the start; give it before the first measurement."""
    return [
        played
        for each in SCENARIOS
        if each.past is not None and each.signal is not None
        for played in past_of(each.service, each.signal, each.past, start_at)
    ]


def live_records(start_at: int) -> Iterator[Played]:
    """The measurements and tickets of all services by the instant they are due, for ever."""
    return merge(*(_live(each, start_at) for each in SCENARIOS), key=lambda played: played.due_at)


def _live(scenario: Scenario, start_at: int) -> Iterator[Played]:
    if isinstance(scenario.player, Tickets):
        return tickets_of(scenario.service, scenario.player, start_at)
    return live_of(scenario.service, scenario.signal or "", scenario.player, start_at)
