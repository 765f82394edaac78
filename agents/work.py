"""What a role without state gives to the transport."""

from __future__ import annotations

from agents.transport import Write


class NoState:
    """Nothing to flush. With `commits=False` no offset is ever committed: the role reads its topic anew each time."""

    def __init__(self, *, commits: bool = True) -> None:
        """See the class."""
        self._commits = commits

    async def settle(self) -> None:
        """Nothing is put off."""

    def snapshot(self) -> Write:
        """Nothing is written; see `agents.transport.Flusher`."""
        return self._written

    async def _written(self) -> bool:
        return self._commits
