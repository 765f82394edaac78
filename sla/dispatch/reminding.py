"""What time and people's commands do to one stakeholder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

from sla.dispatch.atom import Item, Trouble
from sla.dispatch.desk import Desk
from sla.dispatch.escalation import arm, run_escalations
from sla.dispatch.hearing import page
from sla.dispatch.policy import Verdict
from sla.dispatch.replies import note_unanswered
from sla.dispatch.timers import Kind, Timer
from sla.orders import Ack, Unack
from sla.units import rfc3339


def run_due(desk: Desk, timers: Sequence[Timer]) -> None:
    """All that is due at this instant, kind by kind."""
    for kind, found in groupby(timers, key=lambda timer: timer.kind):
        _RUN[kind](desk, [timer.key for timer in found])


def acknowledge(desk: Desk, ack: Ack) -> bool:
    """Take a trouble on, and tell everyone who was told of it; whether it is known here."""
    trouble = desk.atom.troubles.get(ack.dedup_key)
    if trouble is None:
        return False
    trouble.acked_by, trouble.acked_until = ack.by, ack.until_at
    if ack.until_at is not None:
        desk.remind(max(ack.until_at, desk.at), Kind.ACK, trouble.key)
    until = "" if ack.until_at is None else f" until {rfc3339(ack.until_at)}"
    reason = "" if ack.reason is None or desk.policy.is_outsider else f": {ack.reason}"
    who = _known_as(desk, ack.by)
    detail = f"{who} has taken it on{until}{reason}."
    _tell_again(desk, trouble, "ack", f"Acknowledged by {who}: {trouble.line}", detail)
    event = trouble.machine_event
    if trouble.is_paged and event is not None:
        desk.machine("acknowledge", event, _item(trouble, "ack", detail))
    return True


def let_go(desk: Desk, unack: Unack) -> bool:
    """The trouble is nobody's again; whether it was somebody's."""
    trouble = desk.atom.troubles.get(unack.dedup_key)
    if trouble is None or trouble.acked_by is None:
        return False
    trouble.acked_by = trouble.acked_until = None
    desk.await_ack(trouble)
    desk.repeat_later(trouble)
    line = f"No longer acknowledged: {trouble.line}"
    _tell_again(desk, trouble, "unack", line, f"{_known_as(desk, unack.by)} has let go of it.")
    return True


def _known_as(desk: Desk, by: str) -> str:
    """Who it was; outside of the house nobody is named."""
    return "the team" if desk.policy.is_outsider else by


def speak_again(desk: Desk) -> None:
    """A silence has ended: what it covered and still holds is told, once."""
    for trouble in list(desk.atom.troubles.values()):
        if not trouble.is_silenced or desk.scene.silences.matching(desk.atom.name, trouble.labels) is not None:
            continue
        trouble.is_silenced = False
        detail = "It was silenced, and still holds."
        item = _item(trouble, "expired", detail)
        if trouble.event is not None:
            arm(desk, trouble, trouble.event)
        if not trouble.is_paged:
            page(desk, trouble, item._replace(event=trouble.machine_event))
        desk.offer(item)


def _item(trouble: Trouble, cause: str, detail: str) -> Item:
    severity = "warning" if trouble.is_expectation and trouble.severity == "critical" else trouble.severity
    root = trouble.root or trouble.key
    told = (trouble.event_id, trouble.name, trouble.key, root, severity, trouble.time, trouble.line)
    return Item(*told, cause=cause, detail=detail, event=trouble.event, episode=trouble.episode)


def _tell_again(desk: Desk, trouble: Trouble, cause: str, line: str, detail: str) -> None:
    if trouble.is_told or trouble.is_waiting is not None:
        desk.offer(_item(trouble, cause, detail)._replace(name=cause, line=line, event=None))


def _end_acks(desk: Desk, keys: Iterable[str]) -> None:
    for key in keys:
        trouble = desk.atom.troubles.get(key)
        if trouble is None or trouble.acked_until is None or trouble.acked_until > desk.at:
            continue
        by, trouble.acked_by, trouble.acked_until = trouble.acked_by or "", None, None
        desk.await_ack(trouble)
        desk.repeat_later(trouble)
        if trouble.is_told:
            detail = f"The acknowledgement of {_known_as(desk, by)} has ended, and it still holds."
            desk.offer(_item(trouble, "expired", detail))


def _repeat(desk: Desk, keys: Iterable[str]) -> None:
    """Say again what is still open, in one message; on-call tools that forget are told each."""
    repeat_ms = desk.policy.stakeholder.repeat_ms
    due = _due_repeats(desk, keys)
    items: list[Item] = []
    for trouble in due:
        trouble.repeat_at = None
        item = _item(trouble, "repeat", "It is still open.")
        event = trouble.machine_event
        if trouble.is_paged and event is not None:
            desk.machine("trigger", event, item, again=True)
        if repeat_ms is not None:
            desk.repeat_later(trouble)
        if trouble.acked_by is None and trouble.is_told and trouble.is_waiting is None:
            items.append(item)
    critical = [item for item in items if item.severity == "critical"]
    ruling = desk.policy.rule(desk.at, is_critical=bool(critical))
    if not items or repeat_ms is None or not desk.policy.people:
        return
    if ruling.verdict is Verdict.SEND:
        desk.leave("repeat", [item._replace(event=None) for item in items])
    elif ruling.until_at is not None:
        for trouble in due:  # nobody is reminded at night: in the morning then
            if not trouble.is_paged:
                trouble.repeat_at = ruling.until_at
                desk.remind(ruling.until_at, Kind.REPEAT, trouble.key)


def _due_repeats(desk: Desk, keys: Iterable[str]) -> list[Trouble]:
    """Those that are due, and with them those that are within the time that their group waits.

    An on-call tool hears of each trouble at once, so each has its own instant; people would get a message for each.
    """
    found = (trouble for key in keys if (trouble := desk.atom.troubles.get(key)) is not None)
    due = [trouble for trouble in found if trouble.repeat_at is not None and trouble.repeat_at <= desk.at]
    wait_ms = desk.policy.stakeholder.group_wait_ms
    if not due or wait_ms is None or desk.policy.stakeholder.repeat_ms is None:
        return due
    until_at = desk.at + min(wait_ms, desk.policy.stakeholder.repeat_ms - 1)
    troubles = desk.atom.troubles.values()
    return [trouble for trouble in troubles if trouble.repeat_at is not None and trouble.repeat_at <= until_at]


def _forget(desk: Desk, keys: Iterable[str]) -> None:
    for key in keys:
        closed = desk.atom.closed.get(key)
        if closed is not None and closed[0] <= desk.at:
            del desk.atom.closed[key]
            desk.atom.corrected.pop(key, None)


def _escalate(desk: Desk, keys: Iterable[str]) -> None:
    for key in keys:
        run_escalations(desk, key)


def _ask(desk: Desk, keys: Iterable[str]) -> None:
    """The expected breach has come within their horizon: now they are asked."""
    for key in keys:
        trouble = desk.atom.troubles.get(key)
        if trouble is None or trouble.ask_at is None or trouble.ask_at > desk.at:
            continue
        trouble.ask_at = None
        if trouble.is_told and not trouble.is_asked and trouble.event is not None:
            line = f"Please plan: {trouble.line}"
            detail = "What was forecast has come within your horizon."
            desk.offer(_item(trouble, "planning", detail)._replace(line=line))


def _end(desk: Desk, keys: Iterable[str]) -> None:
    for key in keys:
        trouble = desk.atom.troubles.get(key)
        if trouble is not None and trouble.ends_at is not None and trouble.ends_at <= desk.at:
            desk.atom.drop(trouble)


_RUN: Final[Mapping[Kind, Callable[[Desk, list[str]], None]]] = {
    Kind.ACK: _end_acks,
    Kind.QUESTION: note_unanswered,
    Kind.ESCALATE: _escalate,
    Kind.ASK: _ask,
    Kind.GROUP: Desk.run_groups,
    Kind.REPEAT: _repeat,
    Kind.DIGEST: lambda desk, _: desk.run_digest(),
    Kind.FORGET: _forget,
    Kind.END: _end,
}
"""Silences are of the whole partition, see `sla.dispatch.partition`."""
