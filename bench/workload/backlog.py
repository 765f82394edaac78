"""A backlog on a broker: what every contender reads, from its beginning to its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from confluent_kafka import Producer

from bench.workload.fleet import Fleet
from bench.workload.instants import iso, now_ms
from bench.workload.seasoned import Seasoned
from bench.workload.tickets import EVENTS, ROUND_MS, documents, rounds
from bench.workload.traffic import Traffic
from forewarn.apply import Outcome, apply, read_log
from forewarn.topics import create
from schemas.topics import BY_NAME, TELEMETRY, TICKETS, changelog_of
from sla.catalogue import Catalogue
from sla.partitioner import partition_of
from tests.harness import Broker

PARTITIONS: Final = 4
_STAMPED_EVERY: Final = 200  # records with one instant
_POLLED_EVERY: Final = 5_000
_QUEUED_MOST: Final = 200_000
_FLUSH_WITHIN_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Backlog:
    """The topics on a broker, and promises that have been watched for thirty days; traffic comes by `produce`."""

    bootstrap: str
    fleet: Fleet
    seasoned: Seasoned

    @property
    def places(self) -> dict[int, list[str]]:
        """The services of each partition."""
        places: dict[int, list[str]] = {partition: [] for partition in range(PARTITIONS)}
        for service in self.fleet.services:
            places[partition_of(service.encode(), PARTITIONS)].append(service)
        return places

    def fill_changelog(self, role: str) -> None:
        """Thirty days of every stream in the changelog of a role: its worker recovers them."""
        producer = new_producer(self.bootstrap)
        for partition, services in self.places.items():
            for key, value in self.seasoned.past.records(partition, services):
                producer.produce(changelog_of(role), value, key, partition)
                make_room(producer)
        flush(producer)

    def produce(self, records_count: int) -> None:
        """Traffic, as fast as it can be made, each record with its instant."""
        traffic, producer = Traffic(self.fleet), new_producer(self.bootstrap)
        place = {key: partition_of(key, PARTITIONS) for key in traffic.keys}
        at = b""
        for number in range(records_count):
            if number % _STAMPED_EVERY == 0:
                at = iso(now_ms())
            key, value = traffic.record(number, at)
            producer.produce(TELEMETRY.name, value, key, place[key])
            if number % _POLLED_EVERY == 0:
                make_room(producer)
        flush(producer)


def begun(bootstrap: str, fleet: Fleet) -> Backlog:
    """Forewarn's topics, and the definitions in force in every partition from its first record on.

    A worker would put its markers at the end of a backlog that it finds, behind what is to be measured.
    """
    catalogue, marker = in_force(bootstrap, fleet.documents())
    seasoned = Seasoned(catalogue, fleet, now_ms())
    producer = new_producer(bootstrap)
    for partition in range(PARTITIONS):
        for _ in range(seasoned.offset):  # the past stands at an offset of its partition
            producer.produce(TELEMETRY.name, marker, None, partition)
    flush(producer)
    return Backlog(bootstrap, fleet, seasoned)


def begun_with_tickets(bootstrap: str, tickets_count: int) -> int:
    """The same for tickets of ten events each, all of them on the broker; how many events there are."""
    _, marker = in_force(bootstrap, documents())
    producer = new_producer(bootstrap)
    for partition in range(PARTITIONS):
        producer.produce(TICKETS.name, marker, None, partition)
    events = list(rounds(tickets_count, now_ms() - len(EVENTS) * ROUND_MS))
    for ticket, value, _ in events:
        key = ticket.encode()
        producer.produce(TICKETS.name, value, key, partition_of(key, PARTITIONS))
        make_room(producer)
    flush(producer)
    return len(events)


def in_force(bootstrap: str, definitions: Sequence[Mapping[str, Any]]) -> tuple[Catalogue, bytes]:
    """All topics, and definitions in the catalogue's log; with the marker by which a partition follows them."""
    config = {"bootstrap.servers": bootstrap}
    create(config, partitions_count=PARTITIONS)
    applied = apply(config, definitions)
    if applied.outcome is not Outcome.APPLIED:
        raise RuntimeError(f"the definitions were not taken: {applied}")
    catalogue = read_log(config).current
    marker = orjson.dumps({"type": "catalogue", "revision": catalogue.revision, "sha256": catalogue.sha256})
    return catalogue, marker


def empty_changelog(bootstrap: str, role: str) -> None:
    """The changelog of a role of this name, with the settings of the detector's."""
    settings = BY_NAME[changelog_of("detect")].settings()
    Broker("real", bootstrap).create_topics({changelog_of(role): PARTITIONS}, settings)


def new_producer(bootstrap: str, linger_ms: int = 20) -> Producer:
    """A fast one: compressed, in large batches, in order. `linger_ms=0` sends each record at once."""
    return Producer(
        {
            "bootstrap.servers": bootstrap,
            "compression.type": "lz4",
            "linger.ms": linger_ms,
            "batch.size": 1 << 19,
            "message.max.bytes": 4 << 20,
            "queue.buffering.max.messages": 2 * _QUEUED_MOST,
            "enable.idempotence": True,
            "delivery.report.only.error": linger_ms > 0,
            "log_level": 0,  # outlives the broker at times, whose end is no news
        }
    )


def flush(producer: Producer) -> None:
    """Wait until the broker has everything."""
    left_count = producer.flush(_FLUSH_WITHIN_S)
    if left_count:
        raise RuntimeError(f"the broker did not take {left_count} records within {_FLUSH_WITHIN_S:g} s")


def make_room(producer: Producer) -> None:
    """Wait while more is queued than need be."""
    while len(producer) > _QUEUED_MOST:
        producer.poll(0.01)
