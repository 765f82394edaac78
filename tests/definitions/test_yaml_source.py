from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.definitions import yaml_source
from schemas.definitions.yaml_source import read_yaml


def values(text: str) -> list[Any]:
    nodes, findings = read_yaml(text.encode(), "f.yaml")
    assert findings == []
    return [node.value for node in nodes]


def refusals(content: bytes) -> list[tuple[str, int | None]]:
    return [(finding.rule, finding.line) for finding in read_yaml(content, "f.yaml")[1]]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("12:30:45", "12:30:45"),
        ("2026-12-24", "2026-12-24"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("99.9%", "99.9%"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("5", 5),
        ("-5", -5),
        ("5.5", 5.5),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
    ],
)
def test_scalars_are_what_they_look_like(text: str, value: Any) -> None:
    (read,) = values(f"key: {text}")
    assert read == {"key": value}
    assert type(read["key"]) is type(value)


def test_every_node_knows_its_line() -> None:
    ((node,), _) = read_yaml(b"a:\n  - x\n  - b: 1\n    c:\n      d\n", "f.yaml")
    second = node.children["a"].children[1]
    assert (node.key_lines["a"], second.key_lines["b"], second.children["c"].line) == (1, 3, 5)


def test_a_file_holds_several_documents_and_empty_ones_do_not_count() -> None:
    assert values("a: 1\n---\n---\n# nothing\n---\nb: 2\n") == [{"a": 1}, {"b": 2}]
    assert values("") == []
    assert values("- {a: 1}\n- {b: 2}\n") == [{"a": 1}, {"b": 2}]


def test_aliases_and_merges_are_followed() -> None:
    assert values("x: &a {k: 1, l: 2}\ny: {<<: *a, k: 3}\nz: *a\n") == [
        {"x": {"k": 1, "l": 2}, "y": {"k": 3, "l": 2}, "z": {"k": 1, "l": 2}},
    ]


@pytest.mark.parametrize(
    ("content", "rule", "line"),
    [
        (b"a: [1\nb: 2\n", "yaml-syntax", 2),
        (b"a: 1\n\tb: 2\n", "yaml-syntax", 2),
        (b"a: 1\nb: \xff\n", "yaml-syntax", 2),
        (b"a: 1\nb: *nowhere\n", "yaml-syntax", 2),
        (b"a: &a [1, *a]\n", "yaml-syntax", 1),
        (b"a: 1\nb: !!python/object/apply:os.system [id]\n", "yaml-syntax", 2),
        (b"a: !custom x\n", "yaml-syntax", 1),
        (b"a: !!int x\n", "yaml-syntax", 1),
        (b"? [a]\n: 1\n", "yaml-syntax", 1),
        (b"a: {<<: 5}\n", "yaml-syntax", 1),
        (b"a: 1\nb: 2\na: 3\n", "yaml-duplicate-key", 3),
        (b'a: "\\ud800"\n', "yaml-syntax", 1),
        (b"a: \x00\n", "yaml-syntax", 1),
        (b"[" * 60, "yaml-limit", 1),
        (b"a: 1\n" + b"# " + b"x" * yaml_source.SIZE_MAX_BYTES, "yaml-limit", 1),
    ],
)
def test_what_is_not_safe_yaml_is_a_finding_with_its_line(content: bytes, rule: str, line: int) -> None:
    assert refusals(content) == [(rule, line)]


def test_a_billion_laughs_are_refused_before_they_are_laughed() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert refusals("\n".join(lines).encode()) == [("yaml-limit", 6)]


def test_aliases_are_limited_in_number() -> None:
    many = "a: &a 1\nb: [" + ", ".join(["*a"] * (yaml_source.ALIASES_MAX + 1)) + "]\n"
    assert refusals(many.encode()) == [("yaml-limit", 2)]


def test_documents_before_a_syntax_error_still_stand() -> None:
    nodes, findings = read_yaml(b"a: 1\n---\nb: [\n", "f.yaml")
    assert [node.value for node in nodes] == [{"a": 1}]
    assert len(findings) == 1


@given(st.binary(max_size=200) | st.text(alphabet="ab:-[]{}&*!<>|?,'\"\n #%@`", max_size=80).map(str.encode))
def test_no_bytes_make_it_fail(content: bytes) -> None:
    nodes, findings = read_yaml(content, "f.yaml")
    assert all(finding.line is None or finding.line >= 1 for finding in findings)
    assert all(node.value is not None for node in nodes)
