"""A small world for the fold of telemetry: definitions as dicts, lines by the minute, and what was said of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson

from schemas.dead_letter import dead_letter
from schemas.definitions import load_documents
from schemas.inbound import decode_telemetry
from sla.catalogue import Catalogue
from sla.detect import Detect
from sla.fold import AtomState, Emission, Line
from sla.units import MINUTE_MS, SECOND_MS, rfc3339

TOPIC: Final = "sla.telemetry.v1"
T0: Final = 1_795_428_000_000  # 2026-11-23T10:00:00Z, a Monday

QUIET: Final = {"burnRates": "none", "budgetConsumed": "none", "forecast": "none"}

Document = dict[str, Any]


def document(kind: str, name: str, **spec: Any) -> Document:
    return {"apiVersion": "forewarn/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def objective(name: str = "paid", **spec: Any) -> Document:
    """A promise on `pay`/`ok`: 90 % in a rolling hour, warned of by nothing unless said."""
    of_signal = {"type": "ratio", "signal": "ok"}
    whole = {"service": "pay", "indicator": of_signal, "target": "90%", "window": {"rolling": "1h"}, "warnings": QUIET}
    return document("Objective", name, **{**whole, **spec})


def renamed(old: str, changed: Document) -> Document:
    return {**changed, "metadata": {**changed["metadata"], "renamedFrom": old}}


def stakeholder(name: str, **watches: Any) -> Document:
    return document("Stakeholder", name, audience="oncall", watches=watches, channels=[{"console": True}])


def agreement(name: str, *objectives: str, **spec: Any) -> Document:
    return document("Agreement", name, type="sla", customer="acme", objectives=list(objectives), **spec)


def catalogue_of(documents: Iterable[Document], revision: int = 0, version: int = 1) -> Catalogue:
    """The catalogue of these documents, each of them at the same version."""
    loaded = load_documents(list(documents))
    assert loaded.catalogue is not None, [str(finding) for finding in loaded.findings]
    versions = {f"{d['kind']}/{d['metadata']['name']}": version for d in loaded.documents}
    return loaded.compiled(revision, versions)


def detect_of(base: Catalogue, revisions: Sequence[Catalogue] = (), gap_ms: int = 10 * SECOND_MS) -> Detect:
    by_name = {(each.revision, each.sha256): each for each in revisions}
    return Detect(
        TOPIC,
        0,
        cluster="test",
        decode=decode_telemetry,
        dead_letter=dead_letter,
        catalogue_reader=lambda revision, sha256: by_name.get((revision, sha256)),
        base=base,
        gap_ms=gap_ms,
    )


def line_of(offset: int, at: int, value: Mapping[str, Any], key: str | None = None, *, appended: bool = True) -> Line:
    raw_key = None if key is None else key.encode()
    return Line(offset, raw_key, orjson.dumps(value), at, at if appended else None)


def through_json(atoms: Iterable[AtomState]) -> list[AtomState]:
    """Table entries as they come back: written as JSON and read again."""
    return [atom._replace(body=orjson.loads(orjson.dumps(atom.body))) for atom in atoms]


def marker(of: Catalogue) -> dict[str, Any]:
    return {"type": "catalogue", "revision": of.revision, "sha256": of.sha256}


class World:
    """One partition, told what happens; `said` is all that came out. Minutes count from T0."""

    def __init__(self, *documents: Document, revisions: Sequence[Catalogue] = (), gap_ms: int = MINUTE_MS) -> None:
        self.catalogue = catalogue_of(documents)
        self.fold = detect_of(self.catalogue, revisions, gap_ms)
        self.said: list[Emission] = []
        self.offset = -1

    def tell(self, at: int, value: Mapping[str, Any], key: str | None = "pay") -> list[Emission]:
        self.offset += 1
        emissions = self.fold.step(line_of(self.offset, at, value, key))
        self.said += emissions
        return emissions

    def tick(self, at: int) -> list[Emission]:
        return self.tell(at, {"type": "tick"}, None)

    def counts(self, at: int, good: int, bad: int, happened_at: int | None = None, **more: Any) -> list[Emission]:
        body = {"type": "counts", "service": "pay", "signal": "ok", "at": at if happened_at is None else happened_at}
        return self.tell(at, {**body, "good": good, "bad": bad, **more})

    def history(self, at: int, minutes: int, good: int, bad: int) -> list[Emission]:
        """The `minutes` before T0, so that windows up to that length are full from the first record on."""
        stretch = {"from": rfc3339(T0 - minutes * MINUTE_MS), "to": rfc3339(T0)}
        totals = {"good": good * minutes, "bad": bad * minutes}
        return self.tell(at, {"type": "history", "service": "pay", "signal": "ok", **stretch, **totals})

    def change(self, at: int, name: str) -> list[Emission]:
        return self.tell(at, {"type": "change", "service": "pay", "at": at, "id": name, "summary": f"{name} went out"})

    def exclusion(self, at: int, name: str, start: int, end: int, **more: Any) -> list[Emission]:
        body = {"type": "exclusion", "service": "pay", "id": name, "from": rfc3339(start), "to": rfc3339(end)}
        return self.tell(at, {**body, "reason": "work", "category": "planned", "status": "approved", **more})

    def minutes(self, start: int, end: int, good: int, bad: int) -> None:
        """Counts at each whole minute of [start, end), minutes from T0, and a tick 30 s later."""
        for minute in range(start, end):
            self.counts(T0 + minute * MINUTE_MS, good, bad)
            self.tick(T0 + minute * MINUTE_MS + 30 * SECOND_MS)

    def well(self, minutes: int = 60) -> World:
        """An hour of 10 good ones a minute lies behind, told at T0."""
        self.history(T0 - SECOND_MS, minutes, 10, 0)
        return self

    def idle(self, start: int, end: int) -> None:
        """Ticks alone, twice a minute."""
        for at in range(T0 + start * MINUTE_MS, T0 + end * MINUTE_MS, 30 * SECOND_MS):
            self.tick(at)

    # -- what was said

    def events(self, name: str | None = None, topic: str = "sla.alerts.v1") -> list[dict[str, Any]]:
        """The events of a topic, of one type if it is named."""
        found = [dict(each.value) for each in self.said if each.topic == topic]
        return [each for each in found if name is None or each["type"] == f"forewarn.{name}.v1"]

    def story(self, topic: str = "sla.alerts.v1") -> list[tuple[str, str, str]]:
        """Each event as (clock, name, rule)."""
        return [told(event) for event in self.events(topic=topic)]


def told(event: Mapping[str, Any]) -> tuple[str, str, str]:
    clock = event["time"][11:16] if event["time"].endswith(":00.000Z") else event["time"][11:19]
    return clock, event["type"].removeprefix("forewarn.").removesuffix(".v1"), event["data"]["reason"]["rule"]


def clock(minute: int) -> str:
    """A minute from T0 as `told` spells it."""
    return rfc3339(T0 + minute * MINUTE_MS)[11:16]
