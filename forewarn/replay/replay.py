"""A replay of any folds: survey the input, make a track for each partition, play."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import BinaryIO, Final, NamedTuple

from forewarn.replay.player import IsHeld, Player, Write
from forewarn.replay.survey import Feed, Survey, survey
from forewarn.replay.track import Pace, Track
from sla.fold import Fold

FEED_PARTITION: Final = 0


class Slot(NamedTuple):
    """What a fold of a replay is made for: its partition, its pace, and whether the replay's other folds feed it."""

    partition: int
    pace: Pace
    is_fed: bool


MakeFold = Callable[[Slot], Fold]


class Folds(NamedTuple):
    """What a replay runs: the fold of each topic it reads.

    `fed` are the topics among them that folds alone write: an input that holds any of it holds all of it. Of the others
    it may hold what people's programs wrote and not what folds did.
    """

    make: Mapping[str, MakeFold]
    fed: frozenset[str]
    feeds: Mapping[str, frozenset[str]] = {}
    """The topics that the fold of a topic writes into: they are there even where the input holds nothing of them."""


def replay(
    source: BinaryIO, write: Write, folds: Folds, feed_catalogue: Feed, *, step_ms: int, until: int | None
) -> None:
    """Run these folds over an input that can be read twice."""
    source.seek(0)
    found = survey(source, frozenset(folds.make), until, feed_catalogue)
    tracks, is_held = _tracks(found, folds, step_ms)
    Player(found, tracks, is_held, step_ms).play(source, write)


def _tracks(found: Survey, folds: Folds, step_ms: int) -> tuple[dict[tuple[str, int], Track], IsHeld]:
    """All partitions, of each fed topic that the input does not hold one; and whether a topic holds what a fold fed."""
    held = {topic for topic, _ in found.has_ticks}
    fed_topics = (folds.fed - held) if held else frozenset[str]()
    places = [(place, False) for place in found.has_ticks]
    written = {topic for cause in held for topic in folds.feeds.get(cause, ())} - held - folds.fed
    places += [((topic, FEED_PARTITION), topic in fed_topics) for topic in sorted(fed_topics | written)]
    tracks = {}
    for (topic, partition), is_fed in places:
        pace = Pace(step_ms)
        tracks[topic, partition] = Track(folds.make[topic](Slot(partition, pace, is_fed)), pace)

    def is_held(cause: str, topic: str) -> bool:
        return topic not in fed_topics and (topic in folds.fed or (cause, topic) in found.feeds)

    return tracks, is_held
