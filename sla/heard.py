"""Which commands an atom has heard: a command that comes again changes nothing, whatever came in between."""

from __future__ import annotations

from typing import Final

HEARD_MAX: Final = 200  # the newest; whoever repeats a command does so soon


def is_heard(heard: dict[str, int], command_id: str, offset: int) -> bool:
    """Whether a command came before this offset; from here on it has.

    The offset tells a command that is read again after a crash, and must be carried out again, from its repeat.
    """
    first_offset = heard.setdefault(command_id, offset)
    if first_offset < offset:
        return True
    while len(heard) > HEARD_MAX:
        del heard[next(iter(heard))]
    return False
