"""The shapes of everything Forewarn publishes (wire.md 4), as models that the published JSON Schemas are made from.

Nothing in the product is built through these: the folds write plain objects, and tests hold the two together. Every
field is required and null where it does not apply; consumers must ignore fields they do not know.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter

from schemas.outbound.commands import Command
from schemas.outbound.events import Alert, ClockEvent, Forecast, Status
from schemas.outbound.feeds import (
    Ack,
    CatalogueMarker,
    Delivery,
    Notice,
    Reply,
    Send,
    Silence,
    Tick,
    Unack,
    Unsilence,
)
from schemas.outbound.records import DeadLetter, Late, Record

MODELS: Final[dict[str, tuple[str, TypeAdapter[Any]]]] = {
    "alerts": ("What happened to a promise (sla.alerts.v1, sla.alerts.shadow.v1)", TypeAdapter(Alert)),
    "clocks": ("What happened to a ticket's clock (sla.clocks.v1)", TypeAdapter(ClockEvent)),
    "forecasts": ("How many open clocks of a queue will be missed (sla.forecasts.v1)", TypeAdapter(Forecast)),
    "status": ("How each promise stands (sla.status.v1)", TypeAdapter(Status)),
    "records": ("The inputs of decisions, and gaps (sla.records.v1)", TypeAdapter(Record)),
    "commands": ("What people decide (sla.commands.v1)", TypeAdapter(Command)),
    "late": ("Records beyond their grace (sla.late.v1)", TypeAdapter(Late)),
    "dlq": ("Dead letters (sla.dlq.v1)", TypeAdapter(DeadLetter)),
    "notices": (
        "What people are to be told (sla.notices.v1)",
        TypeAdapter(
            Annotated[
                Notice | Ack | Unack | Silence | Unsilence | Reply | Tick | CatalogueMarker,
                Field(discriminator="type"),
            ]
        ),
    ),
    "outbox": (
        "Messages to hand to channels (sla.outbox.v1)",
        TypeAdapter(Annotated[Send | Tick | CatalogueMarker, Field(discriminator="type")]),
    ),
    "deliveries": ("How attempts to tell somebody ended (sla.deliveries.v1)", TypeAdapter(Delivery)),
}


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one kind of outgoing record."""
    title, adapter = MODELS[name]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:forewarn:schema:{name}.v1",
        **adapter.json_schema(by_alias=True, mode="validation"),
        "title": title,
    }
