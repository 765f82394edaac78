"""What other tools got wrong, and the page that says by which test each is kept from happening here."""

from __future__ import annotations

import re
from pathlib import Path

from sla.units import HOUR_MS
from tests.clock.world import OFFICE, World, at, promise

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "real-tickets.md"


def test_time_waited_under_one_objective_is_not_lost_when_another_takes_over() -> None:
    """GLPI: waiting time is lost when the objective changes."""
    world = World(promise("a"), promise("b", when={"priority": ["P2"]}, target="6h"))
    world.created("10:00")
    world.event("10:30", state="pending")
    world.event("11:30", state="open")
    world.event("12:00", priority="P2")
    ticket = world.events("sla.clocks.v1", "clock.retargeted")[-1]["data"]["ticket"]
    assert (ticket["elapsed_ms"], ticket["deadline"]) == (HOUR_MS, "2026-11-23T17:00:00.000Z")


def test_days_of_a_target_are_hours_of_working_time_and_so_is_what_has_elapsed() -> None:
    """GLPI: days counted round the clock against a deadline in working days."""
    world = World(OFFICE, promise(calendar="office", target="1d"))  # seven hours each day
    world.created("09:00")
    world.ticks(at("13:00", 3), HOUR_MS)
    assert world.alerts() == ["+3 12:00 breach deadline"]
    ticket = world.events(name="breach")[0]["data"]["ticket"]
    assert (ticket["target_ms"], ticket["elapsed_ms"], ticket["percent"]) == (24 * HOUR_MS, 24 * HOUR_MS, 100)


def test_each_failure_of_another_tool_on_the_page_has_a_test_of_that_name() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in sorted(HERE.glob("test_*.py")))
    named = re.findall(r"\| `(test_\w+)` \|", PAGE.read_text(encoding="utf-8"))
    assert len(named) == 7
    assert [name for name in named if f"def {name}(" not in tests] == []
