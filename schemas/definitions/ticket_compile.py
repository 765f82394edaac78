"""From a checked TicketObjective to what the fold of clocks reads: conditions as data, marks from the target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.definitions.kinds import TicketObjective
from schemas.definitions.ticket_objective import TicketObjectiveSpec
from schemas.definitions.values import duration_text, percentage_text
from sla import ticket_objective as to
from sla.conditions import NEVER, All, AnyOf, Compared, Condition, Exists, Not, OneOf, Relation
from sla.working_time import ALWAYS, WorkingTime


def ticket_objective(
    document: TicketObjective, version: int, calendars: Mapping[str, WorkingTime]
) -> to.TicketObjective:
    """The objective of a document whose calendar, if it names one, is among `calendars`."""
    spec = document.spec
    return to.TicketObjective(
        name=document.metadata.name,
        service=spec.service,
        metric=to.Metric(spec.metric),
        target_ms=spec.target,
        target_text=duration_text(spec.target),
        when=condition_of(spec.when),
        stop=_optional(spec.stop),
        pause=_optional(spec.pause),
        resume=_optional(spec.resume) if spec.resume else None,
        cancel=_optional(spec.cancel),
        reset=_optional(spec.reset),
        pauses_move_deadline=spec.type == "timer",
        calendar=spec.calendar,
        working_time=ALWAYS if spec.calendar is None else calendars[spec.calendar],
        on_reopen=to.OnReopen(spec.onReopen),
        on_retarget=to.OnRetarget(spec.onRetarget),
        marks=marks(spec),
        grace_ms=spec.grace or 0,
        version=version,
    )


def condition_of(written: Mapping[str, Any]) -> Condition:
    """The condition of a checked mapping: all that it names must hold."""
    parts = [_part(name, inner) for name, inner in written.items()]
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def _optional(written: Mapping[str, Any] | None) -> Condition:
    """`{}` and `none` ask for nothing: such a condition never holds."""
    return condition_of(written) if written else NEVER


def _part(name: str, inner: Any) -> Condition:
    if name == "all":
        return All(tuple(condition_of(each) for each in inner))
    if name == "any":
        return AnyOf(tuple(condition_of(each) for each in inner))
    if name == "not":
        return Not(condition_of(inner))
    if isinstance(inner, Mapping):
        parts = [
            Exists(name, operand) if operator == "exists" else Compared(name, Relation(operator), operand)
            for operator, operand in inner.items()
        ]
        return parts[0] if len(parts) == 1 else All(tuple(parts))
    values = inner if isinstance(inner, list) else [inner]
    texts = frozenset(each for each in values if isinstance(each, str))
    return OneOf(name, texts, tuple(each for each in values if not isinstance(each, str)))


def marks(spec: TicketObjectiveSpec) -> tuple[to.Mark, ...]:
    """When a clock of an objective warns."""
    written = spec.warnAt or []
    shares = [(amount, percentage_text(amount)) for unit, amount in written if unit == "percent"]
    lefts = [(amount, duration_text(amount)) for unit, amount in written if unit == "left"]
    return to.marks_of(spec.target, shares, lefts)
