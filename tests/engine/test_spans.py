"""Exact-prefix commits: what may be committed is what is done without a hole before it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agents.transport.spans import Spans


def settled(handed_out: list[int], acked: set[int]) -> int | None:
    spans = Spans()
    for last in handed_out:
        spans.hand_out(last)
    return spans.settle(set(acked))


def test_nothing_is_done_before_the_first_batch_is() -> None:
    assert settled([99, 199], set()) is None


def test_a_batch_in_work_holds_back_all_that_are_done_behind_it() -> None:
    # [0..99] done   [100..199] in work   [200..299] done
    assert settled([99, 199, 299], {99, 299}) == 100


def test_a_fresh_partition_whose_first_batch_is_in_work_commits_nothing() -> None:
    assert settled([99, 199], {199}) is None


def test_a_hole_in_the_offsets_holds_nothing_back() -> None:
    # A transaction's control records, or compaction: 100..4999 do not exist.
    assert settled([99, 5000], {99, 5000}) == 5001


def test_the_answer_stays_until_it_is_topped() -> None:
    spans = Spans()
    spans.hand_out(9)
    acked = {9}
    assert spans.settle(acked) == 10
    assert acked == set()
    assert spans.settle(acked) == 10
    assert len(spans) == 0


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.data())
def test_the_commit_is_one_past_the_longest_done_prefix_in_whatever_order_batches_end(
    sizes: list[int], data: st.DataObject
) -> None:
    lasts = [sum(sizes[: count + 1]) - 1 for count in range(len(sizes))]
    spans, acked, done = Spans(), set[int](), set[int]()
    for last in lasts:
        spans.hand_out(last)
    for last in data.draw(st.permutations(lasts)):
        acked.add(last)
        done.add(last)
        prefix = 0
        for expected in lasts:
            if expected not in done:
                break
            prefix = expected + 1
        assert spans.settle(acked) == (prefix or None)
