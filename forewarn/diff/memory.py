"""What the detector does with its memory of a promise when the definition changes: its counts, its state, its episode.

Counts belong to a signal, and promises that count alike share them: a new one may begin with a past.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from sla.catalogue import Catalogue, Objective, Timeslices
from sla.detect.measures import measure_key


class State(StrEnum):
    """What becomes of the state and the episode."""

    BEGUN = "begun"
    KEPT = "kept"
    MOVED = "moved"
    TURNED = "turned"  # from live into shadow, or back
    ENDED = "ended"


_ENDS: Final = "an open episode ends with a recovery (rule retired)"
_SAID: Final = {
    (State.BEGUN, False): "it begins without counts and without an episode",
    (State.BEGUN, True): "it begins without an episode, with what is kept of its signal: a breach may follow at once",
    (State.KEPT, False): "counting begins anew with the whole budget; state and episode stay until the next verdict",
    (State.KEPT, True): "counts, state and episode stay",
    (State.MOVED, False): f"{_ENDS}; counting begins anew with the whole budget",
    (State.MOVED, True): f"{_ENDS}; what is kept of the other signal counts, and a breach may follow at once",
    (State.TURNED, False): f"{_ENDS}, where it was told; counting begins anew with the whole budget",
    (State.TURNED, True): f"{_ENDS}, where it was told; the counts stay, and a breach may follow at once",
    (State.ENDED, False): f"{_ENDS}; after that nothing more is said of it",
}


class Memory(NamedTuple):
    """What becomes of one objective's memory; `has_counts` says that it goes on with counts of the past."""

    objective: str
    state: State
    has_counts: bool

    def line(self) -> str:
        """For a person."""
        return _SAID[self.state, self.has_counts]


def memory_of(before: Objective | None, after: Objective | None, held: Catalogue) -> Memory | None:
    """For two definitions of one promise, the first of which is in `held`; None where neither is evaluated."""
    was = before if before is not None and before.evaluated else None
    will = after if after is not None and after.evaluated else None
    if will is None:
        return None if was is None else Memory(was.name, State.ENDED, has_counts=False)
    if was is None:
        return Memory(will.name, State.BEGUN, _has_counts(None, will, held))
    if stream_of(was) != stream_of(will):
        return Memory(will.name, State.MOVED, _has_counts(None, will, held))
    state = State.KEPT if was.mode is will.mode else State.TURNED
    return Memory(will.name, state, _has_counts(was, will, held))


def _has_counts(was: Objective | None, will: Objective, held: Catalogue) -> bool:
    if slice_ms_of(will) is not None:  # slices are judged for one promise alone
        return was is not None and slice_ms_of(was) == slice_ms_of(will) and measure_key(was) == measure_key(will)
    service, signal = stream_of(will)
    return measure_key(will) in {measure_key(each) for each in held.evaluated_of(service, signal)}


def stream_of(objective: Objective) -> tuple[str, str]:
    """The service and the signal that an evaluated objective is counted from."""
    return objective.service, objective.indicator.signal or ""


def slice_ms_of(objective: Objective) -> int | None:
    """How long the slices are that have verdicts of their own; None without slices."""
    return objective.budgeting.slice_ms if isinstance(objective.budgeting, Timeslices) else None
