"""Every lint rule: its level and what it says. The reference in docs/definitions.md lists the same."""

from __future__ import annotations

from typing import Final

from schemas.definitions.findings import Level

RULES: Final[dict[str, tuple[Level, str]]] = {
    "unreadable": (Level.ERROR, "a path that cannot be read, or a directory without a YAML file"),
    "yaml-syntax": (Level.ERROR, "text that is not YAML or UTF-8, or a tag or key that is not read here"),
    "yaml-duplicate-key": (Level.ERROR, "a key given twice in one mapping"),
    "yaml-limit": (Level.ERROR, "a file too large, nested too deep or with too many aliases or values"),
    "unknown-kind": (Level.ERROR, "an apiVersion or kind that does not exist"),
    "unknown-field": (Level.ERROR, "a field that does not exist"),
    "missing-field": (Level.ERROR, "a required field that is not there"),
    "wrong-type": (Level.ERROR, "a list where text belongs, and the like"),
    "wrong-value": (Level.ERROR, "a value that is out of range, misspelled or malformed"),
    "unknown-rule": (Level.ERROR, "lint.allow names a rule that does not exist or cannot be allowed"),
    "duplicate": (Level.ERROR, "two definitions of one name, or one name twice in a list"),
    "undefined-name": (Level.ERROR, "a name that nothing defines"),
    "cycle": (Level.ERROR, "definitions that lead back to themselves"),
    "fallback-outside": (Level.ERROR, "a customer or supplier as the fallback of a stakeholder of the house"),
    "target-without-budget": (Level.ERROR, "a target of 100 %, which leaves no error budget"),
    "tier-never-fires": (Level.ERROR, "a hand-written burn tier whose factor is at or above 1/(1 - target)"),
    "tier-always-fires": (Level.ERROR, "a hand-written burn tier whose factor is below 0.9"),
    "tier-windows": (Level.ERROR, "a hand-written burn tier whose windows do not fit each other or the period"),
    "no-data-needs-time": (Level.ERROR, "noData treat bad or good where events, not time, are counted"),
    "calendar-never-opens": (Level.ERROR, "a calendar without any opening in 400 days"),
    "too-many-steps": (Level.ERROR, "ticket objectives of a service that together are more than one ticket can have"),
    "openslo-unsupported": (Level.ERROR, "a part of OpenSLO that Forewarn cannot work out"),
    "openslo-ignored": (Level.WARNING, "a part of OpenSLO that is left aside (a note for a DataSource)"),
    "undefined-service": (Level.WARNING, "an objective of a service that has no Service document"),
    "nobody-told": (Level.WARNING, "an objective that no stakeholder watches"),
    "watches-nothing": (Level.WARNING, "a stakeholder whose watches are empty"),
    "stricter-than-dependencies": (
        Level.WARNING,
        "an SLA stricter than the product of its critical dependencies' targets",
    ),
    "promise-without-signal": (Level.WARNING, "an agreement without an objective that measures it"),
    "too-many-steps-moved": (Level.WARNING, "two services between which no ticket can move: it would have too many"),
    "tier-left-out": (Level.WARNING, "a built-in burn tier left out because it could never or always fire"),
    "ical-malformed": (Level.ERROR, "an iCalendar file, or an event in it, that cannot be read"),
    "ical-left-aside": (Level.WARNING, "events of an iCalendar file that close nothing: observances, and free hours"),
    "calendar-closed-often": (Level.WARNING, "a calendar closed on more than 25 days of a year that have hours"),
    "calendar-runs-out": (Level.WARNING, "a calendar without weekly hours, which ends with its last date"),
    "slow-step": (Level.WARNING, "a decideEvery so long that silence between steps counts as nobody watching"),
    "not-evaluated-yet": (Level.NOTE, "a definition or field that is checked but that this release does not act on"),
}

# Errors cannot be allowed: what they refuse can never work.
ALLOWABLE: Final = frozenset(rule for rule, (level, _) in RULES.items() if level is not Level.ERROR)
