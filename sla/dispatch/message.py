"""What one message says: a single notice as it is worded, several by their lines, a digest by what became of them.

The words here are those of the console and of a channel without templates; templates find the same in the fields.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from sla.dispatch.atom import Atom, Item
from sla.dispatch.event import rank_of
from sla.fold import Json
from sla.wording import SUBJECT_LONGEST, subject_of, text_of

LINES_MAX: Final = 50
ITEMS_MAX: Final = 100
EVENT_IDS_MAX: Final = 1_000


def compose(atom: Atom, audience: str, kind: str, items: Sequence[Item], questions: Sequence[Json]) -> dict[str, Any]:
    """The fields of a message about these items, without its id and channel."""
    lead = max(items, key=lambda item: (rank_of(item.severity), item.key == item.root, item.event is not None))
    if kind == "notice":
        subject, text = _single(items[0], audience)
    elif kind == "digest":
        subject, text = _digest(atom, items)
    elif kind == "repeat":
        subject, text = _repeat(items)
    else:
        subject, text = _group(items, lead)
    asked = [str(question["question"]) for question in questions]
    shown = {item.event_id: item for item in items}
    return {
        "subject": subject[:SUBJECT_LONGEST],
        "text": "\n".join([text, *asked]),
        "event_id": lead.event_id,
        "dedup_key": lead.key,
        "kind": kind,
        "action": None,
        "severity": lead.severity,
        "repeat_ms": None,
        "event": lead.event,
        "event_ids": list(shown)[:EVENT_IDS_MAX],
        "events_count": len(shown),
        "items": [_view(atom, item) for item in items[:ITEMS_MAX]],
        "planning": list(questions),
    }


def _view(atom: Atom, item: Item) -> dict[str, Any]:
    return {
        "event_id": item.event_id,
        "event": item.name,
        "dedup_key": item.key,
        "severity": item.severity,
        "time": item.time,
        "line": item.line,
        "cause": item.cause,
        "detail": item.detail or None,
        "holds": item.key in atom.troubles,
        "episode": item.episode,
    }


def _single(item: Item, audience: str) -> tuple[str, str]:
    if item.event is None:
        return item.line, item.detail or f"Event {item.event_id} of {item.key}."
    text = text_of(item.event, audience)
    if item.cause == "notice":
        return subject_of(item.event, audience), text
    return item.line, f"{item.detail}\n{text}" if item.detail else text


def _group(items: Sequence[Item], lead: Item) -> tuple[str, str]:
    roots = Counter(item.root or item.key for item in items)
    others = f" and {len(roots) - 1} other services" if len(roots) > 1 else ""
    subject = f"[{lead.severity}] {len(items)} events of {lead.root or lead.key}{others}: {lead.line}"
    return subject, "\n".join(_lines(items))


def _repeat(items: Sequence[Item]) -> tuple[str, str]:
    if len(items) == 1:
        return f"Still: {items[0].line}", f"Still open since {items[0].time}."
    return f"Still open: {len(items)}, the worst {items[0].line}", "\n".join(_lines(items))


def _digest(atom: Atom, items: Sequence[Item]) -> tuple[str, str]:
    """What fired, what cleared, what still holds."""
    last = {item.key: item for item in items}
    cleared = [item for item in last.values() if item.name == "recovery"]
    fired = list({item.key: item for item in items if item.name in ("early_warning", "breach", "unknown")}.values())
    other = [item for item in items if item.name not in ("early_warning", "breach", "unknown", "recovery")]
    holds = [trouble for trouble in atom.troubles.values() if trouble.is_told or trouble.is_waiting is not None]
    subject = f"Digest: {len(fired)} fired, {len(cleared)} cleared, {len(holds)} still open"
    subject += f", {len(other)} more" if other else ""
    lines: list[str] = []
    for title, found in (("Fired", fired), ("Cleared", cleared), ("Also", other)):
        if found:
            lines += [f"{title}:", *_lines(found)]
    if holds:
        worst = sorted(holds, key=lambda trouble: (-rank_of(trouble.severity), trouble.key))
        lines += ["Still open:", *_cut([f"- {trouble.line}, since {trouble.time}" for trouble in worst])]
    return subject, "\n".join(lines)


def _lines(items: Sequence[Item]) -> list[str]:
    return _cut([f"- {item.line}" + (f", {item.time}" if item.time else "") for item in items])


def _cut(lines: list[str]) -> list[str]:
    more = len(lines) - LINES_MAX
    return lines if more <= 0 else [*lines[:LINES_MAX], f"- and {more} more"]
