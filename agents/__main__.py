"""`python -m agents ROLE`: one role in this process; `forewarn worker` starts one of these per role."""

from __future__ import annotations

import importlib
import sys
from typing import Final

from agents.process import WRONG_USE, collect_seldom

ROLES: Final = ("route", "detect", "clock", "dispatch", "deliver", "project")


def run_role(name: str) -> int:
    """Run a role until a signal ends it; the process's exit code (docs/decisions/0013)."""
    if name not in ROLES:
        sys.stderr.write(f"there is no role {name!r}: choose from {', '.join(ROLES)}\n")
        return WRONG_USE
    collect_seldom()  # loading the libraries below makes far more objects than it leaves behind
    from agents.app import run  # noqa: PLC0415 - as above
    from agents.settings import WrongSettings, read  # noqa: PLC0415 - as above

    try:
        settings = read()
    except WrongSettings as wrong:
        sys.stderr.write(f"{wrong}\n")
        return WRONG_USE
    return run(settings, importlib.import_module(f"agents.{name}").ROLE)


def main() -> int:
    """Exactly one argument: the role."""
    if len(sys.argv) != 2:  # noqa: PLR2004
        sys.stderr.write(f"usage: python -m agents ROLE, ROLE being one of {', '.join(ROLES)}\n")
        return WRONG_USE
    return run_role(sys.argv[1])


if __name__ == "__main__":
    sys.exit(main())
