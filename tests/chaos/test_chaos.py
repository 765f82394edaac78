"""A short chaos: a few of each fault on a real Kafka, with a short session. `make chaos` is the long one."""

from __future__ import annotations

import pytest

from tests.chaos.faults import REFUSED_FOR_GOOD as FOR_GOOD
from tests.chaos.faults import Act, BrokerKill, Cut, Freeze, Kill, Refuse
from tests.chaos.report import lines
from tests.chaos.run import run
from tests.harness import Missing, require

SESSION_S = 3.0
ACTS = (
    Act("storm", ((0.0, Kill("detect-a")), (0.4, Kill("dispatch")), (1.0, Cut("detect-b", 4.5)))),
    Act("storm", ((0.0, Freeze("detect-b", 5.0)), (1.0, Refuse("detect-a", FOR_GOOD, 2.0)), (2.0, Kill("detect-c")))),
    Act("storm", ((0.0, BrokerKill(3.0)), (1.0, Kill("deliver")))),
)

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.timeout(600)]


def test_nothing_is_lost_or_doubled_or_changed_by_a_minute_of_chaos() -> None:
    try:
        found = run(ACTS, seed=0, minutes=5, session_s=SESSION_S, flush_s=3.0)
    except Missing as missing:
        require("kafka", missing)
    assert found.violations == {}, "\n".join(lines(found))
    assert set(found.injected) == {"kill", "freeze", "cut", "refuse", "brokerkill"}
    assert found.counted["misplaced"] > 100
