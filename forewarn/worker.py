"""The roles as processes: one each, started together, ended together.

A role that ends takes the others with it, since whoever restarts this process (systemd, Kubernetes) restarts all; a
worker that limps along without `deliver` would look well.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import IO, Final

from forewarn.console import UserError, print_line
from forewarn.parent import die_with_parent

ROLES: Final = ("route", "detect", "clock", "dispatch", "deliver", "project")
LATER_ROLES: Final = ("intake", "board")  # named in design.md 6; later issues build them
STOP_WITHIN_S: Final = 30.0  # what a role gets to end by itself before it is killed
LOOK_EVERY_S: Final = 0.1


def roles_of(text: str | None) -> tuple[str, ...]:
    """The roles of `--roles a,b`, in the order given, each once; all that there are by default."""
    if text is None:
        return ROLES
    named = tuple(dict.fromkeys(role.strip() for role in text.split(",") if role.strip()))
    later = [role for role in named if role in LATER_ROLES]
    unknown = [role for role in named if role not in ROLES and role not in LATER_ROLES]
    choice = f"choose from {', '.join(ROLES)}"
    if unknown:
        raise UserError(f"unknown role: {', '.join(unknown)}", choice)
    if later:
        raise UserError(f"this release does not have the role {', '.join(later)} yet", choice)
    if not named:
        raise UserError("--roles names no role", choice)
    return named


def start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """A child whose output can be read and that does not outlive this process or take its Ctrl-C for its own."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**environment, "PYTHONUNBUFFERED": "1"},
        # A group of its own: Ctrl-C reaches this process alone, which then stops the roles in order.
        process_group=0,
        preexec_fn=die_with_parent,  # noqa: PLW1509 — nothing else runs here yet, and nothing but prctl is called
    )


def run(
    roles: Sequence[str],
    *,
    command_of: Callable[[str], Sequence[str]] = lambda role: (sys.executable, "-m", "agents", role),
    environment: Mapping[str, str] = os.environ,
) -> int:
    """Run the roles until one ends or a signal comes: the code to exit with (0 after a signal and an orderly end)."""
    asked = threading.Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        asked.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    children = {role: start(command_of(role), environment) for role in roles}
    readers = [_prefix(role, child.stdout) for role, child in children.items()]
    try:
        while not asked.wait(LOOK_EVERY_S) and all(child.poll() is None for child in children.values()):
            pass
        ended = [(role, child.returncode) for role, child in children.items() if child.returncode is not None]
        forced = _stop(children)
    finally:
        for child in children.values():
            child.kill()
        for number, handler in before.items():
            signal.signal(number, handler)
    for reader in readers:
        reader.join()
    if not asked.is_set():
        role, code = ended[0]
        print_line(f"worker   | {role} ended with code {code}; the other roles were stopped")
        # Nobody asked it to end: that is a failure, whatever it says itself.
        return _shell_code(code) or 1
    late = [child.returncode for child in children.values() if child.returncode not in (0, -signal.SIGTERM)]
    for role in forced:
        print_line(f"worker   | {role} did not end within {STOP_WITHIN_S:.0f} s and was killed")
    return _shell_code(late[0]) if late else 0


def _shell_code(code: int) -> int:
    """The code as a shell shows it: 128 + the number of the signal that ended the process."""
    return 128 - code if code < 0 else code


def _stop(children: Mapping[str, subprocess.Popen[str]]) -> list[str]:
    """Ask every role to end and wait for it; the names of those that had to be killed."""
    for child in children.values():
        with suppress(ProcessLookupError):
            child.send_signal(signal.SIGTERM)
    deadline, forced = time.monotonic() + STOP_WITHIN_S, []
    for role, child in children.items():
        try:
            child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            forced.append(role)
    return forced


def _prefix(role: str, stream: IO[str] | None) -> threading.Thread:
    """Print each line of a role with its name in front, until the role closes its output."""

    def pump() -> None:
        for line in stream or ():
            print_line(f"{role:<8} | {line.rstrip()}")

    thread = threading.Thread(target=pump, name=f"output of {role}", daemon=True)
    thread.start()
    return thread
