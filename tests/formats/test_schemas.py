"""The published JSON Schemas: made from the models, true of what is published, and strict enough to catch mistakes."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, get_type_hints

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from forewarn.replay.product import product_folds
from forewarn.replay.replay import replay
from schemas.asyncapi import asyncapi
from schemas.catalogue_log import CatalogueLog
from schemas.definitions import load
from schemas.feeds import delivery
from schemas.generate import FOLDER, files
from schemas.inbound import decode_telemetry
from schemas.outbound import data
from sla import events
from sla.dispatch import Send
from sla.records import Feed, Rejection
from sla.stakeholder import Channel
from tests.formats.test_reasons import CHANGE, COUNTS, EXCLUSION, HISTORY, MARKER, NOW, SAMPLE, STATE, TABLE, line
from tests.harness.core import is_compiled

T = 1_795_428_000_000
MINUTE = 60_000
DEFINITIONS = """
apiVersion: forewarn/v1
kind: Objective
metadata: {name: checkout-availability}
spec:
  service: shop
  indicator: {type: ratio, signal: availability}
  target: 99%
  window: {rolling: 1h}
  noData: {after: 5m, treat: unknown}
  warnings: {burnRates: google}
---
apiVersion: forewarn/v1
kind: Objective
metadata: {name: checkout-daily}
spec:
  service: shop
  indicator: {type: ratio, signal: availability}
  target: 99%
  window: {calendar: day, timezone: Europe/Berlin}
---
apiVersion: forewarn/v1
kind: Agreement
metadata: {name: acme-gold}
spec:
  type: sla
  customer: acme
  objectives: [checkout-availability, checkout-daily]
  period: {calendar: day, timezone: Europe/Berlin}
---
apiVersion: forewarn/v1
kind: Service
metadata: {name: shop}
spec: {owner: shop-team}
---
apiVersion: forewarn/v1
kind: Stakeholder
metadata: {name: shop-oncall}
spec: {audience: oncall, watches: {services: [shop]}, channels: [console]}
"""
TOPICS = {
    "sla.alerts.v1": "alerts",
    "sla.status.v1": "status",
    "sla.records.v1": "records",
    "sla.late.v1": "late",
    "sla.dlq.v1": "dlq",
    "sla.notices.v1": "notices",
    "sla.outbox.v1": "outbox",
}
FED = {"sla.tickets.v1": "tickets"}
"""What a fold writes into a topic whose records come from outside: held to the schema of what may come in."""


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def a_bad_day() -> Iterator[dict[str, Any]]:
    """A service that leaks, fails, is excluded, is corrected, falls silent and comes back; its day ends."""
    for minute in range(16 * 60):
        at = T + minute * MINUTE
        if 400 <= minute < 420:
            continue
        bad = 0 if minute < 120 else 4 if minute < 130 else 0 if minute < 200 else 30 if minute < 220 else 0
        yield record(at, type="counts", signal="availability", at=at, good=100 - bad, bad=bad)
        if minute == 230:
            yield record(at, type="counts", signal="availability", at=at - 20 * MINUTE, good=5000, bad=0)
            yield record(at, type="counts", signal="availability", at=at, good=-1, bad=0)
            yield record(at, type="change", at=at, id="deploy-1")
        if minute == 240:
            yield record(at, type="exclusion", id="CHG-1", **{"from": T + 200 * MINUTE, "to": T + 220 * MINUTE})
        if minute == 500:
            yield record(at - 60_000 * 20, type="counts", signal="availability", at=at, good=1, bad=0)


def record(timestamp: int, **fields: Any) -> dict[str, Any]:
    return {"topic": "sla.telemetry.v1", "key": "shop", "value": {"service": "shop", **fields}, "timestamp": timestamp}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder: Path = tmp_path_factory.mktemp("definitions")
    (folder / "shop.yaml").write_text(DEFINITIONS)
    base = load([folder]).catalogue
    assert base is not None
    log = CatalogueLog(base)
    out = io.BytesIO()
    with TemporaryFile("w+b") as source:
        source.writelines(json.dumps(one).encode() + b"\n" for one in a_bad_day())
        source.write(b"no line\n")
        folds = product_folds(base, log, 20_000, "default")
        replay(source, out.write, folds, log.feed, step_ms=20_000, until=None)
    return [json.loads(one) for one in out.getvalue().splitlines()]


@pytest.mark.skipif(is_compiled(), reason="the descriptions are docstrings, which machine code leaves out")
def test_generated_files_are_those_in_the_repository() -> None:
    for name, text in files().items():
        assert (FOLDER / name).read_text() == text, f"{name}: run python -m schemas.generate"


def test_everything_a_bad_day_publishes_is_valid(published: list[dict[str, Any]]) -> None:
    validators = {topic: validator(name) for topic, name in {**TOPICS, **FED}.items()}
    for one in published:
        errors = list(validators[one["topic"]].iter_errors(one["value"]))
        assert not errors, (one, errors)


def test_the_bad_day_says_nearly_everything_there_is_to_say(published: list[dict[str, Any]]) -> None:
    assert {one["topic"] for one in published} == {*TOPICS, *FED}
    kinds = {one["value"]["type"].split(".")[1] for one in published if one["topic"] == "sla.alerts.v1"}
    assert kinds >= {"early_warning", "breach", "recovery", "unknown", "period_closed", "correction"}


def test_a_delivery_is_valid() -> None:
    send = Send("0" * 32, "ann", "oncall", Channel("console"), "s", "t", "1" * 32, "a/b", Feed("forewarn:t/0", 1))
    assert not list(validator("deliveries").iter_errors(delivery(send, "failed", "no route", T).value))


def spoiled(value: Any) -> Iterator[tuple[str, Any]]:
    """The same value with one field missing or of another kind, one after the other."""
    for name in value:
        missing = copy.deepcopy(value)
        del missing[name]
        yield f"without {name}", missing
        yield f"{name} odd", {**value, name: [[]]}
        if isinstance(value[name], dict) and name not in {"before", "after", "inputs", "definition", "record"}:
            for what, inner in spoiled(value[name]):
                yield f"{name}: {what}", {**value, name: inner}


@pytest.mark.parametrize("topic", TOPICS)
def test_no_field_may_be_missing_or_of_another_kind(topic: str, published: list[dict[str, Any]]) -> None:
    check = validator(TOPICS[topic])
    one = next(one["value"] for one in published if one["topic"] == topic)
    assert check.is_valid(one)
    for what, bad in spoiled(one):
        assert not check.is_valid(bad), what


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("time",), "2026-11-23T10:00:00Z"),
        (("time",), "2026-11-23T10:00:00.000+00:00"),
        (("time",), 1_795_428_000_000),
        (("id",), "046BA539A18A063D2332C87011AF1D19"),
        (("id",), "046ba539"),
        (("type",), "forewarn.alarm.v1"),
        (("type",), "forewarn.breach.v1"),
        (("specversion",), "1"),
        (("source",), "default"),
        (("data", "severity"), "fatal"),
        (("data", "state"), "OK"),
        (("data", "sequence"), 0),
        (("data", "sequence"), 1.5),
        (("data", "episode"), -1),
        (("data", "dedup_key"), "shop"),
        (("data", "dedup_key"), "a b/c"),
        (("data", "evaluated_at"), None),
        (("data", "confidence", "coverage"), 1.1),
        (("data", "flags", "final"), "true"),
        (("data", "reason", "long_window"), "60 min"),
        (("data", "objective", "version"), 0),
    ],
)
def test_a_wrong_value_is_caught(path: tuple[str, ...], value: Any, published: list[dict[str, Any]]) -> None:
    is_warning = (one["value"] for one in published if one["value"].get("type") == "forewarn.early_warning.v1")
    event = copy.deepcopy(next(is_warning))
    inner = event
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    assert not validator("alerts").is_valid(event)


def test_additional_fields_are_allowed_everywhere(published: list[dict[str, Any]]) -> None:
    for topic, name in TOPICS.items():
        one = copy.deepcopy(next(one["value"] for one in published if one["topic"] == topic))
        one["new"] = 1
        if isinstance(one.get("data"), dict):
            one["data"]["new"] = {"a": 1}
            one["data"]["objective"]["new"] = 1
        assert validator(name).is_valid(one)


PAIRS = [
    (events.ObjectiveRef, data.Objective),
    (events.AgreementRef, data.Agreement),
    (events.Reason, data.Reason),
    (events.BudgetView, data.Budget),
    (events.Quantiles, data.Quantiles),
    (events.ForecastView, data.Forecast),
    (events.Confidence, data.Confidence),
    (events.Flags, data.Flags),
    (events.Cause, data.Cause),
    (events.ExclusionRef, data.Exclusion),
    (events.Advice, data.Advice),
    (events.EventData, data.EventData),
]


@pytest.mark.parametrize(("built", "model"), PAIRS, ids=[pair[1].__name__ for pair in PAIRS])
def test_the_models_name_the_fields_that_the_folds_fill(built: type, model: type[BaseModel]) -> None:
    named = {field.alias or name for name, field in model.model_fields.items()}
    assert named == set(get_type_hints(built))


@pytest.mark.parametrize("record", [COUNTS, SAMPLE, STATE, CHANGE, EXCLUSION, HISTORY, MARKER, {"type": "tick"}])
def test_the_telemetry_schema_accepts_good_records(record: dict[str, Any]) -> None:
    check = validator("telemetry")
    assert check.is_valid(record)
    assert check.is_valid({**record, "new": 1, "instance": None} if "service" in record else record)


def test_what_the_telemetry_schema_refuses_the_decoder_refuses() -> None:
    check = validator("telemetry")
    for what, value, _ in TABLE:
        try:
            document = json.loads(value or b"null")
        except (ValueError, RecursionError):
            continue
        if not check.is_valid(document) and what != "minus zero":
            assert isinstance(decode_telemetry(line(value), NOW), Rejection), what


def test_the_asyncapi_document_refers_to_what_exists() -> None:
    document = asyncapi()
    for message in document["components"]["messages"].values():
        assert (FOLDER / message["payload"]["$ref"]).is_file()
    for channel in document["channels"].values():
        for name, reference in channel["messages"].items():
            assert reference["$ref"] == f"#/components/messages/{name}"
            assert name in document["components"]["messages"]
    for operation in document["operations"].values():
        assert operation["channel"]["$ref"].removeprefix("#/channels/") in document["channels"]
    assert document["operations"]["receive_sla_telemetry_v1"]["action"] == "receive"
