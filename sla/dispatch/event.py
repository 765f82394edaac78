"""What a notice's event means to the one who is told: a trouble begins or worsens, it ends, or there is news.

Total over any JSON object with an id and a dedup key: Forewarn writes these itself, yet anything may stand on a topic.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import unquote

from sla.fold import Json
from sla.units import to_epoch_ms
from sla.wording import event_name, subject_of

_RANK = {"info": 0, "warning": 1, "critical": 2}
Gist = tuple[str, str, str, str]
"""What of an event names its incident in on-call tools and nothing else tells: source, service, instance, opened at."""


class Meaning(StrEnum):
    """What an event does to what is known of its dedup key."""

    TROUBLE = "trouble"
    END = "end"
    CORRECTION = "correction"
    NEWS = "news"
    PLAN = "plan"  # something ahead, which ends by itself


class View(NamedTuple):
    """What deciding needs of an event; `root` names what it is told together with."""

    id: str
    name: str
    meaning: Meaning
    key: str
    root: str
    service: str
    objective: str
    severity: str
    state: str
    time: str
    line: str
    agreements: tuple[str, ...]
    customers: tuple[str, ...]
    is_expectation: bool
    episode: int | None = None
    sequence: int | None = None


def view_of(event: Json, audience: str) -> View:
    """Read an event."""
    data = mapping(event.get("data"))
    name = event_name(event)
    agreements = mappings(data.get("agreements"))
    types = [each.get("type") for each in agreements]
    service = text(data.get("service"))
    return View(
        id=text(event.get("id")),
        name=name,
        meaning=_meaning(name, data),
        key=text(data.get("dedup_key")),
        root=_cause_of(data) or service,
        service=service,
        objective=text(mapping(data.get("objective")).get("name")),
        severity=text(data.get("severity")) or "warning",
        state=text(data.get("state")),
        time=text(event.get("time")),
        line=subject_of(event, audience),
        agreements=tuple(text(each.get("name")) for each in agreements),
        customers=tuple(text(each.get("customer")) for each in agreements if text(each.get("customer"))),
        is_expectation=bool(types) and all(kind == "expectation" for kind in types),
        episode=_count(data.get("episode")),
        sequence=_count(data.get("sequence")),
    )


def gist_of(event: Json) -> Gist:
    """What an on-call tool must hear again with each repeat, or it would take it for another incident."""
    data = mapping(event.get("data"))
    return text(event.get("source")), text(data.get("service")), text(data.get("instance")), text(data.get("opened_at"))


def service_of(key: str) -> str:
    """The service that a dedup key names."""
    return unquote(key.partition("/")[0])


def rank_of(severity: str) -> int:
    """How urgent; an unknown severity counts as a warning."""
    return _RANK.get(severity, 1)


def expected_breach_at(event: Json) -> int | None:
    """When it is missed if nothing changes: the forecast's middle, a ticket's deadline, the start of a maintenance."""
    data = mapping(event.get("data"))
    announced_at, _ = planned_for(event)
    if announced_at is not None:
        return announced_at
    middle = mapping(mapping(data.get("forecast")).get("breach_at")).get("p50")
    return instant(middle) or instant(mapping(data.get("ticket")).get("deadline"))


def planned_for(event: Json) -> tuple[int | None, int | None]:
    """From when to when an announced maintenance lasts."""
    planned = mapping(mapping(event.get("data")).get("maintenance"))
    return instant(planned.get("from")), instant(planned.get("to"))


def target_ms(event: Json) -> int | None:
    """A ticket's target."""
    return _count(mapping(mapping(event.get("data")).get("ticket")).get("target_ms"))


def _count(value: Any) -> int | None:
    return value if type(value) is int else None


def opened_at(event: Json) -> int | None:
    """When the episode began."""
    return instant(mapping(event.get("data")).get("opened_at"))


def instant(value: Any) -> int | None:
    """RFC 3339 as Forewarn writes it, as epoch milliseconds; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return to_epoch_ms(moment.astimezone(UTC)) if moment.tzinfo is not None else None


def mapping(value: Any) -> Json:
    """An object, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: Any) -> list[Json]:
    """The objects of a list, or none."""
    return [each for each in _list(value) if isinstance(each, Mapping)]


def text(value: Any) -> str:
    """A string, or an empty one."""
    return value if isinstance(value, str) else ""


def _meaning(name: str, data: Json) -> Meaning:
    if name == "recovery":
        return Meaning.END
    if name == "correction":
        return Meaning.CORRECTION
    if name == "maintenance":
        return Meaning.PLAN
    if name in ("breach", "unknown"):
        return Meaning.TROUBLE
    # A mark of the budget opens no episode, so nothing will end it.
    is_trouble = name == "early_warning" and data.get("state") != "ok"
    return Meaning.TROUBLE if is_trouble else Meaning.NEWS


def _cause_of(data: Json) -> str:
    """The dependency whose trouble came before, if one is named: it is told with it."""
    for each in _list(data.get("causes")):
        cause = mapping(each)
        if cause.get("type") == "dependency":
            return service_of(text(cause.get("id")))
    return ""


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []
