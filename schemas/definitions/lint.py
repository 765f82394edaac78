"""All checks over all definitions, and what `lint.allow` silences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from schemas.definitions.compile import calendars_of
from schemas.definitions.findings import Finding, nearest
from schemas.definitions.names import Names, cycles, duplicates, repeated, undefined
from schemas.definitions.objective_checks import check_one
from schemas.definitions.promises import check_promises
from schemas.definitions.rules import ALLOWABLE
from schemas.definitions.source import Defined


def cross_check(defined: Sequence[Defined], written: Iterable[tuple[str, str]]) -> list[Finding]:
    """Everything that is wrong or odd with definitions that each read well.

    `written` names the kind and name of every document, also of those that were refused.
    """
    calendars = calendars_of(defined)
    return [
        *(finding for each in defined for finding in check_one(each, calendars)),
        *duplicates(defined),
        *repeated(defined),
        *undefined(defined, Names(defined, written)),
        *cycles(defined),
        *check_promises(defined),
        *_unknown_rules(defined),
    ]


def _unknown_rules(defined: Iterable[Defined]) -> Iterator[Finding]:
    """Allowing a rule that does not exist allows nothing: say so."""
    for each in defined:
        for rule in each.allow.allow if each.allow is not None else ():
            if rule not in ALLOWABLE:
                hint = nearest(rule, ALLOWABLE) or f"; these can be allowed: {', '.join(sorted(ALLOWABLE))}"
                yield each.error("unknown-rule", ("metadata", "lint", "allow"), f"{rule!r} cannot be allowed{hint}")
