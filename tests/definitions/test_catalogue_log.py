from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalogue_log import CatalogueLog, records_of
from schemas.definitions import canonical, digest
from sla.catalogue import Catalogue
from tests.definitions.documents import OBJECTIVE, SURROUNDINGS, load_text, objective


@pytest.fixture
def documents(tmp_path: Path) -> list[dict[str, Any]]:
    return load_text(tmp_path, OBJECTIVE, objective(name="other"), SURROUNDINGS).documents


class Writer:
    """A log and the one who writes to it."""

    def __init__(self, base: Catalogue | None = None) -> None:
        self.log = CatalogueLog(base)
        self.offset = 0

    def write(self, value: bytes) -> int:
        self.log.feed(self.offset, value)
        self.offset += 1
        return self.offset - 1

    def apply(self, documents: list[dict[str, Any]], base: int | None = None, apply_id: str = "a") -> int:
        """Write an apply; the offset of its commit."""
        records = records_of(documents, apply_id, self.log.current.revision if base is None else base)
        return [self.write(value) for _, value in records][-1]

    def versions(self) -> dict[str, int]:
        return {name: each.version for name, each in self.log.current.objectives.items()}


def changed(documents: list[dict[str, Any]], name: str, **spec: Any) -> list[dict[str, Any]]:
    return [
        {**each, "spec": {**each["spec"], **spec}} if each["metadata"]["name"] == name else each for each in documents
    ]


def test_an_empty_log_is_revision_zero_without_documents() -> None:
    assert CatalogueLog().current == Catalogue()
    assert CatalogueLog().at(0, "") == Catalogue()
    base = Catalogue(sha256="abc")
    assert CatalogueLog(base).at(0, "abc") is base


def test_the_commits_offset_is_the_revision(documents: list[dict[str, Any]]) -> None:
    writer = Writer()
    revision = writer.apply(documents)
    assert revision == len(documents)
    assert writer.log.current.revision == revision
    assert writer.log.current.sha256 == digest(documents)
    assert writer.log.at(revision, digest(documents)) is writer.log.current
    assert writer.log.at(revision, "another hash") is None
    assert writer.log.at(revision - 1, digest(documents)) is None
    assert writer.log.refused == []


def test_versions_count_the_changes_of_each_document(documents: list[dict[str, Any]]) -> None:
    writer = Writer()
    writer.apply(documents)
    writer.apply(documents)
    assert writer.versions() == {"payments-availability": 1, "other": 1}
    writer.apply(changed(documents, "other", target="99%"))
    assert writer.versions() == {"payments-availability": 1, "other": 2}
    writer.apply(documents)
    assert writer.versions() == {"payments-availability": 1, "other": 3}


def test_a_document_that_comes_back_has_a_new_version(documents: list[dict[str, Any]]) -> None:
    writer = Writer()
    writer.apply(documents)
    writer.apply([each for each in documents if each["metadata"]["name"] != "other"])
    assert writer.versions() == {"payments-availability": 1}
    writer.apply(documents)
    assert writer.versions() == {"payments-availability": 1, "other": 2}


def test_the_base_counts_for_no_versions(documents: list[dict[str, Any]]) -> None:
    with_base, without = Writer(Catalogue(sha256="abc")), Writer()
    with_base.apply(documents)
    without.apply(documents)
    assert with_base.log.current == without.log.current


def test_of_two_applies_at_once_the_second_is_void(documents: list[dict[str, Any]]) -> None:
    writer = Writer()
    first = records_of(documents, "first", 0)
    second = records_of(changed(documents, "other", target="99%"), "second", 0)
    for (_, one), (_, two) in zip(first[:-1], second[:-1], strict=True):
        writer.write(one)
        writer.write(two)
    winner, loser = writer.write(first[-1][1]), writer.write(second[-1][1])
    assert writer.log.current.revision == winner
    assert writer.log.at(loser, digest(documents)) is None
    assert [refused.offset for refused in writer.log.refused] == [loser]
    assert "void" in writer.log.refused[0].reason


def test_an_apply_of_nothing_retires_everything(documents: list[dict[str, Any]]) -> None:
    writer = Writer()
    writer.apply(documents)
    writer.apply([])
    assert writer.log.current.objectives == {}
    assert writer.log.refused == []


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda commit: {**commit, "documents_count": 1}, "announced"),
        (lambda commit: {**commit, "sha256": "0" * 64}, "hash"),
        (lambda commit: {**commit, "apply_id": "b"}, "announced"),
        (lambda commit: {**commit, "base_revision": 5}, "in force is 0"),
        (lambda commit: {**commit, "base_revision": None}, "in force is 0"),
        (lambda commit: {**commit, "base_revision": False}, "in force is 0"),
        (lambda commit: {**commit, "apply_id": None}, "apply_id"),
    ],
)
def test_a_commit_that_does_not_add_up_is_void(documents: list[dict[str, Any]], spoil: Any, reason: str) -> None:
    writer = Writer()
    *records, (_, commit) = records_of(documents, "a", 0)
    for _, value in records:
        writer.write(value)
    offset = writer.write(orjson.dumps(spoil(orjson.loads(commit))))
    assert writer.log.current == Catalogue()
    ((refused_at, text),) = writer.log.refused
    assert refused_at == offset
    assert reason in text


def test_definitions_that_lint_refuses_are_never_in_force(documents: list[dict[str, Any]]) -> None:
    writer = Writer()
    revision = writer.apply(documents)
    writer.apply(changed(documents, "other", target="100%"))
    assert writer.log.current.revision == revision
    assert "target-without-budget" in writer.log.refused[-1].reason
    assert writer.apply(documents) == writer.log.current.revision


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\xff",
        b"{",
        b"null",
        b"[]",
        b"5",
        b"{}",
        b'{"type":"commit"}',
        b'{"type":"document"}',
        b'{"type":"document","apply_id":"a","index":-1,"document":{}}',
        b'{"type":"document","apply_id":"a","index":true,"document":{}}',
        b'{"type":"document","apply_id":"a","index":0,"document":[]}',
        b"[" * 5_000,
    ],
)
def test_garbage_between_the_records_changes_nothing(documents: list[dict[str, Any]], garbage: bytes) -> None:
    clean, dirty = Writer(), Writer()
    clean.apply(documents)
    for _, value in records_of(documents, "a", 0):
        dirty.write(garbage)
        dirty.write(value)
    assert dirty.log.current.objectives == clean.log.current.objectives
    assert dirty.log.current.sha256 == clean.log.current.sha256
    assert len(dirty.log.refused) == len(documents) + 1


def test_a_document_of_odd_values_is_void_and_no_failure() -> None:
    writer = Writer()
    for document in (b'{"a":1e999}', b'{"a":123456789012345678901234567890}', b'{"kind":5}', b"{}"):
        writer.write(b'{"type":"document","apply_id":"a","index":0,"document":' + document + b"}")
        sha256 = hashlib.sha256(document).hexdigest()
        commit = {"type": "commit", "apply_id": "a", "base_revision": 0, "documents_count": 1, "sha256": sha256}
        writer.write(orjson.dumps(commit))
    assert writer.log.current == Catalogue()
    assert len(writer.log.refused) == 4


def test_a_record_fed_again_is_passed_over(documents: list[dict[str, Any]]) -> None:
    writer = Writer()
    writer.apply(documents)
    before = writer.log.current
    for offset, (_, value) in enumerate(records_of(documents, "a", 0)):
        writer.log.feed(offset, value)
    assert writer.log.current is before
    assert writer.log.refused == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON))
def test_the_canonical_form_is_sorted_compact_utf8_json(document: dict[str, Any]) -> None:
    expected = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert json.loads(canonical(document)) == document
    assert canonical(document) == canonical(dict(reversed(list(document.items()))))
    if expected.isprintable():  # escapes of control characters are the writer's choice
        assert canonical(document).decode() == expected


def test_the_hash_is_over_the_documents_joined_by_line_feeds() -> None:
    expected = hashlib.sha256(b'{"a":1,"b":2}\n{"c":3}').hexdigest()
    assert digest([{"b": 2, "a": 1}, {"c": 3}]) == expected
