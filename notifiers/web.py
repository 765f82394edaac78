"""HTTP as channels use it: one POST to an allowed address, no redirects, and what the answer means for a retry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from time import time_ns
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import aiohttp

from notifiers.addresses import AddressRefused, Guard
from notifiers.protocol import Delivered, Failed, Outcome, Retry, Unusable

CONNECT_WITHIN_S: Final = 5.0
ANSWER_BYTES_READ: Final = 4096  # more than is shown: a secret in it must be whole to be found
_LATER: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


class Answer(NamedTuple):
    """An answer: its status, the beginning of its body, and the wait it asks for."""

    status: int
    begin: str
    after_ms: int | None


class Web:
    """One session for all channels that speak HTTP."""

    def __init__(
        self, guard: Guard, *, within_s: float, now: Callable[[], int] = lambda: time_ns() // 1_000_000
    ) -> None:
        """A request that takes longer than `within_s` is tried again later. `now` is in epoch milliseconds."""
        self._guard = guard
        self._within_s = within_s
        self.now = now
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """POST JSON once."""
        checked(url)
        try:
            async with self._opened().post(
                url,
                data=body,
                headers={"Content-Type": "application/json", "User-Agent": "forewarn", **headers},
                allow_redirects=False,
            ) as response:
                begin = (await response.content.read(ANSWER_BYTES_READ)).decode(errors="replace")
                after_ms = wait_asked(response.headers.get("Retry-After"), self.now())
                return outcome_of(Answer(response.status, begin, after_ms))
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, AddressRefused):
                return Failed(str(error.os_error))
            return Retry(f"no connection: {error.strerror or error.os_error}")
        except TimeoutError:
            return Retry(f"no answer within {self._within_s:g} s")
        except (aiohttp.ClientError, OSError) as error:
            return Retry(f"the connection broke: {error or type(error).__name__}")

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # A connection each: one that was kept may be dead, and a POST on it is lost.
                connector=aiohttp.TCPConnector(socket_factory=self._guard.socket_for, limit=0, force_close=True),
                timeout=aiohttp.ClientTimeout(total=self._within_s, sock_connect=CONNECT_WITHIN_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session

    async def close(self) -> None:
        """Let go of connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def checked(url: str) -> str:
    """The URL, if it is one of HTTP; raises `Unusable`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # which shows a piece of the URL, and so perhaps of a secret
        raise Unusable("the URL cannot be read: its host or its port makes no sense") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise Unusable("the URL must begin with http:// or https:// and a host")
    return url


def outcome_of(answer: Answer) -> Outcome:
    """What an HTTP status means: 2xx is done; 408, 425, 429 and 5xx may work later; all else will not."""
    shown = f"HTTP {answer.status}" + (f": {answer.begin}" if answer.begin else "")
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return Delivered()
    if answer.status in _LATER or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Retry(shown, answer.after_ms)
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        return Failed(f"HTTP {answer.status}: redirects are not followed; write the URL that it leads to")
    return Failed(shown)


def wait_asked(retry_after: str | None, now: int) -> int | None:
    """`Retry-After` in milliseconds from now: seconds or an HTTP date; None where it says neither."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return int(text[:9]) * 1000
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    zoned = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0, int(zoned.timestamp() * 1000) - now)
