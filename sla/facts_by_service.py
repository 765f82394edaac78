"""What a partition knows of whole services: an atom for each, written before every other that may know of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Generic, Protocol, TypeVar

from sla.fold import AtomState, Offset

_FACTS: Final = "facts"


class Facts(Protocol):
    """What is known of one service."""

    def to_json(self) -> dict[str, Any]:
        """The state that a restart needs."""
        ...

    def load(self, body: Mapping[str, Any]) -> None:
        """Take back what `to_json` gave."""
        ...


Known = TypeVar("Known", bound=Facts)


class FactsByService(Generic[Known]):
    """The facts of each service, and which of them changed since they were last taken."""

    def __init__(self, make: Callable[[], Known]) -> None:
        """None at first; `make` gives those of a service of which nothing is known."""
        self.dirty: set[str] = set()
        self._make = make
        self.known: dict[str, Known] = {}
        self._loaded_at: dict[str, int] = {}  # the offset at which a service's facts stood when they were loaded

    def of(self, service: str) -> Known:
        """The facts of a service, kept from here on."""
        found = self.known.get(service)
        if found is None:
            found = self.known[service] = self._make()
        return found

    def is_new(self, service: str, offset: int) -> bool:
        """Whether a line's fact is to be added: not where the facts were written behind that line before a crash."""
        if self._loaded_at.get(service, -1) >= offset:
            return False
        self.dirty.add(service)
        return True

    def changes(self, offset: Offset) -> Iterator[AtomState]:
        """Those that changed, until there are none: an atom that is taken next knows of no others."""
        while self.dirty:
            services, self.dirty = sorted(self.dirty), set()
            for service in services:
                body = {"service": service, **self.known[service].to_json()}
                yield AtomState(f"{_FACTS}/{service}", offset(), body)

    def load(self, atom: AtomState) -> bool:
        """Take back the facts of a service; whether the atom holds such."""
        if not atom.key.startswith(f"{_FACTS}/"):
            return False
        service = atom.body["service"]
        self._loaded_at[service] = atom.offset
        self.of(service).load(atom.body)
        return True
