"""Whom a change concerns: whose promise it is, and who is told more or less than before.

Who is told is asked of the very function that the detector asks, with events as they would be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, cast

from sla.audience import audience_of
from sla.catalogue import Catalogue, Mode, Objective
from sla.events import EventData

# Event, severity, and how a person calls it; in the order in which they would come.
_EVENTS: Final = (
    ("early_warning", "info", "budget marks"),
    ("early_warning", "warning", "warnings"),
    ("early_warning", "critical", "critical warnings"),
    ("breach", "critical", "breaches"),
    ("recovery", "critical", "recoveries"),
    ("unknown", "warning", "silence"),
)
_EVERYTHING: Final = tuple(name for _, _, name in _EVENTS)


class Party(NamedTuple):
    """Somebody whose promise changes."""

    who: str
    role: str  # owner, customer or provider with whose, or told


class Hearing(NamedTuple):
    """What a stakeholder will be told of objectives that they were not told before, and the other way round."""

    stakeholder: str
    objectives: tuple[str, ...]
    more: tuple[str, ...]
    less: tuple[str, ...]
    still: tuple[str, ...]

    def line(self) -> str:
        """For a person."""
        whose = ", ".join(self.objectives)
        less = "nothing more" if not self.still and not self.more else f"no longer: {_said(self.less)}"
        if not self.more:
            return f"{self.stakeholder} will be told of {whose} {less}"
        more = f"{self.stakeholder} will be told of {whose}: {_said(self.more)}"
        return f"{more}; {less}" if self.less else more


def _said(events: tuple[str, ...]) -> str:
    return "everything" if events == _EVERYTHING else ", ".join(events)


def parties(objectives: Iterable[str], *catalogues: Catalogue) -> list[Party]:
    """Owners, customers, providers and those who are told of objectives, in any of the catalogues; each once."""
    concerned = sorted(set(objectives))
    found = {
        party: None
        for name in concerned
        for catalogue in catalogues
        if (objective := catalogue.objectives.get(name)) is not None
        for party in _parties(objective, catalogue)
    }
    told = {who for catalogue in catalogues for who, _ in _heard(catalogue, concerned)}
    return [*found, *(Party(who, "is told") for who in sorted(told))]


def _parties(objective: Objective, catalogue: Catalogue) -> Iterator[Party]:
    service = catalogue.services.get(objective.service)
    if service is not None and service.owner is not None:
        yield Party(service.owner, f"owner of {service.name}")
    for agreement in catalogue.agreements_of(objective.name):
        if agreement.customer is not None:
            yield Party(agreement.customer, f"customer of {agreement.name}")
        if agreement.provider is not None:
            yield Party(agreement.provider, f"provider of {agreement.name}")
        if agreement.customer is None and agreement.provider is None:
            yield Party(agreement.name, "agreement")


def hearings(before: Catalogue, after: Catalogue) -> list[Hearing]:
    """Every stakeholder for whom something changes, by name; objectives for which the same changes together."""
    old, new = _heard(before, before.objectives), _heard(after, after.objectives)
    found: dict[Hearing, list[str]] = {}
    for stakeholder, objective in sorted({*old, *new}):
        was, will = old.get((stakeholder, objective), ()), new.get((stakeholder, objective), ())
        more, less = tuple(e for e in will if e not in was), tuple(e for e in was if e not in will)
        if more or less:
            alike = Hearing(stakeholder, (), more, less, tuple(e for e in will if e in was))
            found.setdefault(alike, []).append(objective)
    return [alike._replace(objectives=tuple(names)) for alike, names in found.items()]


def _heard(catalogue: Catalogue, names: Iterable[str]) -> dict[tuple[str, str], tuple[str, ...]]:
    """What each stakeholder is told of each of these objectives: only what is evaluated, and live."""
    heard: dict[tuple[str, str], tuple[str, ...]] = {}
    for objective in (catalogue.objectives[name] for name in names if name in catalogue.objectives):
        if objective.evaluated and objective.mode is Mode.LIVE:
            for event, severity, called in _EVENTS:
                for stakeholder in audience_of(catalogue, event, _event(objective, severity, catalogue)):
                    place = (stakeholder.name, objective.name)
                    heard[place] = (*heard.get(place, ()), called)
    return heard


def _event(objective: Objective, severity: str, catalogue: Catalogue) -> EventData:
    """As much of an event as decides who is told."""
    service = catalogue.services.get(objective.service)
    return cast(
        "EventData",
        {
            "service": objective.service,
            "owner": None if service is None else service.owner,
            "severity": severity,
            "agreements": [
                {"name": each.name, "customer": each.customer} for each in catalogue.agreements_of(objective.name)
            ],
            "flags": {"historic": False},
        },
    )
