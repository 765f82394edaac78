"""`forewarn explain EVENT`: what it says and every number behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from forewarn.console import Console, ExitCode, UserError, table
from forewarn.explain.clock import Account, account_of
from forewarn.explain.evidence import Evidence, evidence_of
from forewarn.explain.telemetry import windows_of
from sla.units import rfc3339
from sla.wording import subject_of

_PIECES: Final = ("from", "to", "ms", "counts", "why")
_WINDOWS: Final = ("window", "from", "total", "bad", "burn rate")


def explain(asked: str, source: str | None, definitions: Sequence[Path], console: Console) -> ExitCode:
    """Print it; 1 if a clock's time does not add up to what the event carries."""
    found = evidence_of(asked, source)
    data = found.event["data"]
    console.say(f"{subject_of(found.event)} at {found.event.get('time')}")
    for line in _said(data):
        console.say(line)
    if data.get("ticket") is not None:
        return _clock(account_of(found, definitions), data, console)
    return _telemetry(found, console)


def _said(data: Mapping[str, Any]) -> Iterator[str]:
    """The objective, and the rule with those of its numbers that apply."""
    objective, reason = data["objective"], data["reason"]
    yield f"objective {objective['name']} version {objective['version']}: {objective['target']}, {objective['window']}"
    numbers = ", ".join(f"{name} {value}" for name, value in reason.items() if name != "rule" and value is not None)
    yield f"rule {reason['rule']}" + (f": {numbers}" if numbers else "")


def _clock(account: Account, data: Mapping[str, Any], console: Console) -> ExitCode:
    if not console.as_json:
        for line in table(_PIECES, _rows(account)):
            console.say(line)
        for note in account.notes:
            console.say(note)
    summed = account.summed
    if console.as_json and summed is not None:
        console.record(
            {
                "from": rfc3339(summed.start), "to": rfc3339(summed.end), "ms": summed.end - summed.start,
                "kind": "summed", "why": summed.why, "counted_ms": summed.counted_ms,
                "pauses_count": summed.pauses_count,
            }, "",
        )  # fmt: skip
    for piece in account.pieces if console.as_json else ():
        console.record(
            {
                "from": rfc3339(piece.start), "to": rfc3339(piece.end), "ms": piece.end - piece.start,
                "kind": piece.kind.value, "why": piece.why or None,
            }, "",
        )  # fmt: skip
    counted_ms, said_ms = account.counted_ms, account.said_ms
    target_ms = account.objective.target_ms
    ticket = data["ticket"]
    total = {
        "carried_ms": account.carried_ms, "elapsed_ms": counted_ms, "said_ms": said_ms, "target_ms": target_ms,
        "percent": 100 * counted_ms // target_ms, "deadline": ticket["deadline"], "notes": list(account.notes),
        "adds_up": counted_ms == said_ms,
    }  # fmt: skip
    line = f"{counted_ms} ms of {target_ms} ms have elapsed ({total['percent']} %); the event carries {said_ms} ms"
    console.record(total, line)
    if counted_ms != said_ms:
        console.say("they differ: the calendar is not the one by which this was decided")
        return ExitCode.FINDING
    return ExitCode.FINE


def _rows(account: Account) -> Iterator[tuple[str, ...]]:
    if account.carried_ms:
        yield "–", "–", str(account.carried_ms), "yes", "carried over from before"
    summed = account.summed
    if summed is not None:
        yield rfc3339(summed.start), rfc3339(summed.end), str(summed.counted_ms), "yes", summed.why
    for piece in account.pieces:
        length_ms = str(piece.end - piece.start)
        yield rfc3339(piece.start), rfc3339(piece.end), length_ms, "yes" if piece.counted_ms else "no", piece.why


def _telemetry(found: Evidence, console: Console) -> ExitCode:
    record = found.record
    if record is None:
        raise UserError(
            f"no record of event {found.event.get('id')} was found",
            "give --input with the records that replay printed beside it",
        )
    windows = list(windows_of(record))
    rows = (
        (each.name, each.from_at, str(each.total_count), str(each.bad_count), _or_dash(each.burn_rate))
        for each in windows
    )
    for line in table(_WINDOWS, rows) if not console.as_json else ():
        console.say(line)
    for each in windows if console.as_json else ():
        console.record(each._asdict(), "")
    inputs = record["inputs"]
    for start, end in inputs["uncounted"]:
        console.record({"from": start, "to": end, "kind": "uncounted"}, f"{start} to {end} does not count")
    budget = inputs["budget"]
    spent = "no budget" if budget is None else f"{budget['consumed_count']} of {budget['allowed_count']} allowed"
    total = {"budget": budget, "reason": inputs["reason"], "definition": record["definition"]}
    console.record(total, f"budget: {spent}; burn rate = (bad / total) / (1 - target)")
    return ExitCode.FINE


def _or_dash(value: float | None) -> str:
    return "–" if value is None else str(value)
