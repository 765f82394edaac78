"""What all events about one objective say alike, put together once for each revision of the catalogue.

Events share these objects: nobody changes what has been emitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sla.audience import agreement_ref, ticket_objective_ref
from sla.catalogue import Catalogue
from sla.events import AgreementRef, ObjectiveRef
from sla.ticket_objective import TicketObjective, signal_of


@dataclass(frozen=True, slots=True)
class Frame:
    """Of an objective on tickets of a service."""

    catalogue: Catalogue
    promise: TicketObjective
    signal: str
    metric: str
    objective: ObjectiveRef
    agreements: list[AgreementRef]
    owner: str | None
    runbook: str | None
    definition: dict[str, Any]  # as records hold it


class Frames:
    """Those in use, by service and objective."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Frame] = {}

    def of(self, catalogue: Catalogue, service: str, objective: TicketObjective) -> Frame:
        """That of an objective, which need not be in force any more."""
        found = self._known.get((service, objective.name))
        if found is None or found.catalogue is not catalogue or found.promise is not objective:
            found = self._known[service, objective.name] = _framed(catalogue, service, objective)
        return found


def _framed(catalogue: Catalogue, service: str, objective: TicketObjective) -> Frame:
    about = catalogue.services.get(service)
    return Frame(
        catalogue=catalogue,
        promise=objective,
        signal=signal_of(objective.name),
        metric=objective.metric.value,
        objective=ticket_objective_ref(objective),
        agreements=[agreement_ref(agreement) for agreement in catalogue.agreements_of(objective.name)],
        owner=about.owner if about else None,
        runbook=about.runbook if about else None,
        definition={
            "name": objective.name,
            "version": objective.version,
            "metric": objective.metric.value,
            "type": "timer" if objective.pauses_move_deadline else "deadline",
            "target_ms": objective.target_ms,
            "calendar": objective.calendar,
            "grace_ms": objective.grace_ms,
        },
    )
