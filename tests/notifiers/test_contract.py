"""One suite, every channel: what each must do with a message, whatever its server does."""

from __future__ import annotations

import io
import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from notifiers.addresses import Guard
from notifiers.protocol import Delivered, Failed, Retry
from notifiers.registry import DETAIL_LONGEST
from schemas.definitions.channels import KINDS
from sla.stakeholder import Channel
from tests.notifiers.channels import HANGS_AFTER_S, SECRET, WITHIN_S, Rig, message, rig_of
from tests.notifiers.receivers import Manner

ALL = (*KINDS, "fake")
OVER_A_NETWORK = ("webhook", "apprise", "pagerduty", "alertmanager", "mail")


@pytest.fixture(params=ALL)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with rig_of(request.param) as found:
        yield found


@pytest.fixture(params=OVER_A_NETWORK)
async def remote(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with rig_of(request.param) as found:
        yield found


async def test_what_the_other_side_takes_is_delivered_and_says_the_subject(rig: Rig) -> None:
    assert await rig.hand_over() == Delivered()
    assert "Breach: x" in rig.told()


async def test_a_repeat_is_known_by_the_same_identity_and_another_message_is_not_it(rig: Rig) -> None:
    if rig.identity is None:
        pytest.skip(f"{rig.kind} cannot tell a repeat")
    await rig.hand_over()
    first = rig.identity()
    await rig.hand_over()
    assert rig.identity() == first
    await rig.hand_over(id="id-2", dedup_key="payments/latency")
    assert rig.identity() != first


@pytest.mark.parametrize("manner", [Manner.TROUBLED, Manner.RESETS])
async def test_trouble_that_may_pass_is_a_retry(remote: Rig, manner: Manner) -> None:
    remote.receiver.manner = manner
    outcome = await remote.hand_over()
    assert isinstance(outcome, Retry)
    assert outcome.detail


@pytest.mark.parametrize("kind", OVER_A_NETWORK)
async def test_a_server_that_hangs_is_a_retry(kind: str) -> None:
    async with rig_of(kind, within_s=HANGS_AFTER_S) as rig:
        rig.receiver.manner = Manner.HANGS
        outcome = await rig.hand_over()
    assert isinstance(outcome, Retry)
    assert outcome.detail


async def test_what_is_refused_for_good_is_a_failure(remote: Rig) -> None:
    remote.receiver.manner = Manner.REFUSES
    outcome = await remote.hand_over()
    # Apprise does not tell the two apart.
    assert isinstance(outcome, Retry if remote.kind == "apprise" else Failed)


async def test_a_server_that_is_not_there_is_a_retry(remote: Rig) -> None:
    gone = remote.url.replace(f":{remote.receiver.port}", ":9")
    assert isinstance(await remote.hand_over(gone), Retry)


@pytest.mark.parametrize("kind", OVER_A_NETWORK)
async def test_an_address_of_this_machine_is_refused_unless_it_is_allowed(kind: str) -> None:
    async with rig_of(kind, Guard()) as rig:
        for host in ("127.0.0.1", "localhost"):
            outcome = await rig.hand_over(rig.url.replace("127.0.0.1", host))
            assert isinstance(outcome, Failed)
            assert "FOREWARN_CHANNELS_ALLOW" in outcome.detail
        assert rig.receiver.requests == []


async def test_a_secret_that_is_not_set_fails_and_is_named(remote: Rig) -> None:
    outcome = await remote.hand_over(f"{remote.url}&x=${{NOT_SET}}")
    assert outcome == Failed("${NOT_SET} is not set: set NOT_SET in the environment of deliver")
    assert remote.receiver.requests == []


@pytest.mark.parametrize("kind", ["webhook", "pagerduty"])
async def test_a_secret_that_the_other_side_repeats_is_not_passed_on(kind: str) -> None:
    async with rig_of(kind) as rig:
        rig.receiver.answer = (400, {}, f"no such key: {SECRET}\n\x1b[2Jand {SECRET * 50}")
        outcome = await rig.hand_over()
    assert isinstance(outcome, Failed)
    assert "s3cr3t" not in outcome.detail
    assert "***" in outcome.detail
    assert outcome.detail.isprintable()
    assert len(outcome.detail) <= DETAIL_LONGEST


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """What would be in the log of a worker at its most talkative."""
    root, text = logging.getLogger(), io.StringIO()
    handler, level = logging.StreamHandler(text), root.level
    handler.addFilter(lambda record: record.name != "mail.log")  # of the other side, which runs in here
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.setLevel(level)
    root.removeHandler(handler)


async def test_no_part_of_a_url_that_is_a_secret_is_passed_on() -> None:
    async with rig_of("webhook") as rig:
        place = f"127.0.0.1:{rig.receiver.port}/services/T1JJ3/xoxb-7f3a"
        rig.environment["WHOLE"] = f"http://{place}?token=t0ken-9d1e#secret=s1gning-key"
        rig.receiver.answer = (404, {}, "no /services/T1JJ3/xoxb-7f3a here, said t0ken-9d1e with s1gning-key")
        outcome = await rig.hand_over("${WHOLE}")
    assert outcome == Failed("HTTP 404: no *** here, said *** with ***")


@pytest.mark.parametrize("kind", OVER_A_NETWORK)
@pytest.mark.parametrize("manner", [Manner.TROUBLED, Manner.REFUSES, Manner.RESETS, Manner.HANGS])
async def test_no_secret_is_in_an_outcome_or_a_log_whatever_goes_wrong(
    kind: str, manner: Manner, everything_logged: io.StringIO
) -> None:
    async with rig_of(kind, within_s=HANGS_AFTER_S if manner is Manner.HANGS else WITHIN_S) as rig:
        rig.receiver.manner = manner
        for url in (f"{rig.url}&token=${{SECRET}}", f"{rig.url}${{SECRET}}", "${SECRET}"):
            outcome = await rig.hand_over(url)
            assert not isinstance(outcome, Delivered)
            assert "s3cr3t" not in outcome.detail
    assert "s3cr3t" not in everything_logged.getvalue()


@pytest.mark.parametrize("kind", OVER_A_NETWORK)
@pytest.mark.parametrize("url", ["nonsense://", "http://[", "http://host:0/", "://", "\x00"])
async def test_a_url_that_makes_no_sense_is_an_outcome_and_not_an_exception(kind: str, url: str) -> None:
    async with rig_of(kind) as rig:
        assert isinstance(await rig.hand_over(url), Failed | Retry)
        assert rig.receiver.requests == []


async def test_a_kind_that_nobody_serves_fails_and_says_so() -> None:
    async with rig_of("fake") as rig:
        outcome = await rig.channels().hand_over(message(channel=Channel("pigeon", "loft")))
    assert outcome == Failed("pigeon is no channel of this release, which has fake")
