"""What the transport overrides or calls in secret is as it was when it was read; an upgrade fails here, loudly."""

from __future__ import annotations

import inspect
import re
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import Fetcher, FetchResult, PartitionRecords
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.producer.message_accumulator import BatchBuilder, MessageAccumulator, MessageBatch
from aiokafka.producer.producer import AIOKafkaProducer
from aiokafka.protocol.group import SyncGroupRequest
from faust import App, Table, Worker
from faust.stores.memory import Store
from faust.tables import TableManager
from faust.tables.recovery import Recovery
from faust.transport.base import Transport as BaseTransport
from faust.transport.consumer import Consumer as BaseConsumer
from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import ConsumerMessage

from agents.transport import Transport, raw_schema
from tests.engine.parts import new_app, record

VERSIONS = {"faust-streaming": "0.15.3", "mode-streaming": "0.7.1", "aiokafka": "0.14.0"}

SIGNATURES: list[tuple[Any, str, str]] = [
    (driver.Consumer, "_new_consumer_thread", "self"),
    (driver.Consumer, "_to_message", "self, tp, record"),
    (driver.Consumer, "_getmany", "self, active_partitions, timeout"),
    (driver.Consumer, "getmany", "self, timeout"),
    (driver.Consumer, "_add_gap", "self, tp, offset_from, offset_to"),
    (driver.Consumer, "_new_offset", "self, tp"),
    (driver.Consumer, "_commit_tps", "self, tps, start_new_transaction"),
    (driver.Consumer, "_commit_offsets", "self, offsets, start_new_transaction"),
    (driver.Consumer, "_filter_committable_offsets", "self, tps"),
    (driver.Consumer, "_filter_tps_with_pending_acks", "self, topics"),
    (driver.Consumer, "_handle_attached", "self, commit_offsets"),
    (driver.Consumer, "_should_commit", "self, tp, offset"),
    (driver.Consumer, "perform_seek", "self"),
    (driver.Consumer, "seek_wait", "self, partitions"),
    (driver.Consumer, "_wait_next_records", "self, timeout"),
    (driver.Consumer, "_get_active_partitions", "self"),
    (driver.Consumer, "on_partitions_revoked", "self, revoked"),
    (driver.Consumer, "commit_and_end_transactions", "self"),
    (driver.Consumer, "maybe_wait_for_commit_to_finish", "self"),
    (driver.Consumer, "stop_flow", "self"),
    (driver.Consumer, "assignment", "self"),
    (driver.Consumer, "_drain_messages", "self, fetcher"),
    (
        driver.AIOKafkaConsumerThread,
        "_fetch_records",
        "self, consumer, active_partitions, timeout, max_records",
    ),
    (driver.AIOKafkaConsumerThread, "_highwaters", "self, partitions"),
    (driver.AIOKafkaConsumerThread, "on_start", "self"),
    (driver.AIOKafkaConsumerThread, "_create_worker_consumer", "self, transport"),
    (driver.AIOKafkaConsumerThread, "call_thread", "self, fun, *args, **kwargs"),
    (driver.AIOKafkaConsumerThread, "seek_to_beginning", "self, *partitions"),
    (driver.Producer, "send", "self, topic, key, value, partition, timestamp, headers, *, transactional_id"),
    (driver.Producer, "send_soon", "self, fut"),
    (driver.Producer, "flush", "self"),
    (driver.Producer, "_settings_extra", "self"),
    (driver.Producer, "_ensure_producer", "self"),
    (BaseTransport, "create_consumer", "self, callback, **kwargs"),
    (Table, "on_rebalance", "self, assigned, revoked, newly_assigned, generation_id"),
    (Table, "apply_changelog_batch", "self, batch"),
    (Store, "on_recovery_completed", "self, active_tps, standby_tps"),
    (Recovery, "revoke", "self, tp"),
    (Recovery, "active_remaining_total", "self"),
    (App, "on_first_start", "self"),
    (App, "_crash", "self, reason"),
    (App, "on_stop", "self"),
    (driver.Consumer, "__init__", "self, *args, **kwargs"),
    (driver.AIOKafkaConsumerThread, "__init__", "self, consumer, **kwargs"),
    (driver.Producer, "__init__", "self, transport, loop, **kwargs"),
    (App, "__init__", "self, id, *, monitor, config_source, loop, beacon, **options"),
    (
        Worker,
        "__init__",
        (
            "self, app, *services, *, sensors, debug, quiet, loglevel, logfile, stdout, stderr, blocking_timeout, "
            "workdir, console_port, loop, redirect_stdouts, redirect_stdouts_level, logging_config, **kwargs"
        ),
    ),
    (Worker, "_on_sigterm", "self"),
    (Worker, "_on_sigint", "self"),
    (Worker, "_schedule_shutdown", "self, signal"),
    (Worker, "_flag_as_shutdown_by_signal", "self"),
    (GroupCoordinator, "_do_heartbeat", "self"),
    (GroupCoordinator, "_send_req", "self, request"),
    (GroupCoordinator, "_on_join_complete", "self, generation, member_id, protocol, member_assignment_bytes"),
    (GroupCoordinator, "reset_generation", "self"),
    (GroupCoordinator, "check_errors", "self"),
    (Fetcher, "_proc_fetch_request", "self, assignment, node_id, request"),
    (FetchResult, "getall", "self, max_records"),
    (FetchResult, "check_assignment", "self, tp"),
    (FetchResult, "has_more", "self"),
    (FetchResult, "_update_position", "self"),
    (
        PartitionRecords,
        "__init__",
        (
            "self, tp, records, aborted_transactions, fetch_offset, key_deserializer, value_deserializer, check_crcs, "
            "isolation_level"
        ),
    ),
    (AIOKafkaConsumer, "seek_to_committed", "self, *partitions"),
    (AIOKafkaProducer, "send", "self, topic, value, key, partition, timestamp_ms, headers"),
    (AIOKafkaProducer, "partitions_for", "self, topic"),
    (AIOKafkaProducer, "_partition", "self, topic, partition, key, value, serialized_key, serialized_value"),
    (MessageAccumulator, "waiter", "self"),
    (MessageBatch, "wait_drain", "self, timeout"),
    (BatchBuilder, "append", "self, *, timestamp, key, value, headers"),
]


@pytest.mark.parametrize(("package", "pinned"), VERSIONS.items())
def test_the_versions_are_the_ones_that_were_read(package: str, pinned: str) -> None:
    assert version(package) == pinned


@pytest.mark.parametrize(
    ("owner", "name", "signature"), SIGNATURES, ids=[f"{owner.__name__}.{name}" for owner, name, _ in SIGNATURES]
)
def test_a_private_method_has_the_signature_that_was_read(owner: Any, name: str, signature: str) -> None:
    found = inspect.signature(getattr(owner, name)).parameters.values()
    shown, keywords = [], False
    for parameter in found:
        if parameter.kind is parameter.KEYWORD_ONLY and not keywords:
            shown.append("*")
            keywords = True
        prefix = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        shown.append(prefix + parameter.name)
    assert ", ".join(shown) == signature


def test_a_message_of_faust_has_the_fields_that_a_batch_fills() -> None:
    fields = list(inspect.signature(ConsumerMessage.__init__).parameters)
    assert fields[1:13] == [
        "topic",
        "partition",
        "offset",
        "timestamp",
        "timestamp_type",
        "headers",
        "key",
        "value",
        "checksum",
        "serialized_key_size",
        "serialized_value_size",
        "tp",
    ]
    assert "generation_id" in fields


def test_the_consumer_keeps_the_ledgers_that_are_cleared_at_a_revoke() -> None:
    source = inspect.getsource(BaseConsumer.on_partitions_revoked)
    for ledger in ("_gap", "_acked", "_acked_index", "_read_offset", "_committed_offset"):
        assert f"self.{ledger}.pop(tp, None)" in source


def test_the_coordinator_asks_by_the_method_that_is_wrapped() -> None:
    assert "SyncGroupRequest(" in inspect.getsource(inspect.getmodule(GroupCoordinator))  # type: ignore[arg-type]
    assert SyncGroupRequest.__name__ == "SyncGroupRequest"


def test_the_start_of_the_tables_is_the_one_that_was_read() -> None:
    source = inspect.getsource(TableManager.on_start)
    found = re.findall(r"await self\.([a-z_.]+)\(", source)
    assert found == ["sleep", "_update_channels", "recovery.start"]


def test_the_wait_of_a_fetch_is_kept_where_it_is_changed() -> None:
    assert "fetch_max_wait_ms=self._fetch_max_wait_ms" in inspect.getsource(AIOKafkaConsumer.start)


def test_a_fetch_is_put_down_and_taken_as_when_unpacking_it_whole_was_written() -> None:
    assert "self._records[tp] = FetchResult(" in inspect.getsource(Fetcher._proc_fetch_request)
    assert "res_or_error.getall(max_records)" in inspect.getsource(Fetcher.fetched_records)
    assert {"_tp", "_records", "_check_crcs", "next_fetch_offset"} <= set(PartitionRecords.__init__.__code__.co_names)
    assert 'isolation_level: str = "read_uncommitted"' in inspect.getsource(
        driver.AIOKafkaConsumerThread._create_worker_consumer
    )


def test_a_record_joins_a_batch_as_when_joining_many_at_once_was_written() -> None:
    put = inspect.getsource(MessageAccumulator.add_message)
    for line in (
        "pending_batches = self._batches.get(tp)",
        "batch = pending_batches[-1]",
        "self._waiter_future.set_result(None)",
        "await batch.wait_drain(timeout)",
    ):
        assert line in put
    assert "metadata = self._builder.append(" in inspect.getsource(MessageBatch.append)
    assert "self.future.set_result(" in inspect.getsource(MessageBatch.done)
    assert "offset = base_offset + metadata.offset" in inspect.getsource(MessageBatch.done)
    assert "self.future.set_exception(exception)" in inspect.getsource(MessageBatch.failure)


def test_a_batch_that_is_taken_is_numbered_by_its_builder_and_out_of_reach() -> None:
    taken = inspect.getsource(MessageAccumulator._pop_batch)
    assert "batch = self._batches[tp].popleft()" in taken
    assert "increment_sequence_number(batch.tp, batch.record_count)" in taken
    assert "return self._builder.record_count()" in inspect.getsource(MessageBatch.record_count.fget)


def test_faust_makes_its_producer_of_the_type_that_is_named() -> None:
    assert "self._producer_type(" in inspect.getsource(driver.Producer._new_producer)


def test_a_batch_passes_through_the_schema_untouched() -> None:
    app, batch = new_app(), [record(4), record(9)]
    message: Any = SimpleNamespace(key=None, value=batch)
    assert raw_schema().loads_value(app, message) is batch
    assert raw_schema().loads_key(app, message) is None


def test_the_transport_has_its_own_scheme() -> None:
    assert TRANSPORTS.by_name("forewarn") is Transport
