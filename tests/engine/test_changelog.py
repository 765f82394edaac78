"""The changelog's keys: whatever atoms are named after, a head is a head and a segment is a segment."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from agents.changelog import SOURCE_ID, Writing, atoms_of, is_segment
from agents.transport import pack
from sla.fold import AtomState

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12) | st.text("#/\xff%", min_size=1)
SEGMENTS = st.dictionaries(NAMES, st.binary(), max_size=3)
ATOMS = st.lists(
    st.builds(AtomState, NAMES, st.integers(0, 9), st.just({}), SEGMENTS, st.just(())),
    max_size=5,
    unique_by=lambda atom: atom.key,
)


@given(ATOMS)
@example([AtomState("queue/'payments'/'p1'/'C#'/None", 3, {"open": 1})])
@example([AtomState("facts/a#b", 3, {}), AtomState("facts/a", 4, {}, {"b": b"1"})])
def test_what_is_written_is_read_back_under_its_names(atoms: list[AtomState]) -> None:
    writing = Writing()
    writing.add(atoms)
    assert not any(is_segment(key) for key in writing.heads)
    assert all(is_segment(key) for key in writing.segments)
    heads = {key: head for key, head in writing.heads.items() if head is not None}
    found = {atom.key: atom for atom in atoms_of(writing.segments | heads)}
    assert found == {atom.key: atom for atom in atoms}


def test_the_id_of_a_source_is_no_atom() -> None:
    assert atoms_of({SOURCE_ID: pack(0, b"an id")}) == []
