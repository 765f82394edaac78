"""One run: a real Kafka behind a proxy, workers, a fleet, and a plan of faults; then what it all came to."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from agents.log_clock import real_ms
from schemas.topics import DEAD_LETTERS, TELEMETRY
from sla.units import MINUTE_MS
from tests.chaos import evidence, fleet, measure
from tests.chaos.crew import Crew
from tests.chaos.faults import DETECTORS, OTHERS, Act
from tests.chaos.proxy import Proxy
from tests.chaos.stage import Stage
from tests.harness import Broker, wait_for
from tests.harness.kafka import java_kafka
from tests.harness.redis import RedisServer
from tests.simulation.laws import OF_TOPICS, broken
from tests.system.ending import Ending
from tests.system.workers import Workers

SHOWN = 3

Tell = Callable[[str], None]


@dataclass(slots=True)
class Finding:
    """What a run came to. `stood_still_ms`: by kind of act, for each act."""

    seed: int
    minutes: float
    injected: Counter[str]
    stood_still_ms: Mapping[str, list[int]]
    counted: Mapping[str, int]
    ends_count: int
    violations: dict[str, list[str]] = field(default_factory=dict)
    left_out: int = 0


def run(
    acts: Sequence[Act],
    *,
    seed: int,
    minutes: float,
    session_s: float,
    flush_s: float = 10.0,
    is_static: bool = False,
    tell: Tell = lambda _: None,
) -> Finding:
    """Play the acts, as many as begin within the minutes. Raises `tests.harness.Missing` without Java or Redis."""
    with ExitStack() as stack:
        redis = RedisServer()
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="forewarn-chaos-")))
        stack.callback(redis.kill)
        redis.start()
        settings = {
            "FOREWARN_CLUSTER": "default",
            "FOREWARN_SESSION_TIMEOUT": f"{session_s:g}s",
            "FOREWARN_FLUSH_INTERVAL": f"{flush_s:g}s",
        }
        crew = Crew(is_static=is_static)
        proxy = stack.enter_context(closing(Proxy(crew.gates.values())))
        node = stack.enter_context(java_kafka({gate.behind: gate.port for gate in crew.gates.values()}))
        workers = stack.enter_context(closing(Workers(Broker("real", node.bootstrap), redis.url, **settings)))
        crew.workers = workers
        stage = Stage(crew, proxy, node, redis, real_ms)
        producing = _begin(crew, folder, node.bootstrap)
        try:
            left_out = _play(stage, acts, minutes, tell)
        finally:
            producing.stop()
        _end(crew, stage, producing, tell)
        return _judge(stage, producing, node.bootstrap, seed, minutes, left_out, tell)


def _begin(crew: Crew, folder: Path, bootstrap: str) -> fleet.Fleet:
    crew.workers.make_topics()
    definitions = folder / "definitions.yaml"
    definitions.write_text(yaml.safe_dump_all(fleet.definitions(), sort_keys=False))
    crew.workers.command("apply", str(definitions))
    crew.start(*DETECTORS, *OTHERS)
    wait_for(crew.is_whole, "the workers to share the work", explain=crew.findings)
    crew.workers.wait_marked()
    producing = fleet.Fleet(bootstrap)
    producing.load()
    producing.start()
    return producing


def _play(stage: Stage, acts: Sequence[Act], minutes: float, tell: Tell) -> int:
    """How many acts were left out, since time was up."""
    deadline = time.monotonic() + minutes * 60
    for place, act in enumerate(acts):
        if time.monotonic() > deadline:
            return len(acts) - place
        began = time.monotonic()
        stage.play(act)
        tell(f"{place + 1:>3}/{len(acts)} {act.kind:<11} {time.monotonic() - began:5.1f} s")
    return 0


def _end(crew: Crew, stage: Stage, producing: fleet.Fleet, tell: Tell) -> None:
    """A minute goes by, so that every sum is on the status topic; then everybody finishes and stops."""
    tell("all is mended; waiting for the minute to end and for everything to be read, told, delivered and shown")
    minute_ends_at = (real_ms() // MINUTE_MS + 1) * MINUTE_MS + 2_000

    def passed() -> bool:
        stage.watch()
        return real_ms() >= minute_ends_at

    wait_for(passed, "the minute to end")
    producing.say_last()
    Ending(crew.workers, crew.stop).settle()


def _judge(
    stage: Stage, producing: fleet.Fleet, bootstrap: str, seed: int, minutes: float, left_out: int, tell: Tell
) -> Finding:
    tell("judging")
    topics = evidence.read_topics(bootstrap)
    crew = stage.crew
    violations = {
        "all is well again after each act": stage.violations,
        "every record is acknowledged to its producer": producing.refused,
        "workers end only for a reason": [f"{end.name} ended with {end.code}: {end.tail}" for end in crew.ends],
        "sums are exact": evidence.sums(topics),
        "everybody is told": evidence.told_once(topics),
        **broken(evidence.outcome(topics, bootstrap, seed), OF_TOPICS),
    }
    answered = measure.answers(topics[TELEMETRY.name], topics[DEAD_LETTERS.name])
    return Finding(
        seed,
        minutes,
        stage.injected,
        measure.longest_ms(stage.played, answered),
        evidence.counted(topics),
        len(crew.workers.ended),
        {law: ways for law, ways in violations.items() if ways},
        left_out,
    )
