"""For each rule, documents that break it and the line at which that is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.definitions import Level, load
from schemas.definitions.rules import RULES
from tests.definitions.bad_documents import CASES, Case, doc, ticket
from tests.definitions.documents import OBJECTIVE, SURROUNDINGS, load_text, objective, only


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


def test_an_error_in_one_field_hides_no_error_in_another(tmp_path: Path) -> None:
    both = """\
        grace: 5x
        sliceTarget: 95%
        calendar: offcie
        warnings: {burnRates: [{name: late, severity: critical, budget: 50%, long: 20m, short: 5m}]}"""
    loaded = load_text(
        tmp_path,
        objective(both, name="refunds"),
        objective(
            "target: 100%\nmode: shadwo\nshadowOf: refunds",
            name="orders",
            base=OBJECTIVE.replace("  target: 99.9%\n", ""),
        ),
        objective("budgeting: {timeslices: 5x}\nnoData: {after: 5m, treat: bad}", name="pages"),
        doc("Service", "owner: 5\n  dependsOn: [{name: ledger}]", "payments"),
        doc("Service", "dependsOn: [{name: payments}]", "ledger"),
        doc("Service", "ownr: x", "ledger"),
    )
    assert [(f.rule, f.line) for f in loaded.findings if f.level is Level.ERROR] == [
        ("wrong-value", 9),
        ("unknown-field", 10),
        ("undefined-name", 11),
        ("tier-never-fires", 12),
        ("target-without-budget", 21),
        ("wrong-value", 22),
        ("wrong-value", 33),
        ("wrong-value", 40),
        ("cycle", 41),
        ("duplicate", 51),
        ("unknown-field", 53),
    ]
    assert loaded.catalogue is None


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


def test_a_required_field_that_is_missing_hides_no_error_in_another(tmp_path: Path) -> None:
    loaded = load_text(
        tmp_path,
        doc("Objective", "service: payments\n  calendar: offcie\n  shadowOf: nobody\n  mode: shadow", "refunds"),
        doc("Agreement", "type: sla\n  objectives: [refunds, nothing]", "gold"),
        doc("TicketObjective", "metric: resolution\n  when: {}\n  calendar: offcie", "fix"),
        doc("Stakeholder", "watches: {agreements: [silver]}", "ann"),
    )
    assert sorted({f.message.split(":")[0].split(",")[0] for f in loaded.findings if f.level is Level.ERROR}) == [
        "no Agreement is called 'silver'",
        "no Calendar is called 'offcie'",
        "no Objective is called 'nobody'",
        "no Objective or TicketObjective is called 'nothing'",
        "spec",
        "spec.audience is required",
        "spec.channels is required",
        "spec.indicator is required",
        "spec.service is required",
        "spec.target is required",
        "spec.window is required",
    ]


@pytest.mark.parametrize("missing", ["target", "window", "indicator"])
def test_what_stands_for_a_missing_field_gives_no_error_of_its_own(missing: str, tmp_path: Path) -> None:
    tier = "warnings: {burnRates: [{name: late, severity: critical, budget: 50%, long: 20m, short: 5m}]}"
    spec = {"target": "99.9%", "window": "{rolling: 30d}", "indicator": "{type: uptime, signal: up}", "service": "pay"}
    kept = "\n  ".join(f"{name}: {value}" for name, value in spec.items() if name != missing)
    written = tier if missing != "indicator" else "noData: {after: 5m, treat: bad}"
    loaded = load_text(tmp_path, doc("Objective", f"{kept}\n  {written}", "late"))
    assert [f.rule for f in loaded.findings if f.level is Level.ERROR] == ["missing-field"]


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
    ("stakeholder", "says"),
    [
        ("payments-team", "nobody watches 'payments-availability', so all of it goes to its service's owner"),
        ("ann", "nobody is told about 'payments-availability', and no stakeholder bears the name of the owner"),
    ],
)
def test_what_nobody_watches_is_said_to_go_to_the_owner_or_to_nobody(
    stakeholder: str, says: str, tmp_path: Path
) -> None:
    loaded = load_text(
        tmp_path,
        OBJECTIVE,
        doc("Service", "owner: payments-team", "payments"),
        doc("Stakeholder", "audience: owner\n  watches: {services: [ledger]}\n  channels: [console]", stakeholder),
        doc("Service", "owner: ledger-team", "ledger"),
    )
    (finding,) = [finding for finding in loaded.findings if finding.rule == "nobody-told"]
    assert finding.message.startswith(f"{says} 'payments-team'")
    assert finding.message.endswith(": let a stakeholder watch its service, its owner or its agreement")
    assert ("on sla.deliveries.v1 as dropped" in finding.message) == (stakeholder != "payments-team")


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
]


@pytest.mark.parametrize(("text", "line"), NOT_YET)
def test_what_a_later_release_computes_is_a_note_that_never_refuses(text: str, line: int, tmp_path: Path) -> None:
    loaded = load_text(tmp_path, text, SURROUNDINGS)
    notes = [finding for finding in loaded.findings if finding.rule == "not-evaluated-yet"]
    assert [(note.level, note.line) for note in notes] == [(Level.NOTE, line)]
    assert loaded.catalogue is not None


def test_a_channel_of_an_example_that_leaves_its_address_open_is_no_mistake(tmp_path: Path) -> None:
    spec = "audience: customer\n  watches: {services: [payments]}\n  channels: [{apprise: 'mailto://…'}]"
    assert load_text(tmp_path, doc("Stakeholder", spec), SURROUNDINGS).catalogue is not None


def test_every_rule_is_broken_by_a_test() -> None:
    here = {case.rule for case in CASES} | {
        "nobody-told",
        "stricter-than-dependencies",
        "not-evaluated-yet",
        "unreadable",
    }
    elsewhere = {rule for rule in RULES if rule.startswith(("yaml-", "openslo-", "ical-", "too-many-steps"))}
    assert here | elsewhere == set(RULES)
