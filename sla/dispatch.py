"""Who is told what, when: the fold of `sla.notices.v1`.

In its simplest true form: every notice is told at once, by one outbox record per channel of the stakeholder. Quiet
hours, digests and limits are decisions of the same atom, the stakeholder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, NamedTuple
from urllib.parse import quote

from sla.fold import AtomState, Emission, Json, Line
from sla.records import CatalogueMarker, Feed, Rejection, Tick
from sla.stakeholder import Channel
from sla.storm import DeadLetterRow
from sla.wording import subject_of, text_of

OUTBOX_TOPIC: Final = "sla.outbox.v1"
PLACES: Final = 1 << 20  # design.md 2, feeds: sequence = offset * 1,048,576 + place


class Notice(NamedTuple):
    """One event for one stakeholder, with the channels that the revision of its sender gave them."""

    stakeholder: str
    audience: str
    revision: int
    channels: tuple[Channel, ...]
    event: Json  # a CloudEvent with at least `id` and `data.dedup_key`
    feed: Feed


class Send(NamedTuple):
    """One message to hand to one channel. `id` stays the same however often the same event is dispatched."""

    id: str
    stakeholder: str
    audience: str
    channel: Channel
    subject: str
    text: str
    event_id: str
    dedup_key: str
    feed: Feed


NoticesRecord = Notice | Tick | CatalogueMarker
DecodeNotice = Callable[[Line, int], NoticesRecord | Rejection]
"""A line and the partition's log time after it was read → what it says."""
DeadLetter = Callable[[Rejection, str, int, Line], Emission]
"""The rejection, its topic, partition and line → the record for the dead-letter topic."""


def send_id(notice: Notice, channel: Channel) -> str:
    """The idempotency key of a message: the same event to the same stakeholder by the same channel is one message."""
    named = (notice.stakeholder, str(notice.event["id"]), channel.kind, channel.url or "")
    return sha256("\n".join(named).encode()).hexdigest()[:32]


@dataclass(slots=True)
class _Stakeholder:
    """One atom: the last sequence heard from each source, and the offset it stands at."""

    name: str
    offset: int = -1
    sequences: dict[str, int] = field(default_factory=dict)

    def has_heard(self, feed: Feed) -> bool:
        return feed.sequence is not None and feed.sequence <= self.sequences.get(feed.source, -1)

    def state(self) -> AtomState:
        key = f"stakeholder/{quote(self.name, safe='')}"
        body = {"type": "stakeholder", "name": self.name, "sequences": dict(self.sequences)}
        return AtomState(key, self.offset, body)


class Dispatch:
    """One partition of `sla.notices.v1`, see `sla.fold.Fold`.

    `check_repeats=False` is for replay alone, which applies feeds directly and once.
    """

    def __init__(
        self,
        topic: str,
        partition: int,
        *,
        decode: DecodeNotice,
        dead_letter: DeadLetter,
        check_repeats: bool = True,
    ) -> None:
        self.topic = topic
        self.partition = partition
        self._decode = decode
        self._dead_letter = dead_letter
        self._check_repeats = check_repeats
        self._now: int | None = None
        self._offset = -1
        self._stakeholders: dict[str, _Stakeholder] = {}
        self._dirty: set[str] = set()
        self._row = DeadLetterRow()

    @property
    def now(self) -> int | None:
        """The partition's log time; None before its first line."""
        return self._now

    def load(self, atoms: Iterable[AtomState]) -> None:
        """Take back stakeholders and head, in any order; a stakeholder may stand ahead of the head."""
        for atom in atoms:
            if atom.body["type"] == "partition":
                self._offset, self._now = atom.offset, atom.body["now"]
                self._row = DeadLetterRow(*atom.body["row"])
            else:
                name = atom.body["name"]
                self._stakeholders[name] = _Stakeholder(name, atom.offset, dict(atom.body["sequences"]))

    def step(self, line: Line) -> list[Emission]:
        """Tell at once what a notice says: one outbox record per channel. A tick or a marker tells nobody anything."""
        if line.offset <= self._offset:
            return []
        self._advance_to(line.append_at)
        record = self._decode(line, line.stamped_at if self._now is None else self._now)
        if isinstance(record, Tick) or self._now is None:
            self._advance_to(line.stamped_at)
        self._offset = line.offset
        match record:
            case Rejection():
                storm = self._row.take_unusable(self.topic, self.partition, self._now or 0)
                return [self._dead_letter(record, self.topic, self.partition, line), *storm]
            case Notice():
                self._row.end()
                return self._tell(record, line.offset)
            case Tick() | CatalogueMarker():
                return []

    def take_dirty(self) -> list[AtomState]:
        """The stakeholders that changed, by name, then the partition's head."""
        if self._now is None:
            return []
        states = [self._stakeholders[name].state() for name in sorted(self._dirty)]
        self._dirty.clear()
        row = [self._row.count, self._row.since_at]
        head = {"type": "partition", "topic": self.topic, "partition": self.partition, "now": self._now, "row": row}
        return [*states, AtomState(f"partition/{self.partition}", self._offset, head)]

    def _advance_to(self, at: int | None) -> None:
        if at is not None:
            self._now = at if self._now is None else max(self._now, at)

    def _tell(self, notice: Notice, offset: int) -> list[Emission]:
        told = self._stakeholders.setdefault(notice.stakeholder, _Stakeholder(notice.stakeholder))
        if offset <= told.offset or (self._check_repeats and told.has_heard(notice.feed)):
            return []
        told.offset = offset
        if notice.feed.sequence is not None:
            told.sequences[notice.feed.source] = notice.feed.sequence
        self._dirty.add(notice.stakeholder)
        source = f"forewarn:{self.topic}/{self.partition}"
        return [
            _outbox(notice, channel, Feed(source, offset * PLACES + place))
            for place, channel in enumerate(notice.channels)
        ]


def _outbox(notice: Notice, channel: Channel, feed: Feed) -> Emission:
    value = {
        "type": "send",
        "id": send_id(notice, channel),
        "stakeholder": notice.stakeholder,
        "audience": notice.audience,
        "channel": {"kind": channel.kind, "url": channel.url},
        "subject": subject_of(notice.event, notice.audience),
        "text": text_of(notice.event, notice.audience),
        "event_id": notice.event["id"],
        "dedup_key": notice.event["data"]["dedup_key"],
        "source": feed.source,
        "sequence": feed.sequence,
    }
    return Emission(OUTBOX_TOPIC, notice.stakeholder, value)
