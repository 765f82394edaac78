"""The shell around a fold that puts off some of what it says: told soon, and before the state that implies it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

import agents.shell
from sla.fold import AtomState, Emission, Line
from tests.engine.counting import EVERY, HEAD, Counting
from tests.engine.parts import World, record
from tests.engine.test_shell import HOME, OTHER, OUT, flush, records, shell_on
from tests.harness.process import PATIENCE_S


class Deferring(Counting):
    """Every event waits until it is asked for, or until its atom is taken."""

    def __init__(self, topic: str, partition: int) -> None:
        super().__init__(topic, partition, OUT)
        self._owed: dict[str, list[Emission]] = {}
        self._told: list[Emission] = []
        self.cold_count = 0

    def step_urgent(self, line: Line) -> list[Emission]:
        for each in self.step(line):
            self._owed.setdefault(str(each.key), []).append(each)
        told, self._told = self._told, []
        return told

    @property
    def owed_count(self) -> int:
        return len(self._owed)

    def pay(self, most_count: int | None = None) -> list[Emission]:
        told, self._told = self._told, []
        for key in list(self._owed)[:most_count]:
            told += self._owed.pop(key)
        return told

    def prepare(self) -> Iterator[None]:
        for _ in range(self.cold_count):
            self.cold_count -= 1
            yield

    def changes(self) -> Iterator[AtomState]:
        for atom in super().changes():
            assert atom.key != HEAD or not self._owed
            self._told += self._owed.pop(atom.key, [])
            yield atom


def shell_that_owes(world: World) -> Any:
    return shell_on(world, make_fold=Deferring)


async def shell_with_two_debts(world: World) -> Any:
    shell = shell_that_owes(world)
    for partition in (3, 4):
        await shell.handle(partition, records(EVERY, partition=partition))
    return shell


async def test_what_is_owed_is_told_without_another_record() -> None:
    world = World()
    shell = await shell_with_two_debts(world)
    assert not world.sent(OUT)
    paying = asyncio.create_task(shell.pay())
    async with asyncio.timeout(PATIENCE_S):
        while len(world.sent(OUT)) < 2:  # noqa: ASYNC110 - a condition of the world, which no event tells
            await asyncio.sleep(0)
    paying.cancel()
    with suppress(asyncio.CancelledError):
        await paying


async def test_a_batch_has_its_turn_between_two_parts_of_what_is_owed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents.shell, "PAID_AT_ONCE", 1)
    world = World()
    shell = await shell_with_two_debts(world)
    settling = asyncio.create_task(shell.settle())
    await asyncio.sleep(0)
    assert len(world.sent(OUT)) == 1
    await shell.handle(4, records(EVERY, start=EVERY, partition=4))
    await settling
    assert world.sent(OUT) == [b'{"id":"%s:%d"}' % (HOME[at], n) for at, n in ((3, 10), (4, 10), (4, 20))]


async def test_a_worker_that_is_fenced_tells_no_more_of_what_is_owed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents.shell, "PAID_AT_ONCE", 1)
    world = World()
    shell = await shell_with_two_debts(world)
    settling = asyncio.create_task(shell.settle())
    await asyncio.sleep(0)
    world.is_fenced = True
    await settling
    assert len(world.sent(OUT)) == 1
    world.is_fenced = False
    await shell.settle()
    assert len(world.sent(OUT)) == 2


async def test_folds_work_ahead_without_a_record_but_not_before_what_is_owed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents.shell, "PREPARED_EVERY_S", 0)
    world = World()
    shell = shell_that_owes(world)
    await shell.handle(3, records(1))
    fold: Any = await shell.fold_of(3)
    fold.cold_count = 5
    paying = asyncio.create_task(shell.pay())
    async with asyncio.timeout(PATIENCE_S):
        while fold.cold_count > 3:  # noqa: ASYNC110 - a condition of the world, which no event tells
            await asyncio.sleep(0)
        await shell.handle(3, records(EVERY - 1, start=1))
        while not world.sent(OUT):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
        assert fold.cold_count > 1
        while fold.cold_count:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
    paying.cancel()


async def test_a_flush_tells_nothing_beside_what_is_being_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents.shell, "PAID_AT_ONCE", 1)
    world = World()
    shell = await shell_with_two_debts(world)
    both = [asyncio.create_task(shell.settle()) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(world.sent(OUT)) == 1
    await asyncio.gather(*both)
    assert len(world.sent(OUT)) == 2


async def test_what_an_atom_owes_goes_out_before_it_is_stored() -> None:
    world = World()
    shell = shell_that_owes(world)
    await shell.handle(3, records(EVERY - 1))
    write = shell.snapshot()
    await shell.handle(3, records(1, start=EVERY - 1))  # the tenth: an event, put off
    assert await write()
    assert [entry[0] for entry in world.log] == ["sent", "stored", "stored"]
    assert world.stored_keys() == [HOME[3], HEAD.encode()]


async def test_what_an_atom_owes_that_is_not_in_a_flush_goes_out_before_the_others_are_stored() -> None:
    world = World()
    shell = shell_that_owes(world)
    await shell.handle(3, records(EVERY - 1))
    write = shell.snapshot()
    others = [record(EVERY + n, OTHER, partition=3) for n in range(EVERY)]
    await shell.handle(3, [*records(1, start=EVERY - 1), *others])  # a restart reads these again and is silent
    assert await write()
    assert [entry[0] for entry in world.log] == ["sent", "sent", "stored", "stored"]
    assert world.stored_keys() == [HOME[3], HEAD.encode()]


async def test_settling_ends_though_each_batch_owes_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents.shell, "PAID_AT_ONCE", 1)
    world = World()
    shell = shell_that_owes(world)
    handled = 0

    async def catch_up() -> None:
        nonlocal handled
        while True:
            for partition in (3, 4):
                await shell.handle(partition, records(EVERY, start=handled, partition=partition))
            handled += EVERY
            await asyncio.sleep(0)

    for partition in (3, 4):
        await shell.handle(partition, records(EVERY, partition=partition))
    handled = EVERY
    catching_up = asyncio.create_task(catch_up())
    async with asyncio.timeout(PATIENCE_S):
        await shell.settle()
        assert handled > EVERY
        assert await flush(shell)
    catching_up.cancel()
    assert {entry[0] for entry in world.log} == {"sent", "stored"}


async def test_a_worker_that_is_fenced_owes_on() -> None:
    world = World(is_fenced=True)
    shell = shell_that_owes(world)
    await shell.handle(3, records(EVERY))
    paying = asyncio.create_task(shell.pay())
    await asyncio.sleep(0)
    assert not world.sent(OUT)
    world.is_fenced = False
    await shell.handle(3, records(1, start=EVERY))
    async with asyncio.timeout(PATIENCE_S):
        while not world.sent(OUT):  # noqa: ASYNC110 - a condition of the world, which no event tells
            await asyncio.sleep(0)
    paying.cancel()


async def test_a_revoke_drops_what_is_owed_with_its_fold() -> None:
    world = World()
    shell = shell_that_owes(world)
    await shell.handle(3, records(EVERY))
    shell.forget()
    await shell.settle()
    assert await flush(shell)
    assert not world.sent(OUT)
    await shell.handle(3, records(EVERY))  # read again by whoever has it next
    await shell.settle()
    assert len(world.sent(OUT)) == 1
