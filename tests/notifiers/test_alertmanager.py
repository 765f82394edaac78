"""A real Alertmanager shows the alert, one however it worsens, and its end."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from notifiers.addresses import Guard
from notifiers.alertmanager import UNREPEATED_MS, Alertmanager, alert_of, place_of
from notifiers.pagerduty import event_of
from notifiers.protocol import Delivered
from notifiers.registry import Channels
from notifiers.secrets import Secrets
from notifiers.web import Web
from sla.stakeholder import Channel
from sla.units import HOUR_MS, MINUTE_MS, rfc3339
from tests.harness import unique
from tests.harness.alertmanager import RealAlertmanager
from tests.notifiers.channels import EVENT, LOOPBACK, WITHIN_S, message

NOW = 1_795_392_000_000


@pytest.fixture
async def channels() -> AsyncIterator[Channels]:
    web = Web(Guard(LOOPBACK), within_s=WITHIN_S)
    found = Channels({"alertmanager": Alertmanager(web)}, Secrets(os.environ, Path("/nowhere")), (web,))
    yield found
    await found.close()


class Incident:
    """One dedup key on a running Alertmanager."""

    def __init__(self, running: RealAlertmanager, channels: Channels) -> None:
        self.running = running
        self.channels = channels
        self.key = f"payments/{unique('availability')}"

    async def tell(self, action: str, **fields: Any) -> None:
        target = Channel("alertmanager", self.running.url)
        told = message(channel=target, dedup_key=self.key, action=action, repeat_ms=4 * HOUR_MS, **fields)
        assert await self.channels.hand_over(told) == Delivered()

    def shown(self) -> list[dict[str, Any]]:
        return [alert for alert in self.running.alerts() if alert["labels"]["dedup_key"] == self.key]


async def test_an_alert_is_shown_stays_one_when_it_worsens_and_ends_with_its_recovery(
    alertmanager: RealAlertmanager, channels: Channels
) -> None:
    incident = Incident(alertmanager, channels)
    await incident.tell("trigger", severity="warning")
    (first,) = incident.shown()
    assert first["labels"]["service"] == "payments"
    assert first["annotations"]["summary"] == "Breach: x"
    assert first["annotations"]["severity"] == "warning"
    assert first["startsAt"] == EVENT["data"]["opened_at"]  # type: ignore[index]
    await incident.tell("trigger", severity="critical")
    (worse,) = incident.shown()
    assert worse["fingerprint"] == first["fingerprint"]
    assert worse["annotations"]["severity"] == "critical"
    await incident.tell("acknowledge", severity="critical")
    assert len(incident.shown()) == 1
    await incident.tell("resolve")
    assert incident.shown() == []


async def test_a_restarted_alertmanager_shows_the_alert_again_with_its_next_repeat(
    alertmanager: RealAlertmanager, channels: Channels
) -> None:
    incident = Incident(alertmanager, channels)
    await incident.tell("trigger")
    alertmanager.restart()
    assert incident.shown() == []
    await incident.tell("trigger")
    assert len(incident.shown()) == 1
    await incident.tell("resolve")
    assert incident.shown() == []


@pytest.mark.parametrize(
    ("action", "repeat_ms", "stands_ms"),
    [
        ("trigger", 30 * MINUTE_MS, HOUR_MS),
        ("acknowledge", 30 * MINUTE_MS, HOUR_MS),
        ("trigger", None, UNREPEATED_MS),
        ("resolve", 30 * MINUTE_MS, 0),
    ],
)
def test_each_repeat_moves_the_end_to_twice_its_time_ahead(action: str, repeat_ms: int | None, stands_ms: int) -> None:
    alert = alert_of(message(action=action, repeat_ms=repeat_ms), NOW)
    assert alert["endsAt"] == rfc3339(NOW + stands_ms)


def test_what_changes_while_a_trouble_lasts_is_no_label() -> None:
    mild, bad = (alert_of(message(severity=severity, event_id=severity), NOW) for severity in ("warning", "critical"))
    assert mild["labels"] == bad["labels"]


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://am:9093", "http://am:9093/api/v2/alerts"),
        ("http://am:9093/", "http://am:9093/api/v2/alerts"),
        ("https://host/am", "https://host/am/api/v2/alerts"),
        ("https://host/am/api/v2/alerts", "https://host/am/api/v2/alerts"),
    ],
)
def test_the_alerts_are_below_the_address_of_alertmanager(url: str, place: str) -> None:
    assert place_of(url) == place


@pytest.mark.parametrize(
    ("audience", "is_shown"), [("oncall", True), ("owner", True), ("customer", False), ("supplier", False)]
)
def test_nobody_outside_of_the_house_sees_its_runbook_or_its_rule_on_any_tool(audience: str, *, is_shown: bool) -> None:
    told = message(audience=audience, action="trigger")
    for seen in (alert_of(told, NOW), event_of(told, "key")):
        assert ("example.com/runbook" in str(seen)) is is_shown
        assert ("burn_rate" in str(event_of(told, "key"))) is is_shown
        assert "payments" in str(seen)
