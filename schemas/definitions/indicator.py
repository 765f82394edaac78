"""The models of indicators: how a signal becomes good and bad."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic.json_schema import WithJsonSchema

from schemas.definitions.fields import Minutes, Name, Strict, reader, tag_of, wrong
from schemas.definitions.values import MalformedError, shown

Comparison = Literal["lte", "lt", "gte", "gt"]


class RatioIndicator(Strict):
    """Good and bad counts."""

    type: Literal["ratio"]
    signal: Name


class ThresholdIndicator(Strict):
    """Samples, good when they compare with `value` as `op` says."""

    type: Literal["threshold"]
    signal: Name
    op: Comparison
    value: float


def _parse_percentile(value: Any) -> float:
    text = value.removeprefix("p").removesuffix("%") if isinstance(value, str) else value
    try:
        number = float(text) if not isinstance(text, bool) else 0.0
    except (TypeError, ValueError):
        number = 0.0
    if not 0 < number < 100:  # noqa: PLR2004
        raise MalformedError(
            f"{shown(value)} is not a percentile: write a number between 0 and 100, such as 95 or 99.9"
        )
    return number


class PercentileIndicator(Strict):
    """A percentile of the samples of each slice, good when it compares with `value` as `op` says."""

    type: Literal["percentile"]
    signal: Name
    percentile: Annotated[
        float,
        reader(_parse_percentile),
        WithJsonSchema({"type": ["number", "string"], "examples": [95, 99.9]}),
    ]
    op: Comparison
    value: float
    slice: Minutes = Field(default="1m", validate_default=True)


class UptimeIndicator(Strict):
    """Time up and time down."""

    type: Literal["uptime"]
    signal: Name


class CompositeIndicator(Strict):
    """One objective made of others."""

    type: Literal["composite"]
    rule: Literal["all", "any", "k_of_n", "weighted", "worst"]
    of: Annotated[list[Name], Field(min_length=1)]
    k: Annotated[int, Field(ge=1)] | None = None
    weights: dict[str, Annotated[float, Field(gt=0)]] | None = None

    @model_validator(mode="after")
    def _rule_has_its_numbers(self) -> CompositeIndicator:
        if (self.rule == "k_of_n") != (self.k is not None):
            raise wrong("k goes with the rule k_of_n, and only with it: write rule: k_of_n and k: 2")
        if self.k is not None and self.k > len(self.of):
            raise wrong(f"k is {self.k}, but `of` names only {len(self.of)}")
        if (self.rule == "weighted") != (self.weights is not None):
            raise wrong("weights go with the rule weighted, and only with it: write weights: {name: 2, other: 1}")
        if self.weights is not None and set(self.weights) != set(self.of):
            raise wrong("weights must name exactly the objectives of `of`")
        return self


class TicketsIndicator(Strict):
    """The outcomes of a ticket objective's clocks."""

    type: Literal["tickets"]
    of: Name


def _indicator_tag(value: Any) -> str | None:
    kind = value.get("type") if isinstance(value, dict) else None
    return tag_of(kind) if kind in _INDICATORS else None


_INDICATORS: Final = ("ratio", "threshold", "percentile", "uptime", "composite", "tickets")

Indicator = Annotated[
    Annotated[RatioIndicator, Tag(tag_of("ratio"))]
    | Annotated[ThresholdIndicator, Tag(tag_of("threshold"))]
    | Annotated[PercentileIndicator, Tag(tag_of("percentile"))]
    | Annotated[UptimeIndicator, Tag(tag_of("uptime"))]
    | Annotated[CompositeIndicator, Tag(tag_of("composite"))]
    | Annotated[TicketsIndicator, Tag(tag_of("tickets"))],
    Discriminator(
        _indicator_tag,
        custom_error_type="wrong-value",
        custom_error_message="an indicator is a mapping with a type, one of " + ", ".join(_INDICATORS),
    ),
]
