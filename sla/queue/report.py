"""What a queue's forecast says: an event with the same data as an alert, and the numbers of the queue."""

from __future__ import annotations

from typing import Final

from sla.audience import agreement_ref, notices_of, ticket_objective_ref
from sla.catalogue import Catalogue
from sla.dedup import queue_key
from sla.events import (
    FORECASTS,
    Advice,
    Confidence,
    EventData,
    Flags,
    Quantiles,
    QueueView,
    cloud_event,
    no_reason,
)
from sla.fold import Emission
from sla.forecast import Outlook
from sla.queue.outlook import QueueOutlook
from sla.queue.queue import Queue, QueueName
from sla.ticket_objective import TicketObjective, signal_of
from sla.units import MILLION, from_epoch_ms, rfc3339, rounded

RULE: Final = "queue"


def publish(
    cluster: str, catalogue: Catalogue, queue: Queue, outlook: QueueOutlook, at: int, now: int
) -> list[Emission]:
    """The forecast of a queue at an instant, and a notice for each who must know; nothing of what is not defined."""
    name = queue.name
    objective = next((each for each in catalogue.of_tickets(name.service) if each.name == name.objective), None)
    if objective is None:
        return []
    queue.sequence += 1
    data = _data(catalogue, objective, queue, outlook, now)
    view = QueueView(
        team=name.team,
        priority=name.priority,
        open_count=len(queue.open),
        paused_count=queue.paused_count,
        sample_count=queue.samples_count,
        by=None if outlook.by_at is None else rfc3339(outlook.by_at),
        breach_count={"p10": outlook.quantile(10), "p50": outlook.quantile(50), "p90": outlook.quantile(90)},
    )
    event = cloud_event(cluster, FORECASTS, "forecast", at, {**data, "queue": view})
    return [event, *notices_of(catalogue, "forecast", event, now)]


def _data(catalogue: Catalogue, objective: TicketObjective, queue: Queue, outlook: QueueOutlook, now: int) -> EventData:
    name, count = queue.name, outlook.quantile(50)
    service = catalogue.services.get(name.service)
    return EventData(
        dedup_key=queue_key(name.service, name.objective, name.team, name.priority),
        sequence=queue.sequence,
        episode=0,
        severity="warning" if count else "info",
        state="at_risk" if count else "ok",
        previous_state="at_risk" if queue.told is not None and queue.told.missed else "ok",
        service=name.service,
        signal=signal_of(name.objective),
        instance=None,
        objective=ticket_objective_ref(objective),
        agreements=[agreement_ref(agreement) for agreement in catalogue.agreements_of(name.objective)],
        owner=service.owner if service else None,
        opened_at=None,
        evaluated_at=rfc3339(now),
        reason=no_reason(RULE),
        budget=None,
        forecast={
            "breach_at": _first(outlook.first),
            "p_breach_in_window": rounded(outlook.first.share_ppm(), MILLION, 4),
        },
        confidence=Confidence(level="partial" if queue.left_out_count else "full", coverage=_coverage(queue)),
        flags=Flags(
            acked_by=None,
            acked_until=None,
            silenced=False,
            suppressed_by=None,
            no_data=False,
            historic=False,
            final=False,
        ),
        ticket=None,
        causes=[],
        exclusions=[],
        advice=Advice(
            summary=_summary(name, count, outlook.by_at), actions=[], runbook=service.runbook if service else None
        ),
    )


def _first(outlook: Outlook) -> Quantiles | None:
    p10, p50, p90 = (outlook.quantile(percent) for percent in (10, 50, 90))
    if p10 is None or p50 is None or p90 is None:
        return None
    return Quantiles(p10=rfc3339(p10), p50=rfc3339(p50), p90=rfc3339(p90))


def _coverage(queue: Queue) -> float:
    seen = len(queue.open)
    return rounded(seen, seen + queue.left_out_count, 4) if seen else 1.0


def _summary(name: QueueName, count: int, by_at: int | None) -> str:
    kind = " ".join(part for part in (name.priority, "ticket" if count == 1 else "tickets") if part)
    team = f" of {name.team}" if name.team else ""
    if by_at is None:
        return f"At the pace of late no open {kind}{team} will miss the target within a day."
    return f"At the pace of late {count} {kind}{team} will breach by {from_epoch_ms(by_at):%Y-%m-%d %H:%M} UTC."
