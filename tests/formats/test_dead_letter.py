from __future__ import annotations

from base64 import b64decode, b64encode

import orjson

from schemas.dead_letter import DEAD_LETTER_TOPIC, dead_letter
from sla.fold import Line
from sla.records import Reason, Rejection

AT = 1_795_428_000_123
REJECTION = Rejection(Reason.WRONG_TYPE, "good: an integer is expected, not a string")


def test_a_dead_letter_holds_the_bytes_the_place_and_the_reason() -> None:
    one = Line(41, b"payments", b"\xff{", AT, AT, (("trace", b"\x00\x01"), ("trace", b"")))
    emission = dead_letter(REJECTION, "sla.telemetry.v1", 3, one)
    assert emission.topic == DEAD_LETTER_TOPIC
    assert emission.key == "payments"
    assert list(emission.value.items()) == [
        ("reason", "wrong_type"),
        ("detail", "good: an integer is expected, not a string"),
        ("topic", "sla.telemetry.v1"),
        ("partition", 3),
        ("offset", 41),
        ("timestamp", "2026-11-23T10:00:00.123Z"),
        ("key_base64", b64encode(b"payments").decode()),
        ("value_base64", b64encode(b"\xff{").decode()),
        ("headers", [["trace", "AAE="], ["trace", ""]]),
    ]


def test_null_stays_null() -> None:
    emission = dead_letter(REJECTION, None, None, Line(0, None, None, AT, None))
    assert emission.key is None
    assert (emission.value["key_base64"], emission.value["value_base64"]) == (None, None)
    assert (emission.value["topic"], emission.value["partition"]) == (None, None)


def test_a_key_that_is_no_text_is_replaced_where_it_is_none_and_kept_in_base64() -> None:
    emission = dead_letter(REJECTION, "t", 0, Line(0, b"a\xffb", b"", AT, AT))
    assert emission.key == "a\ufffdb"
    assert b64decode(emission.value["key_base64"]) == b"a\xffb"


def test_a_timestamp_that_is_no_date_is_null() -> None:
    for stamped_at in (-1, 2**62):
        assert dead_letter(REJECTION, "t", 0, Line(0, None, b"", stamped_at, None)).value["timestamp"] is None


def test_of_a_value_above_2_mib_the_first_2_mib_are_kept() -> None:
    whole = dead_letter(REJECTION, "t", 0, Line(0, None, b"x" * (2 << 20), AT, AT))
    assert "truncated" not in whole.value
    cut = dead_letter(REJECTION, "t", 0, Line(0, None, b"x" * (2 << 20) + b"y", AT, AT))
    assert cut.value["truncated"] is True
    assert b64decode(cut.value["value_base64"]) == b"x" * (2 << 20)
    assert len(orjson.dumps(cut.value)) < 4 << 20
