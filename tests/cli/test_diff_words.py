"""What `forewarn diff` says of each kind of change, and whom it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.comparison import SERVICE, SLICES, WATCHER, Folder
from tests.cli.conftest import Run
from tests.core.world import Document, agreement, document, objective, stakeholder

GOLD = agreement("gold", "paid", provider="pay-team")
UPTIME = objective(indicator={"type": "uptime", "signal": "up"})
PACE = "above 2 times the pace, over 15m and 5m"
OFFICE = document("Calendar", "office", hours={"mon-fri": ["09:00-17:00"]})
SHADOW = "sla.alerts.shadow.v1"
TIER = {"name": "fast", "severity": "critical", "budget": "50%", "long": "15m", "short": "5m"}


@pytest.fixture
def folder(run: Run, tmp_path: Path) -> Folder:
    return Folder(run, tmp_path)


# -- what changes, in words


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            objective(target="99.9%"),
            objective(target="99.95%"),
            "0.05% of the events may be bad, half as much as before (0.1%)",
        ),
        (
            objective(),
            objective(calendar="office"),
            "what counts is the time of office instead of all time, from then on",
        ),
        (
            objective(target="99.9%"),
            objective(target="99.95%"),
            "the whole window is judged by that at the next decision: a breach may follow at once",
        ),
        (
            objective(target="99.9%"),
            objective(target="99.5%"),
            "0.5% of the events may be bad, 5 times as much as before (0.1%)",
        ),
        (
            objective(target="99.9%"),
            objective(target="99.5%"),
            "the whole window is judged by that at the next decision: a recovery may follow at once",
        ),
        (
            {**UPTIME, "spec": {**UPTIME["spec"], "window": {"rolling": "30d"}}},
            {**UPTIME, "spec": {**UPTIME["spec"], "window": {"rolling": "30d"}, "target": "99.9%"}},
            "0.1% of the time may be down (43 min in 30d), 0.01 times as much as before (10%)",
        ),
        (
            objective(),
            objective(window={"rolling": "7d"}),
            "the budget is that of 7d rolling instead of 1h rolling",
        ),
        (
            objective(window={"calendar": "month", "timezone": "UTC"}),
            objective(window={"calendar": "month", "timezone": "Europe/Berlin"}),
            "the budget is that of month calendar instead of month calendar (Europe/Berlin instead of UTC)",
        ),
        (
            objective(),
            objective(warnings={"burnRates": [TIER]}),
            "fast warns too: critical above 2 times the pace, over 15m and 5m",
        ),
        (
            objective(warnings={"burnRates": [TIER]}),
            objective(warnings={"burnRates": [{**TIER, "severity": "warning"}]}),
            f"fast warns otherwise: warning {PACE}, critical {PACE} so far",
        ),
        (
            objective(warnings={"burnRates": [TIER]}),
            objective(warnings={"burnRates": "none"}),
            "fast no longer warns (critical above 2 times the pace, over 15m and 5m)",
        ),
        (
            objective(warnings={"budgetConsumed": ["50%"]}),
            objective(warnings={"budgetConsumed": ["50%", "90%"]}),
            "budget marks at 50%, 90% instead of 50%",
        ),
        (
            objective(warnings={"forecast": {"within": "1d", "probability": "50%"}}),
            objective(warnings={"forecast": "none"}),
            "no forecast warns instead of a forecast warns of a breach within 1d from 50% on",
        ),
        (objective(), objective(grace="5m"), "a record may be 5m late and is on time, 2m so far"),
        (objective(), objective(correctFor="1d"), "late records count for 1d, 3d so far"),
        (
            objective(),
            objective(noData={"after": "5m"}),
            "silence of 5m is unknown instead of: silence is never told",
        ),
        (
            UPTIME,
            {**UPTIME, "spec": {**UPTIME["spec"], "noData": {"after": "5m", "treat": "bad"}}},
            "silence of 5m is bad instead of: silence of 5m is unknown",
        ),
        (
            UPTIME,
            {**UPTIME, "spec": {**UPTIME["spec"], "noData": {"after": "5m", "treat": "bad"}}},
            "records are counted in another way",
        ),
        (
            objective(),
            objective(mode="shadow"),
            f"it goes into shadow: its events go to {SHADOW}, and nobody is told",
        ),
        (objective(budgeting=SLICES), objective(), "events count instead of slices, those of the past too"),
        (
            objective(budgeting=SLICES),
            objective(budgeting={**SLICES, "sliceTarget": "95%"}),
            "a slice is good from 95% good events on; those that were judged keep their verdict",
        ),
        (
            objective(),
            objective(indicator={"type": "ratio", "signal": "again"}),
            "it moves from pay/ok to pay/again",
        ),
        (objective(), objective(service="shop"), "it moves from pay/ok to shop/ok; its dedup key becomes another"),
        (
            objective(),
            objective(indicator={"type": "percentile", "signal": "ok", "percentile": 99, "op": "lte", "value": 1}),
            "it is checked, but this release does not evaluate it",
        ),
        (
            objective(),
            {**objective(), "metadata": {"name": "paid", "lint": {"allow": ["nobody-told"], "reason": "known"}}},
            "it means the same; its version counts up all the same",
        ),
    ],
)
def test_a_changed_objective_is_told_by_its_consequence(
    folder: Folder, before: Document, after: Document, said: str
) -> None:
    shop = document("Service", "shop", owner="pay-team")
    first, *_ = folder.told([SERVICE, shop, OFFICE, before], [SERVICE, shop, OFFICE, after])
    assert (first["change"], first["kind"], first["name"]) == ("changed", "Objective", "paid")
    assert said in first["means"]


def test_other_hours_of_a_calendar_are_told_of_each_promise_that_counts_in_them(folder: Folder) -> None:
    longer = document("Calendar", "office", hours={"mon-fri": ["08:00-18:00"]})
    promise = objective(calendar="office")
    told = folder.told([SERVICE, OFFICE, promise], [SERVICE, longer, promise])[:2]
    assert [(each["kind"], each["change"]) for each in told] == [("Calendar", "changed"), ("Objective", "changed")]
    assert told[1]["means"][0] == "the hours of office change, from then on"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (GOLD, agreement("gold", "paid", provider="other"), ["its provider is other instead of pay-team"]),
        (
            GOLD,
            agreement("gold", "other", provider="pay-team"),
            ["it promises other too", "it no longer promises paid"],
        ),
        (
            GOLD,
            {**GOLD, "spec": {**GOLD["spec"], "customer": "shop", "period": {"calendar": "month"}}},
            ["its customer is shop instead of acme", "it is settled each month (UTC) instead of never"],
        ),
        (
            GOLD,
            {**GOLD, "spec": {**GOLD["spec"], "effectiveTo": "2027-01-01T00:00:00Z", "maintenanceAllowance": "4h"}},
            [
                "it holds until 2027-01-01T00:00:00.000Z instead of always",
                "4 h of maintenance per period does not count, none so far",
            ],
        ),
        (GOLD, None, ["paid is no longer promised to acme"]),
        (None, GOLD, ["paid is promised to acme"]),
        (
            SERVICE,
            document("Service", "pay", owner="new-team", dependsOn=[{"name": "db"}]),
            ["its owner is new-team instead of pay-team", "it stands on db instead of nothing"],
        ),
        (
            WATCHER,
            {**WATCHER, "spec": {**WATCHER["spec"], "channels": [{"webhook": "https://example.org/a"}]}},
            ["is reached by webhook instead of console"],
        ),
        (
            document("Settings", "all"),
            document("Settings", "all", decideEvery="5s"),
            ["decisions every 5 s, 1 s so far, for every objective"],
        ),
        (
            document("Settings", "all"),
            document("Settings", "all", settleTicketsAfter="90d"),
            ["tickets are settled for good 90 d after their last event, 30 d so far"],
        ),
    ],
)
def test_what_stands_around_objectives_is_told_too(
    folder: Folder, before: Document | None, after: Document | None, said: list[str]
) -> None:
    changed = [each for each in (before, after) if each is not None]
    around = [document("Service", "db"), objective(), objective("other")]
    keys = {(each["kind"], each["metadata"]["name"]) for each in changed}
    around += [each for each in (SERVICE, WATCHER) if (each["kind"], each["metadata"]["name"]) not in keys]
    first, *_ = folder.told([*around, *([before] if before else [])], [*around, *([after] if after else [])])
    assert first["means"] == said


# -- for whom


def test_owner_parties_and_listeners_of_the_promise_are_named(folder: Folder) -> None:
    same = [SERVICE, WATCHER, GOLD]
    told, total = folder.told([*same, objective()], [*same, objective(target="95%")])
    assert [(each["who"], each["as"]) for each in told["concerns"]] == [
        ("pay-team", "owner of pay"),
        ("acme", "customer of gold"),
        ("pay-team", "provider of gold"),
        ("on-call", "is told"),
    ]
    assert total["change"] == "sum"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ([], [WATCHER], "on-call will be told of other, paid: critical warnings, breaches, recoveries"),
        ([WATCHER], [], "on-call will be told of other, paid nothing more"),
        (
            [WATCHER],
            [stakeholder("on-call", events=["breach"])],
            "on-call will be told of other, paid no longer: critical warnings",
        ),
        (
            [WATCHER],
            [stakeholder("on-call", events=["breach", "unknown"])],
            "on-call will be told of other, paid: silence; no longer: critical warnings",
        ),
        (
            [stakeholder("pay-team")],
            [stakeholder("pay-team"), stakeholder("on-call", events=["breach"])],
            "pay-team will be told of other, paid no longer: breaches",
        ),
    ],
)
def test_who_hears_more_or_less_is_told_once_for_all_objectives_alike(
    folder: Folder, before: list[Document], after: list[Document], said: str
) -> None:
    same = [SERVICE, objective(), objective("other")]
    assert said in folder.diff([*same, *before], [*same, *after]).stdout.splitlines()
