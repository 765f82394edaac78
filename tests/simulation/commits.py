"""Laws of the commit: nothing is acknowledged before what it implies is on the broker."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator

from agents.changelog import is_segment
from agents.routing import FORWARDED
from agents.transport import unpack
from schemas.topics import changelog_of
from tests.simulation.broker import Place, Record
from tests.simulation.evidence import Evidence
from tests.simulation.reference import SOURCES
from tests.simulation.said import Said


def a_commit_is_covered_by_its_flush(evidence: Evidence) -> Iterator[str]:
    """When an offset is committed, the heads up to it are on the broker, and all that was said before it."""
    outcome = evidence.outcome
    due: dict[Place, list[tuple[int, Said]]] = {place: [] for place in evidence.reference.places()}
    for each in evidence.reference.told:
        due[each.place].append((each.offset, each.said))
    first_said: dict[Said, int] = {}
    for order, each in evidence.said:
        first_said.setdefault(each, order)
    checked: Counter[Place] = Counter()
    written = {place: list(_offsets_written(outcome.history[_changelog_of(place)])) for place in due}
    offsets = {place: [record.offset for record in evidence.reference.log(place)] for place in due}
    for order, place, offset in outcome.commits:
        head = max((at for when, at in written[place] if when < order), default=-1)
        below = bisect_left(offsets[place], offset)
        if below and head < offsets[place][below - 1]:
            yield f"{place}: {offset} was committed when the newest head stood at {head}"
        while checked[place] < len(due[place]) and due[place][checked[place]][0] < offset:
            _, emission = due[place][checked[place]]
            checked[place] += 1
            if first_said.get(emission, order + 1) > order:
                yield f"{place}: {offset} was committed before {emission[0]} {emission[1]} was said"


def _changelog_of(place: Place) -> Place:
    return changelog_of(SOURCES[place[0]]), place[1]


def _offsets_written(changelog: Iterable[Record]) -> Iterator[tuple[int, int]]:
    """When which source offset was written."""
    for record in changelog:
        if record.value is not None and not is_segment(record.key or b""):
            yield record.order, unpack(record.value)[0]


def what_was_sent_on_was_sent_before_its_commit(evidence: Evidence) -> Iterator[str]:
    """A record in the wrong partition is on its way to the right one before it is acknowledged."""
    outcome = evidence.outcome
    sent_on: dict[bytes, int] = {}
    for (topic, _), log in outcome.logs.items():
        if topic == outcome.story.source:
            for record in log:
                for name, content in record.headers:
                    if name == FORWARDED:
                        sent_on[content] = min(record.order, sent_on.get(content, record.order))
    for order, (topic, partition), offset in outcome.commits:
        for (at, place), kind in outcome.kinds.items():
            found_at = f"{topic}/{at}/{place}".encode()
            is_covered = topic == outcome.story.source and at == partition and kind == "misplaced" and place < offset
            if is_covered and sent_on.get(found_at, order + 1) > order:
                yield f"{topic}/{partition}: {offset} was committed before {place} was sent on"
