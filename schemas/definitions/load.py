"""From paths to definitions: everything read together, checked together, all findings at once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import orjson

from schemas.definitions.compile import compile_catalogue
from schemas.definitions.findings import Finding, Level, in_order
from schemas.definitions.ical_files import with_events
from schemas.definitions.lint import cross_check
from schemas.definitions.promises import check_promises
from schemas.definitions.reading import is_applied, names_in, read_documents
from schemas.definitions.services import check_services
from schemas.definitions.source import Defined, Source
from schemas.definitions.ticket_checks import check_tickets
from schemas.definitions.yaml_source import SIZE_MAX_BYTES, read_yaml
from sla.catalogue import Catalogue

DOCUMENT_MAX_BYTES: Final = 900_000  # a document is one record of the catalogue's topic, whose limit is 1 MiB
_SUFFIXES: Final = frozenset({".yaml", ".yml"})

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Loaded:
    """What paths hold: plain documents in order, findings in order, and the catalogue if nothing refuses it.

    `contents` are the documents as `canonical` writes them. What is asked for is compiled, and not before.
    """

    documents: list[dict[str, Any]]
    contents: Sequence[bytes]
    findings: tuple[Finding, ...]
    defined: tuple[Defined, ...]

    @cached_property
    def catalogue(self) -> Catalogue | None:
        """All versions 1, as revision 0; None where an error refuses it."""
        return None if self.refused() else self.compiled(0, {})

    def refuses(self, finding: Finding, *, strict: bool = False) -> bool:
        """Whether a finding is an error, or with `strict` a warning."""
        return finding.level is Level.ERROR or (strict and finding.level is Level.WARNING)

    def refused(self, *, strict: bool = False) -> bool:
        """Whether any finding refuses these definitions."""
        return any(self.refuses(finding, strict=strict) for finding in self.findings)

    def compiled(self, revision: int, versions: Mapping[str, int]) -> Catalogue:
        """The catalogue as a revision of a log: `versions` by `<kind>/<name>`. Only where nothing refuses it."""
        return compile_catalogue(self.defined, revision, digest_of(self.contents), versions)


def load(paths: Iterable[Path | str]) -> Loaded:
    """Read files and directories (`*.yaml` and `*.yml` below them, by name). Never raises for what they hold."""
    sources: list[Source] = []
    findings: list[Finding] = []
    for file in _files([Path(path) for path in paths], findings):
        content = _content(file, findings)
        if content is not None:
            nodes, found = read_yaml(content, str(file))
            findings += found
            for source, more in (with_events(Source(node.value, str(file), node)) for node in nodes):
                sources.append(source)
                findings += more
    if not sources and not findings:
        findings.append(_unreadable(Path(), "no document was given: write at least one definition"))
    return _checked(sources, findings, also=_for_writers)


def load_documents(documents: Sequence[Any], file: str = "catalogue") -> Loaded:
    """The same for plain documents that `canonical` can write, such as a revision's; findings then have no lines.

    What only who writes them should know is not looked for: a worker that starts has no time for it.
    """
    return _checked([Source(document, file) for document in documents], [])


def _for_writers(defined: Iterable[Defined]) -> Iterable[Finding]:
    definitions = list(defined)
    return [*check_services(definitions), *check_promises(definitions), *check_tickets(definitions)]


def _checked(
    sources: Sequence[Source],
    findings: Sequence[Finding],
    also: Callable[[Iterable[Defined]], Iterable[Finding]] = lambda _: (),
) -> Loaded:
    defined, found = read_documents(sources)
    written = [(source, canonical(source.value)) for source in sources if isinstance(source.value, dict)]
    found = [*found, *_oversized(written), *cross_check(defined, names_in(sources)), *also(defined)]
    applied = [(source.value, content) for source, content in written if is_applied(source)]
    documents, contents = [document for document, _ in applied], [content for _, content in applied]
    return Loaded(documents, contents, in_order([*findings, *found]), tuple(defined))


def canonical(document: Document) -> bytes:
    """A document as the catalogue's hash sees it: sorted keys, compact, UTF-8."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def digest(documents: Iterable[Document]) -> str:
    """The SHA-256 (hex) of documents in index order: each canonical, joined by a line feed."""
    return digest_of(map(canonical, documents))


def digest_of(contents: Iterable[bytes]) -> str:
    """The same of documents that are canonical already."""
    return hashlib.sha256(b"\n".join(contents)).hexdigest()


def _oversized(written: Iterable[tuple[Source, bytes]]) -> list[Finding]:
    return [
        source.error("yaml-limit", (), f"the document is larger than {DOCUMENT_MAX_BYTES:,} bytes: split it")
        for source, content in written
        if len(content) > DOCUMENT_MAX_BYTES
    ]


def _files(paths: Sequence[Path], findings: list[Finding]) -> list[Path]:
    """Each file once, in the order of the paths; what a directory holds by name, hidden entries left out."""
    found: dict[str, Path] = {}
    for path in paths:
        for each in _below(path, findings) if os.path.isdir(path) else [path]:  # noqa: PTH112 - never raises
            found.setdefault(os.path.realpath(each), each)
    return list(found.values())


def _below(root: Path, findings: list[Finding]) -> list[Path]:
    def unreadable(error: OSError) -> None:
        findings.append(_unreadable(Path(error.filename or root), f"cannot be read: {error.strerror or error}"))

    files: list[Path] = []
    for folder, folders, names in os.walk(root, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        files += [Path(folder, name) for name in sorted(names) if not name.startswith(".")]
    files = [file for file in files if file.suffix in _SUFFIXES]
    if not files:
        findings.append(_unreadable(root, "no *.yaml or *.yml file below this directory"))
    return files


def _content(file: Path, findings: list[Finding]) -> bytes | None:
    try:
        with file.open("rb") as opened:
            return opened.read(SIZE_MAX_BYTES + 1)
    except OSError as error:
        findings.append(_unreadable(file, f"cannot be read: {error.strerror or error}"))
        return None


def _unreadable(path: Path, message: str) -> Finding:
    return Finding(Level.ERROR, "unreadable", str(path), None, message)
