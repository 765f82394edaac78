"""What on-call tools need of a message: what to do with the incident, and the event's fields, whatever is there."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from sla.dispatch import Send
from sla.fold import Json
from sla.wording import OUTSIDERS, event_name

_OUTSIDE: Final = ("service", "state", "opened_at", "period", "ticket")
_OUTSIDE_OBJECTIVE: Final = ("name", "target", "window")


class Action(StrEnum):
    """What becomes of the incident of a dedup key."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


def action_of(send: Send) -> Action:
    """As dispatch decided; a message for people, come here as a fallback, opens or ends the incident by its event."""
    if send.action in set(Action):
        return Action(send.action)
    is_over = send.event is not None and event_name(send.event) == "recovery"
    return Action.RESOLVE if is_over else Action.TRIGGER


def data_of(send: Send) -> Json:
    """The event's data; empty where there is none."""
    return mapping((send.event or {}).get("data"))


def seen_of(send: Send) -> Json:
    """The event's data as their audience may see it: who is outside of the house sees nothing of its inside."""
    data = data_of(send)
    if send.audience not in OUTSIDERS:
        return data
    objective, forecast, flags = (mapping(data.get(name)) for name in ("objective", "forecast", "flags"))
    return {
        **{name: data.get(name) for name in _OUTSIDE},
        "objective": {name: objective.get(name) for name in _OUTSIDE_OBJECTIVE},
        "forecast": dict(forecast),
        "flags": {"final": flags.get("final")},
    }


def mapping(value: Any) -> Json:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def text(value: Any) -> str:
    """The value if it is text, else nothing."""
    return value if isinstance(value, str) else ""
