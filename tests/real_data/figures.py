"""What a replay of the series said, as tables: `python -m tests.real_data.figures events.jsonl` prints them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from schemas.topics import ALERTS
from tests.real_data.series import Stretch, stretches


class Event(NamedTuple):
    """An alert, as far as the figures need it."""

    at: datetime
    kind: str
    objective: str
    episode: int
    state: str
    severity: str
    rule: str


class Lead(NamedTuple):
    """A breach and what was said before it in its episode."""

    objective: str
    warning: Event | None
    critical: Event | None  # the first of that severity; None where none came before the breach
    breach: Event

    @property
    def time(self) -> timedelta | None:
        """From the first warning to the breach."""
        return self.breach.at - self.warning.at if self.warning else None


def alerts(printed: Iterable[str]) -> list[Event]:
    """The alerts among the lines that a replay printed."""
    entries = (json.loads(line) for line in printed)
    return [_event(entry["value"]) for entry in entries if entry["topic"] == ALERTS.name]


def _event(alert: dict[str, Any]) -> Event:
    data = alert["data"]
    return Event(
        datetime.fromisoformat(alert["time"]),
        alert["type"].split(".")[1],
        data["objective"]["name"],
        data["episode"],
        data["state"],
        data["severity"],
        data["reason"]["rule"],
    )


def is_warning(event: Event) -> bool:
    """Early warnings of every rule, budget marks and moved forecasts too."""
    return event.kind == "early_warning"


def leads(events: Sequence[Event]) -> list[Lead]:
    """Each breach with the first warning that said: at risk."""
    found = []
    for breach in (event for event in events if event.kind == "breach"):
        before = [
            event
            for event in events
            if is_warning(event)
            and (event.objective, event.episode) == (breach.objective, breach.episode)
            and event.state == "at_risk"
            and event.at < breach.at
        ]
        critical = (event for event in before if event.severity == "critical")
        found.append(Lead(breach.objective, before[0] if before else None, next(critical, None), breach))
    return sorted(found, key=lambda lead: lead.objective)


def warnings_in(events: Sequence[Event], objective: str, stretch: Stretch) -> list[Event]:
    """The warnings of an objective in a stretch."""
    return [e for e in events if is_warning(e) and e.objective == objective and stretch.holds(e.at)]


def false_alarms(events: Sequence[Event], objective: str) -> int:
    """Episodes that were at risk and recovered without a breach."""
    own = [event for event in events if event.objective == objective]
    ended = {event.episode for event in own if event.kind == "recovery"}
    breached = {event.episode for event in own if event.kind == "breach"}
    return len(ended - breached)


def tables(events: Sequence[Event]) -> list[list[str]]:
    """The tables of docs/real-data.md, in its order."""
    return [_outcomes(events), _leads(events), _warnings(events)]


def _outcomes(events: Sequence[Event]) -> list[str]:
    rows = [["objective", "breaches", "of them warned of", "false alarms", "warnings", "of them before the label"]]
    label = stretches()[-1]
    for objective in objectives_of(events):
        found = [lead for lead in leads(events) if lead.objective == objective]
        told = [event for event in events if is_warning(event) and event.objective == objective]
        counts = (
            len(found),
            sum(lead.warning is not None for lead in found),
            false_alarms(events, objective),
            len(told),
            sum(event.at < label.start for event in told),
        )
        rows.append([objective, *map(str, counts)])
    return _markdown(rows)


def _leads(events: Sequence[Event]) -> list[str]:
    rows = [["objective", "first warning", "its rule", "first critical one", "breach", "lead time"]]
    for lead in leads(events):
        told = lead.warning
        rule = told.rule if told else "–"
        instants = [_instant(told), rule, _instant(lead.critical), _instant(lead.breach)]
        rows.append([lead.objective, *instants, _hours(lead.time)])
    return _markdown(rows)


def _warnings(events: Sequence[Event]) -> list[str]:
    parts = stretches()
    rows = [["objective", *(f"{part.name}, {part.days:.1f} days" for part in parts)]]
    for objective in objectives_of(events):
        counts = [(part, len(warnings_in(events, objective, part))) for part in parts]
        rows.append([objective, *(f"{count / part.days:.2f} ({count})" for part, count in counts)])
    return _markdown(rows)


def objectives_of(events: Sequence[Event]) -> list[str]:
    """The objectives that anything was said of."""
    return sorted({event.objective for event in events})


def _instant(event: Event | None) -> str:
    return event.at.strftime("%d %B %H:%M") if event else "–"


def _hours(span: timedelta | None) -> str:
    if span is None:
        return "–"
    hours, seconds = divmod(int(span.total_seconds()), 3600)
    return f"{hours} h {seconds // 60} min"


def _markdown(rows: list[list[str]]) -> list[str]:
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return [head, f"|{' --- |' * len(rows[0])}", *body]


if __name__ == "__main__":
    with Path(sys.argv[1]).open(encoding="utf-8") as file:
        told = alerts(file)
    sys.stdout.write("\n\n".join("\n".join(table) for table in tables(told)) + "\n")
