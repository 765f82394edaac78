"""Long runs are for `pytest -m chaos`; everything else here is short."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "chaos: takes minutes; run with -m chaos")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "chaos" in str(config.getoption("markexpr")):
        return
    skip = pytest.mark.skip(reason="takes minutes: run it with -m chaos")
    for item in items:
        if item.get_closest_marker("chaos"):
            item.add_marker(skip)
