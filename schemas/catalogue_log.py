"""The catalogue's log: document records and commits in, revisions out; and how an apply is written to it.

An apply is a full set of documents followed by its commit. The commit's offset is the revision's number. A commit that
was not made from the revision in force is void, as is one whose documents do not add up; a void commit changes nothing,
and the log goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from schemas.definitions import canonical, digest, digest_of, load_documents
from schemas.text import read_json
from sla.catalogue import Catalogue
from sla.records import Rejection
from sla.units import MILLION

_REFUSED_MOST: Final = 1_000  # the newest are kept
_DOCUMENTS_MOST: Final = MILLION


class Refused(NamedTuple):
    """A record of the log that was passed over, and why."""

    offset: int
    reason: str


class _Version(NamedTuple):
    number: int
    content: bytes | None  # None: not part of the revision in force


class CatalogueLog:
    """All revisions of a log, as far as it was fed. Feeding the same log again gives the same catalogues."""

    def __init__(self, base: Catalogue | None = None) -> None:
        """Start at revision 0: empty, or `base`, whose documents count for no versions."""
        self._current = base if base is not None else Catalogue()
        self._revisions: dict[int, Catalogue] = {self._current.revision: self._current}
        self._versions: dict[str, _Version] = {}
        self._pending: dict[str, dict[int, Mapping[str, Any]]] = {}
        self._refused: deque[Refused] = deque(maxlen=_REFUSED_MOST)
        self._next_offset = 0

    @property
    def current(self) -> Catalogue:
        """The newest valid revision."""
        return self._current

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The documents in force, by kind and name; none of a `base` that the log was started with."""
        held = sorted((key, version.content) for key, version in self._versions.items() if version.content is not None)
        return [orjson.loads(content) for _, content in held]

    @property
    def refused(self) -> list[Refused]:
        """What was passed over, oldest first."""
        return list(self._refused)

    def at(self, revision: int, sha256: str) -> Catalogue | None:
        """The catalogue of a revision, or None when there is none of that number or its hash differs."""
        found = self._revisions.get(revision)
        return found if found is not None and found.sha256 == sha256 else None

    def revision(self, number: int) -> Catalogue | None:
        """The catalogue of a revision that a fold of the same log has named."""
        return self._revisions.get(number)

    def feed(self, offset: int, value: bytes) -> None:
        """Take one record, in log order; one that was taken already is passed over silently. Never raises."""
        if offset < self._next_offset:
            return
        self._next_offset = offset + 1
        record = read_json(value)
        if isinstance(record, Rejection):
            self._refuse(offset, f"{record.reason}: {record.detail}")
            return
        kind = record.get("type") if isinstance(record, dict) else None
        if kind == "document":
            self._document(offset, record)
        elif kind == "commit":
            self._commit(offset, record)
        else:
            self._refuse(offset, "neither a document nor a commit")

    def _document(self, offset: int, record: Mapping[str, Any]) -> None:
        apply_id, index, document = record.get("apply_id"), record.get("index"), record.get("document")
        if not (isinstance(apply_id, str) and type(index) is int and 0 <= index < _DOCUMENTS_MOST):
            self._refuse(offset, "a document needs apply_id (text) and index (a whole number from 0)")
        elif not isinstance(document, dict):
            self._refuse(offset, "a document record needs a document, an object")
        else:
            self._pending.setdefault(apply_id, {})[index] = document

    def _commit(self, offset: int, record: Mapping[str, Any]) -> None:
        apply_id, base = record.get("apply_id"), record.get("base_revision")
        if not isinstance(apply_id, str):
            self._refuse(offset, "a commit needs apply_id (text)")
            return
        collected = self._pending.pop(apply_id, {})
        if type(base) is not int or base != self._current.revision:
            self._refuse(offset, f"void: made from revision {base}, in force is {self._current.revision}")
            return
        if record.get("documents_count") != len(collected) or set(collected) != set(range(len(collected))):
            self._refuse(offset, f"void: {record.get('documents_count')} documents announced, {len(collected)} read")
            return
        documents = [collected[index] for index in range(len(collected))]
        reason = self._enact(offset, documents, record.get("sha256"))
        if reason is not None:
            self._refuse(offset, f"void: {reason}")

    def _enact(self, offset: int, documents: Sequence[Mapping[str, Any]], sha256: Any) -> str | None:
        """Put documents into force, or say why they cannot be."""
        try:
            contents = [canonical(document) for document in documents]
        except orjson.JSONEncodeError as error:
            return f"a document cannot be written as JSON: {error}"
        if digest_of(contents) != sha256:
            return "the hash differs from that of its documents"
        loaded = load_documents(documents)
        if loaded.refused():
            first = next(finding for finding in loaded.findings if loaded.refuses(finding))
            return f"its definitions are refused: {first}"
        keys = [key_of(document) for document in documents]
        self._count_versions(dict(zip(keys, contents, strict=True)))
        numbers = {key: version.number for key, version in self._versions.items()}
        self._current = loaded.compiled(offset, numbers)
        self._revisions[offset] = self._current
        # Whatever is still collected was made from an earlier revision, so its commit will be void.
        self._pending.clear()
        return None

    def _count_versions(self, contents: Mapping[str, bytes]) -> None:
        for key in {*self._versions, *contents}:
            last, content = self._versions.get(key, _Version(0, None)), contents.get(key)
            number = last.number if content is None or content == last.content else last.number + 1
            self._versions[key] = _Version(number, content)

    def _refuse(self, offset: int, reason: str) -> None:
        self._refused.append(Refused(offset, reason))


def key_of(document: Mapping[str, Any]) -> str:
    """The key of a document's record, by which its versions count: `<kind>/<name>`."""
    return f"{document['kind']}/{document['metadata']['name']}"


def records_of(documents: Sequence[Mapping[str, Any]], apply_id: str, base_revision: int) -> list[tuple[str, bytes]]:
    """The records of one apply in order, key and value: each document, then the commit."""
    records = [
        (
            key_of(document),
            orjson.dumps({"type": "document", "apply_id": apply_id, "index": index, "document": document}),
        )
        for index, document in enumerate(documents)
    ]
    commit = {
        "type": "commit",
        "apply_id": apply_id,
        "base_revision": base_revision,
        "documents_count": len(documents),
        "sha256": digest(documents),
    }
    return [*records, ("commit", orjson.dumps(commit))]
