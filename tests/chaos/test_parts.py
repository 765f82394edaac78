"""The tool that disturbs must itself be right: its network, its plan, its stopwatch, and what it would notice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from struct import pack

import orjson
import pytest
from aiokafka.protocol.produce import ProduceRequest_v7, ProduceResponse_v7

from agents.process import STOPPED_LATE
from schemas.topics import DEAD_LETTERS, DELIVERIES, OUTBOX, STATUS, TELEMETRY
from sla.partitioner import partition_of
from tests.chaos import evidence, measure
from tests.chaos.crew import Crew
from tests.chaos.faults import DEFAULT, STORM, Kill, plan
from tests.chaos.proxy import HEADER, LENGTH, Gate, Proxy
from tests.chaos.stage import Played
from tests.harness import Received, free_port
from tests.simulation.laws import broken, every_record_is_read_in_the_end
from tests.system.workers import PARTITIONS

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
REFUSED = 29


def framed(payload: bytes) -> bytes:
    return LENGTH.pack(len(payload)) + payload


def request(api_key: int, correlation_id: int, body: bytes = b"") -> bytes:
    return framed(HEADER.pack(api_key, 7, correlation_id, 2) + b"me" + body)


PRODUCE = ProduceRequest_v7(None, -1, 1000, [("t", [(0, b"x"), (3, b"y")])]).encode()


@asynccontextmanager
async def between() -> AsyncIterator[tuple[Gate, Proxy, Ends]]:
    """A client behind a proxy, and a broker that answers each request with its own correlation id."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            asked = await reader.readexactly(LENGTH.unpack(await reader.readexactly(LENGTH.size))[0])
            writer.write(framed(pack(">i", HEADER.unpack_from(asked)[2])))

    gate = Gate(free_port(), free_port())
    server = await asyncio.start_server(echo, "127.0.0.1", gate.behind)
    with closing(Proxy([gate])) as proxy:
        ends = await asyncio.open_connection("127.0.0.1", gate.port)
        yield gate, proxy, ends
        ends[1].close()
    server.close()


async def answer(reader: asyncio.StreamReader) -> bytes:
    return await reader.readexactly(LENGTH.unpack(await reader.readexactly(LENGTH.size))[0])


def number_of(answered: bytes) -> int:
    return int.from_bytes(answered[:4], "big")


async def test_what_passes_is_unchanged_and_in_order() -> None:
    async with between() as (_, _, (reader, writer)):
        for number in range(5):
            writer.write(request(number, number, PRODUCE))
        assert [number_of(await answer(reader)) for _ in range(5)] == [0, 1, 2, 3, 4]


async def test_a_refused_produce_request_has_an_error_for_each_partition_and_never_reaches_the_broker() -> None:
    async with between() as (gate, proxy, (reader, writer)):
        proxy.refuse([gate], REFUSED)
        writer.write(request(1, 1) + request(0, 2, PRODUCE) + request(3, 3))
        answers = [await answer(reader) for _ in range(3)]
        assert [number_of(found) for found in answers] == [1, 2, 3]
        told = ProduceResponse_v7.decode(answers[1][4:])
        assert [(topic, [each[:2] for each in places]) for topic, places in told.topics] == [
            ("t", [(0, REFUSED), (3, REFUSED)])
        ]
        assert gate.refused_count == 1


async def test_nothing_passes_a_cut_and_all_of_it_does_once_it_is_mended() -> None:
    async with between() as (gate, proxy, (reader, writer)):
        writer.write(request(3, 0))
        await answer(reader)
        proxy.cut([gate])
        writer.write(request(3, 1))
        held = asyncio.ensure_future(answer(reader))
        done, _ = await asyncio.wait([held], timeout=0.3)
        assert not done
        proxy.mend([gate])
        assert number_of(await held) == 1


def test_a_plan_is_that_of_its_seed_and_kills_as_often_as_it_says() -> None:
    acts = plan(7, DEFAULT, 10.0)
    assert acts == plan(7, DEFAULT, 10.0)
    assert acts != plan(8, DEFAULT, 10.0)
    struck = Counter(type(fault).__name__.lower() for act in acts for _, fault in act.faults)
    assert struck["kill"] == DEFAULT["kill"]
    assert all(struck[kind] >= count for kind, count in DEFAULT.items())
    assert all(len(act.faults) > 1 for act in acts if act.kind == STORM)
    assert {fault.worker for act in acts for _, fault in act.faults if isinstance(fault, Kill)} > {"dispatch"}


# -- the crew


class Ended:
    """A worker that ends at SIGTERM with one code after the other."""

    def __init__(self, codes: list[int]) -> None:
        self.codes = codes
        self.exit_code: int | None = None

    def terminate(self) -> None:
        self.exit_code = self.codes.pop(0)

    def log_tail(self, lines: int) -> str:
        return f"{lines} lines"


class Processes:
    """In place of `Workers`: `codes` are those with which each ends, life after life."""

    def __init__(self, codes: dict[str, list[int]]) -> None:
        self.codes = codes
        self.running: dict[str, Ended] = {}
        self.ended: list[Ended] = []

    def start(self, name: str, _role: str, **_: str) -> None:
        self.running[name] = Ended(self.codes[name])

    def ask(self, _name: str, _path: str) -> tuple[int, str]:
        return 200, ""


@pytest.mark.parametrize(
    ("codes", "stopped", "ends"),
    [
        ({"detect-a": [0], "detect-b": [0]}, [True], []),
        ({"detect-a": [STOPPED_LATE, 0], "detect-b": [0]}, [False, True], []),
        ({"detect-a": [STOPPED_LATE] * 3, "detect-b": [0]}, [False, False, True], [("detect-a", STOPPED_LATE)]),
        ({"detect-a": [1], "detect-b": [STOPPED_LATE, 0]}, [False, True], [("detect-a", 1)]),
    ],
)
def test_only_who_found_no_broker_in_time_is_asked_to_stop_again(
    codes: dict[str, list[int]], stopped: list[bool], ends: list[tuple[str, int]]
) -> None:
    crew = Crew(is_static=False)
    crew.workers = Processes({name: list(each) for name, each in codes.items()})  # type: ignore[assignment]
    crew.start(*codes)
    found, names = [], list(codes)
    while not found or not found[-1]:
        found.append(crew.stop([name for name in names if name in crew.workers.running]))
    assert found == stopped
    assert [(end.name, end.code) for end in crew.ends] == ends
    assert not crew.workers.running


# -- the stopwatch


def received(topic: str, value: object, *, key: str | None = None, offset: int = 0, partition: int = 0) -> Received:
    coded = None if key is None else key.encode()
    return Received(topic, partition, offset, 1000 * offset, "append", coded, orjson.dumps(value))


def test_a_partition_stands_still_between_two_answers_and_a_repeated_answer_is_none() -> None:
    #     act        [-----)
    # answers  1   2             7  8
    probes = [received(TELEMETRY.name, {"probe": n}, offset=n) for n in range(5)]
    letters = [
        received(DEAD_LETTERS.name, {"topic": TELEMETRY.name, "partition": 0, "offset": probe}, offset=at)
        for at, probe in ((1, 0), (2, 1), (5, 0), (7, 2), (8, 3))
    ]
    answered = measure.answers(probes, letters)
    assert answered == {0: [1000, 2000, 7000, 8000]}
    assert measure.longest_ms([Played("kill", 3000, 6000)], answered) == {"kill": [5000]}
    assert measure.stood_still_ms(answered[0], 7500, 8000) == 1000


# -- what it would notice


def busy(bad: int, offset: int, key: str = "busy-00") -> Received:
    partition = (partition_of(key.encode(), PARTITIONS) + offset) % PARTITIONS
    return received(TELEMETRY.name, {"service": key, "bad": bad}, key=key, offset=offset, partition=partition)


@pytest.mark.parametrize(("consumed", "wrong_count"), [(8, 0), (7, 1), (11, 1)])
def test_a_lost_or_a_doubled_record_changes_a_sum(consumed: int, wrong_count: int) -> None:
    status = received(STATUS.name, {"data": {"budget": {"consumed_count": consumed}}}, key="busy-00/busy-00-promise")
    topics = {TELEMETRY.name: [busy(3, 0), busy(5, 1)], STATUS.name: [status]}
    assert len(evidence.sums(topics)) == wrong_count
    assert evidence.counted({name: topics.get(name, []) for name in evidence.NAMES})["misplaced"] == 1


@pytest.mark.parametrize(("committed", "is_broken"), [(1, False), (0, True)])
def test_a_tick_that_came_while_its_owner_stopped_need_not_be_read(
    monkeypatch: pytest.MonkeyPatch,
    committed: int,
    is_broken: bool,  # noqa: FBT001
) -> None:
    def stand(*_: object) -> dict[int, int]:
        return {0: committed}

    monkeypatch.setattr(evidence, "committed", stand)
    tick = received(TELEMETRY.name, {"type": "tick"}, offset=1)
    last = received(TELEMETRY.name, {"type": "change"}, key="last-0")
    topics = {name: [last, tick] if name == TELEMETRY.name else [] for name in evidence.NAMES}
    found = broken(evidence.outcome(topics, "", 0), [every_record_is_read_in_the_end])
    assert bool(found) is is_broken


def test_a_message_without_an_outcome_is_noticed() -> None:
    outbox = [received(OUTBOX.name, {"id": "a"}), received(OUTBOX.name, {"id": "b"}, offset=1)]
    delivered = [received(DELIVERIES.name, {"id": "a", "outcome": "delivered"})]
    assert evidence.told_once({OUTBOX.name: outbox, DELIVERIES.name: delivered}) == ["b was never delivered"]
