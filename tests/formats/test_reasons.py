"""Raw bytes → reason: the first that applies, over the whole record, in the order of wire.md."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.inbound import decode_telemetry
from sla.fold import Line
from sla.records import Reason, Rejection
from sla.units import MINUTE_MS, rfc3339

NOW = 1_795_428_000_000  # 2026-11-23T10:00:00Z
NOW_TEXT = "2026-11-23T10:00:00.000Z"
COUNTS = {"type": "counts", "service": "payments", "signal": "availability", "at": NOW_TEXT, "good": 118, "bad": 2}
SAMPLE = {"type": "sample", "service": "payments", "signal": "latency_ms", "at": NOW_TEXT, "value": 312.5}
STATE = {"type": "state", "service": "payments", "signal": "uptime", "at": NOW_TEXT, "up": False}
CHANGE = {"type": "change", "service": "payments", "at": NOW_TEXT, "id": "deploy-8812", "summary": "v42 rolled out"}
EXCLUSION = {
    "type": "exclusion",
    "service": "payments",
    "id": "CHG-7",
    "from": "2026-11-24T10:00:00Z",
    "to": "2026-11-24T12:00:00Z",
    "reason": "planned maintenance",
    "category": "planned",
    "status": "approved",
    "requested_by": "ann",
    "approved_by": "bob",
}
HISTORY = {
    "type": "history",
    "service": "payments",
    "signal": "availability",
    "from": "2026-10-01T00:00:00Z",
    "to": "2026-10-02T00:00:00Z",
    "good": 100000,
    "bad": 12,
}
MARKER = {"type": "catalogue", "revision": 17, "sha256": "ab" * 32}


def line(value: bytes | None, key: bytes | None = None) -> Line:
    return Line(7, key, value, NOW, NOW)


def verdict(value: bytes | None, key: bytes | None = None) -> Reason | None:
    """The reason of the refusal, or None for a record that is taken."""
    record = decode_telemetry(line(value, key), NOW)
    return record.reason if isinstance(record, Rejection) else None


def raw(record: dict[str, Any], **changed: Any) -> bytes:
    return json.dumps({**record, **changed}).encode()


def without(record: dict[str, Any], *names: str) -> bytes:
    return json.dumps({name: value for name, value in record.items() if name not in names}).encode()


def literal(record: dict[str, Any], name: str, text: str) -> bytes:
    """The record with the value of one field replaced by JSON text, or by what is none."""
    return raw(record, **{name: "@@"}).replace(b'"@@"', text.encode())


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


TABLE: list[tuple[str, bytes | None, Reason | None]] = [
    # not_utf8
    ("an invalid byte", b'{"type":"tick\xff"}', Reason.NOT_UTF8),
    ("Latin-1", raw(COUNTS).replace(b"payments", b"caf\xe9"), Reason.NOT_UTF8),
    ("an encoded surrogate", raw(COUNTS).replace(b"payments", b"\xed\xa0\x80"), Reason.NOT_UTF8),
    ("invalid bytes in what is no JSON either", b"\xff\xfe{", Reason.NOT_UTF8),
    ("invalid bytes after too many levels", b"[" * 5000 + b"\xff", Reason.NOT_UTF8),
    # not_json
    ("nothing", b"", Reason.NOT_JSON),
    ("blank", b"  ", Reason.NOT_JSON),
    ("words", b"hello", Reason.NOT_JSON),
    ("half a record", raw(COUNTS)[:-5], Reason.NOT_JSON),
    ("a trailing comma", b'{"type":"tick",}', Reason.NOT_JSON),
    ("two values", b'{"type":"tick"}{"type":"tick"}', Reason.NOT_JSON),
    ("single quotes", b"{'type':'tick'}", Reason.NOT_JSON),
    ("a byte order mark", b'\xef\xbb\xbf{"type":"tick"}', Reason.NOT_JSON),
    ("a raw line feed in a string", raw(COUNTS).replace(b"payments", b"pay\nments"), Reason.NOT_JSON),
    ("a leading zero", literal(COUNTS, "good", "01"), Reason.NOT_JSON),
    ("NaN", literal(SAMPLE, "value", "NaN"), Reason.NOT_JSON),
    ("Infinity", literal(SAMPLE, "value", "Infinity"), Reason.NOT_JSON),
    ("-Infinity", literal(SAMPLE, "value", "-Infinity"), Reason.NOT_JSON),
    ("NaN where nobody looks", literal(COUNTS, "note", "NaN"), Reason.NOT_JSON),
    ("a lone high surrogate", literal(COUNTS, "service", r'"\ud800"'), Reason.NOT_JSON),
    ("a lone low surrogate", literal(COUNTS, "service", r'"\udc00"'), Reason.NOT_JSON),
    ("surrogates in the wrong order", literal(COUNTS, "service", r'"\udc00\ud800"'), Reason.NOT_JSON),
    ("a lone surrogate where nobody looks", literal(COUNTS, "note", r'["\uDBFF"]'), Reason.NOT_JSON),
    ("a lone surrogate that a duplicate hides", b'{"type":"\\ud800","type":"tick"}', Reason.NOT_JSON),
    ("an escaped backslash before ud800", literal(COUNTS, "note", r'"\\ud800"'), None),
    ("a surrogate pair", literal(COUNTS, "service", r'"\ud83d\ude00"'), None),
    ("over 1 MiB of what is no JSON", b"{" + b" " * (1 << 20) + b"!", Reason.NOT_JSON),
    # too_large
    ("1 MiB", raw(COUNTS) + b" " * ((1 << 20) - len(raw(COUNTS))), None),
    ("1 MiB and a byte", raw(COUNTS) + b" " * ((1 << 20) + 1 - len(raw(COUNTS))), Reason.TOO_LARGE),
    ("over 1 MiB of null", b"null" + b" " * (1 << 20), Reason.TOO_LARGE),
    ("over 1 MiB without a service", without(COUNTS, "service") + b" " * (1 << 20), Reason.TOO_LARGE),
    # too_deep
    ("64 levels", literal(COUNTS, "note", nested(64)), None),
    ("199 levels below the record", literal(COUNTS, "note", nested(199)), None),
    ("200 levels below the record", literal(COUNTS, "note", nested(200)), Reason.TOO_DEEP),
    ("2,000 levels", literal(COUNTS, "note", nested(2000)), Reason.TOO_DEEP),
    ("100,000 levels", nested(100_000).encode(), Reason.TOO_DEEP),
    ("100,000 levels never closed", b"[" * 100_000, Reason.TOO_DEEP),
    ("objects 2,000 levels deep", b'{"a":' * 2000 + b"1" + b"}" * 2000, Reason.TOO_DEEP),
    ("brackets in a string", literal(COUNTS, "note", '"' + "[" * 5000 + '"'), None),
    ("brackets behind an escaped quote", literal(COUNTS, "note", r'"\"' + "[" * 5000 + '"'), None),
    ("many brackets side by side", literal(COUNTS, "note", "[" + ",".join(["[]"] * 5000) + "]"), None),
    # null_value
    ("a null record", None, Reason.NULL_VALUE),
    ("the JSON null", b"null", Reason.NULL_VALUE),
    # missing_field
    ("an empty object", b"{}", Reason.MISSING_FIELD),
    ("a null type", b'{"type":null}', Reason.MISSING_FIELD),
    *((f"counts without {name}", without(COUNTS, name), Reason.MISSING_FIELD) for name in COUNTS),
    *((f"a sample without {name}", without(SAMPLE, name), Reason.MISSING_FIELD) for name in SAMPLE),
    *((f"a state without {name}", without(STATE, name), Reason.MISSING_FIELD) for name in STATE),
    *((f"a history without {name}", without(HISTORY, name), Reason.MISSING_FIELD) for name in HISTORY),
    *((f"a change without {n}", without(CHANGE, n), Reason.MISSING_FIELD) for n in ("service", "at", "id")),
    *(
        (f"an exclusion without {n}", without(EXCLUSION, n), Reason.MISSING_FIELD)
        for n in ("service", "id", "from", "to")
    ),
    *((f"a marker without {n}", without(MARKER, n), Reason.MISSING_FIELD) for n in ("revision", "sha256")),
    ("a null required field", raw(COUNTS, good=None), Reason.MISSING_FIELD),
    ("a missing field beside a wrong type", without({**COUNTS, "good": "1"}, "bad"), Reason.MISSING_FIELD),
    ("a change without a summary", without(CHANGE, "summary"), None),
    (
        "an exclusion with the least",
        without(EXCLUSION, "reason", "category", "status", "requested_by", "approved_by"),
        None,
    ),
    ("null optional fields", raw(COUNTS, instance=None, source=None, sequence=None, traceparent=None), None),
    ("an exclusion with nulls", raw(EXCLUSION, status=None, category=None, reason=None, approved_by=None), None),
    # wrong_type
    ("a list", b"[]", Reason.WRONG_TYPE),
    ("a string", b'"tick"', Reason.WRONG_TYPE),
    ("a number", b"5", Reason.WRONG_TYPE),
    ("a type that is a number", raw(COUNTS, type=5), Reason.WRONG_TYPE),
    ("a type that is a list", raw(COUNTS, type=["counts"]), Reason.WRONG_TYPE),
    ("good as 1.0", literal(COUNTS, "good", "1.0"), Reason.WRONG_TYPE),
    ("good as 1e2", literal(COUNTS, "good", "1e2"), Reason.WRONG_TYPE),
    ("good as true", raw(COUNTS, good=True), Reason.WRONG_TYPE),
    ("good as text", raw(COUNTS, good="118"), Reason.WRONG_TYPE),
    ("bad as a list", raw(COUNTS, bad=[2]), Reason.WRONG_TYPE),
    ("service as a number", raw(COUNTS, service=5), Reason.WRONG_TYPE),
    ("service as 1e999", literal(COUNTS, "service", "1e999"), Reason.WRONG_TYPE),
    ("a value as text", raw(SAMPLE, value="312.5"), Reason.WRONG_TYPE),
    ("a value as true", raw(SAMPLE, value=True), Reason.WRONG_TYPE),
    ("up as 1", raw(STATE, up=1), Reason.WRONG_TYPE),
    ("up as text", raw(STATE, up="false"), Reason.WRONG_TYPE),
    ("at as a float", literal(COUNTS, "at", "1795428000000.0"), Reason.WRONG_TYPE),
    ("at as true", raw(COUNTS, at=True), Reason.WRONG_TYPE),
    ("instance as a number", raw(COUNTS, instance=5), Reason.WRONG_TYPE),
    ("source as a number", raw(COUNTS, source=5), Reason.WRONG_TYPE),
    ("sequence as text", raw(COUNTS, source="a", sequence="5"), Reason.WRONG_TYPE),
    ("sequence as 1.0", literal(COUNTS, "sequence", "1.0"), Reason.WRONG_TYPE),
    ("traceparent as a number", raw(COUNTS, traceparent=5), Reason.WRONG_TYPE),
    ("status as a number", raw(EXCLUSION, status=5), Reason.WRONG_TYPE),
    ("category as a list", raw(EXCLUSION, category=["planned"]), Reason.WRONG_TYPE),
    ("a wrong type beside a value out of range", raw(COUNTS, good=-1, bad="2"), Reason.WRONG_TYPE),
    ("a wrong type beside an unreadable instant", raw(COUNTS, at="soon", bad="2"), Reason.WRONG_TYPE),
    # out_of_range
    ("a negative count", raw(COUNTS, bad=-1), Reason.OUT_OF_RANGE),
    ("2^53 - 1", raw(COUNTS, good=2**53 - 1), None),
    ("2^53", raw(COUNTS, good=2**53), Reason.OUT_OF_RANGE),
    ("2^64", raw(COUNTS, good=2**64), Reason.OUT_OF_RANGE),
    ("a count of 5,000 digits", literal(COUNTS, "good", "9" * 5000), Reason.OUT_OF_RANGE),
    ("a count of 1e999", literal(COUNTS, "good", "1e999"), Reason.OUT_OF_RANGE),
    ("a value of 1e999", literal(SAMPLE, "value", "1e999"), Reason.OUT_OF_RANGE),
    ("a value of -1e999", literal(SAMPLE, "value", "-1e999"), Reason.OUT_OF_RANGE),
    ("a value of 5,000 digits", literal(SAMPLE, "value", "-" + "9" * 5000), Reason.OUT_OF_RANGE),
    ("a value of 300 digits", literal(SAMPLE, "value", "9" * 300), None),
    ("1e999 where nobody looks", literal(COUNTS, "note", "1e999"), None),
    ("an empty service", raw(COUNTS, service=""), Reason.OUT_OF_RANGE),
    ("a service of 200 characters", raw(COUNTS, service="ü" * 200), None),
    ("a service of 201 characters", raw(COUNTS, service="ü" * 201), Reason.OUT_OF_RANGE),
    ("a signal of 201 characters", raw(COUNTS, signal="s" * 201), Reason.OUT_OF_RANGE),
    ("an empty signal", raw(COUNTS, signal=""), Reason.OUT_OF_RANGE),
    ("a line feed in a service", raw(COUNTS, service="pay\nments"), Reason.OUT_OF_RANGE),
    ("a NUL in a service", raw(COUNTS, service="pay\0ments"), Reason.OUT_OF_RANGE),
    ("a DEL in a service", raw(COUNTS, service="pay\x7fments"), Reason.OUT_OF_RANGE),
    ("a C1 control in a signal", raw(COUNTS, signal="a\x85b"), Reason.OUT_OF_RANGE),
    ("a no-break space in a service", raw(COUNTS, service="pay\xa0ments"), None),
    ("a tab in an instance", raw(COUNTS, instance="a\tb"), Reason.OUT_OF_RANGE),
    ("an empty instance", raw(COUNTS, instance=""), Reason.OUT_OF_RANGE),
    ("an oversized instance", raw(COUNTS, instance="i" * 201), Reason.OUT_OF_RANGE),
    ("an oversized id", raw(EXCLUSION, id="i" * 201), Reason.OUT_OF_RANGE),
    ("a negative sequence", raw(COUNTS, source="a", sequence=-1), Reason.OUT_OF_RANGE),
    ("a sequence of 2^63", raw(COUNTS, source="a", sequence=2**63), Reason.OUT_OF_RANGE),
    ("at beyond 64 bits", raw(COUNTS, at=10**30), Reason.OUT_OF_RANGE),
    ("a negative revision", raw(MARKER, revision=-1), Reason.OUT_OF_RANGE),
    ("out of range beside an unknown status", raw(EXCLUSION, id="", status="maybe"), Reason.OUT_OF_RANGE),
    # unknown_type, unknown_value
    ("an unknown type", raw(COUNTS, type="gauge"), Reason.UNKNOWN_TYPE),
    ("an empty type", raw(COUNTS, type=""), Reason.UNKNOWN_TYPE),
    ("a type in capitals", raw(COUNTS, type="Counts"), Reason.UNKNOWN_TYPE),
    ("an unknown type alone", b'{"type":"gauge"}', Reason.UNKNOWN_TYPE),
    ("an unknown status", raw(EXCLUSION, status="maybe"), Reason.UNKNOWN_VALUE),
    ("an unknown category", raw(EXCLUSION, category="weather"), Reason.UNKNOWN_VALUE),
    ("an empty status", raw(EXCLUSION, status=""), Reason.UNKNOWN_VALUE),
    ("an unknown category, inverted", raw(EXCLUSION, category="x", to="2026-01-01T00:00:00Z"), Reason.UNKNOWN_VALUE),
    # bad_instant
    *(
        (f"at {text!r}", raw(COUNTS, at=text), Reason.BAD_INSTANT)
        for text in (
            "",
            "soon",
            "2026-11-23",
            "2026-11-23T10:00:00",
            "2026-11-23T10:00Z",
            "20261123T100000Z",
            "2026-11-31T10:00:00Z",
            "2026-02-29T10:00:00Z",
            "2026-13-01T10:00:00Z",
            "2026-11-23T24:00:00Z",
            "2026-11-23T10:60:00Z",
            "2026-11-23T10:00:61Z",
            "2026-11-23T10:00:60Z",
            "2026-11-23T10:00:00.Z",
            "2026-11-23T10:00:00,5Z",
            "2026-11-23T10:00:00+0100",
            "2026-11-23T10:00:00+24:00",
            "2026-11-23T10:00:00+01:60",
            "2026-11-23T10:00:+5.000Z",
            "2026-11-23T10:00: 5.000Z",
            "2026-11-23T10:00:00.0_0Z",
            "٢٠٢٦-11-23T10:00:00.000Z",
            " 2026-11-23T10:00:00.000Z",
            "2026-11-23T10:00:00.000Z\n",
            "0000-01-01T00:00:00.000Z",
            "0001-01-01T00:00:00+01:00",
        )
    ),
    ("at before the year 1", raw(COUNTS, at=-(10**15)), Reason.BAD_INSTANT),
    ("an exclusion to the year 33658", raw(EXCLUSION, to=10**15), Reason.BAD_INSTANT),
    ("an unreadable start beside an end before it", raw(EXCLUSION, **{"from": "x"}), Reason.BAD_INSTANT),
    # from_the_future
    ("5 min ahead", raw(COUNTS, at=NOW + 5 * MINUTE_MS), None),
    ("5 min and 1 ms ahead", raw(COUNTS, at=NOW + 5 * MINUTE_MS + 1), Reason.FROM_THE_FUTURE),
    ("5 min and 1 ms ahead, as text", raw(SAMPLE, at=rfc3339(NOW + 5 * MINUTE_MS + 1)), Reason.FROM_THE_FUTURE),
    ("a finer part than 1 ms does not count", raw(COUNTS, at="2026-11-23T10:05:00.0009Z"), None),
    ("microseconds taken for milliseconds", raw(COUNTS, at=NOW * 1000), Reason.FROM_THE_FUTURE),
    ("nanoseconds taken for milliseconds", raw(COUNTS, at=NOW * 10**6), Reason.FROM_THE_FUTURE),
    ("the last instant of all", raw(COUNTS, at="9999-12-31T23:59:59.999-23:59"), Reason.FROM_THE_FUTURE),
    ("a change of tomorrow", raw(CHANGE, at="2026-11-24T10:00:00Z"), Reason.FROM_THE_FUTURE),
    ("a history of tomorrow", raw(HISTORY, to="2026-11-24T10:00:00Z"), Reason.FROM_THE_FUTURE),
    ("an exclusion of tomorrow", raw(EXCLUSION), None),
    # inverted_interval
    ("an exclusion that ends before it begins", raw(EXCLUSION, to="2026-11-23T10:00:00Z"), Reason.INVERTED_INTERVAL),
    ("an exclusion that ends where it begins", raw(EXCLUSION, to="2026-11-24T11:00:00+01:00"), None),
    ("an empty history", raw(HISTORY, to="2026-10-01T00:00:00.0009Z"), Reason.INVERTED_INTERVAL),
    ("an inverted history", raw(HISTORY, to="2026-09-01T00:00:00Z"), Reason.INVERTED_INTERVAL),
    # taken
    ("counts", raw(COUNTS), None),
    ("a sample", raw(SAMPLE), None),
    ("a state", raw(STATE), None),
    ("a change", raw(CHANGE), None),
    ("an exclusion", raw(EXCLUSION), None),
    ("a history", raw(HISTORY), None),
    ("a tick", b'{"type":"tick"}', None),
    ("a marker", raw(MARKER), None),
    ("a clock feed", b'{"type":"clock","ticket":"INC-1"}', Reason.MISSING_FIELD),
    ("a dependency feed", b'{"type":"dependency","service":"ledger"}', None),
    ("unknown fields", raw(COUNTS, colour="red", nested={"a": [1]}), None),
    ("a duplicated key", b'{"good":-1,' + raw(COUNTS)[1:], None),
    ("a duplicated key, the last being bad", raw(COUNTS)[:-1] + b',"good":-1}', Reason.OUT_OF_RANGE),
    ("blanks around", b" \r\n\t" + raw(COUNTS) + b"\n", None),
    ("good:0, bad:0", raw(COUNTS, good=0, bad=0), None),
    ("minus zero", literal(COUNTS, "good", "-0"), None),
]


@pytest.mark.parametrize(("value", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_reason_is_the_first_that_applies(value: bytes | None, expected: Reason | None) -> None:
    assert verdict(value) is expected


@pytest.mark.parametrize(
    ("record", "key", "expected"),
    [
        (COUNTS, b"payments", None),
        (COUNTS, None, None),
        (COUNTS, b"ledger", Reason.KEY_MISMATCH),
        (COUNTS, b"", Reason.KEY_MISMATCH),
        (COUNTS, b"\xff\xfe", Reason.KEY_MISMATCH),
        ({**COUNTS, "service": "café"}, "café".encode(), None),
        ({**COUNTS, "service": "café"}, "café".encode("latin-1"), Reason.KEY_MISMATCH),
        (EXCLUSION, b"ledger", Reason.KEY_MISMATCH),
        (CHANGE, b"ledger", Reason.KEY_MISMATCH),
        (HISTORY, b"ledger", Reason.KEY_MISMATCH),
        ({**EXCLUSION, "to": "2026-01-01T00:00:00Z"}, b"ledger", Reason.INVERTED_INTERVAL),
        ({"type": "tick"}, b"anything", None),
        (MARKER, b"\xff", None),
    ],
)
def test_a_null_key_is_derived_and_one_that_differs_from_the_body_is_refused(
    record: dict[str, Any], key: bytes | None, expected: Reason | None
) -> None:
    assert verdict(raw(record), key) is expected


@pytest.mark.parametrize("value", [row[1] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_refusal_says_why_in_a_line_of_bounded_length(value: bytes | None) -> None:
    record = decode_telemetry(line(value), NOW)
    if isinstance(record, Rejection):
        assert 0 < len(record.detail) < 300
