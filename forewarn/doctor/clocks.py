"""Whose clock says what: every broker's against this machine's, and the brokers' against each other.

Time is the broker's append time, so a clock that is wrong there is wrong in every decision. It is asked by writing: a
topic with a partition on each broker is made, a few records are appended, and it is removed. Nothing else on a broker
tells its time, and Forewarn's own topics are not to be written to.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from confluent_kafka import KafkaException, Message, Producer
from confluent_kafka.admin import NewTopic

from forewarn import remedy
from forewarn.doctor.case import Case
from forewarn.doctor.diagnosis import Diagnosis
from forewarn.finding import Finding, Level
from forewarn.kafka import ANSWER_WITHIN_S
from sla.units import MINUTE_MS, SECOND_MS

CHECK: Final = "clocks"
SCRATCH: Final = "forewarn-doctor"
PROBES_COUNT: Final = 5
OFF_MS: Final = SECOND_MS  # a step of decisions
FAR_OFF_MS: Final = 5 * MINUTE_MS  # a record that is further ahead is a dead letter
APART_MS: Final = 10 * SECOND_MS  # a jump of log time by more says that nobody was watching
_SYNCHRONISE: Final = "let NTP set both clocks; on each machine `chronyc tracking` shows how far off it is"


class Reading(NamedTuple):
    """How far a broker's clock is ahead of this machine's, give or take `within_ms`."""

    broker: int
    ahead_ms: float
    within_ms: float


def host_now() -> float:
    """The clock of this machine, in epoch milliseconds."""
    return time.time_ns() / 1_000_000


def check(case: Case) -> list[Diagnosis]:
    """Compare all clocks; a broker that lets no topic be made is told as such."""
    if not case.tells_settings:
        return []
    topic = f"{SCRATCH}-{uuid.uuid4().hex[:12]}"
    try:
        with _scratch(case, topic) as left_behind:
            readings = [_read(case, topic, place, number) for place, number in enumerate(case.brokers)]
    except KafkaException as error:
        what = f"cannot be compared: {error.args[0].str()}"
        cure = f"let this user create, write and delete topics named {SCRATCH}-*; or by hand: {_SYNCHRONISE}"
        return [Diagnosis(CHECK, "brokers", Finding(what, cure, Level.WARNING))]
    return [*judge(readings), *left_behind]


def judge(readings: Sequence[Reading]) -> list[Diagnosis]:
    """What the readings mean: each broker against this machine, then the two brokers that are furthest apart."""
    found = [
        Diagnosis(CHECK, f"broker {each.broker}", _against_host(each))
        for each in readings
        if abs(each.ahead_ms) - each.within_ms > OFF_MS
    ]
    if not readings:
        return found
    first, last = min(readings, key=lambda r: r.ahead_ms), max(readings, key=lambda r: r.ahead_ms)
    apart_ms = last.ahead_ms - first.ahead_ms - first.within_ms - last.within_ms
    if apart_ms > OFF_MS:
        what = (
            f"its clock is {_seconds(apart_ms)} s ahead of broker {first.broker}'s: log time jumps or stands still "
            f"when a partition's leader changes"
        )
        level = Level.ERROR if apart_ms > APART_MS else Level.WARNING
        found.append(Diagnosis(CHECK, f"broker {last.broker}", Finding(what, _SYNCHRONISE, level)))
    return found


def _against_host(reading: Reading) -> Finding:
    ahead = reading.ahead_ms > 0
    what = f"its clock is {_seconds(abs(reading.ahead_ms))} s {'ahead of' if ahead else 'behind'} this machine's"
    if abs(reading.ahead_ms) <= FAR_OFF_MS:
        return Finding(f"{what}: what is measured here counts at another time", _SYNCHRONISE, Level.WARNING)
    meaning = "is late by that much" if ahead else "is a dead letter, from_the_future"
    return Finding(f"{what}: what is measured here {meaning}", _SYNCHRONISE)


def _seconds(duration_ms: float) -> str:
    return f"{duration_ms / SECOND_MS:.1f}"


@contextmanager
def _scratch(case: Case, topic: str) -> Iterator[list[Diagnosis]]:
    """The topic, partition n on the n-th broker; what it yields names it if it could not be removed."""
    left_behind: list[Diagnosis] = []
    settings = {"message.timestamp.type": "LogAppendTime", "retention.ms": str(MINUTE_MS), "min.insync.replicas": "1"}
    wanted = NewTopic(
        topic, num_partitions=len(case.brokers), replica_assignment=[[each] for each in case.brokers], config=settings
    )
    case.admin.create_topics([wanted], operation_timeout=ANSWER_WITHIN_S)[topic].result(2 * ANSWER_WITHIN_S)
    try:
        yield left_behind
    finally:
        try:
            case.admin.delete_topics([topic], operation_timeout=ANSWER_WITHIN_S)[topic].result(2 * ANSWER_WITHIN_S)
        except KafkaException as error:
            what = f"this topic was made to read the clocks and cannot be removed: {error.args[0].str()}"
            cure = remedy.delete_topic(case.config, topic)
            left_behind.append(Diagnosis(CHECK, topic, Finding(what, cure, Level.WARNING)))


def _read(case: Case, topic: str, partition: int, broker: int) -> Reading:
    """The probe that was answered soonest: the less time it took, the less its answer can be wrong."""
    within_ms = int(ANSWER_WITHIN_S * 1000)
    producer = Producer({**case.config, "log_level": 0, "linger.ms": 0, "message.timeout.ms": within_ms})
    probes = [_probe(producer, topic, partition, broker) for _ in range(PROBES_COUNT)]
    return min(probes, key=lambda each: each.within_ms)


def _probe(producer: Producer, topic: str, partition: int, broker: int) -> Reading:
    stamps: list[int] = []

    def arrived(error: object, message: Message) -> None:
        if error is not None:
            raise KafkaException(error)
        stamps.append(message.timestamp()[1])

    asked_at, began_at = host_now(), time.monotonic()
    producer.produce(topic, b"", partition=partition, on_delivery=arrived)
    producer.flush(2 * ANSWER_WITHIN_S)
    took_ms = (time.monotonic() - began_at) * 1000
    # The stamp is cut to whole milliseconds.
    return Reading(broker, stamps[0] + 0.5 - (asked_at + took_ms / 2), took_ms / 2 + 1)
