"""The fold of tickets: which clocks run on each of them, and what must be said about them now."""

from sla.clock.fold import Clock

__all__ = ["Clock"]
