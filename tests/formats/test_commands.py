"""People's commands: read, refused, and sent to the partitions concerned."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from agents.route import routed
from schemas.commands import command
from schemas.inbound import decode_telemetry, decode_tickets
from schemas.outbound import schema_of
from sla.feeds import PLACES
from sla.fold import Emission, Line
from sla.orders import Ack
from sla.records import Rejection
from sla.units import HOUR_MS, rfc3339

T = 1_795_428_000_000
LATER = rfc3339(T + HOUR_MS)
COMMANDS = Draft202012Validator(schema_of("commands"))


def route(value: Any, offset: int = 7) -> list[Emission]:
    raw = value if isinstance(value, bytes) else orjson.dumps(value)
    return routed(Line(offset, None, raw, T, T), 3)


def given_by(kind: str, **fields: Any) -> dict[str, Any]:
    return command(kind, "c1", "bob", T, **fields)


def places(emissions: list[Emission]) -> list[tuple[str, str | None, bool]]:
    return [(each.topic.split(".")[1], each.key, each.everywhere) for each in emissions]


WINDOW = {"from": rfc3339(T), "to": LATER, "reason": "work"}
EVERYWHERE = [("notices", None, True), ("telemetry", None, True), ("tickets", None, True)]
DIGESTED = f"pay/p1/{32 * 'a'}"  # of a ticket or of an instance
CASES = [
    (given_by("ack", dedup_key="pay%20in/paid", until=LATER), [("telemetry", "pay in", False)]),
    (given_by("unack", dedup_key="pay/paid"), [("telemetry", "pay", False)]),
    (given_by("ack", dedup_key="pay/p1/ticket:INC%2F7", until=LATER), [("tickets", "INC/7", False)]),
    (given_by("unack", dedup_key="pay/p1/ticket:%C3%BC", ticket="other"), [("tickets", "ü", False)]),
    (given_by("ack", dedup_key=DIGESTED, ticket="INC-7"), [("tickets", "INC-7", False)]),
    (given_by("ack", dedup_key=DIGESTED), [("telemetry", "pay", False)]),
    (given_by("ack", dedup_key="pay/paid", ticket="INC-7"), [("telemetry", "pay", False)]),
    (
        given_by("silence", matchers={"service": ["pay"]}, until=LATER),
        EVERYWHERE,
    ),
    (given_by("unsilence", silence="c0"), EVERYWHERE),
    (given_by("reply", stakeholder="ann", dedup_key="pay/paid", answer="accept"), [("notices", "ann", False)]),
    (given_by("exclusion", service="pay", **WINDOW), [("telemetry", "pay", False)]),
    (given_by("approve", service="pay", exclusion="CHG-7"), [("telemetry", "pay", False)]),
    (given_by("reject", service="pay", exclusion="CHG-7"), [("telemetry", "pay", False)]),
    (given_by("action", service="pay", text="order disks"), [("telemetry", "pay", False)]),
    (given_by("sign_off", dedup_key="pay/paid"), [("telemetry", "pay", False)]),
    (given_by("dispute", service="pay"), [("telemetry", "pay", False)]),
]


@pytest.mark.parametrize(("told", "where"), CASES, ids=[told["type"] for told, _ in CASES])
def test_a_command_goes_to_the_partitions_that_it_concerns(told: dict[str, Any], where: list[Any]) -> None:
    assert list(COMMANDS.iter_errors(told)) == []
    assert places(route(told)) == where


def test_what_is_sent_on_is_a_feed_so_that_a_second_routing_changes_nothing() -> None:
    told = given_by("silence", matchers={"service": ["pay"]}, until=LATER)
    fed = [each.value for each in route(told, offset=5)]
    assert [(each["source"], each["sequence"]) for each in fed] == [("forewarn:sla.commands.v1/3", 5 * PLACES)] * 3


def test_an_exclusion_that_is_asked_for_names_who_asks_and_may_have_an_id_of_its_own() -> None:
    told = given_by("exclusion", service="pay", exclusion="CHG-7", status="requested", **WINDOW)
    (fed,) = route(told)
    assert (fed.value["id"], fed.value["status"], fed.value["requested_by"]) == ("CHG-7", "requested", "bob")
    assert fed.value["command"] == told["id"]  # by which the fold knows a repeat


def test_a_silence_without_a_future_is_refused() -> None:
    (record,) = route(given_by("silence", matchers={"service": ["pay"]}, until=rfc3339(T)))
    assert (record.value["type"], record.value["detail"]) == ("command_refused", "it expired before it was heard")


def test_a_field_that_is_a_key_elsewhere_does_not_lead_a_silence_astray() -> None:
    told = given_by(
        "silence", matchers={"service": ["pay"]}, until=LATER, service="pay", stakeholder="ann", ticket="T1"
    )
    assert all({"service", "stakeholder", "ticket"}.isdisjoint(each.value) for each in route(told)[:3])


@pytest.mark.parametrize(
    ("told", "reason", "command_id"),
    [
        (b"{", "not_json", None),
        ([], "wrong_type", None),
        ({"type": "ack", "by": "bob", "dedup_key": "a/b"}, "missing_field", None),
        ({"type": "ack", "id": "c1", "dedup_key": "a/b"}, "missing_field", "c1"),
        ({"type": "sing", "id": "c1", "by": "bob"}, "unknown_type", "c1"),
        ({"type": "reply", "id": "c1", "by": "bob", "stakeholder": "ann", "dedup_key": "a/b", "answer": "no"},
         "unknown_value", "c1"),
        ({"type": "ack", "id": "c1", "by": "bob", "dedup_key": "a/b", "until": "soon"}, "bad_instant", "c1"),
        ({"type": "action", "id": "c1", "by": "bob"}, "missing_field", "c1"),
        ({"type": "exclusion", "id": "c1", "by": "bob", "service": "pay", "from": LATER, "to": rfc3339(T)},
         "inverted_interval", "c1"),
        ({"type": "silence", "id": "c1", "by": "bob", "matchers": {}, "until": LATER}, "out_of_range", "c1"),
        (b'{"type":"dispute","id":"c1","by":"bob","service":"a","amount":1e999}', "out_of_range", "c1"),
        (b'{"type":"action","id":"c1","by":"bob","service":"a","x":[{"y":9223372036854775808}]}', "out_of_range", "c1"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_a_dead_letter_and_refused_on_record(
    told: Any, reason: str, command_id: str | None
) -> None:
    letter, record = route(told)
    assert (letter.topic, letter.value["reason"], letter.value["offset"]) == ("sla.dlq.v1", reason, 7)
    assert (record.value["type"], record.value["id"]) == ("command_refused", command_id)
    assert record.value["detail"].startswith(f"{reason}: ")


def test_an_ack_of_a_ticket_says_which_to_the_clocks_of_it() -> None:
    (fed,) = route(given_by("ack", dedup_key="pay/p1/ticket:INC%2F7"))
    assert fed.key is not None
    decoded = decode_tickets(Line(0, fed.key.encode(), orjson.dumps(fed.value), T, T), T)
    assert isinstance(decoded, Ack)
    assert (decoded.ticket, decoded.dedup_key) == ("INC/7", "pay/p1/ticket:INC%2F7")
    astray = decode_tickets(Line(0, b"INC-8", orjson.dumps(fed.value), T, T), T)
    assert isinstance(astray, Rejection)
    assert astray.reason == "key_mismatch"


def test_what_is_said_of_a_service_is_refused_where_it_could_not_be_put_on_record() -> None:
    raw = b'{"type":"action","id":"c1","by":"bob","service":"a","x":9223372036854775808,"source":"f","sequence":1}'
    found = decode_telemetry(Line(0, b"a", raw, T, T), T)
    assert isinstance(found, Rejection)
    assert found.reason == "out_of_range"


def test_a_ticket_without_a_name_is_refused() -> None:
    (record,) = route(given_by("ack", dedup_key="pay/p1/ticket:"))
    assert (record.value["type"], record.value["detail"]) == ("command_refused", "no ticket is named after `ticket:`")


def test_a_dedup_key_without_an_objective_is_refused() -> None:
    (record,) = route(given_by("ack", dedup_key="pay"))
    assert record.value["detail"] == "a dedup key has the form <service>/<objective>"


RECORDS = Draft202012Validator(schema_of("records"))
NAMES = ("id", "by", "at", "dedup_key", "service", "stakeholder", "answer", "matchers", "until", "exclusion")
ODD = st.sampled_from(
    [None, True, 0, -1, 10**30, "", "a", "pay/paid", LATER, [], ["a"], {}, {"service": ["pay"]}, {"a": 1}]
)


@given(st.sampled_from(CASES), st.lists(st.tuples(st.sampled_from(NAMES), ODD), max_size=5))
def test_no_command_whatever_it_holds_ends_the_role(case: Any, changes: list[tuple[str, Any]]) -> None:
    told, _ = case
    raw = json.dumps({**told, **dict(changes)}).encode()
    for each in route(raw):
        written = orjson.loads(orjson.dumps(each.value))
        if each.topic == "sla.records.v1":
            assert list(RECORDS.iter_errors(written)) == []
