"""Whatever a document holds, reading it ends in findings."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.definitions import load, load_documents

ROOT = Path(__file__).parents[2]
GOOD = load([ROOT / "deploy" / "examples"]).documents
SHOWN = [
    {
        "apiVersion": "forewarn/v1",
        "kind": "TicketObjective",
        "metadata": {"name": "p1"},
        "spec": {
            "service": "*",
            "metric": "resolution",
            "target": "4h",
            "when": {"any": [{"priority": ["P1"]}, {"not": {"age": {"lt": 5}}}]},
            "stop": {"state": ["closed"]},
            "warnAt": ["50%", "15m"],
        },
    },
    {
        "apiVersion": "forewarn/v1",
        "kind": "Calendar",
        "metadata": {"name": "office"},
        "spec": {
            "hours": {"mon-fri": ["09:00-17:00"]},
            "closed": ["2026-12-24"],
            "open": {"2026-12-27": ["10:00-14:00"]},
        },
    },
    {
        "apiVersion": "forewarn/v1",
        "kind": "Settings",
        "metadata": {"name": "detector", "lint": {"allow": ["slow-step"], "reason": "r"}},
        "spec": {"decideEvery": "1m"},
    },
]

INTEGERS = st.integers(-(2**63), 2**63 - 1)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    INTEGERS,
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "none", "0%", "100%", "30d", "0s", "-", "a-b", "\x00", "${X}", "x" * 300, "=ratio", "mon-"]),
    st.lists(INTEGERS | st.text(max_size=3), max_size=3),
    st.dictionaries(
        st.sampled_from(["type", "name", "rolling", "of", "all", "console"]), INTEGERS | st.text(max_size=3)
    ),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(each for key, below in inner for each in places(below, (*path, key)))]


PLACES = [(index, path) for index, document in enumerate([*GOOD, *SHOWN]) for path in places(document)[1:]]


def reached(value: Any, path: list[Any]) -> Any:
    """What an earlier change left at the end of a path; None where it leads nowhere any more."""
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.tuples(st.sampled_from(PLACES), ODD), min_size=1, max_size=3))
def test_no_value_in_no_place_makes_it_fail(changes: list[tuple[tuple[int, tuple[Any, ...]], Any]]) -> None:
    documents = copy.deepcopy([*GOOD, *SHOWN])
    for (index, (*above, last)), odd in changes:
        target = reached(documents[index], above)
        if isinstance(target, dict) or (isinstance(target, list) and isinstance(last, int) and last < len(target)):
            target[last] = odd
    loaded = load_documents(documents)
    assert (loaded.catalogue is None) == loaded.refused()


def test_the_documents_that_are_changed_are_good() -> None:
    assert not load_documents([*GOOD, *SHOWN]).refused()
