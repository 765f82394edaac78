"""The role `route`: people's commands to the partitions concerned. `faust -A agents.route worker` runs it too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from agents.metrics import Metric
from agents.outbox import Outbox
from agents.port import Port
from agents.role import Context, WorkRole, written_by
from agents.shell import line_of
from agents.standalone import app_of
from schemas.commands import decode_command, given_of
from schemas.dead_letter import dead_letter
from schemas.topics import COMMANDS, DEAD_LETTERS
from sla.feeds import numbered
from sla.fold import Emission, Line
from sla.orders import refused
from sla.records import Rejection
from sla.route import route


def routed(line: Line, partition: int) -> list[Emission]:
    """What one line of the commands becomes; one that cannot be used is a dead letter, and refused on record."""
    at = line.stamped_at
    command = decode_command(line, at)
    if isinstance(command, Rejection):
        why = f"{command.reason.value}: {command.detail}"
        return [dead_letter(command, COMMANDS.name, partition, line), refused(given_of(line), at, why)]
    emissions = route(command.order, command.document, given_of(line), at)
    return numbered(emissions, f"forewarn:{COMMANDS.name}/{partition}", line.offset)


class Route:
    """Sends each command on; what it becomes is on the broker before it is acknowledged, and a repeat is known as one.

    Keeps no state: what a command means depends on the command alone.
    """

    def __init__(self, context: Context) -> None:
        """Connects nothing yet."""
        self._context = context
        self._port: Port | None = None

    async def start(self, port: Port) -> None:
        """Takes the port."""
        self._port = port

    async def handle(self, partition: int, records: Sequence[Any]) -> None:
        """Send on a batch; on return it is on the broker."""
        if self._port is None:
            raise RuntimeError("route was not started")
        outbox = Outbox(self._port, self._context.metrics)
        self._context.metrics.count(Metric.RECORDS, len(records), topic=COMMANDS.name)
        storm = self._context.storm
        for record in records:
            emissions = routed(line_of(record), partition)
            storm.saw(emissions)
            is_usable = all(emission.topic != DEAD_LETTERS.name for emission in emissions)
            storm.read(COMMANDS.name, partition, record.timestamp, is_usable=is_usable)
            outbox.add(emissions)
        await outbox.send()
        await self._port.delivered()

    def forget(self) -> None:
        """Nothing is kept but what was seen of a storm."""
        self._context.storm.forget()

    async def stop(self) -> None:
        """Nothing is open."""


ROLE: Final = WorkRole(name="route", source=COMMANDS.name, writes=written_by("route"), make_work=Route)


def __getattr__(name: str) -> Any:
    return app_of(__name__, name, ROLE)
