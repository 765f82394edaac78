from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from schemas.definitions import Level
from sla.catalogue import CalendarPeriod, Occurrences, Op, Ratio, Rolling, Threshold, Timeslices, Unit
from sla.units import DAY_MS, MINUTE_MS
from tests.definitions.documents import load_text, told

RATIO = "ratioMetric: {good: {metricSource: {spec: {query: a}}}, total: {metricSource: {spec: {query: b}}}}"
THRESHOLD = "thresholdMetric: {metricSource: {type: Any, metricSourceRef: my-source}}"
SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: web, displayName: The web, labels: {team: [a, b]}, annotations: {owner/x: y}}
spec:
  description: Pages are served
  service: shop
  indicatorRef: pages
  timeWindow:
    - duration: 4w
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - target: 0.999
"""
SERVICE = "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: shop}\nspec: {description: The shop}\n"
TOLD = """\
apiVersion: forewarn/v1
kind: Stakeholder
metadata: {name: on-call}
spec: {audience: oncall, watches: {services: [shop]}, channels: [console]}
"""


def sli(metric: str = RATIO, name: str = "pages") -> str:
    return f"apiVersion: openslo/v1\nkind: SLI\nmetadata: {{name: {name}}}\nspec:\n  {metric}\n"


def test_an_slo_is_an_objective_on_the_signal_of_its_sli(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, SLO, sli(), SERVICE, TOLD)
    assert loaded.findings == ()
    assert loaded.catalogue is not None
    got = loaded.catalogue.objectives["web"]
    assert (got.service, got.indicator, got.budgeting) == ("shop", Ratio("pages"), Occurrences())
    assert (got.target_ppm, got.target_text) == (999_000, "99.9%")
    assert got.window == Rolling(28 * DAY_MS, "28d rolling")
    assert set(loaded.catalogue.services) == {"shop"}
    assert [document["kind"] for document in loaded.documents] == ["SLO", "SLI", "Service", "Stakeholder"]


def test_an_inline_indicator_has_its_own_name_or_that_of_the_slo(tmp_path: Path) -> None:
    for metadata, signal in (("metadata: {name: pages}, ", "pages"), ("", "web")):
        text = SLO.replace("indicatorRef: pages", f"indicator: {{{metadata}spec: {{{RATIO}}}}}")
        catalogue = load_text(tmp_path, text, SERVICE, TOLD).catalogue
        assert catalogue is not None
        assert catalogue.objectives["web"].indicator == Ratio(signal)


def test_a_threshold_takes_op_and_value_of_the_objective(tmp_path: Path) -> None:
    text = SLO.replace("- target: 0.999", "- {targetPercent: 99.95, op: lte, value: 0.3}")
    catalogue = load_text(tmp_path, text, sli(THRESHOLD), SERVICE, TOLD).catalogue
    assert catalogue is not None
    got = catalogue.objectives["web"]
    assert (got.indicator, got.target_ppm) == (Threshold("pages", Op.LTE, 0.3), 999_500)


@pytest.mark.parametrize(("slice_text", "slice_ms"), [("5", 5 * MINUTE_MS), ("1m", MINUTE_MS), ("2h", 120 * MINUTE_MS)])
def test_timeslices_are_kept(slice_text: str, slice_ms: int, tmp_path: Path) -> None:
    text = SLO.replace("Occurrences", "Timeslices")
    text = text.replace("- target: 0.999", f"- {{target: 0.99, timeSliceTarget: 0.95, timeSliceWindow: {slice_text}}}")
    catalogue = load_text(tmp_path, text, sli(), SERVICE, TOLD).catalogue
    assert catalogue is not None
    assert catalogue.objectives["web"].budgeting == Timeslices(slice_ms, 950_000)


@pytest.mark.parametrize(
    ("duration", "unit"),
    [("1d", Unit.DAY), ("1w", Unit.WEEK), ("1M", Unit.MONTH), ("1Q", Unit.QUARTER), ("1Y", Unit.YEAR)],
)
def test_calendar_windows_are_kept(duration: str, unit: Unit, tmp_path: Path) -> None:
    calendar = f"{duration}\n      calendar: {{startTime: 2024-01-01 00:00:00, timeZone: America/New_York}}"
    text = SLO.replace("4w\n      isRolling: true", calendar)
    loaded = load_text(tmp_path, text, sli(), SERVICE, TOLD)
    assert loaded.catalogue is not None
    assert loaded.catalogue.objectives["web"].window == CalendarPeriod(unit, "America/New_York", f"{unit} calendar")


def test_several_objectives_are_named_after_their_display_names_or_places(tmp_path: Path) -> None:
    for entries, names in (
        (
            "- {displayName: Foo Total Errors, target: 0.98}\n    - {displayName: 'Bar!', target: 0.99}",
            ["web-bar", "web-foo-total-errors"],
        ),
        ("- {target: 0.98}\n    - {displayName: Bar, target: 0.99}", ["web-1", "web-2"]),
    ):
        catalogue = load_text(tmp_path, SLO.replace("- target: 0.999", entries), sli(), SERVICE, TOLD).catalogue
        assert catalogue is not None
        assert sorted(catalogue.objectives) == names


def test_what_openslo_says_of_alerting_and_sources_is_left_aside(tmp_path: Path) -> None:
    source = "apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: s}\nspec: {type: Any}\n"
    policy = "apiVersion: openslo/v1\nkind: AlertPolicy\nmetadata: {name: p}\nspec: {}\n"
    text = SLO + "  alertPolicies: [{alertPolicyRef: p}]\n"
    loaded = load_text(tmp_path, text, source, policy, sli(), SERVICE, TOLD)
    assert [(finding.level, finding.rule, finding.line) for finding in loaded.findings] == [
        (Level.WARNING, "openslo-ignored", 14),
        (Level.NOTE, "openslo-ignored", 17),
        (Level.WARNING, "openslo-ignored", 22),
    ]
    assert len(loaded.documents) == 4


def test_a_period_that_starts_off_the_calendar_is_told(tmp_path: Path) -> None:
    calendar = "1M\n      calendar: {startTime: 2020-01-21 12:30:00, timeZone: America/New_York}"
    loaded = load_text(tmp_path, SLO.replace("4w\n      isRolling: true", calendar), sli(), SERVICE, TOLD)
    assert told(loaded) == [("openslo-ignored", 10)]


def test_annotations_allow_a_rule(tmp_path: Path) -> None:
    allowing = SLO.replace("{owner/x: y}", "{forewarn.lint/allow: nobody-told, forewarn.lint/reason: on trial}")
    assert load_text(tmp_path, allowing, sli(), SERVICE).findings == ()
    assert told(load_text(tmp_path, SLO, sli(), SERVICE)) == [("nobody-told", 3)]


@pytest.mark.parametrize(
    ("old", "new", "rule", "line"),
    [
        ("indicatorRef: pages", "indicatorRef: page", "undefined-name", 7),
        ("  indicatorRef: pages\n", "", "missing-field", 4),
        ("4w", "4 weeks", "wrong-value", 9),
        ("4w", "30s", "wrong-value", 9),
        ("4w", "3Y", "wrong-value", 9),
        ("      isRolling: true\n", "      isRolling: false\n", "missing-field", 9),
        ("isRolling: true", "isRoling: true", "unknown-field", 10),
        ("Occurrences", "RatioTimeslices", "openslo-unsupported", 11),
        ("Occurrences", "Timeslices", "missing-field", 13),
        ("- target: 0.999", "- targetPercent: 99.99999", "wrong-value", 13),
        ("- target: 0.999", "- target: 99.9", "wrong-value", 13),
        ("- target: 0.999", "- {target: 0.9, targetPercent: 90}", "missing-field", 13),
        ("- target: 0.999", "- target: 1.0", "target-without-budget", 13),
        ("- target: 0.999", "- {target: 0.9, indicatorRef: x}", "openslo-unsupported", 13),
        ("  timeWindow:\n    - duration: 4w\n      isRolling: true\n", "", "missing-field", 4),
        ("budgetingMethod: Occurrences", "budgetingMethod: 5", "wrong-type", 11),
        ("isRolling: true", "calendar: {startTime: 2024-01-01, timeZone: Mars/Base}", "wrong-value", 10),
        ("isRolling: true", "calendar: {startTime: 2024-01-01, timeZone: UTC}", "openslo-unsupported", 9),
    ],
)
def test_what_cannot_be_read_is_told_at_its_line(old: str, new: str, rule: str, line: int, tmp_path: Path) -> None:
    loaded = load_text(tmp_path, SLO.replace(old, new), sli(), SERVICE, TOLD)
    errors = [(finding.rule, finding.line) for finding in loaded.findings if finding.level is Level.ERROR]
    assert errors == [(rule, line)], indent("\n".join(map(str, loaded.findings)), "  ")


@pytest.mark.parametrize(
    ("metric", "rule"),
    [
        ("ratioMetric: {rawType: success, raw: {metricSource: {}}}", "openslo-unsupported"),
        ("ratioMetric: {good: {metricSource: {}}}", "missing-field"),
        ("ratioMetric: {total: {metricSource: {}}}", "missing-field"),
        ("description: nothing", "missing-field"),
        (f"{THRESHOLD}\n  {RATIO}", "missing-field"),
        ("ratioMetrics: {}", "unknown-field"),
    ],
)
def test_an_sli_that_gives_no_counts_or_samples_is_refused(metric: str, rule: str, tmp_path: Path) -> None:
    loaded = load_text(tmp_path, sli(metric))
    assert rule in {finding.rule for finding in loaded.findings if finding.level is Level.ERROR}


def test_good_and_bad_are_as_good_as_good_and_total(tmp_path: Path) -> None:
    both = "ratioMetric: {good: {metricSource: {}}, bad: {metricSource: {}}}"
    assert load_text(tmp_path, SLO, sli(both), SERVICE, TOLD).catalogue is not None
