"""The one shape of a fold: a line of a partition's log in, emissions out.

`step` is a pure function of the state it owns, the line and the catalogue: it reads no clock and does no I/O, and the
same log gives the same emissions, byte for byte. The state is changed in place, because its only owner is the fold
of one partition and a copy of every bucket per record would cost more than the work; nobody else sees it half done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

from sla.catalogue import Catalogue

Json = Mapping[str, Any]  # a JSON object, ready to be written: str, int, float, bool, None, list, dict


class UnknownRevision(LookupError):  # noqa: N818 - a finding about the catalogue
    """State was decided under a revision that the catalogue does not hold."""

    def __init__(self, partition: int, revision: int) -> None:
        """Says which partition follows which."""
        super().__init__(f"partition {partition} follows revision {revision}, which is not there")


class Emission(NamedTuple):
    """One record to publish: its topic, its key (None: no key) and its JSON object.

    `everywhere`: it concerns every partition of the topic, and goes into each. Else the key says which.
    """

    topic: str
    key: str | None
    value: Json
    everywhere: bool = False


class Line(NamedTuple):
    """One record as the log holds it.

    `append_at` is the broker's append time, or None when the record was stamped by its producer and so does not move
    time (a tick moves it in any case: its `stamped_at` counts). `key` and `value` are the raw bytes (None: null).
    """

    offset: int
    key: bytes | None
    value: bytes | None
    stamped_at: int
    append_at: int | None
    headers: Sequence[tuple[str, bytes]] = ()


class AtomState(NamedTuple):
    """What the table must hold of one atom: its key, the source offset it stands at, and its head, a JSON object.

    `segments` are what the head only names: bytes that never change, each under a name of its own. Taken from a fold
    they are the new ones, to be written before the head; `expired` are names that no head can hold any more once this
    one is written. Given to a fold they are all that there are, named or not; without a head (a crash came before it)
    the offset is -1 and the body empty.
    """

    key: str
    offset: int
    body: Json
    segments: Mapping[str, bytes] = {}
    expired: Sequence[str] = ()


class Fold(Protocol):
    """One partition of one role. Created empty; `load` puts back what the table holds; then lines in log order."""

    topic: str
    partition: int

    def load(self, atoms: Iterable[AtomState]) -> None:
        """Take back the state of every atom of this partition, before the first line."""
        ...

    def step(self, line: Line) -> list[Emission]:
        """Advance to the line's log time, then apply it: what to publish, in order. A line already applied: nothing."""
        ...

    def changes(self) -> Iterator[AtomState]:
        """The partition's own head as it stands now, then the atoms that changed since they were last taken.

        Each atom is as it stands when it is asked for: lines may be applied in between. What had not changed when the
        first was asked for is left to the next time, but for what an atom that comes later needs to know.
        """
        ...

    @property
    def now(self) -> int | None:
        """The partition's log time; None before its first line."""
        ...


Offset = Callable[[], int]
"""Where the fold stands now."""

TICK: Final = b'{"type":"tick"}'
"""A tick as Forewarn writes it. Most lines of a quiet partition are these very bytes."""

APPEND_TIME: Final = 1
"""Kafka's timestamp type: 0 is the producer's stamp, 1 the broker's."""


class LogRecord(Protocol):
    """A record as the client of the log hands it out; see `Line` for what the fields are."""

    @property
    def offset(self) -> int:
        """Its place in the partition."""
        ...

    @property
    def key(self) -> bytes | None:
        """Raw."""
        ...

    @property
    def value(self) -> bytes | None:
        """Raw."""
        ...

    @property
    def timestamp(self) -> int:
        """Whose it is says `timestamp_type`."""
        ...

    @property
    def timestamp_type(self) -> int:
        """`APPEND_TIME`, or 0."""
        ...


@runtime_checkable
class SkimmingFold(Fold, Protocol):
    """A fold that takes plain records in bulk."""

    def skim(self, records: Sequence[LogRecord], start: int) -> int:
        """Apply the records from `start` on as `step` would, up to the first that takes more: its index.

        They are of a partition in order, their keys belong there, and they emit nothing.
        """
        ...


@runtime_checkable
class DeferringFold(Fold, Protocol):
    """A fold that need not say all that a line causes at once.

    What it owes must be paid before its own head is taken, and what it owes when its last atom is taken before any of
    them is stored. Per topic and key the order is that of `step`, and so is what is said, to the byte; only what is no
    feed waits.
    """

    def step_urgent(self, line: Line) -> list[Emission]:
        """As `step`, with what earlier lines owe and this one changes; what may wait of this one is owed."""
        ...

    @property
    def owed_count(self) -> int:
        """How many atoms owe something; 0: there is nothing to pay."""
        ...

    def pay(self, most_count: int | None = None) -> list[Emission]:
        """What had to be told since the last time, and then what so many atoms owe (None: all)."""
        ...

    def prepare(self) -> Iterator[None]:
        """Work out, a little with each step, what decisions to come will ask for; lines may be applied in between.

        Nothing that is said or stored depends on it, but how long a decision takes.
        """
        ...


ReadPlain = Callable[[bytes | None], tuple[str, str, int, int, int] | None]
"""A record's value → service, signal, at, good, bad; None unless it surely is a good record of counts and no more."""

CatalogueReader = Callable[[int, str], Catalogue | None]
"""revision and sha256 → the catalogue at that revision, or None when it is unknown or the hash differs."""
