"""A consumer that has never heard of Forewarn: reads topics to their end and validates every record's value.

Run as a program of its own: `python -I foreign.py BOOTSTRAP SCHEMAS_FOLDER TOPIC=SCHEMA…`. Prints one line of JSON:
records by topic, what was invalid, and the modules of Forewarn that were imported (there must be none).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import monotonic
from typing import Any

from confluent_kafka import Consumer, TopicPartition
from jsonschema import Draft202012Validator

READ_WITHIN_S = 120.0
FOREWARN = ("forewarn", "agents", "sla", "schemas", "notifiers", "tests")


def read_all(consumer: Consumer, topic: str) -> list[bytes]:
    """Every value of a topic, up to where it ends now."""
    partitions = consumer.list_topics(topic, READ_WITHIN_S).topics[topic].partitions
    left = {}
    for partition in partitions:
        low, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=READ_WITHIN_S)
        if low < end:
            left[partition] = end
    consumer.assign([TopicPartition(topic, partition, 0) for partition in left])
    values: list[bytes] = []
    deadline = monotonic() + READ_WITHIN_S
    while left:
        if monotonic() > deadline:
            raise TimeoutError(f"{topic}: nothing more came, {left} is still to be read")
        for message in consumer.consume(500, 0.05):
            if message.error() is not None:
                raise RuntimeError(str(message.error()))
            values.append(message.value())
            if message.offset() + 1 >= left.get(message.partition(), 0):
                left.pop(message.partition(), None)
    return values


def main() -> None:
    """Read, validate, print."""
    bootstrap, folder, *pairs = sys.argv[1:]
    settings = {"bootstrap.servers": bootstrap, "group.id": "foreign", "enable.auto.commit": False}
    consumer = Consumer({**settings, "auto.offset.reset": "earliest"})
    counts: dict[str, int] = {}
    invalid: list[str] = []
    for pair in pairs:
        topic, schema = pair.split("=")
        document: dict[str, Any] = json.loads(Path(folder, schema).read_text())
        validator = Draft202012Validator(document, format_checker=Draft202012Validator.FORMAT_CHECKER)
        values = read_all(consumer, topic)
        counts[topic] = len(values)
        for value in values:
            invalid += [
                f"{topic}: {error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(value))
            ]
    consumer.close()
    imported = [name for name in sys.modules if name.split(".")[0] in FOREWARN]
    sys.stdout.write(json.dumps({"counts": counts, "invalid": invalid[:20], "imported": imported}) + "\n")


if __name__ == "__main__":
    main()
