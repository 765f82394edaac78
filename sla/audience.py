"""Whom a promise was made to, and who must know of an event: those who watch it, or else the service's owner."""

from __future__ import annotations

from typing import cast

from sla.catalogue import Agreement, Catalogue
from sla.events import NOTICES, AgreementRef, EventData, ObjectiveRef
from sla.fold import Emission
from sla.stakeholder import Stakeholder, Watches
from sla.ticket_objective import TicketObjective
from sla.undelivered import undelivered

TOLD_TO_PEOPLE = frozenset(
    {"early_warning", "breach", "recovery", "unknown", "correction", "period_closed", "maintenance", "forecast"}
)
"""Changes of flags are for machines, unless somebody watches them by name."""

HISTORY = "it is history by now, and nobody is told"

AFTERWARDS = frozenset({"recovery", "correction"})
"""Whoever was told of the trouble is told of these; `dispatch` knows whom, and tells nobody else."""


def agreement_ref(agreement: Agreement) -> AgreementRef:
    """An agreement as events name it. Credits are not evaluated yet."""
    return AgreementRef(name=agreement.name, type=agreement.type, customer=agreement.customer, credit_at_risk=None)


def ticket_objective_ref(objective: TicketObjective) -> ObjectiveRef:
    """A promise about tickets as events name it."""
    return ObjectiveRef(
        name=objective.name, version=objective.version, target=objective.target_text, window="per ticket", kind="ticket"
    )


def notices_of(catalogue: Catalogue, name: str, alert: Emission, now: int) -> list[Emission]:
    """A notice of an alert for each who must know, or the record of why nobody is told.

    `name` is that of its type: `breach`, …; `now` the log time at which that is decided.
    """
    data = cast("EventData", alert.value["data"])
    audience = audience_of(catalogue, name, data)
    why = None if audience else why_nobody(catalogue, name, data)
    if why is not None:
        return [undelivered(None, "dropped", why, alert.value["id"], data["dedup_key"], now)]
    return [
        Emission(
            NOTICES,
            stakeholder.name,
            {
                "type": "notice",
                "stakeholder": stakeholder.name,
                "audience": stakeholder.audience,
                "revision": catalogue.revision,
                "channels": [{"kind": channel.kind, "url": channel.url} for channel in stakeholder.channels],
                "event": alert.value,
            },
        )
        for stakeholder in audience
    ]


def audience_of(catalogue: Catalogue, name: str, data: EventData) -> list[Stakeholder]:
    """The stakeholders to tell, by name. Nobody is told of what is history by now."""
    if data["flags"]["historic"]:
        return []
    watching = [s for _, s in sorted(catalogue.stakeholders.items()) if _watches(s.watches, name, data)]
    owner = catalogue.stakeholders.get(data["owner"] or "")
    if owner is None or owner in watching or name not in TOLD_TO_PEOPLE:
        return watching
    if name in AFTERWARDS and not any(_hears_all(stakeholder.watches) for stakeholder in watching):
        return [*watching, owner]  # nobody may have watched the trouble itself
    return watching or [owner]


def why_nobody(catalogue: Catalogue, name: str, data: EventData) -> str | None:
    """Why nobody at all is told of what people are told; None if somebody is, and for what is for machines alone."""
    if name not in TOLD_TO_PEOPLE or audience_of(catalogue, name, data):
        return None
    if data["flags"]["historic"]:
        return HISTORY
    owner = data["owner"]
    if owner is None:
        return f"nobody watches it, and {data['service']} has no owner"
    return f"nobody watches it, and no stakeholder bears the name of its owner {owner}"


def _hears_all(watches: Watches) -> bool:
    """Whether no trouble that these watches concern passes them by."""
    return not (watches.severities or watches.events)


def _watches(watches: Watches, name: str, data: EventData) -> bool:
    return why_not(watches, name, data) is None


def why_not(watches: Watches, name: str, data: EventData) -> str | None:
    """Why somebody who watches this does not hear of an event; None if they do."""
    if watches == Watches():
        return "watches nothing"
    if name not in TOLD_TO_PEOPLE and name not in watches.events:
        return f"does not watch {name} by name"
    is_after = name in AFTERWARDS
    asked: list[tuple[str, tuple[str, ...], list[str]]] = [
        ("agreement", watches.agreements, [agreement["name"] for agreement in data["agreements"]]),
        ("customer", watches.customers, [agreement["customer"] or "" for agreement in data["agreements"]]),
        ("service", watches.services, [data["service"]]),
        ("owner", watches.owners, [data["owner"] or ""]),
        ("severity", () if is_after else watches.severities, [data["severity"]]),
        ("event", () if is_after else watches.events, [name]),
    ]
    for what, wanted, actual in asked:
        if wanted and not any(each in wanted for each in actual):
            return f"watches {what} {', '.join(wanted)}, and this is of {', '.join(filter(None, actual)) or 'none'}"
    return None
