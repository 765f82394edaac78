"""Names across definitions: given once, defined where they are used, never leading back to themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from schemas.definitions.findings import Finding, nearest
from schemas.definitions.indicator import CompositeIndicator, TicketsIndicator
from schemas.definitions.kinds import Agreement, Objective, Service, Stakeholder, TicketObjective
from schemas.definitions.source import Defined, Path

_MEASURED: Final = ("Objective", "TicketObjective")
ANY_SERVICE: Final = "*"


class Names:
    """What each kind defines; services also count as defined where an objective measures them."""

    def __init__(self, defined: Iterable[Defined], written: Iterable[tuple[str, str]]) -> None:
        self._names: dict[str, set[str]] = {}
        self._together: dict[tuple[str, ...], set[str]] = {}
        for kind, name in written:
            self._add(kind, name)
        for each in defined:
            self._add(each.kind, each.name)
            document = each.document
            if isinstance(document, Objective | TicketObjective):
                self._add("measured service", document.spec.service)
            elif isinstance(document, Service) and document.spec.owner is not None:
                self._add("owner", document.spec.owner)
            elif isinstance(document, Agreement) and document.spec.provider is not None:
                self._add("owner", document.spec.provider)
            if isinstance(document, Agreement) and document.spec.customer is not None:
                self._add("customer", document.spec.customer)

    def of(self, *kinds: str) -> set[str]:
        """The names that these kinds define together."""
        if kinds not in self._together:
            self._together[kinds] = {name for kind in kinds for name in self._names.get(kind, ())}
        return self._together[kinds]

    def _add(self, kind: str, name: str) -> None:
        self._names.setdefault(kind, set()).add(name)


def duplicates(defined: Iterable[Defined]) -> Iterator[Finding]:
    """One name, one definition; objectives of both kinds share their names, and there is one Settings."""
    first: dict[tuple[str, str], Defined] = {}
    for each in defined:
        space = "Objective" if each.kind in _MEASURED else each.kind
        name = "" if each.kind == "Settings" else each.name
        earlier = first.setdefault((space, name), each)
        if earlier is not each:
            at = (
                earlier.source.file
                if (line := earlier.source.line(("metadata", "name"))) is None
                else f"{earlier.source.file}:{line}"
            )
            what = "Settings" if each.kind == "Settings" else f"{space} {each.name!r}"
            yield each.error("duplicate", ("metadata", "name"), f"{what} is already defined at {at}")


def repeated(defined: Iterable[Defined]) -> Iterator[Finding]:
    """One name twice in a list that is a set."""
    for each, path, name in _listed(defined):
        yield each.error("duplicate", path, f"{name!r} is listed twice")


def _listed(defined: Iterable[Defined]) -> Iterator[tuple[Defined, Path, str]]:
    for each in defined:
        document = each.document
        if isinstance(document, Agreement):
            lists = {"objectives": document.spec.objectives}
        elif isinstance(document, Service):
            lists = {"dependsOn": [one.name for one in document.spec.dependsOn or []]}
        else:
            continue
        for field, names in lists.items():
            for place, name in enumerate(names):
                if name in names[:place]:
                    yield each, ("spec", field, place), name


def undefined(defined: Iterable[Defined], names: Names) -> Iterator[Finding]:
    """Every reference to a name that nothing defines."""
    for each in defined:
        for path, name, kinds in _references(each):
            known = names.of(*kinds)
            if name not in known:
                what = _SPOKEN.get(kinds, kinds[0])
                yield each.error("undefined-name", path, f"no {what} is called {name!r}{nearest(name, known)}")


_SERVICES: Final = ("Service", "measured service")
_SPOKEN: Final[dict[tuple[str, ...], str]] = {_SERVICES: "service", _MEASURED: "Objective or TicketObjective"}

_Reference = tuple[Path, str, tuple[str, ...]]


def _references(each: Defined) -> Iterator[_Reference]:
    document = each.document
    if isinstance(document, Objective):
        yield from _of_objective(document)
    elif isinstance(document, TicketObjective):
        if document.spec.calendar is not None:
            yield ("spec", "calendar"), document.spec.calendar, ("Calendar",)
    elif isinstance(document, Agreement):
        for place, name in enumerate(document.spec.objectives):
            yield ("spec", "objectives", place), name, _MEASURED
        for name in document.spec.requested:
            yield ("spec", "requested", name), name, _MEASURED
    elif isinstance(document, Service):
        for place, one in enumerate(document.spec.dependsOn or []):
            yield ("spec", "dependsOn", place, "name"), one.name, _SERVICES
    elif isinstance(document, Stakeholder):
        yield from _of_stakeholder(document)


def _of_objective(document: Objective) -> Iterator[_Reference]:
    spec = document.spec
    if spec.calendar is not None:
        yield ("spec", "calendar"), spec.calendar, ("Calendar",)
    if spec.shadowOf is not None:
        yield ("spec", "shadowOf"), spec.shadowOf, ("Objective",)
    if isinstance(spec.indicator, CompositeIndicator):
        for place, name in enumerate(spec.indicator.of):
            yield ("spec", "indicator", "of", place), name, ("Objective",)
    elif isinstance(spec.indicator, TicketsIndicator):
        yield ("spec", "indicator", "of"), spec.indicator.of, ("TicketObjective",)


_WATCHED: Final = (
    ("agreements", ("Agreement",)),
    ("services", _SERVICES),
    ("owners", ("owner",)),
    ("customers", ("customer",)),
)


def _of_stakeholder(document: Stakeholder) -> Iterator[_Reference]:
    spec = document.spec
    for field, kinds in _WATCHED:
        for place, name in enumerate(getattr(spec.watches, field)):
            yield ("spec", "watches", field, place), name, kinds
    if spec.hours is not None:
        yield ("spec", "hours", "calendar"), spec.hours.calendar, ("Calendar",)
    for place, step in enumerate(spec.escalate or []):
        yield ("spec", "escalate", place, "to"), step.to, ("Stakeholder",)
    if spec.fallback is not None:
        yield ("spec", "fallback"), spec.fallback, ("Stakeholder",)


def cycles(defined: Iterable[Defined]) -> Iterator[Finding]:
    """Services that depend on themselves, composites made of themselves, fallbacks and shadows that go round."""
    definitions = list(defined)
    for field, kind in (
        ("dependsOn", "Service"),
        ("indicator", "Objective"),
        ("fallback", "Stakeholder"),
        ("shadowOf", "Objective"),
    ):
        by_name: dict[str, Defined] = {}
        for each in definitions:
            if each.kind == kind:
                by_name.setdefault(each.name, each)
        edges = {name: _next(each, field) for name, each in by_name.items()}
        for ring in _rings(edges):
            yield by_name[ring[0]].error(
                "cycle", ("spec", field), f"{field} goes round: {' -> '.join([*ring, ring[0]])}"
            )


def _next(each: Defined, field: str) -> list[str]:
    document = each.document
    if isinstance(document, Service):
        return [one.name for one in document.spec.dependsOn or []]
    if isinstance(document, Stakeholder):
        return [document.spec.fallback] if document.spec.fallback is not None else []
    if not isinstance(document, Objective):
        return []
    if field == "shadowOf":
        return [document.spec.shadowOf] if document.spec.shadowOf is not None else []
    return document.spec.indicator.of if isinstance(document.spec.indicator, CompositeIndicator) else []


def _rings(edges: Mapping[str, list[str]]) -> Iterator[list[str]]:
    """Each way round that a walk through `edges` meets, once; without recursion, since chains may be long."""
    done: set[str] = set()
    for start in edges:
        path: list[str] = []
        on_path: set[str] = set()
        stack: list[tuple[str, Iterator[str]]] = []
        if start not in done:
            path, on_path, stack = [start], {start}, [(start, iter(edges[start]))]
        while stack:
            name, following = stack[-1]
            after = next((each for each in following if each in edges and each not in done), None)
            if after is None:
                stack.pop()
                path.pop()
                on_path.discard(name)
                done.add(name)
            elif after in on_path:
                yield path[path.index(after) :]
            else:
                path.append(after)
                on_path.add(after)
                stack.append((after, iter(edges[after])))
