"""Where and when something is judged, and by what."""

from __future__ import annotations

from typing import NamedTuple

from sla.catalogue import Catalogue
from sla.detect.facts import ServiceFacts
from sla.silences import Silences


class Moment(NamedTuple):
    """Where and when something is judged: `at` is the instant of the fact, `now` the log's time after the advance."""

    catalogue: Catalogue
    facts: ServiceFacts
    silences: Silences
    at: int
    now: int
    offset: int
