"""Definitions: YAML files in, findings and a catalogue out (wire.md 5)."""

from __future__ import annotations

from schemas.definitions.findings import Finding, Level
from schemas.definitions.load import Loaded, canonical, digest, digest_of, load, load_documents

__all__ = ["Finding", "Level", "Loaded", "canonical", "digest", "digest_of", "load", "load_documents"]
