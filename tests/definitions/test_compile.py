from __future__ import annotations

from pathlib import Path

import pytest

from schemas.definitions import load_documents
from schemas.definitions.values import parse_instant
from sla.catalogue import (
    Agreement,
    BurnTier,
    CalendarPeriod,
    Catalogue,
    ForecastRule,
    Mode,
    NoData,
    NotEvaluated,
    Objective,
    Occurrences,
    Op,
    Ratio,
    Rolling,
    Service,
    Severity,
    Threshold,
    Timeslices,
    Treat,
    Unit,
    Uptime,
    nominal_ms,
)
from sla.dispatch.policy import policy_of
from sla.stakeholder import Channel, Escalation, Hours, Outside, RateLimit, Stakeholder, Watches
from sla.tiers import GOOGLE
from sla.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, rfc3339
from sla.working_time import ALWAYS
from tests.definitions.documents import OBJECTIVE, SURROUNDINGS, load_text, objective


def catalogue_of(folder: Path, *documents: str) -> Catalogue:
    loaded = load_text(folder, *documents, SURROUNDINGS)
    assert loaded.catalogue is not None, loaded.findings
    return loaded.catalogue


def compiled(folder: Path, spec: str = "", base: str = OBJECTIVE) -> Objective:
    return catalogue_of(folder, objective(spec, base=base)).objectives["payments-availability"]


def indicated(indicator: str) -> str:
    return OBJECTIVE.replace("{type: ratio, signal: availability}", indicator)


def test_an_objective_has_the_documented_defaults(tmp_path: Path) -> None:
    assert compiled(tmp_path) == Objective(
        name="payments-availability",
        service="payments",
        indicator=Ratio("availability"),
        target_ppm=999_000,
        target_text="99.9%",
        window=Rolling(30 * DAY_MS, "30d rolling"),
        budgeting=Occurrences(),
        no_data=None,
        grace_ms=2 * MINUTE_MS,
        correct_for_ms=3 * DAY_MS,
        tiers=GOOGLE,
        marks_ppm=(500_000, 750_000, 900_000),
        forecast=ForecastRule(DAY_MS, 500_000),
        mode=Mode.LIVE,
        shadow_of=None,
        renamed_from=None,
        version=1,
        evaluated=True,
    )


def test_written_values_replace_the_defaults(tmp_path: Path) -> None:
    got = compiled(
        tmp_path,
        """
        budgeting: {timeslices: 5m}
        noData: {treat: bad}
        grace: 0s
        correctFor: 1d
        mode: shadow
        warnings:
          burnRates: [{name: own, severity: info, budget: 10%, long: 2h, short: 10m}]
          budgetConsumed: [90%, 50%, 50%]
          forecast: {probability: 80%}
        """,
    )
    assert got.budgeting == Timeslices(5 * MINUTE_MS, 950_000)
    assert got.no_data == NoData(5 * MINUTE_MS, Treat.BAD)
    assert (got.grace_ms, got.correct_for_ms, got.mode) == (0, DAY_MS, Mode.SHADOW)
    assert got.tiers == (BurnTier("own", Severity.INFO, 100_000, 2 * HOUR_MS, 10 * MINUTE_MS),)
    assert got.marks_ppm == (500_000, 900_000)
    assert got.forecast == ForecastRule(DAY_MS, 800_000)


def test_none_switches_off(tmp_path: Path) -> None:
    got = compiled(tmp_path, "grace: none\nwarnings: {burnRates: none, budgetConsumed: none, forecast: none}")
    assert (got.grace_ms, got.tiers, got.marks_ppm, got.forecast) == (0, (), (), None)
    silent = compiled(tmp_path, "warnings: none\ncorrectFor: none\ninstances: none\ncalendar: none\nnoData: none")
    assert (silent.tiers, silent.marks_ppm, silent.forecast, silent.correct_for_ms) == ((), (), None, 0)
    assert silent.evaluated


def test_an_empty_field_is_an_absent_one(tmp_path: Path) -> None:
    assert compiled(tmp_path, "grace:\nnoData:\nwarnings:\n  forecast: null") == compiled(tmp_path)


def test_uptime_is_unknown_after_five_silent_minutes_unless_told_otherwise(tmp_path: Path) -> None:
    base = indicated("{type: uptime, signal: up}")
    assert compiled(tmp_path, base=base).indicator == Uptime("up")
    assert compiled(tmp_path, base=base).no_data == NoData(5 * MINUTE_MS, Treat.UNKNOWN)
    assert compiled(tmp_path, "noData: none", base).no_data is None
    assert compiled(tmp_path, "noData: {after: 1m, treat: bad}", base).no_data == NoData(MINUTE_MS, Treat.BAD)


def test_a_threshold_is_compiled(tmp_path: Path) -> None:
    base = indicated("{type: threshold, signal: latency_ms, op: lte, value: 300}")
    assert compiled(tmp_path, base=base).indicator == Threshold("latency_ms", Op.LTE, 300)


def test_a_calendar_window_is_utc_unless_told_otherwise(tmp_path: Path) -> None:
    for written, timezone in (("calendar: month", "UTC"), ("calendar: month, timezone: Asia/Tokyo", "Asia/Tokyo")):
        got = compiled(tmp_path, base=OBJECTIVE.replace("rolling: 30d", written))
        assert got.window == CalendarPeriod(Unit.MONTH, timezone, "month calendar")
        assert got.tiers == GOOGLE  # nominally 30 d


@pytest.mark.parametrize(
    ("indicator", "compiled_to"),
    [
        ("{type: percentile, signal: l, percentile: p95, op: lte, value: 5}", NotEvaluated("percentile", "l")),
        ("{type: composite, rule: all, of: [other]}", NotEvaluated("composite")),
    ],
)
def test_what_is_not_evaluated_yet_takes_no_records(indicator: str, compiled_to: NotEvaluated, tmp_path: Path) -> None:
    catalogue = catalogue_of(tmp_path, indicated(indicator), objective(name="other"))
    got = catalogue.objectives["payments-availability"]
    assert (got.indicator, got.evaluated) == (compiled_to, False)
    assert catalogue.evaluated_of("payments", "l") == ()
    assert [each.name for each in catalogue.evaluated_of("payments", "availability")] == ["other"]


def test_outcomes_of_tickets_are_read_where_the_fold_of_tickets_counts_them(tmp_path: Path) -> None:
    ticket = """\
    apiVersion: forewarn/v1
    kind: TicketObjective
    metadata: {name: p1}
    spec: {service: "*", metric: resolution, target: 4h, when: {}, stop: {state: [closed]}}
    """
    catalogue = catalogue_of(tmp_path, indicated("{type: tickets, of: p1}"), ticket)
    assert [each.name for each in catalogue.evaluated_of("payments", "tickets:p1")] == ["payments-availability"]


def test_an_objective_has_the_hours_of_its_calendar_and_a_period_its_share_of_a_year_of_them(tmp_path: Path) -> None:
    office = """\
    apiVersion: forewarn/v1
    kind: Calendar
    metadata: {name: office}
    spec: {hours: {mon-fri: ["09:00-17:00"]}}
    """
    month = OBJECTIVE.replace("rolling: 30d", "calendar: month")
    catalogue = catalogue_of(
        tmp_path,
        objective("calendar: office"),
        objective("calendar: office", base=month, name="month"),
        objective("calendar: always\ninstances: {}", name="other"),
        office,
    )
    promised = catalogue.objectives
    assert promised["payments-availability"].hours == catalogue.calendars["office"]
    assert promised["payments-availability"].tiers == GOOGLE  # 30d of working time
    assert (promised["other"].calendar, promised["other"].hours) == (None, ALWAYS)
    # 261 days of eight hours in a year, thirty 365ths of it in a month; page_slow is in proportion to 30 days.
    nominal = nominal_ms(promised["month"].window, promised["month"].hours)
    assert nominal == 30 * 261 * 8 * HOUR_MS // 365
    slow = promised["month"].tiers[1]
    assert (slow.name, slow.long_ms, slow.short_ms) == ("page_slow", 96 * MINUTE_MS, 8 * MINUTE_MS)
    assert all(each.evaluated for each in promised.values())


def test_agreements_services_stakeholders_and_settings_are_compiled(tmp_path: Path) -> None:
    agreement = """\
    apiVersion: forewarn/v1
    kind: Agreement
    metadata: {name: gold}
    spec:
      type: sla
      customer: acme
      provider: payments-team
      objectives: [payments-availability]
      period: {calendar: quarter, timezone: Europe/Berlin}
      effectiveFrom: 1970-01-01T00:00:01Z
      effectiveTo: null
      maintenanceAllowance: 4h
    """
    service = """\
    apiVersion: forewarn/v1
    kind: Service
    metadata: {name: shop}
    spec: {owner: us, dependsOn: [{name: payments, critical: true}, {name: db}], runbook: "https://example.com"}
    ---
    apiVersion: forewarn/v1
    kind: Service
    metadata: {name: db}
    """
    stakeholder = """\
    apiVersion: forewarn/v1
    kind: Stakeholder
    metadata: {name: boss}
    spec:
      audience: executive
      watches: {agreements: [gold], severities: [critical], events: [breach, forewarn.recovery.v1]}
      channels: [console, {console: null}, {webhook: "https://example.com/${TOKEN}"}]
    """
    spec = "{decideEvery: 5s, settleTicketsAfter: 2h}"
    settings = f"apiVersion: forewarn/v1\nkind: Settings\nmetadata: {{name: detector}}\nspec: {spec}\n"
    catalogue = catalogue_of(tmp_path, OBJECTIVE, agreement, service, stakeholder, settings)
    quarter = CalendarPeriod(Unit.QUARTER, "Europe/Berlin", "quarter calendar")
    assert catalogue.agreements == {
        "gold": Agreement(
            "gold", "sla", ("payments-availability",), "acme", "payments-team", quarter, SECOND_MS, None, 4 * HOUR_MS
        ),
    }
    assert catalogue.services["shop"] == Service("shop", "us", ("payments", "db"), ("payments",), "https://example.com")
    console = Channel("console")
    assert catalogue.stakeholders["boss"] == Stakeholder(
        "boss",
        "executive",
        Watches(agreements=("gold",), severities=("critical",), events=("breach", "recovery")),
        (console, console, Channel("webhook", "https://example.com/${TOKEN}")),
        horizon_ms=DAY_MS,
        digest_ms=30 * MINUTE_MS,
        group_wait_ms=30 * SECOND_MS,
        repeat_ms=4 * HOUR_MS,
        rate_limit=RateLimit(6, HOUR_MS),
    )
    assert (catalogue.decide_every_ms, catalogue.settle_tickets_after_ms) == (5 * SECOND_MS, 2 * HOUR_MS)


def test_plain_documents_compile_as_their_yaml_did(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, OBJECTIVE, SURROUNDINGS)
    assert load_documents(loaded.documents).catalogue == loaded.catalogue
    assert [document["kind"] for document in loaded.documents] == ["Objective", "Service", "Stakeholder"]


def test_a_stakeholders_pace_is_compiled_as_it_is_written(tmp_path: Path) -> None:
    stakeholder = """
        apiVersion: forewarn/v1
        kind: Stakeholder
        metadata: {name: duty}
        spec:
          audience: oncall
          watches: {services: [payments]}
          channels: [console]
          hours: {calendar: office, outside: drop}
          digest: none
          groupWait: none
          repeat: none
          rateLimit: 3/m
          horizon: none
          escalate: [{timeLeft: 25%, to: on-call}, {timeLeft: 15m, to: on-call}, {unackedAfter: 10m, to: on-call}]
          fallback: on-call
        ---
        apiVersion: forewarn/v1
        kind: Calendar
        metadata: {name: office}
        spec: {hours: {mon-fri: ["09:00-17:00"]}}
        """
    catalogue = load_text(tmp_path, OBJECTIVE, SURROUNDINGS, stakeholder).catalogue
    assert catalogue is not None
    assert catalogue.stakeholders["duty"] == Stakeholder(
        "duty",
        "oncall",
        Watches(services=("payments",)),
        (Channel("console"),),
        hours=Hours("office", Outside.DROP),
        critical_bypasses_hours=True,
        rate_limit=RateLimit(3, MINUTE_MS),
        escalate=(
            Escalation("on-call", left_ppm=250_000),
            Escalation("on-call", left_ms=15 * MINUTE_MS),
            Escalation("on-call", unacked_ms=10 * MINUTE_MS),
        ),
        fallback="on-call",
    )


def test_a_stakeholders_hours_are_those_of_their_calendar_with_its_holidays(tmp_path: Path) -> None:
    calendar = """
        apiVersion: forewarn/v1
        kind: Calendar
        metadata: {name: office}
        spec:
          timezone: Europe/Berlin
          hours: {mon-fri: ["09:00-12:00", "13:00-17:30"], sun: ["22:00-06:00"]}
          holidays: {country: DE, subdivision: BY}
          closed: [2026-12-24]
          open: {2026-12-27: ["10:00-14:00"]}
        """
    told = """
        apiVersion: forewarn/v1
        kind: Stakeholder
        metadata: {name: duty}
        spec: {audience: owner, watches: {services: [payments]}, channels: [console], hours: {calendar: office}}
        """
    loaded = load_text(tmp_path, OBJECTIVE, SURROUNDINGS, told, calendar)
    assert not [finding for finding in loaded.findings if finding.rule == "not-evaluated-yet"]
    assert loaded.catalogue is not None
    policy = policy_of(loaded.catalogue, "duty")
    assert policy is not None
    for instant, until in (
        ("2026-12-23T16:29:59.999Z", None),
        ("2026-12-23T16:30:00.000Z", "2026-12-27T09:00:00.000Z"),
        ("2026-12-27T13:00:00.000Z", "2026-12-27T21:00:00.000Z"),
        ("2026-12-28T04:59:59.999Z", None),  # the shift of Sunday evening
    ):
        ruling = policy.rule(parse_instant(instant), is_critical=True)
        assert (None if ruling.until_at is None else rfc3339(ruling.until_at)) == until


def test_decisions_may_come_ten_times_a_second(tmp_path: Path) -> None:
    settings = "apiVersion: forewarn/v1\nkind: Settings\nmetadata: {name: detector}\nspec: {decideEvery: 100ms}\n"
    assert catalogue_of(tmp_path, OBJECTIVE, settings).decide_every_ms == 100
