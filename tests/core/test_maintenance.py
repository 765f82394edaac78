"""Announced maintenance that goes beyond what an agreement allows: those concerned are asked to plan for it."""

from __future__ import annotations

from typing import Any

import pytest

from sla.units import HOUR_MS, MINUTE_MS

from .world import T0, World, agreement, objective, stakeholder

MONTHLY: dict[str, Any] = {"period": {"calendar": "month", "timezone": "UTC"}}


def world(**spec: Any) -> World:
    """Four hours of maintenance a month are allowed unless said otherwise; ann watches the agreement."""
    promised = agreement("acme-gold", "paid", **{**MONTHLY, "maintenanceAllowance": "4h", **spec})
    made = World(objective(), promised, stakeholder("ann", agreements=["acme-gold"])).well()
    made.minutes(0, 2, 10, 0)
    return made


def announce(made: World, name: str, from_h: float, to_h: float, **more: Any) -> list[dict[str, Any]]:
    """The notices of an exclusion told at 10:02, hours from 10:00."""
    start, end = (T0 + int(hours * HOUR_MS) for hours in (from_h, to_h))
    said = made.exclusion(T0 + 2 * MINUTE_MS, name, start, end, **more)
    return [dict(each.value) for each in said if each.topic == "sla.notices.v1"]


def test_what_goes_beyond_the_allowance_of_the_period_is_told_with_how_much_counts() -> None:
    made = world()
    assert announce(made, "CHG-1", 24, 27) == []  # three of four hours
    (notice,) = announce(made, "CHG-2", 48, 51)
    event = notice["event"]
    assert (notice["stakeholder"], event["type"]) == ("ann", "forewarn.maintenance.v1")
    assert event["data"]["maintenance"]["counted"] == [{"agreement": "acme-gold", "over_ms": 2 * HOUR_MS}]
    assert event["data"]["dedup_key"] == "pay/paid/maintenance%3ACHG-2"
    assert made.story() == []  # machines hear nothing of it


def test_it_is_told_when_it_is_asked_for_and_not_when_it_is_rejected_or_over() -> None:
    made = world()
    assert len(announce(made, "CHG-1", 24, 30, status="requested")) == 1
    assert announce(made, "CHG-1", 24, 30, status="rejected") == []
    assert announce(made, "CHG-2", -9, -1) == []


@pytest.mark.parametrize(
    ("spec", "more"),
    [({"maintenanceAllowance": None}, {}), ({"period": None}, {}), ({}, {"category": "customer"})],
    ids=["no limit", "no period", "not planned"],
)
def test_what_costs_nothing_is_not_told(spec: dict[str, Any], more: dict[str, Any]) -> None:
    assert announce(world(**spec), "CHG-1", 24, 48, **more) == []


def test_the_same_announcement_has_the_same_id_so_that_it_is_told_once() -> None:
    made = world()
    first, second = (announce(made, "CHG-1", 24, 30, status=status)[0] for status in ("requested", "approved"))
    assert first["event"]["id"] == second["event"]["id"]
