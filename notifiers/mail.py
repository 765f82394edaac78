"""Mail by SMTP, as text with HTML beside it.

`smtps://user:${PASSWORD}@mail.example.com?from=sla@example.com&to=ops@example.com`, `to` as often as need be. `smtp://`
turns to TLS where the server offers it; a password is never sent without.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from hashlib import sha256
from typing import Final, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from aiosmtplib import SMTP, SMTPException, SMTPRecipientsRefused, SMTPResponseException

from notifiers.addresses import AddressRefused, Guard
from notifiers.console import printable
from notifiers.protocol import Delivered, Failed, Message, Outcome, Retry, Unusable

PORTS: Final = {"smtp": 587, "smtps": 465}
CONNECT_WITHIN_S: Final = 5.0
_FOR_GOOD: Final = 500


class Postbox(NamedTuple):
    """What a URL says."""

    host: str
    port: int
    is_tls: bool
    user: str
    password: str
    sender: str
    recipients: tuple[str, ...]


class Mail:
    """One connection per message: a mail server closes idle ones, and a retry begins anew."""

    def __init__(self, guard: Guard, *, within_s: float) -> None:
        """A server that takes longer than `within_s` is tried again later."""
        self._guard = guard
        self._within_s = within_s

    async def send(self, message: Message, url: str) -> Outcome:
        """Send it once; a repeat has the same Message-ID."""
        postbox = postbox_of(url)
        try:
            async with asyncio.timeout(self._within_s):
                return await self._handed(postbox, mail_of(message, postbox))
        except AddressRefused as error:
            return Failed(str(error))
        except SMTPRecipientsRefused as error:
            worst = max(error.recipients, key=lambda each: each.code)
            return _refused(worst.code, f"the recipients were refused: {worst.message}")
        except SMTPResponseException as error:
            return _refused(error.code, error.message)
        except TimeoutError:
            return Retry(f"no answer within {self._within_s:g} s")
        except (SMTPException, OSError) as error:
            return Retry(f"the mail server cannot be used: {error or type(error).__name__}")

    async def _handed(self, postbox: Postbox, mail: EmailMessage) -> Outcome:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            connection = await self._guard.connected(postbox.host, postbox.port)
        client = _client(postbox, connection, self._within_s)
        try:
            await client.connect()
            if postbox.password:
                if client.get_transport_info("sslcontext") is None:
                    return Failed("the mail server offers no TLS, and a password is not sent without: use smtps://")
                await client.login(postbox.user, postbox.password)
            refused, _ = await client.send_message(mail, recipients=list(postbox.recipients))
        finally:
            # Closes the socket too, once its transport has let go of it: before, another could get its number.
            client.close()
        if refused:
            return Failed(f"{len(refused)} of {len(postbox.recipients)} recipients were refused: {', '.join(refused)}")
        return Delivered()


def _client(postbox: Postbox, connection: socket.socket, within_s: float) -> SMTP:
    context = ssl.create_default_context()
    return SMTP(
        hostname=postbox.host, sock=connection, use_tls=postbox.is_tls, tls_context=context, timeout=within_s, port=None
    )


def _refused(code: int, said: str) -> Outcome:
    detail = f"SMTP {code}: {said}"
    return Failed(detail) if code >= _FOR_GOOD else Retry(detail)


def postbox_of(url: str) -> Postbox:
    """Read a URL; raises `Unusable`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # which shows a piece of the URL, and so perhaps of a secret
        raise Unusable("the URL cannot be read: its host or its port makes no sense") from None
    fields = parse_qs(parts.query)
    sender, recipients = fields.get("from", [""])[0], tuple(fields.get("to", ()))
    if parts.scheme not in PORTS or not parts.hostname or not sender or not recipients:
        raise Unusable("mail is written as smtps://user:${PASSWORD}@host?from=<address>&to=<address>")
    return Postbox(
        parts.hostname,
        port or PORTS[parts.scheme],
        parts.scheme == "smtps",
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        sender,
        recipients,
    )


def mail_of(message: Message, postbox: Postbox) -> EmailMessage:
    """The mail; all about one dedup key are one thread."""
    send, words = message
    mail = EmailMessage()
    mail["Subject"] = printable(words.subject)
    mail["From"] = printable(postbox.sender)
    mail["To"] = ", ".join(printable(each) for each in postbox.recipients)
    mail["Date"] = formatdate()
    mail["Message-ID"] = f"<{printable(send.id)}@forewarn.invalid>"
    thread = sha256(send.dedup_key.encode()).hexdigest()[:32]
    mail["References"] = f"<{thread}@forewarn.invalid>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(words.text)
    if words.html is not None:
        mail.add_alternative(words.html, subtype="html")
    return mail
