"""The catalogue: whether a revision is in force and followed in every partition, and what was passed over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from agents.routing import Marker, marker
from forewarn import remedy
from forewarn.doctor.case import Case
from forewarn.doctor.diagnosis import Diagnosis, numbers
from forewarn.doctor.state import followed_by, heads_of
from forewarn.finding import Finding, Level
from schemas.catalogue_log import CatalogueLog, Refused
from schemas.topics import CATALOGUE, TELEMETRY, changelog_of

CHECK: Final = "catalogue"
ROLE: Final = "detect"


def check(case: Case) -> list[Diagnosis]:
    """Read the whole log; a missing topic is for the check of topics to tell."""
    if CATALOGUE.name not in case.partitions:
        return []
    followed = {partition: _followed(case, partition) for partition in range(case.partitions.get(TELEMETRY.name, 0))}
    log = case.catalogue()
    found = [Diagnosis(CHECK, CATALOGUE.name, finding) for finding in _log(case, log)]
    return found if log.current.revision == 0 else [*found, *_partitions(case, log, followed)]


def _log(case: Case, log: CatalogueLog) -> Iterator[Finding]:
    begins_at = case.bounds(CATALOGUE.name)[0].low
    if begins_at > 0:
        what = f"its first {begins_at} records were deleted: revisions and versions are counted from what is left"
        yield Finding(what, f"keep the rest: {remedy.set_on_topic(case.config, CATALOGUE.name, 'retention.ms', '-1')}")
    if log.current.revision == 0:
        yield Finding("no revision is in force: nothing is watched", "run: forewarn apply PATH", Level.WARNING)
    newer = [each for each in log.refused if each.offset > log.current.revision]
    older = [each for each in log.refused if each.offset < log.current.revision]
    if newer:
        cure = "see what is missing with `forewarn diff PATH`, then run: forewarn apply PATH"
        yield Finding(f"after revision {log.current.revision} {_told(newer)}", cure, Level.WARNING)
    if older:
        cure = f"nothing: revision {log.current.revision} came after it"
        yield Finding(_told(older), cure, Level.NOTE)


def _told(refused: list[Refused]) -> str:
    last = refused[-1]
    count = "1 record was" if len(refused) == 1 else f"{len(refused)} records were"
    return f"{count} passed over, the last at offset {last.offset}: {last.reason}"


# -- who follows it


def _partitions(case: Case, log: CatalogueLog, followed: Mapping[int, list[Marker]]) -> Iterator[Diagnosis]:
    """Each partition's own marker, from the end of its log or from what its state says that it follows."""
    current = log.current
    unknown = [
        partition
        for partition, markers in followed.items()
        if any(each.revision and log.at(each.revision, each.sha256) is None for each in markers)
    ]
    behind = [
        partition
        for partition, markers in followed.items()
        if partition not in unknown and max((each.revision for each in markers), default=0) < current.revision
    ]
    if behind:
        what = f"no marker of revision {current.revision} is in {numbers(behind)}: older definitions hold there"
        cure = f"is a worker running? It writes the marker within seconds: forewarn worker --roles {ROLE}"
        yield Diagnosis(CHECK, TELEMETRY.name, Finding(what, cure, Level.WARNING))
    if unknown:
        yield Diagnosis(CHECK, TELEMETRY.name, _of_another_catalogue(case, unknown))


def _followed(case: Case, partition: int) -> list[Marker]:
    markers = [found for line in case.tail(TELEMETRY.name).lines.get(partition, ()) if (found := marker(line))]
    stands = followed_by(heads_of(case.tail(changelog_of(ROLE)).lines.get(partition, [])), partition)
    return [*markers, *([Marker(*stands)] if stands else [])]


def _of_another_catalogue(case: Case, partitions: list[int]) -> Finding:
    what = (
        f"a revision that {CATALOGUE.name} does not hold is in force in {numbers(partitions)}: the catalogue was "
        f"deleted and made anew, and {ROLE} will not start"
    )
    anew = remedy.begin_anew(case.config, ROLE, case.partitions.get(TELEMETRY.name))
    return Finding(what, f"with {ROLE} stopped: {anew} && forewarn apply PATH")
