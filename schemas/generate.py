"""Writes what follows from the code, by `python -m schemas.generate`.

`schemas/generated/`: JSON Schemas of all records and the AsyncAPI document; `deploy/topics.yaml`: the topics' settings.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import yaml

from schemas.asyncapi import asyncapi, telemetry_schema, tickets_schema
from schemas.outbound import MODELS, schema_of
from schemas.topics import ALL, PARTITIONS_DEFAULT

FOLDER: Final = Path(__file__).parent / "generated"
TOPICS: Final = FOLDER.parents[1] / "deploy" / "topics.yaml"
_TOPICS_HEAD: Final = """\
# The topics and their settings, for whoever makes topics otherwise than by `forewarn topics create`; `forewarn topics
# check` verifies them afterwards. Partitions may be chosen once, the same for all but the catalogue, and never change.
# Written by `python -m schemas.generate`.
"""


def files() -> dict[str, str]:
    """Every generated file of this module by name, as it must stand in the repository."""
    documents = {f"{name}.schema.json": schema_of(name) for name in MODELS}
    documents["telemetry.schema.json"] = telemetry_schema()
    documents["tickets.schema.json"] = tickets_schema()
    documents["asyncapi.json"] = asyncapi()
    return {name: json.dumps(document, indent=2, ensure_ascii=False) + "\n" for name, document in documents.items()}


def topics_text() -> str:
    """`deploy/topics.yaml`, as it must stand in the repository."""
    topics = [
        {"name": topic.name, "partitions": topic.partitions or PARTITIONS_DEFAULT, "config": topic.settings()}
        for topic in ALL
    ]
    return _TOPICS_HEAD + yaml.safe_dump({"topics": topics}, sort_keys=False)


def main() -> None:
    """Write them all."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    TOPICS.write_text(topics_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
