"""`forewarn send …`: one record by hand, checked before it is written."""

from __future__ import annotations

import time
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from forewarn.cli_options import AsJson, new_app
from forewarn.connection import kafka_config
from forewarn.console import Console, UserError
from sla.records import Actor, Approval, Category, TicketEvent

app = new_app("Produce one record by hand.")

Service = Annotated[str, typer.Option(help="The service; the record's key.")]
Signal = Annotated[str, typer.Option(help="The stream of measurements.")]
At = Annotated[str | None, typer.Option(help="RFC 3339 with an offset, or epoch milliseconds; now if not given.")]
Instance = Annotated[str | None, typer.Option(help="Customer, region or tenant.")]


class Up(StrEnum):
    """A state, as a person types it."""

    UP = "up"
    DOWN = "down"


@app.command()
def counts(
    *,
    service: Service,
    signal: Signal,
    good: Annotated[int, typer.Option(help="Good events since the last record.")],
    bad: Annotated[int, typer.Option(help="Bad events since the last record.")],
    at: At = None,
    instance: Instance = None,
    as_json: AsJson = False,
) -> None:
    """Send good and bad events of a signal."""
    measured = {"type": "counts", "service": service, "signal": signal, "at": _instant(at), "good": good, "bad": bad}
    _send(measured | {"instance": instance}, Console(as_json=as_json))


@app.command()
def sample(
    *,
    service: Service,
    signal: Signal,
    value: Annotated[float, typer.Option(help="The measurement, a finite number.")],
    at: At = None,
    instance: Instance = None,
    as_json: AsJson = False,
) -> None:
    """Send one measurement."""
    measured = {"type": "sample", "service": service, "signal": signal, "at": _instant(at), "value": value}
    _send(measured | {"instance": instance}, Console(as_json=as_json))


@app.command()
def state(
    *,
    service: Service,
    signal: Signal,
    to: Annotated[Up, typer.Argument(help="What it is from now on.")],
    at: At = None,
    instance: Instance = None,
    as_json: AsJson = False,
) -> None:
    """Send that a service is up or down."""
    measured = {"type": "state", "service": service, "signal": signal, "at": _instant(at), "up": to is Up.UP}
    _send(measured | {"instance": instance}, Console(as_json=as_json))


@app.command()
def change(
    *,
    service: Service,
    change_id: Annotated[str, typer.Option("--id", help="The change's own id, such as deploy-8812.")],
    summary: Annotated[str | None, typer.Option(help="What was changed.")] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Send that something was rolled out; it is named as a possible cause of what follows."""
    fact = {"type": "change", "service": service, "at": _instant(at), "id": change_id, "summary": summary}
    _send(fact, Console(as_json=as_json))


@app.command()
def exclusion(
    *,
    service: Service,
    exclusion_id: Annotated[str, typer.Option("--id", help="The exclusion's own id, such as CHG-7.")],
    from_at: Annotated[str, typer.Option("--from", help="Its beginning, as --at elsewhere.")],
    to_at: Annotated[str, typer.Option("--to", help="Its end.")],
    reason: Annotated[str, typer.Option(help="Why the time does not count.")],
    category: Annotated[Category, typer.Option(help="Only planned draws on a maintenance allowance.")],
    status: Annotated[Approval, typer.Option(help="Only approved removes time.")] = Approval.APPROVED,
    requested_by: Annotated[str | None, typer.Option(help="Who asked for it.")] = None,
    approved_by: Annotated[str | None, typer.Option(help="Who approved it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send that a stretch of time does not count, or no longer does not."""
    fact = {
        "type": "exclusion",
        "service": service,
        "id": exclusion_id,
        "from": _instant(from_at),
        "to": _instant(to_at),
        "reason": reason,
        "category": category.value,
        "status": status.value,
        "requested_by": requested_by,
        "approved_by": approved_by,
    }
    _send(fact, Console(as_json=as_json))


@app.command()
def ticket(
    *,
    ticket_id: Annotated[str, typer.Option("--id", help="The ticket's own id, such as INC-1042; the record's key.")],
    service: Service,
    event: Annotated[TicketEvent, typer.Argument(help="What happened.")],
    by: Annotated[Actor | None, typer.Option(help="Who did it; a reply needs it.")] = None,
    field: Annotated[list[str] | None, typer.Option(help="What changed, as name=value; repeat it.")] = None,
    imported: Annotated[bool, typer.Option("--import", help="It happened long ago: nobody is told of it.")] = False,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Send an event of a ticket."""
    body = {
        "type": "ticket",
        "ticket": ticket_id,
        "service": service,
        "at": _instant(at),
        "event": event.value,
        "by": None if by is None else by.value,
        "fields": _fields(field),
        "import": imported or None,
    }
    _send(body, Console(as_json=as_json))


def _fields(pairs: list[str] | None) -> dict[str, str | None] | None:
    """What changed; an empty value removes a field."""
    if not pairs:
        return None
    split = [pair.partition("=") for pair in pairs]
    unclear = [pair for pair, (name, equals, _) in zip(pairs, split, strict=True) if not (name and equals)]
    if unclear:
        raise UserError(f"{unclear[0]!r} is not name=value", "write --field priority=P1")
    return {name: value or None for name, _, value in split}


def _instant(text: str | None) -> str | int:
    """What the record says: the text, or a number where it is one; the decoder judges it."""
    if text is None:
        return _now_ms()
    return int(text) if text.isascii() and text.isdigit() else text


def _send(body: Mapping[str, Any], console: Console) -> None:
    from forewarn.send import record_of, send  # noqa: PLC0415 — start-up stays fast

    record = record_of(body, _now_ms())
    topic, partition, offset = send(kafka_config(), record)
    where = {"topic": topic, "partition": partition, "offset": offset, "key": record.key}
    console.record(where, f"{topic} partition {partition} offset {offset}: {record.value.decode()}")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
