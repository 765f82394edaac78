"""Whether a topic is as `schemas.topics` declares it: a pure decision that says what differs and what to do.

Too little retention is a finding, more is not. Beside what is declared it judges what would undo a declaration: a
limit by bytes that deletes before the retention is over, copies that are too few or too many to be waited for,
a changelog that is not divided as its source is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from forewarn import remedy
from forewarn.finding import Finding, Level
from forewarn.kafka import Config
from schemas.topics import ALL, CATALOGUE, FOREVER, ROLES_WITH_STATE, Topic, changelog_of


class Changelog(NamedTuple):
    """A changelog's role, and the topic whose state it holds: both must have the same partitions."""

    role: str
    source: Topic


def _source_of(role: str) -> Topic:
    """What a role takes its records from: not the one partition of the catalogue, nor its own changelog."""
    return next(topic for topic in ALL if role in topic.readers and topic.partitions is None and not topic.is_compacted)


CHANGELOGS: Final = {changelog_of(role): Changelog(role, _source_of(role)) for role in ROLES_WITH_STATE}
COPIES_TO_LOSE_ONE: Final = 3  # with fewer, whether to keep copies is a choice of cost
UNLIMITED: Final = "-1"


class Outcome(StrEnum):
    """What became of one topic."""

    CREATED = "created"
    EXISTING = "existing"
    DIFFERENT = "different"
    MISSING = "missing"


class Answer(NamedTuple):
    """One topic and how it stands; `findings` is empty unless it is missing or different."""

    topic: str
    outcome: Outcome
    partitions_count: int | None
    findings: tuple[Finding, ...] = ()

    @property
    def is_fine(self) -> bool:
        """Whether it can be used as it is."""
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        """The answer as `--json` prints it."""
        return {
            "topic": self.topic,
            "outcome": self.outcome.value,
            "partitions": self.partitions_count,
            "findings": [finding._asdict() for finding in self.findings],
        }

    def line(self) -> str:
        """The answer for a person, without its findings."""
        count = "" if self.partitions_count is None else f" ({self.partitions_count} partitions)"
        return f"{self.outcome.value:<9} {self.topic}{count}"


class Copies(NamedTuple):
    """How a topic's partitions are kept: by how many brokers at least, and which of them nobody serves now."""

    least_count: int
    without_leader: tuple[int, ...]
    brokers_count: int


class Found(NamedTuple):
    """A topic as the broker describes it."""

    partitions_count: int
    settings: Mapping[str, str]
    copies: Copies = Copies(1, (), 1)


def judge(
    topic: Topic, found: Found | None, partitions_count: int | None, config: Config, source: Found | None = None
) -> Answer:
    """Compare a topic with its declaration; `source` is what a changelog holds the state of."""
    if found is None:
        cure = f"run: {remedy.create_topics(partitions_count)}"
        return Answer(topic.name, Outcome.MISSING, None, (Finding("the topic is missing", cure),))
    findings = [
        *_partitions(topic, found, partitions_count, source, config),
        *_settings(topic, found, config),
        *_limit_by_bytes(topic, found, config),
        *_copies(topic, found, config),
    ]
    outcome = Outcome.DIFFERENT if findings else Outcome.EXISTING
    return Answer(topic.name, outcome, found.partitions_count, tuple(findings))


# -- what is declared


def _partitions(
    topic: Topic, found: Found, partitions_count: int | None, source: Found | None, config: Config
) -> list[Finding]:
    changelog = CHANGELOGS.get(topic.name)
    if changelog is not None and source is not None and source.partitions_count != found.partitions_count:
        return [_divided_otherwise(changelog, found, source, config)]
    wanted_count = topic.partitions or partitions_count
    if wanted_count is None or wanted_count == found.partitions_count:
        return []
    anew = f"{remedy.delete_topic(config, topic.name)} && {remedy.create_topics(partitions_count)}"
    cure = f"if it holds nothing of value: {anew}"
    if topic.partitions is None:
        cure += "; else give every topic that number, with --partitions"
    return [
        Finding(
            f"it has {found.partitions_count} partitions, {wanted_count} are needed",
            f"partitions are never added, since a key's state lives in its partition: {cure}",
        )
    ]


def _divided_otherwise(changelog: Changelog, found: Found, source: Found, config: Config) -> Finding:
    role, read_from = changelog
    return Finding(
        f"it has {found.partitions_count} partitions, its source {read_from.name} has {source.partitions_count}: the "
        f"role {role} refuses to start",
        f"state begins anew with: {remedy.begin_anew(config, role, source.partitions_count)}",
    )


def _settings(topic: Topic, found: Found, config: Config) -> list[Finding]:
    return [
        Finding(
            f"{name} is {found.settings.get(name) or 'not set'}, {_SPOKEN[rule]} {wanted} is needed",
            remedy.set_on_topic(config, topic.name, name, wanted),
            Level.WARNING if topic is not CATALOGUE and name in _COSTS_ROOM_OR_TIME else Level.ERROR,
        )
        for name, wanted in topic.settings().items()
        if not (rule := _RULES.get(name, _equal))(found.settings.get(name, ""), wanted)
    ]


def _equal(found: str, wanted: str) -> bool:
    return found == wanted


def _at_least(found: str, wanted: str) -> bool:
    return _number(found) >= _number(wanted)


def _at_most(found: str, wanted: str) -> bool:
    return _number(found) <= _number(wanted)


def _number(text: str) -> float:
    value = float(text or "nan")
    return float("inf") if value == FOREVER else value


Rule = Callable[[str, str], bool]
_SPOKEN: Final[Mapping[Rule, str]] = {_equal: "exactly", _at_least: "at least", _at_most: "at most"}
_RULES: Final[Mapping[str, Rule]] = {
    "retention.ms": _at_least,
    "max.message.bytes": _at_least,
    "min.compaction.lag.ms": _at_least,
    "max.compaction.lag.ms": _at_most,
    "segment.ms": _at_most,
}
# These cost room, time at a restart, or records that were acted on already (but of the catalogue, which is read from
# its beginning); the others cost decisions.
_COSTS_ROOM_OR_TIME: Final = frozenset({"retention.ms", "max.compaction.lag.ms", "segment.ms"})


# -- what would undo it


def _limit_by_bytes(topic: Topic, found: Found, config: Config) -> list[Finding]:
    limit = found.settings.get("retention.bytes", UNLIMITED)
    if topic.is_compacted or limit == UNLIMITED:
        return []
    what = f"retention.bytes is {limit}: a partition of that size loses records before retention.ms is over"
    return [Finding(what, remedy.set_on_topic(config, topic.name, "retention.bytes", UNLIMITED), Level.WARNING)]


def _copies(topic: Topic, found: Found, config: Config) -> list[Finding]:
    copies = found.copies
    findings = []
    if copies.without_leader:
        numbers = ", ".join(map(str, copies.without_leader))
        findings.append(
            Finding(
                f"no broker serves partition {numbers}: nothing is read from it or written to it",
                f"start the brokers that hold it: {remedy.describe_topic(config, topic.name)}",
            )
        )
    return [*findings, *_waited_for(topic, found, config)]


def _waited_for(topic: Topic, found: Found, config: Config) -> list[Finding]:
    """How many copies an acknowledged record has at least, against how many there are."""
    needed, copies = int(found.settings.get("min.insync.replicas") or 1), found.copies
    best = max(1, copies.least_count - 1) if copies.least_count >= COPIES_TO_LOSE_ONE else 1
    cure = remedy.set_on_topic(config, topic.name, "min.insync.replicas", str(best))
    stands = f"min.insync.replicas is {needed}"
    if needed > copies.least_count:
        return [Finding(f"{stands}, but a partition has {_counted(copies.least_count)}: every write is refused", cure)]
    if copies.least_count >= COPIES_TO_LOSE_ONE and needed == copies.least_count:
        what = f"{stands}, as many as there are copies: one broker that is down stops all writes"
        return [Finding(what, cure, Level.WARNING)]
    if copies.least_count >= COPIES_TO_LOSE_ONE and needed < 2:  # noqa: PLR2004 - one copy beside the leader's
        what = f"{stands}: an acknowledged record may be on one broker alone, and be lost with it"
        return [Finding(what, cure, Level.WARNING)]
    if copies.least_count == 1 and copies.brokers_count >= COPIES_TO_LOSE_ONE:
        what = f"a partition is kept by one broker alone, of {copies.brokers_count}: what it holds is lost with it"
        move = "add copies with kafka-reassign-partitions.sh (new topics: forewarn topics create --replication 3), see"
        return [Finding(what, f"{move}: {remedy.describe_topic(config, topic.name)}", Level.WARNING)]
    return []


def _counted(copies_count: int) -> str:
    return f"{copies_count} copy" if copies_count == 1 else f"{copies_count} copies"
