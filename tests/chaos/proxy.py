"""A network between workers and broker: it can be cut, be slow for what is produced, and refuse it.

It knows as much of Kafka as it must: where a request ends, which one produces, and how that one is refused. The broker
advertises the proxy's own ports to whoever comes this way (`tests.harness.kafka.Node`), so no answer is rewritten.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from struct import Struct

from aiokafka.protocol.produce import ProduceRequest_v7, ProduceResponse_v7

LENGTH = Struct(">i")
HEADER = Struct(">hhih")  # api key, version, correlation id, length of the client's id
PRODUCE_KEY = 0
PRODUCE_VERSIONS = (5, 6, 7)  # they look alike
NOWHERE = -1
START_WITHIN_S = 10


@dataclass(slots=True)
class Gate:
    """One way to the broker. `refusal` is the error code that each produce request gets instead of the broker."""

    port: int  # where clients come
    behind: int  # where the broker listens
    is_cut: bool = False
    delay_s: float = 0.0
    refusal: int | None = None
    refused_count: int = 0
    mended: asyncio.Event = field(default_factory=asyncio.Event)


class Proxy:
    """Gates on loopback, served by a thread of their own until closed. Its methods may be called from any thread."""

    def __init__(self, gates: Iterable[Gate]) -> None:
        self._gates = tuple(gates)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()
        if not self._ready.wait(START_WITHIN_S):
            raise TimeoutError("the proxy does not listen")

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._ready.set()
        self._loop.run_forever()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _listen(self) -> None:
        for gate in self._gates:
            await asyncio.start_server(lambda *ends, gate=gate: Connection(gate, *ends).serve(), "127.0.0.1", gate.port)

    def _do(self, change: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(change)

    def cut(self, gates: Iterable[Gate]) -> None:
        """From now on nothing passes, in either direction; connections stay open, and new ones are not answered."""
        for gate in gates:
            self._do(lambda gate=gate: setattr(gate, "is_cut", True))

    def mend(self, gates: Iterable[Gate]) -> None:
        """All passes again, at once and unchanged; what was held by a cut goes on its way."""

        def whole(gate: Gate) -> None:
            gate.is_cut, gate.delay_s, gate.refusal = False, 0.0, None
            gate.mended.set()
            gate.mended = asyncio.Event()

        for gate in gates:
            self._do(lambda gate=gate: whole(gate))

    def delay(self, gates: Iterable[Gate], by_s: float) -> None:
        """Each produce request takes so much longer, and what comes after it on its connection too."""
        for gate in gates:
            self._do(lambda gate=gate: setattr(gate, "delay_s", by_s))

    def refuse(self, gates: Iterable[Gate], code: int) -> None:
        """Each produce request is answered with an error, and the broker never sees it."""
        for gate in gates:
            self._do(lambda gate=gate: setattr(gate, "refusal", code))

    def close(self) -> None:
        """Drop all connections."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


class Connection:
    """A client's connection and its other half to the broker. Answers go out in the order of their requests."""

    def __init__(self, gate: Gate, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._gate = gate
        self._client = (reader, writer)
        self._answers: deque[bytes | None] = deque()  # None: the broker's, which is still to come

    async def serve(self) -> None:
        """Until one of the two ends."""
        reader, writer = self._client
        with suppress(OSError, asyncio.IncompleteReadError):
            broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", self._gate.behind)
            try:
                ways = (self._up(reader, broker_writer), self._down(broker_reader, writer))
                tasks = [asyncio.ensure_future(way) for way in ways]
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            finally:
                broker_writer.close()
        writer.close()

    async def _up(self, client: asyncio.StreamReader, broker: asyncio.StreamWriter) -> None:
        while True:
            frame = await _frame(client)
            await self._passable()
            if _api_key(frame) == PRODUCE_KEY:
                await asyncio.sleep(self._gate.delay_s)
                await self._passable()
                if self._gate.refusal is not None:
                    self._gate.refused_count += 1
                    self._answers.append(refused(frame, self._gate.refusal))
                    self._send_own()
                    continue
            self._answers.append(None)
            broker.write(LENGTH.pack(len(frame)) + frame)
            await broker.drain()

    async def _down(self, broker: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        while True:
            frame = await _frame(broker)
            await self._passable()
            self._answers.popleft()
            client.write(LENGTH.pack(len(frame)) + frame)
            self._send_own()
            await client.drain()

    def _send_own(self) -> None:
        while self._answers and (answer := self._answers[0]) is not None:
            self._answers.popleft()
            self._client[1].write(LENGTH.pack(len(answer)) + answer)

    async def _passable(self) -> None:
        while self._gate.is_cut:
            await self._gate.mended.wait()


async def _frame(reader: asyncio.StreamReader) -> bytes:
    (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
    return await reader.readexactly(length)


def _api_key(request: bytes) -> int:
    return int(HEADER.unpack_from(request)[0])


def refused(request: bytes, code: int) -> bytes:
    """The answer to a produce request that has an error for each partition."""
    _, version, correlation_id, client_length = HEADER.unpack_from(request)
    if version not in PRODUCE_VERSIONS:
        raise ValueError(f"a produce request of version {version}, which this proxy cannot read")
    asked = ProduceRequest_v7.decode(request[HEADER.size + max(0, client_length) :])
    topics = [
        (topic, [(number, code, NOWHERE, NOWHERE, NOWHERE) for number, _ in partitions])
        for topic, partitions in asked.topics
    ]
    return LENGTH.pack(correlation_id) + ProduceResponse_v7(topics, 0).encode()
