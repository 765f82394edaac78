"""Everything that Apprise reaches by URL: Slack, Teams, ntfy, Telegram and a hundred more.

Apprise blocks, so each message has a thread of its own pool. It connects by itself: the address is looked at before,
but a name that changes in between is not caught, as it is for Forewarn's own channels.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

from notifiers.addresses import AddressRefused, Guard
from notifiers.protocol import Delivered, Message, Outcome, Retry, Unusable

THREADS_MAX: Final = 32
_TYPES: Final = {"critical": "failure", "warning": "warning"}


class _Heard(logging.Handler):
    """Apprise tells why it failed in its log alone: collects that of the thread that asks."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line, if this thread listens."""
        lines = getattr(self._said, "lines", None)
        if lines is not None:
            lines.append(record.getMessage())

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        """What is said meanwhile in this thread."""
        lines: list[str] = []
        self._said.lines = lines
        try:
            yield lines
        finally:
            self._said.lines = None


class Apprise:
    """Hands each message to the plugin of its URL."""

    def __init__(self, guard: Guard, *, within_s: float) -> None:
        """A service that takes longer than `within_s` is tried again later. Nothing is loaded yet."""
        self._guard = guard
        self._within_s = within_s
        self._pool = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="apprise")
        self._heard = _Heard()

    async def send(self, message: Message, url: str) -> Outcome:
        """Send it once; Apprise does not say whether another try makes sense, so it always may."""
        run = asyncio.get_running_loop().run_in_executor
        plugin = await run(self._pool, self._plugin, url)  # the first one takes seconds, and is not the service's time
        try:
            async with asyncio.timeout(2 * self._within_s):
                return await run(self._pool, self._told, message, plugin)
        except TimeoutError:
            return Retry(f"no answer within {2 * self._within_s:g} s")

    def _told(self, message: Message, plugin: Any) -> Outcome:
        self._look_at(plugin)
        severity = message.send.severity or ""
        with self._heard.listening() as said:
            is_sent = plugin.notify(
                title=message.words.subject,
                body=message.words.text,
                notify_type=_TYPES.get(severity, "info"),
                body_format="text",
            )
        if is_sent:
            return Delivered()
        return Retry("; ".join(said) or "the service did not take it")

    def _plugin(self, url: str) -> Any:
        import apprise  # noqa: PLC0415 - takes most of a second, and only who uses it should wait for it

        logger = logging.getLogger("apprise")
        if self._heard not in logger.handlers:
            logger.addHandler(self._heard)
            logger.propagate = False  # it would write URLs with their secrets into our log
        plugin = apprise.Apprise.instantiate(url, asset=apprise.AppriseAsset(app_id="Forewarn", secure_logging=True))
        if plugin is None:
            raise Unusable("Apprise cannot use this URL: see https://appriseit.com for the form of its service")
        # Shorter than our own deadline: a thread that is given up on may still tell, and the retry tells again.
        plugin.socket_connect_timeout = plugin.socket_read_timeout = self._within_s
        return plugin

    def _look_at(self, plugin: Any) -> None:
        host = getattr(plugin, "host", None)
        if not isinstance(host, str) or not host:
            return
        try:
            found = socket.getaddrinfo(host, getattr(plugin, "port", None), type=socket.SOCK_STREAM)
        except OSError:
            return  # for many services it is no host; if it is one, the plugin will say so
        if any(self._guard.refuses(str(each[4][0])) for each in found):
            raise Unusable(str(AddressRefused()))

    async def close(self) -> None:
        """Threads that hang end with the process."""
        self._pool.shutdown(wait=False, cancel_futures=True)
