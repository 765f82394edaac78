"""What must hold of every schedule, each law a function from what happened to the ways in which it is broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import orjson

from schemas.topics import ALERTS, CLOCKS, DEAD_LETTERS, NOTICES, SHADOW_ALERTS, STATUS, TICKETS, changelog_of
from tests.oracle.clock_compare import clock_differences
from tests.oracle.clocks import Told
from tests.oracle.compare import differences
from tests.oracle.windows import instant
from tests.simulation.broker import Record
from tests.simulation.commits import a_commit_is_covered_by_its_flush, what_was_sent_on_was_sent_before_its_commit
from tests.simulation.evidence import Evidence, Law
from tests.simulation.outcome import Outcome
from tests.simulation.reference import SOURCES
from tests.simulation.said import Said, by_key, stream_of
from tests.simulation.segments import a_head_finds_its_segments, a_segment_that_expired_goes
from tests.simulation.stored import heads

NUMBERED = (ALERTS.name, CLOCKS.name, SHADOW_ALERTS.name, STATUS.name)
SHOWN_CHARS = 300
STILL_S = 35.0  # after the last trouble: sessions end, groups settle
SILENT_S = 13.0  # two steps and a half


def workers_end_only_for_a_reason(evidence: Evidence) -> Iterator[str]:
    """A process ends itself when a send was refused to it or nothing answered for long, and never otherwise."""
    outcome = evidence.outcome
    for name, reason in outcome.ends:
        if name not in outcome.excused:
            yield f"{name} ended itself: {reason}"
    yield from outcome.errors


def every_record_is_read_in_the_end(evidence: Evidence) -> Iterator[str]:
    """When all is well again, every record of a producer is committed."""
    outcome = evidence.outcome
    for place in evidence.reference.places():
        data = [record for record in outcome.logs[place] if record.key is not None or place[0] != NOTICES.name]
        data = [record for record in data if record.appended_at < outcome.calm_from]
        if data and not evidence.covered(place, data[-1].offset):
            yield f"{place}: offset {data[-1].offset} is not committed, {outcome.committed.get(place)} is"


def what_is_said_is_what_undisturbed_folds_say(evidence: Evidence) -> Iterator[str]:
    """Exactly their events, ids and contents, in their order, each once when repeats are dropped."""
    told = evidence.reference.told
    wanted = by_key(each.said for each in told)
    due = Counter(stream_of(each.said) for each in _once(told) if evidence.covered(each.place, each.offset))
    actual = by_key(each for _, each in evidence.said)
    for key in sorted({*wanted, *actual}, key=repr):
        one, other = wanted.get(key, []), actual.get(key, [])
        if other != one[: len(other)]:
            yield _first_difference(key, one, other)
        elif len(other) < due[key]:
            yield f"{key}: {due[key]} are due, {len(other)} were said; the first missing is {_shown(one[len(other)])}"


def _once(told: Iterable[Any]) -> Iterator[Any]:
    seen: set[Said] = set()
    for each in told:
        if each.said not in seen:
            seen.add(each.said)
            yield each


def _first_difference(key: Any, one: list[bytes], other: list[bytes]) -> str:
    place = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    wanted = _shown(one[place]) if place < len(one) else "nothing"
    return f"{key} at {place}: wanted {wanted}, said {_shown(other[place])}"


def _shown(value: bytes) -> str:
    return value[:SHOWN_CHARS].decode(errors="replace")


def what_is_said_is_what_the_oracle_expects(evidence: Evidence) -> Iterator[str]:
    """The same events as a naive batch implementation finds in the whole history."""
    expected = evidence.reference.oracle
    if isinstance(expected, Told):
        yield from _unlike_clocks(evidence, expected)
    if expected is None or isinstance(expected, Told):
        return
    actual: list[dict[str, Any]] = []
    for topic, key, value in dict.fromkeys(each for _, each in evidence.said):
        if topic in (ALERTS.name, SHADOW_ALERTS.name):
            actual.append({"topic": topic, "key": key, "value": orjson.loads(value)})
    said = {event["value"]["id"] for event in actual}
    due = [each.event for each in expected if evidence.covered(*each[:2]) or each.event["value"]["id"] in said]
    order = {key: place for place, key in enumerate(dict.fromkeys(event["key"] for event in due))}
    due.sort(key=lambda event: order[event["key"]])
    actual.sort(key=lambda event: order.get(event["key"], len(order)))
    yield from differences(due, actual)


def _unlike_clocks(evidence: Evidence, expected: Told) -> Iterator[str]:
    """Of tickets that were there before the catalogue nothing is expected."""
    early = evidence.reference.early_tickets
    actual = [
        {"topic": topic, "key": key, "value": orjson.loads(value)}
        for topic, key, value in dict.fromkeys(each for _, each in evidence.said)
        if topic in (ALERTS.name, CLOCKS.name)
    ]
    told = [each for each in actual if (each["value"]["data"]["ticket"] or {}).get("id") not in early]
    yield from clock_differences(expected, told)


def an_id_names_one_event(evidence: Evidence) -> Iterator[str]:
    """The same id is the same event, byte for byte."""
    seen: dict[tuple[str, str], bytes] = {}
    for _, (topic, _key, value) in evidence.said:
        name = None if topic == TICKETS.name else orjson.loads(value).get("id")  # an exclusion keeps its own
        if name is not None and seen.setdefault((topic, name), value) != value:
            yield f"{topic}: id {name} was {_shown(seen[topic, name])}, then {_shown(value)}"


def sequences_have_no_holes(evidence: Evidence) -> Iterator[str]:
    """Per key 1, 2, 3, … when repeats are dropped."""
    for (topic, key, _), values in by_key(each for _, each in evidence.said).items():
        # A period of an agreement is told of once.
        if topic in NUMBERED and ((key or "").count("/") == 1 or "/ticket:" in (key or "")):
            numbers = [orjson.loads(value)["data"]["sequence"] for value in values]
            if numbers != list(range(1, len(numbers) + 1)):
                yield f"{topic} {key}: sequences {numbers}"


def state_is_that_of_undisturbed_folds(evidence: Evidence) -> Iterator[str]:
    """What the changelog holds, with the rest of the log applied, is the state nobody disturbed."""
    reference = evidence.reference
    for place in reference.places():
        *told, one = reference.undisturbed(place)
        try:
            *other_told, other = reference.recovered(place)
        except LookupError as error:  # a segment that a head names: with it the state cannot be had at all
            yield f"{place}: {error}"
            continue
        if one != other:
            yield f"{place}: {_unlike(one, other)}"
        elif told != other_told:
            yield f"{place}: the next minutes say something else"


def _unlike(one: bytes, other: bytes) -> str:
    wanted, found = dict(orjson.loads(one)), dict(orjson.loads(other))
    for key in sorted({*wanted, *found}):
        if wanted.get(key) != found.get(key):
            a, b = (wanted.get(key) or {}), (found.get(key) or {})
            fields = [name for name in sorted({*a, *b}) if a.get(name) != b.get(name)]
            shown = [f"{name}: {a.get(name)!r:.120} / {b.get(name)!r:.120}" for name in fields[:3]]
            return f"{key} differs in {'; '.join(shown)}"
    return "the same atoms in another order"


def nothing_is_said_from_the_future(evidence: Evidence) -> Iterator[str]:
    """When an event is published, the log of its partition has reached the event's time."""
    outcome = evidence.outcome
    times = {place: list(_times(outcome.logs[place])) for place in evidence.reference.places()}
    for order, (topic, key, value) in evidence.said:
        if topic not in NUMBERED:
            continue
        event = orjson.loads(value)
        place = outcome.story.source, outcome.story.home_of(event["data"])
        reached = max((at for when, at in times[place] if when < order), default=0)
        if instant(event["time"]) > reached:
            yield f"{topic} {key}: {event['time']} was said when the log stood at {reached}"


def _times(log: Iterable[Record]) -> Iterator[tuple[int, int]]:
    for record in log:
        yield record.order, record.timestamp


def replay_says_the_same_bytes(evidence: Evidence) -> Iterator[str]:
    """`forewarn replay` of the resulting logs prints what the workers published."""
    outcome = evidence.outcome
    replayed = by_key(evidence.reference.replayed())
    actual = by_key(each for _, each in evidence.said)
    feeds = outcome.story.roles["dispatch"] > 0
    for key in sorted({*replayed, *actual}, key=repr):
        one, other = replayed.get(key, []), actual.get(key, [])
        if key[0] == "sla.outbox.v1" and not feeds:
            continue  # nobody dispatched in this story
        if other != one[: len(other)]:
            yield _first_difference(key, one, other)


def each_poisoned_record_is_a_dead_letter(evidence: Evidence) -> Iterator[str]:
    """One for each, whatever happened on the way, and none for any other record."""
    outcome = evidence.outcome
    found = Counter(
        (value["partition"], value["offset"])
        for topic, _, text in dict.fromkeys(each for _, each in evidence.said)
        if topic == DEAD_LETTERS.name and (value := orjson.loads(text))["topic"] == outcome.story.source
    )
    poisoned = {place for place, kind in outcome.kinds.items() if kind == "poison"}
    for place in sorted({*found, *poisoned}):
        is_due = place in poisoned and evidence.covered((outcome.story.source, place[0]), place[1])
        if found[place] > 1 or (is_due and not found[place]) or (found[place] and place not in poisoned):
            yield f"{place}: {found[place]} dead letters of a {outcome.kinds.get(place, 'good')} record"


def time_goes_on_where_somebody_owns(evidence: Evidence) -> Iterator[str]:
    """Once groups have settled, no partition is left without a tick for longer than a few steps."""
    outcome = evidence.outcome
    begin, end = outcome.calm_from + STILL_S, outcome.stopped_at
    for place in evidence.reference.places():
        times = [record.appended_at for record in outcome.logs[place] if begin <= record.appended_at <= end]
        longest_s = max(b - a for a, b in pairwise([begin, *times, end]))
        if longest_s > SILENT_S:
            yield f"{place}: nothing for {longest_s:.0f} s"


def every_partition_follows_the_newest_revision(evidence: Evidence) -> Iterator[str]:
    """Once groups have settled, every partition's head names the revision in force."""
    outcome = evidence.outcome
    newest = evidence.reference.newest_revision
    for place in evidence.reference.places():
        if place[0] == outcome.story.source:
            atoms = heads(outcome.changelogs[changelog_of(SOURCES[place[0]]), place[1]])
            revision = next((atom.body["revision"] for atom in atoms if atom.key.startswith("partition/")), None)
            if revision != newest:
                yield f"{place}: follows revision {revision}, in force is {newest}"


OF_TOPICS: tuple[Law, ...] = (
    every_record_is_read_in_the_end,
    what_is_said_is_what_undisturbed_folds_say,
    an_id_names_one_event,
    sequences_have_no_holes,
    state_is_that_of_undisturbed_folds,
    each_poisoned_record_is_a_dead_letter,
    every_partition_follows_the_newest_revision,
    replay_says_the_same_bytes,
    what_is_said_is_what_the_oracle_expects,
)
"""Those that ask only for what stands on the topics in the end, and in each partition in its order."""

LAWS: tuple[Law, ...] = (
    workers_end_only_for_a_reason,
    nothing_is_said_from_the_future,
    a_commit_is_covered_by_its_flush,
    a_head_finds_its_segments,
    a_segment_that_expired_goes,
    what_was_sent_on_was_sent_before_its_commit,
    time_goes_on_where_somebody_owns,
    *OF_TOPICS,
)


def broken(outcome: Outcome, laws: Iterable[Law] = LAWS) -> dict[str, list[str]]:
    """The laws that a schedule broke, by name, and how."""
    evidence = Evidence(outcome)
    found = {law.__name__: list(law(evidence)) for law in laws}
    return {name: ways for name, ways in found.items() if ways}
