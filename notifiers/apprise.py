"""Everything that Apprise reaches by URL: Slack, Teams, ntfy, Telegram and a hundred more.

Apprise blocks, so each message has a thread of its own pool. It connects by itself: each connection of the thread is
looked at, and before it the names that the URL gives, for a proxy or a plugin's own thread may connect to them.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from notifiers.addresses import AddressRefused, Guard
from notifiers.connections import watched
from notifiers.protocol import Delivered, Message, Outcome, Retry, Unusable

THREADS_MAX: Final = 32
THREADS_PER_URL_MAX: Final = 2
"""A service that hangs holds its thread longer than its deadline: it must not take those of the others."""
LOADING_WITHIN_S: Final = 60.0  # Apprise and its hundred plugins, once
OWN_SCHEMES: Final = frozenset({"blink1", "dbus", "gio", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows"})
"""Services that are this machine itself, which is nobody's channel."""
FILE_OPTIONS: Final = frozenset({"keyfile", "pgpprv", "pgppub", "subfile"})
"""Options of a URL that name a file of this machine, whichever the service."""
_NAMES_OF_PLACES: Final = ("host", "hostname", "server", "url", "endpoint", "gateway")
"""How a plugin's attributes end that hold where it connects to: `mailto://…?smtp=` is in `smtp_host`, beside `host`."""
_NO_FILES: Final = "an Apprise URL must not have files read or fetched, for they would be sent to its service"
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
        self._threads: dict[str, threading.BoundedSemaphore] = {}
        self._heard = _Heard()

    async def send(self, message: Message, url: str) -> Outcome:
        """Send it once; Apprise does not say whether another try makes sense, so it always may."""
        load = asyncio.get_running_loop().run_in_executor(None, _load, self._heard)
        async with asyncio.timeout(LOADING_WITHIN_S):
            await load  # the first time takes seconds, and is not the service's time
        threads = self._threads.setdefault(url, threading.BoundedSemaphore(THREADS_PER_URL_MAX))
        if not threads.acquire(blocking=False):
            return Retry("earlier messages to it still have no answer")
        told = self._pool.submit(lambda: self._told(message, self._plugin(url)))
        told.add_done_callback(lambda _: threads.release())
        try:
            async with asyncio.timeout(2 * self._within_s):
                return await asyncio.wrap_future(told)
        except TimeoutError:
            return Retry(f"no answer within {2 * self._within_s:g} s")

    def _told(self, message: Message, plugin: Any) -> Outcome:
        self._look_at(plugin)
        severity = message.send.severity or ""
        with self._heard.listening() as said, watched(self._guard) as watch, suppress(AddressRefused):
            is_sent = plugin.notify(
                title=message.words.subject,
                body=message.words.text,
                notify_type=_TYPES.get(severity, "info"),
                body_format="text",
            )
            if is_sent:
                return Delivered()
        if watch.why_refused is not None:
            raise Unusable(watch.why_refused)
        return Retry("; ".join(said) or "the service did not take it")

    def _plugin(self, url: str) -> Any:
        if url.partition(":")[0].strip().lower() in OWN_SCHEMES:
            raise Unusable("this service is the machine itself: use one that is reached by a network")
        named = FILE_OPTIONS.intersection(name.strip("+-:").lower() for name in parse_qs(url.partition("?")[2]))
        if named:
            raise Unusable(f"{_NO_FILES}: leave out {', '.join(sorted(named))}")
        import apprise  # noqa: PLC0415 - is loaded by now

        plugin = apprise.Apprise.instantiate(url, asset=apprise.AppriseAsset(app_id="Forewarn", secure_logging=True))
        if plugin is None:
            raise Unusable("Apprise cannot use this URL: see https://appriseit.com for the form of its service")
        if any(isinstance(held, apprise.AppriseAttachment) and len(held) for held in vars(plugin).values()):
            raise Unusable(f"{_NO_FILES}: leave out its template")
        # Shorter than our own deadline: a thread that is given up on may still tell, and the retry tells again.
        plugin.socket_connect_timeout = plugin.socket_read_timeout = self._within_s
        plugin.redirects = False  # where one leads is not looked at; set here, for the URL can ask for it
        return plugin

    def _look_at(self, plugin: Any) -> None:
        for host in _hosts(plugin):
            try:
                found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            except (OSError, UnicodeError):
                continue  # for many services it is no host; if it is one, the plugin will say so
            if any(self._guard.refuses(str(each[4][0])) for each in found):
                raise Unusable(str(AddressRefused()))

    async def close(self) -> None:
        """Threads that hang end with the process."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _hosts(plugin: Any) -> Iterator[str]:
    """All hosts that a plugin was given, whichever of its attributes holds them."""
    for name, place in vars(plugin).items():
        if not (name.endswith(_NAMES_OF_PLACES) and isinstance(place, str) and place):
            continue
        try:
            host = urlsplit(place if "://" in place else f"//{place}").hostname
        except ValueError:
            raise Unusable(f"Apprise cannot use this URL: its {name} is no address") from None
        if host:
            yield host


def _load(heard: logging.Handler) -> None:
    import apprise  # noqa: PLC0415 - takes most of a second, and only who uses it should wait for it

    logger = logging.getLogger("apprise")
    logger.addHandler(heard)
    logger.propagate = False  # it would write URLs with their secrets into our log
    apprise.Apprise.instantiate("json://localhost")  # its plugins are loaded by the first use of one
