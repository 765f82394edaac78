"""When somebody else is told too: too little time is left before the breach, or nobody has taken the trouble on."""

from __future__ import annotations

from collections.abc import Iterable

from sla.dispatch.atom import Trouble
from sla.dispatch.desk import Desk
from sla.dispatch.event import expected_breach_at, opened_at, target_ms
from sla.dispatch.outbox import escalated_notice
from sla.dispatch.records import Escalated
from sla.dispatch.timers import Kind
from sla.fold import Json
from sla.stakeholder import Escalation
from sla.units import MILLION, spoken


def arm(desk: Desk, trouble: Trouble, event: Json) -> None:
    """Work out when the time left is too little, by the newest forecast; what is too late already goes at once."""
    for place, step in enumerate(desk.policy.stakeholder.escalate):
        name = str(place)
        if step.unacked_ms is not None or trouble.steps.get(name) == 0:
            continue
        due_at = _due_at(desk, trouble, step, event)
        if due_at is None:
            continue
        if due_at <= desk.at:
            _escalate(desk, trouble, name, step)
        else:
            trouble.steps[name] = due_at
            desk.remind(due_at, Kind.ESCALATE, trouble.key)


def run_escalations(desk: Desk, key: str) -> None:
    """The steps of a trouble that are due."""
    trouble = desk.atom.troubles.get(key)
    if trouble is None:
        return
    for place, step in enumerate(desk.policy.stakeholder.escalate):
        due_at = trouble.steps.get(str(place), 0)
        if due_at == 0 or due_at > desk.at:
            continue
        if step.unacked_ms is not None and trouble.acked_by is not None:
            continue  # armed again when the ack ends
        _escalate(desk, trouble, str(place), step)


def escalate_to(desk: Desk, trouble: Trouble, name: str | None, why: str) -> None:
    """Tell another stakeholder of a trouble."""
    catalogue = desk.scene.catalogue
    to = None if name is None else catalogue.stakeholders.get(name)
    if to is None:
        desk.skip("dropped", f"to be escalated ({why}), but to nobody that is defined", trouble.event_id, trouble.key)
    elif trouble.event is None:
        desk.skip("dropped", f"to be escalated to {to.name}, but too many are open", trouble.event_id, trouble.key)
    else:
        escalated = Escalated(desk.atom.name, why)
        desk.out.append(escalated_notice(to, catalogue.revision, trouble.event, escalated))
        if to.name not in trouble.escalated_to:
            trouble.escalated_to.append(to.name)


def pass_on(desk: Desk, names: Iterable[str], event: Json, why: str) -> None:
    """What became of a trouble, for those to whom it was escalated."""
    catalogue = desk.scene.catalogue
    for name in names:
        to = catalogue.stakeholders.get(name)
        if to is not None:
            desk.out.append(escalated_notice(to, catalogue.revision, event, Escalated(desk.atom.name, why)))


def _escalate(desk: Desk, trouble: Trouble, name: str, step: Escalation) -> None:
    trouble.steps[name] = 0
    escalate_to(desk, trouble, step.to, _why(step))


def _why(step: Escalation) -> str:
    if step.unacked_ms is not None:
        return f"nobody has acknowledged it for {spoken(step.unacked_ms)}"
    if step.left_ms is not None:
        return f"less than {spoken(step.left_ms)} are left before the breach"
    return f"less than {(step.left_ppm or 0) / 10_000:g} % of the time is left before the breach"


def _due_at(desk: Desk, trouble: Trouble, step: Escalation, event: Json) -> int | None:
    if trouble.name == "breach":
        return desk.at  # no time is left
    breach_at = expected_breach_at(event)
    if breach_at is None:
        return None
    if step.left_ms is not None:
        return breach_at - step.left_ms
    whole_ms = target_ms(event)
    if whole_ms is None:
        began_at = opened_at(event)
        whole_ms = breach_at - (desk.at if began_at is None else began_at)
    return breach_at - whole_ms * (step.left_ppm or 0) // MILLION
