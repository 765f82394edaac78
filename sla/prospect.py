"""Who would be told of an event, when and by what, and why the others would not: asked of the functions that decide."""

from __future__ import annotations

from typing import NamedTuple

from sla.audience import AFTERWARDS, HISTORY, audience_of, why_not
from sla.catalogue import Catalogue
from sla.dispatch.event import Meaning, rank_of, view_of
from sla.dispatch.policy import MACHINE_KINDS, Verdict, policy_of
from sla.events import EventData
from sla.fold import Json
from sla.stakeholder import Channel, Stakeholder


class Hearing(NamedTuple):
    """What one stakeholder would hear. `at` is when a message would leave; None where none would."""

    stakeholder: Stakeholder
    is_told: bool
    why: str
    at: int | None = None
    channels: tuple[Channel, ...] = ()


def hearings(catalogue: Catalogue, name: str, data: EventData, event: Json, at: int) -> list[Hearing]:
    """One for each stakeholder, by name, if it happened at `at` and nothing else had been told."""
    told = {each.name: each for each in audience_of(catalogue, name, data)}
    return [
        _told(catalogue, stakeholder, name, data, event, at)
        if stakeholder.name in told
        else Hearing(stakeholder, is_told=False, why=_why_not(stakeholder, name, data))
        for _, stakeholder in sorted(catalogue.stakeholders.items())
    ]


def _why_not(stakeholder: Stakeholder, name: str, data: EventData) -> str:
    if data["flags"]["historic"]:
        return HISTORY
    return why_not(stakeholder.watches, name, data) or "is not told"


def _told(catalogue: Catalogue, stakeholder: Stakeholder, name: str, data: EventData, event: Json, at: int) -> Hearing:
    policy = policy_of(catalogue, stakeholder.name)
    view = view_of(event, stakeholder.audience)
    reasons = [_watched(stakeholder, name, data)]
    if name in AFTERWARDS:
        reasons.append("only if they were told of the trouble")
    severity = "warning" if view.is_expectation and rank_of(view.severity) > rank_of("warning") else view.severity
    machines = tuple(each for each in stakeholder.channels if each.kind in MACHINE_KINDS)
    if view.is_expectation and machines:
        reasons.append("an expectation, so on-call tools hear nothing")
        machines = ()
    if policy is None or not policy.people:
        now = machines and view.meaning in {Meaning.TROUBLE, Meaning.END}
        return Hearing(stakeholder, bool(now), "; ".join(reasons), at if now else None, machines)
    ruling = policy.rule(at, is_critical=severity == "critical")
    if ruling.verdict is Verdict.DROP:
        return Hearing(stakeholder, bool(machines), "; ".join([*reasons, ruling.why]), at, machines)
    if ruling.verdict is Verdict.HOLD:
        why = "; ".join([*reasons, f"{ruling.why}: in the digest when they open"])
        return Hearing(stakeholder, is_told=True, why=why, at=ruling.until_at, channels=(*machines, *policy.people))
    leaves_at = at + (stakeholder.group_wait_ms or 0)
    channels = (*machines, *policy.people)
    return Hearing(stakeholder, is_told=True, why="; ".join(reasons), at=leaves_at, channels=channels)


def _watched(stakeholder: Stakeholder, name: str, data: EventData) -> str:
    if why_not(stakeholder.watches, name, data) is not None:
        return f"owns {data['service']}, and nobody else hears of all of it"
    said = [
        f"{what} {', '.join(wanted)}"
        for what, wanted in (
            ("agreements", stakeholder.watches.agreements),
            ("customers", stakeholder.watches.customers),
            ("services", stakeholder.watches.services),
            ("owners", stakeholder.watches.owners),
            ("severities", stakeholder.watches.severities),
            ("events", stakeholder.watches.events),
        )
        if wanted
    ]
    return f"watches {'; '.join(said)}"
