"""What the sample services measure: the same each time, and what their stories say."""

from __future__ import annotations

from itertools import pairwise, takewhile
from random import Random

import orjson
import pytest

from forewarn.demo.players import Latency, OneFailure, Past, Played, Requests, leak, live_of, outage, past_of, steady
from forewarn.demo.scenarios import PLAY_MS, SCENARIOS, live_records, minutes, past_records
from schemas.inbound import decode_telemetry, decode_tickets
from sla.fold import Line
from sla.records import Rejection
from sla.units import DAY_MS, MINUTE_MS

START = 1_790_000_000_000 // MINUTE_MS * MINUTE_MS


@pytest.mark.parametrize(
    ("share", "figures"),
    [
        (steady(0.1), [(0, 0.1), (10, 0.1)]),
        (outage(5, 0.7), [(4, 0.0), (5, 0.7), (99, 0.7)]),
        (leak(10, 30, 0.4), [(0, 0.0), (10, 0.0), (20, 0.2), (30, 0.4), (99, 0.4)]),
    ],
)
def test_a_share_of_failures_follows_its_story(share, figures) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    assert [(offset, share(offset)) for offset, _ in figures] == figures


def test_the_same_seed_plays_the_same_and_another_does_not() -> None:
    player = Requests(40, steady(0.5))

    def play(seed: int) -> list[object]:
        return list(takewhile(lambda p: p.due_at < START + minutes(5), live_of("s", "a", player, START, seed)))

    assert play(1) == play(1)
    assert play(1) != play(2)


def test_no_request_is_lost_and_silence_is_silence() -> None:
    player = Requests(40, steady(0.5), silent_ms=range(minutes(1), minutes(2)))
    measured = {offset: player.measure(offset, Random(1)) for offset in (minutes(1) - 1, minutes(1), minutes(2))}
    assert measured[minutes(1)] is None
    assert {m["good"] + m["bad"] for m in measured.values() if m} == {40}


def test_one_failure_is_one() -> None:
    player = OneFailure(fails_at_ms=minutes(20), step_ms=minutes(5))
    assert [player.measure(minutes(5 * step), Random(1))["bad"] for step in range(1, 9)] == [0, 0, 0, 1, 0, 0, 0, 0]


def test_latency_creeps_after_its_instant_and_not_before() -> None:
    player = Latency(mean_ms=100, spread_ms=0, creep_ms_per_min=6, creeps_from_ms=minutes(10))
    assert [player.measure(minutes(m), Random(1))["value"] for m in (1, 10, 20)] == [100.0, 100.0, 160.0]


def test_the_past_holds_its_traffic_and_its_bad_stretch_without_a_hole() -> None:
    bodies = [played.body for played in past_of("s", "a", Past(8 * DAY_MS, 160, 250), START)]
    assert (bodies[0]["from"], bodies[-1]["to"]) == (START - 8 * DAY_MS, START)
    assert all(one["to"] == other["from"] for one, other in pairwise(bodies))
    assert [body["bad"] for body in bodies] == [0, 250, 0]
    assert sum(body["good"] + body["bad"] for body in bodies) == 8 * 24 * 60 * 160


def test_whatever_is_played_is_in_order_and_can_be_used() -> None:
    live = list(takewhile(lambda played: played.due_at <= START + PLAY_MS, live_records(START)))
    assert [played.due_at for played in live] == sorted(played.due_at for played in live)
    for due_at, body in [*past_records(START), *live]:
        played = Played(due_at, body)
        line = Line(0, played.key.encode(), orjson.dumps(body), due_at, due_at)
        decode = decode_tickets if played.topic == "sla.tickets.v1" else decode_telemetry
        assert not isinstance(decode(line, due_at), Rejection)


def test_each_service_plays_one_scenario() -> None:
    assert len({scenario.service for scenario in SCENARIOS}) == len(SCENARIOS) == 7
