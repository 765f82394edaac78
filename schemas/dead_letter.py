"""The record of a line that cannot be used, for `sla.dlq.v1`: its bytes, where it stood, and why."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, Final

from schemas.instants import LATEST_AT
from sla.fold import Emission, Line
from sla.records import Rejection
from sla.units import rfc3339

DEAD_LETTER_TOPIC: Final = "sla.dlq.v1"
VALUE_KEPT_BYTES: Final = 2 << 20  # the topic takes 4 MiB, base64 makes 3 bytes 4, and key and headers need room


def dead_letter(rejection: Rejection, topic: str | None, partition: int | None, line: Line) -> Emission:
    """The dead letter of one line; `topic` and `partition` are None for a line that is of no topic.

    `timestamp` is null where the record's own is no date (Kafka's "no timestamp" is -1). Of a value above 2 MiB only
    the first 2 MiB are kept and `truncated` is true. The key is the original one, as far as it is UTF-8.
    """
    value = line.value
    is_truncated = value is not None and len(value) > VALUE_KEPT_BYTES
    letter: dict[str, Any] = {
        "reason": rejection.reason.value,
        "detail": rejection.detail,
        "topic": topic,
        "partition": partition,
        "offset": line.offset,
        "timestamp": rfc3339(line.stamped_at) if 0 <= line.stamped_at <= LATEST_AT else None,
        "key_base64": _base64(line.key),
        "value_base64": _base64(None if value is None else value[:VALUE_KEPT_BYTES]),
        "headers": [[name, _base64(content)] for name, content in line.headers],
    }
    if is_truncated:
        letter["truncated"] = True
    key = None if line.key is None else line.key.decode(errors="replace")
    return Emission(DEAD_LETTER_TOPIC, key, letter)


def _base64(content: bytes | None) -> str | None:
    return None if content is None else b64encode(content).decode()
