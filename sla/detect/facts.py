"""Facts about a whole service: exclusions and changes, append-only, each with the offset it was read at.

An atom reads only the facts at or below the record being applied, so that a replay after a crash decides as before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from sla.catalogue import Agreement
from sla.exclusions import Exclusions
from sla.feeds import is_repeat
from sla.heard import is_heard
from sla.intervals import Interval, clipped, first_ms, merged
from sla.periods import Period, edges_between, period_at
from sla.records import Category, Change, Dependency, Exclusion, Feed, ServiceFact
from sla.units import MINUTE_MS

CHANGE_WITHIN_MS: Final = 30 * MINUTE_MS
DEPENDENCY_WITHIN_MS: Final = 15 * MINUTE_MS
OVER: Final = frozenset({"ok"})
"""The states of a dependency's promise that are no trouble."""


class Retired(NamedTuple):
    """What outlives an objective that is removed or moved: its sequences never restart."""

    dedup_key: str
    sequences: dict[str, int]
    episode: int
    opened_at: int | None


class ServiceFacts:
    """What is known about a service beside its measurements."""

    def __init__(self) -> None:
        self._exclusions = Exclusions()
        self.changes: list[tuple[int, Change]] = []
        self.dependencies: list[tuple[int, Dependency]] = []
        self.sequences: dict[str, int] = {}
        self.heard: dict[str, int] = {}  # commands, by id: the offset
        self.retired: list[tuple[int, Retired]] = []

    def is_repeat(self, feed: Feed | None) -> bool:
        """Whether a sequence was seen already; remembers it if not."""
        return is_repeat(self.sequences, feed)

    def is_heard(self, command_id: str, offset: int) -> bool:
        """Whether a command about the service came before this offset; from here on it has."""
        return is_heard(self.heard, command_id, offset)

    def add(self, offset: int, fact: ServiceFact) -> None:
        """Remember a fact."""
        match fact:
            case Exclusion():
                self._exclusions.add(offset, fact)
            case Change():
                self.changes.append((offset, fact))
            case Dependency():
                self.dependencies.append((offset, fact))

    def exclusion(self, name: str, before: int) -> Exclusion | None:
        """The last word on an exclusion before an offset."""
        return self._exclusions.last_of(name, before)

    def live(self, offset: int) -> list[Exclusion]:
        """The exclusions in force at an offset."""
        return self._exclusions.live(offset)

    def retire(self, offset: int, retired: Retired) -> None:
        """Remember where an objective's counting ended."""
        self.retired.append((offset, retired))

    def last_of(self, dedup_key: str, offset: int) -> Retired | None:
        """Where the counting of an objective ended that was defined before, as known at an offset."""
        found = [retired for at, retired in self.retired if at <= offset and retired.dedup_key == dedup_key]
        return found[-1] if found else None

    def causes(self, onset_at: int, offset: int) -> list[Change]:
        """The changes shortly before the onset of an episode."""
        return [c for at, c in self.changes if at <= offset and onset_at - CHANGE_WITHIN_MS <= c.at <= onset_at]

    def troubles(self, onset_at: int, offset: int) -> list[Dependency]:
        """The trouble of dependencies shortly before the onset of an episode, by its dedup key as it was first told."""
        found: dict[str, Dependency] = {}
        for at, each in self.dependencies:
            is_near = onset_at - DEPENDENCY_WITHIN_MS <= each.at <= onset_at
            if at <= offset and is_near and each.state not in OVER:
                found.setdefault(each.dedup_key, each)
        return [found[key] for key in sorted(found)]

    def suppressor(self, onset_at: int, offset: int) -> str | None:
        """The dedup key of the first such trouble that is not over yet."""
        last = {each.dedup_key: each.state for at, each in self.dependencies if at <= offset}
        keys = (each.dedup_key for each in self.troubles(onset_at, offset))
        return next((key for key in keys if last[key] not in OVER), None)

    def forget_before(self, at: int, offset: int) -> bool:
        """Drop what ended before an instant, of what was known at an offset; whether there was such.

        After a crash facts may be known here that the log tells of again; they are not its past yet.
        """
        known = len(self.changes) + len(self._exclusions) + len(self.dependencies)
        self.changes = [(read_at, change) for read_at, change in self.changes if change.at >= at or read_at > offset]
        self._exclusions.forget_before(at, offset)
        last = {each.dedup_key: read_at for read_at, each in self.dependencies}
        self.dependencies = [
            (read_at, each)
            for read_at, each in self.dependencies
            if each.at >= at or read_at > offset or (last[each.dedup_key] == read_at and each.state not in OVER)
        ]
        return len(self.changes) + len(self._exclusions) + len(self.dependencies) < known

    def to_json(self) -> dict[str, Any]:
        """The state that a restart needs."""
        return {
            "exclusions": self._exclusions.to_json(),
            "changes": [[offset, *change[:-1]] for offset, change in self.changes],
            "dependencies": [[offset, *dependency[:-1]] for offset, dependency in self.dependencies],
            "sequences": self.sequences,
            "heard": self.heard,
            "retired": [[offset, *retired] for offset, retired in self.retired],
        }

    def load(self, body: Mapping[str, Any]) -> None:
        """Take back what `to_json` gave."""
        self.changes = [(offset, Change(*rest)) for offset, *rest in body["changes"]]
        self.dependencies = [(offset, Dependency(*rest)) for offset, *rest in body.get("dependencies", ())]
        self.sequences = dict(body["sequences"])
        self.heard = dict(body.get("heard", {}))
        self.retired = [(offset, Retired(*rest)) for offset, *rest in body["retired"]]
        self._exclusions.load(body["exclusions"])


def account_exclusions(exclusions: Iterable[Exclusion], agreement: Agreement, period: Period) -> list[Interval]:
    """What does not count in an agreement's period: its earliest planned time within its allowance, and the rest."""
    listed = list(exclusions)
    planned = merged(e.interval for e in listed if e.category is Category.PLANNED)
    planned = clipped(planned, period.start, period.end)
    if agreement.maintenance_allowance_ms is not None:
        planned = first_ms(planned, agreement.maintenance_allowance_ms)
    others = [e.interval for e in listed if e.category is not Category.PLANNED]
    return merged([*planned, *clipped(others, period.start, period.end)])


def allowance_edges(exclusions: list[Exclusion], promised: Iterable[Agreement], start: int, end: int) -> list[int]:
    """Where agreements' maintenance allowances are used up, in the periods that touch [start, end).

    Their accounts count from there.
    """
    edges: list[int] = []
    for agreement in promised:
        if agreement.period is None or agreement.maintenance_allowance_ms is None:
            continue
        touched = clipped((exclusion.interval for exclusion in exclusions), start, end)
        starts = {edge for a, b in touched for edge in edges_between(agreement.period, a, b - 1)[:-1]}
        for period in (period_at(agreement.period, edge) for edge in sorted(starts)):
            edges += [edge for interval in account_exclusions(exclusions, agreement, period) for edge in interval]
    return edges
