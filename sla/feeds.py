"""Feeds: what a fold writes into another fold's input, numbered so that a repeat is known as one (design.md 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sla.dedup import digest
from sla.events import NOTICES, OUTBOX, TELEMETRY, TICKETS
from sla.fold import Emission
from sla.records import Feed

PLACES: Final = 1 << 20
"""sequence = offset × 1,048,576 + place."""
SOURCES_MAX: Final = 10_000
"""How many sources an atom remembers."""
SOURCE_BYTES_MAX: Final = 64
"""Of one that is remembered by its name: ten thousand of them are a small part of what the table takes of an atom."""
FED: Final = frozenset({TELEMETRY, TICKETS, NOTICES, OUTBOX})
"""The topics that are somebody's input: what a fold writes there is a feed."""


class FeedOverflowError(Exception):
    """One record caused more feed records than a sequence has places for; the worker must end, it never wraps."""


def numbered(emissions: Sequence[Emission], source: str, offset: int) -> list[Emission]:
    """Give each feed record its place among those of its line and topic, in the order in which they leave.

    `source` is `forewarn:<topic>/<partition>` of the line, `offset` the line's. It is done last: the order in which
    atoms are looked at is no part of the log.
    """
    places: dict[str, int] = {}
    found: list[Emission] = []
    for each in emissions:
        topic, key, value, everywhere = each
        if topic not in FED:
            found.append(each)
            continue
        place = places.get(topic, 0)
        if place >= PLACES:
            raise FeedOverflowError(f"{source} offset {offset}: more than {PLACES} records for {topic}")
        places[topic] = place + 1
        fed = {**value, "source": source, "sequence": offset * PLACES + place}
        found.append(Emission(topic, key, fed, everywhere))
    return found


def is_repeat(sequences: dict[str, int], feed: Feed | None) -> bool:
    """Whether a sequence is not above the last of its source; remembers it if it is.

    State stays bounded: of more than `SOURCES_MAX` the one that spoke longest ago is forgotten, and a long name is
    remembered by its digest (an older version remembered all of it).
    """
    if feed is None or feed.sequence is None:
        return False
    source = feed.source
    is_short = len(source) <= SOURCE_BYTES_MAX and source.isascii() and source.isprintable()
    name = source if is_short else digest(source)
    if feed.sequence <= max(sequences.get(name, -1), sequences.get(source, -1)):
        return True
    sequences.pop(source, None)
    sequences.pop(name, None)
    sequences[name] = feed.sequence
    if len(sequences) > SOURCES_MAX:
        del sequences[next(iter(sequences))]
    return False
