"""One finding of the doctor: which check, where, what, and what to do."""

from __future__ import annotations

from typing import Any, NamedTuple

from forewarn.finding import Finding


class Diagnosis(NamedTuple):
    """A finding and the place that it is about: a topic, a broker, this machine."""

    check: str
    where: str
    finding: Finding

    def as_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        what, remedy, level = self.finding
        return {"level": level.value, "check": self.check, "where": self.where, "what": what, "remedy": remedy}

    def line(self) -> str:
        """For a person, without the remedy."""
        return f"{self.finding.level.value:<7} {self.check}: {self.where}: {self.finding.what}"


def numbers(partitions: list[int]) -> str:
    """`partition 3`, `partitions 0, 3`: a few by number, many by how many there are more."""
    shown = sorted(partitions)[:8]
    rest = f" and {len(partitions) - len(shown)} more" if len(partitions) > len(shown) else ""
    return f"partition{'s' if len(partitions) > 1 else ''} {', '.join(map(str, shown))}{rest}"
