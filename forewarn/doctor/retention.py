"""Whether records are kept for as long as somebody may still need them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from agents.heads import RENEW_AFTER_S
from forewarn import remedy
from forewarn.doctor.case import Case
from forewarn.doctor.diagnosis import Diagnosis, numbers
from forewarn.doctor.tail import Bounds
from forewarn.finding import Finding, Level
from forewarn.kafka import committed
from forewarn.topic_judge import CHANGELOGS, UNLIMITED
from forewarn.worker import ROLES
from schemas.topics import ALL, BY_NAME, CATALOGUE, FOREVER, TELEMETRY, Topic, application_of
from sla.catalogue import Catalogue, Objective, Rolling, nominal_ms
from sla.units import SECOND_MS, spoken
from sla.working_time import YEAR_MS

CHECK: Final = "retention"


def check(case: Case) -> list[Diagnosis]:
    """What was deleted unread, what would be after a crash, and what could not be worked out again."""
    if not case.tells_settings:
        return list(_unread(case))
    return [*_unread(case), *_telemetry(case), *_changelogs(case)]


# -- what was deleted before its role read it


def _unread(case: Case) -> Iterator[Diagnosis]:
    for role in ROLES:
        for topic in ALL:
            if _follows(role, topic) and topic.name in case.partitions:
                stands = committed(case.config, application_of(role), topic.name, range(case.partitions[topic.name]))
                for finding in judge_positions(role, stands, case.bounds(topic.name), case, topic.name):
                    yield Diagnosis(CHECK, topic.name, finding)


def _follows(role: str, topic: Topic) -> bool:
    """Whether a role reads a topic by a consumer group: not its changelog, the catalogue or a compacted topic."""
    return role in topic.readers and not topic.is_compacted and topic is not CATALOGUE


def judge_positions(
    role: str, stands: Mapping[int, int], bounds: Mapping[int, Bounds], case: Case, topic: str
) -> list[Finding]:
    """A group that stands before the first record lost some; one that stands behind the last reads another topic."""
    findings = []
    lost = {at: bounds[at].low - offset for at, offset in stands.items() if offset < bounds[at].low}
    if lost:
        what = f"{sum(lost.values())} records of {numbers(list(lost))} were deleted before {role} had read them"
        longer = remedy.set_on_topic(case.config, topic, "retention.ms", UNLIMITED)
        findings.append(Finding(what, f"let nothing be deleted until it has caught up, and run more of it: {longer}"))
    behind = [at for at, offset in stands.items() if offset > bounds[at].end]
    if behind:
        what = f"{role} has read further than {numbers(behind)} goes: the topic was deleted and made anew"
        anew = remedy.begin_anew(case.config, role, case.partitions.get(TELEMETRY.name))
        findings.append(Finding(what, f"with {role} stopped: {anew}"))
    return findings


# -- what would be missed


def _telemetry(case: Case) -> Iterator[Diagnosis]:
    if TELEMETRY.name not in case.partitions:
        return
    kept_ms = int(case.topic_settings(TELEMETRY.name)["retention.ms"])
    if kept_ms == FOREVER:
        return
    settings = case.settings
    needed_s = settings.forewarn_flush_interval + settings.forewarn_session_timeout + settings.forewarn_start_deadline
    if kept_ms < needed_s * SECOND_MS:
        what = (
            f"it keeps records for {kept_ms / SECOND_MS:g} s, but a worker that crashed reads again what it had not "
            f"flushed, up to {needed_s:g} s later"
        )
        yield Diagnosis(CHECK, TELEMETRY.name, Finding(what, _keep(case, TELEMETRY.retention_ms)))
    longest = None if CATALOGUE.name not in case.partitions else longest_window(case.catalogue().current)
    if longest is not None and kept_ms < longest[1]:
        name, window_ms = longest
        what = (
            f"it keeps records for {spoken(kept_ms)}, the window of {name} is {spoken(window_ms)}: a changelog that is "
            f"lost cannot be worked out again, and a replay cannot fill the window"
        )
        yield Diagnosis(CHECK, TELEMETRY.name, Finding(what, _keep(case, window_ms), Level.NOTE))


def longest_window(catalogue: Catalogue) -> tuple[str, int] | None:
    """The objective with the longest window and how much telemetry that takes; None without objectives."""
    needed = [(o.name, _reach_ms(o) + o.correct_for_ms) for o in catalogue.objectives.values() if o.evaluated]
    return max(needed, key=lambda each: each[1], default=None)


def _reach_ms(objective: Objective) -> int:
    """How far back a window reaches, about: one of a calendar by the share of a year that it is open."""
    return (
        nominal_ms(objective.window)
        if not isinstance(objective.window, Rolling)
        else (objective.window.window_ms * YEAR_MS // max(1, objective.hours.year_ms))
    )


def _keep(case: Case, duration_ms: int | None) -> str:
    return remedy.set_on_topic(case.config, TELEMETRY.name, "retention.ms", str(duration_ms))


def _changelogs(case: Case) -> Iterator[Diagnosis]:
    """A zombie's write must not have replaced a newer value for good before the new owner has renewed that."""
    needed_ms = round((case.settings.forewarn_session_timeout + RENEW_AFTER_S) * SECOND_MS)
    for changelog in CHANGELOGS:
        if changelog in case.partitions:
            name = "min.compaction.lag.ms"
            kept_ms = int(case.topic_settings(changelog)[name])
            if kept_ms < needed_ms:
                what = (
                    f"{name} is {kept_ms}: a worker that was cut off may replace newer state for good before its "
                    f"successor has written it again, {needed_ms // SECOND_MS} s later"
                )
                wanted = BY_NAME[changelog].settings()[name]
                cure = remedy.set_on_topic(case.config, changelog, name, wanted)
                yield Diagnosis(CHECK, changelog, Finding(what, cure))
