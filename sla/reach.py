"""How far a rolling window reaches back, in time that counts (semantics.md 1, Burn rate; Buckets)."""

from __future__ import annotations

from collections.abc import Sequence

from sla.cells import COARSE_MS, FINE_MS, rolling, rolling_edge, step_of
from sla.units import HOUR_MS, floor_to
from sla.working_time import WorkingTime


def edge_of(hours: WorkingTime, window_ms: int, now: int) -> int:
    """The start of the earliest bucket that a rolling window holds at `now`.

    With a calendar that is the latest edge of a bucket since which the whole window has been open: of the grid that
    buckets of that age are kept in, or where the calendar opens. While it is closed the edge may move back, as buckets
    are merged.
    """
    if hours.is_always:
        return rolling_edge(window_ms, now)
    return edge_and_stay(hours, window_ms, now)[0]


def edge_and_stay(hours: WorkingTime, window_ms: int, now: int) -> tuple[int, int]:
    """That edge, and how long at least it stays there from `now` on, in time that counts; 0 where that is not known."""
    if hours.is_always:
        edge, until = rolling(window_ms, now)
        return edge, until - now
    at = floor_to(now, FINE_MS)
    since = hours.before(at, window_ms)
    if since is None:
        return 0, 0
    step_ms = step_of(max(window_ms, at - since))
    start = floor_to(since, step_ms)
    begins, ends = next(each for each in reversed(hours.open_between(start, start + step_ms)) if each[0] <= since)
    # A shorter window's grid may change with its age; on the coarsest the edge waits for the hour or the close.
    return begins, ends - since if at == now and step_of(window_ms) == COARSE_MS else 0


def edges_ahead(hours: WorkingTime, window_ms: int, now: int, count: int) -> tuple[Sequence[int], int]:
    """The edge at the end of each of `count` hours that count from now on, and how long at least all of them stay."""
    if hours.is_always:  # every grid divides an hour, so the edge moves with it
        edge, stays_ms = edge_and_stay(hours, window_ms, now)
        return range(edge + HOUR_MS, edge + (count + 1) * HOUR_MS, HOUR_MS), stays_ms
    reached = [edge_and_stay(hours, window_ms, ahead_of(hours, now, k * HOUR_MS)) for k in range(1, count + 1)]
    return [edge for edge, _ in reached], min(stays_ms for _, stays_ms in reached)


def ahead_of(hours: WorkingTime, at: int, counted_ms: int) -> int:
    """When so much more time will have counted."""
    found = hours.after(at, counted_ms)
    return at + counted_ms if found is None else found
