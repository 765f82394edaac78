"""Planning: when a breach is expected within their horizon, people are asked what they will do, and by when.

The question is part of the message that warns. What is answered, and that nobody answered, is on record.
"""

from __future__ import annotations

from sla.dispatch.atom import Atom, Item
from sla.dispatch.event import expected_breach_at, mapping
from sla.fold import Json
from sla.orders import ANSWERS
from sla.units import rfc3339


def ask(atom: Atom, horizon_ms: int | None, item: Item, at: int) -> Json | None:
    """The question that goes with an early warning, once per episode: halfway to the breach it should be answered."""
    trouble, event = atom.troubles.get(item.key), item.event
    if trouble is None or event is None or horizon_ms is None or trouble.is_asked or trouble.is_expectation:
        return None
    breach_at = expected_breach_at(event) if item.name == "early_warning" else None
    if breach_at is None or not at < breach_at <= at + horizon_ms:
        return None
    trouble.is_asked = True
    trouble.question_by_at = at + (breach_at - at) // 2
    data = mapping(event.get("data"))
    by = rfc3339(trouble.question_by_at)
    return {
        "dedup_key": item.key,
        "event_id": item.event_id,
        "asked_at": rfc3339(at),
        "answer_by": by,
        "answers": list(ANSWERS),
        "forecast": data.get("forecast"),
        "agreements": data.get("agreements") or [],
        "actions": mapping(data.get("advice")).get("actions") or [],
        "question": (
            f"Please decide by {by} for {item.key}: accept it, mitigate it, renegotiate the promise, or say that you "
            f"need more time (forewarn reply)."
        ),
    }
