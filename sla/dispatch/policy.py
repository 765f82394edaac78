"""When a stakeholder may be told, by their definition in the revision that the partition follows."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from sla.catalogue import Catalogue
from sla.dispatch.records import Notice
from sla.fold import Json
from sla.stakeholder import Channel, Outside, Stakeholder, Watches
from sla.wording import OUTSIDERS
from sla.working_time import WorkingTime

MACHINE_KINDS: Final = frozenset({"pagerduty", "alertmanager"})
"""Channels of on-call tools: they get machine events, one for each fact, which are never folded or held back."""


class Verdict(StrEnum):
    """Whether a message leaves now."""

    SEND = "send"
    HOLD = "hold"
    DROP = "drop"


class Ruling(NamedTuple):
    """A verdict, the instant until which is held, and the reason in words."""

    verdict: Verdict
    until_at: int | None = None
    why: str = ""


_SEND: Final = Ruling(Verdict.SEND)


class Policy(NamedTuple):
    """A stakeholder's definition with what it refers to."""

    stakeholder: Stakeholder
    hours: WorkingTime | None = None
    fallback: Stakeholder | None = None

    @property
    def people(self) -> tuple[Channel, ...]:
        """The channels that people read."""
        return tuple(each for each in self.stakeholder.channels if each.kind not in MACHINE_KINDS)

    @property
    def is_outsider(self) -> bool:
        """Whether they are outside of the house."""
        return self.stakeholder.audience in OUTSIDERS

    @property
    def machines(self) -> tuple[Channel, ...]:
        """The channels of on-call tools."""
        return tuple(each for each in self.stakeholder.channels if each.kind in MACHINE_KINDS)

    def rule(self, at: int, *, is_critical: bool) -> Ruling:
        """Quiet hours hold, deliver or drop."""
        hours, told = self.stakeholder.hours, self.stakeholder
        if hours is None or self.hours is None or hours.outside is Outside.DELIVER:
            return _SEND
        if is_critical and told.critical_bypasses_hours:
            return _SEND
        if self.hours.is_open(at):
            return _SEND
        if hours.outside is Outside.DROP:
            return Ruling(Verdict.DROP, None, f"outside of the hours of {hours.calendar}")
        until_at = self.hours.next_open_at(at)
        if until_at is None:
            return _SEND  # hours that never open again hold nothing back: what is held must be told some day
        return Ruling(Verdict.HOLD, until_at, f"outside of the hours of {hours.calendar}")

    def fallback_view(self) -> Json | None:
        """Who is told when a channel fails for good."""
        if self.fallback is None:
            return None
        return {
            "stakeholder": self.fallback.name,
            "audience": self.fallback.audience,
            "channels": [{"kind": each.kind, "url": each.url} for each in self.fallback.channels],
        }


def policy_of(catalogue: Catalogue, name: str) -> Policy | None:
    """The policy of a defined stakeholder."""
    told = catalogue.stakeholders.get(name)
    if told is None:
        return None
    calendar = None if told.hours is None else catalogue.calendars.get(told.hours.calendar)
    fallback = None if told.fallback is None else catalogue.stakeholders.get(told.fallback)
    return Policy(told, calendar, fallback)


def plain_policy(notice: Notice) -> Policy:
    """Of a stakeholder that the revision followed here does not define: told at once, by its sender's channels."""
    return Policy(Stakeholder(notice.stakeholder, notice.audience, Watches(), notice.channels))
