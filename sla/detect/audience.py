"""Who must know of an event: the stakeholders that watch it, or else the service's owner."""

from __future__ import annotations

from collections.abc import Iterable

from sla.catalogue import Catalogue
from sla.events import EventData
from sla.stakeholder import Stakeholder, Watches

TOLD_TO_PEOPLE = frozenset({"early_warning", "breach", "recovery", "unknown", "correction", "period_closed"})
"""Changes of flags are for machines, unless somebody watches them by name."""

AFTERWARDS = frozenset({"recovery", "correction"})
"""Whoever was told of the trouble is told of these; `dispatch` knows whom, and tells nobody else."""


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


def _hears_all(watches: Watches) -> bool:
    """Whether no trouble that these watches concern passes them by."""
    return not (watches.severities or watches.events)


def _watches(watches: Watches, name: str, data: EventData) -> bool:
    if watches == Watches():
        return False
    if name not in TOLD_TO_PEOPLE and name not in watches.events:
        return False
    return (
        _matches(watches.agreements, (agreement["name"] for agreement in data["agreements"]))
        and _matches(watches.customers, (agreement["customer"] or "" for agreement in data["agreements"]))
        and _matches(watches.services, [data["service"]])
        and _matches(watches.owners, [data["owner"] or ""])
        and (name in AFTERWARDS or _matches(watches.severities, [data["severity"]]))
        and (name in AFTERWARDS or _matches(watches.events, [name]))
    )


def _matches(wanted: tuple[str, ...], actual: Iterable[str]) -> bool:
    return not wanted or any(name in wanted for name in actual)
