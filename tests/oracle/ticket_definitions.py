"""TicketObjective documents as the few facts that clocks need, and conditions over a ticket's fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .definitions import duration_ms, of_kind, share
from .hours import Hours

Fields = dict[str, Any]
DEFAULTS = {"pause": {"state": ["pending", "on_hold"]}, "cancel": {"state": ["cancelled"]}}
REPLIES = ("first_response", "next_reply", "periodic_update")


@dataclass(frozen=True)
class Mark:
    text: str
    elapsed_ms: int
    severity: str


@dataclass(frozen=True)
class Promise:
    """A TicketObjective."""

    name: str
    service: str
    spec: dict[str, Any]
    hours: Hours
    target_ms: int
    grace_ms: int
    marks: tuple[Mark, ...]
    repeats: tuple[Mark, ...]

    def holds(self, name: str, fields: Fields) -> bool:
        condition = self.spec.get(name, DEFAULTS.get(name))
        return bool(condition) and condition != "none" and holds(condition, fields)

    def wants(self, fields: Fields) -> bool:
        """Whether a clock would attach, and stays."""
        is_asked_for = not self.spec["when"] or self.holds("when", fields)
        return is_asked_for and not self.holds("stop", fields) and not self.holds("cancel", fields)

    @property
    def is_reply(self) -> bool:
        return self.spec["metric"] in REPLIES

    @property
    def is_timer(self) -> bool:
        return bool(self.spec.get("type", "timer") == "timer")


def promises(documents: list[dict[str, Any]]) -> list[Promise]:
    """By name, as the courses of a ticket stand."""
    calendars = {each["metadata"]["name"]: Hours(each) for each in of_kind(documents, "Calendar")}
    always = Hours(None)
    found = []
    for document in sorted(of_kind(documents, "TicketObjective"), key=lambda each: str(each["metadata"]["name"])):
        spec = document["spec"]
        target_ms = duration_ms(spec["target"])
        written = spec.get("warnAt", ["50%", "75%", "90%", "15m"])
        marks = () if written == "none" else marks_of(target_ms, written)
        repeats = tuple(Mark(f"{p}%", -(-target_ms * p // 100), "critical") for p in (125, 150, 200)) if marks else ()
        hours = calendars[spec["calendar"]] if "calendar" in spec else always
        grace_ms = duration_ms(spec.get("grace", "10s"))
        name = document["metadata"]["name"]
        found.append(Promise(name, spec["service"], spec, hours, target_ms, grace_ms, marks, repeats))
    return found


def marks_of(target_ms: int, written: list[str]) -> tuple[Mark, ...]:
    at: dict[int, str] = {}
    for text in written:
        if not text.endswith("%"):
            at[target_ms - duration_ms(text)] = text
    for text in written:
        if text.endswith("%"):
            at[int(-(-target_ms * share(text) // 1))] = text
    rising = [(elapsed_ms, text) for elapsed_ms, text in sorted(at.items()) if elapsed_ms > 0]
    return tuple(
        Mark(text, elapsed_ms, severity(elapsed_ms, target_ms, is_last=place == len(rising) - 1))
        for place, (elapsed_ms, text) in enumerate(rising)
    )


def severity(elapsed_ms: int, target_ms: int, *, is_last: bool) -> str:
    if is_last or elapsed_ms * 10 >= target_ms * 9:
        return "critical"
    return "warning" if elapsed_ms * 4 >= target_ms * 3 else "info"


# -- conditions


def holds(condition: Any, fields: Fields) -> bool:
    return all(part_holds(name, wanted, fields) for name, wanted in condition.items())


def part_holds(name: str, wanted: Any, fields: Fields) -> bool:
    if name == "all":
        return all(holds(each, fields) for each in wanted)
    if name == "any":
        return any(holds(each, fields) for each in wanted)
    if name == "not":
        return not holds(wanted, fields)
    value = fields.get(name)
    if isinstance(wanted, dict):
        return all(compares(operator, operand, value) for operator, operand in wanted.items())
    return any(alike(value, each) for each in (wanted if isinstance(wanted, list) else [wanted]))


def compares(operator: str, operand: Any, value: Any) -> bool:
    if operator == "exists":
        return bool((value is not None) == operand)
    if value is None or isinstance(value, bool) or isinstance(value, str) != isinstance(operand, str):
        return False
    order = int(value > operand) - int(value < operand)
    return bool({"lt": order < 0, "gt": order > 0, "lte": order <= 0, "gte": order >= 0}[operator])


def alike(one: Any, other: Any) -> bool:
    """As JSON: true is no number."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
