"""The silences that a partition knows: what nobody is told of, and until when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from sla.catalogue import Agreement
from sla.fold import Json
from sla.heard import is_heard
from sla.orders import Silence, Unsilence
from sla.records import Feed
from sla.standing import Standing

FIELDS: Final = ("agreement", "customer", "dedup_key", "event", "objective", "service", "severity", "stakeholder")
"""What a matcher can name."""
SAID_LAST: Final = {
    Standing.UNKNOWN: "unknown",
    Standing.OK: "recovery",
    Standing.AT_RISK: "early_warning",
    Standing.BREACHED: "breach",
}
"""What a silence that names events is compared with when nothing is said just now."""


def labels(
    key: str, objective: str, severity: str, name: str, agreements: Sequence[str], customers: Sequence[str]
) -> Json:
    """What a silence can match of an event; `key` is its dedup key, `name` what happened."""
    return {
        "service": [unquote(key.partition("/")[0])],
        "objective": [objective],
        "dedup_key": [key],
        "severity": [severity],
        "event": [name],
        "agreement": agreements,
        "customer": customers,
    }


class Silences:
    """Those in force, by id."""

    def __init__(self) -> None:
        self._silences: dict[str, Silence] = {}
        self.heard: dict[str, int] = {}  # orders, by id: the offset

    def is_heard(self, order: Silence | Unsilence, offset: int) -> bool:
        """Whether an order came before this offset: a silence that was ended does not begin again by its repeat."""
        return is_heard(self.heard, order.id, offset)

    def __iter__(self) -> Iterator[Silence]:
        """In the order of their ids."""
        return iter([self._silences[name] for name in sorted(self._silences)])

    def put(self, silence: Silence) -> None:
        """Begin one."""
        self._silences[silence.id] = silence

    def end(self, name: str) -> bool:
        """End one; whether there was one."""
        return self._silences.pop(name, None) is not None

    def obey(self, order: Silence | Unsilence) -> bool:
        """Begin one or end one; whether that may change anything."""
        if isinstance(order, Unsilence):
            return self.end(order.silence)
        self.put(order)
        return True

    def end_due(self, at: int) -> None:
        """End those that have come to their end."""
        for name in [each.id for each in self if each.until_at <= at]:
            self.end(name)

    def is_due(self, name: str, at: int) -> bool:
        """Whether one has come to its end."""
        silence = self._silences.get(name)
        return silence is not None and silence.until_at <= at

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._silences)

    def matching(self, stakeholder: str | None, labels: Mapping[str, Any]) -> Silence | None:
        """The first that matches; without a stakeholder the first that covers all of them."""
        if not self._silences:
            return None
        known = {**labels, "stakeholder": () if stakeholder is None else (stakeholder,)}
        return next((each for each in self if _matches(each, known)), None)

    def cover(self, key: str, objective: str, severity: str, name: str, agreements: Sequence[Agreement]) -> bool:
        """Whether nobody at all is told of an event; of a silence for one stakeholder machines see no flag."""
        if not self._silences:
            return False
        names = [agreement.name for agreement in agreements]
        customers = [agreement.customer for agreement in agreements if agreement.customer]
        return self.matching(None, labels(key, objective, severity, name, names, customers)) is not None

    def to_json(self) -> list[Json]:
        """The state that a restart needs."""
        return [
            {
                "id": each.id,
                "by": each.by,
                "matchers": {name: list(values) for name, values in each.matchers.items()},
                "until_at": each.until_at,
                "reason": each.reason,
                "feed": list(each.feed),
            }
            for each in self
        ]

    def load(self, stored: Iterable[Json], heard: Mapping[str, int]) -> None:
        """Take back what `to_json` gave, and which orders were heard."""
        self.heard = dict(heard)
        for each in stored:
            matchers = {name: tuple(values) for name, values in each["matchers"].items()}
            self.put(Silence(each["id"], each["by"], matchers, each["until_at"], Feed(*each["feed"]), each["reason"]))


def _matches(silence: Silence, known: Mapping[str, Any]) -> bool:
    return all(any(value in values for value in known.get(name, ())) for name, values in silence.matchers.items())
