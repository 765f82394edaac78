"""What a template is told of a message: plain values, and for people outside of the house only what is theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from notifiers.incident import data_of, mapping, seen_of, text
from sla.dispatch import Send
from sla.fold import Json
from sla.wording import OUTSIDERS, event_name

NAMES: Final = frozenset(
    {
        "action", "agreements", "audience", "data", "dedup_key", "event", "items", "kind", "links", "questions",
        "severity", "stakeholder", "subject", "text",
    }
)  # fmt: skip
"""All that a template can name."""


class Links(Protocol):
    """The links by which people answer, each with its label; see `NO_LINKS`."""

    def answers(self, send: Send, question: Json) -> Sequence[tuple[str, str]]:
        """To say what they will do about what is ahead."""
        ...

    def acks(self, send: Send) -> Sequence[tuple[str, str]]:
        """To take on a trouble that the message tells of."""
        ...


_OUTSIDE_QUESTION: Final = ("dedup_key", "answer_by", "answers", "forecast", "agreements", "question", "links")


class _NoLinks:
    def answers(self, send: Send, question: Json) -> Sequence[tuple[str, str]]:
        """None."""
        del send, question
        return ()

    def acks(self, send: Send) -> Sequence[tuple[str, str]]:
        """None."""
        del send
        return ()


NO_LINKS: Final[Links] = _NoLinks()
"""Where answers come by the command line alone."""


def topic_of(send: Send) -> str:
    """What the message is about, by which its template is chosen: `planning`, the kind, or the name of its event."""
    if send.planning:
        return "planning"
    if send.kind not in ("notice", "machine"):
        return send.kind
    if send.kind == "notice" and send.items:
        return text(send.items[0].get("event")) or "notice"
    return event_name(send.event) if send.event is not None else "notice"


def view_of(send: Send, links: Links = NO_LINKS) -> dict[str, Any]:
    """The names of a template and their values; every one of `NAMES` is there."""
    is_outside = send.audience in OUTSIDERS
    event = mapping(send.event)
    return {
        "action": send.action,
        "agreements": _agreements(send, data_of(send).get("agreements")),
        "audience": send.audience,
        "data": seen_of(send),
        "dedup_key": send.dedup_key,
        "event": {"name": topic_of(send) if not event else event_name(event), "id": send.event_id, **_time(event)},
        "items": [_item(each, is_outside=is_outside) for each in send.items],
        "kind": send.kind,
        "links": _labelled(links.acks(send)),
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


def _labelled(links: Sequence[tuple[str, str]]) -> list[Json]:
    return [{"label": label, "url": url} for label, url in links]


def _item(item: Mapping[str, Any], *, is_outside: bool) -> dict[str, Any]:
    return {**item, "detail": None} if is_outside else dict(item)


def _question(send: Send, question: Json, links: Links) -> dict[str, Any]:
    found = _labelled(links.answers(send, question))
    known = {**question, "agreements": _agreements(send, question.get("agreements")), "links": found}
    return known if send.audience not in OUTSIDERS else {name: known.get(name) for name in _OUTSIDE_QUESTION}
