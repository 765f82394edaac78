"""Which processes are alive, by Linux's /proc: for tests that nothing is left behind."""

from __future__ import annotations

from pathlib import Path


def _stat(pid: int) -> tuple[str, int] | None:
    """State and parent of a process; None if there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[1])


def is_alive(pid: int) -> bool:
    """Whether it runs; a zombie does not."""
    stat = _stat(pid)
    return stat is not None and stat[0] != "Z"


def descendants(pid: int) -> set[int]:
    """The ids of all living processes below a process."""
    numbers = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
    parents = {number: stat[1] for number in numbers if (stat := _stat(number)) and stat[0] != "Z"}
    found, level = set[int](), {pid}
    while level:
        level = {child for child, parent in parents.items() if parent in level} - found
        found |= level
    return found
