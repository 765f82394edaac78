"""What was said of tickets against what must be said, in words a person can read."""

from __future__ import annotations

from typing import Any

from .clock_track import CLOCKS, Truth
from .clocks import Told
from .compare import by_key, differing, inconsistent
from .windows import instant, spell

Emission = dict[str, Any]
TOPICS = ("sla.alerts.v1", CLOCKS)


def clock_differences(expected: Told, told: list[Emission]) -> list[str]:
    """One line per difference. `told` may hold other topics; alerts of what is no ticket are left out."""
    of_tickets = [each for each in told if each["topic"] in TOPICS and each["value"]["data"].get("ticket") is not None]
    wanted_by_key, told_by_key = by_key(expected.events), by_key(of_tickets)
    found: list[str] = []
    for place in sorted({*wanted_by_key, *told_by_key}):
        found += inconsistent(place, told_by_key.get(place, []))
        if place[1] in expected.orderly:
            found += differing(place, wanted_by_key.get(place, []), told_by_key.get(place, []))
    for key in sorted(expected.facts.keys() - expected.orderly):
        found += untrue(key, expected.facts[key], [each for each in of_tickets if each["key"] == key])
    return found


def untrue(key: str, truth: Truth, told: list[Emission]) -> list[str]:
    """What was told, less what was corrected, is what is true in the end; a clock taken back may have been cancelled.

    Repeated tellings of one fact are one; an open clock's breach is for time to tell. A correction may have been read
    before what it corrects, which is on another topic.
    """
    stands: dict[str, tuple[str, int]] = {}
    for each in sorted(told, key=_is_correction):
        value = each["value"]
        name = value["type"].removeprefix("forewarn.").removesuffix(".v1")
        if name == "breach" or name.startswith("clock."):
            stands[value["id"]] = name.removeprefix("clock."), instant(value["time"])
        elif name == "correction":
            superseded, after = stands.pop(value["data"]["supersedes"], None), value["data"]["after"]
            if superseded is not None and after["event"] is not None:
                stands[value["data"]["supersedes"]] = superseded[0], instant(after["at"])
    missing = set(truth.must) - set(stands.values())
    judged = {fact for fact in stands.values() if fact[1] > truth.silent_until and fact[0] != "cancelled"}
    false = judged - set(truth.may)
    return [
        *(f"{key}: in the end {name} at {spell(at)} is true and untold" for name, at in sorted(missing)),
        *(f"{key}: in the end {name} at {spell(at)} was told and is not true" for name, at in sorted(false)),
    ]


def _is_correction(event: Emission) -> bool:
    return bool(event["value"]["type"] == "forewarn.correction.v1")
