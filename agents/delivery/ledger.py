"""What one partition of the outbox still owes: its messages without an outcome, and how far it was read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from agents.changelog import Heads
from agents.delivery.pending import PREFIX, Pending, restored
from agents.transport import pack, unpack
from sla.dispatch import Send

OWN_KEY: Final = b"@partition"


class Ledger:
    """One partition. A message is a segment of its own in the table; the partition's own head says what was taken."""

    def __init__(self, partition: int, table: Mapping[bytes, bytes]) -> None:
        """From the table."""
        stored = {key: unpack(head) for key, head in table.items()}
        self._offset, body = stored.get(OWN_KEY, (-1, b"{}"))
        self._sequences: dict[str, int] = orjson.loads(body).get("sequences", {})
        found = (restored(partition, *head) for key, head in stored.items() if key.startswith(PREFIX))
        self.pending = {each.slot.key: each for each in sorted(filter(None, found), key=lambda each: each.offset)}
        self._dirty: Heads = {}
        self._is_read = False  # further than the table knows

    def is_new(self, offset: int) -> bool:
        """Whether a record was not read yet; from here on it was."""
        if offset <= self._offset:
            return False
        self._offset, self._is_read = offset, True
        return True

    def is_repeat(self, send: Send) -> bool:
        """Whether the feed has brought this message before; from here on it has."""
        source, sequence = send.feed
        if sequence is None:
            return False
        if sequence <= self._sequences.get(source, -1):
            return True
        self._sequences[source] = sequence
        return False

    def take(self, messages: Iterable[Pending]) -> list[Pending]:
        """Messages to keep until they have an outcome; without those that are kept already."""
        new = [each for each in messages if each.slot.key not in self.pending]
        for each in new:
            self.pending[each.slot.key] = each
            self._dirty[each.slot.key] = each.head()
        return new

    def keep(self, pending: Pending) -> None:
        """It was tried, and will be tried again."""
        self._dirty[pending.slot.key] = pending.head()

    def drop(self, pending: Pending) -> None:
        """It has its outcome. A segment may be deleted: whoever does it knows that its message has ended."""
        del self.pending[pending.slot.key]
        self._dirty[pending.slot.key] = None

    def take_dirty(self) -> Heads:
        """What changed since, the partition's own head last."""
        dirty, self._dirty = self._dirty, {}
        if self._is_read:
            self._is_read = False
            body: dict[str, Any] = {"sequences": self._sequences}
            dirty[OWN_KEY] = pack(self._offset, orjson.dumps(body))
        return dirty

    @property
    def is_dirty(self) -> bool:
        """Whether something changed since."""
        return bool(self._dirty) or self._is_read
