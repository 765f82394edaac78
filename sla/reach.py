"""How far a rolling window reaches back, in time that counts (semantics.md 1, Burn rate; Buckets)."""

from __future__ import annotations

from sla.cells import FINE_MS, rolling_edge, step_of
from sla.units import floor_to
from sla.working_time import WorkingTime


def edge_of(hours: WorkingTime, window_ms: int, now: int) -> int:
    """The start of the earliest bucket that a rolling window holds at `now`.

    With a calendar that is the latest edge of a bucket since which the whole window has been open: of the grid that
    buckets of that age are kept in, or where the calendar opens. While it is closed the edge may move back, as buckets
    are merged.
    """
    if hours.is_always:
        return rolling_edge(window_ms, now)
    at = floor_to(now, FINE_MS)
    since = hours.before(at, window_ms)
    if since is None:
        return 0
    start = floor_to(since, step_of(max(window_ms, at - since)))
    return hours.open_between(start, since + 1)[-1][0]
