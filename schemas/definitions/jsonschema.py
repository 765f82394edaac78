"""The JSON Schema of definitions, for editors: `python -m schemas.definitions.jsonschema` writes it anew.

It is made from the models, so it says what the models say of single fields; checks across fields and files are lint's.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter

from schemas.definitions.kinds import Definition

FILE: Final = Path(__file__).parent.parent / "generated" / "definitions.schema.json"


def json_schema() -> dict[str, Any]:
    """One schema for every kind under forewarn/v1, told apart by `kind`."""
    adapter: TypeAdapter[Definition] = TypeAdapter(Annotated[Definition, Field(discriminator="kind")])
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:forewarn:definitions.v1",
        "title": "Forewarn definitions (forewarn/v1)",
        **adapter.json_schema(),
    }
    kinds = {kind: _without_titles(definition) for kind, definition in schema.pop("$defs").items()}
    return {**schema, "$defs": kinds}


def text() -> str:
    """The schema as its file holds it."""
    return json.dumps(json_schema(), indent=2, sort_keys=True) + "\n"


def _without_titles(value: Any) -> Any:
    """Titles only repeat the names of fields and models."""
    if isinstance(value, dict):
        kept = {key: inner for key, inner in value.items() if key != "title" or not isinstance(inner, str)}
        return {key: _without_titles(inner) for key, inner in kept.items()}
    return [_without_titles(inner) for inner in value] if isinstance(value, list) else value


def main() -> None:
    """Write the file."""
    FILE.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
