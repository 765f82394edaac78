"""What must be said of tickets, from the whole log of a partition: `sla.clocks.v1` and the alerts of its tickets.

Exact for tickets whose events come in the order of their instants and before time has spoken past them (`orderly`).
Of the others only what is true in the end is worked out (`facts`): what was told and not corrected must hold all of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from .clock_track import Truth
from .definitions import decide_every_ms, settle_tickets_after_ms
from .replayed import Step
from .ticket_definitions import promises
from .ticket_log import Emission, TicketLog


class Told(NamedTuple):
    events: list[Emission]  # of orderly tickets
    refused: list[int]  # offsets of events from before their ticket was settled for good
    facts: dict[str, Truth]  # by dedup key, of tickets without an import: steps of clocks, breaches
    orderly: set[str]  # dedup keys


def told_of(
    documents: list[dict[str, Any]],
    steps: Iterable[Step],
    step_ms: int | None = None,
    revisions: dict[int, list[dict[str, Any]]] | None = None,
) -> Told:
    """Of one partition; its markers name the `revisions`."""
    steps = list(steps)
    pace_ms = decide_every_ms(documents) if step_ms is None else step_ms
    moves: list[tuple[int, int]] = []
    for step in steps:
        before = moves[-1][1] if moves else None
        now = step.at if step.moves_time or before is None else before
        moves.append((step.offset, now if before is None else max(now, before)))
    all_promises = promises(documents)
    names = {step.value["ticket"] for step in steps if step.value["type"] == "ticket"}
    settle_after_ms = settle_tickets_after_ms(documents)
    logs = {name: TicketLog(name, all_promises, moves, pace_ms, settle_after_ms) for name in sorted(names)}
    for step, (_, now) in zip(steps, moves, strict=True):
        kind = step.value["type"]
        if kind == "ticket":
            logs[step.value["ticket"]].take(step.value, now, step.offset)
        revised = promises((revisions or {})[step.value["revision"]]) if kind == "catalogue" else None
        for log in logs.values():
            if kind == "exclusion":
                log.exclude(step.value, now, step.offset)
            if revised is not None:
                log.revise(revised, now, step.offset)
    events: list[Emission] = []
    facts: dict[str, Truth] = {}
    orderly: set[str] = set()
    for log in logs.values():
        if moves:
            log.advance(moves[-1][1], moves[-1][0])
        facts |= log.truth()
        if log.is_orderly:
            events += log.out
            orderly |= {track.key for track in log.tracks.values()}
    return Told(events, sorted(each for log in logs.values() for each in log.refused), facts, orderly)
