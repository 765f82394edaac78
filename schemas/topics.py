"""Every topic, declared once: what it is keyed by, how long it is kept, who writes it and who reads it.

`forewarn topics create` makes the topics in `ALL`, the embedded broker and the tests too; `topology.md` repeats the
table for people and is compared with this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sla.units import DAY_MS, HOUR_MS, MINUTE_MS

PARTITIONS_DEFAULT: Final = 32  # they never change: a key's state lives in its partition
FOREVER: Final = -1
DEAD_LETTER_BYTES_MAX: Final = 4 * 1024 * 1024
HEAD_BYTES_MAX: Final = 4 * 1024 * 1024  # of one atom: a stakeholder may be told of thousands of troubles at a time


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `partitions` is None where the installation decides, the same for all such topics.

    `retention_ms` is `FOREVER` or a duration, None for a compacted topic. `append_time`: the broker's clock stamps the
    records, because a fold takes its time from them. `fed_later`: named by the formats, but nothing in this release
    writes or reads it, and it is not created.
    """

    name: str
    key: str
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    partitions: int | None = None
    retention_ms: int | None = FOREVER
    append_time: bool = False
    message_bytes_max: int | None = None
    compaction_lag_ms: tuple[int, int] | None = None  # not before, not after
    segment_ms: int | None = None
    fed_later: bool = False

    @property
    def is_compacted(self) -> bool:
        """Whether only the last value of each key is kept."""
        return self.retention_ms is None

    def settings(self) -> dict[str, str]:
        """What the broker must be told, by Kafka's names for topic settings."""
        told: dict[str, str | int] = {"cleanup.policy": "compact" if self.is_compacted else "delete"}
        if self.retention_ms is not None:
            told["retention.ms"] = self.retention_ms
        if self.append_time:
            told["message.timestamp.type"] = "LogAppendTime"
        if self.message_bytes_max is not None:
            told["max.message.bytes"] = self.message_bytes_max
        if self.compaction_lag_ms is not None:
            told["min.compaction.lag.ms"], told["max.compaction.lag.ms"] = self.compaction_lag_ms
        if self.segment_ms is not None:
            told["segment.ms"] = self.segment_ms
        return {name: str(value) for name, value in told.items()}


def application_of(role: str) -> str:
    """The name of a role's Faust app, which is its consumer group too."""
    return f"forewarn-{role}"


def changelog_of(role: str) -> str:
    """The changelog of a role's one table, as Faust names it."""
    return f"{application_of(role)}-{TABLE}-changelog"


def _changelog(role: str) -> Topic:
    # A young value may be a zombie's: it stays beside the older, right one until a new owner has written its heads.
    return Topic(
        changelog_of(role),
        key="atom",
        writers=(role,),
        readers=(role,),
        retention_ms=None,
        message_bytes_max=HEAD_BYTES_MAX,
        compaction_lag_ms=(5 * MINUTE_MS, 10 * MINUTE_MS),
        segment_ms=5 * MINUTE_MS,
    )


TABLE: Final = "state"
ROLES_WITH_STATE: Final = ("detect", "clock", "dispatch", "deliver")

TELEMETRY: Final = Topic(
    "sla.telemetry.v1",
    key="service",
    # detect: trouble of dependencies, ticks, markers and records forwarded to their partition
    # clock: outcomes of tickets, and what becomes of open clocks
    writers=("producers", "send", "route", "detect", "clock"),
    readers=("detect",),
    retention_ms=14 * DAY_MS,
    append_time=True,
)
TICKETS: Final = Topic(
    "sla.tickets.v1",
    key="ticket id",
    # route: people's orders; detect: exclusions; clock: ticks, markers and records forwarded to their partition
    writers=("producers", "send", "route", "detect", "clock"),
    readers=("clock",),
    retention_ms=14 * DAY_MS,
    append_time=True,
)
COMMANDS: Final = Topic(
    "sla.commands.v1",
    key="anything",
    writers=("people", "ack", "silence", "reply", "send"),
    readers=("route",),
    retention_ms=90 * DAY_MS,
    append_time=True,
)
CATALOGUE: Final = Topic(
    "sla.catalogue.v1",
    key="kind/name, or commit",
    writers=("apply",),
    readers=("detect", "clock", "dispatch"),
    partitions=1,
)
ALERTS: Final = Topic(
    "sla.alerts.v1", key="dedup key", writers=("detect", "clock"), readers=("consumers",), retention_ms=90 * DAY_MS
)
CLOCKS: Final = Topic(
    "sla.clocks.v1", key="dedup key", writers=("clock",), readers=("consumers",), retention_ms=90 * DAY_MS
)
FORECASTS: Final = Topic(
    "sla.forecasts.v1", key="dedup key", writers=("detect",), readers=("consumers",), retention_ms=90 * DAY_MS
)
SHADOW_ALERTS: Final = Topic(
    "sla.alerts.shadow.v1", key="dedup key", writers=("detect",), readers=("consumers",), retention_ms=90 * DAY_MS
)
STATUS: Final = Topic(
    "sla.status.v1",
    key="dedup key",
    writers=("detect", "clock"),
    readers=("project", "consumers"),
    retention_ms=None,
    segment_ms=HOUR_MS,
)
NOTICES: Final = Topic(
    "sla.notices.v1",
    key="stakeholder",
    # dispatch: escalations, ticks, markers, records forwarded to their partition
    writers=("detect", "clock", "route", "dispatch"),
    readers=("dispatch",),
    retention_ms=90 * DAY_MS,
    append_time=True,
)
OUTBOX: Final = Topic(
    "sla.outbox.v1", key="stakeholder", writers=("dispatch",), readers=("deliver",), retention_ms=14 * DAY_MS
)
DELIVERIES: Final = Topic(
    "sla.deliveries.v1",
    key="stakeholder, or dedup key",
    # detect, clock: that nobody is told; dispatch: what was not sent, or not yet
    writers=("detect", "clock", "dispatch", "deliver"),
    readers=("consumers",),
    retention_ms=90 * DAY_MS,
)
RECORDS: Final = Topic(
    "sla.records.v1", key="dedup key", writers=("detect", "clock", "route", "dispatch"), readers=("consumers",)
)
LATE: Final = Topic(
    "sla.late.v1", key="as received", writers=("detect",), readers=("consumers",), retention_ms=14 * DAY_MS
)
DEAD_LETTERS: Final = Topic(
    "sla.dlq.v1",
    key="as received",
    writers=("detect", "clock", "route", "dispatch", "deliver"),
    readers=("consumers",),
    retention_ms=14 * DAY_MS,
    message_bytes_max=DEAD_LETTER_BYTES_MAX,
)

ALL: Final = (
    TELEMETRY,
    TICKETS,
    COMMANDS,
    CATALOGUE,
    ALERTS,
    SHADOW_ALERTS,
    CLOCKS,
    FORECASTS,
    STATUS,
    NOTICES,
    OUTBOX,
    DELIVERIES,
    RECORDS,
    LATE,
    DEAD_LETTERS,
    *(_changelog(role) for role in ROLES_WITH_STATE),
)
LATER: Final = (Topic("sla.history.v1", "dedup key", (), (), retention_ms=400 * DAY_MS, fed_later=True),)
BY_NAME: Final = {topic.name: topic for topic in (*ALL, *LATER)}
