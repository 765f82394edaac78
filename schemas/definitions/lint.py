"""All checks over all definitions, and what `lint.allow` silences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from schemas.definitions.compile import calendars_of
from schemas.definitions.findings import Finding, nearest
from schemas.definitions.kinds import Stakeholder
from schemas.definitions.names import Names, cycles, duplicates, repeated, undefined
from schemas.definitions.objective_checks import check_one
from schemas.definitions.rules import ALLOWABLE
from schemas.definitions.source import Defined
from sla.wording import OUTSIDERS


def cross_check(defined: Sequence[Defined], written: Iterable[tuple[str, str]]) -> list[Finding]:
    """Everything that is wrong with definitions that each read well, and what is odd about one by itself.

    `written` names the kind and name of every document, also of those that were refused.
    """
    calendars = calendars_of(defined)
    return [
        *(finding for each in defined for finding in check_one(each, calendars)),
        *duplicates(defined),
        *repeated(defined),
        *undefined(defined, Names(defined, written)),
        *cycles(defined),
        *_fallbacks_outside(defined),
        *_escalations_to_oneself(defined),
        *_unknown_rules(defined),
    ]


def _unknown_rules(defined: Iterable[Defined]) -> Iterator[Finding]:
    """Allowing a rule that does not exist allows nothing: say so."""
    for each in defined:
        for rule in each.allow.allow if each.allow is not None else ():
            if rule not in ALLOWABLE:
                hint = nearest(rule, ALLOWABLE) or f"; these can be allowed: {', '.join(sorted(ALLOWABLE))}"
                yield each.error("unknown-rule", ("metadata", "lint", "allow"), f"{rule!r} cannot be allowed{hint}")


def _escalations_to_oneself(defined: Iterable[Defined]) -> Iterator[Finding]:
    for each in defined:
        steps = each.document.spec.escalate if isinstance(each.document, Stakeholder) else None
        for place, step in enumerate(steps or ()):
            if step.to == each.name:
                yield each.error("cycle", ("spec", "escalate", place, "to"), f"{each.name!r} escalates to itself")


def _fallbacks_outside(defined: Sequence[Defined]) -> Iterator[Finding]:
    """A fallback gets the words that were written for another: those of the house must not leave it."""
    told = {each.name: each.document.spec for each in defined if isinstance(each.document, Stakeholder)}
    for each in defined:
        if not isinstance(each.document, Stakeholder):
            continue
        spec = each.document.spec
        fallback = told.get(spec.fallback or "")
        if fallback is not None and spec.audience not in OUTSIDERS and fallback.audience in OUTSIDERS:
            yield each.error(
                "fallback-outside",
                ("spec", "fallback"),
                f"{spec.fallback!r} is a {fallback.audience} and would get words meant for the house",
            )
