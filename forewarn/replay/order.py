"""The lines of an input in the order of their log time, then topic and partition, and as they stand beyond that."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from functools import partial
from itertools import groupby
from mmap import ACCESS_READ, mmap
from typing import BinaryIO, Final, NamedTuple

from forewarn.replay.entry import Entry, read_entry
from forewarn.replay.survey import Place, Survey, is_tick
from sla.units import floor_to

BEFORE_ALL: Final = -1
_OF_NO_TOPIC: Final[Place] = ("", -1)


class Item(NamedTuple):
    """A line and its log time; `entry` is None for a line that is no record, which stands at the newest one so far."""

    at: int
    place: Place
    entry: Entry | None
    number: int  # of the line, from 0
    start: int  # where the line begins in the input, in bytes
    raw: bytes


_item: Final = partial(tuple.__new__, Item)  # the constructor, without its call per line


def in_order(source: BinaryIO, survey: Survey, first_tick_at: int | None, step_ms: int) -> Iterator[Item]:
    """Every line that a fold reads and every line that is no record, in order."""
    source.seek(0)
    clock = _Clock(survey, first_tick_at, step_ms)
    items = _items(source, survey, clock)
    if not survey.is_in_order:
        return _sorted(source, items)
    if len(survey.has_ticks) < 2 and not survey.has_bad_lines:  # noqa: PLR2004 — one partition is in order by itself
        return items
    return (item for _, group in groupby(items, key=_at) for item in sorted(group, key=_place))


def _items(source: BinaryIO, survey: Survey, clock: _Clock) -> Iterator[Item]:
    until = survey.until
    has_ticks = survey.has_ticks
    is_in_order = survey.is_in_order
    newest_at = BEFORE_ALL
    end = 0
    for number, raw in enumerate(source):
        start, end = end, end + len(raw)
        entry = read_entry(raw)
        if entry is None:
            yield Item(newest_at, _OF_NO_TOPIC, None, number, start, raw)
            continue
        place = (entry.topic, entry.partition)
        timestamp = entry.timestamp
        if place not in has_ticks or (until is not None and timestamp > until):
            continue
        if is_in_order:
            at = newest_at = timestamp
        else:
            at = clock.read(place, entry)
            newest_at = max(newest_at, timestamp)
        yield _item((at, place, entry, number, start, raw))


class _Clock:
    """The log time of each partition, as its fold will see it."""

    def __init__(self, survey: Survey, first_tick_at: int | None, step_ms: int) -> None:
        self._now: dict[Place, int] = {}
        self._has_ticks = survey.has_ticks
        self._first_tick_at = first_tick_at
        self._step_ms = step_ms

    def read(self, place: Place, entry: Entry) -> int:
        """The log time after this record was read."""
        now = self._now.get(place, BEFORE_ALL)
        at = entry.timestamp
        if not entry.is_appended and not is_tick(entry):
            at = self._stamped(place, at, now)
        if at <= now:
            return now
        self._now[place] = at
        return at

    def _stamped(self, place: Place, at: int, now: int) -> int:
        """A producer's stamp does not move time; the ticks that are synthesised up to it do."""
        if not self._has_ticks[place] and self._first_tick_at is not None:
            tick_at = floor_to(at, self._step_ms)
            if tick_at >= self._first_tick_at:
                return tick_at
        return at if now == BEFORE_ALL else now


def _at(item: Item) -> int:
    return item.at


def _place(item: Item) -> Place:
    return item.place


def _sorted(source: BinaryIO, items: Iterator[Item]) -> Iterator[Item]:
    """The same items in order, by an index of some 40 bytes per line: the input may be larger than memory."""
    ats, ranks, numbers, starts, ends = (array("q") for _ in range(5))
    places: dict[Place, int] = {}
    for item in items:
        ats.append(item.at)
        ranks.append(places.setdefault(item.place, len(places)))
        numbers.append(item.number)
        starts.append(item.start)
        ends.append(item.start + len(item.raw))
    by_rank = list(places)
    order = sorted(range(len(ats)), key=lambda index: (ats[index], by_rank[ranks[index]]))
    if not order:
        return
    with mmap(source.fileno(), 0, access=ACCESS_READ) as content:
        for index in order:
            raw = content[starts[index] : ends[index]]
            place = by_rank[ranks[index]]
            entry = None if place == _OF_NO_TOPIC else read_entry(raw)
            yield Item(ats[index], place, entry, numbers[index], starts[index], raw)
