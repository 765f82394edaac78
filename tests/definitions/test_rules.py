"""For each rule, documents that break it and the line at which that is told."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from schemas.definitions import Level, load
from schemas.definitions.rules import RULES
from tests.definitions.documents import OBJECTIVE, SURROUNDINGS, load_text, objective, only


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
    Case("wrong-value", 8, "whole minutes from 1h to 366d", OBJECTIVE.replace("30d", "367d")),
    Case("wrong-value", 8, "whole minutes from 1h to 366d", OBJECTIVE.replace("30d", "5m")),
    Case("wrong-value", 8, "whole minutes from 1h to 366d", OBJECTIVE.replace("30d", "3601s")),
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
    Case("wrong-type", 10, "a list", objective("warnings:\n  budgetConsumed: 50%")),
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
    Case("wrong-value", 5, "1s to 1h", doc("Settings", "decideEvery: 2h")),
    Case("slow-step", 5, "nobody watched", doc("Settings", "decideEvery: 30s")),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}:{case.words}")
def test_a_bad_document_is_told_at_its_line(case: Case, tmp_path: Path) -> None:
    loaded = load_text(tmp_path, case.text, SURROUNDINGS)
    told = [finding for finding in loaded.findings if finding.rule == case.rule and case.words in finding.message]
    assert [finding.line for finding in told] == [case.line], [str(finding) for finding in loaded.findings]
    assert told[0].level is RULES[case.rule][0]
    assert (loaded.catalogue is None) == loaded.refused()


def test_the_good_document_has_no_finding(tmp_path: Path) -> None:
    assert load_text(tmp_path, OBJECTIVE, SURROUNDINGS).findings == ()


def test_every_error_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(OBJECTIVE.replace("99.9%", "99.9").replace("30d", "30x"))
    (tmp_path / "b.yml").write_text("a: [\n")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "c.yaml").write_text(objective("sevice: x", name="other"))
    (tmp_path / "ignored.txt").write_text("not: [read")
    (tmp_path / ".hidden.yaml").write_text("not: [read")
    errors = [
        (Path(finding.file).name, finding.rule) for finding in load([tmp_path]).findings if finding.level is Level.ERROR
    ]
    assert errors == [
        ("a.yaml", "wrong-value"),
        ("a.yaml", "wrong-value"),
        ("b.yml", "yaml-syntax"),
        ("c.yaml", "unknown-field"),
    ]


def test_a_path_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    assert only(load([tmp_path / "absent.yaml"])).rule == "unreadable"
    (tmp_path / "empty").mkdir()
    assert only(load([tmp_path / "empty"])).rule == "unreadable"
    (tmp_path / "dangling.yaml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "round.yaml").symlink_to(tmp_path / "round.yaml")
    assert [finding.rule for finding in load([tmp_path]).findings] == ["unreadable", "unreadable"]


def test_a_file_given_twice_is_read_once(tmp_path: Path) -> None:
    load_text(tmp_path, OBJECTIVE, SURROUNDINGS)
    assert load([tmp_path, tmp_path / "definitions.yaml"]).findings == ()


def test_a_name_defined_by_a_document_with_errors_is_no_unknown_name(tmp_path: Path) -> None:
    agreement = doc("Agreement", "type: slo\n  objectives: [payments-availability]")
    loaded = load_text(tmp_path, OBJECTIVE.replace("99.9%", "99.9"), agreement, SURROUNDINGS)
    assert [finding.rule for finding in loaded.findings if finding.level is Level.ERROR] == ["wrong-value"]


def test_one_name_is_one_definition_also_across_kinds_of_objectives(tmp_path: Path) -> None:
    other = ticket("target: 4h\n  when: {priority: [P1]}\n  stop: {state: [closed]}").replace(
        "{name: x}", "{name: payments-availability}"
    )
    loaded = load_text(tmp_path, OBJECTIVE, other, SURROUNDINGS)
    assert [(f.rule, f.line) for f in loaded.findings if f.level is Level.ERROR] == [("duplicate", 12)]


def test_a_longer_ring_is_told_once_and_in_its_order(tmp_path: Path) -> None:
    ring = [doc("Service", f"dependsOn: [{{name: {after}}}]", name) for name, after in ("ab", "bc", "ca")]
    loaded = load_text(tmp_path, *ring)
    assert only(loaded).message == "dependsOn goes round: a -> b -> c -> a"


def test_an_objective_that_nobody_watches_is_a_warning_that_strict_refuses(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, OBJECTIVE, SURROUNDINGS.split("---")[0])
    assert (only(loaded).rule, only(loaded).line) == ("nobody-told", 3)
    assert not loaded.refused()
    assert loaded.refused(strict=True)
    assert loaded.catalogue is not None


@pytest.mark.parametrize(
    ("watches", "hears"),
    [
        ("{services: [payments]}", True),
        ("{owners: [payments-team]}", True),
        ("{agreements: [gold]}", True),
        ("{severities: [critical]}", True),
        ("{services: [payments], owners: [payments-team]}", True),
        ("{services: [ledger]}", False),
        ("{services: [payments], owners: [ledger-team]}", False),
        ("{agreements: [silver]}", False),
        ("{}", False),
    ],
)
def test_watches_narrow_each_other(watches: str, *, hears: bool, tmp_path: Path) -> None:
    loaded = load_text(
        tmp_path,
        OBJECTIVE,
        doc("Service", "owner: payments-team", "payments"),
        doc("Service", "owner: ledger-team", "ledger"),
        doc("Agreement", "type: slo\n  objectives: [payments-availability]", "gold"),
        doc("Agreement", "type: slo\n  objectives: []", "silver"),
        doc("Stakeholder", f"audience: oncall\n  watches: {watches}\n  channels: [console]"),
    )
    assert any(finding.rule == "nobody-told" for finding in loaded.findings) == (not hears)


def test_a_shadow_objective_is_meant_to_be_told_to_nobody(tmp_path: Path) -> None:
    assert load_text(tmp_path, objective("mode: shadow"), SURROUNDINGS.split("---")[0]).findings == ()


def test_lint_allow_silences_a_warning_for_its_document(tmp_path: Path) -> None:
    allowed = OBJECTIVE.replace("{name", "{lint: {allow: [nobody-told], reason: a trial}, name")
    assert load_text(tmp_path, allowed, SURROUNDINGS.split("---")[0]).findings == ()


def stricter(target: str, *dependencies: tuple[str, str, str]) -> list[str]:
    needs = ", ".join(f"{{name: {name}, critical: {critical}}}" for name, _, critical in dependencies)
    return [
        OBJECTIVE.replace("99.9%", target),
        doc("Service", f"dependsOn: [{needs}]", "payments"),
        *(
            objective(
                name=name, base=OBJECTIVE.replace("service: payments", f"service: {name}").replace("99.9%", share)
            )
            for name, share, _ in dependencies
        ),
        doc("Agreement", "type: sla\n  customer: acme\n  objectives: [payments-availability]", "gold"),
    ]


@pytest.mark.parametrize(
    ("target", "dependencies", "reach"),
    [
        ("99.9%", [("ledger", "99.9%", "true"), ("gateway", "99.5%", "true")], "99.4005%"),
        ("99.95%", [("ledger", "99.9%", "true")], "99.9%"),
        ("99.9%", [("ledger", "99.9%", "true")], None),
        ("99.9%", [("ledger", "99%", "false")], None),
        ("99.4005%", [("ledger", "99.9%", "true"), ("gateway", "99.5%", "true")], None),
        ("99.4006%", [("ledger", "99.9%", "true"), ("gateway", "99.5%", "true")], "99.4005%"),
    ],
)
def test_an_sla_is_no_stricter_than_its_critical_dependencies_together(
    target: str,
    dependencies: list[tuple[str, str, str]],
    reach: str | None,
    tmp_path: Path,
) -> None:
    loaded = load_text(tmp_path, *stricter(target, *dependencies))
    told = [finding.message for finding in loaded.findings if finding.rule == "stricter-than-dependencies"]
    assert len(told) == (0 if reach is None else 1)
    assert all(f"together reach {reach} " in message for message in told)


NOT_YET = [
    (ticket("target: 4h\n  when: {priority: [P1]}\n  stop: {state: [closed]}"), 2),
    (objective("calendar: office") + "---\n" + doc("Calendar", 'hours: {mon: ["09:00-17:00"]}', "office"), 9),
    (OBJECTIVE.replace("ratio, ", "percentile, percentile: 95, op: lte, value: 300, "), 6),
    (objective("instances: {max: 10}"), 9),
    (
        doc(
            "Agreement",
            "type: slo\n  objectives: [payments-availability]\n"
            "  credits: {fee: 5 EUR, tiers: [{below: 99%, credit: 10%}]}",
        )
        + "---\n"
        + OBJECTIVE,
        7,
    ),
    (
        doc(
            "Stakeholder",
            "audience: owner\n  watches: {services: [payments]}\n  channels: [{webhook: 'https://example.com'}]",
        ),
        7,
    ),
    (doc("Stakeholder", "audience: owner\n  watches: {services: [payments]}\n  channels: [console]\n  digest: 1h"), 8),
]


@pytest.mark.parametrize(("text", "line"), NOT_YET)
def test_what_a_later_release_computes_is_a_note_that_never_refuses(text: str, line: int, tmp_path: Path) -> None:
    loaded = load_text(tmp_path, text, SURROUNDINGS)
    notes = [finding for finding in loaded.findings if finding.rule == "not-evaluated-yet"]
    assert [(note.level, note.line) for note in notes] == [(Level.NOTE, line)]
    assert loaded.catalogue is not None


def test_every_rule_is_broken_by_a_test() -> None:
    here = {case.rule for case in CASES} | {
        "nobody-told",
        "stricter-than-dependencies",
        "not-evaluated-yet",
        "unreadable",
    }
    elsewhere = {rule for rule in RULES if rule.startswith(("yaml-", "openslo-"))}
    assert here | elsewhere == set(RULES)
