"""How far a partition is done: the exact prefix of what was handed out."""

from __future__ import annotations

from collections import deque


class Spans:
    """The batches of one partition in the order they were handed out, each as its last offset.

    Stock Faust counts single offsets and their gaps, and commits past a message that is still being worked on
    (transport/consumer.py, `_new_offset`). A batch needs no bookkeeping of gaps: all before its last offset is in it,
    or does not exist.
    """

    __slots__ = ("_done_to", "_open")

    def __init__(self) -> None:
        self._open: deque[int] = deque()
        self._done_to: int | None = None

    def hand_out(self, last_offset: int) -> None:
        """Remember a batch before the agent sees it."""
        self._open.append(last_offset)

    def settle(self, acked: set[int]) -> int | None:
        """The offset to commit: one past the last batch before which all are acknowledged; None before the first.

        The answer stays until it is topped, so that a commit which failed is tried again. What was settled is taken
        out of `acked`.
        """
        while self._open and self._open[0] in acked:
            last_offset = self._open.popleft()
            acked.discard(last_offset)
            self._done_to = last_offset + 1
        return self._done_to

    def __len__(self) -> int:
        """How many batches are handed out and not settled."""
        return len(self._open)
