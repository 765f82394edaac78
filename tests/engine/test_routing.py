"""Where a record belongs: a table of records and what becomes of each."""

from __future__ import annotations

import orjson
import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from agents.routing import FORWARDED, Marker, Place, marker, misplaced, own_type
from sla.fold import Line
from sla.partitioner import partition_of

COUNT = 8
PLACE = Place("sla.telemetry.v1", COUNT, "service", partition_of)
PAYMENTS = partition_of(b"payments", COUNT)
WRONG = (PAYMENTS + 1) % COUNT
BODY = b'{"type":"counts","service":"payments","good":1.50,"bad":0}'


def line(key: bytes | None, value: bytes | None, *, forwarded: bool = False, offset: int = 3) -> Line:
    headers = [(FORWARDED, b"sla.telemetry.v1/0/1")] if forwarded else [("traceparent", b"00-1-2-01")]
    return Line(offset, key, value, 0, 0, headers)


@pytest.mark.parametrize(
    ("found", "partition"),
    [
        (line(b"payments", BODY), PAYMENTS),
        (line(None, BODY), PAYMENTS),
        (line(b"", BODY), PAYMENTS),
        (line(b"payments", BODY, forwarded=True), WRONG),  # once is enough
        (line(None, b'{"type":"tick"}'), WRONG),
        (line(b"", b'{"type":"tick"}'), WRONG),
        (line(None, b'{"type":"catalogue","revision":1,"sha256":""}'), WRONG),
        (line(b"payments", None), WRONG),  # a dead letter wherever it lies, like all that follow
        (line(b"payments", b"\xff"), WRONG),
        (line(b"payments", b"[1]"), WRONG),
        (line(b"payments", b"{}"), WRONG),
        (line(None, b'{"type":"counts"}'), WRONG),
        (line(None, b'{"service":7}'), WRONG),
    ],
)
def test_what_is_stepped_where_it_is(found: Line, partition: int) -> None:
    assert misplaced(PLACE, partition, found) is None


@pytest.mark.parametrize("key", [b"payments", None, b""])
def test_data_in_the_wrong_partition_is_sent_on_with_its_key(key: bytes | None) -> None:
    found = misplaced(PLACE, WRONG, line(key, BODY))
    assert found is not None
    assert (found.partition, found.key) == (PAYMENTS, b"payments")
    assert found.headers == (("traceparent", b"00-1-2-01"), (FORWARDED, f"sla.telemetry.v1/{WRONG}/3".encode()))


def test_a_record_sent_on_twice_is_one_feed_record_and_otherwise_the_same_text() -> None:
    found = misplaced(PLACE, WRONG, line(b"payments", BODY + b"\n", offset=5))
    assert found is not None
    feed = f',"source":"forewarn:sla.telemetry.v1/{WRONG}","sequence":{5 * 1_048_576}}}'
    assert found.value == BODY[:-1] + feed.encode()


def test_a_record_that_its_producer_numbered_keeps_its_number() -> None:
    value = b'{"service":"payments","source":"billing","sequence":8}'
    found = misplaced(PLACE, WRONG, line(b"payments", value))
    assert found is not None
    assert found.value == value


def test_a_source_alone_does_not_dedupe_so_it_is_replaced() -> None:
    found = misplaced(PLACE, WRONG, line(b"payments", b'{"service":"payments","source":"billing"}'))
    assert found is not None
    assert orjson.loads(found.value)["source"].startswith("forewarn:")


@given(st.binary(min_size=1, max_size=40), st.integers(1, 64))
def test_the_partition_is_the_one_that_kafkas_own_clients_choose(key: bytes, count: int) -> None:
    every = list(range(count))
    assert partition_of(key, count) == DefaultPartitioner()(key, every, every)


def test_only_the_owners_records_are_told_apart_by_their_text() -> None:
    assert own_type(line(None, b'{"type":"tick"}')) == "tick"
    assert own_type(line(None, b'{"type":"counts","service":"tick \\"tick\\""}')) is None
    assert own_type(line(b"payments", b'{"type":"tick"}')) is None
    assert own_type(line(None, b'{"type":"tick"}' + b" " * 300)) is None


def test_a_marker_names_its_revision() -> None:
    assert marker(line(None, b'{"type":"catalogue","revision":17,"sha256":"ab"}')) == Marker(17, "ab")
    assert marker(line(None, b'{"type":"catalogue","revision":true,"sha256":"ab"}')) is None
    assert marker(line(None, b'{"type":"tick"}')) is None
