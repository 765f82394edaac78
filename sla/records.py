"""What the folds read: records of telemetry and of tickets after they were decoded and checked (wire.md 1, 2).

Instants are epoch milliseconds. `schemas.inbound` makes these from bytes; nothing else does.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

from sla.intervals import Interval
from sla.units import LOG_LATEST_AT


class Category(StrEnum):
    """Why time is excluded; only `planned` draws on an agreement's maintenance allowance."""

    PLANNED = "planned"
    CUSTOMER = "customer"
    FORCE_MAJEURE = "force_majeure"
    OTHER = "other"


class Approval(StrEnum):
    """Where an exclusion stands; only `approved` removes time."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    REVOKED = "revoked"


class Feed(NamedTuple):
    """Who wrote a record and its place in what they wrote: a `sequence` not above the last of its `source` is a repeat.

    `sequence` is None when only a source is named; a source alone does not dedupe.
    """

    source: str
    sequence: int | None


class Counts(NamedTuple):
    """So many good and bad events since the last such record."""

    service: str
    signal: str
    at: int
    good: int
    bad: int
    instance: str | None = None
    feed: Feed | None = None


class Sample(NamedTuple):
    """One measurement; an objective's threshold makes it good or bad."""

    service: str
    signal: str
    at: int
    value: float
    instance: str | None = None
    feed: Feed | None = None


class State(NamedTuple):
    """Up or down from `at` on, until the next such record or until nothing was heard for too long."""

    service: str
    signal: str
    at: int
    up: bool
    instance: str | None = None
    feed: Feed | None = None


class History(NamedTuple):
    """Totals of a stretch before the stream's first record: fills buckets, decides nothing."""

    service: str
    signal: str
    from_at: int
    to_at: int
    good: int
    bad: int
    instance: str | None = None
    feed: Feed | None = None


class Change(NamedTuple):
    """Something was rolled out; named as a possible cause of what follows."""

    service: str
    at: int
    id: str
    summary: str | None = None
    feed: Feed | None = None


class Exclusion(NamedTuple):
    """A stretch of a service's time that does not count, [from_at, to_at), once approved and until revoked."""

    service: str
    id: str
    from_at: int
    to_at: int
    category: Category
    status: Approval
    reason: str | None = None
    requested_by: str | None = None
    approved_by: str | None = None
    feed: Feed | None = None
    command: str | None = None  # the id of the command that said so, if one did
    by: str | None = None  # who gave that command

    @property
    def interval(self) -> Interval:
        """What of it any log can reach: some write the year 1 for "always" and the year 9999 for "for ever"."""
        return max(self.from_at, 0), min(self.to_at, LOG_LATEST_AT)


class Dependency(NamedTuple):
    """How a promise of a service that this one cannot do without stands since `at`: fed by whoever judges it."""

    service: str
    at: int
    dependency: str
    dedup_key: str
    state: str  # "ok": it is over
    feed: Feed | None = None


class Tick(NamedTuple):
    """Time itself, written to the log: everything due by now is due."""


class CatalogueMarker(NamedTuple):
    """From here on, this partition follows this revision of the catalogue."""

    revision: int
    sha256: str


class Ignored(NamedTuple):
    """A record of a type that Forewarn feeds and that no fold uses. Neither applied nor a dead letter."""

    type: str


class ClockChange(StrEnum):
    """What happened to an open clock."""

    STARTED = "started"
    CHANGED = "changed"
    ENDED = "ended"


class OpenClock(NamedTuple):
    """A ticket's clock as the fold of tickets tells of it: what will come due, and when.

    `deadline` is None while paused; `remaining_ms` of working time is negative once missed; `outcome` is met, breached
    or cancelled at its end, else None.
    """

    service: str
    objective: str
    ticket: str
    at: int
    change: ClockChange
    target_ms: int
    remaining_ms: int
    is_paused: bool
    deadline: int | None = None
    deadline_if_resumed_now: int | None = None
    team: str | None = None
    priority: str | None = None
    outcome: str | None = None
    feed: Feed | None = None


Measurement = Counts | Sample | State | History
ServiceFact = Change | Exclusion | Dependency
TelemetryRecord = Measurement | ServiceFact | OpenClock | Tick | CatalogueMarker | Ignored


class TicketEvent(StrEnum):
    """What happened to a ticket."""

    CREATED = "created"
    UPDATED = "updated"
    REPLY = "reply"
    CLOSED = "closed"
    REOPENED = "reopened"


class Actor(StrEnum):
    """Who did it."""

    CUSTOMER = "customer"
    AGENT = "agent"
    SYSTEM = "system"


class Ticket(NamedTuple):
    """One event of a ticket. `fields` holds what changed as (name, value) pairs; a value of None removes the field."""

    ticket: str
    service: str
    at: int
    event: TicketEvent
    by: Actor | None = None
    fields: tuple[tuple[str, Any], ...] = ()
    is_import: bool = False
    feed: Feed | None = None


TicketsRecord = Ticket | Exclusion | Tick | CatalogueMarker


class Reason(StrEnum):
    """Why a record is a dead letter: the first that applies, in this order (wire.md)."""

    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    NULL_VALUE = "null_value"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    OUT_OF_RANGE = "out_of_range"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_VALUE = "unknown_value"
    BAD_INSTANT = "bad_instant"
    FROM_THE_FUTURE = "from_the_future"
    INVERTED_INTERVAL = "inverted_interval"
    KEY_MISMATCH = "key_mismatch"
    UNKNOWN_REVISION = "unknown_revision"
    BAD_LINE = "bad_line"
    LIMIT_REACHED = "limit_reached"


class Rejection(NamedTuple):
    """A record that cannot be used, and what to tell its producer."""

    reason: Reason
    detail: str
