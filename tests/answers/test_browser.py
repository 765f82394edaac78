"""The whole way in a real browser: a link, a look, a choice, a command on the topic."""

from __future__ import annotations

import os
import sys
import time

import orjson
from playwright.sync_api import Browser, Page

from forewarn.embedded import EmbeddedBroker
from forewarn.kafka import read_to_end
from notifiers.links import Link, May, sign
from tests.harness import Process, wait_for
from tests.harness.process import PATIENCE_S

SECRET = "s" * 40
TOPICS = {"sla.commands.v1": 2, "sla.records.v1": 2}


def opened(browser: Browser, base: str, token: str) -> Page:
    page = browser.new_context().new_page()
    page.set_default_timeout(1000 * PATIENCE_S)
    page.goto(f"{base}/answer?token={token}")
    return page


def test_a_person_opens_the_link_chooses_and_confirms(browser: Browser, redis_url: str) -> None:
    environment = os.environ | {"REDIS_URL": redis_url, "FOREWARN_LINK_SECRET": SECRET}
    command = [sys.executable, "-m", "forewarn", "answers", "--listen", "127.0.0.1:0", "--json"]
    with EmbeddedBroker.start(TOPICS) as broker:
        kafka = {"bootstrap.servers": broker.bootstrap}
        environment["KAFKA_BOOTSTRAP_SERVERS"] = broker.bootstrap
        with Process(command, name="answers", env=environment) as server:
            server.wait_for_log("listening")
            line = next(line for line in server.log_tail().splitlines() if "listening" in line)
            base = f"http://{orjson.loads(line)['listening']}"
            link = Link(May.REPLY, "ann", "pay/paid", "e" * 32, int(time.time() * 1000) + 600_000)
            token = sign(SECRET, link)

            page = opened(browser, base, token)
            refused: list[str] = []
            page.on("console", lambda message: refused.append(message.text))
            page.get_by_role("button", name="Confirm").click()  # nothing chosen: the browser itself says so
            assert read_to_end(kafka, "sla.commands.v1") == []
            page.get_by_label("Mitigate it").check()
            page.get_by_label("What you want on record").fill("two more nodes by noon")
            page.get_by_role("button", name="Confirm").click()
            page.get_by_role("heading", name="Thank you").wait_for()
            assert refused == []  # the page breaks none of its own rules

            again = opened(browser, base, token)
            again.get_by_label("Accept it").check()
            again.get_by_role("button", name="Confirm").click()
            again.get_by_role("heading", name="Answered already").wait_for()

            opened(browser, base, token[:-5]).get_by_role("heading", name="This link is not valid").wait_for()
            wait_for(lambda: read_to_end(kafka, "sla.records.v1"), "the forged link on record")

        (told,) = [orjson.loads(each.value or b"") for each in read_to_end(kafka, "sla.commands.v1")]
        assert (told["answer"], told["text"], told["by"]) == ("mitigate", "two more nodes by noon", "ann")
