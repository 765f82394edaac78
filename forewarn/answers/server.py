"""The page and the small API that take answers: GET shows, only POST changes anything.

The token in the body is the permission, and there are no cookies, so a foreign page cannot make a visitor answer: it
would have to know the token. A POST that a browser calls cross-site is refused all the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from aiohttp import web

from forewarn.answers.page import SECURITY, note, question
from notifiers.links import Invalid, May, Opened, verify
from schemas.commands import command
from sla.orders import ANSWERS, Given, refused

log = logging.getLogger("forewarn.answers")

BODY_BYTES_MAX: Final = 16 * 1024
TEXT_LONGEST: Final = 2_000
REFUSALS_PER_HOUR: Final = 60  # on record; whoever guesses links must not fill a topic that is kept for ever
_HOUR_MS: Final = 3_600_000


class Remembers(Protocol):
    """See `forewarn.answers.gate.Gate`."""

    async def is_used(self, link_id: str) -> bool:
        """Whether it was used before, as far as is known."""
        ...

    async def mark(self, link_id: str, for_ms: int) -> None:
        """It was used."""
        ...


Write = Callable[[str, str, Mapping[str, Any]], Awaitable[None]]
"""Topic, key and object; raises `OSError` when it did not arrive."""


class Answer(NamedTuple):
    """What became of a request: the HTTP status, a word for programs, and what a person reads."""

    status: int
    outcome: str
    title: str
    line: str


@dataclass
class Answers:
    """Takes answers. `now` is epoch milliseconds."""

    secret: str
    gate: Remembers
    write: Write
    now: Callable[[], int]
    _refused_ats: deque[int] = field(default_factory=deque)

    def app(self) -> web.Application:
        """The routes."""
        app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[_secured])
        app.router.add_get("/answer", self._show)
        app.router.add_post("/answer", self._take_form)
        app.router.add_post("/api/v1/answer", self._take_json)
        return app

    async def _show(self, request: web.Request) -> web.Response:
        token = request.query.get("token", "")
        opened = verify(self.secret, token, self.now())
        if isinstance(opened, Opened):
            return _html(200, question(opened.link, token))
        return self._page(await self._refuse(opened))

    async def _take_form(self, request: web.Request) -> web.Response:
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
            return self._page(Answer(403, "cross_site", "Not from here", "Open the link in your message itself."))
        try:
            form = await request.post()
        except (ValueError, LookupError):
            return self._page(Answer(400, "malformed", "That is no form", "Open the link in your message anew."))
        return self._page(await self._take({name: value for name, value in form.items() if isinstance(value, str)}))

    async def _take_json(self, request: web.Request) -> web.Response:
        try:
            body = await request.json()
        except (ValueError, LookupError, RecursionError):  # no JSON, an unknown charset, nested without end
            body = None
        if not isinstance(body, dict):
            return web.json_response({"outcome": "malformed", "detail": "one JSON object is expected"}, status=400)
        answer = await self._take({name: value for name, value in body.items() if isinstance(value, str)})
        return web.json_response({"outcome": answer.outcome, "detail": answer.line}, status=answer.status)

    async def _take(self, said: Mapping[str, str]) -> Answer:
        opened = verify(self.secret, said.get("token", ""), self.now())
        if not isinstance(opened, Opened):
            return await self._refuse(opened)
        answer, text = said.get("answer"), said.get("text") or None
        if opened.link.may is May.REPLY and answer not in ANSWERS:
            return Answer(400, "malformed", "Nothing was chosen", f"Choose one of {', '.join(ANSWERS)}.")
        if text is not None and len(text) > TEXT_LONGEST:
            return Answer(400, "malformed", "That is too long", f"Write {TEXT_LONGEST} characters at most.")
        if text is not None and not _is_writable(text):
            return Answer(400, "malformed", "That is no text", "It holds half of a character: write it anew.")
        if await self.gate.is_used(opened.id):
            return Answer(409, "used", "Answered already", "This link was used before; the first answer stands.")
        return await self._write(opened, answer, text)

    async def _write(self, opened: Opened, answer: str | None, text: str | None) -> Answer:
        link = opened.link
        by, about = link.stakeholder, {"dedup_key": link.dedup_key}
        if link.may is May.REPLY:
            told = command(
                "reply",
                opened.id,
                by,
                self.now(),
                **about,
                stakeholder=by,
                answer=answer,
                text=text,
                event_id=link.event_id,
            )
        else:
            told = command("ack", opened.id, by, self.now(), **about, reason=text, episode=link.episode)
        try:
            await self.write("sla.commands.v1", opened.id, told)
        except OSError:
            return Answer(503, "unavailable", "Not now", "It could not be put on record. Please try again in a minute.")
        # Only now: a link whose answer is not on record may be tried again. Two at once have the same command's id.
        await self.gate.mark(opened.id, link.expires_at - self.now())
        return Answer(200, "taken", "Thank you", "Your answer is on its way to the record.")

    async def _refuse(self, why: Invalid) -> Answer:
        """Somebody came with a link that permits nothing: told to them, and on record."""
        now = self.now()
        while self._refused_ats and self._refused_ats[0] <= now - _HOUR_MS:
            self._refused_ats.popleft()
        if len(self._refused_ats) < REFUSALS_PER_HOUR:
            self._refused_ats.append(now)
            record = refused(Given("link", None, None, "link"), now, f"a link was {why.value}")
            try:
                await self.write(record.topic, record.key or "", record.value)
            except OSError:
                return Answer(503, "unavailable", "Not now", "Please try again in a minute.")
        if why is Invalid.EXPIRED:
            return Answer(410, "expired", "This link has expired", "Answer with forewarn reply, or by a newer message.")
        return Answer(403, "forged", "This link is not valid", "It was cut or changed on its way. Copy it as a whole.")

    @staticmethod
    def _page(answer: Answer) -> web.Response:
        return _html(answer.status, note(answer.title, answer.line))


def _is_writable(text: str) -> bool:
    """Whether it can be encoded: JSON may hold a lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _html(status: int, body: str) -> web.Response:
    return web.Response(status=status, text=body, content_type="text/html")


@web.middleware
async def _secured(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
    """Every answer bears the headers, errors too; a method or path that is not served changes nothing."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        response = _html(error.status, note(error.reason, "There is nothing here."))
    except Exception:
        log.exception("a request failed")
        response = _html(500, note("Not now", "Something is wrong here. Please try again later."))
    response.headers.update(SECURITY)
    return response


async def serve(app: web.Application, host: str, port: int, stop: asyncio.Event, ready: Callable[[int], None]) -> None:
    """Listen until `stop`; `ready` gets the port. Raises OSError when it cannot listen."""
    runner = web.AppRunner(app, access_log=None)  # the tokens are in the addresses
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        ready(runner.addresses[0][1])
        await stop.wait()
    finally:
        await runner.cleanup()
