"""Two sets of definitions, compared: each document that differs, with what that means and whom it concerns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from forewarn.diff.audience import Hearing, Party, hearings, parties
from forewarn.diff.documents import Change, Kind, changes
from forewarn.diff.memory import Memory, memory_of
from forewarn.diff.objectives import of_added, of_changed
from forewarn.diff.others import of_document
from schemas.catalogue_log import CatalogueLog
from schemas.definitions import Loaded, digest, load_documents
from sla.catalogue import Catalogue, Objective


class Held(NamedTuple):
    """What definitions are compared with: a revision of the broker's catalogue, or files (`revision` None)."""

    said: str
    revision: int | None
    sha256: str
    loaded: Loaded
    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class Told:
    """One change. Versions are an objective's as the broker counts them; None where there is none."""

    change: Change
    versions: tuple[int | None, int | None]
    means: tuple[str, ...]
    memory: tuple[Memory, ...]
    concerns: tuple[Party, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """All that would change. Documents may be the same in another order, and the hash another."""

    held: Held
    sha256: str
    told: tuple[Told, ...]
    hearings: tuple[Hearing, ...]

    @property
    def is_same_hash(self) -> bool:
        """Whether an apply would publish nothing at all."""
        return self.sha256 == self.held.sha256


def in_force(log: CatalogueLog) -> Held:
    """The newest revision of the broker's catalogue."""
    current = log.current
    said = f"revision {current.revision}" if current.revision else "nothing, for no revision is in force"
    return Held(said, current.revision, current.sha256, load_documents(log.documents), current)


def in_files(said: str, loaded: Loaded) -> Held:
    """Definitions that were read from files, which must hold no error."""
    return Held(said, None, digest(loaded.documents), loaded, _catalogue(loaded))


def compare(held: Held, loaded: Loaded) -> Difference:
    """Definitions, which must hold no error, against what is held."""
    after = _catalogue(loaded)
    teller = _Teller(held, after, _objectives_of(held.loaded), _objectives_of(loaded))
    found = changes(held.loaded.documents, loaded.documents)
    told = [teller.tell(change) for change in [*found, *teller.unwritten({change.key for change in found})]]
    return Difference(held, digest(loaded.documents), tuple(told), tuple(hearings(held.catalogue, after)))


def _catalogue(loaded: Loaded) -> Catalogue:
    if loaded.catalogue is None:
        raise ValueError("definitions with errors cannot be compared")
    return loaded.catalogue


def _objectives_of(loaded: Loaded) -> dict[str, list[str]]:
    """The names of the objectives that each document defines: of OpenSLO's there may be several."""
    found: dict[str, list[str]] = {}
    for each in loaded.defined:
        if each.kind == "Objective":
            found.setdefault(each.key, []).append(each.name)
    return found


class _Teller:
    """Says what a change means, by the catalogues before and after it."""

    def __init__(
        self,
        held: Held,
        after: Catalogue,
        defined_before: Mapping[str, list[str]],
        defined_after: Mapping[str, list[str]],
    ) -> None:
        self._counts_versions = held.revision is not None
        self._before = held.catalogue
        self._after = after
        self._defined_before = defined_before
        self._defined_after = defined_after
        self._successors = {
            before.name: objective
            for objective in after.objectives.values()
            if (before := self._predecessor(objective)) is not None
        }

    def _predecessor(self, after: Objective) -> Objective | None:
        same = self._before.objectives.get(after.name)
        return same if same is not None else self._before.objectives.get(after.renamed_from or "")

    def unwritten(self, written: set[str]) -> Iterator[Change]:
        """Documents that are the same and mean something else: an OpenSLO SLI says what its SLOs count."""
        for key, names in sorted(self._defined_after.items()):
            if key in written or key not in self._defined_before:
                continue
            if any(
                (old := self._before.objectives.get(n)) and of_changed(old, self._after.objectives[n]) for n in names
            ):
                yield Change(Kind.CHANGED, key)

    def tell(self, change: Change) -> Told:
        """What the change of one document means."""
        kind, _, name = change.key.partition("/")
        was, will = self._defined_before.get(change.key, []), self._defined_after.get(change.key, [])
        means = [sentence for each in will for sentence in self._came(self._after.objectives[each])]
        means += [sentence for each in was if each not in will for sentence in self._went(each)]
        means += of_document(kind, name, self._before, self._after)
        if not means and change.change is Kind.CHANGED and was:
            means.append("it means the same; its version counts up all the same")
        if change.change is Kind.CHANGED and not change.fields:
            means.append("the document is the same, and so is its version: another one that it refers to changes")
        concerned = parties(self._concerned(kind, name, {*was, *will}), self._before, self._after)
        return Told(change, self._versions(change, was), tuple(means), tuple(self._memory(was, will)), tuple(concerned))

    def _versions(self, change: Change, was: list[str]) -> tuple[int | None, int | None]:
        if not self._counts_versions or not was:
            return None, None
        held = self._before.objectives[was[0]].version
        if change.change is Kind.REMOVED:
            return held, None
        return held, held + 1 if change.fields else held

    def _came(self, after: Objective) -> list[str]:
        before = self._predecessor(after)
        return of_added(after) if before is None else of_changed(before, after)

    def _went(self, name: str) -> list[str]:
        successor = self._successors.get(name)
        if successor is None:
            return ["it is promised no longer"]
        return ["it goes on in another document" if successor.name == name else f"it goes on as {successor.name}"]

    def _memory(self, was: list[str], will: list[str]) -> Iterator[Memory]:
        after = [self._after.objectives[name] for name in will]
        pairs: list[tuple[Objective | None, Objective | None]] = [(self._predecessor(each), each) for each in after]
        pairs += [(self._before.objectives[name], None) for name in was if name not in self._successors]
        found = (memory_of(before, each, self._before) for before, each in pairs)
        yield from (each for each in found if each is not None)

    def _concerned(self, kind: str, name: str, objectives: set[str]) -> set[str]:
        """The objectives that a document is about: those it defines, promises, or whose service or calendar it is."""
        found = set(objectives)
        for catalogue in (self._before, self._after):
            if kind == "Agreement" and name in catalogue.agreements:
                found.update(catalogue.agreements[name].objectives)
            elif kind == "Service":
                found.update(o.name for o in catalogue.objectives.values() if o.service == name)
            elif kind == "Calendar":
                found.update(o.name for o in catalogue.objectives.values() if o.calendar == name)
        return found
