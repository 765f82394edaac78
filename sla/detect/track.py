"""What is remembered of one objective on one stream: its state, its episode, what was told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sla.catalogue import RANK, Objective, Severity, Treat
from sla.detect.timers import NEVER_AT
from sla.flags import EpisodeFlags
from sla.forecast import Outlook
from sla.intervals import Interval
from sla.standing import Standing


class Closed(NamedTuple):
    """A period that was closed: whose, which, and what was said of it."""

    agreement: str
    start: int
    end: int
    sequence: int
    event_id: str
    figures: dict[str, Any]


@dataclass(slots=True)
class Track:
    """One objective's memory. `objective` is its definition in force; everything else is state.

    There are very many, and most are well: what is mostly empty is a tuple, which takes no room then.
    """

    key: str
    objective: Objective
    standing: Standing = Standing.UNKNOWN
    episode: int = 0
    is_open: bool = False
    opened_at: int | None = None
    highest: Severity = Severity.INFO
    sequences: dict[str, int] = field(default_factory=dict)
    burning: tuple[str, ...] = ()  # tiers that fired and have not cleared
    outlook: Outlook | None = None
    forecast_fires: bool = False
    told_p50_at: int | None = None  # the breach instant that was told ...
    told_move_at: int = 0  # ... and when
    marks_told: tuple[int, ...] = ()
    silences: tuple[Interval, ...] = ()
    silent_since: int | None = None
    told_silent: bool = False  # flags.no_data as the world knows it
    quiet_until: int = 0
    is_final: bool = True
    last_alert_id: str | None = None
    last_breach_id: str | None = None
    breach_at: int | None = None
    status_print: str = ""
    period_start: int | None = None
    published_from: int = NEVER_AT  # by this definition nothing was said of an earlier instant
    flags: EpisodeFlags = field(default_factory=EpisodeFlags)
    closed: dict[str, Closed] = field(default_factory=dict)  # by dedup key, while late data can still correct them

    def next_sequence(self, topic: str) -> int:
        """One counter per dedup key and topic, from 1, never restarted."""
        number = self.sequences.get(topic, 0) + 1
        self.sequences[topic] = number
        return number

    def open(self, at: int) -> None:
        """Leave `ok`: a new episode."""
        self.episode += 1
        self.is_open = True
        self.opened_at = at
        self.highest = Severity.INFO

    def close(self) -> None:
        """Back in `ok`. The episode's number and start stay, as those of the last one."""
        self.is_open = False
        self.told_p50_at = None
        self.flags.clear()

    def raise_to(self, severity: Severity) -> Severity:
        """Severity never falls within an episode."""
        if not self.is_open:
            return severity
        if RANK[severity] > RANK[self.highest]:
            self.highest = severity
        return self.highest

    def stamp(self) -> tuple[object, ...]:
        """What a decision may change without a record: equal stamps need no new table entry."""
        return (
            self.standing,
            self.episode,
            self.burning,
            self.marks_told,
            self.outlook,
            self.forecast_fires,
            self.told_p50_at,
            self.told_silent,
            self.silent_since,
            self.quiet_until,
            self.status_print,
            tuple(self.sequences.items()),
        )

    @property
    def leaves_window(self) -> bool:
        """Whether time without data leaves the window, so that it neither helps nor harms."""
        return self.objective.no_data is not None and self.objective.no_data.treat in {Treat.UNKNOWN, Treat.IGNORE}

    @property
    def speaks_of_silence(self) -> bool:
        """Whether no data is a state and an event of its own."""
        return self.objective.no_data is not None and self.objective.no_data.treat is Treat.UNKNOWN

    @property
    def lacks_data(self) -> bool:
        """Whether no data arrives, or the world has not been told yet that it does again."""
        return self.told_silent or (self.silent_since is not None and self.speaks_of_silence)

    def silent(self, now: int) -> Sequence[Interval]:
        """The stretches without data, the present one up to `now`."""
        if self.silent_since is None or self.silent_since >= now:
            return self.silences
        return [*self.silences, (self.silent_since, now)]
