"""What is particular to one channel: signatures, waits, incidents, mails, secrets, addresses."""

from __future__ import annotations

import asyncio
import email
import email.policy
import hmac
import io
import shutil
import ssl
import subprocess
import threading
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from apprise.plugins.slack import NotifySlack

from notifiers.addresses import Guard, parse_networks
from notifiers.apprise import THREADS_MAX, Apprise
from notifiers.console import Console
from notifiers.incident import Action, action_of
from notifiers.mail import Mail
from notifiers.pagerduty import event_of
from notifiers.protocol import Delivered, Failed, Retry, Unusable, Words
from notifiers.registry import Channels
from notifiers.secrets import Secrets
from notifiers.web import wait_asked
from notifiers.webhook import SIGNATURE_HEADER, TIMESTAMP_HEADER
from sla.stakeholder import Channel
from tests.harness import Missing, require
from tests.notifiers.channels import EVENT, HANGS_AFTER_S, LOOPBACK, SECRET, WITHIN_S, message, rig_of, send
from tests.notifiers.receivers import PASSWORD, smtp_receiver

NOW = 1_795_392_000_000

# -- console


async def test_a_message_is_one_readable_block() -> None:
    stream = io.StringIO()
    assert await Console(stream).send(message(), "") == Delivered()
    assert stream.getvalue() == "to ops (oncall): Breach: x\n  first\n  second\n"


async def test_control_characters_of_an_event_do_not_reach_the_terminal() -> None:
    stream = io.StringIO()
    await Console(stream).send(message(Words("\x1b[2Jgone", "a\rb\nc\x07")), "")
    assert stream.getvalue() == "to ops (oncall): ?[2Jgone\n  a?b\n  c?\n"


async def test_a_closed_output_is_an_outcome_and_not_an_exception() -> None:
    stream = io.StringIO()
    stream.close()
    assert isinstance(await Console(stream).send(message(), ""), Retry)


class _Unread(io.StringIO):
    """An output whose reader has stopped: a write waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.is_read = threading.Event()

    def write(self, text: str) -> int:
        self.is_read.wait(10)
        return super().write(text)


async def test_an_output_that_nobody_reads_delays_no_other_channel() -> None:
    stream = _Unread()
    console = Console(stream, within_s=0.05)
    stuck = asyncio.create_task(console.send(message(), ""))
    async with rig_of("webhook") as rig:
        assert await rig.hand_over() == Delivered()
    assert await stuck == Retry("nobody has read the console for 0.05 s")
    stream.is_read.set()


# -- webhook


async def test_a_receiver_can_check_who_sent_it_and_when() -> None:
    async with rig_of("webhook") as rig:
        await rig.hand_over()
    got = rig.receiver.last
    signed = f"{got.headers[TIMESTAMP_HEADER]}.".encode() + got.body
    assert got.headers[SIGNATURE_HEADER] == "sha256=" + hmac.new(SECRET.encode(), signed, sha256).hexdigest()
    assert got.path == "/hook"


async def test_without_a_secret_nothing_is_signed() -> None:
    async with rig_of("webhook") as rig:
        await rig.hand_over(rig.url.partition("#")[0])
    assert SIGNATURE_HEADER not in rig.receiver.last.headers


@pytest.mark.parametrize(("audience", "is_shown"), [("oncall", True), ("executive", True), ("customer", False)])
async def test_people_outside_of_the_house_get_words_alone(audience: str, is_shown: bool) -> None:  # noqa: FBT001
    async with rig_of("webhook") as rig:
        await rig.hand_over(audience=audience, items=({"line": "x"},), planning=({"question": "?"},))
    body = orjson.loads(rig.receiver.last.body)
    assert [bool(body[name]) for name in ("event", "items", "planning")] == [is_shown] * 3
    assert body["text"] == "first\nsecond"


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        (200, {}, Delivered()),
        (204, {}, Delivered()),
        (429, {"Retry-After": "7"}, Retry("HTTP 429", 7_000)),
        (503, {"Retry-After": "2"}, Retry("HTTP 503", 2_000)),
        (503, {}, Retry("HTTP 503")),
        (404, {}, Failed("HTTP 404")),
        (307, {"Location": "/x"}, Failed("HTTP 307: redirects are not followed; write the URL that it leads to")),
    ],
)  # fmt: skip
async def test_what_an_answer_means(status: int, headers: dict[str, str], outcome: Any) -> None:
    async with rig_of("webhook") as rig:
        rig.receiver.answer = (status, headers, "")
        assert await rig.hand_over() == outcome
        assert len(rig.receiver.requests) == 1


@pytest.mark.parametrize(
    ("text", "wait_ms"),
    [
        (None, None),
        ("120", 120_000),
        ("0", 0),
        ("soon", None),
        ("-1", None),
        ("Mon, 23 Nov 2026 00:01:00 GMT", 60_000),
        ("Sun, 22 Nov 2026 00:00:00 GMT", 0),
        ("9" * 400, 999_999_999_000),
    ],
)
def test_a_wait_is_asked_for_in_seconds_or_by_a_date(text: str | None, wait_ms: int | None) -> None:
    assert wait_asked(text, NOW) == wait_ms


# -- incidents


@pytest.mark.parametrize(
    ("fields", "action"),
    [
        ({"action": "acknowledge"}, Action.ACKNOWLEDGE),
        ({"action": None}, Action.TRIGGER),
        ({"action": "dance", "event": None}, Action.TRIGGER),
        ({"action": None, "event": {**EVENT, "type": "forewarn.recovery.v1"}}, Action.RESOLVE),
    ],
)
def test_what_becomes_of_an_incident(fields: dict[str, Any], action: Action) -> None:
    assert action_of(send(**fields)) is action


def test_pagerduty_is_triggered_with_a_payload_and_resolved_without() -> None:
    triggered = event_of(message(action="trigger"), "key")
    assert triggered["payload"]["severity"] == "critical"
    assert triggered["payload"]["component"] == "payments"
    assert triggered["links"] == [{"href": "https://example.com/runbook", "text": "Runbook"}]
    resolved = event_of(message(action="resolve"), "key")
    assert resolved == {"routing_key": "key", "event_action": "resolve", "dedup_key": triggered["dedup_key"]}


@pytest.mark.parametrize("event", [None, {}, {"data": []}, {"data": {"objective": 7, "advice": "x", "reason": None}}])
def test_an_event_without_its_fields_still_opens_the_incident(event: Any) -> None:
    assert event_of(message(event=event, severity="odd"), "key")["payload"]["summary"] == "Breach: x"


# -- Slack, by Apprise


async def test_slack_gets_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig_of("apprise") as rig:
        monkeypatch.setattr(NotifySlack, "webhook_url", f"http://127.0.0.1:{rig.receiver.port}/services")
        rig.receiver.answer = (200, {}, "ok")
        url = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general"
        assert await rig.hand_over(url) == Delivered()
        assert rig.receiver.last.path == "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
        assert "Breach: x" in rig.told()
        rig.receiver.answer = (429, {"Retry-After": "30"}, "rate_limited")
        outcome = await rig.hand_over(url)
        assert isinstance(outcome, Retry)
        assert "429" in outcome.detail


# -- Apprise, which connects by itself


async def test_apprise_follows_no_redirect_though_its_url_asks_for_it() -> None:
    async with rig_of("apprise") as rig:
        rig.receiver.answer = (302, {"Location": f"http://127.0.0.1:{rig.receiver.port}/elsewhere"}, "")
        assert isinstance(await rig.hand_over(f"{rig.url}&redirect=yes"), Retry)
        assert [request.path for request in rig.receiver.requests] == ["/"]


@pytest.mark.parametrize("url", ["mailto://u:p@example.com?smtp=127.0.0.1", "json://[::1]/", "json://localhost"])
async def test_no_part_of_an_apprise_url_leads_to_this_machine(url: str) -> None:
    async with rig_of("apprise", Guard()) as rig:
        outcome = await rig.hand_over(url)
    assert isinstance(outcome, Failed)
    assert "FOREWARN_CHANNELS_ALLOW" in outcome.detail


@pytest.mark.parametrize("url", ["syslog://", "SysLog://daemon", "dbus://", "windows://"])
async def test_an_apprise_service_that_is_the_machine_itself_is_refused(url: str) -> None:
    async with rig_of("apprise") as rig:
        outcome = await rig.hand_over(url)
    assert isinstance(outcome, Failed)
    assert "the machine itself" in outcome.detail


async def test_an_apprise_url_whose_plugin_hangs_meets_its_deadline_and_blocks_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make, let_go = Apprise._plugin, threading.Event()

    def made(self: Apprise, url: str) -> Any:
        if "stuck" in url:
            let_go.wait()
        return make(self, url)

    monkeypatch.setattr(Apprise, "_plugin", made)
    async with rig_of("apprise", within_s=HANGS_AFTER_S) as rig:
        try:
            stuck = await asyncio.gather(*(rig.hand_over(f"{rig.url}&stuck=1") for _ in range(THREADS_MAX)))
            assert all(isinstance(each, Retry) for each in stuck)
            monkeypatch.setattr(rig.notifier, "_within_s", WITHIN_S)
            assert await rig.hand_over() == Delivered()
        finally:
            let_go.set()


# -- mail


async def test_a_mail_has_text_and_html_and_belongs_to_the_thread_of_its_promise() -> None:
    async with rig_of("mail") as rig:
        rig.url += "&to=lead@example.com"
        words = Words("Größe\r\nBcc: x@example.com", "plain ü", "<p>rich ü</p>")
        await rig.channels().hand_over(message(words, channel=Channel("mail", rig.url)))
        await rig.channels().hand_over(message(words, id="id-2", channel=Channel("mail", rig.url)))
    first, second = (email.message_from_bytes(each.body, policy=email.policy.default) for each in rig.receiver.requests)
    assert first["Subject"] == "Größe??Bcc: x@example.com"
    assert first["Bcc"] is None
    assert [part.get_content_type() for part in first.iter_parts()] == ["text/plain", "text/html"]  # type: ignore[attr-defined]
    assert first["To"] == "ops@example.com, lead@example.com"
    assert rig.receiver.last.path == "ops@example.com,lead@example.com"
    assert first["Message-ID"] != second["Message-ID"]
    assert first["References"] == second["References"]


async def test_a_password_is_not_sent_to_a_server_without_tls() -> None:
    async with rig_of("mail") as rig:
        outcome = await rig.hand_over(rig.url.replace("smtp://", "smtp://me:${SECRET}@"))
    assert isinstance(outcome, Failed)
    assert "TLS" in outcome.detail
    assert rig.receiver.requests == []


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for localhost, which this process trusts."""
    openssl = shutil.which("openssl")
    if openssl is None:
        require("openssl", Missing("no openssl on the path, which makes the certificate of a mail server"))
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([openssl, *made, *names], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    return context


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize(("scheme", "is_tls_first"), [("smtp", False), ("smtps", True)])
async def test_a_password_is_sent_over_tls_and_one_mail_after_another(
    tls: ssl.SSLContext,
    scheme: str,
    is_tls_first: bool,  # noqa: FBT001
) -> None:
    passwords = Secrets({"PASSWORD": PASSWORD, "WRONG": "x"}, Path("/nowhere"))
    channels = Channels({"mail": Mail(Guard(LOOPBACK), within_s=WITHIN_S)}, passwords)
    async with smtp_receiver(tls, is_tls_first=is_tls_first) as receiver:
        url = f"{scheme}://me:${{PASSWORD}}@localhost:{receiver.port}?from=sla@example.com&to=ops@example.com"
        for number in range(3):
            told = message(id=f"id-{number}", channel=Channel("mail", url))
            assert await channels.hand_over(told) == Delivered()
        refused = await channels.hand_over(message(channel=Channel("mail", url.replace("PASSWORD", "WRONG"))))
    assert len(receiver.requests) == 3
    assert isinstance(refused, Failed)
    assert "535" in refused.detail


# -- secrets


def secrets(folder: Path, **environment: str) -> Secrets:
    return Secrets(environment, folder)


def test_secrets_come_from_the_environment_and_from_files(tmp_path: Path) -> None:
    (tmp_path / "hook").write_text("from a file\n")
    found = secrets(tmp_path, NAME="from outside", URL="https://example.com/a?b=c")
    assert found.fill("${URL}") == "https://example.com/a?b=c"
    assert found.fill("https://x/${NAME}?k=${file:hook}") == "https://x/from outside?k=from%20a%20file"
    assert found.fill("smtp://me:${NAME}@host") == "smtp://me:from%20outside@host"
    assert found.redact("it was from outside, from%20outside and from a fi") == "it was ***, *** and ***"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("${MISSING}", "MISSING. is not set"),
        ("${EMPTY}", "EMPTY. is not set"),
        ("${KAFKA_SASL_PASSWORD}", "a setting of Forewarn's own"),
        ("${file:missing}", "cannot be read"),
        ("${file:../outside}", "outside of"),
        ("${file:/etc/passwd}", "outside of"),
        ("${file:kubernetes.io/token}", "outside of"),
        ("${file:own}", "Forewarn's own"),
        ("${file:link-to-own}", "Forewarn's own"),
        ("${file:empty}", "is empty"),
        ("${file:binary}", "is no text"),
    ],
)
def test_a_secret_that_cannot_be_had_is_named(tmp_path: Path, url: str, why: str) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "kubernetes.io").mkdir()
    (tmp_path / "kubernetes.io" / "token").write_text("of the account")
    (tmp_path / "own").write_text("of the links")
    (tmp_path / "link-to-own").symlink_to(tmp_path / "own")
    with pytest.raises(Unusable, match=why):
        Secrets({"EMPTY": "", "KAFKA_SASL_PASSWORD": "x"}, tmp_path, tmp_path / "own").fill(url)


# -- addresses


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "169.254.169.254", "168.63.129.16", "100.100.100.200", "224.0.0.1",  # noqa: S104
        "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "192.0.0.192", "fd20:ce::254",
    ],
)  # fmt: skip
def test_this_machine_its_link_and_metadata_are_refused_however_they_are_written(address: str) -> None:
    assert Guard().refuses(address)


@pytest.mark.parametrize("address", ["10.0.0.7", "192.168.1.1", "93.184.216.34", "2606:4700::1", "64:ff9b::5db8:d822"])
def test_other_machines_may_be_reached_in_the_house_too(address: str) -> None:
    assert not Guard().refuses(address)


def test_what_is_allowed_is_allowed_and_nothing_beside_it() -> None:
    guard = Guard(parse_networks("127.0.0.0/8, 169.254.1.0/24"))
    assert [guard.refuses(each) for each in ("127.0.0.1", "169.254.1.9", "169.254.169.254", "::1")] == [
        False, False, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "url",
    [
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/?template={file}",
        "discord://webhook_id/webhook_token/?template={file}",
        "discord://webhook_id/webhook_token/?template=http://169.254.169.254/latest",
        "mailto://user:pass@example.com?pgp=sign&pgpprv={file}",
        "mailto://user:pass@example.com?PGPPUB={file}",
        "fcm://project@key/device/?mode=oauth2&keyfile={file}",
        "vapid://ann@example.com/?subfile={file}",
    ],
)
async def test_an_apprise_url_has_no_file_of_this_machine_read(url: str, tmp_path: Path) -> None:
    file = tmp_path / "private"
    file.write_text("hunter2")
    apprise = Apprise(Guard(), within_s=1)
    try:
        with pytest.raises(Unusable, match="must not have files read") as refused:
            await apprise.send(message(channel=Channel("apprise", url)), url.format(file=file))
    finally:
        await apprise.close()
    assert str(file) not in str(refused.value)
