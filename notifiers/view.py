"""What a template is told of a message: plain values, and for people outside of the house only what is theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from notifiers.incident import data_of, mapping, text
from sla.dispatch import Send
from sla.fold import Json
from sla.wording import OUTSIDERS, event_name

NAMES: Final = frozenset(
    {
        "action", "agreements", "audience", "data", "dedup_key", "event", "items", "kind", "questions", "severity",
        "stakeholder", "subject", "text",
    }
)  # fmt: skip
"""All that a template can name."""

Links = Callable[[Send, Json], Sequence[tuple[str, str]]]
"""The links by which a question is answered, each with its label; see `no_links`."""

_OUTSIDE: Final = ("service", "state", "opened_at", "period", "ticket")
_OUTSIDE_QUESTION: Final = ("dedup_key", "answer_by", "answers", "forecast", "agreements", "question", "links")
_OUTSIDE_OBJECTIVE: Final = ("name", "target", "window")


def no_links(send: Send, question: Json) -> Sequence[tuple[str, str]]:
    """Where answers come by the command line alone."""
    del send, question
    return ()


def topic_of(send: Send) -> str:
    """What the message is about, by which its template is chosen: `planning`, the kind, or the name of its event."""
    if send.planning:
        return "planning"
    if send.kind not in ("notice", "machine"):
        return send.kind
    if send.kind == "notice" and send.items:
        return text(send.items[0].get("event")) or "notice"
    return event_name(send.event) if send.event is not None else "notice"


def view_of(send: Send, links: Links = no_links) -> dict[str, Any]:
    """The names of a template and their values; every one of `NAMES` is there."""
    is_outside = send.audience in OUTSIDERS
    event = mapping(send.event)
    data = data_of(send)
    return {
        "action": send.action,
        "agreements": _agreements(send, data.get("agreements")),
        "audience": send.audience,
        "data": _outside(data) if is_outside else data,
        "dedup_key": send.dedup_key,
        "event": {"name": topic_of(send) if not event else event_name(event), "id": send.event_id, **_time(event)},
        "items": [_item(each, is_outside=is_outside) for each in send.items],
        "kind": send.kind,
        "questions": [_question(send, each, links) for each in send.planning],
        "severity": send.severity,
        "stakeholder": send.stakeholder,
        "subject": send.subject,
        "text": send.text,
    }


def _time(event: Json) -> dict[str, str]:
    return {"time": text(event.get("time"))}


def _agreements(send: Send, found: Any) -> list[Json]:
    """All of them in the house; outside of it those that the stakeholder watches by name or customer."""
    agreements = [mapping(each) for each in found] if isinstance(found, list | tuple) else []
    if send.audience not in OUTSIDERS:
        return agreements
    names, customers = (_names(send.concerns.get(name)) for name in ("agreements", "customers"))
    return [each for each in agreements if each.get("name") in names or each.get("customer") in customers]


def _names(value: Any) -> frozenset[Any]:
    return (
        frozenset(each for each in value if isinstance(each, str)) if isinstance(value, list | tuple) else frozenset()
    )


def _outside(data: Json) -> dict[str, Any]:
    objective, forecast, flags = (mapping(data.get(name)) for name in ("objective", "forecast", "flags"))
    return {
        **{name: data.get(name) for name in _OUTSIDE},
        "objective": {name: objective.get(name) for name in _OUTSIDE_OBJECTIVE},
        "forecast": dict(forecast),
        "flags": {"final": flags.get("final")},
    }


def _item(item: Mapping[str, Any], *, is_outside: bool) -> dict[str, Any]:
    return {**item, "detail": None} if is_outside else dict(item)


def _question(send: Send, question: Json, links: Links) -> dict[str, Any]:
    found = [{"label": label, "url": url} for label, url in links(send, question)]
    known = {**question, "agreements": _agreements(send, question.get("agreements")), "links": found}
    return known if send.audience not in OUTSIDERS else {name: known.get(name) for name in _OUTSIDE_QUESTION}
