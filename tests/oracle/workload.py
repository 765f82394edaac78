"""Seeded definitions and logs: services that stay well, leak, fail, fall silent, are late and repeat themselves."""

from __future__ import annotations

import random
from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any, NamedTuple

from .definitions import HOUR_MS, MINUTE_MS, SECOND_MS, duration_ms, nominal_ms, share, window
from .open_time import ALWAYS, OpenTime
from .windows import floor_to, instant, period, spell

ZONES = (
    *("UTC", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Chatham", "America/St_Johns", "Australia/Lord_Howe"),
    *("Asia/Tokyo", "America/Los_Angeles", "America/Sao_Paulo", "Asia/Karachi", "Pacific/Auckland", "Africa/Cairo"),
)
DAYS = ("2026-11-23", "2026-03-28", "2026-10-24", "2026-12-31", "2026-02-28", "2026-06-15")
NOTHING = {"burnRates": "none", "budgetConsumed": "none", "forecast": "none"}


class Workload(NamedTuple):
    definitions: list[dict[str, Any]]
    lines: list[dict[str, Any]]
    tick_ms: int
    revisions: Mapping[int, list[dict[str, Any]]] = MappingProxyType({})  # by the number that markers name


class Span(NamedTuple):
    begin: int
    end: int


class Pace(NamedTuple):
    """How fast a log goes: `slowness` stretches its gaps, its phases and the patience with silence."""

    slowness: int = 1
    rolling: tuple[str, ...] = ("1h", "2h", "3h", "6h", "8h", "1d")
    calendar: tuple[str, ...] = ("day", "day", "day", "week", "month")
    tier_minutes: tuple[int, ...] = (10, 15, 20, 30, 60, 120)  # of long windows
    short_minutes: tuple[int, ...] = (2, 3, 5, 10)


QUICK = Pace()


class Signal(NamedTuple):
    service: str
    name: str
    kind: str
    targets: list[Fraction]
    correct_for_ms: int


def workload(seed: int) -> Workload:
    dice = random.Random(seed)
    tick_ms = dice.choice([10, 20, 30, 60]) * SECOND_MS
    begin = instant(f"{dice.choice(DAYS)}T{dice.randrange(24):02d}:{dice.randrange(60):02d}:00Z")
    span = Span(begin, begin + dice.choice([3, 4, 6, 8]) * HOUR_MS)
    documents: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for number in range(dice.choice([1, 1, 2, 3])):
        more_documents, more_lines = service(dice, f"svc{number}", span)
        documents += more_documents
        lines += more_lines
    documents.append(stakeholder(documents))
    lines.sort(key=lambda line: line["timestamp"])
    if dice.random() < 0.2:
        lines = with_own_ticks(dice, lines, span, tick_ms)
    return Workload(documents, lines, tick_ms)


def stakeholder(documents: list[dict[str, Any]]) -> dict[str, Any]:
    services = [document["metadata"]["name"] for document in documents if document["kind"] == "Service"]
    spec = {"audience": "oncall", "watches": {"services": services}, "channels": [{"console": True}]}
    return document("Stakeholder", "oncall", spec)


def document(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "forewarn/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def service(
    dice: random.Random, name: str, span: Span, pace: Pace = QUICK
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    documents = [document("Service", name, {"owner": "team"})]
    lines: list[dict[str, Any]] = []
    objectives: list[str] = []
    align_ms = dice.choice([MINUTE_MS, 5 * MINUTE_MS])
    kinds = dice.choices(["ratio", "threshold", "uptime"], weights=[3, 2, 2], k=dice.choice([1, 2]))
    for number, kind in enumerate(kinds):
        signal_name = f"sig{number}"
        grace, correct_for = dice.choice(["0s", "1m", "1m", "2m", "2m", "90s"]), dice.choice(["20m", "1h", "3d"])
        no_data_after = f"{dice.choice([3, 5, 7]) * pace.slowness}m"
        targets = []
        for place in range(dice.choice([1, 1, 2])):
            promised = objective(dice, kind, span, pace, align_ms=align_ms, no_data_after=no_data_after)
            promised["spec"]["service"] = name
            promised["spec"]["indicator"]["signal"] = signal_name
            promised["spec"] |= {"grace": grace, "correctFor": correct_for}
            promised["metadata"]["name"] = f"{name}-{signal_name}-{place}"
            documents.append(promised)
            objectives.append(promised["metadata"]["name"])
            targets.append(share(promised["spec"]["target"]))
        signal = Signal(name, signal_name, kind, targets, duration_ms(correct_for))
        sliced = any("budgeting" in one["spec"] for one in documents if one["metadata"]["name"] in objectives)
        lines += history(dice, signal, span) if kind == "ratio" and not sliced and dice.random() < 0.25 else []
        lines += telemetry(dice, signal, span, pace.slowness)
    deals = range(dice.choice([0, 1, 1, 2]))
    documents += [agreement(dice, f"{name}-deal{number}", objectives, span, pace) for number in deals]
    lines += exclusions(dice, name, span, align_ms)
    return documents, lines


def objective(
    dice: random.Random, kind: str, span: Span, pace: Pace = QUICK, *, align_ms: int, no_data_after: str
) -> dict[str, Any]:
    indicator: dict[str, Any] = {"type": kind}
    if kind == "threshold":
        indicator |= {"op": dice.choice(["lte", "lt"]), "value": 200}
    promised: dict[str, Any] = {
        "indicator": indicator,
        "target": dice.choice(["90%", "95%", "99%", "99.5%"]),
        "window": a_window(dice, span, pace),
    }
    slices = dice.random() < 0.3
    if slices:
        length = "1m" if align_ms == MINUTE_MS else dice.choice(["1m", "5m"])
        promised["budgeting"] = {"timeslices": length, "sliceTarget": dice.choice(["80%", "90%", "95%"])}
    treats = ["unknown", "unknown", "ignore"]
    if slices or kind == "uptime":
        treats += ["bad", "good"]
    if dice.random() < 0.6:
        promised["noData"] = {"after": no_data_after, "treat": dice.choice(treats)}
    elif kind == "uptime" and dice.random() < 0.3:
        promised["noData"] = "none"
    promised["warnings"] = warnings(dice, promised, pace)
    return document("Objective", "", promised)


def a_window(dice: random.Random, span: Span, pace: Pace) -> dict[str, Any]:
    if dice.random() < 0.6:
        return {"rolling": dice.choice(pace.rolling)}
    return a_period(dice, span, pace)


def a_period(dice: random.Random, span: Span, pace: Pace) -> dict[str, Any]:
    """A day that ends within the log if a zone has one, sometimes a week or a month."""
    calendar = dice.choice(pace.calendar)
    zones = [
        zone
        for zone in ZONES
        if period(window({"calendar": calendar, "timezone": zone}), span.begin)[1] < span.end - 10 * MINUTE_MS
    ]
    return {"calendar": calendar, "timezone": dice.choice(zones or list(ZONES))}


def warnings(
    dice: random.Random, promised: dict[str, Any], pace: Pace = QUICK, hours: OpenTime = ALWAYS
) -> dict[str, Any]:
    tolerated = 1 - share(promised["target"])
    period_ms = nominal_ms(window(promised["window"]), *hours.year_share)
    fitting = [minutes for minutes in pace.tier_minutes if minutes * MINUTE_MS <= period_ms // 2]
    indexes = range(dice.choice([1, 2, 3]) if fitting else 0)
    own = [a_tier(dice, index, period_ms, tolerated, fitting, pace.short_minutes) for index in indexes] or "none"
    marks = dice.choice([["50%", "75%", "90%"], ["25%", "80%"], "none"])
    return {"burnRates": dice.choice([own, own, own, "google", "none"]), "budgetConsumed": marks, "forecast": "none"}


def a_tier(
    dice: random.Random,
    index: int,
    period_ms: int,
    tolerated: Fraction,
    longs: list[int],
    shorts: tuple[int, ...],
) -> dict[str, Any]:
    long_minutes = dice.choice(longs)
    short_minutes = dice.choice([minutes for minutes in shorts if minutes <= long_minutes // 2])
    highest = min(Fraction(12), Fraction(9, 10) / tolerated, Fraction(period_ms, long_minutes * MINUTE_MS))
    factor = 1 + (highest - 1) * Fraction(dice.randrange(1, 60), 100)
    thousandths = min(int(factor * long_minutes * MINUTE_MS / period_ms * 100_000) + 1, 100_000)
    return {
        "name": f"tier{index}",
        "severity": dice.choice(["critical", "warning"]),
        "budget": f"{thousandths // 1000}.{thousandths % 1000:03d}%",
        "long": f"{long_minutes}m" if long_minutes % 60 else f"{long_minutes // 60}h",
        "short": f"{short_minutes}m",
    }


def agreement(dice: random.Random, name: str, objectives: list[str], span: Span, pace: Pace = QUICK) -> dict[str, Any]:
    chosen = sorted(dice.sample(objectives, dice.randint(1, len(objectives))))
    period_of = a_period(dice, span, pace)
    spec: dict[str, Any] = {"type": "sla", "customer": "acme", "objectives": chosen, "period": period_of}
    if dice.random() < 0.4:
        spec["maintenanceAllowance"] = dice.choice(["10m", "30m", "1h"])
    return document("Agreement", name, spec)


# -- the log ------------------------------------------------------------------------------------------------------


def telemetry(dice: random.Random, signal: Signal, span: Span, slowness: int = 1) -> list[dict[str, Any]]:
    every_ms = dice.choice([15, 20, 30, 60]) * SECOND_MS * slowness
    source = dice.choice([None, f"probe-{signal.name}"])
    volume = dice.choice([1, 5, 40, 200])
    at = span.begin + dice.randrange(20 * MINUTE_MS)
    lines: list[dict[str, Any]] = []
    tolerated = 1 - max(signal.targets)
    while at < span.end:
        mode = dice.choice(["calm", "calm", "calm", "leak", "leak", "outage", "silence"])
        phase_minutes = dice.randrange(1, 8) if mode == "outage" else dice.randrange(5, 50)
        phase_end = at + phase_minutes * slowness * MINUTE_MS
        trouble = trouble_of(dice, mode, tolerated)
        while at < min(phase_end, span.end):
            if mode != "silence":
                body = measurement(dice, signal.kind, volume, trouble)
                lines += sent(dice, signal, at, body)
            at += every_ms if dice.random() < 0.3 else every_ms + dice.randrange(-2000, 2000)
        if mode == "silence":
            at += dice.choice([0, 0, 17, 60_000])
    lines = [line for line in lines if line["timestamp"] <= span.end]
    lines.sort(key=lambda line: line["timestamp"])
    return lines if source is None else numbered(dice, lines, source)


def trouble_of(dice: random.Random, mode: str, tolerated: Fraction) -> float:
    spent = float(tolerated)
    if mode == "leak":
        return min(0.9, spent * dice.uniform(1.5, 9))
    return dice.uniform(0.3, 1) if mode == "outage" else spent * dice.choice([0, 0.1, 0.4])


def measurement(dice: random.Random, kind: str, volume: int, trouble: float) -> dict[str, Any]:
    if kind == "ratio":
        total = dice.randrange(volume + 1) if dice.random() < 0.1 else volume
        bad = sum(1 for _ in range(total) if dice.random() < trouble)
        return {"type": "counts", "good": total - bad, "bad": bad}
    if kind == "threshold":
        low = dice.choice([12.5, 199.999, 200, 150])
        return {"type": "sample", "value": 200.001 if dice.random() < trouble else low}
    return {"type": "state", "up": dice.random() >= trouble}


def sent(dice: random.Random, signal: Signal, at: int, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The record as the log takes it: mostly at once, sometimes late, sometimes ahead of time."""
    chance = dice.random()
    delay_ms = dice.randrange(3000)
    if chance < 0.01:
        delay_ms = dice.randrange(30 * MINUTE_MS)
    elif chance < 0.013:
        delay_ms = min(signal.correct_for_ms, 3 * HOUR_MS) + dice.randrange(-1, 5 * MINUTE_MS)
    elif chance < 0.02:
        delay_ms = -dice.randrange(4 * MINUTE_MS)
    shown: str | int | None = dice.choice([spell(at), at])
    whole = {**body, "service": signal.service, "signal": signal.name, "at": shown}
    return [logged(signal.service, at + delay_ms, whole)]


def logged(key: str | None, timestamp: int, value: dict[str, Any]) -> dict[str, Any]:
    return {"topic": "sla.telemetry.v1", "key": key, "value": value, "timestamp": timestamp}


def history(dice: random.Random, signal: Signal, span: Span) -> list[dict[str, Any]]:
    end = floor_to(span.begin, MINUTE_MS)
    begin = end - dice.choice([30, 90, 300]) * MINUTE_MS
    good = (end - begin) // MINUTE_MS * dice.choice([1, 7, 50])
    bad = int(good * float(1 - max(signal.targets)) * dice.choice([0, 0.3, 0.9]))
    of_span = {"from": spell(begin), "to": spell(end)}
    value = {
        "type": "history",
        "service": signal.service,
        "signal": signal.name,
        **of_span,
        "good": good,
        "bad": bad,
    }
    return [logged(signal.service, span.begin, value)]


def numbered(dice: random.Random, lines: list[dict[str, Any]], source: str) -> list[dict[str, Any]]:
    """Each with its place in the log, and some of them twice."""
    found = []
    for sequence, line in enumerate(lines, start=1):
        line["value"] |= {"source": source, "sequence": sequence}
        found.append(line)
        if dice.random() < 0.03:
            found.append({**line, "timestamp": line["timestamp"] + dice.randrange(90 * SECOND_MS)})
    return found


def exclusions(dice: random.Random, service: str, span: Span, align_ms: int) -> list[dict[str, Any]]:
    lines = []
    for number in range(dice.choice([0, 0, 1, 2, 3])):
        told_at = dice.randrange(span.begin, span.end)
        ahead_ms = dice.choice([-150, -60, -30, 0, 20]) * MINUTE_MS
        begin = floor_to(told_at + ahead_ms, align_ms)
        end = begin + max(align_ms, floor_to(dice.randrange(5, 60) * MINUTE_MS, align_ms))
        value = {
            "type": "exclusion",
            "service": service,
            "id": f"CHG-{number}",
            "from": spell(begin),
            "to": spell(end),
            "reason": "work",
            "category": dice.choice(["planned", "planned", "customer", "force_majeure"]),
        }
        if dice.random() < 0.3:
            lines.append(logged(service, told_at - 1000, {**value, "status": "requested"}))
        lines.append(logged(service, told_at, value if dice.random() < 0.3 else {**value, "status": "approved"}))
        if dice.random() < 0.4:
            revoked_at = told_at + dice.randrange(1, 60) * MINUTE_MS
            lines.append(logged(service, revoked_at, {**value, "status": "revoked"}))
    return [line for line in lines if span.begin <= line["timestamp"] <= span.end]


def with_own_ticks(dice: random.Random, lines: list[dict[str, Any]], span: Span, tick_ms: int) -> list[dict[str, Any]]:
    """Ticks of the input's own, with holes in which nobody watched: what came then is read after it."""
    holes = []
    for _ in range(dice.choice([1, 2])):
        begin = dice.randrange(span.begin, span.end)
        holes.append(Span(begin, begin + dice.choice([1, 7, 20]) * MINUTE_MS))
    ticks = [logged(None, at, {"type": "tick"}) for at in range(floor_to(span.begin, tick_ms), span.end + 1, tick_ms)]
    kept = [tick for tick in ticks if not any(hole.begin <= tick["timestamp"] < hole.end for hole in holes)]
    for line in lines:
        for hole in sorted(holes):
            if hole.begin <= line["timestamp"] < hole.end:
                line["timestamp"] = hole.end
    return sorted([*kept, *lines], key=lambda line: line["timestamp"])
