"""The fold of telemetry: what was promised about each stream, and what must be said about it now."""

from sla.detect.fold import Detect

__all__ = ["Detect"]
