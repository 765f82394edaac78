"""Publish a revision of the definitions: documents, then a commit that names the revision it was made from.

Two people may apply at once. The log decides: a commit whose base is no longer current is void, so whoever comes
second reads the log again and says who won.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from forewarn.kafka import Config, Record, read_to_end, write
from schemas.catalogue_log import CatalogueLog, records_of
from schemas.definitions import digest
from schemas.topics import CATALOGUE

Document = Mapping[str, Any]


class Outcome(StrEnum):
    """What became of an apply."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    WOULD_APPLY = "would_apply"  # --dry-run
    VOID = "void"


class Applied(NamedTuple):
    """The outcome, the revision now in force, the one it was made from, and the counts of documents."""

    outcome: Outcome
    revision: int
    base_revision: int
    documents_count: int
    sha256: str


def read_log(config: Config) -> CatalogueLog:
    """The catalogue's log as it stands now."""
    log = CatalogueLog()
    for record in read_to_end(config, CATALOGUE.name):
        if record.value is not None:
            log.feed(record.offset, record.value)
    return log


def apply(config: Config, documents: Sequence[Document], *, dry_run: bool = False) -> Applied:
    """Publish the full set of documents as the next revision, unless it is in force already."""
    base, sha256, count = read_log(config).current, digest(documents), len(documents)
    if base.revision and base.sha256 == sha256:
        return Applied(Outcome.UNCHANGED, base.revision, base.revision, count, sha256)
    if dry_run:
        return Applied(Outcome.WOULD_APPLY, base.revision, base.revision, count, sha256)
    records = records_of(documents, uuid.uuid4().hex, base.revision)
    commit = write(config, [Record(CATALOGUE.name, key, value, partition=0) for key, value in records])[-1]
    log = read_log(config)
    # The log may have moved on above ours already; what counts is whether ours was ever in force.
    if log.at(commit.offset, sha256) is None:
        return Applied(Outcome.VOID, log.current.revision, base.revision, count, sha256)
    return Applied(Outcome.APPLIED, commit.offset, base.revision, count, sha256)


def sentence(applied: Applied) -> str:
    """The outcome, for a person."""
    match applied.outcome:
        case Outcome.APPLIED:
            return f"revision {applied.revision} is in force: {applied.documents_count} documents"
        case Outcome.UNCHANGED:
            return f"nothing to do: revision {applied.revision} holds the same {applied.documents_count} documents"
        case Outcome.WOULD_APPLY:
            return f"would replace revision {applied.base_revision} by {applied.documents_count} documents"
        case Outcome.VOID:
            return (
                f"somebody else was faster: revision {applied.revision} is in force, this apply was made from "
                f"revision {applied.base_revision} and is void. Look at what changed, then apply again"
            )
