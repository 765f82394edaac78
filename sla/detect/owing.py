"""What a whole minute owes: the status of each promise of which nothing else is to be said.

An alert must not wait until the statuses of a thousand others are worked out. So the decision at a whole minute finds
out which promises it says nothing of, and leaves their statuses for later. Until they are told, the stream may take
plain counts, which change its open bucket and no more: that is remembered as it was. Before anything else happens to
the stream its debt is paid. So each status says what it would have said at once, and what is said of a promise keeps
its order (docs/decisions/0026).
"""

from __future__ import annotations

from itertools import islice
from operator import attrgetter
from typing import Any, Final, NamedTuple

from sla.detect.account import Account, Reading
from sla.detect.lanes import is_in_order
from sla.detect.limits import Lateness
from sla.detect.measures import COUNTS, UptimeMeasure
from sla.detect.memory import Memory, StreamName
from sla.detect.moment import Moment
from sla.detect.prospect import work_out
from sla.detect.publish import Publisher
from sla.detect.report import Scene
from sla.detect.stream import Stream
from sla.fold import Emission
from sla.ledger import Ledger
from sla.records import Measurement
from sla.said import Said

_OPEN: Final = ("open_start", "open_end", "open_total", "open_bad", "open_marked", "open_excluded")
_OPEN_OF: Final = attrgetter(*_OPEN)


class Due(NamedTuple):
    """A promise whose status is to be told, as it was read; whether its forecast was not needed for the decision."""

    account: Account
    reading: Reading
    lacks_outlook: bool


class _Debt(NamedTuple):
    stream: Stream
    moment: Moment
    due: list[Due]
    opened: tuple[Any, ...] | None  # the open bucket as it was
    merges: bool  # what is old


class Owing:
    """The debts of a partition's streams, all of one minute: they are paid before the next one is decided."""

    def __init__(self, publisher: Publisher, memory: Memory) -> None:
        self._publisher = publisher
        self._memory = memory
        self._debts: dict[StreamName, _Debt] = {}
        self._told: list[Emission] = []

    def __len__(self) -> int:
        """How many streams owe something."""
        return len(self._debts)

    def owe_merging(self, stream: Stream, moment: Moment) -> None:
        """Merge what is old later: no sum that is about to be decided by changes, only what is said shows buckets."""
        self._debts[stream.service, stream.signal] = _Debt(stream, moment, [], None, merges=True)

    def owe(self, stream: Stream, moment: Moment, due: list[Due]) -> None:
        """After the decision: tell these later, and with them do what was put off before it."""
        name = (stream.service, stream.signal)
        merges = self._debts.pop(name, None) is not None
        if due or merges:
            ledger = _counted(stream)
            opened = None if ledger is None else _OPEN_OF(ledger)
            self._debts[name] = _Debt(stream, moment, due, opened, merges)
        _let_go(stream)

    def before(self, stream: Stream, record: Measurement, lateness: Lateness | None) -> None:
        """A record is about to be counted: what it may change is told first."""
        if self._debts and (lateness is not None or not is_in_order(stream, record)):
            self.settle(stream)

    def settle(self, stream: Stream) -> None:
        """Something else is about to happen to a stream."""
        if self._debts and (debt := self._debts.pop((stream.service, stream.signal), None)) is not None:
            self._told += self._paid(debt)

    def settle_service(self, service: str) -> None:
        """Something is about to happen to a service."""
        for debt in [debt for debt in self._debts.values() if debt.stream.service == service]:
            self.settle(debt.stream)

    def settle_all(self) -> None:
        """Something is about to happen that may concern every stream."""
        self._told = self.pay(len(self._debts))

    def pay(self, most_count: int) -> list[Emission]:
        """What was told since the last call, and then the statuses of so many streams."""
        told, self._told = self._told, []
        for name in list(islice(self._debts, most_count)):
            told += self._paid(self._debts.pop(name))
        return told

    def _paid(self, debt: _Debt) -> list[Emission]:
        ledger = _counted(debt.stream)
        if ledger is None or debt.opened is None:
            said = self._done(debt)
        else:
            now_open = _OPEN_OF(ledger)
            _reopen(ledger, debt.opened)
            said = self._done(debt)
            _reopen(ledger, now_open)
        return [emission for each in said for emission in each.emissions]

    def _done(self, debt: _Debt) -> list[Said]:
        if debt.merges:
            debt.stream.merge_old(debt.moment.at)
        return self.tell(debt.stream, debt.moment, debt.due)

    def tell(self, stream: Stream, moment: Moment, due: list[Due]) -> list[Said]:
        """The statuses, by promise; a stream that this changes has another table entry."""
        said: list[Said] = []
        stamps = [account.track.stamp() for account, _, _ in due]
        for account, reading, lacks_outlook in due:
            if lacks_outlook:
                account.track.outlook = work_out(account, stream.seen, reading, moment.at)
            catalogue, facts, silences, at, now, offset = moment
            scene = Scene(catalogue, stream, account, facts, silences, reading, at, now, offset)
            emissions = self._publisher.minute_status(scene)
            if emissions:
                said.append(Said(account.track.key, emissions))
        _let_go(stream)
        if stamps != [account.track.stamp() for account, _, _ in due]:
            self._memory.dirty.add((stream.service, stream.signal))
        return said


def may_owe(stream: Stream) -> bool:
    """Whether plain counts change nothing but one open bucket, and time nothing at all until the next minute."""
    return not (stream.has_boards or stream.late) and all(
        measure.ledger.hours.is_always and not isinstance(measure, UptimeMeasure)
        for measure in stream.measures.values()
    )


def _let_go(stream: Stream) -> None:
    """Of what only forecasts of this minute needed: of all streams at once it would be most of the memory."""
    for account in stream.accounts.values():
        account.season.let_go()


def _reopen(ledger: Ledger, bucket: tuple[Any, ...]) -> None:
    for name, value in zip(_OPEN, bucket, strict=True):
        setattr(ledger, name, value)


def _counted(stream: Stream) -> Ledger | None:
    counts = stream.measures.get(COUNTS)
    return None if counts is None else counts.ledger
