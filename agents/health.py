"""`/livez`, `/readyz` and `/metrics` on loopback: what is true now, and why not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from agents.metrics import Metric, Metrics

log = logging.getLogger("forewarn.health")

HOST: Final = "127.0.0.1"
READ_WITHIN_S: Final = 5.0

Findings = Callable[[], list[str]]
"""Why something is not as it should be; empty when all is well."""

_PHRASES: Final = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}


class HealthServer:
    """Answers as long as the event loop turns: a worker whose loop hangs is not alive, and does not say so."""

    def __init__(self, role: str, *, metrics: Metrics, not_ready: Findings, not_alive: Findings) -> None:
        """The findings are asked for at each request."""
        self._role = role
        self._metrics = metrics
        self._not_ready = not_ready
        self._not_alive = not_alive
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> None:
        """Listen on a loopback port."""
        self._server = await asyncio.start_server(self._serve, HOST, port)
        log.info("health at http://%s:%d/livez, /readyz and /metrics", HOST, port)

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    def answer(self, method: str, path: str) -> tuple[int, str]:
        """Status and body."""
        if method not in {"GET", "HEAD"}:
            return 405, "only GET\n"
        match path.split("?", maxsplit=1)[0]:
            case "/livez":
                return self._verdict(self._not_alive())
            case "/readyz":
                return self._verdict(self._not_ready())
            case "/metrics":
                self._metrics.gauge(Metric.READY, int(not self._not_ready()))
                return 200, self._metrics.text(self._role)
            case _:
                return 404, "there are /livez, /readyz and /metrics\n"

    @staticmethod
    def _verdict(findings: list[str]) -> tuple[int, str]:
        return (503, "".join(f"{finding}\n" for finding in findings)) if findings else (200, "ok\n")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(READ_WITHIN_S):
                head = await reader.readuntil(b"\r\n\r\n")
                method, path, *_ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
                status, body = self.answer(method, path)
                writer.write(_response(status, "" if method == "HEAD" else body))
                await writer.drain()
        except (TimeoutError, ConnectionError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            log.debug("a health request was cut short or malformed")
        finally:
            writer.close()
            with suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(READ_WITHIN_S):
                    await writer.wait_closed()


def _response(status: int, body: str) -> bytes:
    content = body.encode()
    head = (
        f"HTTP/1.1 {status} {_PHRASES[status]}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + content
