"""`faust -A agents.<role> worker`: the module's `app`, built from the environment when Faust asks for it."""

from __future__ import annotations

import sys
from typing import Any

from agents import logs
from agents.app import build
from agents.process import WRONG_USE
from agents.role import Role
from agents.settings import WrongSettings, read


def app_of(module: str, name: str, role: Role) -> Any:
    """What a role's module answers for its attribute `app`; any other name does not exist."""
    if name != "app":
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    try:
        settings = read()
    except WrongSettings as wrong:
        sys.stderr.write(f"{wrong}\n")
        raise SystemExit(WRONG_USE) from None
    logs.limit_rate()
    return build(settings, role)
