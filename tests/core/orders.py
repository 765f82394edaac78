"""People's orders as `route` feeds them, and what a fold made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sla.fold import Emission


def order(kind: str, at: int, name: str = "c1", **fields: Any) -> dict[str, Any]:
    """A command as `route` feeds it; its log time is its place among those of its source."""
    return {"type": kind, "id": name, "by": "bob", **fields, "source": "forewarn:sla.commands.v1/0", "sequence": at}


def outcomes(emissions: Iterable[Emission]) -> list[tuple[str, str]]:
    found = [each.value for each in emissions if each.topic == "sla.records.v1"]
    return [(each["type"], each.get("detail") or "") for each in found if each["type"].startswith("command_")]


def flags_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """Those that differ from the usual ones."""
    usual = {"acked_by": None, "acked_until": None, "silenced": False, "suppressed_by": None}
    told = event["data"]["flags"]
    return {name: told[name] for name in usual if told[name] != usual[name]}


def changes(events: Iterable[Mapping[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """The rule and what differs from the usual flags, of each `flags_changed`."""
    return [(event["data"]["reason"]["rule"], flags_of(event)) for event in events]
