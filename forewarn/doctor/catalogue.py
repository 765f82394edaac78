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
from forewarn.topic_judge import CHANGELOGS
from schemas.catalogue_log import CatalogueLog, Refused
from schemas.topics import CATALOGUE, TELEMETRY, changelog_of

CHECK: Final = "catalogue"
ROLES: Final = tuple(changelog.role for changelog in CHANGELOGS.values() if changelog.role in CATALOGUE.readers)
MARKED: Final = "detect"  # each of its partitions has records, if only ticks, and so a marker


def check(case: Case) -> list[Diagnosis]:
    """Read the whole log; a missing topic is for the check of topics to tell."""
    if CATALOGUE.name not in case.partitions:
        return []
    # Before the log, which may have moved on meanwhile: what is newer is never taken for what is unknown.
    stands = {role: _standing(case, role) for role in ROLES}
    marked = _markers(case)
    log = case.catalogue()
    found = [Diagnosis(CHECK, CATALOGUE.name, finding) for finding in _log(case, log)]
    for role in ROLES:
        unknown = [at for at, each in stands[role].items() if each.revision and log.at(*each) is None]
        if unknown:
            found.append(Diagnosis(CHECK, CHANGELOGS[changelog_of(role)].source.name, _of_another(case, role, unknown)))
    for at, stand in stands[MARKED].items():
        marked[at].append(stand)
    return [*found, *_behind(log, marked)]


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


def _standing(case: Case, role: str) -> dict[int, Marker]:
    """The revision under which each partition of a role was decided last, where its state says so."""
    lines = case.tail(changelog_of(role)).lines
    found = {at: followed_by(heads_of(lines[at]), at) for at in lines}
    return {at: Marker(*stands) for at, stands in found.items() if stands is not None}


def _of_another(case: Case, role: str, partitions: list[int]) -> Finding:
    what = (
        f"{role} follows a revision that {CATALOGUE.name} does not hold in {numbers(partitions)}: the catalogue was "
        f"deleted and made anew, and {role} will not start"
    )
    anew = remedy.begin_anew(case.config, role, case.partitions.get(TELEMETRY.name))
    return Finding(what, f"with {role} stopped: {anew} && forewarn apply PATH")


def _markers(case: Case) -> dict[int, list[Marker]]:
    lines = case.tail(TELEMETRY.name).lines
    partitions = range(case.partitions.get(TELEMETRY.name, 0))
    return {at: [found for line in lines.get(at, ()) if (found := marker(line))] for at in partitions}


def _behind(log: CatalogueLog, followed: Mapping[int, list[Marker]]) -> Iterator[Diagnosis]:
    """Partitions that follow an older revision than the one in force, or none; not those of another catalogue."""
    current = log.current.revision
    behind = [at for at, each in followed.items() if max((m.revision for m in each), default=0) < current]
    if behind:
        what = f"no marker of revision {current} is in {numbers(behind)}: older definitions hold there"
        cure = f"is a worker running? It writes the marker within seconds: forewarn worker --roles {MARKED}"
        yield Diagnosis(CHECK, TELEMETRY.name, Finding(what, cure, Level.WARNING))
