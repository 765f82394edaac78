"""The models of Agreement, Service and Settings."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator
from pydantic.json_schema import WithJsonSchema

from schemas.definitions.fields import (
    DURATION_TEXT,
    STEP_TEXT,
    Amount,
    Duration,
    DurationOrZero,
    Instant,
    Name,
    OrNone,
    Percentage,
    Strict,
    TimeZone,
    missing,
    reader,
    wrong,
)
from schemas.definitions.values import parse_duration, parse_percentage, parse_step
from sla.units import HOUR_MS

_STEP_SHORTEST_MS: Final = 100
_WITHOUT_CUSTOMER: Final = frozenset({"slo", "expectation"})


class Period(Strict):
    """The calendar periods an agreement is settled by."""

    calendar: Literal["day", "week", "month", "quarter", "year"]
    timezone: TimeZone = "UTC"


class CreditTier(Strict):
    """Below this attainment, this share of the fee is credited."""

    below: Percentage
    credit: Percentage


class Credits(Strict):
    """What is owed when the promise was not kept."""

    fee: Amount
    tiers: Annotated[list[CreditTier], Field(min_length=1)]
    cap: Percentage = Field(default="100%", validate_default=True)


class Cost(Strict):
    """What keeping the promise costs."""

    run: Amount | None = None
    perPage: Amount | None = None  # noqa: N815 - as it is written


def _parse_wish(value: Any) -> int:
    is_share = isinstance(value, str) and value.endswith("%")
    return parse_percentage(value) if is_share else parse_duration(value)


Wish = Annotated[int, reader(_parse_wish), WithJsonSchema({"type": "string", "examples": ["99.95%", "4h"]})]


class AgreementSpec(Strict):
    """Who promised which objectives to whom."""

    type: Literal["sla", "ola", "uc", "slo", "expectation"]
    customer: Name | None = None
    provider: Name | None = None
    objectives: list[Name]
    requested: dict[str, Wish] = Field(default_factory=dict)
    period: Annotated[Period | None, OrNone] = None
    effectiveFrom: Instant | None = None  # noqa: N815
    effectiveTo: Instant | None = None  # noqa: N815
    reviewEvery: Annotated[Duration | None, OrNone] = None  # noqa: N815
    maintenanceAllowance: Annotated[DurationOrZero | None, OrNone] = None  # noqa: N815
    credits: Annotated[Credits | None, OrNone] = None
    value: Amount | None = None
    cost: Cost | None = None

    @model_validator(mode="after")
    def _fields_belong_together(self) -> AgreementSpec:
        if self.customer is None and self.type not in _WITHOUT_CUSTOMER:
            raise missing(f"an agreement of type {self.type} names its customer: write customer: <name>")
        if self.effectiveFrom is not None and self.effectiveTo is not None and self.effectiveTo <= self.effectiveFrom:
            raise wrong("effectiveTo is not after effectiveFrom: the agreement would never be in force")
        return self


class Dependency(Strict):
    """A service this one stands on; `critical` when it cannot work without it."""

    name: Name
    critical: bool = False


class ServiceSpec(Strict):
    """What is delivered, by whom, and what it stands on."""

    owner: Name | None = None
    dependsOn: Annotated[list[Dependency] | None, OrNone] = None  # noqa: N815
    runbook: Annotated[str, Field(min_length=1, max_length=2000)] | None = None


def _step(duration_ms: int) -> str | None:
    return None if _STEP_SHORTEST_MS <= duration_ms <= HOUR_MS else "is no step: write 100ms to 1h"


def _rest(duration_ms: int) -> str | None:
    return None if duration_ms >= HOUR_MS else "is too soon to settle a ticket for good: write 1h or more"


class SettingsSpec(Strict):
    """Settings of the detector itself."""

    decideEvery: Annotated[int, reader(parse_step, _step), STEP_TEXT] = Field(  # noqa: N815
        default="1s",
        validate_default=True,
    )
    settleTicketsAfter: Annotated[int, reader(parse_duration, _rest), DURATION_TEXT] = Field(  # noqa: N815
        default="30d",
        validate_default=True,
    )
