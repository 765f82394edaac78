"""What one partition of the outbox still owes: its messages without an outcome, and how far it was read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson

from agents.changelog import Heads, Writing
from agents.delivery.pending import PREFIX, Pending, Slot, Unreadable, restored
from agents.transport import pack, unpack
from sla.dispatch import Send

OWN_KEY: Final = b"@partition"


class Ledger:
    """One partition. A message is a head of its own in the table; the partition's own head says what was taken."""

    def __init__(self, partition: int, table: Mapping[bytes, bytes]) -> None:
        """From the table."""
        stored = {key: unpack(head) for key, head in table.items()}
        self._offset, body = stored.get(OWN_KEY, (-1, b"{}"))
        self._sequences: dict[str, int] = orjson.loads(body).get("sequences", {})
        found = [restored(Slot(partition, key), *head) for key, head in stored.items() if key.startswith(PREFIX)]
        messages = [each for each in found if isinstance(each, Pending)]
        self.pending = {each.slot.key: each for each in sorted(messages, key=lambda each: each.offset)}
        self._unreadable = [each for each in found if isinstance(each, Unreadable)]
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
        """It has its outcome.

        Other heads are never deleted, for a tombstone carries no offset: one of an owner that was cut off would hide
        what came later. Behind a message's end nothing comes, and whoever deletes it has seen that end. One that such
        an owner puts back in the meantime is deleted once more at the renewal (`HeadStore.snapshot`).
        """
        del self.pending[pending.slot.key]
        self._dirty[pending.slot.key] = None

    def take_unreadable(self) -> Sequence[Unreadable]:
        """What the table held and nobody can read; it leaves the table, so somebody must be told of it."""
        found, self._unreadable = self._unreadable, []
        self._dirty.update((each.slot.key, None) for each in found)
        return found

    def take_dirty(self) -> Writing:
        """What changed since."""
        dirty = Writing(heads=self._dirty)
        self._dirty = {}
        if self._is_read:
            self._is_read = False
            body: dict[str, Any] = {"sequences": self._sequences}
            dirty.own[OWN_KEY] = pack(self._offset, orjson.dumps(body))
        return dirty

    @property
    def is_dirty(self) -> bool:
        """Whether something changed since."""
        return bool(self._dirty) or self._is_read
