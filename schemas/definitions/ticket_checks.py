"""Whether a ticket can have clocks of all that is promised about it: what a worker would refuse, event by event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from schemas.definitions.findings import Finding
from schemas.definitions.kinds import TicketObjective
from schemas.definitions.names import ANY_SERVICE
from schemas.definitions.source import Defined, Path
from schemas.definitions.ticket_compile import stages_count
from sla.clock.room import STEPS_MAX, steps_of

_AT: Final[Path] = ("spec", "service")
_READ: Final = frozenset({"service", "target", "warnAt"})
_CURE: Final = "write fewer objectives, or fewer marks in warnAt; when does not matter"


class _Promised(NamedTuple):
    """The objectives of a service's tickets, those of any service first, and the steps that each adds."""

    service: str
    objectives: Sequence[tuple[Defined, int]]

    @property
    def steps_count(self) -> int:
        return sum(count for _, count in self.objectives)

    @property
    def words(self) -> str:
        return "any other service" if self.service == ANY_SERVICE else repr(self.service)


def check_tickets(defined: Iterable[Defined]) -> Iterator[Finding]:
    """An error where every new ticket would be a dead letter, a warning where one would be that moves."""
    promised = _promised(defined)
    for each in promised:
        yield from _too_many(each)
    yield from _too_many_together([each for each in promised if each.steps_count <= STEPS_MAX])


def _promised(defined: Iterable[Defined]) -> list[_Promised]:
    by_service: dict[str, list[tuple[Defined, int]]] = {}
    for each in defined:
        if isinstance(each.document, TicketObjective) and _READ.isdisjoint(each.dropped or ()):
            spec = each.document.spec
            by_service.setdefault(spec.service, []).append((each, steps_of([stages_count(spec)])))
    of_any = by_service.pop(ANY_SERVICE, [])
    named = [_Promised(service, [*of_any, *own]) for service, own in by_service.items()]
    return [_Promised(ANY_SERVICE, of_any), *named] if of_any else named
