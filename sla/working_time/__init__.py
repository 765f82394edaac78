"""Working time: which time counts, as half-open intervals of UTC, and the arithmetic on it."""

from sla.working_time.counting import Counting
from sla.working_time.public_holidays import PublicHolidays
from sla.working_time.timetable import Closed, ClosedDay, Opening, Reason, Shift, Timetable
from sla.working_time.working_time import ALWAYS, YEAR_MS, WorkingTime

__all__ = [
    "ALWAYS",
    "YEAR_MS",
    "Closed",
    "ClosedDay",
    "Counting",
    "Opening",
    "PublicHolidays",
    "Reason",
    "Shift",
    "Timetable",
    "WorkingTime",
]
