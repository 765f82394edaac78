"""Whom an event concerns, by what they watch; that it concerns nobody is on record too, with the reason."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from schemas.outbound import schema_of
from sla.units import MINUTE_MS
from tests.clock import world as tickets

from .orders import order
from .world import T0, Document, World, agreement, document, objective, stakeholder

DELIVERIES = Draft202012Validator(schema_of("deliveries"))
OWNED = document("Service", "pay", owner="pay-team")
OTHER = document("Service", "other", owner="other-team")
NO_OWNER = "nobody watches it, and pay has no owner"
NO_SUCH_OWNER = "nobody watches it, and no stakeholder bears the name of its owner pay-team"


def in_breach(*documents: Document) -> World:
    made = World(objective(), *documents).well()
    made.minutes(0, 9, 0, 10)
    return made


def dropped(said: Any) -> list[tuple[str, str]]:
    """The event and the reason of each record that somebody is not told."""
    found = [each for each in said if each.topic == "sla.deliveries.v1"]
    for each in found:
        assert list(DELIVERIES.iter_errors(orjson.loads(orjson.dumps(each.value)))) == []
        assert (each.key, each.value["stakeholder"]) == (each.value["dedup_key"], None)
        assert each.value["outcome"] == "dropped"
    return [(each.value["event_id"], each.value["detail"]) for each in found]


PROMISED = (
    OWNED,
    OTHER,
    agreement("acme-gold", "paid"),
    document("Agreement", "zoo-gold", type="sla", customer="zoo", objectives=["spare"]),
)
SPARE = objective("spare", service="other", indicator={"type": "ratio", "signal": "spare"})


@pytest.mark.parametrize(
    ("watches", "hears"),
    [
        ({"agreements": ["acme-gold"]}, True),
        ({"agreements": ["zoo-gold"]}, False),
        ({"agreements": ["zoo-gold", "acme-gold"]}, True),
        ({"customers": ["acme"]}, True),
        ({"customers": ["zoo"]}, False),
        ({"services": ["pay"]}, True),
        ({"services": ["other"]}, False),
        ({"owners": ["pay-team"]}, True),
        ({"owners": ["other-team"]}, False),
        ({"severities": ["critical"]}, True),
        ({"severities": ["warning", "info"]}, False),
        ({"events": ["breach"]}, True),
        ({"events": ["early_warning"]}, False),
        ({"services": ["pay"], "severities": ["critical"], "customers": ["acme"]}, True),
        ({"services": ["pay"], "severities": ["warning"], "customers": ["acme"]}, False),
        ({}, False),
    ],
    ids=str,
)
def test_an_event_goes_to_those_who_watch_all_that_they_name_of_it(watches: dict[str, Any], *, hears: bool) -> None:
    made = in_breach(*PROMISED, SPARE, stakeholder("ann", **watches), stakeholder("pay-team", owners=["other-team"]))
    told = [each.key for each in made.said if each.topic == "sla.notices.v1"]
    assert told == (["ann"] if hears else ["pay-team"])  # what nobody hears of goes to the owner


def test_flags_are_for_machines_and_for_who_watches_them_by_name() -> None:
    made = in_breach(OWNED, stakeholder("ann", services=["pay"]), stakeholder("tool", events=["flags_changed"]))
    ack = order("ack", 1, dedup_key="pay/paid")
    said = made.tell(T0 + 10 * MINUTE_MS, ack)
    assert [each.key for each in said if each.topic == "sla.notices.v1" and each.key is not None] == ["tool"]


@pytest.mark.parametrize(
    ("documents", "why"),
    [
        ((), NO_OWNER),
        ((OWNED,), NO_SUCH_OWNER),
        ((OWNED, OTHER, stakeholder("ann", services=["other"])), NO_SUCH_OWNER),
        ((OWNED, stakeholder("ann", services=["pay"], severities=["info"])), NO_SUCH_OWNER),
    ],
    ids=["no owner", "an owner who is nobody", "who watches another service", "who watches another severity"],
)
def test_an_event_that_nobody_is_told_of_is_on_record_with_the_reason(documents: Any, why: str) -> None:
    made = in_breach(*documents)
    (breach,) = made.events("breach")
    assert dropped(made.said) == [(breach["id"], why)]


@pytest.mark.parametrize("who", [stakeholder("ann", services=["pay"]), stakeholder("pay-team", services=["other"])])
def test_what_somebody_is_told_of_is_on_record_where_they_are_told(who: Document) -> None:
    made = in_breach(OWNED, OTHER, who)
    assert dropped(made.said) == []
    assert [each.key for each in made.said if each.topic == "sla.notices.v1"] == [who["metadata"]["name"]]


def test_what_is_for_machines_or_in_shadow_was_for_nobody_and_is_not_on_record() -> None:
    made = World(objective(mode="shadow")).well()
    made.minutes(0, 9, 0, 10)
    assert dropped(made.said) == []


def test_an_event_of_a_ticket_that_is_history_is_on_record_as_such() -> None:
    made = tickets.World(tickets.promise(), stakeholder("ann", services=["pay"]))
    made.created("08:00")
    made.said.clear()
    made.tick("20:00")
    (breach,) = [each.value for each in made.said if each.value.get("type") == "forewarn.breach.v1"]
    assert breach["data"]["flags"]["historic"]
    assert (breach["id"], "it is history by now, and nobody is told") in dropped(made.said)
