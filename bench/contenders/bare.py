"""The least that can be done in Python: aiokafka, orjson, a dict. Nothing is stored, nothing is committed."""

from __future__ import annotations

import asyncio

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.contenders.task import Stopwatch, Task


async def _run(task: Task) -> None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=task.bootstrap, enable_auto_commit=False, max_partition_fetch_bytes=4 << 20
    )
    await consumer.start()
    places = [TopicPartition(task.topic, partition) for partition in range(task.partitions_count)]
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    totals: dict[str, list[int]] = {}
    read_count = 0
    Stopwatch(task, lambda: read_count).start()
    loads = orjson.loads
    while True:
        fetched = await consumer.getmany(timeout_ms=500, max_records=5000)
        for records in fetched.values():
            for record in records:
                document = loads(record.value)
                if document["type"] == "counts":
                    service = document["service"]
                    total = totals.get(service)
                    if total is None:
                        total = totals[service] = [0, 0, 0]
                    total[0] += 1
                    total[1] += document["good"]
                    total[2] += document["bad"]
            read_count += len(records)


if __name__ == "__main__":
    asyncio.run(_run(Task.read()))
