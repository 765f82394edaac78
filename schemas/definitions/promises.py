"""What is allowed but deserves a second look: who hears of an objective, and whether a promise can be kept."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from schemas.definitions.findings import Finding, nearest
from schemas.definitions.kinds import Agreement, Objective, Service, Stakeholder, TicketObjective
from schemas.definitions.names import ANY_SERVICE
from schemas.definitions.source import Defined
from schemas.definitions.stakeholder import WatchesSpec
from schemas.definitions.values import percentage_text
from sla.units import MILLION

_Measured = Objective | TicketObjective


def check_promises(defined: Iterable[Defined]) -> Iterator[Finding]:
    """All the warnings that need more than one definition."""
    definitions = list(defined)
    yield from _services_without_document(definitions)
    yield from _nobody_told(definitions)
    yield from _stricter_than_dependencies(definitions)


def _services_without_document(definitions: Iterable[Defined]) -> Iterator[Finding]:
    services = {each.name for each in definitions if isinstance(each.document, Service)}
    documented = {*services, ANY_SERVICE}
    for each in definitions:
        document = each.document
        if not isinstance(document, _Measured) or document.spec.service in documented:
            continue
        hint = nearest(document.spec.service, services)
        message = f"service {document.spec.service!r} has no Service document, so no owner and no dependencies{hint}"
        yield each.warning("undefined-service", ("spec", "service"), message)


def _nobody_told(definitions: Iterable[Defined]) -> Iterator[Finding]:
    owners: dict[str, str | None] = {}
    promised: dict[str, set[str]] = {}
    customers: dict[str, set[str]] = {}
    watches: dict[str, WatchesSpec] = {}
    for each in definitions:
        document = each.document
        if isinstance(document, Service):
            owners[each.name] = document.spec.owner
        elif isinstance(document, Agreement):
            for name in document.spec.objectives:
                promised.setdefault(name, set()).add(each.name)
                if document.spec.customer is not None:
                    customers.setdefault(name, set()).add(document.spec.customer)
        elif isinstance(document, Stakeholder):
            watches[each.name] = document.spec.watches
    for each in definitions:
        document = each.document
        if not isinstance(document, _Measured) or (isinstance(document, Objective) and document.spec.mode == "shadow"):
            continue
        service = document.spec.service
        parties = _Parties(promised.get(each.name, set()), customers.get(each.name, set()))
        if not any(_is_watched(one, service, owners.get(service), parties) for one in watches.values()):
            message = (
                f"{_told_instead(each.name, owners.get(service), watches)}: let a stakeholder watch its {_WATCHED}"
            )
            yield each.warning("nobody-told", ("metadata", "name"), message)


_WATCHED: Final = "service, its owner or its agreement"


def _told_instead(objective: str, owner: str | None, stakeholders: Container[str]) -> str:
    """What becomes of an event that nobody watches: it goes to a stakeholder who bears the owner's name, or nowhere."""
    if owner in stakeholders:
        return f"nobody watches {objective!r}, so all of it goes to its service's owner {owner!r}"
    named = f", and no stakeholder bears the name of the owner {owner!r}" if owner is not None else ""
    return f"nobody is told about {objective!r}{named} (each event is on sla.deliveries.v1 as dropped)"


class _Parties(NamedTuple):
    """The agreements that promise an objective, and their customers."""

    agreements: set[str]
    customers: set[str]


def _is_watched(watches: WatchesSpec, service: str, owner: str | None, parties: _Parties) -> bool:
    """Whether some event of an objective would reach these watches; each list that is given narrows them."""
    if watches.is_empty:
        return False
    return (
        (not watches.agreements or not parties.agreements.isdisjoint(watches.agreements))
        and (not watches.customers or not parties.customers.isdisjoint(watches.customers))
        and (not watches.services or service == ANY_SERVICE or service in watches.services)
        and (not watches.owners or service == ANY_SERVICE or owner in watches.owners)
    )


def _stricter_than_dependencies(definitions: Iterable[Defined]) -> Iterator[Finding]:
    critical: dict[str, list[str]] = {}
    targets: dict[str, dict[str, int]] = {}
    objectives: dict[str, Objective] = {}
    for each in definitions:
        document = each.document
        if isinstance(document, Service):
            critical[each.name] = [one.name for one in document.spec.dependsOn or [] if one.critical]
        elif isinstance(document, Objective) and document.spec.mode == "live":
            objectives[each.name] = document
            targets.setdefault(document.spec.service, {})[each.name] = document.spec.target.ppm
    for each in definitions:
        document = each.document
        if not isinstance(document, Agreement) or document.spec.type != "sla":
            continue
        for place, name in enumerate(document.spec.objectives):
            objective = objectives.get(name)
            if objective is None:
                continue
            best = _best(critical.get(objective.spec.service, []), targets)
            message = _too_strict(objective, best)
            if message is not None:
                yield each.warning("stricter-than-dependencies", ("spec", "objectives", place), f"{name}: {message}")


def _best(services: Iterable[str], targets: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """The highest target of each service: what it promises at its best. Services without one say nothing."""
    return {service: max(targets[service].values()) for service in services if targets.get(service)}


_WHOLE: Final = 1


def _too_strict(objective: Objective, best: Mapping[str, int]) -> str | None:
    product, scale = _WHOLE, _WHOLE
    for share_ppm in best.values():
        product, scale = product * share_ppm, scale * MILLION
    if not best or objective.spec.target.ppm * scale <= MILLION * product:
        return None
    reachable = percentage_text(MILLION * product // scale)
    named = " x ".join(f"{service} {percentage_text(share_ppm)}" for service, share_ppm in best.items())
    return f"promises {objective.spec.target.text}, but its critical dependencies together reach {reachable} ({named})"
