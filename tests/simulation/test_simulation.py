"""A few of the schedules of `make simulate`, all that ever failed, and some of the bugs of `make mutants`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.simulation.laws import broken
from tests.simulation.mutants import MUTANTS
from tests.simulation.planting import as_told
from tests.simulation.schedule import run
from tests.simulation.story import Story, story

ROOT = Path(__file__).parents[2]
PROVOKED = {mutant.provoke for mutant in MUTANTS.values()} - {as_told}
FAILED_ONCE = (
    28,  # a slice before the first one was judged before its turn, and what nobody had been told was corrected
    70,  # a batch that was handed out behind the last commit was handled, and those before it were passed over
    48,  # a state was compared with cuts that lie ahead of it
    53,  # the record of a closed period showed windows as of whatever had been decided last in that process
    60,  # the oracle took a silence for told before its instant had come
    76,  # a record of what is defined no more was taken for one from before its stream
    80,  # a rebalance waited for ever for a batch that it had cleared itself
    120,  # dead letters without a key were taken for one line
    148,  # a zombie went to where its successor had committed, with the state of long before
    220,  # an exclusion took all that was bad, and the budget marks were not armed anew
    241,  # the oracle was asked what the last tick brings, which nobody had read
    286,  # a worker that was there for a visit left in the middle of the calm, and that is a rebalance
    294,  # time up that a decision counted across a cut went into the bucket before it
    310,  # a slice that begins at the instant of a decision was missing in its window
    341,  # a late state took back downtime that no decision had counted yet
    379,  # the same zombie in dispatch: a reminder was sent twice
    425,  # time down was counted up to a silence after the decision's instant
    545,  # a worker was frozen for exactly as long as it waits for an answer
    593,  # a record before the definition was taken for one of the stream that was stored further on
    650,  # the oracle corrected a minute for a slice that was judged after it
    716,  # what a zombie wrote between two writes of the owner was never read by the owner
    719,  # the reference held a forwarded record for a copy of one that nobody had counted
    745,  # the zombie again, with wrong alerts
    751,  # time up or down in the wrong bucket, again
    753,  # the verdict that waits for nothing but time, again
    781,  # what ended the time without a verdict was nothing but time
    840,  # what ended with one revision was remembered in the order in which streams had been loaded
    100_039,  # a correction was read before the step of a clock that it corrects
)
PLANTED = ("partition head written", "a changed atom", "sequences reset", "now goes back", "counted twice", "is held")
PLANTED_IN_TICKETS = ("due clocks forgotten", "a correction lost")


def simulated(module: str, *arguments: str) -> str:
    """A program of the simulation in a process of its own, for it fixes the order of sets."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def test_a_schedule_that_failed_once_breaks_no_law() -> None:
    """All in one process, which says which of them does: its start takes longer than a schedule."""
    assert "violations          0" in simulated("tests.simulation", "--seeds", ",".join(map(str, FAILED_ONCE)))


@pytest.mark.parametrize("seeds", ["0..11", "100000..100005"])
def test_schedules_of_trouble_break_no_law(seeds: str) -> None:
    assert "violations          0" in simulated("tests.simulation", "--seeds", seeds)


@pytest.mark.parametrize("provoke", sorted(PROVOKED, key=lambda each: each.__name__))
def test_the_trouble_that_shows_a_planted_bug_breaks_no_law_without_it(provoke: Callable[[Story], Story]) -> None:
    assert broken(run(provoke(story(1)))) == {}


@pytest.mark.usefixtures("core_patch")  # nothing can be planted in machine code
@pytest.mark.parametrize("name", PLANTED + PLANTED_IN_TICKETS)
def test_a_planted_bug_is_caught(name: str) -> None:
    assert any(name in mutant for mutant in MUTANTS)
    assert " 0 survived" in simulated("tests.simulation.planted", "--only", name, "--seeds", "6")
