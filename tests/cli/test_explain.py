"""An event is explained by its id alone: the event, the record and the definitions are found on the broker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import orjson
import pytest

from forewarn.embedded import EmbeddedBroker
from forewarn.kafka import Record, read_to_end, write
from schemas.catalogue_log import CatalogueLog, records_of
from sla.events import ALERTS, CLOCKS, RECORDS, SHADOW
from sla.fold import Emission
from tests.cli.conftest import Run
from tests.clock.world import OFFICE, clock_of, promise
from tests.clock.world import World as Desk
from tests.core.world import T0, World, objective

CATALOGUE = "sla.catalogue.v1"


@pytest.fixture
def broker() -> Iterator[str]:
    with EmbeddedBroker.start({ALERTS: 2, CLOCKS: 2, RECORDS: 2, SHADOW: 1, CATALOGUE: 1}) as embedded:
        yield embedded.bootstrap


def publish(bootstrap: str, said: Sequence[Emission]) -> None:
    records = [
        Record(each.topic, each.key, orjson.dumps(each.value))
        for each in said
        if each.topic in (ALERTS, CLOCKS, RECORDS)
    ]
    write({"bootstrap.servers": bootstrap}, records)


def test_a_clock_is_explained_by_what_the_topics_and_the_catalogue_hold(run: Run, broker: str) -> None:
    kafka = {"bootstrap.servers": broker}
    documents = [OFFICE, promise(target="4h", calendar="office")]
    write(kafka, [Record(CATALOGUE, key, value) for key, value in records_of(documents, "first", 0)])
    log = CatalogueLog()
    for record in read_to_end(kafka, CATALOGUE):
        log.feed(record.offset, record.value or b"")
    desk = Desk(*documents)
    desk.fold = clock_of(log.current)
    desk.created("10:00")
    desk.event("13:30", state="pending")
    desk.event("14:00", state="open")
    desk.event("15:00", state="resolved")
    publish(broker, desk.said)
    met = desk.events(CLOCKS, "clock.met")[-1]
    told = run("explain", met["id"], "--json", KAFKA_BOOTSTRAP_SERVERS=broker)
    assert told.exit_code == 0, told.output
    *pieces, total = (orjson.loads(line) for line in told.stdout.splitlines())
    assert [(each["from"][11:16], each["to"][11:16], each["kind"]) for each in pieces] == [
        ("10:00", "12:00", "counted"),
        ("12:00", "13:00", "closed"),
        ("13:00", "13:30", "counted"),
        ("13:30", "14:00", "paused"),
        ("14:00", "15:00", "counted"),
    ]
    assert (total["adds_up"], total["elapsed_ms"]) == (True, 12_600_000)


def test_an_event_of_telemetry_is_explained_by_its_windows_and_their_burn_rates(run: Run, broker: str) -> None:
    world = World(objective(target="99%"))
    world.history(T0 - 1_000, 60, 10, 0)
    world.minutes(0, 20, 5, 5)
    publish(broker, world.said)
    alert = next(each.value for each in world.said if each.topic == ALERTS)
    told = run("explain", alert["id"], KAFKA_BOOTSTRAP_SERVERS=broker)
    assert told.exit_code == 0, told.output
    assert "burn rate = (bad / total) / (1 - target)" in told.output
    lines = run("explain", alert["id"], "--json", KAFKA_BOOTSTRAP_SERVERS=broker).stdout.splitlines()
    *windows, total = (orjson.loads(line) for line in lines)
    shown = [each for each in windows if "burn_rate" in each]
    assert shown
    for each in shown:
        expected = None if not each["total_count"] else round(each["bad_count"] / each["total_count"] / 0.01, 2)
        assert each["burn_rate"] == pytest.approx(expected, abs=0.011), each
    assert total["reason"]["rule"] == alert["data"]["reason"]["rule"]


def test_an_event_that_is_on_no_topic_is_said_in_a_line(run: Run, broker: str) -> None:
    told = run("explain", "0" * 32, KAFKA_BOOTSTRAP_SERVERS=broker)
    assert told.exit_code == 2, told.output
    assert "no event 00000000000000000000000000000000 is on the topics" in told.output
    assert "Traceback" not in told.output
