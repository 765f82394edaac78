"""Judging one stream at one instant: read each objective's account, turn its state, publish what that means."""

from __future__ import annotations

from typing import Any, NamedTuple

from sla.audience import agreement_ref
from sla.catalogue import Agreement, Severity, Uptime
from sla.dedup import encoded, period_key
from sla.detect.account import Account, Reading
from sla.detect.closing import close, in_force
from sla.detect.machine import Draft, begin_period, decide, fall_silent, is_uneventful, retire, weigh_forecast
from sla.detect.maintenance import Overrun, view_of
from sla.detect.moment import Moment
from sla.detect.owing import Due, Owing
from sla.detect.prospect import work_out
from sla.detect.publish import Publisher
from sla.detect.report import Scene
from sla.detect.stream import Stream
from sla.detect.track import Closed
from sla.fold import Emission
from sla.forecast import LEAST_BAD_COUNT
from sla.periods import Period
from sla.records import Exclusion
from sla.said import Said
from sla.standing import Standing
from sla.units import HOUR_MS


class Decided(NamedTuple):
    """A decision: what it says, whether time alone may change the next one, and which statuses are still to be told."""

    said: list[Said]
    is_restless: bool
    due: list[Due]


class Judge:
    """Turns readings into events. Holds no state but the publisher's."""

    def __init__(self, publisher: Publisher, owing: Owing) -> None:
        self._publisher = publisher
        self._owing = owing

    def decide(self, stream: Stream, moment: Moment, *, is_minute: bool) -> Decided:
        """One decision on every objective of a stream."""
        said: list[Said] = []
        due: list[Due] = []
        is_restless = False
        stream.settle(moment.at)
        for account in stream.in_order:
            track = account.track
            is_restless |= isinstance(track.objective.indicator, Uptime)
            if not is_minute and track.standing is Standing.OK and account.is_calm(moment.at):
                continue
            reading = account.read(stream.seen, moment.at)
            is_restless |= reading.depends_on_time or track.quiet_until > moment.at
            if is_uneventful(track, reading):
                account.rest_on(reading, moment.at)
                if not is_minute or self._is_foreseen(stream, account, reading, moment.at, due):
                    continue
            elif is_minute:
                _foresee(stream, account, reading, moment.at, account.ledger.read(HOUR_MS).bad)
            emissions = self._turn(stream, account, moment, reading, is_minute=is_minute)
            is_restless |= track.quiet_until > moment.at
            if emissions:
                said.append(Said(track.key, emissions))
        return Decided(said, is_restless, due)

    @staticmethod
    def _is_foreseen(stream: Stream, account: Account, reading: Reading, at: int, due: list[Due]) -> bool:
        """Whether the forecast of a promise that is well changes nothing either: then its status is all that is due."""
        track, bad_count = account.track, account.ledger.read(HOUR_MS).bad
        lacks_outlook = track.objective.forecast is None or bad_count < LEAST_BAD_COUNT
        if not lacks_outlook:
            _foresee(stream, account, reading, at, bad_count)
        if not track.forecast_fires:
            due.append(Due(account, reading, lacks_outlook))
        return not track.forecast_fires

    def decide_one(self, stream: Stream, account: Account, moment: Moment) -> list[Emission]:
        """One decision on one objective, between two whole minutes."""
        reading = account.read(stream.seen, moment.at)
        if is_uneventful(account.track, reading):
            account.rest_on(reading, moment.at)
            return []
        return self._turn(stream, account, moment, reading, is_minute=False)

    def _turn(
        self, stream: Stream, account: Account, moment: Moment, reading: Reading, *, is_minute: bool
    ) -> list[Emission]:
        track = account.track
        self._owing.settle(stream)
        before = track.standing
        drafts = decide(track, reading, moment.at)
        if not drafts and track.standing is before and not is_minute:
            return []
        scene = self._scene(stream, account, moment, reading)
        emissions = self._publisher.publish(scene, drafts)
        if track.standing is not before:
            emissions += self._publisher.turn_status(scene, drafts[-1] if drafts else None)
        elif is_minute:
            emissions += self._publisher.minute_status(scene)
        return emissions

    @staticmethod
    def _scene(stream: Stream, account: Account, moment: Moment, reading: Reading | None = None) -> Scene:
        catalogue, facts, silences, at, now, offset = moment
        if reading is None:
            reading = account.read(stream.seen, at)
        return Scene(catalogue, stream, account, facts, silences, reading, at, now, offset)

    def _say(self, stream: Stream, account: Account, moment: Moment, drafts: list[Draft]) -> list[Emission]:
        if not drafts:
            return []
        scene = self._scene(stream, account, moment)
        emissions = self._publisher.publish(scene, drafts)
        if any(draft.previous is not account.track.standing for draft in drafts):
            emissions += self._publisher.turn_status(scene, drafts[-1])
        return emissions

    # -- what timers bring

    def silence(self, stream: Stream, account: Account, moment: Moment) -> list[Emission]:
        """No data begins."""
        account.track.silent_since = moment.at
        drafts = fall_silent(account.track, moment.at)
        if drafts:  # else nothing is told of this instant, and the decision to come may be about an earlier one
            stream.settle(moment.at)
        return self._say(stream, account, moment, drafts)

    def slice(self, stream: Stream, account: Account, moment: Moment) -> list[Emission]:
        """A slice is judged, and with it the objective."""
        stream.settle(moment.at)
        if account.board is not None:
            account.board.judge(account.track.silent(moment.at))
        return self.decide_one(stream, account, moment)

    def period(self, stream: Stream, account: Account, moment: Moment) -> list[Emission]:
        """A calendar period begins: the state starts anew."""
        stream.settle(moment.at)
        account.track.period_start = moment.at
        return self._say(stream, account, moment, begin_period(account.track))

    def close(
        self, stream: Stream, account: Account, agreement: Agreement, period: Period, moment: Moment
    ) -> list[Emission]:
        """An agreement's period is closed, from that agreement's own account."""
        held = in_force(agreement, period)
        if held is None:
            return []
        stream.settle(held.end)
        verdict = close(stream, account, agreement, held)
        figures = verdict.figures(held)
        track = account.track
        key = period_key(agreement.name, stream.service, track.objective.name, period.name)
        # Not read anew: that would move tiers, at an instant that is none of a decision.
        scene = self._scene(stream, account, moment, verdict.reading)
        draft = Draft("period_closed", "period", verdict.severity, track.standing, track.standing)
        alone = [agreement_ref(agreement)]
        emissions = self._publisher.event(scene, draft, {"agreements": alone, "period": figures}, key, 1)
        track.closed[key] = Closed(agreement.name, held.start, held.end, 1, emissions[0].value["id"], figures)
        return emissions

    # -- what records bring

    def flags(self, stream: Stream, account: Account, moment: Moment, rule: str) -> list[Emission]:
        """What machines are told beside the state has changed."""
        track = account.track
        draft = Draft("flags_changed", rule, track.highest, track.standing, track.standing)
        return self._publisher.event(self._scene(stream, account, moment), draft)

    def announce(
        self, stream: Stream, account: Account, moment: Moment, announced: Exclusion, found: list[Overrun]
    ) -> list[Emission]:
        """Maintenance that will cost budget: those concerned are asked to plan for it."""
        track = account.track
        draft = Draft("maintenance", "maintenance", Severity.WARNING, track.standing, track.standing)
        concerned = [agreement_ref(overrun.agreement) for overrun in found]
        more = {"agreements": concerned, "maintenance": view_of(announced, found)}
        key = f"{track.key}/{encoded(f'maintenance:{announced.id}')}"
        return self._publisher.announcement(self._scene(stream, account, moment), draft, more, key)

    def retire(self, stream: Stream, account: Account, moment: Moment) -> list[Emission]:
        """The objective is no longer defined."""
        return self._say(stream, account, moment, retire(account.track))

    def correct(
        self, stream: Stream, account: Account, moment: Moment, rule: str, change: dict[str, Any]
    ) -> list[Emission]:
        """What was published is no longer true: `change` holds `supersedes`, `before` and `after`."""
        return self._publisher.event(self._scene(stream, account, moment), self._correction(account, rule), change)

    def correct_period(
        self,
        stream: Stream,
        account: Account,
        moment: Moment,
        rule: str,
        change: dict[str, Any],
        key: str,
        sequence: int,
    ) -> list[Emission]:
        """A closed period comes out differently: the correction has the period's own key and sequence."""
        scene = self._scene(stream, account, moment)
        return self._publisher.event(scene, self._correction(account, rule), change, key, sequence)

    @staticmethod
    def _correction(account: Account, rule: str) -> Draft:
        track = account.track
        return Draft("correction", rule, track.highest, track.standing, track.standing)


def _foresee(stream: Stream, account: Account, reading: Reading, at: int, bad_count: int) -> None:
    """Work the outlook out, and whether its rule fires; `bad_count`: of the last hour."""
    account.track.outlook = work_out(account, stream.seen, reading, at)
    weigh_forecast(account.track, bad_count=bad_count, least_bad_count=LEAST_BAD_COUNT, at=at)
