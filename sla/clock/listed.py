"""A clock as the record of a decision lists it, so that the number of the event can be added up long after.

What a record takes does not grow with the clock's past: the newest pauses are listed, those before them are a sum.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final

from sla.clock.run import Dial, Run
from sla.intervals import Interval
from sla.units import rfc3339

LISTED_MAX: Final = 32  # pauses, and stretches for which the clock had ended
_END: Final = itemgetter(1)


def listed(run: Run, dial: Dial, exclusions: Sequence[Interval], at: int) -> dict[str, Any]:
    """The clock at an instant; `summed`, where not all is listed, is what counted before all that is."""
    pauses, gaps, until = _newest_of(run, at)
    found: dict[str, Any] = {
        "attached_at": rfc3339(run.attached_at),
        "counted_from": rfc3339(run.counted_from),
        "carried_ms": run.carried_ms,
        "replaces": run.replaces,
        "pauses": _shown(pauses),
        "paused_at": None if run.paused_at is None else rfc3339(run.paused_at),
        "gaps": _shown(gaps),
        "exclusions": _shown(exclusions),
        "ended_at": None if run.ended_at is None else rfc3339(run.ended_at),
    }
    settled = run.settled
    if until or settled is not None:
        until = max(until, run.since)
        found["summed"] = {
            "to": rfc3339(until),
            "counted_ms": dial.elapsed_ms(until) - run.carried_ms,
            "pauses_count": bisect_right(run.pauses, until, key=_END)
            + (0 if settled is None else settled.pauses_count),
        }
    return found


def _newest_of(run: Run, at: int) -> tuple[Sequence[Interval], Sequence[Interval], int]:
    """The pauses and gaps to list, and until when what lies before is summed; 0 where nothing is."""
    if len(run.pauses) <= LISTED_MAX and len(run.gaps) <= LISTED_MAX:
        return run.pauses, run.gaps, 0
    pauses, gaps = _newest(run.pauses, at), _newest(run.gaps, at)
    until = max(_end_before(run.pauses, pauses), _end_before(run.gaps, gaps))
    return [each for each in pauses if each[1] > until], [each for each in gaps if each[1] > until], until


def _newest(intervals: Sequence[Interval], at: int) -> Sequence[Interval]:
    """Those that an event of an instant is about, and no more than are listed."""
    if len(intervals) <= LISTED_MAX:
        return intervals
    first = max(0, bisect_left(intervals, (at,)) - LISTED_MAX)
    return intervals[first : first + LISTED_MAX]


def _end_before(intervals: Sequence[Interval], newest: Sequence[Interval]) -> int:
    """The end of the last that is not listed; 0 if there is none."""
    if len(intervals) == len(newest):
        return 0
    place = bisect_left(intervals, newest[0])
    return intervals[place - 1][1] if place else 0


def _shown(intervals: Sequence[Interval]) -> list[list[str]]:
    return [[rfc3339(start), rfc3339(end)] for start, end in intervals] if intervals else []
