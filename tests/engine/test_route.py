"""Commands that cannot be used: counted, and a storm of them makes the worker unready."""

from __future__ import annotations

from agents.log_clock import LogClock
from agents.metrics import Metric, Metrics
from agents.role import Context
from agents.route import Route
from agents.storm import StormWatch
from schemas.topics import DEAD_LETTERS, NOTICES, RECORDS, TELEMETRY, TICKETS
from sla.storm import IN_A_ROW_MAX
from tests.engine.parts import SETTINGS, World, record

ACK = b'{"type":"ack","id":"c0","by":"bob","dedup_key":"pay/paid"}'


async def test_more_than_a_hundred_bad_commands_in_a_row_make_route_unready_and_each_is_counted() -> None:
    metrics = Metrics()
    storm = StormWatch(metrics)
    route, world = (
        Route(Context(SETTINGS, metrics, LogClock(), None, storm)),
        World(counts={NOTICES.name: 1, TELEMETRY.name: 1, TICKETS.name: 1}),
    )
    await route.start(world)
    bad = [record(at, b"c", b"?") for at in range(2 * IN_A_ROW_MAX)]
    good = record(len(bad), b"c0", ACK)
    await route.handle(0, [*bad[:IN_A_ROW_MAX], good, *bad[IN_A_ROW_MAX:]])
    assert not storm.is_on
    assert metrics.value(Metric.DEAD_LETTERS) == len(world.sent(DEAD_LETTERS.name)) == len(bad)
    await route.handle(1, bad[:1])  # another partition's row
    assert not storm.is_on
    await route.handle(0, bad[:1])
    assert storm.is_on
    assert metrics.value(Metric.DEAD_LETTER_STORMS) == 1
    assert all(b"dead_letter_storm" not in (value or b"") for value in world.sent(RECORDS.name))
