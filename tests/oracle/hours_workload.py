"""Seeded workloads whose promises count in a calendar's hours: hours of a quick log, or weeks of a slow one."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from .definitions import DAY_MS, HOUR_MS, SECOND_MS, of_kind
from .hours import DAYS as WEEKDAYS
from .hours import Hours
from .open_time import OpenTime
from .windows import EPOCH, instant
from .workload import DAYS, QUICK, ZONES, Pace, Span, Workload, document, service, stakeholder, warnings, with_own_ticks

SLOW = Pace(
    slowness=10,
    rolling=("4h", "6h", "8h", "1d", "2d", "3d", "4d", "7d"),
    calendar=("day", "week", "week", "month", "quarter"),
    tier_minutes=(30, 60, 120, 360, 720, 1440, 4320),
    short_minutes=(2, 3, 5, 10, 20, 60, 360),
)
EVERY_DAY = "mon-sun"


def hours_workload(seed: int) -> Workload:
    dice = random.Random(f"hours {seed}")
    is_slow = dice.random() < 0.4
    pace = SLOW if is_slow else QUICK
    tick_ms = dice.choice([10, 20, 30, 60]) * SECOND_MS * (20 if is_slow else 1)
    begin = instant(f"{dice.choice(DAYS)}T{dice.randrange(24):02d}:{dice.randrange(60):02d}:00Z")
    length_ms = dice.choice([2, 3, 4, 6]) * DAY_MS if is_slow else dice.choice([3, 4, 6, 8]) * HOUR_MS
    span = Span(begin, begin + length_ms)
    calendars = [calendar(dice, f"hours{number}", span) for number in range(dice.choice([1, 2]))]
    documents = []
    lines = []
    for number in range(dice.choice([1, 2])):
        more_documents, more_lines = service(dice, f"svc{number}", span, pace)
        documents += more_documents
        lines += more_lines
    for promised in of_kind(documents, "Objective"):
        if dice.random() < 0.8:
            chosen = dice.choice(calendars)
            promised["spec"]["calendar"] = chosen["metadata"]["name"]
            promised["spec"]["warnings"] = warnings(dice, promised["spec"], pace, OpenTime(Hours(chosen)))
    documents += calendars
    documents.append(stakeholder(documents))
    lines.sort(key=lambda line: line["timestamp"])
    if not is_slow and dice.random() < 0.2:
        lines = with_own_ticks(dice, lines, span, tick_ms)
    return Workload(documents, lines, tick_ms)


def calendar(dice: random.Random, name: str, span: Span) -> dict[str, Any]:
    """Open in some of the log, closed in some."""
    timezone = dice.choice(ZONES)
    local = [(EPOCH + timedelta(milliseconds=at)).astimezone(ZoneInfo(timezone)) for at in span]
    spec: dict[str, Any] = {"timezone": timezone, "hours": dice.choice(SHAPES)(dice, local)}
    days = [local[0].date() + timedelta(days=step) for step in range(-1, (local[1] - local[0]).days + 2)]
    if dice.random() < 0.3:
        spec["holidays"] = {"country": dice.choice(["DE", "US"])}
    if dice.random() < 0.3:
        spec["closed"] = sorted({str(day) for day in dice.sample(days, dice.choice([1, 2]))})
    if dice.random() < 0.3:
        spec["open"] = {str(dice.choice(days)): shifts(dice, dice.randrange(24 * 60), dice.choice([1, 2]))}
    return document("Calendar", name, spec)


def office(dice: random.Random, _local: list[datetime]) -> dict[str, list[str]]:
    lunch = ["09:00-12:00", "13:00-17:30"]
    return {dice.choice(["mon-fri", EVERY_DAY]): lunch, **dice.choice([{}, {"sat": ["10:00-14:00"]}])}


def bits(dice: random.Random, local: list[datetime]) -> dict[str, list[str]]:
    """Short shifts with short breaks, around the time of the day at which the log begins."""
    first = local[0].hour * 60 + local[0].minute - dice.randrange(90)
    return {EVERY_DAY: shifts(dice, first, dice.randrange(2, 8))}


def night(dice: random.Random, local: list[datetime]) -> dict[str, list[str]]:
    begins = dice.choice(["22:00", "18:30", f"{local[0].hour:02d}:40"])
    return {dice.choice(["mon-fri", EVERY_DAY]): [f"{begins}-{dice.choice(['06:00', '01:20', '02:30'])}"]}


def rare(dice: random.Random, local: list[datetime]) -> dict[str, list[str]]:
    """Once a week, on the day of the log."""
    at = local[0] + dice.choice([0, 30, 90]) * timedelta(minutes=1)
    return {WEEKDAYS[at.weekday()]: shifts(dice, at.hour * 60 + at.minute, dice.choice([1, 2]))}


def whole_days(dice: random.Random, _local: list[datetime]) -> dict[str, list[str]]:
    return {dice.choice(["mon-fri", EVERY_DAY]): ["00:00-24:00"]}


SHAPES: list[Callable[[random.Random, list[datetime]], dict[str, list[str]]]] = [
    *(office, bits, bits, night, rare, whole_days),
]


def shifts(dice: random.Random, first: int, count: int) -> list[str]:
    """So many in a row from a minute of the day on; the last may end on the next day."""
    found = []
    at = first % (24 * 60)
    for _ in range(count):
        end = at + dice.choice([7, 20, 25, 40, 60, 95, 150])
        found.append(f"{clock(at)}-{clock(end)}")
        at = end + dice.choice([5, 10, 30, 50, 120])
        if at >= 24 * 60:
            break
    return found


def clock(minute: int) -> str:
    return f"{minute // 60 % 24:02d}:{minute % 60:02d}"
