"""The end of a run: all was read, told, delivered and shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson
import redis

from agents.project import STATUS_KEY
from schemas.topics import DELIVERIES, NOTICES, OUTBOX, STATUS, TELEMETRY
from tests.harness import wait_for
from tests.system.recorded import committed, read_all
from tests.system.workers import PARTITIONS, Workers

TICKS_AFTER = 3  # the last record is judged when time goes on


class Ending:
    """Waits for what the workers have still to do. Nobody produces any more."""

    def __init__(self, workers: Workers, stop: Callable[[Sequence[str]], bool] | None = None) -> None:
        """`stop` ends workers by name, and is false where some had to be started again: they must finish once more."""
        self._workers = workers
        self._bootstrap = workers.broker.bootstrap
        self._stop = stop or self._stop_well

    def settle(self) -> None:
        """Wait until every record was read, told, delivered and shown; stop all workers, which must end well."""
        data_ends = self._data_ends(TELEMETRY.name)
        decided_at = {partition: end + TICKS_AFTER for partition, end in data_ends.items()}
        detectors = [name for name in self._workers.running if name.startswith("detect")]
        self._end(detectors, lambda: self._is_read("detect", TELEMETRY.name, decided_at), "detect to have judged all")
        notices_ends = self._data_ends(NOTICES.name)
        self._end(
            ["dispatch"], lambda: self._is_read("dispatch", NOTICES.name, notices_ends), "dispatch to have read all"
        )
        sent = {orjson.loads(record.value or b"")["id"] for record in read_all(self._bootstrap, OUTBOX.name)}
        self._wait(lambda: self._delivered() == sent, "every message to be delivered")
        newest = self._newest_statuses()
        self._end(["deliver", "project"], lambda: self._shown() == newest, "Redis to show the newest states")

    def _end(self, names: Sequence[str], condition: Callable[[], object], what: str) -> None:
        self._wait(condition, what)
        while not self._stop([name for name in names if name in self._workers.running]):
            self._wait(condition, what)

    def _stop_well(self, names: Sequence[str]) -> bool:
        self._workers.stop(*names)
        return True

    def _wait(self, condition: Callable[[], object], what: str) -> None:
        wait_for(condition, what, explain=self._workers.tails)

    def _data_ends(self, topic: str) -> dict[int, int]:
        """Behind the last record of each partition that is no tick."""
        records = read_all(self._bootstrap, topic)
        return {record.partition: record.offset + 1 for record in records if record.key}

    def _is_read(self, role: str, topic: str, ends: dict[int, int]) -> bool:
        found = committed(self._bootstrap, role, topic, PARTITIONS)
        return all(found[partition] >= end for partition, end in ends.items())

    def _delivered(self) -> set[str]:
        records = [orjson.loads(record.value or b"") for record in read_all(self._bootstrap, DELIVERIES.name)]
        return {record["id"] for record in records if record["outcome"] in {"delivered", "failed"}}

    def _newest_statuses(self) -> dict[str, Any]:
        """The data of the last status of each key, as the topic has them."""
        records = read_all(self._bootstrap, STATUS.name)
        return {(record.key or b"").decode(): orjson.loads(record.value or b"")["data"] for record in records}

    def _shown(self) -> dict[str, Any]:
        """What Redis shows."""
        with redis.Redis.from_url(self._workers.environment["REDIS_URL"]) as client:
            return {key.decode(): orjson.loads(value) for key, value in client.hgetall(STATUS_KEY).items()}
