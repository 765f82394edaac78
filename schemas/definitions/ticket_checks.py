"""Whether a ticket can have clocks of all that is promised about it: what a worker refuses event by event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from schemas.definitions.findings import Finding
from schemas.definitions.kinds import TicketObjective
from schemas.definitions.names import ANY_SERVICE
from schemas.definitions.source import Defined, Path
from schemas.definitions.ticket_compile import marks
from sla.clock.room import STEPS_MAX, steps_of
from sla.conditions import NEVER
from sla.ticket_objective import Metric
from sla.ticket_objective import TicketObjective as Promise

_AT: Final[Path] = ("spec", "service")
_COUNTED: Final = frozenset({"service", "target", "warnAt"})
_STEPS: Final = "steps (start, marks, deadline, repeats and end of each)"
_CURE: Final = "define fewer, or fewer marks in warnAt; all count, whatever their when"


class _Promised(NamedTuple):
    """The objectives of a service's tickets, those of any service first, and the steps that each adds."""

    service: str  # ANY_SERVICE: every one that no objective names
    objectives: Sequence[tuple[Defined, int]]

    @property
    def steps_count(self) -> int:
        return sum(count for _, count in self.objectives)

    @property
    def words(self) -> str:
        return "any service" if self.service == ANY_SERVICE else f"service {self.service!r}"

    @property
    def among_others(self) -> str:
        return "any other service" if self.service == ANY_SERVICE else self.words


def check_tickets(defined: Iterable[Defined]) -> Iterator[Finding]:
    """An error where every new ticket would be a dead letter, a warning where the event would be that moves one."""
    promised = _promised(defined)
    for each in promised:
        yield from _too_many(each)
        if each.steps_count > STEPS_MAX and each.service == ANY_SERVICE:
            return  # no other service can have fewer
    yield from _too_many_together([each for each in promised if each.steps_count <= STEPS_MAX])


def _promised(defined: Iterable[Defined]) -> list[_Promised]:
    """Of any service first."""
    found: dict[str, list[tuple[Defined, int]]] = {ANY_SERVICE: []}
    for each in defined:
        if isinstance(each.document, TicketObjective) and _COUNTED.isdisjoint(each.dropped or ()):
            found.setdefault(each.document.spec.service, []).append((each, _steps_count(each.document)))
    of_any = found.pop(ANY_SERVICE)
    own = [_Promised(service, [*of_any, *objectives]) for service, objectives in found.items()]
    return [_Promised(ANY_SERVICE, of_any), *own] if of_any else own


def _steps_count(document: TicketObjective) -> int:
    spec = document.spec
    promise = Promise(document.metadata.name, spec.service, Metric(spec.metric), spec.target, "", NEVER)
    return steps_of([replace(promise, marks=marks(spec))])


def _too_many(promised: _Promised) -> Iterator[Finding]:
    steps_count = 0
    for each, count in promised.objectives:
        steps_count += count
        if steps_count > STEPS_MAX:
            message = (
                f"a ticket of {promised.words} would have {len(promised.objectives)} objectives with "
                f"{promised.steps_count:,} {_STEPS}, at most {STEPS_MAX:,}: every new one is a dead letter: {_CURE}"
            )
            yield each.error("too-many-steps", _AT, message)
            return


def _too_many_together(promised: Sequence[_Promised]) -> Iterator[Finding]:
    """A ticket that moves keeps the clocks of the service that it leaves: each is looked at with the largest."""
    if not promised:
        return
    largest = max(promised, key=lambda each: each.steps_count)
    of_any = promised[0] if promised[0].service == ANY_SERVICE else None
    if of_any is not None and 2 * of_any.steps_count > STEPS_MAX:
        yield _together(of_any, "two services", 2 * of_any.steps_count)
        return  # so it is with all others
    for one in promised:
        steps_count = one.steps_count + largest.steps_count
        if one is not largest and steps_count > STEPS_MAX:
            yield _together(one, f"{one.among_others} and {largest.among_others}", steps_count)


def _together(one: _Promised, words: str, steps_count: int) -> Finding:
    message = (
        f"a ticket that moves between {words} would have {steps_count:,} {_STEPS}, at most {STEPS_MAX:,}: "
        f"the event that moves it is a dead letter: {_CURE}"
    )
    return one.objectives[-1][0].warning("too-many-steps-moved", _AT, message)
