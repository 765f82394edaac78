"""A model's validation errors as findings: where, what is wrong, what to write instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic_core import ErrorDetails

from schemas.definitions.fields import is_tag
from schemas.definitions.findings import Finding, nearest
from schemas.definitions.source import Path, Source
from schemas.definitions.values import shown

_WRITE: Final = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list, such as [a, b]",
    "dict_type": "a mapping of fields and values",
    "model_type": "a mapping of fields and values",
    "model_attributes_type": "a mapping of fields and values",
}

_EXAMPLES: Final = {
    "name": "name: payments-availability",
    "service": "service: payments",
    "indicator": "indicator: {type: ratio, signal: availability}",
    "signal": "signal: availability",
    "target": "target: 99.9%",
    "window": "window: {rolling: 30d}",
    "when": "when: {priority: [P1]}",
    "metric": "metric: resolution",
    "objectives": "objectives: [payments-availability]",
    "audience": "audience: oncall",
    "watches": "watches: {services: [payments]}",
    "channels": "channels: [console]",
    "noData": "noData: {after: 5m, treat: unknown}",
    "forecast": "forecast: {within: 24h, probability: 50%}",
    "budgetConsumed": "budgetConsumed: [50%, 75%, 90%]",
    "warnings": "warnings: {burnRates: google}",
    "instances": "instances: {max: 1000}",
    "hours": "hours: {calendar: office, outside: hold}",
    "period": "period: {calendar: month, timezone: Europe/Berlin}",
    "dependsOn": "dependsOn: [{name: ledger, critical: true}]",
    "escalate": "escalate: [{timeLeft: 25%, to: on-call}]",
    "metadata": "metadata: {name: payments-availability}",
    "timeWindow": "timeWindow: [{duration: 30d, isRolling: true}]",
    "budgetingMethod": "budgetingMethod: Occurrences",
}


def findings_of(error: ValidationError, model: type[BaseModel], source: Source) -> list[Finding]:
    """Every error of one document."""
    return [_finding(each, model, source) for each in error.errors(include_url=False)]


def _finding(error: ErrorDetails, model: type[BaseModel], source: Source) -> Finding:
    path, kind = error["loc"], error["type"]
    if kind == "missing":
        example = _EXAMPLES.get(str(path[-1]))
        hint = f": write {example}" if example else ""
        return source.error("missing-field", path, f"{_spelled(path)} is required{hint}")
    if kind == "extra_forbidden":
        known = sorted(_fields_at(model, path[:-1]))
        hint = nearest(str(path[-1]), known) or f"; known are {', '.join(known)}"
        return source.error("unknown-field", path, f"{_spelled(path[:-1])} has no field {str(path[-1])!r}{hint}")
    if kind in _WRITE:
        wanted = _EXAMPLES.get(str(path[-1])) or _WRITE[kind] if path else _WRITE[kind]
        return source.error("wrong-type", path, f"{_spelled(path)} is {shown(error['input'])}: write {wanted}")
    rule = "missing-field" if kind == "missing-field" else "wrong-value"
    return source.error(rule, path, f"{_spelled(path)}: {_objection(error)}")


def _objection(error: ErrorDetails) -> str:
    """What is wrong with a value of the right type."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "literal_error":
        wanted = str(context["expected"]).replace("'", "")
        hint = nearest(value, wanted.replace(" or ", ", ").split(", ")) if isinstance(value, str) else ""
        return f"{shown(value)} is not one of {wanted}{hint}"
    if "message" in context:
        return str(context["message"])
    if kind in ("wrong-value", "missing-field"):
        return error["msg"]
    return f"{shown(value)} does not do: {error['msg'][:1].lower()}{error['msg'][1:]}"


def _spelled(path: Path) -> str:
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif not is_tag(part):
            text += f".{part}" if text else part
    return text or "the document"


def _fields_at(model: type[BaseModel], path: Path) -> set[str]:
    """The fields of the model that `path` leads to."""
    annotations: list[Any] = [model]
    for part in path:
        if is_tag(part):
            annotations = [variant for each in annotations for variant in _tagged(each, str(part))]
        elif isinstance(part, str):
            annotations = [
                each.model_fields[part].rebuild_annotation()
                for each in _models(annotations)
                if part in each.model_fields
            ]
    return {name for each in _models(annotations) for name in each.model_fields}


def _tagged(annotation: Any, tag: str) -> Iterator[Any]:
    if get_origin(annotation) is Annotated and any(
        isinstance(each, Tag) and each.tag == tag for each in get_args(annotation)[1:]
    ):
        yield get_args(annotation)[0]
    else:
        for each in get_args(annotation):
            yield from _tagged(each, tag)


def _models(annotations: Iterable[Any]) -> Iterator[type[BaseModel]]:
    """The models among annotations, looked for inside Annotated, unions and lists."""
    for each in annotations:
        if isinstance(each, type) and issubclass(each, BaseModel):
            yield each
        else:
            yield from _models(get_args(each))
