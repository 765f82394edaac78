"""Events as they come, one readable line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

import orjson

from forewarn.console import UserError
from forewarn.kafka import Read
from sla.units import rfc3339
from sla.wording import subject_of


class Feed(StrEnum):
    """What can be watched, by the name a person would use."""

    ALERTS = "alerts"
    CLOCKS = "clocks"
    FORECASTS = "forecasts"
    STATUS = "status"
    NOTICES = "notices"
    DELIVERIES = "deliveries"
    DLQ = "dlq"
    LATE = "late"
    RECORDS = "records"

    @property
    def topic(self) -> str:
        """`sla.alerts.v1` of `alerts`."""
        return f"sla.{self.value}.v1"


def feed_of(name: str) -> Feed:
    """The feed of that name; a `UserError` that names all of them otherwise."""
    try:
        return Feed(name.removeprefix("sla.").removesuffix(".v1"))
    except ValueError:
        raise UserError(f"nothing to watch is called {name!r}", f"choose from {', '.join(Feed)}") from None


def as_json(record: Read) -> dict[str, Any]:
    """A record as `forewarn replay` spells its input, so that what was tailed can be replayed."""
    value = _value(record.value)
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp_ms,
        "key": None if record.key is None else record.key.decode(errors="replace"),
        "value": value,
    }


def line_of(record: Read) -> str:
    """A record in one line: when, and what a person would want to know of it."""
    value = _value(record.value)
    if not isinstance(value, Mapping):
        return f"{rfc3339(record.timestamp_ms)}  {value!r}"
    at = value.get("time") or value.get("at") or rfc3339(record.timestamp_ms)
    return f"{at}  {_SUMMARIES[record.topic](value)}"


def _alert(value: Mapping[str, Any]) -> str:
    data = _mapping(value.get("data"))
    summary = _mapping(data.get("advice")).get("summary")
    rule = _mapping(data.get("reason")).get("rule")
    return "  ".join(str(part) for part in (subject_of(value), rule and f"({rule})", summary) if part)


def _status(value: Mapping[str, Any]) -> str:
    data = _mapping(value.get("data"))
    left = _mapping(data.get("budget")).get("remaining_ratio")
    share = f"  budget left {left:.1%}" if isinstance(left, (int, float)) else ""
    return f"{data.get('dedup_key')}  {data.get('state')}{share}"


def _notice(value: Mapping[str, Any]) -> str:
    event = value.get("event")
    if not isinstance(event, Mapping):
        return f"{value.get('type')} by {value.get('by')}" if value.get("by") else str(value.get("type"))
    return f"to {value.get('stakeholder')}: {subject_of(event)}"


def _delivery(value: Mapping[str, Any]) -> str:
    channel = _mapping(value.get("channel")).get("kind")
    by = f" by {channel}" if channel else ""
    detail = f": {value['detail']}" if value.get("detail") else ""
    to = "to" if channel else "for"
    return f"{value.get('outcome')} {to} {value.get('stakeholder') or 'nobody'}{by}{detail} ({value.get('dedup_key')})"


def _dead_letter(value: Mapping[str, Any]) -> str:
    where = f"{value.get('topic')}/{value.get('partition')}@{value.get('offset')}"
    return f"{value.get('reason')} at {where}: {value.get('detail')}"


def _late(value: Mapping[str, Any]) -> str:
    counted = "counted" if value.get("counted") else "not counted"
    return f"late by {value.get('late_ms')} ms, {counted}: {_compact(value.get('record'))}"


def _compact(value: Any) -> str:
    return orjson.dumps(value).decode()


_SUMMARIES: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    Feed.ALERTS.topic: _alert,
    Feed.CLOCKS.topic: _alert,
    Feed.STATUS.topic: _status,
    Feed.NOTICES.topic: _notice,
    Feed.DELIVERIES.topic: _delivery,
    Feed.DLQ.topic: _dead_letter,
    Feed.LATE.topic: _late,
    Feed.RECORDS.topic: _compact,
}


def _value(raw: bytes | None) -> Any:
    """The JSON value; bytes that are none stand as text."""
    if raw is None:
        return None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw.decode(errors="replace")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
