"""What is said of one objective on one ticket: its events, its state and episode, and what is fed on.

One `Voice` is made for each objective concerned and each line (or instant before it); it gathers what is published.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from sla.catalogue import Severity
from sla.clock.course import Course
from sla.clock.flagging import CHANGED
from sla.clock.labels import Labels
from sla.clock.publish import Publisher, open_clock, outcome
from sla.clock.report import Draft, Moment, View
from sla.clock.run import Fact, FactKind, Run
from sla.clock.stages import due_at, severity_of
from sla.clock.track import SILENT, Told, Track, Warned
from sla.dedup import ticket_key
from sla.events import EventData
from sla.exclusions import InForce
from sla.fold import Emission
from sla.standing import Standing

NAMES: Final = {
    FactKind.STARTED: "clock.started",
    FactKind.RETARGETED: "clock.retargeted",
    FactKind.PAUSED: "clock.paused",
    FactKind.RESUMED: "clock.resumed",
    FactKind.MET: "clock.met",
    FactKind.CANCELLED: "clock.cancelled",
}
_RULES: Final = {kind: name.removeprefix("clock.") for kind, name in NAMES.items()}
BEGINNINGS: Final = frozenset({FactKind.STARTED, FactKind.RETARGETED})
ENDINGS: Final = frozenset({FactKind.MET, FactKind.CANCELLED})


class Voice:
    """Speaks for one track. `done` ends it and gives all that was said."""

    def __init__(
        self,
        publisher: Publisher,
        moment: Moment,
        ticket: str,
        track: Track,
        course: Course,
        exclusions: InForce,
        labels: Labels,
    ) -> None:
        self.moment = moment
        self.track = track
        self.course = course
        self.ticket = ticket
        self.key = ticket_key(track.service, track.name, ticket)  # the dedup key
        self._publisher = publisher
        self._exclusions = exclusions
        self._labels = labels
        self._view: View | None = None
        self._last: tuple[int, EventData] | None = None  # the instant and the data of the event told last
        self._out: list[Emission] = []
        self._feeds: list[Emission] = []

    # -- what it looks at

    @property
    def severity(self) -> Severity:
        """That of the episode; of no trouble, info."""
        return self.track.highest if self.track.is_open else Severity.INFO

    def view(self, run: Run) -> View:
        """A clock of it, which does not change while it is spoken of."""
        if self._view is None or self._view.run is not run:
            self._view = View(self.ticket, self.key, self.track, self.course, run, self._exclusions)
        return self._view

    @property
    def gone(self) -> View:
        """A clock that has turned out never to have been."""
        return View(self.ticket, self.key, self.track, self.course, None, self._exclusions)

    @property
    def has_spoken(self) -> bool:
        """Whether anything was told."""
        return self._last is not None

    # -- events

    def alert(self, view: View, draft: Draft) -> int:
        """An event for machines and people; its sequence."""
        emissions, data = self._publisher.alert(view, self.moment, draft)
        self._out += emissions
        self._last = (draft.at, data)
        return self.track.alerts

    def clock(self, view: View, draft: Draft) -> int:
        """A step of the clock; its sequence."""
        emissions, data = self._publisher.clock(view, self.moment, draft)
        self._out += emissions
        self._last = (draft.at, data)
        return self.track.clocks

    def still(self, name: str, rule: str, at: int, more: dict[str, Any] | None = None) -> Draft:
        """A draft of something that does not change the state."""
        standing = self.track.standing
        return Draft(name, rule, self.severity, standing, standing, at, more=more)

    def tell(self, view: View, run: Run, told: Told, fact: Fact, *, is_late: bool) -> None:
        """A fact about a clock; an end ends the episode too, `is_late` after a missed deadline."""
        kind, at = fact
        rule, change, ended_as = _RULES[kind], "changed", None
        more: dict[str, Any] | None = None
        if kind in BEGINNINGS:
            change = "started"
            if run.replaces is not None:
                more = {"replaces": ticket_key(self.track.service, run.replaces, self.ticket)}
        elif kind in ENDINGS:
            change, ended_as = "ended", "cancelled"
            if kind is FactKind.MET:
                rule, ended_as, more = (
                    "met_late" if is_late else "met",
                    "breached" if is_late else "met",
                    {"late": is_late},
                )
            elif run.ending is not None:
                rule = run.ending.value
            if self.track.is_open:
                self.recover(view, rule if kind is FactKind.MET else "cancelled", at)
        told.add(fact, self.clock(view, self.still(NAMES[kind], rule, at, more)))
        if ended_as == "met" and not told.is_good_fed:
            told.is_good_fed = True
            self._feeds.append(outcome(view, at, is_good=True))
        self.feed(view, at, change, ended_as)

    def introduce(self, view: View, run: Run, told: Told) -> None:
        """A clock that has long been open, as it is now: its start, and that it is paused; all else counts as told.

        A breach that was told before its objective was gone for a while holds on.
        """
        if told.breach_at is not None:
            self.track.open(told.breach_at)
            self.track.standing = Standing.BREACHED
            self.track.raise_to(Severity.CRITICAL)
        facts = run.facts()
        for place, fact in enumerate(facts):
            is_shown = place == 0 or (run.paused_at is not None and place == len(facts) - 1)
            draft = self.still(NAMES[fact.kind], _RULES[fact.kind], fact.at)
            told.add(fact, self.clock(view, draft) if is_shown else SILENT)
        self.feed(view, self.moment.now, "started", None)

    def warn(self, view: View, told: Told, stage: int, mark: str, at: int) -> None:
        """A mark was reached, or a repeat."""
        track, severity = self.track, severity_of(view.objective, stage)
        previous = track.standing
        if severity is not Severity.INFO and previous is Standing.OK:
            track.open(at)
            track.standing = Standing.AT_RISK
        shown = track.raise_to(severity)
        draft = Draft("early_warning", "ticket_mark", shown, previous, track.standing, at, mark)
        told.warnings = (*told.warnings, Warned(mark, at, self.alert(view, draft)))

    def breach(self, view: View, told: Told, at: int, *, is_historic: bool = False) -> None:
        """The target was missed at its deadline: whatever marks lie before it count as told."""
        track = self.track
        previous = track.standing
        track.open(at)
        track.standing = Standing.BREACHED
        severity = track.raise_to(Severity.CRITICAL)
        draft = Draft("breach", "deadline", severity, previous, Standing.BREACHED, at, is_historic=is_historic)
        told.breach_at, told.breach_sequence = at, self.alert(view, draft)
        told.breached_sequence = self.clock(view, replace(draft, name="clock.breached"))
        told.stage = max(told.stage, len(view.objective.marks) + 1)
        if not told.is_bad_fed:
            told.is_bad_fed = True
            self._feeds.append(outcome(view, at, is_good=False))

    def recover(self, view: View, rule: str, at: int) -> None:
        """The episode ends."""
        track = self.track
        previous, severity = track.standing, track.highest
        track.close()
        self.alert(view, Draft("recovery", rule, severity, previous, Standing.OK, at))

    def reflag(self, rule: str | None, at: int) -> None:
        """The flags have changed by a rule; with None they have not."""
        if rule is not None:
            runs = self.course.runs
            self.alert(self.view(runs[-1]) if runs else self.gone, self.still(CHANGED, rule, at))

    def feed(self, view: View, at: int, change: str, ended_as: str | None) -> None:
        """What becomes of an open clock."""
        self._feeds.append(open_clock(view, at, change, self._labels, ended_as))

    # -- the end

    def relabelled(self) -> list[Emission]:
        """Of a clock to which nothing happened but that the ticket's team or priority is another one."""
        run = self.course.run
        if run is not None:
            self.feed(self.view(run), self.moment.now, "changed", None)
        return self._feeds

    def done(self, *, are_labels_new: bool = False) -> list[Emission]:
        """All that was said, then the status after it, then the feeds; and when something will be due is set."""
        track, run = self.track, self.course.run
        track.due_at = deadline = None
        if run is not None and len(track.told) == len(self.course.runs):
            view = self.view(run)
            track.due_at = due_at(view.objective, run, view.clock, track.told[-1].stage)
            deadline = view.clock.deadline
            if (are_labels_new or deadline != track.fed_deadline) and not self._feeds:
                self.feed(view, self.moment.now, "changed", None)
        track.fed_deadline = deadline
        if self._last is not None:
            self._out.append(self._publisher.status(track, *self._last))
        return self._out + self._feeds
