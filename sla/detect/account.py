"""One objective's view of its ledger: the budget of its window, and which tiers burn.

`Account` holds references, no state of its own but what the ledger's past was worked out to (`Season`): it is made
anew whenever definitions or ledgers change. Its reading of a decision costs the number of the tiers.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sla.budget import Budget, allowed_count, extrapolated
from sla.burn import BurnRule, burn_rules
from sla.catalogue import Rolling, Uptime, nominal_ms
from sla.detect.measures import Measure
from sla.detect.season import Season
from sla.detect.slices import SliceBoard
from sla.detect.track import Track
from sla.intervals import Interval, merged
from sla.ledger import Ledger, Span, WindowSum
from sla.periods import period_at
from sla.significance import ALPHA, LEAST_BAD_COUNT, LEAST_BAD_SLICES_COUNT, LEAST_DOWN_MS, upper_tail
from sla.units import HOUR_MS


class Seen(NamedTuple):
    """Since when a stream is known: `first_at` with loaded history, `live_at` from its first live record."""

    first_at: int | None
    live_at: int | None


class Reading(NamedTuple):
    """What the ledger says at one instant. `budget` is None where no verdict is possible."""

    budget: Budget | None
    total: int  # of the window as it was counted, not extrapolated
    bad: int
    firing: BurnRule | None  # the tier that is named, among those that fired and have not cleared
    doubtful: BurnRule | None  # burns, but it may be bad luck
    p_value: float | None
    depends_on_time: bool  # the verdict may change within the minute without a record


class Calm(NamedTuple):
    """Up to so much bad in the open bucket, and with no less total in it, a decision says and changes nothing."""

    moves_count: int
    open_start: int
    open_total: int
    most_bad: int


class Account:
    """Reads one objective from its ledger, which from then on counts in the objective's hours."""

    __slots__ = (
        "_budget_window",
        "_calm",
        "_long_windows",
        "_measure",
        "_short_windows",
        "board",
        "ledger",
        "objective",
        "rules",
        "season",
        "span",
        "track",
    )

    def __init__(self, track: Track, measure: Measure) -> None:
        self.track = track
        self.objective = track.objective
        self._measure = measure
        self.board: SliceBoard | None = measure.boards.get(track.objective.name)
        self.ledger: Ledger = self.board.ledger if self.board else measure.ledger
        measure.ledger.hours = self.ledger.hours = self.objective.hours
        window = self.objective.window
        self.span: Span = window.window_ms if isinstance(window, Rolling) else window
        self.season = Season(self.ledger) if self.board else measure.season
        self._calm: Calm | None = None
        self._budget_window = WindowSum()
        self.rules: tuple[BurnRule, ...] = ()  # the tiers, in the order in which they are named
        self._long_windows: tuple[WindowSum, ...] = ()  # of each tier
        self._short_windows: tuple[WindowSum, ...] = ()

    def spans(self) -> set[Span]:
        """The windows that its ledger must keep sums for."""
        tiers = self.objective.tiers
        return {self.span, HOUR_MS, *(t.long_ms for t in tiers), *(t.short_ms for t in tiers)}

    def bind(self) -> None:
        """Take hold of the windows, once the ledger watches them."""
        windows = self.ledger.windows
        period_ms = nominal_ms(self.objective.window, self.objective.hours)
        self.rules = burn_rules(tuple(self.objective.tiers), self.objective.target_ppm, period_ms)
        self._long_windows = tuple(windows[rule.tier.long_ms] for rule in self.rules)
        self._short_windows = tuple(windows[rule.tier.short_ms] for rule in self.rules)
        self._budget_window = windows[self.span]
        names = {rule.tier.name for rule in self.rules}
        self.track.burning = tuple(name for name in self.track.burning if name in names)

    @property
    def base(self) -> Ledger:
        """The ledger of the measurements themselves, under any slices."""
        return self._measure.ledger

    # -- time that counts

    def uncounted(self, at: int) -> Sequence[Interval]:
        """Excluded time, and time without data where that leaves the window."""
        excluded = self.base.excluded
        silent = self.track.silent(at) if self.track.leaves_window else ()
        if not silent:
            return excluded
        return merged([*excluded, *silent])

    def seen_ms(self, seen: Seen, at: int, since: int = 0) -> int:
        """How much counted time the stream has been seen for, from `since` on."""
        if seen.first_at is None:
            return 0
        return self.counted_ms(max(since, seen.first_at), at)

    def counted_ms(self, start: int, at: int) -> int:
        """How much of [start, at) counts, as known at its end."""
        return self.objective.hours.elapsed_ms(start, at, self.uncounted(at))

    def window_ms(self, at: int) -> int:
        """The length of the whole window in the time that counts, of this very period for a calendar one."""
        window = self.objective.window
        if isinstance(window, Rolling):
            return window.window_ms
        period = period_at(window, at)
        return self.objective.hours.elapsed_ms(period.start, period.end)

    # -- reading

    def read(self, seen: Seen, at: int) -> Reading:
        """The budget and the tiers at an instant. Moves tiers between burning and cleared."""
        ledger = self.ledger
        if at >= ledger.next_edge_at:
            ledger.advance(at)
        if self.board is not None and at >= self.base.next_edge_at:
            self.base.advance(at)  # coverage is told from the measurements, which no tier of slices reads
        window = self._budget_window
        total, bad = ledger.sums(window)
        budget, changes = self.budget(seen, at, window.edge, total, bad)
        firing: BurnRule | None = None
        doubtful: BurnRule | None = None
        p_value: float | None = None
        track = self.track
        for rule, long, short in zip(self.rules, self._long_windows, self._short_windows, strict=True):
            short_total, short_bad = ledger.sums(short)
            if rule.tier.name in track.burning:
                if rule.has_cleared(short_bad, short_total):
                    track.burning = tuple(name for name in track.burning if name != rule.tier.name)
                elif firing is None:
                    firing, p_value = rule, None  # none was asked for, and that of a doubtful tier is not its own
            elif short_bad and rule.burns(short_bad, short_total) and self._burns_long(rule, long, seen, at):
                is_proven, chance = self.is_proven(rule, *ledger.sums(long))
                if is_proven:
                    track.burning += (rule.tier.name,)
                    firing, p_value = (rule, chance) if firing is None else (firing, p_value)
                elif doubtful is None and firing is None:
                    doubtful, p_value = rule, chance
        return Reading(budget, total, bad, firing, doubtful, p_value, changes and (bad > 0 or budget is None))

    def is_overspent(self, seen: Seen, at: int) -> bool:
        """Whether the objective is missed, without a look at its tiers."""
        if at >= self.ledger.next_edge_at:
            self.ledger.advance(at)
        budget, _ = self.budget(seen, at, self._budget_window.edge, *self.ledger.sums(self._budget_window))
        return budget is not None and budget.is_overspent

    def _burns_long(self, rule: BurnRule, long: WindowSum, seen: Seen, at: int) -> bool:
        """Whether the long window burns too, and is not warming."""
        total, bad = self.ledger.sums(long)
        return rule.burns(bad, total) and self.seen_ms(seen, at) >= rule.tier.long_ms

    def budget(self, seen: Seen, at: int, start: int, total: int, bad: int) -> tuple[Budget | None, bool]:
        """The budget of the whole window that began at `start` (semantics.md 1), and whether time alone changes it."""
        if seen.live_at is None or seen.first_at is None:
            return None, False
        target_ppm = self.objective.target_ppm
        is_full = seen.first_at <= start and isinstance(self.objective.window, Rolling)
        counted = 0 if is_full else self.seen_ms(seen, at, start)
        if not is_full and counted <= 0:
            return None, True
        if self.board is not None:
            return Budget(allowed_count(self._slices_count(self.board, at, start), target_ppm), bad), False
        if is_full:
            return Budget(allowed_count(total, target_ppm), bad), False
        whole = extrapolated(total, self.window_ms(at), counted)
        return Budget(allowed_count(whole, target_ppm), bad), True

    def _slices_count(self, board: SliceBoard, at: int, start: int) -> int:
        """The slices of the whole window that are not excluded."""
        window = self.objective.window
        if isinstance(window, Rolling):
            end, whole = at + 1, window.window_ms // board.slice_ms  # the slice that begins now is the window's last
        else:
            end = period_at(window, at).end
            whole = board.count_between(start, end)
        excluded = sum(
            board.count_between(max(a, start), min(b, end)) for a, b in board.ledger.excluded if a < end and b > start
        )
        return max(0, whole - excluded)

    def start_at(self, at: int) -> int:
        """Where the budget's window begins at an instant."""
        window = self.objective.window
        return self.ledger.edge(window.window_ms, at) if isinstance(window, Rolling) else period_at(window, at).start

    def is_calm(self, at: int) -> bool:
        """Whether no tier, forecast, mark or breach is possible: nothing bad in any window, or too little more."""
        ledger, track = self.ledger, self.track
        if track.silent_since is not None or track.forecast_fires or track.burning:
            return False  # a tier that burnt may hold through an empty window, and opens an episode after the quiet
        if track.marks_told and isinstance(self.objective.window, Rolling):
            return False
        calm = self._calm
        if (
            calm is not None
            and ledger.open_bad <= calm.most_bad
            and at < ledger.next_edge_at
            and ledger.moves_count == calm.moves_count
            and ledger.open_start == calm.open_start
            and ledger.open_total >= calm.open_total
        ):
            return True
        return not ledger.open_bad and not any(window.bad for window in ledger.windows.values())

    def rest_on(self, reading: Reading, at: int) -> None:
        """After an uneventful reading: how much more bad will surely be uneventful too, until a window moves.

        More good never hurts: every threshold rises with its total. Where time alone may change the next decision
        nothing is sure.
        """
        ledger, budget = self.ledger, reading.budget
        self._calm = None
        if budget is None or self.board is not None or self.track.quiet_until > at:
            return
        if reading.depends_on_time or not reading.bad:  # without anything bad `is_calm` needs no more
            return
        room = budget.allowed - budget.consumed
        if self.objective.marks_ppm:
            room = min(room, budget.most_below(self.objective.marks_ppm[0]) - budget.consumed)
        for rule, short in zip(self.rules, self._short_windows, strict=True):
            short_total, short_bad = ledger.sums(short)
            room = min(room, rule.most_bad(short_total) - short_bad)
        if room >= 0:
            self._calm = Calm(ledger.moves_count, ledger.open_start, ledger.open_total, ledger.open_bad + room)

    def is_proven(self, rule: BurnRule, total: int, bad: int) -> tuple[bool, float | None]:
        """Whether this is more than bad luck, and the chance that it is not (None where none is computed)."""
        if self.board is not None:
            return bad >= LEAST_BAD_SLICES_COUNT, None
        if isinstance(self.objective.indicator, Uptime):
            return bad >= LEAST_DOWN_MS, None
        chance = upper_tail(bad, total, rule.probability)
        return chance < ALPHA and bad >= LEAST_BAD_COUNT[rule.tier.severity], chance

    def chance(self, rule: BurnRule) -> float | None:
        """The p-value of a tier's long window now, for people."""
        sums = self.ledger.read(rule.tier.long_ms)
        return self.is_proven(rule, sums.total, sums.bad)[1]


def watch(accounts: Collection[Account], now: int) -> None:
    """Let the ledgers that accounts share, and those under their slices, keep the sums that the accounts need."""
    spans: dict[int, set[Span]] = {}
    ledgers: dict[int, Ledger] = {}
    for account in accounts:
        for ledger in (account.ledger, account.base):
            ledgers[id(ledger)] = ledger
            spans.setdefault(id(ledger), set()).update(account.spans())
    for number, ledger in ledgers.items():
        ledger.watch(sorted(spans[number], key=repr), now)
    for account in accounts:
        account.bind()
