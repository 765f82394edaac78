"""How many ticket objectives one ticket can have: what lint says, and that workers do just that."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from schemas.definitions import load
from tests.clock.world import World, promise
from tests.core.world import Document, document

MARKS = [f"{minutes}m" for minutes in range(1, 95)]
"""A clock with these has 100 steps: a start and an end, 94 marks, the deadline and three repeats."""

ANY = "*"
Named = dict[str, int]
"""How many such objectives each service has."""


def promised(named: Named) -> list[Document]:
    return [
        promise(f"{service.replace(ANY, 'any')}-{number}", service=service, target="100h", warnAt=MARKS)
        for service, count in named.items()
        for number in range(count)
    ]


def told(folder: Path, documents: list[Document]) -> list[tuple[str, str, str]]:
    """Rule, line of the file and message of the findings about steps."""
    file = folder / "definitions.yaml"
    file.write_text(yaml.safe_dump_all(documents, sort_keys=False), encoding="utf-8")
    lines = file.read_text(encoding="utf-8").splitlines()
    found = [each for each in load([file]).findings if each.rule.startswith("too-many-steps")]
    names = [_name_above(lines, each.line or 0) for each in found]
    return [(each.rule, name, each.message) for each, name in zip(found, names, strict=True)]


def _name_above(lines: list[str], line: int) -> str:
    """The definition in which a line stands."""
    assert lines[line - 1].strip().startswith("service:")
    return next(each for each in reversed(lines[:line]) if each.startswith("  name: ")).removeprefix("  name: ")


@pytest.mark.parametrize(
    ("named", "rule", "at", "words"),
    [
        ({"pay": 31}, "too-many-steps", "pay-30", "service 'pay' would have 31 objectives with 3,100 steps"),
        ({"shop": 3, "pay": 33}, "too-many-steps", "pay-30", "33 objectives with 3,300 steps"),
        ({"pay": 16, ANY: 15}, "too-many-steps", "pay-15", "service 'pay' would have 31 objectives"),
        ({"pay": 1, ANY: 31}, "too-many-steps", "any-30", "any service would have 31 objectives"),
        ({"pay": 16, "shop": 15}, "too-many-steps-moved", "shop-14", "between service 'shop' and service 'pay'"),
        ({"pay": 15, "shop": 16}, "too-many-steps-moved", "pay-14", "would have 3,100 steps"),
        ({"pay": 29, ANY: 1}, "too-many-steps-moved", "any-0", "between any other service and service 'pay'"),
        ({"pay": 1, ANY: 16}, "too-many-steps-moved", "any-15", "between two services would have 3,200 steps"),
    ],
)
def test_more_than_a_ticket_can_have_is_told_at_the_objective_that_is_too_many(
    named: Named, rule: str, at: str, words: str, tmp_path: Path
) -> None:
    ((found_rule, name, message),) = told(tmp_path, promised(named))
    assert (found_rule, name) == (rule, at)
    assert words in message
    assert "define fewer" in message


@pytest.mark.parametrize("named", [{"pay": 30}, {"pay": 15, "shop": 15}, {"pay": 14, "shop": 14, ANY: 1}, {ANY: 15}])
def test_as_much_as_a_ticket_can_have_is_no_finding(named: Named, tmp_path: Path) -> None:
    assert told(tmp_path, promised(named)) == []


def test_of_default_objectives_a_ticket_can_have_three_hundred(tmp_path: Path) -> None:
    spec = {"service": "pay", "metric": "resolution", "target": "4h", "when": {}, "stop": {"state": ["closed"]}}
    defaults = [document("TicketObjective", f"fix-{number}", **spec) for number in range(301)]
    assert told(tmp_path, defaults[:300]) == []
    ((rule, name, _),) = told(tmp_path, defaults)
    assert (rule, name) == ("too-many-steps", "fix-300")


@pytest.mark.parametrize("named", [{"pay": 30}, {"pay": 31}, {"pay": 30, ANY: 1}, {ANY: 31}])
def test_lint_refuses_just_what_makes_every_new_ticket_a_dead_letter(named: Named, tmp_path: Path) -> None:
    documents = promised(named)
    world = World(*documents)
    world.created("10:00")
    is_refused = any(rule == "too-many-steps" for rule, _, _ in told(tmp_path, documents))
    assert (world.letters() == ["limit_reached"]) == is_refused


@pytest.mark.parametrize("named", [{"pay": 15, "shop": 15}, {"pay": 15, "shop": 16}, {ANY: 15}, {ANY: 16}])
def test_lint_warns_just_of_what_makes_the_move_of_a_ticket_a_dead_letter(named: Named, tmp_path: Path) -> None:
    documents = promised(named)
    world = World(*documents)
    world.created("10:00")
    world.event("10:01", more={"service": "shop"}, state="open")
    is_warned = any(rule == "too-many-steps-moved" for rule, _, _ in told(tmp_path, documents))
    assert (world.letters() == ["limit_reached"]) == is_warned
