"""`forewarn answers`: serve the page behind the links in messages."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Mapping
from typing import Any

import orjson

from forewarn.answers.gate import Gate
from forewarn.answers.server import Answers, serve
from forewarn.connection import kafka_config, redis_url
from forewarn.console import Console, UserError
from forewarn.kafka import Config, Record, partitions_of, write
from notifiers.links import SECRET_SHORTEST
from schemas.topics import COMMANDS, RECORDS


def run(listen: str, console: Console) -> None:
    """Serve until a signal; a `UserError` for a missing secret, a broker that is away or an address in use."""
    from agents.settings import read  # noqa: PLC0415 — pydantic is slow to load

    config = kafka_config()
    secret = read().link_secret()
    if secret is None:
        raise UserError(
            f"links need a secret of {SECRET_SHORTEST} characters at least",
            "set FOREWARN_LINK_SECRET, or FOREWARN_LINK_SECRET_FILE to a file that holds it, as for deliver",
        )
    host, port = _address(listen)
    partitions_of(config, [COMMANDS.name, RECORDS.name])
    asyncio.run(_serve(config, secret, (host, port), console))


async def _serve(config: Config, secret: str, address: tuple[str, int], console: Console) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    async def put(topic: str, key: str, value: Mapping[str, Any]) -> None:
        try:
            await asyncio.to_thread(write, config, [Record(topic, key, orjson.dumps(value))])
        except UserError as error:
            raise OSError(error.message) from None

    gate = Gate(redis_url())
    answers = Answers(secret, gate, put, lambda: time.time_ns() // 1_000_000)
    host, port = address
    try:
        await serve(answers.app(), host, port, stop, lambda on: _ready(console, host, on))
    except OSError as error:
        raise UserError(
            f"cannot listen on {host}:{port}: {error.strerror or error}", "name another with --listen"
        ) from None
    finally:
        await gate.close()


def _ready(console: Console, host: str, port: int) -> None:
    console.record({"listening": f"{host}:{port}"}, f"answers are taken at http://{host}:{port}/answer")


def _address(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:  # noqa: PLR2004
        raise UserError(f"{listen!r} is no address", "write HOST:PORT, such as 127.0.0.1:8780")
    return host.strip("[]"), int(port)
