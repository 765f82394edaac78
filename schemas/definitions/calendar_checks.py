"""Whether a calendar ever opens, and goes on opening."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Final

from schemas.definitions.calendar import timetable_of
from schemas.definitions.findings import Finding
from schemas.definitions.kinds import Calendar
from schemas.definitions.source import Defined
from sla.intervals import length_ms, without
from sla.units import DAY_MS, from_epoch_ms, to_epoch_ms
from sla.working_time import Timetable, WorkingTime

CLOSED_LONGEST_MS: Final = 400 * DAY_MS
CLOSED_USUAL_DAYS: Final = 25  # in a year, beside public holidays by country
_ANY_DAY: Final = date(2026, 1, 1)  # where no date is named one week is like another


def check_calendar(each: Defined, document: Calendar) -> Iterator[Finding]:
    """A calendar closed for 400 days never works; one that lives by single dates runs out.

    No clock is asked: what is looked at are the dates that the calendar names and the 400 days after them.
    """
    timetable = timetable_of(document.spec)
    start, end = _span(timetable)
    opens = WorkingTime(timetable).open_between(start, end)
    if not length_ms(opens):
        message = 'the calendar never opens: write hours, such as hours: {mon-fri: ["09:00-17:30"]}'
        yield each.error("calendar-never-opens", ("spec",), message)
    elif not any(timetable.week):
        message = f"the calendar opens for the last time on {from_epoch_ms(opens[-1][0]).date()}: write weekly hours"
        yield each.warning("calendar-runs-out", ("spec", "open"), message)
    else:
        yield from _closed_often(each, timetable)
        for a, b in without([(start, end)], opens):
            if b - a >= CLOSED_LONGEST_MS:
                message = f"the calendar does not open in the 400 days from {from_epoch_ms(a).date()}: close fewer days"
                yield each.error("calendar-never-opens", ("spec", "closed"), message)
                return


def _closed_often(each: Defined, timetable: Timetable) -> Iterator[Finding]:
    """A feed of holidays that holds other days too stretches two days to six: say so before it does."""
    days = {closed.day for closed in timetable.closed_days if timetable.week[closed.day.weekday()]}
    for year, count in sorted(Counter(day.year for day in days).items()):
        if count > CLOSED_USUAL_DAYS:
            message = f"{count} days with hours are closed in {year}: is each of them a day off?"
            yield each.warning("calendar-closed-often", ("spec", "closed"), message)
            return


def _span(timetable: Timetable) -> tuple[int, int]:
    """From the day before the first date that a timetable names to 401 days after the last."""
    days = [each.day for each in timetable.closed_days] + [each.day for each in timetable.openings]
    instants = [to_epoch_ms(datetime.combine(day, time(), UTC)) for day in days or [_ANY_DAY]]
    instants += [at for each in timetable.closed_times for at in (each.start, each.end)]
    instants += [at for pair in timetable.open_times for at in pair]
    return min(instants) - DAY_MS, max(instants) + CLOSED_LONGEST_MS + DAY_MS
