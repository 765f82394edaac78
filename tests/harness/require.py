"""What a machine lacks: skipped with its reason, or a failure where `FOREWARN_REQUIRE` says that it must be there."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


class Missing(Exception):  # noqa: N818 - not an error: a machine may lack a part
    """A part that this machine does not have; the message says which and how to get it."""


def require(part: str, missing: Missing) -> NoReturn:
    """Skip what needs `part`, or fail if `FOREWARN_REQUIRE` (a comma-separated list of parts) names it."""
    needed = {name.strip() for name in os.environ.get("FOREWARN_REQUIRE", "").split(",")}
    if part in needed:
        pytest.fail(f"FOREWARN_REQUIRE names {part}, but {missing}", pytrace=False)
    pytest.skip(str(missing))
