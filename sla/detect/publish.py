"""What one decision publishes: the event for machines, its record, the status, and a notice for each who must know."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from marshal import dumps
from typing import Any, Final, cast

from sla.audience import notices_of
from sla.catalogue import Mode, Severity
from sla.detect.flagging import refresh
from sla.detect.machine import Draft
from sla.detect.report import Scene, event_data
from sla.events import ALERTS, NOTICES, RECORDS, SHADOW, STATUS, TELEMETRY, EventData, cloud_event
from sla.fold import Emission
from sla.standing import Standing
from sla.units import rfc3339, span_text

_STEADY_RULE: Final = {Standing.UNKNOWN: "no_data", Standing.OK: "within_budget", Standing.BREACHED: "budget_spent"}


class Publisher:
    """Makes emissions; feeds among them are numbered last, by the fold."""

    def __init__(self, cluster: str, topic: str, partition: int) -> None:
        self.cluster = cluster
        self.topic = topic
        self.partition = partition

    def publish(self, scene: Scene, drafts: Sequence[Draft]) -> list[Emission]:
        """The events of one objective at one instant, in order, and its status when the state turned."""
        emissions: list[Emission] = []
        for draft in drafts:
            emissions += self.event(scene, draft)
        return emissions

    def event(
        self, scene: Scene, draft: Draft, more: dict[str, Any] | None = None, key: str | None = None, sequence: int = 0
    ) -> list[Emission]:
        """One event, its record and its notices.

        `more` is what its type adds to the data; `key` stands in for the objective's dedup key, with a `sequence` of
        its own, where the fact is not one of the objective alone.
        """
        track = scene.account.track
        if key is None:
            refresh(track, scene, draft.name, draft.severity.value)
        is_shadow = track.objective.mode is Mode.SHADOW
        topic = SHADOW if is_shadow else ALERTS
        data = event_data(scene, draft, sequence if key is not None else track.next_sequence(topic))
        if key is not None:
            data["dedup_key"] = key
        alert = cloud_event(self.cluster, topic, draft.name, scene.at, {**data, **(more or {})})
        if key is None:
            track.last_alert_id = alert.value["id"]
            if draft.name == "breach":
                track.last_breach_id, track.breach_at = alert.value["id"], scene.at
        emissions = [alert, self._record(scene, alert, data)]
        if not is_shadow:
            emissions += notices_of(scene.catalogue, draft.name, alert, scene.now)
            if draft.previous is not draft.standing and not data["flags"]["historic"]:
                emissions += _to_dependants(scene, draft, data["dedup_key"])
        return emissions

    def announcement(self, scene: Scene, draft: Draft, more: dict[str, Any], key: str) -> list[Emission]:
        """What only people are told of: a notice each and its record, under a dedup key of its own."""
        if scene.account.track.objective.mode is Mode.SHADOW:
            return []
        data: dict[str, Any] = {**event_data(scene, draft, 1), **more, "dedup_key": key}
        event = cloud_event(self.cluster, NOTICES, draft.name, scene.at, data)
        record = self._record(scene, event, cast("EventData", data))
        return [record, *notices_of(scene.catalogue, draft.name, event, scene.now)]

    def turn_status(self, scene: Scene, draft: Draft | None) -> list[Emission]:
        """The status at a transition: the same data as the event that tells of it."""
        track = scene.account.track
        if track.objective.mode is Mode.SHADOW:
            return []
        steady = event_data(scene, steady_draft(scene), 0)
        track.status_print = _print_of(steady)
        data = steady if draft is None else event_data(scene, draft, 0)
        return [self._status(scene, data)]

    def minute_status(self, scene: Scene) -> list[Emission]:
        """The status at a whole minute, if it says anything new."""
        track = scene.account.track
        if track.objective.mode is Mode.SHADOW:
            return []
        data = event_data(scene, steady_draft(scene), 0)
        printed = _print_of(data)
        if printed == track.status_print:
            return []
        track.status_print = printed
        return [self._status(scene, data)]

    def _status(self, scene: Scene, data: EventData) -> Emission:
        data["sequence"] = scene.account.track.next_sequence(STATUS)
        return cloud_event(self.cluster, STATUS, "status", scene.at, cast("dict[str, Any]", data))

    def _record(self, scene: Scene, alert: Emission, data: EventData) -> Emission:
        """The inputs of the decision, so that it can be explained after the telemetry is gone."""
        account, stream = scene.account, scene.stream
        objective = account.objective
        windows = {
            span_text(span) if isinstance(span, int) else span.text: {
                "from": rfc3339(window.edge),
                "total_count": account.ledger.read(span).total,
                "bad_count": account.ledger.read(span).bad,
            }
            for span, window in account.ledger.windows.items()
        }
        body = {
            "type": "alert",
            "event_id": alert.value["id"],
            "event_type": alert.value["type"],
            "dedup_key": data["dedup_key"],
            "at": rfc3339(scene.at),
            "source": {"topic": self.topic, "partition": self.partition, "offset": scene.offset},
            "revision": scene.catalogue.revision,
            "definition": {
                "name": objective.name,
                "version": objective.version,
                "target_ppm": objective.target_ppm,
                "window": objective.window.text,
            },
            "inputs": {
                "windows": windows,
                "first_seen_at": rfc3339(stream.seen.first_at) if stream.seen.first_at is not None else None,
                "seen_ms": account.seen_ms(stream.seen, scene.at),
                "budget": data["budget"],
                "reason": data["reason"],
                "burning": sorted(account.track.burning),
                "uncounted": [[rfc3339(a), rfc3339(b)] for a, b in account.uncounted(scene.at)],
            },
        }
        return Emission(RECORDS, data["dedup_key"], body)


def _to_dependants(scene: Scene, draft: Draft, key: str) -> list[Emission]:
    """How it stands now, for the services that cannot do without this one."""
    service = scene.account.objective.service
    told = {"dependency": service, "dedup_key": key, "state": draft.standing.value, "at": rfc3339(scene.at)}
    return [
        Emission(TELEMETRY, name, {"type": "dependency", "service": name, **told})
        for name in scene.catalogue.dependants_of(service)
    ]


def steady_draft(scene: Scene) -> Draft:
    """What holds now, told without anything having happened."""
    track, reading = scene.account.track, scene.reading
    severity = track.highest if track.is_open else Severity.INFO
    if track.standing is Standing.AT_RISK:
        rule = "burn_rate" if reading.firing is not None else "forecast"
        return Draft("status", rule, severity, track.standing, track.standing, reading.firing)
    if track.standing is Standing.OK and reading.doubtful is not None:
        return Draft("status", "burn_rate", severity, track.standing, track.standing, reading.doubtful)
    return Draft("status", _STEADY_RULE[track.standing], severity, track.standing, track.standing)


def _print_of(data: EventData) -> str:
    """What tells one status from the next: all of it but its number and the instant it was worked out.

    Each minute that of every promise is taken: by `marshal`, which is ten times as fast as JSON. The second version of
    its format writes equal values alike, whichever of them are shared.
    """
    told = dict(data)
    del told["sequence"], told["evaluated_at"]
    return sha256(dumps(told, 2)).hexdigest()[:16]
