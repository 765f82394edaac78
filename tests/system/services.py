"""A fleet of services that deteriorate in different ways within a minute: its definitions, and its records by second.

Windows are short and history is loaded, so that nothing is warming and warnings and breaches come within seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sla.units import HOUR_MS, MINUTE_MS, floor_to, rfc3339

SECONDS = 56  # how long the fleet runs
GOOD_PER_MINUTE = 1_000
HISTORY_MS = 2 * HOUR_MS

Document = dict[str, Any]
Body = dict[str, Any]

QUICK = {"name": "quick", "severity": "critical", "budget": "20%", "long": "5m", "short": "1m"}
SLOW = {"name": "slow", "severity": "warning", "budget": "20%", "long": "10m", "short": "2m"}
WARNINGS = {"burnRates": [QUICK, SLOW], "forecast": "none"}
SILENCE = {"after": "8s", "treat": "unknown"}


class Story(NamedTuple):
    """What happens to some services. `bad_per_s` is by [from, to) of the second; None there: nothing is sent."""

    name: str
    count: int
    indicator: dict[str, Any]
    spec: dict[str, Any]
    phases: tuple[tuple[int, int, int | None], ...] = ()

    @property
    def services(self) -> list[str]:
        return [f"{self.name}-{number:02d}" for number in range(self.count)]

    def trouble(self, second: int) -> int | None:
        return next((bad for begin, end, bad in self.phases if begin <= second < end), 0)


def ratio(**spec: Any) -> dict[str, Any]:
    """A promise of an hour's window, warned of early."""
    return {"target": "99%", "window": {"rolling": "1h"}, "warnings": WARNINGS, **spec}


RATIO = {"type": "ratio", "signal": "availability"}
SAMPLES = {"type": "threshold", "signal": "latency_ms", "op": "lte", "value": 300}
UPTIME = {"type": "uptime", "signal": "uptime"}
SLICES = {"timeslices": "1m", "sliceTarget": "95%"}
NEVER = SECONDS

STORIES = (
    Story("well", 8, RATIO, ratio()),
    Story("outage", 8, RATIO, ratio(), ((5, 30, 12),)),
    Story("collapse", 8, RATIO, ratio(), ((5, 40, 60),)),
    Story("late", 4, RATIO, ratio(grace="10s"), ((8, 45, 20),)),
    Story("silent", 6, RATIO, ratio(noData=SILENCE), ((10, 32, None),)),
    Story("gone", 2, RATIO, ratio(noData=SILENCE), ((4, 22, 60), (22, NEVER, None))),
    Story("excused", 4, RATIO, ratio(), ((5, 30, 60),)),
    Story("sliced", 4, RATIO, ratio(budgeting=SLICES, grace="5s"), ((3, 50, 60),)),
    Story("shadow", 2, RATIO, ratio(mode="shadow"), ((5, 40, 60),)),
    Story("slow", 6, SAMPLES, ratio(target="80%"), ((12, 40, 1),)),
    Story("down", 4, UPTIME, ratio(), ((6, 50, 1),)),
    Story("dark", 2, UPTIME, ratio(noData=SILENCE), ((6, 24, 1), (24, 40, None))),
    Story("forecast", 2, RATIO, ratio(warnings={"burnRates": [SLOW]}), ((5, NEVER, 10),)),
)


def documents(stories: Sequence[Story] = STORIES) -> list[Document]:
    """The definitions of a fleet, whole."""
    found = [_document("Settings", "detector", {"decideEvery": "1s"})]
    for story in stories:
        for service in story.services:
            objective = f"{service}-promise"
            found += [
                _document("Service", service, {"owner": f"{story.name}-team"}),
                _document("Objective", objective, {"service": service, "indicator": story.indicator, **story.spec}),
                _document(
                    "Agreement", f"{service}-sla", {"type": "sla", "customer": "acme", "objectives": [objective]}
                ),
            ]
    everything = [service for story in stories for service in story.services]
    troubled = [service for service in everything if not service.startswith("well")]
    found += [
        _stakeholder("oncall", "oncall", everything),
        _stakeholder("acme", "customer", troubled),
    ]
    return found


def _document(kind: str, name: str, spec: dict[str, Any]) -> Document:
    return {"apiVersion": "forewarn/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def _stakeholder(name: str, audience: str, services: list[str]) -> Document:
    return _document(
        "Stakeholder",
        name,
        {
            "audience": audience,
            "watches": {"services": services},
            "channels": [{"console": {}}],
            # At once, each by itself: the run ends before anything could wait.
            "groupWait": "none",
            "rateLimit": "none",
        },
    )


def history(at: int, stories: Sequence[Story] = STORIES) -> Iterator[Body]:
    """What is loaded before the first record: the past two hours of every signal, all good."""
    end = floor_to(at, MINUTE_MS)
    good = HISTORY_MS // MINUTE_MS * GOOD_PER_MINUTE
    for story in stories:
        for service in story.services:
            named = {"type": "history", "service": service, "signal": story.indicator["signal"]}
            yield {**named, "from": rfc3339(end - HISTORY_MS), "to": rfc3339(end), "good": good, "bad": 0}


def records(second: int, at: int) -> Iterator[Body]:
    """What the fleet sends in a second of its life, `at` being the log's time."""
    for story in STORIES:
        for number, service in enumerate(story.services):
            bad = story.trouble(second)
            if bad is None:
                continue
            body = {"service": service, "signal": story.indicator["signal"], "at": rfc3339(at)}
            yield from measured(story, number, second, bad, at, body)
            if story.name == "excused" and second == 34:
                yield exclusion(service, at)
            if story.name == "collapse" and second == 4:
                yield {"type": "change", "service": service, "at": rfc3339(at), "id": "deploy", "summary": "v2"}


def measured(story: Story, number: int, second: int, bad: int, at: int, body: Body) -> Iterator[Body]:
    """What one service measures in a second."""
    if story.indicator is SAMPLES:
        yield {"type": "sample", **body, "value": 512.5 if bad and second % 2 else 120}
    elif story.indicator is UPTIME:
        if second % 2 == 0:
            yield {"type": "state", **body, "up": bad == 0}
    elif story.name == "late" and second % 4 == number:
        yield {"type": "counts", **body, "good": 20, "bad": bad, "at": rfc3339(at - 30_000)}
    else:
        numbered = {"source": "probe", "sequence": second} if number % 2 else {}
        counts = {"type": "counts", **body, **numbered, "good": 20, "bad": bad}
        yield counts
        if numbered and second % 7 == 0:
            yield counts  # the same once more: dropped as a repeat


def exclusion(service: str, at: int, name: str = "CHG-1") -> Body:
    """Planned work, told of after it has begun."""
    begin = floor_to(at, MINUTE_MS) - 2 * MINUTE_MS
    return {
        "type": "exclusion",
        "service": service,
        "id": name,
        "reason": "planned work",
        "category": "planned",
        "from": rfc3339(begin),
        "to": rfc3339(begin + 6 * MINUTE_MS),
        "status": "approved",
    }
