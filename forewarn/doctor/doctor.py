"""All checks, one after the other. What cannot be checked is a finding too, and does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from confluent_kafka import KafkaException

from forewarn.console import Console, ExitCode, UserError, printable
from forewarn.doctor import (
    broker,
    catalogue,
    clocks,
    health,
    partitioners,
    producers,
    read_model,
    retention,
    state,
    topics,
    versions,
)
from forewarn.doctor.case import Case
from forewarn.doctor.diagnosis import Diagnosis
from forewarn.finding import Finding, Level

Check = Callable[[Case], list[Diagnosis]]

CHECKS: Final[Mapping[str, Check]] = {
    broker.CHECK: broker.check,
    versions.CHECK: versions.check,
    clocks.CHECK: clocks.check,
    topics.CHECK: topics.check,
    retention.CHECK: retention.check,
    partitioners.CHECK: partitioners.check,
    producers.CHECK: producers.check,
    state.CHECK: state.check,
    catalogue.CHECK: catalogue.check,
    read_model.CHECK: read_model.check,
    health.CHECK: health.check,
}


def examine(case: Case) -> list[Diagnosis]:
    """Everything that is found, in the order of the checks, the gravest of each first."""
    levels = list(Level)
    return [
        diagnosis
        for name, check in CHECKS.items()
        for diagnosis in sorted(_made(name, check, case), key=lambda each: levels.index(each.finding.level))
    ]


def _made(name: str, check: Check, case: Case) -> list[Diagnosis]:
    try:
        return check(case)
    except UserError as error:
        return [Diagnosis(name, "not checked", Finding(error.message, error.hint))]
    except (KafkaException, TimeoutError) as error:
        reason = error.args[0].str() if isinstance(error, KafkaException) else str(error) or "no answer in time"
        cure = "is the broker well, and may this user describe and read Forewarn's topics and groups?"
        return [Diagnosis(name, "not checked", Finding(reason, cure))]


def report(found: Sequence[Diagnosis], console: Console) -> ExitCode:
    """Print what was found; 1 if any of it is an error or a warning."""
    for diagnosis in found:
        console.record(diagnosis.as_json(), diagnosis.line())
        console.say(printable(f"        {diagnosis.finding.remedy}"))
    if not found:
        console.say(f"nothing to remark: {', '.join(CHECKS)}")
    graves = [each.finding.level for each in found if each.finding.level is not Level.NOTE]
    return ExitCode.FINDING if graves else ExitCode.FINE
