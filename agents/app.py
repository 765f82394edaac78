"""The composition root: a role and the settings become a Faust app. Nothing else here constructs a client."""

from __future__ import annotations

import os
import re
import socket
import tempfile
from typing import Any, Final

import faust
from yarl import URL

from agents import logs
from agents.client_id import client_id
from agents.process import FAILED
from agents.role import Role, changelog_of
from agents.runtime import Runtime
from agents.settings import Settings
from agents.transport import ALL, SCHEME, BulkTable, Override, Plan, Tables
from agents.worker import App, Worker
from schemas.topics import TABLE, application_of

MIB: Final = 1 << 20


def build(settings: Settings, role: Role, *, overrides: frozenset[Override] = ALL) -> App:
    """The app of a role, ready to be run by `run` or by `faust -A agents.<role> worker`."""
    plan = Plan(
        sources=frozenset({role.source}),
        changelogs=frozenset({name for name in (changelog_of(role),) if name is not None}),
        overrides=overrides,
    )
    # Faust makes its folders in the working directory otherwise, though nothing is kept in them.
    scratch = tempfile.TemporaryDirectory(prefix="forewarn-", ignore_cleanup_errors=True)
    faust_settings = _faust_settings(settings, role, scratch.name)
    app = App(application_of(role.name), plan=plan, settings=settings, scratch=scratch, **faust_settings)
    table = app.Table(TABLE) if changelog_of(role) is not None else None
    app.lifecycle = Runtime(app, role, settings, table)
    return app


def run(settings: Settings, role: Role, *, overrides: frozenset[Override] = ALL) -> int:
    """Run a role until a signal; the process's exit code."""
    logs.configure(settings.forewarn_log_level)
    app = build(settings, role, overrides=overrides)
    logs.limit_rate()
    worker = Worker(app, quiet=True, override_logging=False, redirect_stdouts=False, loglevel="WARN")
    code: Any = FAILED
    try:
        worker.execute_from_commandline()
    except SystemExit as ended:
        code = ended.code
    return code if isinstance(code, int) else FAILED


def _faust_settings(settings: Settings, role: Role, scratch: str) -> dict[str, Any]:
    """Every value with a reason: faust.md 6, 9 and 10, rebalance.md 5."""
    name = settings.forewarn_worker_id or f"{_host()}-{os.getpid()}"
    return {
        "broker": [URL(f"{SCHEME}://{place}") for place in settings.bootstrap],
        "broker_credentials": _credentials(settings),
        "broker_client_id": client_id(),  # by which the doctor knows its version
        "Table": BulkTable,
        "TableManager": Tables,
        "Worker": Worker,
        "store": "memory://",
        "datadir": scratch,
        # Two members with one URL look alike; a static member must have the same after a restart.
        "canonical_url": f"http://{name}.{role.name}.forewarn.invalid",
        "consumer_group_instance_id": f"{role.name}-{name}" if settings.forewarn_static_membership else None,
        # A crash is an outage of one session; half of it is the fence.
        "broker_session_timeout": settings.forewarn_session_timeout,
        # Members hear of a rebalance by their heartbeats, and the first to hear stands still until the last has.
        "broker_heartbeat_interval": settings.forewarn_session_timeout * 0.1,
        "broker_rebalance_timeout": 2 * settings.forewarn_session_timeout,  # one silent member holds all
        # Replaying ten seconds of source costs less than reading sixty stale versions of each head.
        "broker_commit_interval": settings.forewarn_flush_interval,
        "stream_wait_empty": True,
        "stream_buffer_maxsize": 16,  # batches, not records
        "table_standby_replicas": 0,  # a standby in memory reads everything again when it is promoted
        "topic_allow_declare": False,  # `forewarn topics create` does it, with the right settings
        "topic_disable_leader": True,
        "consumer_auto_offset_reset": "earliest",
        "consumer_max_fetch_size": 4 * MIB,
        "broker_max_poll_records": 5_000,
        "producer_acks": -1,
        "producer_linger": 0.02,
        "producer_max_batch_size": MIB // 4,
        "producer_max_request_size": 4 * MIB,
        "producer_compression_type": "zstd",  # aiokafka has lz4 at level 9: six times as slow, and twice the size
        "producer_request_timeout": 60.0,
        "web_enabled": False,  # it would listen on all addresses and show the tables
        "worker_redirect_stdouts": False,
    }


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:100]


def _credentials(settings: Settings) -> Any:
    context = settings.ssl_context()
    if settings.kafka_security_protocol.startswith("SASL") and settings.kafka_sasl_password is not None:
        return faust.SASLCredentials(
            username=settings.kafka_sasl_username,
            password=settings.kafka_sasl_password.get_secret_value(),
            mechanism=settings.kafka_sasl_mechanism,
            ssl_context=context,
        )
    return None if context is None else faust.SSLCredentials(context)
