"""The model of TicketObjective: a target for the working time of each ticket that matches."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator
from pydantic.json_schema import WithJsonSchema

from schemas.definitions.fields import (
    Duration,
    DurationOrZero,
    Name,
    NoCalendar,
    OrNone,
    Strict,
    missing,
    reader,
)
from schemas.definitions.values import MalformedError, parse_duration, parse_percentage, shown

REPLY_METRICS: Final = frozenset({"first_response", "next_reply", "periodic_update"})
_OPERATORS: Final = frozenset({"exists", "lt", "lte", "gt", "gte"})


def parse_condition(value: Any) -> dict[str, Any]:
    """`{field: [values]}`, `all`, `any`, `not`, and per field `exists`, `lt`, `lte`, `gt`, `gte`; kept as written."""
    if not isinstance(value, dict):
        raise MalformedError(
            f"{shown(value)} is not a condition: write fields and their values, such as {{priority: [P1]}}"
        )
    for name, inner in value.items():
        if name in ("all", "any"):
            if not isinstance(inner, list) or not inner:
                raise MalformedError(
                    f"{name} takes a list of conditions, such as [{{state: [open]}}, {{team: [core]}}]"
                )
            for each in inner:
                parse_condition(each)
        elif name == "not":
            parse_condition(inner)
        else:
            _check_field(name, inner)
    return value


def _check_field(name: str, wanted: Any) -> None:
    if isinstance(wanted, dict):
        unknown = sorted(set(wanted) - _OPERATORS)
        if unknown or not wanted:
            raise MalformedError(
                f"field {name!r} is compared by {', '.join(sorted(_OPERATORS))}, not by {unknown or 'nothing'}"
            )
        for operator, operand in wanted.items():
            if operator == "exists" and not isinstance(operand, bool):
                raise MalformedError(f"exists of field {name!r} is true or false")
            if operator != "exists" and (isinstance(operand, bool) or not isinstance(operand, int | float | str)):
                raise MalformedError(f"{operator} of field {name!r} takes a number or text")
    elif isinstance(wanted, list) and any(isinstance(each, dict | list) for each in wanted):
        raise MalformedError(f"field {name!r} takes a list of plain values, such as [P1, P2]")


Condition = Annotated[
    dict[str, Any],
    reader(parse_condition),
    WithJsonSchema({"type": "object", "examples": [{"priority": ["P1"]}]}),
]


def _parse_mark(value: Any) -> tuple[str, int]:
    """A mark: `percent` of the target in ppm, or `left` milliseconds before the deadline."""
    if isinstance(value, str) and value.endswith("%"):
        share_ppm = parse_percentage(value)
        if share_ppm == 0:
            raise MalformedError("0% is no mark: write more")
        return "percent", share_ppm
    return "left", parse_duration(value)


Mark = Annotated[
    tuple[str, int],
    reader(_parse_mark),
    WithJsonSchema(
        {"type": "string", "pattern": r"^([0-9]{1,3}(\.[0-9]+)?%|[0-9]{1,9}[smhd])$", "examples": ["90%", "15m"]}
    ),
]


class TicketObjectiveSpec(Strict):
    """A target for each ticket that matches `when`."""

    service: Name
    metric: Literal[
        "resolution",
        "first_response",
        "next_reply",
        "periodic_update",
        "requester_wait",
        "agent_work",
        "custom",
    ]
    target: Duration
    type: Literal["timer", "deadline"] = "timer"
    calendar: Annotated[Name | None, NoCalendar] = None
    when: Condition
    pause: Annotated[Condition | None, OrNone] = Field(
        default={"state": ["pending", "on_hold"]},
        validate_default=True,
    )
    resume: Annotated[Condition | None, OrNone] = Field(default={}, validate_default=True)
    stop: Annotated[Condition | None, OrNone] = None
    cancel: Annotated[Condition | None, OrNone] = Field(default={"state": ["cancelled"]}, validate_default=True)
    reset: Annotated[Condition | None, OrNone] = Field(default={}, validate_default=True)
    onReopen: Literal["continue", "restart"] = "continue"  # noqa: N815 - as it is written
    onRetarget: Literal["retroactive", "restart", "proportional"] = "retroactive"  # noqa: N815
    warnAt: Annotated[Annotated[list[Mark], Field(min_length=1)] | None, OrNone] = Field(  # noqa: N815
        default=["50%", "75%", "90%", "15m"],
        validate_default=True,
    )
    grace: Annotated[DurationOrZero | None, OrNone] = Field(default="10s", validate_default=True)

    @model_validator(mode="after")
    def _something_stops_it(self) -> TicketObjectiveSpec:
        if self.metric not in REPLY_METRICS and not self.stop:
            raise missing(f"the clock of metric {self.metric} needs a stop: write stop: {{state: [resolved, closed]}}")
        return self
