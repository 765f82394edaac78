"""The table that docs/reliability.md holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.chaos.faults import STORM
from tests.chaos.run import Finding

WORDS: Final = {
    "kill": "kill -9",
    "freeze": "frozen beyond its session, woken",
    "brokerkill": "broker killed; from its return",
    "rediskill": "Redis killed",
    "cut": "network cut",
    "delay": "sends delayed",
    "refuse": "sends refused",
    "join": "a worker more",
    "leave": "a worker less",
    "roll": "rolling restart",
    STORM: "storms of several of these",
}
SHOWN: Final = 3
SHOWN_CHARS: Final = 1200


def table(found: Finding) -> Iterator[str]:
    """Markdown: what struck, how often, and how long a partition stood still where nothing else struck."""
    yield "| fault | struck | measured alone | longest stand-still | median |"
    yield "| --- | --- | --- | --- | --- |"
    for kind, words in WORDS.items():
        spans = sorted(found.stood_still_ms.get(kind, ()))
        struck = found.injected[kind] if kind != STORM else len(spans)
        if struck:
            longest = f"{spans[-1] / 1000:.1f} s" if spans else "–"
            median = f"{spans[len(spans) // 2] / 1000:.1f} s" if spans else "–"
            yield f"| {words} | {struck} | {len(spans) or '–'} | {longest} | {median} |"


def lines(found: Finding) -> Iterator[str]:
    """The whole report."""
    yield f"seed {found.seed}: " + ", ".join(f"{count:,} {name}" for name, count in found.counted.items())
    yield f"{found.ends_count} processes ended"
    yield from table(found)
    if found.left_out:
        yield f"{found.left_out} acts were left out: time was up"
    for law, ways in found.violations.items():
        yield f"BROKEN: {law.replace('_', ' ')} ({len(ways)})"
        yield from (f"    {way[:SHOWN_CHARS]}" for way in ways[:SHOWN])
    yield f"violations {len(found.violations)}"
