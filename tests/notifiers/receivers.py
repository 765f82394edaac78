"""Local servers that take messages: over HTTP and over SMTP, on loopback, and misbehave when they are told to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any, NamedTuple

from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


class Manner(StrEnum):
    """How a server answers."""

    TAKES = "takes"
    TROUBLED = "troubled"  # HTTP 500, SMTP 451
    REFUSES = "refuses"  # HTTP 400, SMTP 550
    HANGS = "hangs"
    RESETS = "resets"


class Request(NamedTuple):
    """What came: for SMTP `body` is the mail and `headers` are empty."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class Receiver:
    """What a server was sent. `answer` overrides its manner: status, headers, body."""

    def __init__(self) -> None:
        self.manner = Manner.TAKES
        self.answer: tuple[int, dict[str, str], str] | None = None
        self.requests: list[Request] = []
        self.port = 0

    @property
    def last(self) -> Request:
        return self.requests[-1]


@asynccontextmanager
async def http_receiver(taken: int = 202) -> AsyncIterator[Receiver]:
    """An HTTP server that answers `taken` while it behaves."""
    receiver = Receiver()

    async def handle(request: web.Request) -> web.Response:
        receiver.requests.append(Request(request.path, dict(request.headers), await request.read()))
        if receiver.answer is not None:
            status, headers, text = receiver.answer
            return web.Response(status=status, headers=headers, text=text)
        match receiver.manner:
            case Manner.TAKES:
                return web.Response(status=taken, text="ok")
            case Manner.TROUBLED:
                return web.Response(status=500, text="out of order")
            case Manner.REFUSES:
                return web.Response(status=400, text='{"status":"invalid event"}')
            case Manner.HANGS:
                await asyncio.Event().wait()
            case Manner.RESETS:
                assert request.transport is not None
                request.transport.abort()
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.port = runner.addresses[0][1]
    try:
        yield receiver
    finally:
        await runner.cleanup()


class _Mailbox:
    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        del session
        match self.receiver.manner:
            case Manner.TROUBLED:
                return "451 out of order"
            case Manner.REFUSES:
                return "550 not wanted"
            case Manner.HANGS:
                await asyncio.Event().wait()
            case Manner.RESETS:
                transport: Any = server.transport
                transport.abort()
                return "421 bye"
            case Manner.TAKES:
                content = envelope.content
                assert isinstance(content, bytes)
                self.receiver.requests.append(Request(",".join(envelope.rcpt_tos), {}, content))
        return "250 OK"


PASSWORD = "p@ss/word"  # noqa: S105 - there to be encoded


def _logged_in(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any) -> AuthResult:
    return AuthResult(success=given.password == PASSWORD.encode(), handled=False)


@asynccontextmanager
async def smtp_receiver(tls: ssl.SSLContext | None = None, *, is_tls_first: bool = False) -> AsyncIterator[Receiver]:
    """A real SMTP server: without TLS, or with it (by STARTTLS, or from the first byte) and then with a password."""
    receiver = Receiver()
    options: dict[str, Any] = {"hostname": "localhost", "enable_SMTPUTF8": True}
    if tls is not None:
        options |= {"authenticator": _logged_in, "auth_required": True, "auth_require_tls": not is_tls_first}
        options |= {} if is_tls_first else {"tls_context": tls, "require_starttls": True}
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(_Mailbox(receiver), **options), "127.0.0.1", 0, ssl=tls if is_tls_first else None
    )
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
