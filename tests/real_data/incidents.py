"""The audit log of incidents as ticket events: one event for each row, in order of time."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

from sla.units import to_epoch_ms
from tests.real_data.series import DATA

FILE: Final = DATA / "incident_event_log_first1500.csv"
MISSING: Final = "?"


class Row(NamedTuple):
    """One change of an incident."""

    number: str
    at: int
    state: str
    priority: str
    team: str


def rows() -> list[Row]:
    """All rows, by time, then as they stand in the file; the log names no time zone and is read as UTC."""
    with FILE.open(encoding="utf-8", newline="") as file:
        found = [
            Row(
                each["number"],
                _instant(each["sys_updated_at"]),
                each["incident_state"],
                each["priority"],
                each["assignment_group"],
            )
            for each in csv.DictReader(file)
        ]
    return sorted(found, key=lambda row: row.at)


def kept() -> dict[str, bool]:
    """What the instance itself says of each incident that was closed, in the order of the file."""
    with FILE.open(encoding="utf-8", newline="") as file:
        last = {each["number"]: each for each in csv.DictReader(file)}
    return {number: each["made_sla"] == "TRUE" for number, each in last.items() if each["incident_state"] == "Closed"}


def lines() -> Iterator[str]:
    """Replay's input."""
    seen: set[str] = set()
    for row in rows():
        event = "updated" if row.number in seen else "created"
        seen.add(row.number)
        fields = {"state": row.state, "priority": row.priority, "team": None if row.team == MISSING else row.team}
        value = {
            "type": "ticket", "ticket": row.number, "service": "it", "at": row.at, "event": event, "fields": fields,
        }  # fmt: skip
        yield json.dumps({"topic": "sla.tickets.v1", "key": row.number, "value": value, "timestamp": row.at})


def _instant(text: str) -> int:
    return to_epoch_ms(datetime.strptime(text, "%d-%m-%Y %H:%M").replace(tzinfo=UTC))
