"""What people answer to a planning question, and that nobody answered: both are on record."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Final

from sla.dispatch.desk import Desk
from sla.dispatch.escalation import escalate_to
from sla.dispatch.timers import Kind
from sla.events import RECORDS, cloud_event
from sla.fold import Emission
from sla.orders import Given, Reply, refused
from sla.units import HOUR_MS, rfc3339

MORE_TIME_MS: Final = HOUR_MS  # for a reply that asks for more time without saying how much


def take_reply(desk: Desk, reply: Reply) -> None:
    """An answer, for the record; one that nobody asked for is refused, for the record too."""
    trouble = desk.atom.troubles.get(reply.dedup_key)
    if trouble is None or trouble.question_by_at is None:
        _refuse(desk, reply, f"{desk.atom.name} is asked nothing about this")
        return
    asked_with = trouble.question_event_id
    if reply.event_id is not None and asked_with is not None and reply.event_id != asked_with:
        _refuse(desk, reply, "it answers an earlier question: another has been asked since")
        return
    if reply.answer == "more_time":
        asked_at = reply.until_at if reply.until_at is not None else desk.at + MORE_TIME_MS
        trouble.question_by_at = max(asked_at, desk.at + 1)
        desk.remind(trouble.question_by_at, Kind.QUESTION, reply.dedup_key)
    else:
        trouble.question_by_at = None
    until = None if trouble.question_by_at is None else rfc3339(trouble.question_by_at)
    more = {"answer": reply.answer, "by": reply.by, "text": reply.text, "command_id": reply.id, "until": until}
    desk.out.append(_reply_event(desk, reply.dedup_key, trouble.event_id, more))


def _refuse(desk: Desk, reply: Reply, why: str) -> None:
    desk.out.append(refused(Given("reply", reply.id, reply.by, reply.dedup_key), desk.at, why))


def _reply_event(desk: Desk, key: str, event_id: str, more: dict[str, Any]) -> Emission:
    """`forewarn.planning_reply.v1`; its sequence counts the replies of the stakeholder."""
    desk.atom.replies_count += 1
    data = {
        "dedup_key": key,
        "sequence": desk.atom.replies_count,
        "stakeholder": desk.atom.name,
        "event_id": event_id,
        **more,
    }
    event = cloud_event(desk.scene.cluster, RECORDS, "planning_reply", desk.at, data)
    # Several are asked about one dedup key, and each counts their own replies.
    named = (RECORDS, desk.atom.name, key, str(desk.atom.replies_count), str(event.value["type"]))
    return event._replace(value={**event.value, "id": sha256("\n".join(named).encode()).hexdigest()[:32]})


def note_unanswered(desk: Desk, keys: Iterable[str]) -> None:
    """Nobody answered in time: that is on record, and somebody else is told."""
    told = desk.policy.stakeholder
    for key in keys:
        trouble = desk.atom.troubles.get(key)
        if trouble is None or trouble.question_by_at is None or trouble.question_by_at > desk.at:
            continue
        trouble.question_by_at = None
        more = {"answer": None, "by": None, "text": None, "command_id": None, "until": None}
        desk.out.append(_reply_event(desk, key, trouble.event_id, more))
        to = told.escalate[0].to if told.escalate else told.fallback
        if to is not None:
            escalate_to(desk, trouble, to, f"{told.name} has not said what to do about it")
