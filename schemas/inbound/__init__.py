"""Records of `sla.telemetry.v1` from bytes: `decode_telemetry`; in bulk `read_plain_counts` (wire.md 1).

Those of `sla.tickets.v1`: `decode_tickets` (wire.md 2).
"""

from __future__ import annotations

from schemas.inbound.diagnosis import diagnose
from schemas.inbound.glance import glance
from schemas.inbound.plain import read_plain_counts
from schemas.inbound.tickets import decode_tickets
from sla.fold import Line
from sla.orders import ServiceOrder
from sla.records import Rejection, TelemetryRecord


def decode_telemetry(line: Line, now: int) -> TelemetryRecord | ServiceOrder | Rejection:
    """What a line says, or why it cannot be used; never an exception, whatever the bytes are.

    `now` is the partition's log time after the line was read: an `at` more than 5 min ahead of it is refused, one
    less far ahead becomes `now`.
    """
    record = glance(line, now)
    return diagnose(line, now) if record is None else record


__all__ = ["decode_telemetry", "decode_tickets", "read_plain_counts"]
