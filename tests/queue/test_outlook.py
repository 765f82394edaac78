"""How many clocks of a queue will be missed: tables worked out by hand, and laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.queue.outlook import HORIZON_MS, look_ahead, scenarios_of
from sla.units import DAY_MS, HOUR_MS, MINUTE_MS

NOON = 20_000 * DAY_MS + 12 * HOUR_MS


def hours(*numbers: float) -> list[int]:
    return [NOON + round(number * HOUR_MS) for number in numbers]


def steady(per_hour: int, days: int, until: int = NOON) -> dict[int, int]:
    return dict.fromkeys(range(until - days * DAY_MS, until, HOUR_MS), per_hour)


#   deadlines (hours from noon)    stopped per hour   missed   the last of them
QUEUES = [
    ([1, 2, 3], 1, 0, None),  # each hour one is stopped, just in time
    ([1, 1, 3], 1, 1, 1),  # two are due at one, one is stopped
    ([1, 1, 1, 1, 2, 2, 8], 2, 4, 2),  # the third and fourth at one, the fifth and sixth at two; by eight all are done
    ([0.5, 5], 1, 1, 0.5),  # half an hour stops none
    ([3, 3, 3], 0, 3, 3),  # nobody works
    ([-2, -1, 1, 2], 1, 2, 2),  # two are late already: they are worked on first, and not counted again
    ([25, 26], 0, 0, None),  # due beyond the horizon
    ([], 1, 0, None),
]


@pytest.mark.parametrize(("due", "per_hour", "missed", "last"), QUEUES)
def test_at_a_steady_pace_each_place_is_in_time_or_not(
    due: list[float], per_hour: int, missed: int, last: float | None
) -> None:
    stopped = steady(per_hour, days=3) or {NOON: 0}
    found = look_ahead(NOON, hours(*due), scenarios_of(NOON, stopped, NOON - 3 * DAY_MS))
    assert found.counts == (missed,) * 3
    assert found.by_at == (None if last is None else hours(last)[0])


def test_a_night_in_which_nobody_works_is_seen_coming() -> None:
    # Four an hour from 8 to 18. At 17:30 two more will be stopped today, the rest from 8 on.
    evening = NOON + 5 * HOUR_MS + 30 * MINUTE_MS
    midnight = NOON - 12 * HOUR_MS
    worked = {midnight - day * DAY_MS + hour * HOUR_MS: 4 for day in range(6) for hour in range(8, 18)}
    worked = {hour: count for hour, count in worked.items() if hour + HOUR_MS <= evening}
    scenarios = scenarios_of(evening, worked, midnight - 5 * DAY_MS)
    tomorrow_8_30 = midnight + DAY_MS + 8 * HOUR_MS + 30 * MINUTE_MS
    found = look_ahead(evening, [evening + HOUR_MS] * 3 + [tomorrow_8_30] * 3, scenarios)
    # By 18:30 two of the first three; by 8:30 two more of what are then four.
    assert set(found.counts) == {3}
    assert found.by_at == tomorrow_8_30


def test_days_that_differ_give_a_range() -> None:
    busy = dict.fromkeys(range(NOON - DAY_MS, NOON, HOUR_MS), 5)
    lazy = dict.fromkeys(range(NOON - 2 * DAY_MS, NOON - DAY_MS, HOUR_MS), 1)
    found = look_ahead(NOON, hours(1, 1, 1, 1, 1), scenarios_of(NOON, {**lazy, **busy}, NOON - 2 * DAY_MS))
    assert found.counts == (0, 4)
    assert (found.quantile(10), found.quantile(50), found.quantile(90)) == (0, 0, 4)
    assert found.first.share_ppm() == 500_000


def test_before_two_days_were_seen_each_of_the_last_hours_repeats() -> None:
    stopped = {NOON - back * HOUR_MS: count for back, count in ((1, 2), (2, 0), (3, 4))}
    scenarios = scenarios_of(NOON, stopped, NOON - 3 * HOUR_MS)
    assert [stopped_by(NOON + 2 * HOUR_MS) for stopped_by in scenarios] == [4, 0, 8]


@given(
    st.lists(st.integers(-DAY_MS, 2 * DAY_MS), max_size=30),
    st.lists(st.integers(0, 5), min_size=72, max_size=72),
    st.integers(0, HOUR_MS - 1),
)
def test_a_shorter_queue_never_misses_more_and_work_never_makes_it_worse(
    due: list[int], counts: list[int], into_ms: int
) -> None:
    at = NOON + into_ms
    deadlines = sorted(at + each for each in due)
    stopped = {NOON - (index + 1) * HOUR_MS: count for index, count in enumerate(counts)}
    first = NOON - 3 * DAY_MS
    found = look_ahead(at, deadlines, scenarios_of(at, stopped, first))
    fewer = look_ahead(at, deadlines[1:], scenarios_of(at, stopped, first))
    more = {hour: count + 1 for hour, count in stopped.items()}
    faster = look_ahead(at, deadlines, scenarios_of(at, more, first))
    assert all(a <= b for a, b in zip(fewer.counts, found.counts, strict=True))
    assert all(a <= b for a, b in zip(faster.counts, found.counts, strict=True))
    assert found.counts[-1] <= sum(at < each <= at + HORIZON_MS for each in deadlines)
