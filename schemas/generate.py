"""Writes `schemas/generated/`: JSON Schemas of all records and the AsyncAPI document. `python -m schemas.generate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from schemas.asyncapi import asyncapi, telemetry_schema
from schemas.outbound import MODELS, schema_of

FOLDER: Final = Path(__file__).parent / "generated"


def files() -> dict[str, str]:
    """Every generated file of this module by name, as it must stand in the repository."""
    documents = {f"{name}.schema.json": schema_of(name) for name in MODELS}
    documents["telemetry.schema.json"] = telemetry_schema()
    documents["asyncapi.json"] = asyncapi()
    return {name: json.dumps(document, indent=2, ensure_ascii=False) + "\n" for name, document in documents.items()}


def main() -> None:
    """Write them all."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
