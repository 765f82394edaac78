"""Corrections: what was published and, by what came later, is no longer true (semantics.md 1, Late; Exclusions)."""

from __future__ import annotations

from collections.abc import Mapping
from json import loads
from typing import Any, Final, NamedTuple

from sla.detect.account import Account
from sla.detect.closing import close
from sla.detect.hindsight import View, view_at, without
from sla.detect.judge import Judge
from sla.detect.limits import Lateness
from sla.detect.moment import Moment
from sla.detect.stream import Stream
from sla.detect.track import Track
from sla.events import LATE
from sla.fold import Emission, Line
from sla.past import Past, columns_of
from sla.periods import Period, local_date
from sla.records import Exclusion
from sla.said import Said
from sla.standing import Standing
from sla.units import MINUTE_MS, ceil_to, floor_to

_DIGITS_MAX: Final = 18


def late_record(lateness: Lateness, topic: str, partition: int, line: Line) -> Emission:
    """A record beyond its grace, as it came; `counted` says whether it still changed its bucket."""
    body = {
        "late_ms": lateness.late_ms,
        "counted": lateness.counts,
        "topic": topic,
        "partition": partition,
        "offset": line.offset,
        "record": loads(line.value or b"null", parse_int=_bounded),
    }
    return Emission(LATE, None if line.key is None else line.key.decode(), body)


def _bounded(digits: str) -> int | float:
    """A number of an unknown field may be longer than anything can write again; it need not be exact."""
    return int(digits) if len(digits) <= _DIGITS_MAX else float(digits)


class Published(NamedTuple):
    """The newest event of an objective and its newest breach, by id."""

    alert_id: str | None
    breach_id: str | None


def published_by(track: Track) -> Published:
    """What an objective has said so far."""
    return Published(track.last_alert_id, track.last_breach_id)


class Corrections:
    """Finds out what is no longer true, and says it once per objective and minute."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    # -- late records

    def late(self, stream: Stream, moment: Moment, published: Mapping[str, Published], decided_at: int) -> list[Said]:
        """Compare what was published with what the late records would have made of it.

        `published` is what each objective had said up to the decision before this one, at `decided_at`: its own events
        take nothing back.
        """
        if floor_to(moment.at, MINUTE_MS) <= floor_to(stream.corrected_at, MINUTE_MS):
            return []
        late, stream.late = stream.late, {}
        stream.corrected_at = moment.at
        said: list[Said] = []
        for account in stream.in_order:
            track = account.track
            changes = late.get(track.objective.name)
            if not changes:
                continue
            emissions = self._late_one(stream, account, changes, moment, published[track.objective.name], decided_at)
            emissions += self._closed(stream, account, moment, "late_data")
            if emissions:
                said.append(Said(track.key, emissions))
        return said

    def _late_one(
        self,
        stream: Stream,
        account: Account,
        changes: list[tuple[int, int, int]],
        moment: Moment,
        published: Published,
        decided_at: int,
    ) -> list[Emission]:
        since = max(min(at for at, _, _ in changes) + 1, account.track.published_from)
        rows = account.ledger.rows()
        with_it = Past(columns_of(rows), account.ledger.excluded)
        without_it = Past(columns_of(without(rows, changes)), account.ledger.excluded)
        for at in range(ceil_to(since, MINUTE_MS), decided_at + 1, MINUTE_MS):
            if any(begun < at < ended for begun, ended in stream.gaps):
                continue  # nobody was watching, and nothing was published
            before = view_at(account, without_it, stream.seen, at)
            after = view_at(account, with_it, stream.seen, at)
            if before.standing is not after.standing:
                change = _change(published, before, after)
                return self._judge.correct(stream, account, moment, "late_data", change)
        return []

    def _closed(self, stream: Stream, account: Account, moment: Moment, rule: str) -> list[Emission]:
        """Periods that were closed and come out differently now; those beyond correction are forgotten."""
        track = account.track
        emissions: list[Emission] = []
        for key, closed in sorted(track.closed.items()):
            if closed.end + stream.correct_for_ms + stream.grace_ms < moment.now:
                del track.closed[key]
                continue
            agreement = moment.catalogue.agreements.get(closed.agreement)
            if agreement is None or agreement.period is None:
                continue
            name = local_date(closed.start, agreement.period.timezone).isoformat()
            period = Period(closed.start, closed.end, name)
            verdict = close(stream, account, agreement, period)
            figures = verdict.figures(period)
            if figures == closed.figures:
                continue
            sequence = closed.sequence + 1
            change = {"supersedes": closed.event_id, "before": closed.figures, "after": figures, "period": figures}
            said = self._judge.correct_period(stream, account, moment, rule, change, key, sequence)
            track.closed[key] = closed._replace(sequence=sequence, event_id=said[0].value["id"], figures=figures)
            emissions += said
        return emissions

    # -- exclusions

    def exclude(self, stream: Stream, exclusions: list[Exclusion], moment: Moment) -> list[Said]:
        """Apply the exclusions in force; a published breach that they undo is corrected at once, and recovers.

        All else that they change is said by the next decision.
        """
        stream.settle(moment.at)
        before = {name: self._breach_view(stream, account) for name, account in stream.accounts.items()}
        overspent = {name for name, account in stream.accounts.items() if account.is_overspent(stream.seen, moment.at)}
        stream.exclude(exclusions, moment.at)
        said: list[Said] = []
        for account in stream.in_order:
            track = account.track
            was = before[track.objective.name]
            was_breached = track.standing is Standing.BREACHED
            reading = account.read(stream.seen, moment.at)
            # In silence a breach may stand whose bad has left the window; that is no exclusion's doing.
            was_overspent = was_breached and track.objective.name in overspent
            undone = was_overspent and reading.budget is not None and not reading.budget.is_overspent
            emissions: list[Emission] = []
            if undone:
                view = View(Standing.OK, reading.budget)
                change = _change(published_by(track), was, view)
                emissions += self._judge.correct(stream, account, moment, "exclusion", change)
                if not track.lacks_data:  # the state stays, or it is for the next decision to say that there is data
                    emissions += self._judge.decide_one(stream, account, moment)
            elif not was_breached and was.standing is Standing.BREACHED:
                now = self._breach_view(stream, account)
                if now.standing is not Standing.BREACHED:
                    change = _change(published_by(track), was, now)
                    emissions += self._judge.correct(stream, account, moment, "exclusion", change)
            emissions += self._closed(stream, account, moment, "exclusion")
            if emissions:
                said.append(Said(track.key, emissions))
        return said

    def _breach_view(self, stream: Stream, account: Account) -> View:
        """What the buckets say of the instant of the last published breach."""
        at = account.track.breach_at
        if at is None:
            return View(Standing.OK, None)
        past = Past(account.ledger.columns(), account.ledger.excluded)
        return view_at(account, past, stream.seen, at)


def _change(published: Published, before: View, after: View) -> dict[str, Any]:
    supersedes = published.breach_id if before.standing is Standing.BREACHED else published.alert_id
    return {"supersedes": supersedes, "before": _view_json(before), "after": _view_json(after)}


def _view_json(view: View) -> dict[str, Any]:
    budget = view.budget
    return {
        "state": view.standing.value,
        "budget": None
        if budget is None
        else {
            "allowed_count": budget.allowed,
            "consumed_count": budget.consumed,
            "remaining_ratio": budget.remaining_ratio,
        },
    }
