"""What a change of an agreement, a service, a stakeholder or the settings means, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from sla.catalogue import Agreement, CalendarPeriod, Catalogue, Service
from sla.stakeholder import Stakeholder
from sla.units import SECOND_MS, rfc3339, spoken

Named = TypeVar("Named")


def of_document(kind: str, name: str, before: Catalogue, after: Catalogue) -> list[str]:
    """Both catalogues' sides of a document of this kind and name; nothing of a kind that has no sentences."""
    match kind:
        case "Agreement":
            return list(_agreement(*_sides(name, before.agreements, after.agreements)))
        case "Service":
            return list(_service(*_sides(name, before.services, after.services)))
        case "Stakeholder":
            return list(_stakeholder(*_sides(name, before.stakeholders, after.stakeholders)))
        case "Settings":
            return list(_settings(before, after))
        case _:
            return []


def _sides(name: str, before: Mapping[str, Named], after: Mapping[str, Named]) -> tuple[Named | None, Named | None]:
    return before.get(name), after.get(name)


def _agreement(before: Agreement | None, after: Agreement | None) -> Iterator[str]:
    if after is None or before is None:
        held = after or before
        if held is not None:
            to = f" to {held.customer}" if held.customer is not None else ""
            yield f"{_names(held.objectives)} {'is' if after else 'is no longer'} promised{to}"
        return
    yield from _party("customer", before.customer, after.customer)
    yield from _party("provider", before.provider, after.provider)
    if more := [name for name in after.objectives if name not in before.objectives]:
        yield f"it promises {_names(more)} too"
    if fewer := [name for name in before.objectives if name not in after.objectives]:
        yield f"it no longer promises {_names(fewer)}"
    if before.period != after.period:
        yield f"it is settled {_settled(after.period)} instead of {_settled(before.period)}"
    ends = (before.effective_from_at, before.effective_to_at), (after.effective_from_at, after.effective_to_at)
    if ends[0] != ends[1]:
        yield f"it holds {_between(*ends[1])} instead of {_between(*ends[0])}"
    if before.maintenance_allowance_ms != after.maintenance_allowance_ms:
        allowances = _allowance(after.maintenance_allowance_ms), _allowance(before.maintenance_allowance_ms)
        yield f"{allowances[0]} of maintenance per period does not count, {allowances[1]} so far"


def _party(role: str, before: str | None, after: str | None) -> Iterator[str]:
    if before != after:
        yield f"its {role} is {after or 'nobody'} instead of {before or 'nobody'}"


def _names(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"


def _settled(period: CalendarPeriod | None) -> str:
    return "never" if period is None else f"each {period.unit.value} ({period.timezone})"


def _between(from_at: int | None, to_at: int | None) -> str:
    if from_at is None and to_at is None:
        return "always"
    start = "" if from_at is None else f"from {rfc3339(from_at)}"
    end = "" if to_at is None else f"until {rfc3339(to_at)}"
    return f"{start} {end}".strip()


def _allowance(duration_ms: int | None) -> str:
    return spoken(duration_ms) if duration_ms is not None else "none"


def _service(before: Service | None, after: Service | None) -> Iterator[str]:
    if before is None or after is None:
        return
    if before.owner != after.owner:
        yield f"its owner is {after.owner or 'nobody'} instead of {before.owner or 'nobody'}"
    if before.depends_on != after.depends_on:
        yield f"it stands on {_names(after.depends_on)} instead of {_names(before.depends_on)}"


def _stakeholder(before: Stakeholder | None, after: Stakeholder | None) -> Iterator[str]:
    if after is not None and (before is None or before.channels != after.channels):
        kinds = _names([channel.kind for channel in after.channels])
        so_far = "" if before is None else f" instead of {_names([channel.kind for channel in before.channels])}"
        yield f"is reached by {kinds}{so_far if so_far != f' instead of {kinds}' else ', elsewhere than so far'}"


def _settings(before: Catalogue, after: Catalogue) -> Iterator[str]:
    steps = after.decide_every_ms, before.decide_every_ms
    if steps[0] != steps[1]:
        yield "decisions every {:g} s, {:g} s so far, for every objective".format(*(ms / SECOND_MS for ms in steps))
    rests = after.settle_tickets_after_ms, before.settle_tickets_after_ms
    if rests[0] != rests[1]:
        yield "tickets are settled for good {} after their last event, {} so far".format(*map(spoken, rests))
