"""The demo in lines that a person can read, and the table at its end."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from forewarn.console import table
from forewarn.demo.expectations import Sighting, Verdict
from forewarn.demo.scenarios import SCENARIOS
from schemas.instants import read_instant
from sla.units import HOUR_MS, MINUTE_MS, SECOND_MS, spoken
from sla.wording import event_name

HEAD: Final = ("SCENARIO", "SERVICE", "WARNED AT", "BREACHED AT", "LEAD TIME", "AS EXPECTED", "WHY")
_COLOURS: Final = {"early_warning": "33", "breach": "31;1", "recovery": "32", "unknown": "36"}
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_FAR_MS: Final = 2 * HOUR_MS  # beyond it nobody counts in minutes
_WIDTH: Final = max(len(scenario.service) for scenario in SCENARIOS)


class Entry(NamedTuple):
    """One line of the timeline: when it happened, in log time since the start, to which service, what."""

    offset_ms: int
    service: str
    what: str
    kind: str  # `turn`, `told`, or the name of an event
    event_id: str = ""


def clock_text(offset_ms: int) -> str:
    """Log time since the start as `12:30` (minutes and seconds)."""
    return f"{offset_ms // MINUTE_MS:02d}:{offset_ms % MINUTE_MS // SECOND_MS:02d}"


def turns() -> list[Entry]:
    """What will happen to the services, by time."""
    found = [Entry(at, each.service, words, "turn") for each in SCENARIOS for at, words in each.turns]
    return sorted(found)


def alert_entry(event: Mapping[str, Any], at: int, start_at: int) -> Entry:
    """An event of `sla.alerts.v1`."""
    data, name = event["data"], event_name(event)
    reason = data["reason"]
    detail = reason.get("tier") or reason.get("mark")
    why = str(reason["rule"]).replace("_", " ") + (f" {detail}" if detail else "")
    # The same state again: the forecast has moved, or a mark of the budget was reached.
    again = "STILL AT RISK" if data["state"] == data["previous_state"] == "at_risk" else headline(event).upper()
    summary = in_play((data.get("advice") or {}).get("summary") or "", start_at)
    return Entry(at - start_at, data["service"], f"{again} ({why}) {summary}".rstrip(), name, event["id"])


def with_told(entry: Entry, stakeholders: Sequence[str]) -> Entry:
    """An alert's entry that also says who was told of it."""
    return entry._replace(what=f"{entry.what} Told {', '.join(stakeholders)}.") if stakeholders else entry


def delivery_entry(delivery: Mapping[str, Any], offset_ms: int, subject: str) -> Entry:
    """A record of `sla.deliveries.v1` that is told on its own: it failed, or came after its alert was printed."""
    service = str(delivery["dedup_key"]).partition("/")[0]
    who, by = delivery["stakeholder"], delivery["channel"]["kind"]
    several = f" of {len(delivery['event_ids'])} events in one message" if len(delivery["event_ids"]) > 1 else ""
    about = several or (f": {subject}" if subject else "")
    words = f"told {who}{about}" if delivery["outcome"] == "delivered" else f"could not tell {who} by {by}"
    return Entry(offset_ms, service, words, "told", delivery["event_id"])


def night_entry(delivery: Mapping[str, Any], offset_ms: int, what: str) -> Entry:
    """What was held at night, or the digest that told of it when the day began."""
    service = str(delivery["dedup_key"]).partition("/")[0]
    return Entry(offset_ms, service, what, "told", f"night/{delivery['id']}")


def question_entry(message: Mapping[str, Any], question: Mapping[str, Any], offset_ms: int, start_at: int) -> Entry:
    """A question in a message of `sla.outbox.v1`: what somebody is asked to plan for, and by when."""
    service = str(question["dedup_key"]).partition("/")[0]
    expected = str(question["question"]).partition(" Please decide")[0]
    words = f"{message['stakeholder']} is asked to plan, by {question['answer_by']}. {expected}"
    return Entry(offset_ms, service, in_play(words, start_at), "told", f"question/{message['id']}/{service}")


def in_play(text: str, start_at: int) -> str:
    """A text with its instants as the play counts them."""

    def counted(found: re.Match[str]) -> str:
        at = read_instant(found[0])
        if at is None or at < start_at:
            return found[0]
        offset_ms = at - start_at
        return f"+{clock_text(offset_ms) if offset_ms < _FAR_MS else spoken(offset_ms)}"

    return _INSTANT.sub(counted, text)


def reply_entry(reply: Mapping[str, Any], offset_ms: int) -> Entry:
    """A `forewarn.planning_reply.v1`: what somebody will do about what is ahead, or that nobody has said."""
    data = reply["data"]
    service = str(data["dedup_key"]).partition("/")[0]
    answered = f"answers: {data['answer']}, {data['text']}" if data["answer"] else "has not answered in time"
    return Entry(offset_ms, service, f"{data['stakeholder']} was asked to plan and {answered}", "told", reply["id"])


def headline(event: Mapping[str, Any]) -> str:
    """`early warning` and so on."""
    return event_name(event).replace("_", " ")


def line_of(entry: Entry, *, colour: bool) -> str:
    """The entry as printed."""
    what = entry.what if entry.kind not in ("turn", "told") else f"· {entry.what}"
    code = _COLOURS.get(entry.kind)
    shown = f"\x1b[{code}m{what}\x1b[0m" if colour and code else what
    return f"+{clock_text(max(0, entry.offset_ms))}  {entry.service:<{_WIDTH}}  {shown}"


def sighting_of(event: Mapping[str, Any], at: int) -> Sighting:
    """What an expectation needs of an alert."""
    data = event["data"]
    return Sighting(event_name(event), data["state"], data["reason"]["rule"], at)


class Judged(NamedTuple):
    """A scenario's name, which service or person it is about, and the verdict."""

    name: str
    about: str
    verdict: Verdict


def verdict_row(judged: Judged, start_at: int) -> tuple[str, ...]:
    """One row of the table under `HEAD`."""

    def when(at: int | None) -> str:
        return "-" if at is None else f"+{clock_text(at - start_at)}"

    name, about, verdict = judged
    lead = "-" if verdict.lead_ms is None else spoken(verdict.lead_ms)
    met = "yes" if verdict.is_met else "NO"
    return (name, about, when(verdict.warned_at), when(verdict.breached_at), lead, met, verdict.why)


def verdict_table(judged: Sequence[Judged], start_at: int) -> list[str]:
    """The table: scenario, warned at, breached at, lead time, and whether that was to be seen."""
    return table(HEAD, [verdict_row(each, start_at) for each in judged])
