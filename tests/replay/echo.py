"""A fold that publishes what it was given, so that a test sees the log a replay makes of its input."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile
from typing import Any

from forewarn.replay.replay import Folds, Slot, replay
from schemas.inbound import decode_telemetry
from sla.fold import AtomState, Emission, Line
from sla.records import Rejection, Tick

TELEMETRY = "sla.telemetry.v1"
NOTICES = "sla.notices.v1"
T = 1_795_428_000_000  # a whole minute
SECOND = 1000


class Echo:
    """Publishes every line; one with `"tell"` is also a notice, and `every 5 s` changes the step of ticks."""

    def __init__(self, topic: str, slot: Slot, made: dict[tuple[str, int], Echo]) -> None:
        self.topic = topic
        self.partition = slot.partition
        self.slot = slot
        self.now: int | None = None
        self.offset = -1
        self.lines: list[Line] = []
        made[topic, slot.partition] = self

    def load(self, atoms: Iterable[AtomState]) -> None:
        raise NotImplementedError

    def changes(self) -> Iterator[AtomState]:
        raise NotImplementedError

    def step(self, line: Line) -> list[Emission]:
        if line.offset <= self.offset:
            return []
        self.offset = line.offset
        self.lines.append(line)
        is_tick = isinstance(decode_telemetry(line, line.stamped_at), Tick)
        at = line.stamped_at if is_tick else line.append_at
        if self.now is None:
            self.now = line.stamped_at
        elif at is not None:
            self.now = max(self.now, at)
        if line.value == b"every 5 s":
            self.slot.pace.step_ms = 5000
        said = {"by": f"{self.topic}/{self.partition}", "offset": line.offset, "at": self.now}
        text = "" if line.value is None else line.value.decode(errors="replace")
        told = [Emission("said", None, {**said, "said": "tick" if is_tick else text})]
        if '"tell"' in text:
            told.append(Emission(NOTICES, "ann", {**said, "type": "notice"}))
            told.append(Emission("said", None, {**said, "said": "after the notice"}))
        return told


class Played:
    """What a replay printed, and the folds it ran."""

    def __init__(self, raw: bytes, until: int | None, step_ms: int, *, is_decoding: bool) -> None:
        self.folds: dict[tuple[str, int], Echo] = {}
        self.catalogue: list[tuple[int, bytes]] = []
        out = io.BytesIO()
        make = Dead if is_decoding else Echo

        def telemetry(slot: Slot) -> Echo:
            return make(TELEMETRY, slot, self.folds)

        def notices(slot: Slot) -> Echo:
            return Echo(NOTICES, slot, self.folds)

        folds = Folds({TELEMETRY: telemetry, NOTICES: notices}, frozenset({NOTICES}))
        with TemporaryFile("w+b") as source:
            source.write(raw)
            source.flush()
            replay(source, out.write, folds, self._feed, step_ms=step_ms, until=until)
        self.printed: list[dict[str, Any]] = [json.loads(line) for line in out.getvalue().splitlines()]

    def _feed(self, offset: int, value: bytes) -> None:
        self.catalogue.append((offset, value))

    @property
    def values(self) -> list[dict[str, Any]]:
        return [line["value"] for line in self.printed]

    def ticks(self, partition: int = 0, topic: str = TELEMETRY) -> list[int]:
        return [line.stamped_at for line in self.folds[topic, partition].lines if line.value == b'{"type":"tick"}']

    def records(self, partition: int = 0, topic: str = TELEMETRY) -> list[bytes | None]:
        return [line.value for line in self.folds[topic, partition].lines if line.value != b'{"type":"tick"}']

    def story(self) -> list[str]:
        """Seconds from T, who, what: the printed order in short."""
        return [f"{(v['at'] - T) / SECOND:g} {v['by'][4]}{v['by'][-1]} {v['said']}" for v in self.values if "said" in v]


class Dead(Echo):
    """Publishes dead letters and what they say only."""

    def step(self, line: Line) -> list[Emission]:
        from schemas.dead_letter import dead_letter  # noqa: PLC0415

        super().step(line)
        record = decode_telemetry(line, self.now or 0)
        if isinstance(record, Rejection):
            return [dead_letter(record, self.topic, self.partition, line)]
        return []


def line(value: Any, timestamp: int = T, **more: Any) -> dict[str, Any]:
    return {"topic": TELEMETRY, "key": None, "value": value, "timestamp": timestamp, **more}


def lines_of(*lines: dict[str, Any] | bytes) -> bytes:
    return b"".join(one + b"\n" if isinstance(one, bytes) else json.dumps(one).encode() + b"\n" for one in lines)


def play(*lines: dict[str, Any] | bytes, until: int | None = None, step_ms: int = SECOND) -> Played:
    return Played(lines_of(*lines), until, step_ms, is_decoding=False)


def dead_letters(*lines: dict[str, Any] | bytes) -> list[dict[str, Any]]:
    printed = Played(lines_of(*lines), None, SECOND, is_decoding=True).printed
    return [one["value"] for one in printed if one["topic"] == "sla.dlq.v1"]
