"""Emissions on their way out: where each goes."""

from __future__ import annotations

from agents.metrics import Metrics
from agents.outbox import Outbox
from sla.fold import Emission
from sla.partitioner import partition_of
from tests.engine.parts import World


async def test_what_concerns_every_partition_goes_into_each_and_the_rest_where_its_key_says() -> None:
    world = World(counts={"sla.notices.v1": 3})
    outbox = Outbox(world, Metrics())
    outbox.add([Emission("sla.notices.v1", None, {"n": 1}, everywhere=True), Emission("sla.notices.v1", "ann", {})])
    await outbox.send()
    await world.delivered()
    assert [(key, value, partition) for _, _, key, value, partition, _, _ in world.log] == [
        (None, b'{"n":1}', 0),
        (None, b'{"n":1}', 1),
        (None, b'{"n":1}', 2),
        (b"ann", b"{}", partition_of(b"ann", 3)),
    ]
