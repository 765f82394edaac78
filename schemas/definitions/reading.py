"""From plain documents to definitions: each by the model of its kind, every error of every document at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from pydantic import ValidationError

from schemas.definitions import openslo
from schemas.definitions.explain import findings_of
from schemas.definitions.findings import Finding, Level, nearest
from schemas.definitions.kinds import API_VERSION, KINDS
from schemas.definitions.openslo_read import check_sli, objectives_of, service_of
from schemas.definitions.source import Defined, Source
from schemas.definitions.values import shown

_VERSIONS: Final = (API_VERSION, openslo.API_VERSION)
_STAND_INS: Final[dict[str, dict[str, Any]]] = {
    "Objective": {
        "service": "-",
        "indicator": {"type": "ratio", "signal": "-"},
        "target": "99%",
        "window": {"rolling": "30d"},
    },
    "TicketObjective": {"service": "-", "metric": "custom", "target": "4h", "when": {}, "stop": {}},
    "Agreement": {"type": "slo", "customer": "-", "objectives": []},
    "Stakeholder": {"audience": "owner", "watches": {}, "channels": ["console"]},
}
"""What stands for a required field that is missing or wrong: the rest of its document is checked all the same."""

_WRITE: Final = {"apiVersion": f"write apiVersion: {API_VERSION}", "kind": f"write one of {', '.join(KINDS)}"}


def read_documents(sources: Sequence[Source]) -> tuple[list[Defined], list[Finding]]:
    """All definitions of all documents, in their order, and what refuses the rest.

    A document with errors that can be read without the fields they are in is among the definitions (`dropped`).
    """
    defined: list[Defined] = []
    findings: list[Finding] = []
    foreign: list[tuple[Source, Any]] = []
    for source in sources:
        model, found = _model_of(source)
        findings += found
        if model is None:
            continue
        try:
            document = model.model_validate(source.value)
        except ValidationError as error:
            findings += findings_of(error, model, source)
            defined += _without_errors(model, source, error)
            continue
        if source.value["apiVersion"] == API_VERSION:
            key = f"{document.kind}/{document.metadata.name}"
            defined.append(Defined(document, source, key, document.metadata.lint))
        else:
            foreign.append((source, document))
    more, found = _read_openslo(foreign)
    return [*defined, *more], [*findings, *found]


def is_applied(source: Source) -> bool:
    """Whether a document is part of a revision: what is left aside of OpenSLO is not."""
    value = source.value
    return not (value.get("apiVersion") == openslo.API_VERSION and value.get("kind") in openslo.LEFT_ASIDE)


def names_in(sources: Iterable[Source]) -> set[tuple[str, str]]:
    """Kind and name of every document, also of one with errors: a name that is refused is still no unknown name."""
    found = set()
    for source in sources:
        value = source.value if isinstance(source.value, dict) else {}
        metadata = value.get("metadata")
        kind, name = value.get("kind"), metadata.get("name") if isinstance(metadata, dict) else None
        if isinstance(kind, str) and isinstance(name, str):
            found.add(("Objective" if kind == "SLO" else kind, name))
    return found


def _model_of(source: Source) -> tuple[Any, list[Finding]]:
    """The model of a document's apiVersion and kind, or why there is none."""
    value = source.value
    if not isinstance(value, dict):
        message = f"a document is a mapping with apiVersion, kind, metadata and spec, not {shown(value)}"
        return None, [source.error("wrong-type", (), message)]
    absent = [field for field in ("apiVersion", "kind") if value.get(field) is None]
    if absent:
        return None, [source.error("missing-field", (), f"{field} is required: {_WRITE[field]}") for field in absent]
    version, kind = value["apiVersion"], value["kind"]
    if version not in _VERSIONS:
        hint = nearest(str(version), _VERSIONS) or f": write {' or '.join(_VERSIONS)}"
        return None, [source.error("unknown-kind", ("apiVersion",), f"apiVersion {shown(version)} is not read{hint}")]
    known: dict[str, Any] = dict(KINDS) if version == API_VERSION else dict(openslo.MODELS)
    model = known.get(kind) if isinstance(kind, str) else None
    if model is not None:
        return model, []
    if version == openslo.API_VERSION and kind in openslo.LEFT_ASIDE:
        level = Level.NOTE if kind == "DataSource" else Level.WARNING
        message = f"OpenSLO's {kind} is not read: Forewarn has its own warnings, stakeholders and streams"
        return None, [Finding(level, "openslo-ignored", source.file, source.line(("kind",)), message)]
    hint = nearest(str(kind), known) or f"; known are {', '.join(known)}"
    return None, [source.error("unknown-kind", ("kind",), f"{version} has no kind {shown(kind)}{hint}")]


def _without_errors(model: Any, source: Source, error: ValidationError) -> list[Defined]:
    """What is left of one of our own documents without the fields that are wrong or missing."""
    if source.value["apiVersion"] != API_VERSION:
        return []
    places = [tuple(each["loc"]) for each in error.errors(include_url=False)]
    value = {name: dict(part) if isinstance(part, dict) else part for name, part in source.value.items()}
    for place in places:
        within = value.get(place[0]) if place else None
        if len(place) > 1 and isinstance(within, dict):
            within.pop(place[1], None)
    if isinstance(value.get("spec"), dict):
        value["spec"] = {**_STAND_INS.get(source.value["kind"], {}), **value["spec"]}
    try:
        document = model.model_validate(value)
    except ValidationError:
        return []
    dropped = frozenset(str(place[1]) for place in places if len(place) > 1 and place[0] == "spec")
    return [Defined(document, source, f"{document.kind}/{document.metadata.name}", dropped=dropped)]


def _read_openslo(documents: Sequence[tuple[Source, Any]]) -> tuple[list[Defined], list[Finding]]:
    defined: list[Defined] = []
    findings: list[Finding] = []
    slis: dict[str, openslo.Sli] = {}
    for source, document in documents:
        if isinstance(document, openslo.Sli):
            name = document.metadata.name
            if name in slis:
                findings.append(
                    source.error("duplicate", ("metadata", "name"), f"an SLI called {name!r} is there already")
                )
            slis.setdefault(name, document)
            findings += check_sli(document.spec, ("spec",), source)
        elif isinstance(document, openslo.Service):
            defined.append(service_of(document, source))
        elif document.spec.indicator is not None:
            findings += check_sli(document.spec.indicator.spec, ("spec", "indicator", "spec"), source)
    for source, document in documents:
        if isinstance(document, openslo.Slo):
            objectives, found = objectives_of(document, source, slis)
            defined += objectives
            findings += found
    return defined, findings
