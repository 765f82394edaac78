"""What producers do wrong, as far as their newest records show it: clocks that are off, records that cannot be used."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson

from forewarn.doctor.case import Case
from forewarn.doctor.clocks import FAR_OFF_MS, OFF_MS, host_now
from forewarn.doctor.diagnosis import Diagnosis
from forewarn.finding import Finding, Level
from schemas.instants import read_instant
from schemas.topics import DEAD_LETTERS, TELEMETRY
from sla.fold import Line
from sla.units import HOUR_MS, MINUTE_MS, SECOND_MS, rfc3339

CHECK: Final = "producers"
MEASURED: Final = frozenset({"counts", "sample", "state"})
DELAYED_MS: Final = 2 * MINUTE_MS  # the default `grace`; what takes longer is late
RECORDS_LEAST: Final = 5  # one record that was sent later says nothing about a clock
SHOWN_COUNT: Final = 5


def check(case: Case) -> list[Diagnosis]:
    """Look at the newest telemetry and the dead letters of the last hour."""
    telemetry = [line for lines in case.tail(TELEMETRY.name).lines.values() for line in lines]
    letters = [line for lines in case.tail(DEAD_LETTERS.name).lines.values() for line in lines]
    return [
        *(Diagnosis(CHECK, TELEMETRY.name, finding) for finding in judge_clocks(telemetry)),
        *(Diagnosis(CHECK, DEAD_LETTERS.name, finding) for finding in judge_letters(letters, round(host_now()))),
    ]


def judge_clocks(lines: Iterable[Line]) -> list[Finding]:
    """Whose `at` is not what the broker's clock said when the record came.

    A record cannot come before it was measured: ahead is a clock's fault. Behind may be one, or a long way.
    """
    ahead_ms: defaultdict[str, list[int]] = defaultdict(list)
    for line in lines:
        body = _object(line.value)
        service, at = body.get("service"), body.get("at")
        if line.append_at is None or body.get("type") not in MEASURED or not isinstance(service, str):
            continue
        measured_at = read_instant(at) if isinstance(at, str | int) else None
        if measured_at is not None:
            ahead_ms[service].append(measured_at - line.append_at)
    fast = {service: max(each) for service, each in ahead_ms.items() if max(each) > OFF_MS}
    slow = {
        service: -max(each)
        for service, each in ahead_ms.items()
        if len(each) >= RECORDS_LEAST and max(each) < -DELAYED_MS
    }
    return [*_fast(fast), *_slow(slow)]


def _fast(services: Mapping[str, int]) -> list[Finding]:
    if not services:
        return []
    worst_ms = max(services.values())
    dead = worst_ms > FAR_OFF_MS
    meaning = "more than 5 min ahead is a dead letter, from_the_future" if dead else "they count at the broker's time"
    what = (
        f"records of {_named(services)} bear an `at` up to {worst_ms / SECOND_MS:.1f} s ahead of the broker's clock: "
        f"{meaning}"
    )
    cure = "let NTP set the clocks where these are measured; `chronyc tracking` there shows how far off they are"
    return [Finding(what, cure, Level.ERROR if dead else Level.WARNING)]


def _slow(services: Mapping[str, int]) -> list[Finding]:
    if not services:
        return []
    what = (
        f"none of the newest records of {_named(services)} came less than {min(services.values()) / SECOND_MS:.0f} s "
        f"after its `at`: later than `grace` they are late, and warnings come late by as much"
    )
    cure = (
        "look whether that producer's clock is slow (`chronyc tracking`) or it holds records back; else raise `grace`"
    )
    return [Finding(what, cure, Level.WARNING)]


def _named(services: Mapping[str, int]) -> str:
    shown = sorted(services, key=lambda service: (-services[service], service))[:SHOWN_COUNT]
    rest = len(services) - len(shown)
    return ", ".join(map(repr, shown)) + (f" and {rest} more services" if rest else "")


def judge_letters(lines: Sequence[Line], now: int) -> list[Finding]:
    """What could not be used lately, by reason."""
    letters = [(line, _object(line.value)) for line in lines if line.stamped_at > now - HOUR_MS]
    if not letters:
        return []
    reasons = Counter(str(letter.get("reason")) for _, letter in letters)
    line, last = max(letters, key=lambda each: each[0].stamped_at)
    told = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    what = (
        f"records of the last hour could not be used ({told}, as far as the newest tell); the last at "
        f"{rfc3339(line.stamped_at)}, from {last.get('topic')}/{last.get('partition')} at offset {last.get('offset')}: "
        f"{last.get('detail')}"
    )
    cure = f"mend who produces them; each is told by: forewarn tail --topic {DEAD_LETTERS.name} --from-beginning"
    return [Finding(what, cure, Level.WARNING)]


def _object(value: bytes | None) -> dict[str, Any]:
    try:
        body = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}
