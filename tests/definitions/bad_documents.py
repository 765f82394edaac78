"""The table of bad documents: what breaks each rule, the line at which that is told, and words of the message."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from tests.definitions.documents import OBJECTIVE, objective


class Case(NamedTuple):
    """A document, and what is told about it: rule, line, and words of the message."""

    rule: str
    line: int
    words: str
    text: str


def doc(kind: str, spec: str, name: str = "x") -> str:
    return f"apiVersion: forewarn/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n  {spec}\n"


def ticket(spec: str) -> str:
    return doc("TicketObjective", "service: payments\n  metric: resolution\n  " + spec)


def told_by(channel: str) -> str:
    return doc("Stakeholder", f"audience: oncall\n  watches: {{services: [payments]}}\n  channels: [{channel}]")


HOURS = 'hours: {mon-sun: ["09:00-17:00"]}'
FIRST = date(2026, 1, 1)
TIERS = "warnings:\n  burnRates:\n    - {name: a, severity: critical, "

CASES = [
    # -- the envelope
    Case("wrong-type", 1, "a document is a mapping", "just text\n"),
    Case("missing-field", 1, "apiVersion is required", "kind: Objective\nmetadata: {name: x}\n"),
    Case("missing-field", 1, "kind is required", "apiVersion: forewarn/v1\nmetadata: {name: x}\n"),
    Case("unknown-kind", 1, "did you mean 'forewarn/v1'", OBJECTIVE.replace("forewarn/v1", "forewarn/v2")),
    Case("unknown-kind", 2, "did you mean 'Objective'", OBJECTIVE.replace("kind: Objective", "kind: objective")),
    Case("unknown-kind", 2, "no kind a list", OBJECTIVE.replace("kind: Objective", "kind: [Objective]")),
    Case("missing-field", 3, "metadata.name", OBJECTIVE.replace("{name: payments-availability}", "{}")),
    Case("missing-field", 1, "spec is required", OBJECTIVE.split("spec:")[0]),
    Case("unknown-field", 3, "did you mean 'name'", OBJECTIVE.replace("{name", "{nam: y, name")),
    Case("wrong-value", 3, "1 to 200 characters", OBJECTIVE.replace("payments-availability", "x" * 201)),
    Case("wrong-value", 3, "control character", OBJECTIVE.replace("payments-availability", '"a\\tb"')),
    Case("wrong-value", 3, "quote it: '5'", OBJECTIVE.replace("payments-availability", "5")),
    Case("unknown-rule", 3, "nobody-told", OBJECTIVE.replace("{name", "{lint: {allow: [nobody-tld], reason: r}, name")),
    Case(
        "unknown-rule", 3, "cannot be allowed", OBJECTIVE.replace("{name", "{lint: {allow: [cycle], reason: r}, name")
    ),
    Case("missing-field", 3, "reason", OBJECTIVE.replace("{name", "{lint: {allow: [nobody-told]}, name")),
    # -- Objective
    Case("missing-field", 4, "write service: payments", OBJECTIVE.replace("  service: payments\n", "")),
    Case("missing-field", 4, "write target: 99.9%", OBJECTIVE.replace("  target: 99.9%\n", "")),
    Case("missing-field", 4, "window: {rolling: 30d}", OBJECTIVE.replace("  window: {rolling: 30d}\n", "")),
    Case("missing-field", 7, "spec.target is required", OBJECTIVE.replace("99.9%", "")),
    Case("missing-field", 6, "signal: availability", OBJECTIVE.replace(", signal: availability", "")),
    Case("unknown-field", 6, "did you mean 'signal'", OBJECTIVE.replace("{type", "{sginal: x, type")),
    Case("wrong-value", 6, "one of ratio, threshold", OBJECTIVE.replace("type: ratio", "type: ration")),
    Case("unknown-field", 9, "did you mean 'noData'", objective("nodata: {after: 5m}")),
    Case("wrong-value", 7, "write 99.9%", OBJECTIVE.replace("99.9%", "99.9")),
    Case("wrong-value", 7, "finer than one part per million", OBJECTIVE.replace("99.9%", "99.99999%")),
    Case("wrong-value", 7, "more than zero", OBJECTIVE.replace("99.9%", "0%")),
    Case("target-without-budget", 7, "write less", OBJECTIVE.replace("99.9%", "100%")),
    Case("wrong-value", 8, "90s or 5m", OBJECTIVE.replace("30d", "30days")),
    Case("wrong-value", 8, "whole minutes from 1m to 366d", OBJECTIVE.replace("30d", "367d")),
    Case("wrong-value", 8, "whole minutes from 1m to 366d", OBJECTIVE.replace("30d", "30s")),
    Case("wrong-value", 8, "whole minutes from 1m to 366d", OBJECTIVE.replace("30d", "3601s")),
    Case("wrong-value", 8, "{rolling: 30d}", OBJECTIVE.replace("{rolling: 30d}", "30d")),
    Case("wrong-value", 8, "not one of day", OBJECTIVE.replace("rolling: 30d", "calendar: months")),
    Case(
        "wrong-value",
        8,
        "did you mean 'Europe/Berlin'",
        OBJECTIVE.replace("rolling: 30d", "calendar: month, timezone: Europe/berln"),
    ),
    Case("wrong-value", 9, "{timeslices: 1m", objective("budgeting: timeslices")),
    Case("wrong-value", 9, "whole minutes", objective("budgeting: {timeslices: 90s}")),
    Case(
        "wrong-value", 9, "is not one of unknown, bad, good or ignore", objective("noData: {after: 5m, treat: worse}")
    ),
    Case("no-data-needs-time", 9, "budgeting: {timeslices: 1m}", objective("noData: {after: 5m, treat: bad}")),
    Case("no-data-needs-time", 9, "treat: good", objective("noData: {treat: good}")),
    Case("wrong-type", 9, "a whole number", objective("instances: {max: many}")),
    Case("wrong-type", 9, "true or false", objective("instances: {aggregate: yes}")),
    Case("wrong-type", 10, "write budgetConsumed: [50%", objective("warnings:\n  budgetConsumed: 50%")),
    Case("wrong-value", 10, "google, none or a list", objective("warnings:\n  burnRates: googel")),
    Case("wrong-value", 11, "percentage", objective("warnings:\n  burnRates: none\n  budgetConsumed: [50]")),
    Case(
        "missing-field",
        11,
        "severity",
        objective("warnings:\n  burnRates:\n    - {name: a, budget: 2%, long: 1h, short: 5m}"),
    ),
    Case("tier-never-fires", 11, "1000.0", objective(TIERS + "budget: 100%, long: 30m, short: 5m}")),
    Case("tier-always-fires", 11, "below 0.9", objective(TIERS + "budget: 1%, long: 1d, short: 5m}")),
    Case("tier-windows", 11, "short < long", objective(TIERS + "budget: 2%, long: 1h, short: 1h}")),
    Case(
        "duplicate",
        12,
        "'a'",
        objective(
            TIERS + "budget: 2%, long: 1h, short: 5m}\n    - {name: a, severity: info, budget: 5%, long: 6h, short: 5m}"
        ),
    ),
    Case("tier-left-out", 7, "page_fast", OBJECTIVE.replace("99.9%", "93%")),
    Case("tier-left-out", 8, "while the target is kept", OBJECTIVE.replace("30d", "1d")),
    Case("wrong-value", 9, "live or shadow", objective("mode: dark")),
    Case("missing-field", 9, "mode: shadow", objective("shadowOf: payments-availability")),
    Case(
        "undefined-name",
        9,
        "did you mean 'payments-availability'",
        objective("shadowOf: payment-availability\nmode: shadow"),
    ),
    Case("undefined-name", 9, "no Calendar", objective("calendar: office\nmode: shadow")),
    Case("cycle", 9, "goes round", objective("shadowOf: payments-availability\nmode: shadow")),
    Case(
        "cycle",
        6,
        "indicator goes round",
        OBJECTIVE.replace(
            "type: ratio, signal: availability", "type: composite, rule: all, of: [payments-availability]"
        ),
    ),
    Case(
        "undefined-name",
        6,
        "no Objective",
        OBJECTIVE.replace("type: ratio, signal: availability", "type: composite, rule: all, of: [ledger]"),
    ),
    Case(
        "undefined-name",
        6,
        "no TicketObjective",
        OBJECTIVE.replace("type: ratio, signal: availability", "type: tickets, of: payments-availability"),
    ),
    Case(
        "wrong-value",
        6,
        "k goes with",
        OBJECTIVE.replace("type: ratio, signal: availability", "type: composite, rule: k_of_n, of: [x]"),
    ),
    Case(
        "wrong-value",
        6,
        "weights go with",
        OBJECTIVE.replace("type: ratio, signal: availability", "type: composite, rule: weighted, of: [x]"),
    ),
    Case(
        "wrong-value",
        6,
        "between 0 and 100",
        OBJECTIVE.replace("type: ratio", "type: percentile, percentile: 100, op: lte, value: 5"),
    ),
    Case("wrong-type", 6, "a number", OBJECTIVE.replace("type: ratio", "type: threshold, op: lte, value: fast")),
    Case(
        "undefined-service",
        5,
        "did you mean 'payments'",
        objective(base=OBJECTIVE.replace("service: payments", "service: paymnts"), name="x"),
    ),
    # -- TicketObjective
    Case("missing-field", 4, "when: {priority: [P1]}", ticket("target: 4h\n  stop: {state: [closed]}")),
    Case("missing-field", 4, "needs a stop", ticket("target: 4h\n  when: {priority: [P1]}")),
    Case("wrong-value", 8, "is not a condition", ticket("target: 4h\n  when: P1\n  stop: {state: [closed]}")),
    Case(
        "wrong-value", 9, "compared by", ticket("target: 4h\n  when: {priority: [P1]}\n  stop: {state: {is: closed}}")
    ),
    Case(
        "wrong-value",
        10,
        "0% is no mark",
        ticket("target: 4h\n  when: {priority: [P1]}\n  stop: {state: [closed]}\n  warnAt: [0%]"),
    ),
    # -- Calendar
    Case("calendar-never-opens", 4, "never opens", doc("Calendar", "timezone: Europe/Berlin")),
    Case("calendar-never-opens", 4, "never opens", doc("Calendar", "hours: {mon-fri: []}")),
    Case("wrong-value", 5, "same time", doc("Calendar", 'hours: {mon: ["09:00-09:00"]}')),
    Case("wrong-value", 5, "mon-fri", doc("Calendar", 'hours: {monday: ["09:00-17:00"]}')),
    Case(
        "wrong-value",
        6,
        "not a date that exists",
        doc("Calendar", 'hours: {mon: ["09:00-17:00"]}\n  closed: [2026-02-30]'),
    ),
    Case(
        "calendar-never-opens",
        6,
        "400 days from 2025-12-31",
        doc("Calendar", f"{HOURS}\n  closed: [{', '.join(str(FIRST + timedelta(step)) for step in range(400))}]"),
    ),
    Case("calendar-closed-often", 6, "31 days", doc("Calendar", f"{HOURS}\n  closed: [2026-10-01/2026-10-31]")),
    Case("wrong-value", 6, "nothing beside it", doc("Calendar", f"{HOURS}\n  closed: [{{ical: a.ics, evnts: []}}]")),
    Case("calendar-runs-out", 5, "last time on 2026-12-27", doc("Calendar", 'open: {2026-12-27: ["10:00-14:00"]}')),
    Case("wrong-value", 6, "no country", doc("Calendar", f"{HOURS}\n  holidays: {{country: XX}}")),
    Case("wrong-value", 6, "did you mean", doc("Calendar", f"{HOURS}\n  holidays: {{country: de}}")),
    Case("wrong-value", 6, "BW, BY", doc("Calendar", f"{HOURS}\n  holidays: {{country: DE, subdivision: XX}}")),
    # -- Agreement
    Case(
        "missing-field",
        4,
        "names its customer",
        doc("Agreement", "{type: sla, objectives: [payments-availability]}") + "---\n" + OBJECTIVE,
    ),
    Case("wrong-value", 5, "is not one of sla, ola", doc("Agreement", "type: contract\n  objectives: []")),
    Case("undefined-name", 6, "Objective or TicketObjective", doc("Agreement", "type: slo\n  objectives: [nothing]")),
    Case(
        "duplicate",
        6,
        "listed twice",
        doc("Agreement", "type: slo\n  objectives: [payments-availability, payments-availability]")
        + "---\n"
        + OBJECTIVE,
    ),
    Case(
        "undefined-name",
        7,
        "called 'other'",
        doc("Agreement", "type: slo\n  objectives: [payments-availability]\n  requested: {other: 99.9%}")
        + "---\n"
        + OBJECTIVE,
    ),
    Case("promise-without-signal", 6, "measured", doc("Agreement", "type: expectation\n  objectives: []")),
    Case(
        "wrong-value",
        7,
        "12000 EUR",
        doc("Agreement", "type: slo\n  objectives: [payments-availability]\n  value: 5") + "---\n" + OBJECTIVE,
    ),
    Case(
        "wrong-value",
        4,
        "never be in force",
        doc(
            "Agreement",
            "type: slo\n  objectives: [payments-availability]\n"
            "  effectiveFrom: 2026-02-01T00:00:00Z\n  effectiveTo: 2026-01-01T00:00:00Z",
        )
        + "---\n"
        + OBJECTIVE,
    ),
    # -- Service
    Case("undefined-name", 5, "no service is called 'ledger'", doc("Service", "dependsOn: [{name: ledger}]")),
    Case("wrong-type", 5, "a mapping of fields", doc("Service", "dependsOn: [payments]")),
    Case(
        "fallback-outside",
        8,
        "would get words meant for the house",
        told_by("console")
        + "  fallback: acme\n---\n"
        + told_by("console").replace("oncall", "customer").replace("name: x", "name: acme"),
    ),
    Case("cycle", 8, "'x' escalates to itself", told_by("console") + "  escalate: [{unackedAfter: 15m, to: x}]\n"),
    Case("cycle", 5, "x -> x", doc("Service", "dependsOn: [{name: x}]")),
    # -- Stakeholder
    Case(
        "missing-field",
        4,
        "channels: [console]",
        doc("Stakeholder", "audience: oncall\n  watches: {services: [payments]}"),
    ),
    Case(
        "wrong-value",
        7,
        "not a channel",
        doc("Stakeholder", "audience: oncall\n  watches: {services: [payments]}\n  channels: [carrier-pigeon]"),
    ),
    Case(
        "wrong-value",
        7,
        "did you mean 'webhook'",
        doc("Stakeholder", "audience: oncall\n  watches: {services: [payments]}\n  channels: [{webhok: x}]"),
    ),
    Case(
        "wrong-value",
        7,
        "${NAME}",
        doc(
            "Stakeholder",
            "audience: oncall\n  watches: {services: [payments]}\n  channels: [{apprise: 'mailto://me:secret@example.com'}]",
        ),
    ),
    Case(
        "wrong-value",
        7,
        "${NAME}",
        doc(
            "Stakeholder",
            "audience: oncall\n  watches: {services: [payments]}\n  channels: [{pagerduty: 0123456789abcdef}]",
        ),
    ),
    Case("wrong-value", 7, "write webhook:", told_by("{webhook: 'example.com/hook'}")),
    Case("wrong-value", 7, "begins with ftp", told_by("{webhook: 'ftp://example.com/hook'}")),
    Case("wrong-value", 7, "#secret=${NAME}", told_by("{webhook: 'https://example.com/hook#token=${T}'}")),
    Case("wrong-value", 7, "${NAME}", told_by("{webhook: 'https://example.com/hook#secret=plain'}")),
    Case("wrong-value", 7, "is not a URL", told_by("{webhook: 'https://exa mple.com/'}")),
    Case("wrong-value", 7, "write alertmanager:", told_by("{alertmanager: 'alertmanager:9093'}")),
    Case("wrong-value", 7, "?routing_key=${NAME}", told_by("{pagerduty: 'https://events.example.com/v2/enqueue'}")),
    Case("wrong-value", 7, "write mail:", told_by("{mail: 'ops@example.com'}")),
    Case("wrong-value", 7, "is not whole", told_by("{mail: 'smtp://mail.example.com?to=ops@example.com'}")),
    Case("wrong-value", 7, "write apprise:", told_by("{apprise: 'ops@example.com'}")),
    Case("wrong-value", 7, "did you mean 'slack'", told_by("{apprise: 'slakc://a/b/c'}")),
    Case("wrong-value", 7, "did you mean 'slack'", told_by("{apprise: 'slakc://${TOKEN}'}")),
    Case("wrong-value", 7, "is not as slack is written", told_by("{apprise: 'slack://nothing'}")),
    Case(
        "wrong-value",
        7,
        "a secret of discord",
        told_by("{apprise: 'discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js'}"),
    ),
    Case(
        "undefined-name",
        6,
        "no service is called 'payment'; did you mean 'payments'",
        doc("Stakeholder", "audience: oncall\n  watches: {services: [payment]}\n  channels: [console]"),
    ),
    Case(
        "undefined-name",
        6,
        "no owner",
        doc("Stakeholder", "audience: oncall\n  watches: {owners: [nobody]}\n  channels: [console]"),
    ),
    Case(
        "undefined-name",
        6,
        "no Agreement",
        doc("Stakeholder", "audience: oncall\n  watches: {agreements: [gold]}\n  channels: [console]"),
    ),
    Case(
        "wrong-value",
        6,
        "did you mean 'breach'",
        doc("Stakeholder", "audience: oncall\n  watches: {events: [breech]}\n  channels: [console]"),
    ),
    Case("watches-nothing", 6, "empty", doc("Stakeholder", "audience: oncall\n  watches: {}\n  channels: [console]")),
    Case(
        "wrong-value",
        8,
        "6/h",
        doc(
            "Stakeholder", "audience: oncall\n  watches: {services: [payments]}\n  channels: [console]\n  rateLimit: 6"
        ),
    ),
    Case(
        "wrong-value",
        8,
        "either timeLeft or unackedAfter",
        doc(
            "Stakeholder",
            "audience: oncall\n  watches: {services: [payments]}\n  channels: [console]\n  escalate: [{to: x}]",
        ),
    ),
    # -- Settings
    Case("wrong-value", 5, "100ms to 1h", doc("Settings", "decideEvery: 2h")),
    Case("wrong-value", 5, "100ms to 1h", doc("Settings", "decideEvery: 50ms")),
    Case("slow-step", 5, "nobody watched", doc("Settings", "decideEvery: 30s")),
    Case("wrong-value", 5, "1h or more", doc("Settings", "settleTicketsAfter: 5m")),
]
