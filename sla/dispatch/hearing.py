"""What a notice does to its stakeholder: whether it concerns them at all, and what they now know."""

from __future__ import annotations

from typing import Final

from sla.dispatch.atom import OPEN_MAX, Item, Trouble, trouble_of
from sla.dispatch.desk import Desk
from sla.dispatch.escalation import arm, pass_on
from sla.dispatch.event import Meaning, View, planned_for, rank_of, view_of
from sla.dispatch.records import Notice
from sla.dispatch.timers import Kind
from sla.fold import Json
from sla.silences import labels
from sla.units import DAY_MS

CORRECTED_FOR_MS: Final = 7 * DAY_MS  # how long after its end a correction of a trouble still finds whom it was told


def hear(desk: Desk, notice: Notice) -> None:
    """Take one notice."""
    view = view_of(notice.event, desk.policy.stakeholder.audience)
    match view.meaning:
        case Meaning.TROUBLE:
            _trouble(desk, view, notice)
        case Meaning.END:
            _end(desk, view, notice)
        case Meaning.CORRECTION:
            _correction(desk, view, notice)
        case Meaning.NEWS:
            _news(desk, view, notice)
        case Meaning.PLAN:
            _plan(desk, view, notice)


def item_of(view: View, notice: Notice) -> Item:
    """What there is to tell of a notice. An expectation never counts as critical: it is told, not paged."""
    is_capped = view.is_expectation and rank_of(view.severity) > rank_of("warning")
    severity = "warning" if is_capped else view.severity
    facts = (view.id, view.name, view.key, view.root or view.key, severity, view.time, view.line)
    told = Item(*facts, event=notice.event, episode=view.episode)
    if notice.escalated is None:
        return told
    why = f"Escalated from {notice.escalated.by}: {notice.escalated.why}."
    return told._replace(cause="escalated", line=f"Escalated: {view.line}", detail=why)


def _trouble(desk: Desk, view: View, notice: Notice) -> None:
    atom, silences = desk.atom, desk.scene.silences
    trouble = atom.troubles.get(view.key)
    if trouble is None:
        if len(atom.troubles) >= OPEN_MAX:
            desk.skip("dropped", f"{OPEN_MAX} troubles are open already", view.id, view.key)
            return
        trouble = trouble_of(view)
        atom.troubles[view.key] = trouble
    elif trouble.event_id == view.id and notice.escalated is None:
        desk.skip("dropped", "told already, when it was escalated", view.id, view.key)
        return
    else:
        trouble.see(view)
    atom.keep(trouble, notice.event, for_machines=bool(desk.policy.machines))
    silence = silences.matching(atom.name, trouble.labels)
    if silence is not None:
        trouble.is_silenced = True
        desk.skip("silenced", f"silence {silence.id} of {silence.by}", view.id, view.key, silence.until_at)
        return
    arm(desk, trouble, notice.event)
    item = item_of(view, notice)
    page(desk, trouble, item)
    desk.offer(item)


def _plan(desk: Desk, view: View, notice: Notice) -> None:
    """Something is ahead that people should plan for: told and asked once, gone when it is over. Nobody is paged."""
    atom = desk.atom
    _, ends_at = planned_for(notice.event)
    if view.key in atom.troubles or ends_at is None or ends_at <= desk.at:
        desk.skip("dropped", "told already, or over", view.id, view.key)
        return
    if len(atom.troubles) >= OPEN_MAX:
        desk.skip("dropped", f"{OPEN_MAX} troubles are open already", view.id, view.key)
        return
    trouble = atom.troubles[view.key] = trouble_of(view)
    trouble.ends_at = ends_at
    atom.keep(trouble, notice.event)
    desk.remind(ends_at, Kind.END, view.key)
    silence = desk.scene.silences.matching(atom.name, trouble.labels)
    if silence is not None:
        trouble.is_silenced = True
        desk.skip("silenced", f"silence {silence.id} of {silence.by}", view.id, view.key, silence.until_at)
        return
    desk.offer(item_of(view, notice))


def page(desk: Desk, trouble: Trouble, item: Item) -> None:
    """Open or worsen its incident in the on-call tools; never for an expectation."""
    if trouble.is_expectation or trouble.ends_at is not None or item.event is None or not desk.policy.machines:
        return
    desk.machine("trigger", item.event, item)
    trouble.is_paged = True
    if not desk.policy.people:
        trouble.told_at = desk.at
    desk.repeat_later(trouble)


def _end(desk: Desk, view: View, notice: Notice) -> None:
    trouble = desk.atom.troubles.get(view.key)
    if trouble is None:
        desk.skip("dropped", "was not told of the trouble that it ends", view.id, view.key)
        return
    item = item_of(view, notice)
    if trouble.is_paged:
        desk.machine("resolve", notice.event, item)
    forget_at = desk.at + CORRECTED_FOR_MS
    desk.atom.close(trouble, forget_at)
    pass_on(desk, trouble.escalated_to, notice.event, "it was escalated, and is over")
    if trouble.is_told or trouble.is_waiting is not None:
        desk.remind(forget_at, Kind.FORGET, view.key)
    if trouble.is_told:
        desk.offer(item)
    elif trouble.is_waiting is not None:
        desk.join(item, trouble)
    else:
        desk.skip("dropped", "was not told of the trouble that it ends", view.id, view.key)


def _correction(desk: Desk, view: View, notice: Notice) -> None:
    trouble, closed = desk.atom.troubles.get(view.key), desk.atom.closed.get(view.key)
    if desk.atom.hears_again(view.key, view.sequence):
        desk.skip("dropped", "told already, by another way", view.id, view.key)
        return
    if closed is not None:
        pass_on(desk, closed[1:], notice.event, "it was escalated, and is corrected")
    elif trouble is not None and (trouble.is_told or trouble.is_waiting is not None):
        pass_on(desk, trouble.escalated_to, notice.event, "it was escalated, and is corrected")
    else:
        desk.skip("dropped", "was not told of what it corrects", view.id, view.key)
        return
    desk.offer(item_of(view, notice))


def _news(desk: Desk, view: View, notice: Notice) -> None:
    silence = desk.scene.silences.matching(desk.atom.name, _labels(view))
    if silence is not None:
        desk.skip("silenced", f"silence {silence.id} of {silence.by}", view.id, view.key, silence.until_at)
        return
    if view.name == "period_closed" or view.key not in desk.atom.troubles:
        forget_at = desk.at + CORRECTED_FOR_MS
        desk.atom.remember(view.key, forget_at)
        desk.remind(forget_at, Kind.FORGET, view.key)
    desk.offer(item_of(view, notice))


def _labels(view: View) -> Json:
    return labels(view.key, view.objective, view.severity, view.name, view.agreements, view.customers)
