"""Raw batches: what the consumer hands out is what the agent gets."""

from __future__ import annotations

from typing import Any

from faust import Schema


def raw_schema() -> Any:
    """Bytes on both sides: these Faust passes on untouched, batches too; without types it walks through a batch."""
    return Schema(key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
