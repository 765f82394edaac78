"""What a fact about a clock publishes: the event for machines, its record, notices, the status, what is fed on."""

from __future__ import annotations

from typing import Any

from sla.audience import notices_of
from sla.clock.flagging import refresh
from sla.clock.framing import Frame, Frames
from sla.clock.labels import Labels
from sla.clock.listed import listed
from sla.clock.report import Draft, Moment, View, event_data
from sla.clock.track import Track
from sla.events import ALERTS, CLOCKS, RECORDS, STATUS, TELEMETRY, EventData, cloud_event
from sla.fold import Emission
from sla.ticket_objective import signal_of
from sla.units import rfc3339


class Publisher:
    """Makes emissions; feeds among them are numbered last, by the fold."""

    def __init__(self, cluster: str, topic: str, partition: int) -> None:
        self._cluster = cluster
        self._source = {"topic": topic, "partition": partition}
        self._frames = Frames()

    def alert(self, view: View, moment: Moment, draft: Draft) -> tuple[list[Emission], EventData]:
        """An event on the alerts topic, its record and its notices; and the data that all types share."""
        refresh(view.track, view.ticket, moment, draft.name, draft.severity.value)
        frame = self._frames.of(moment.catalogue, view.track.service, view.objective)
        data = event_data(view, moment, frame, draft, view.track.next_sequence(ALERTS))
        alert = self._event(ALERTS, draft, data)
        record = self._record(view, moment, frame, draft, alert)
        notices = notices_of(moment.catalogue, draft.name, alert, moment.now) if draft.is_for_people else []
        return [alert, record, *notices], data

    def clock(self, view: View, moment: Moment, draft: Draft) -> tuple[list[Emission], EventData]:
        """An event on the clocks topic, and its record; and the data that all types share."""
        frame = self._frames.of(moment.catalogue, view.track.service, view.objective)
        data = event_data(view, moment, frame, draft, view.track.next_sequence(CLOCKS))
        event = self._event(CLOCKS, draft, data)
        if draft.name == "clock.started" and _has_counted_nothing(view, draft.at):
            return [event], data
        return [event, self._record(view, moment, frame, draft, event)], data

    def _event(self, topic: str, draft: Draft, data: EventData) -> Emission:
        whole = data if draft.more is None else {**data, **draft.more}
        return cloud_event(self._cluster, topic, draft.name, draft.at, whole)

    def status(self, track: Track, at: int, told: EventData) -> Emission:
        """How the promise stands after what was just told of it: the same data."""
        data = {**told, "sequence": track.next_sequence(STATUS)}
        return cloud_event(self._cluster, STATUS, "status", at, data)

    def _record(self, view: View, moment: Moment, frame: Frame, draft: Draft, event: Emission) -> Emission:
        """The inputs of the decision, so that it can be explained after the ticket's events are gone."""
        told = event.value
        data = told["data"]
        body = {
            "type": "alert",
            "event_id": told["id"],
            "event_type": told["type"],
            "dedup_key": event.key,
            "at": rfc3339(draft.at),
            "source": {**self._source, "offset": moment.offset},
            "revision": moment.catalogue.revision,
            "definition": frame.definition,
            "inputs": {"ticket": data["ticket"], "reason": data["reason"], "clock": _clock(view, draft.at)},
        }
        return Emission(RECORDS, event.key, body)


def _has_counted_nothing(view: View, at: int) -> bool:
    """Whether a clock has begun just now, so that there is nothing to explain."""
    run = view.run
    return run is not None and run.counted_from == at and not run.carried_ms


def _clock(view: View, at: int) -> dict[str, Any] | None:
    if view.run is None:
        return None
    exclusions = [each.interval for each in view.exclusions] if view.exclusions else []
    return listed(view.run, view.clock, exclusions, at)


def outcome(view: View, at: int, *, is_good: bool) -> Emission:
    """A clock's outcome as telemetry: one good when met in time, one bad at its breach."""
    service = view.track.service
    body = {
        "type": "counts",
        "service": service,
        "signal": signal_of(view.objective.name),
        "at": rfc3339(at),
        "good": int(is_good),
        "bad": int(not is_good),
    }
    return Emission(TELEMETRY, service, body)


def open_clock(view: View, at: int, change: str, labels: Labels, outcome: str | None) -> Emission:
    """A clock's start, change or end, for whoever forecasts the queue; `labels` are the ticket's team and priority."""
    run, objective, service = view.run, view.objective, view.track.service
    elapsed_ms, due_at = view.reading(at)
    is_paused = run is not None and run.paused_at is not None and run.ended_at is None
    due = None if due_at is None else rfc3339(due_at)
    team, priority = labels
    body = {
        "type": "clock",
        "service": service,
        "objective": objective.name,
        "team": team,
        "priority": priority,
        "ticket": view.ticket,
        "at": rfc3339(at),
        "change": change,
        "deadline": None if is_paused else due,
        "deadline_if_resumed_now": due if is_paused else None,
        "remaining_ms": objective.target_ms - elapsed_ms,
        "target_ms": objective.target_ms,
        "paused": is_paused,
        "outcome": outcome,
    }
    return Emission(TELEMETRY, service, body)
