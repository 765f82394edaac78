"""How a difference is printed: each change, then who is told more or less, then the sum."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from forewarn.console import Console, ExitCode, printable
from forewarn.diff.audience import Hearing
from forewarn.diff.difference import Difference, Told
from forewarn.diff.documents import Kind

_SIGN: Final = {Kind.ADDED: "+", Kind.CHANGED: "~", Kind.REMOVED: "-"}


def report(difference: Difference, console: Console) -> ExitCode:
    """Print it; 1 if anything would change for anybody, as for every finding."""
    for told in difference.told:
        first, *rest = _lines(told)
        console.record(_told_json(told), first)
        for line in rest:
            console.say(printable(line))
    for hearing in difference.hearings:
        console.record(_hearing_json(hearing), hearing.line())
    console.record(_sum_json(difference), _sum(difference))
    return ExitCode.FINDING if difference.told else ExitCode.FINE


def _lines(told: Told) -> Iterator[str]:
    """What, then indented how, what it means, what is kept, and for whom."""
    before, after = told.versions
    version = f" (version {before} → {after})" if before and after and before != after else ""
    yield f"{_SIGN[told.change.change]} {told.change.key.replace('/', ' ', 1)}{version}"
    yield from (f"    {field.line()}" for field in told.change.fields)
    yield from (f"    {sentence}" for sentence in told.means)
    several = len(told.memory) > 1
    yield from (f"    {f'{each.objective}: ' if several else ''}{each.line()}" for each in told.memory)
    if told.concerns:
        yield f"    concerns {', '.join(f'{party.who} ({party.role})' for party in told.concerns)}"


def _told_json(told: Told) -> dict[str, Any]:
    kind, _, name = told.change.key.partition("/")
    return {
        "change": told.change.change.value,
        "kind": kind,
        "name": name,
        "versions": list(told.versions),
        "fields": [field._asdict() for field in told.change.fields],
        "means": list(told.means),
        "memory": {each.objective: {"state": each.state.value, "has_counts": each.has_counts} for each in told.memory},
        "concerns": [{"who": party.who, "as": party.role} for party in told.concerns],
    }


def _hearing_json(hearing: Hearing) -> dict[str, Any]:
    return {"change": "audience", **hearing._asdict()}


def _counts(difference: Difference) -> dict[str, int]:
    return {kind.value: sum(told.change.change is kind for told in difference.told) for kind in Kind}


def _sum_json(difference: Difference) -> dict[str, Any]:
    held = difference.held
    return {
        "change": "sum",
        "against": held.said,
        "revision": held.revision,
        "sha256_before": held.sha256,
        "sha256": difference.sha256,
        "is_same_hash": difference.is_same_hash,
        **_counts(difference),
    }


def _sum(difference: Difference) -> str:
    said = difference.held.said
    if not difference.told:
        same = f"no difference: {said} holds the same documents"
        return same if difference.is_same_hash else f"{same} in another order; only the hash changes"
    counts = ", ".join(f"{count} {kind}" for kind, count in _counts(difference).items() if count)
    return f"against {said}: {counts}; the hash changes"
