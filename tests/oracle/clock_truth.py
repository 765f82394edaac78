"""What is true of a ticket's clocks: all its events from the first, each objective by the conditions of semantics 3."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from .ticket_definitions import Fields, Promise
from .windows import Interval


@dataclass(frozen=True)
class Event:
    at: int
    offset: int
    kind: str
    by: str | None
    service: str
    fields: Fields
    is_import: bool


@dataclass
class Run:
    """A clock. What does not count: `pauses` (of a timer), `gaps` (resolved, then reopened)."""

    attached_at: int
    counted_from: int
    carried_ms: int = 0
    replaces: str | None = None
    is_continued: bool = False
    pauses: list[Interval] = field(default_factory=list)
    gaps: list[Interval] = field(default_factory=list)
    paused_at: int | None = None
    ended_at: int | None = None
    ending: str | None = None  # met, cancelled, reset, closed

    def facts(self) -> list[tuple[str, int]]:
        found = [("retargeted" if self.replaces else "started", self.attached_at)]
        for begin, end in self.pauses:
            if begin >= self.attached_at:
                found += [("paused", begin), ("resumed", end)]
        if self.paused_at is not None:
            found.append(("paused", self.paused_at))
        if self.ended_at is not None:
            found.append(("met" if self.ending == "met" else "cancelled", self.ended_at))
        return found

    def is_paused(self, at: int) -> bool:
        if self.paused_at is not None and self.paused_at <= at and (self.ended_at is None or at < self.ended_at):
            return True
        return any(begin <= at < end for begin, end in self.pauses)


class Reading:
    """A clock read by its promise and what is excluded of its service."""

    def __init__(self, promise: Promise, run: Run, exclusions: list[Interval]) -> None:
        self._promise, self._run = promise, run
        self._holes = [*run.gaps, *exclusions, *(run.pauses if promise.is_timer else [])]

    def elapsed_ms(self, at: int) -> int:
        run, holes = self._run, self._holes
        if run.paused_at is not None and run.paused_at < at and self._promise.is_timer:
            holes = [*holes, (run.paused_at, at)]
        return run.carried_ms + self._promise.hours.elapsed_ms(run.counted_from, at, holes)

    def reached(self, elapsed_ms: int, resumed_at: int | None = None) -> int | None:
        """When so much has elapsed: never while it stands still, unless it runs again from an instant on."""
        run, holes = self._run, self._holes
        stands = run.paused_at is not None and self._promise.is_timer
        if stands and resumed_at is not None:
            holes = [*holes, (run.paused_at or 0, max(run.paused_at or 0, resumed_at))]
        at = self._promise.hours.reached(run.counted_from, elapsed_ms - run.carried_ms, holes)
        if stands and resumed_at is None and at is not None and at > (run.paused_at or 0):
            return None
        return at

    def missed_at(self) -> int | None:
        """The deadline of a clock that ended after it."""
        deadline = self.reached(self._promise.target_ms)
        ended_at = self._run.ended_at
        return deadline if deadline is not None and ended_at is not None and deadline < ended_at else None


@dataclass
class Talk:
    """Who waits for whom."""

    started_at: int | None = None
    opened_at: int = 0
    first_reply_at: int | None = None
    last_reply_at: int | None = None
    waiting_since: int | None = None
    is_closed: bool = False
    is_answer: bool = False

    def hear(self, event: Event) -> None:
        self.is_answer = event.kind == "reply" and event.by == "agent"
        if self.started_at is None:
            self.started_at = self.opened_at = event.at
        if self.is_answer:
            self.first_reply_at = event.at if self.first_reply_at is None else self.first_reply_at
            self.last_reply_at, self.waiting_since = event.at, None
        elif event.kind == "reply" and event.by == "customer" and self.first_reply_at is not None:
            self.waiting_since = event.at if self.waiting_since is None else self.waiting_since
        elif event.kind == "closed":
            self.is_closed, self.waiting_since = True, None
        elif event.kind in ("reopened", "created") and self.is_closed:
            self.is_closed, self.opened_at = False, event.at

    def since(self, metric: str, at: int) -> int | None:
        """What a new clock counts from; None where there is nothing to wait for."""
        if metric == "first_response":
            return self.started_at if self.first_reply_at is None else None
        if metric == "next_reply":
            return self.waiting_since
        if metric == "periodic_update":
            return max(self.opened_at, self.last_reply_at or 0)
        return at


class Ticket:
    """Takes events in their order. `runs` are the clocks by service and name of the objective."""

    def __init__(
        self, all_promises: list[Promise], exclusions: Callable[[str], list[Interval]], since: Mapping[str, int]
    ) -> None:
        """`since`: by name the offset at which a promise was made that was not there from the beginning."""
        self._since = since
        self.fields: Fields = {}
        self.runs: dict[tuple[str, str], list[Run]] = {}
        self.service: str | None = None
        self._promises = all_promises
        self._exclusions = exclusions
        self._talk = Talk()
        self._events: list[Event] = []
        self._was_reset: dict[str, bool] = {}

    def promises(self) -> Iterator[Promise]:
        return (each for each in self._promises if each.service in ("*", self.service))

    def take(self, event: Event) -> None:
        for (service, _), runs in self.runs.items():
            if service == self.service != event.service and runs[-1].ended_at is None:
                runs[-1].ended_at, runs[-1].ending = event.at, "cancelled"
        self.service = event.service
        self._events.append(event)
        set_fields(self.fields, event)
        self._talk.hear(event)
        idle, replaced = [], []
        for promise in self.promises():
            run = self._open(promise)
            begins_reset = self._begins_reset(promise)
            if run is None:
                idle.append(promise)
                continue
            self._move(promise, run, event, begins_reset=begins_reset)
            if run.ending == "cancelled":
                replaced.append((promise, run))
        for promise in idle:
            since = self._talk.since(promise.spec["metric"], event.at)
            if promise.wants(self.fields) and not self._talk.is_closed and since is not None:
                metric = promise.spec["metric"]
                before = next(((old, run) for old, run in replaced if old.spec["metric"] == metric), None)
                self._attach(promise, self._new(promise, event, since, before), event.at)

    def _open(self, promise: Promise) -> Run | None:
        runs = self.runs.get((str(self.service), promise.name))
        return runs[-1] if runs and runs[-1].ended_at is None else None

    def _begins_reset(self, promise: Promise) -> bool:
        before = self._was_reset.get(promise.name, False)
        now = self._was_reset[promise.name] = promise.holds("reset", self.fields)
        return now and not before

    def _move(self, promise: Promise, run: Run, event: Event, *, begins_reset: bool) -> None:
        """The first condition that holds decides."""
        ending = self._ending(promise, event)
        if ending is not None:
            run.ended_at, run.ending = event.at, ending
            is_next = promise.spec["metric"] == "periodic_update" and self._talk.is_answer
            if is_next and promise.wants(self.fields):
                self._attach(promise, Run(event.at, event.at), event.at)
        elif begins_reset:
            run.ended_at, run.ending = event.at, "reset"
            self._attach(promise, Run(event.at, event.at), event.at)
        else:
            stand(run, promise, self.fields, event.at)

    def _ending(self, promise: Promise, event: Event) -> str | None:
        if (promise.is_reply and self._talk.is_answer) or promise.holds("stop", self.fields):
            return "met"
        if not promise.wants(self.fields):
            return "cancelled"
        if event.kind == "closed":
            return "closed" if promise.is_reply else "met"
        return None

    def _new(self, promise: Promise, event: Event, since: int, before: tuple[Promise, Run] | None) -> Run:
        at = event.at
        runs = self.runs.get((event.service, promise.name), [])
        last = runs[-1] if runs else None
        if before is not None:
            return self._taken_over(promise, *before, event)
        continues = promise.spec.get("onReopen", "continue") == "continue"
        is_first_response = promise.spec["metric"] == "first_response"
        kind = "closed" if is_first_response else None if promise.is_reply else "met"
        if last is not None and continues and last.ending == kind:
            return Run(
                at, last.counted_from, last.carried_ms, None, is_continued=True,
                pauses=until(last, last.ended_at or at), gaps=[*last.gaps, (last.ended_at or at, at)],
            )  # fmt: skip
        if last is not None and last.ending == "closed":
            since = at
        return Run(at, since, pauses=self._own_pauses(promise, since, at))

    def _taken_over(self, promise: Promise, old_promise: Promise, old: Run, event: Event) -> Run:
        at = event.at
        is_untold = event.is_import or event.offset <= self._since.get(promise.name, -1)
        name = None if is_untold else old_promise.name
        how = promise.spec.get("onRetarget", "retroactive")
        if how == "restart":
            return Run(at, at, 0, name)
        if how == "proportional":
            elapsed_ms = Reading(old_promise, old, self._exclusions(event.service)).elapsed_ms(at)
            return Run(at, at, elapsed_ms * promise.target_ms // old_promise.target_ms, name)
        pauses = self._own_pauses(promise, old.counted_from, at)
        return Run(at, old.counted_from, old.carried_ms, name, gaps=list(old.gaps), pauses=pauses)

    def _own_pauses(self, promise: Promise, since: int, at: int) -> list[Interval]:
        """When its conditions would have paused it, had it run all along."""
        shadow = Run(since, since)
        fields: Fields = {}
        for event in self._events:
            if event.at >= at:
                break
            set_fields(fields, event)
            stand(shadow, promise, fields, event.at)
        return [(max(begin, since), end) for begin, end in until(shadow, at) if end > since]

    def _attach(self, promise: Promise, run: Run, at: int) -> None:
        if promise.holds("pause", self.fields):
            run.paused_at = at
        self.runs.setdefault((str(self.service), promise.name), []).append(run)


def stand(run: Run, promise: Promise, fields: Fields, at: int) -> None:
    """Pause or resume."""
    if promise.holds("pause", fields):
        run.paused_at = at if run.paused_at is None else run.paused_at
    elif run.paused_at is not None and (not promise.spec.get("resume") or promise.holds("resume", fields)):
        run.pauses.append((run.paused_at, at))
        run.paused_at = None


def until(run: Run, at: int) -> list[Interval]:
    """Its pauses, the one that goes on cut off."""
    cut = [] if run.paused_at is None or run.paused_at >= at else [(run.paused_at, at)]
    return [*(pause for pause in run.pauses if pause[0] < at), *cut]


def set_fields(fields: Fields, event: Event) -> None:
    for name, value in event.fields.items():
        if value is None:
            fields.pop(name, None)
        else:
            fields[name] = value
