"""AsyncAPI 3 for Forewarn's topics: what may be written to it and what can be read."""

from __future__ import annotations

from typing import Any, Final

from schemas.inbound.fields import FIELDS_OF, TICKET_FIELDS_OF, Field
from schemas.topics import ALL, Topic

FORMATS_VERSION: Final = "1.0.0"  # of the formats, not of a release: inside v1 fields are only ever added
_SCHEMA_OF: Final = {
    "sla.telemetry.v1": "telemetry",
    "sla.tickets.v1": "tickets",
    "sla.commands.v1": "commands",
    "sla.alerts.v1": "alerts",
    "sla.alerts.shadow.v1": "alerts",
    "sla.clocks.v1": "clocks",
    "sla.forecasts.v1": "forecasts",
    "sla.status.v1": "status",
    "sla.records.v1": "records",
    "sla.late.v1": "late",
    "sla.dlq.v1": "dlq",
    "sla.notices.v1": "notices",
    "sla.outbox.v1": "outbox",
    "sla.deliveries.v1": "deliveries",
}
"""The JSON Schema, `<name>.schema.json`, of each topic that others may write or read."""


def telemetry_schema() -> dict[str, Any]:
    """The JSON Schema of `sla.telemetry.v1`: it accepts what the decoder accepts, and little else."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:forewarn:schema:telemetry.v1",
        "title": "Measurements and facts about services (sla.telemetry.v1)",
        "oneOf": [_record_schema(kind, fields) for kind, fields in FIELDS_OF.items()],
    }


def tickets_schema() -> dict[str, Any]:
    """The JSON Schema of `sla.tickets.v1`, likewise. A reply must also say by whom."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:forewarn:schema:tickets.v1",
        "title": "What happens to tickets (sla.tickets.v1)",
        "oneOf": [_record_schema(kind, fields) for kind, fields in TICKET_FIELDS_OF.items()],
    }


def asyncapi() -> dict[str, Any]:
    """The document: every topic of the product that has a schema is a channel."""
    topics = [topic for topic in ALL if topic.name in _SCHEMA_OF]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Forewarn",
            "version": FORMATS_VERSION,
            "description": "Says before a promise breaks that it will. Telemetry in, events out, over Kafka.",
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in topics},
        "operations": dict(_operation(topic) for topic in topics),
        "components": {"messages": {name: _message(name) for name in sorted(set(_SCHEMA_OF.values()))}},
    }


def _record_schema(kind: str, fields: tuple[Field, ...]) -> dict[str, Any]:
    properties: dict[str, Any] = {"type": {"const": kind}}
    for name, value, is_required in fields:
        properties[name] = dict(value.schema) if is_required else {"anyOf": [dict(value.schema), {"type": "null"}]}
    required = ["type", *(field.name for field in fields if field.is_required)]
    return {"type": "object", "title": kind, "properties": properties, "required": required}


def _channel(topic: Topic) -> dict[str, Any]:
    kafka: dict[str, Any] = {"topic": topic.name, "bindingVersion": "0.5.0"}
    if topic.partitions is not None:
        kafka["partitions"] = topic.partitions
    name = _SCHEMA_OF[topic.name]
    return {
        "address": topic.name,
        "description": f"Key: {topic.key}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {"kafka": kafka},
    }


def _operation(topic: Topic) -> tuple[str, dict[str, Any]]:
    """Seen from Forewarn: it receives what producers write and sends all else."""
    action = "receive" if {"producers", "people"} & set(topic.writers) else "send"
    place = topic.name.replace(".", "_")
    return f"{action}_{place}", {"action": action, "channel": {"$ref": f"#/channels/{topic.name}"}}


def _message(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "contentType": "application/json",
        "payload": {"$ref": f"./{name}.schema.json"},
        "bindings": {"kafka": {"key": {"type": ["string", "null"]}, "bindingVersion": "0.5.0"}},
    }
