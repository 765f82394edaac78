"""The worked examples of a document: promises, records and what replay says of them, each in a block of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from forewarn.replay.run import run
from schemas.topics import ALERTS, STATUS, TELEMETRY
from sla.units import MINUTE_MS

BLOCKS: Final = re.compile(
    r"^### (?P<title>[^\n]+)\n(?:(?!^#).)*?^```yaml\n(?P<promises>.*?)^```\n(?:(?!^#).)*?"
    r"^```json\n(?P<records>.*?)^```\n(?:(?!^#).)*?^```text\n(?P<told>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
SERVICE: Final = "apiVersion: forewarn/v1\nkind: Service\nmetadata: {name: shop}\nspec: {owner: shop-team}\n---\n"
DAY: Final = "2026-11-23"
"""All examples happen on this day."""
MISSING: Final = object()


class Example(NamedTuple):
    """One example; `told` are the lines that the document promises."""

    title: str
    promises: str
    records: list[dict[str, Any]]
    told: list[str]


def examples(document: Path) -> list[Example]:
    """Every heading of the third level that has the three blocks."""
    found = BLOCKS.finditer(document.read_text(encoding="utf-8"))
    return [Example(one["title"], one["promises"], _records(one["records"]), one["told"].splitlines()) for one in found]


def _records(block: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in block.splitlines()]


def milliseconds(text: str) -> int:
    """An instant of a record, as replay's lines have it."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def lines(records: list[dict[str, Any]]) -> Iterator[str]:
    """Replay's input: a record is written at its `at`, unless its `written` says when."""
    for record in records:
        value = dict(record)
        at = milliseconds(value.pop("written", None) or value["at"])
        yield json.dumps({"topic": TELEMETRY.name, "key": value["service"], "value": value, "timestamp": at})


def played(example: Example, folder: Path) -> list[dict[str, Any]]:
    """What replay prints for it, decided at whole minutes, up to the last instant that the example names."""
    (folder / "promises.yaml").write_text(SERVICE + example.promises, encoding="utf-8")
    written = list(lines(example.records))
    (folder / "records.jsonl").write_text("".join(f"{line}\n" for line in written), encoding="utf-8")
    last = max(json.loads(line)["timestamp"] for line in written)
    until = max([last, *(milliseconds(f"{DAY}T{line.split()[0]}Z") for line in example.told)])
    source, output = (str(folder / f"{name}.jsonl") for name in ("records", "events"))
    run([folder / "promises.yaml"], source, output, tick_ms=MINUTE_MS, until=until)
    return [json.loads(line) for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()]


def told(example: Example, printed: list[dict[str, Any]]) -> list[str]:
    """What was printed, with the fields that the example shows: all alerts in order, then each status it asks for."""
    alerts = [one["value"] for one in printed if one["topic"] == ALERTS.name]
    shown = [line.split()[2:] for line in example.told if not is_status(line)]
    asked = [line.split() for line in example.told if is_status(line)]
    shown += [[] for _ in alerts[len(shown) :]]  # an event that the example does not name
    spoken = [_said(event, fields) for event, fields in zip(alerts, shown, strict=False)]
    return [*spoken, *(_status(printed, words) for words in asked)]


def is_status(line: str) -> bool:
    """Whether a line of an example shows a state instead of an event."""
    return line.split()[1] == "status"


def _said(event: dict[str, Any], wanted: list[str]) -> str:
    kind = event["type"].split(".")[1]
    return " ".join([event["time"][11:19], kind, *(_field(event["data"], pair) for pair in wanted)])


def _status(printed: list[dict[str, Any]], words: list[str]) -> str:
    """The newest status of the example's promise at an instant of its day."""
    before = [
        one["value"]
        for one in printed
        if one["topic"] == STATUS.name and one["value"]["data"]["evaluated_at"][11:19] <= words[0]
    ]
    shown = [_field(before[-1]["data"], pair) for pair in words[2:]] if before else ["none"]
    return " ".join([words[0], "status", *shown])


def _field(data: dict[str, Any], pair: str) -> str:
    name = pair.partition("=")[0]
    path = {"rule": "reason.rule", "tier": "reason.tier"}.get(name, name)
    value: Any = data
    for part in path.split("."):
        value = value.get(part, MISSING) if isinstance(value, dict) else MISSING
    return f"{name}={'missing' if value is MISSING else value if isinstance(value, str) else json.dumps(value)}"
