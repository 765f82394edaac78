"""Channels: what they print, and what they answer when they cannot."""

from __future__ import annotations

import io

from notifiers.console import Console
from notifiers.protocol import Delivered, Failed
from notifiers.registry import available, hand_over
from sla.dispatch import Send
from sla.records import Feed
from sla.stakeholder import Channel

SEND = Send("id", "ops", "oncall", Channel("console"), "Breach: x", "first\nsecond", "e", "s/o", Feed("f", 1))


async def test_a_message_is_one_readable_block() -> None:
    stream = io.StringIO()
    assert await Console(stream).send(SEND) == Delivered()
    assert stream.getvalue() == "to ops (oncall): Breach: x\n  first\n  second\n"


async def test_control_characters_of_an_event_do_not_reach_the_terminal() -> None:
    stream = io.StringIO()
    await Console(stream).send(SEND._replace(subject="\x1b[2Jgone", text="a\rb\nc\x07"))
    assert stream.getvalue() == "to ops (oncall): ?[2Jgone\n  a?b\n  c?\n"


async def test_a_closed_output_is_a_failure_and_not_an_exception() -> None:
    stream = io.StringIO()
    stream.close()
    assert isinstance(await Console(stream).send(SEND), Failed)


async def test_a_kind_that_nobody_serves_fails_and_says_so() -> None:
    outcome = await hand_over(SEND._replace(channel=Channel("pagerduty", "${KEY}")), available())
    assert outcome == Failed("channel not available yet: pagerduty")
