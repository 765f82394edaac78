"""What a sample service measures of itself, over log time: pure, and the same for the same seed.

A player is asked once per step for what happened since the last one. It never looks at a clock, so what the demo plays
live can be given to `forewarn replay` as a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any, Final, NamedTuple, Protocol

from schemas.topics import TELEMETRY, TICKETS
from sla.units import HOUR_MS, MINUTE_MS

SEED: Final = 8812

Share = Callable[[int], float]
"""Milliseconds since the demo's start → the share of events that go wrong, 0 to 1."""


def steady(share: float) -> Share:
    """Always the same share."""
    return lambda _offset_ms: share


def outage(from_ms: int, share: float) -> Share:
    """Nothing before an instant, that share from then on."""
    return lambda offset_ms: share if offset_ms >= from_ms else 0.0


def leak(from_ms: int, to_ms: int, share: float) -> Share:
    """Nothing at first, then growing evenly up to a share, which stays."""
    return lambda offset_ms: share * min(1.0, max(0, offset_ms - from_ms) / (to_ms - from_ms))


class Player(Protocol):
    """One service's behaviour."""

    @property
    def step_ms(self) -> int:
        """How often it measures."""
        ...

    def measure(self, offset_ms: int, random: Random) -> Mapping[str, Any] | None:
        """The fields of the record for the step that ends at this offset; None: it says nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests of which some fail."""

    per_step_count: int
    failing: Share
    step_ms: int = MINUTE_MS // 4
    silent_ms: range = range(0)  # the stretch in which it says nothing

    def measure(self, offset_ms: int, random: Random) -> Mapping[str, Any] | None:
        """Good and bad requests of the step; nothing while it is silent."""
        if offset_ms in self.silent_ms:
            return None
        share = self.failing(offset_ms)
        bad = sum(random.random() < share for _ in range(self.per_step_count))
        return {"type": "counts", "good": self.per_step_count - bad, "bad": bad}


@dataclass(frozen=True, slots=True)
class OneFailure:
    """One request now and then, all good but the first at or after an instant."""

    fails_at_ms: int
    step_ms: int

    def measure(self, offset_ms: int, random: Random) -> Mapping[str, Any]:
        """One request; by chance nothing."""
        del random
        failed = self.fails_at_ms <= offset_ms < self.fails_at_ms + self.step_ms
        return {"type": "counts", "good": int(not failed), "bad": int(failed)}


@dataclass(frozen=True, slots=True)
class Latency:
    """A response time around a mean that creeps up from an instant on."""

    mean_ms: float
    spread_ms: float
    creep_ms_per_min: float
    creeps_from_ms: int
    step_ms: int = MINUTE_MS // 12

    def measure(self, offset_ms: int, random: Random) -> Mapping[str, Any]:
        """One response time, in whole milliseconds."""
        crept = self.creep_ms_per_min * max(0, offset_ms - self.creeps_from_ms) / MINUTE_MS
        return {"type": "sample", "value": float(max(1, round(random.gauss(self.mean_ms + crept, self.spread_ms))))}


@dataclass(frozen=True, slots=True)
class Past:
    """What was before the demo: even traffic, and one bad stretch in the middle that spent part of the budget."""

    seen_ms: int
    per_minute_count: float
    bad_count: int
    bad_stretch_ms: int = 2 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Tickets:
    """One ticket: what happens to it and when, and the fields that each event changes."""

    ticket: str
    events: tuple[tuple[int, str, Mapping[str, str]], ...]


class Played(NamedTuple):
    """One record of a service: when it is due, and its body without `at` for history."""

    due_at: int
    body: Mapping[str, Any]

    @property
    def topic(self) -> str:
        """Where it is written."""
        return TICKETS.name if self.body["type"] == "ticket" else TELEMETRY.name

    @property
    def key(self) -> str:
        """What it is keyed by there."""
        key: str = self.body["ticket"] if self.body["type"] == "ticket" else self.body["service"]
        return key


def past_of(service: str, signal: str, past: Past, start_at: int) -> list[Played]:
    """The `history` records that come before the first measurement."""
    begin_at = start_at - past.seen_ms
    bad_from_at = begin_at + past.seen_ms // 2
    edges = (begin_at, bad_from_at, bad_from_at + past.bad_stretch_ms, start_at)
    bads = (0, past.bad_count, 0)
    played = []
    for from_at, to_at, bad in zip(edges, edges[1:], bads, strict=False):
        total = max(bad, round(past.per_minute_count * (to_at - from_at) / MINUTE_MS))
        body = {"type": "history", "service": service, "signal": signal, "from": from_at, "to": to_at}
        played.append(Played(start_at, body | {"good": total - bad, "bad": bad}))
    return played


def live_of(service: str, signal: str, player: Player, start_at: int, seed: int = SEED) -> Iterator[Played]:
    """The measurements, for ever: one per step, the first one step after the start."""
    random = Random(f"{seed}/{service}/{signal}")  # noqa: S311 — the same play each time is the point
    for step in count(1):
        offset_ms = step * player.step_ms
        measured = player.measure(offset_ms, random)
        if measured is not None:
            at = start_at + offset_ms
            yield Played(at, {"service": service, "signal": signal, "at": at, **measured})


def tickets_of(service: str, story: Tickets, start_at: int) -> Iterator[Played]:
    """The events of a ticket, in order."""
    for offset_ms, event, fields in story.events:
        at = start_at + offset_ms
        about = {"type": "ticket", "ticket": story.ticket, "service": service, "at": at}
        yield Played(at, {**about, "event": event, "by": "system", "fields": dict(fields)})
