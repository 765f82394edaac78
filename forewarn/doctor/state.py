"""The newest heads in the changelogs: whether this version reads them, and whether they are of the topics there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from struct import error as Malformed  # noqa: N812 - an exception's name
from typing import Any, Final, NamedTuple

import orjson

from agents.changelog import SOURCE_ID, is_segment
from agents.transport import unpack
from forewarn import remedy
from forewarn.doctor.case import Case
from forewarn.doctor.diagnosis import Diagnosis, numbers
from forewarn.finding import Finding
from forewarn.topic_judge import CHANGELOGS
from sla.clock import codec as clock
from sla.detect import codec as detect
from sla.detect.memory import HEAD, STREAM
from sla.fold import Line
from sla.queue import queue
from sla.queue.queues import QUEUE

CHECK: Final = "state"
SHAPES: Final[Mapping[str, Mapping[str, int]]] = {
    "detect": {HEAD: detect.SHAPE, STREAM: detect.SHAPE, QUEUE: queue.SHAPE},
    "clock": {HEAD: clock.SHAPE},
}
"""By role and kind of atom: the shape that this version reads; of other atoms there has been one so far."""


class Head(NamedTuple):
    """A head: the source offset at which it stands, and its object; None where it cannot be read."""

    offset: int
    body: Mapping[str, Any] | None


def heads_of(lines: list[Line]) -> dict[str, Head]:
    """By key, the one with the highest source offset, as a recovery chooses them."""
    found: dict[str, Head] = {}
    for line in lines:
        if line.key is None or line.value is None or is_segment(line.key):
            continue
        key, head = line.key.decode(errors="replace"), _head(line.value)
        if key not in found or head.offset >= found[key].offset:
            found[key] = head
    return found


def _head(value: bytes) -> Head:
    try:
        offset, body = unpack(value)
        content = orjson.loads(body)
    except (Malformed, orjson.JSONDecodeError):
        return Head(-1, None)
    return Head(offset, content if isinstance(content, dict) else None)


def followed_by(heads: Mapping[str, Head], partition: int) -> tuple[int, str] | None:
    """The revision, with its hash, under which a partition's state was decided last; None where that is not known."""
    head = heads.get(f"{HEAD}/{partition}")
    if head is None or head.body is None:
        return None
    revision, sha256 = head.body.get("revision"), head.body.get("sha256")
    return (revision, sha256) if isinstance(revision, int) and isinstance(sha256, str) else None


def check(case: Case) -> list[Diagnosis]:
    """Look at the newest heads of every changelog."""
    return [diagnosis for changelog in CHANGELOGS if changelog in case.partitions for diagnosis in _of(case, changelog)]


def _of(case: Case, changelog: str) -> Iterator[Diagnosis]:
    role, source = CHANGELOGS[changelog]
    heads = {partition: heads_of(lines) for partition, lines in case.tail(changelog).lines.items()}
    anew = f"with {role} stopped: {remedy.begin_anew(case.config, role, case.partitions.get(source.name))}"
    strange = sorted({found for each in heads.values() for found in strange_of(role, each)})
    if strange:
        what = f"it holds state that this version does not read ({', '.join(strange)}): {role} will not start"
        cure = f"run the version of Forewarn that wrote it, or let state begin anew, {anew}"
        yield Diagnosis(CHECK, changelog, Finding(what, cure))
    if source.name not in case.partitions:
        return
    ends = {partition: bounds.end for partition, bounds in case.bounds(source.name).items()}
    ahead = {at for at, each in heads.items() if max((h.offset for h in each.values()), default=-1) >= ends.get(at, 0)}
    replaced = sorted(ahead | _of_another_topic(case, changelog, source.name))
    if replaced:
        what = (
            f"the state of {numbers(replaced)} has counted records that {source.name} does not hold: that topic was "
            f"deleted and made anew, and {role} will not start"
        )
        yield Diagnosis(CHECK, changelog, Finding(what, anew))


def _of_another_topic(case: Case, changelog: str, source: str) -> set[int]:
    """The partitions whose state bears the id of another topic than the one that has this name now."""
    lines = case.tail(changelog).lines
    stored = {at: line.value for at, read in lines.items() for line in read if line.key == SOURCE_ID and line.value}
    now = case.topic_id(source) if stored else None
    return set() if now is None else {at for at, value in stored.items() if unpack(value)[1].decode() != now}


def strange_of(role: str, heads: Mapping[str, Head]) -> Iterator[str]:
    """What of a role's state this version does not read, in words."""
    for key, head in heads.items():
        kind = key.partition("/")[0]
        reads = SHAPES.get(role, {}).get(kind)
        if head.body is None:
            yield f"{kind}: unreadable"
        elif reads is not None and head.body.get("shape") != reads:
            yield f"{kind}: shape {head.body.get('shape')} instead of {reads}"
