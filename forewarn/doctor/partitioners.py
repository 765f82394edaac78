"""Records in a partition that is not murmur2 of their key, and which producer's habit put them there.

They are sent on and count once, at the price of a second record each; the cure is a setting of the producer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple
from zlib import crc32

from agents.routing import Place, misplaced
from forewarn.doctor.case import NEWEST_COUNT, Case
from forewarn.doctor.diagnosis import Diagnosis, numbers
from forewarn.finding import Finding, Level
from schemas.topics import NOTICES, TELEMETRY, Topic
from sla.fold import Line
from sla.partitioner import partition_of
from sla.units import rfc3339

CHECK: Final = "partitioners"
_READ: Final = (TELEMETRY, NOTICES)
_FNV_START: Final = 0x811C9DC5
_FNV_PRIME: Final = 0x01000193
_WORD: Final = 0xFFFFFFFF


class Astray(NamedTuple):
    """A record in the wrong partition, and the right one."""

    partition: int
    line: Line
    right: int


class Habit(NamedTuple):
    """How some clients place a key by default, and the setting that makes them do it as Java does."""

    whose: str
    place: Callable[[bytes, int], int]
    setting: str


def librdkafka_place(key: bytes, partitions_count: int) -> int:
    """`consistent_random`: CRC-32."""
    return crc32(key) % partitions_count


def sarama_place(key: bytes, partitions_count: int) -> int:
    """Sarama's hash partitioner: FNV-1a as a signed number, its remainder made positive."""
    digest = _FNV_START
    for byte in key:
        digest = ((digest ^ byte) * _FNV_PRIME) & _WORD
    signed = digest - (1 << 32) if digest >> 31 else digest
    return abs(signed) % partitions_count


HABITS: Final = (
    Habit(
        "librdkafka's default (confluent-kafka, node-rdkafka, kcat and others)",
        librdkafka_place,
        "set partitioner=murmur2_random in that producer",
    ),
    Habit(
        "Sarama's default (Go)",
        sarama_place,
        "give that producer a murmur2 hash: sarama.NewCustomPartitioner(sarama.WithCustomHashFunction(…))",
    ),
)


def check(case: Case) -> list[Diagnosis]:
    """Look at the newest records of each partition that a fold reads."""
    return [
        Diagnosis(CHECK, topic.name, finding)
        for topic in _READ
        if topic.name in case.partitions
        for finding in judge(topic, case.partitions[topic.name], case.tail(topic.name).lines)
    ]


def judge(topic: Topic, partitions_count: int, lines: Mapping[int, list[Line]]) -> list[Finding]:
    """One finding for all that is astray in a topic, or none."""
    place = Place(topic.name, partitions_count, topic.key, partition_of)
    astray = [
        Astray(partition, line, found.partition)
        for partition, read in lines.items()
        for line in read
        if (found := misplaced(place, partition, line)) is not None
    ]
    if not astray:
        return []
    newest = max(astray, key=lambda each: each.line.stamped_at)
    habit = _habit_of(astray, partitions_count)
    shown = "without a key" if not newest.line.key else f"with the key {newest.line.key.decode(errors='replace')!r}"
    placed = f" They lie where {habit.whose} puts them." if habit is not None else ""
    return [
        Finding(
            f"{len(astray)} of the newest {NEWEST_COUNT} records of each partition lie in the wrong one "
            f"({numbers(list({each.partition for each in astray}))}); the last came at "
            f"{rfc3339(newest.line.stamped_at)}, {shown}, to {newest.partition} instead of {newest.right}.{placed}",
            habit.setting if habit is not None else _cure(topic, astray),
            Level.WARNING,
        )
    ]


def _habit_of(astray: list[Astray], partitions_count: int) -> Habit | None:
    """The client whose default explains every record with a key."""
    keyed = [(each.line.key, each.partition) for each in astray if each.line.key]
    if not keyed:
        return None
    for habit in HABITS:
        if all(habit.place(key, partitions_count) == partition for key, partition in keyed):
            return habit
    return None


def _cure(topic: Topic, astray: list[Astray]) -> str:
    if not any(each.line.key for each in astray):
        return f"let that producer set the record's key to the {topic.key}"
    return "let that producer choose the partition by murmur2 of the key, as Java's does, and name none itself"
