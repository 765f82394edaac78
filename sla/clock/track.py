"""What was told of one objective on one ticket, and where it stands by that."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from operator import eq
from typing import Final, NamedTuple

from sla.catalogue import RANK, Severity
from sla.clock.run import Fact, FactKind, Run
from sla.events import ALERTS, CLOCKS
from sla.flags import EpisodeFlags
from sla.standing import Standing

_KINDS: Final = {kind.value: kind for kind in FactKind}

SILENT: int = 0
"""The sequence of what was settled without an event: true, but told to nobody."""


class Warned(NamedTuple):
    """An early warning that was told: the mark or repeat, its instant, and the event's sequence."""

    mark: str
    at: int
    sequence: int


class Told:
    """What was told of one clock. `stage` is how many of its marks, its breach and its repeats are behind it."""

    __slots__ = (
        "_facts", "breach_at", "breach_sequence", "breached_sequence", "is_bad_fed", "is_good_fed", "stage", "warnings",
    )  # fmt: skip

    def __init__(self) -> None:
        self._facts = array("q")  # kind, at, sequence, kind, …; what is not added at its end makes another array
        self.breach_at: int | None = None
        self.breach_sequence = SILENT  # of the alert
        self.breached_sequence = SILENT  # of the clock's event that says the same
        self.stage = 0
        self.warnings: tuple[Warned, ...] = ()  # those that hold
        self.is_good_fed = False
        self.is_bad_fed = False

    @property
    def facts(self) -> list[Fact]:
        """The facts that were told, in the order of telling."""
        raw = self._facts
        return list(map(Fact, map(_KINDS.__getitem__, raw[::3]), raw[1::3]))

    @property
    def facts_count(self) -> int:
        """How many."""
        return len(self._facts) // 3

    @property
    def last_kind(self) -> int | None:
        """What was told last, a `FactKind`."""
        return self._facts[-3] if self._facts else None

    @property
    def is_heard(self) -> bool:
        """Whether any of it was told with an event."""
        return any(self._facts[2::3])

    @property
    def begun(self) -> Fact | None:
        """The fact that was told first."""
        return Fact(_KINDS[self._facts[0]], self._facts[1]) if self._facts else None

    def untold_count(self, run: Run) -> int | None:
        """How many facts of a clock come after all that was told; None where its facts do not begin with that.

        What was compared once, or told of it, is not compared again: either side only adds to it, or begins a new one.
        """
        raw, count = self._facts, self.facts_count
        known = run.agreed_count if run.agreed is raw else 0
        untold_count = run.facts_count - count
        if untold_count < 0:
            return None
        if known < count:
            if not all(map(eq, zip(raw[3 * known :: 3], raw[3 * known + 1 :: 3], strict=True), run.facts(known))):
                return None
            self.agree(run)
        return untold_count

    def is_true_of(self, run: Run) -> bool:
        """Whether the facts of a clock begin with all that was told, which is the usual case."""
        return self.untold_count(run) is not None

    def agree(self, run: Run) -> None:
        """All that was told is what the facts of a clock begin with."""
        run.agreed, run.agreed_count = self._facts, self.facts_count

    def add(self, fact: Fact, sequence: int) -> None:
        """Remember one more."""
        self._facts.extend((fact.kind, fact.at, sequence))

    def sequence_of(self, fact: Fact) -> int:
        """The sequence of the event that told a fact."""
        return self._facts[3 * self.facts.index(fact) + 2]

    def forget(self, fact: Fact) -> None:
        """It is no longer true."""
        place = 3 * self.facts.index(fact)
        self._facts = self._facts[:place] + self._facts[place + 3 :]

    def forget_all(self, facts: Iterable[Fact]) -> None:
        """They are settled for good, those of them that were told: nothing will be said of them any more."""
        raw = self._facts
        settled: Counter[tuple[int, int]] = Counter(facts)
        self._facts = array("q")
        for told in zip(raw[::3], raw[1::3], raw[2::3], strict=True):
            if settled[told[:2]] > 0:
                settled[told[:2]] -= 1
            else:
                self._facts.extend(told)

    def arrange(self, facts: list[Fact]) -> None:
        """Put what was told, which is all of these, into their order."""
        sequences: dict[Fact, list[int]] = {}
        for place, fact in enumerate(self.facts):
            sequences.setdefault(fact, []).append(self._facts[3 * place + 2])
        self._facts = array("q")
        for fact in facts:
            self.add(fact, sequences[fact].pop(0))

    def raw(self) -> list[int]:
        """All of it, for the table."""
        return list(self._facts)

    def load(self, raw: list[int]) -> None:
        """Take back what `raw` gave."""
        self._facts = array("q", raw)


class Track:
    """One objective's memory on a ticket: its counters, its episode, and what was told of each of its clocks."""

    __slots__ = (
        "alerts", "clocks", "due_at", "episode", "fed_deadline", "flags", "highest", "is_open", "name", "opened_at",
        "service", "standing", "status", "told",
    )  # fmt: skip

    def __init__(self, service: str, name: str) -> None:
        self.service = service
        self.name = name  # of the objective
        self.alerts = self.clocks = self.status = 0  # the last sequence on each topic: they never restart
        self.episode = 0
        self.is_open = False
        self.opened_at: int | None = None
        self.highest = Severity.INFO
        self.standing = Standing.OK
        self.told: list[Told] = []  # one for each clock, in order
        self.due_at: int | None = None  # when time alone makes something true that is to be told
        self.fed_deadline: int | None = None
        self.flags = EpisodeFlags()

    @property
    def acts_at(self) -> int | None:
        """When it is to act next if nothing happens: something is due, or an acknowledgement ends by itself."""
        due_at, acked_until = self.due_at, self.flags.acked_until
        if due_at is None or acked_until is None:
            return acked_until if due_at is None else due_at
        return min(due_at, acked_until)

    @property
    def is_running(self) -> bool:
        """Whether a clock was told of whose end was not."""
        last = self.told[-1].last_kind if self.told else None
        return last is not None and last not in (FactKind.MET, FactKind.CANCELLED)

    @property
    def is_told(self) -> bool:
        """Whether anything was told to anybody."""
        return any(told.is_heard for told in self.told)

    def next_sequence(self, topic: str) -> int:
        """One counter per dedup key and topic, from 1."""
        if topic == ALERTS:
            self.alerts += 1
            return self.alerts
        if topic == CLOCKS:
            self.clocks += 1
            return self.clocks
        self.status += 1
        return self.status

    def open(self, at: int) -> None:
        """Leave `ok`: a new episode, if none is open."""
        if not self.is_open:
            self.episode += 1
            self.is_open = True
            self.opened_at = at
            self.highest = Severity.INFO

    def close(self) -> None:
        """Back in `ok`; who had taken it on has done so."""
        self.is_open = False
        self.flags.clear()
        self.standing = Standing.OK

    def raise_to(self, severity: Severity) -> Severity:
        """Severity never falls within an episode."""
        if not self.is_open:
            return severity
        if RANK[severity] > RANK[self.highest]:
            self.highest = severity
        return self.highest
