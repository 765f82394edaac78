"""What people decide, as they or their tools write it (wire.md 3). Fields not named here are kept and mean nothing."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.outbound.shapes import DedupKey, Name, Shape
from sla.orders import ANSWERS
from sla.silences import FIELDS

Moment = Annotated[
    Annotated[str, Field(json_schema_extra={"format": "date-time"})] | int,
    Field(description="RFC 3339 with an offset, or epoch milliseconds"),
]


class _Command(Shape):
    id: Annotated[Name, Field(description="of the command, new for each: its repeat changes nothing")]
    by: Annotated[Name, Field(description="who gives it")]
    at: Moment | None = None


class _OfEpisode(_Command):
    dedup_key: DedupKey
    ticket: Annotated[
        Name | None, Field(description="its id, where a ticket's dedup key ends in a digest: the key is over 255 bytes")
    ] = None


class Ack(_OfEpisode):
    """Take a trouble on; refused when its episode is closed."""

    type: Literal["ack"]
    reason: str | None = None
    until: Annotated[Moment | None, Field(description="none: until it ends")] = None
    episode: Annotated[int | None, Field(ge=1, description="refused where another one is open by now")] = None


class Unack(_OfEpisode):
    """Let go of a trouble."""

    type: Literal["unack"]


class Silence(_Command):
    """Tell nobody of what matches; the command's id names the silence."""

    type: Literal["silence"]
    matchers: Annotated[
        dict[Literal[FIELDS], Annotated[list[str], Field(min_length=1)]],  # type: ignore[valid-type]
        Field(min_length=1, description="each field named has one of the values listed"),
    ]
    until: Moment
    reason: str | None = None


class Unsilence(_Command):
    """End a silence before its time."""

    type: Literal["unsilence"]
    silence: Name


class Reply(_Command):
    """Answer a planning question."""

    type: Literal["reply"]
    stakeholder: Name
    dedup_key: DedupKey
    answer: Literal[ANSWERS]  # type: ignore[valid-type]
    text: str | None = None
    until: Annotated[Moment | None, Field(description="with more_time: by when an answer will come")] = None
    event_id: Annotated[
        str | None, Field(description="of the event that asked: refused where another question was asked since")
    ] = None


class Exclusion(_Command):
    """Ask for time that does not count, or say that it does not."""

    type: Literal["exclusion"]
    service: Name
    exclusion: Annotated[Name | None, Field(description="its own id; that of the command if not given")] = None
    from_: Annotated[Moment, Field(alias="from")]
    to: Moment
    reason: str | None = None
    category: Literal["planned", "customer", "force_majeure", "other"] | None = None
    status: Annotated[
        Literal["requested", "approved", "rejected", "revoked"] | None, Field(description="approved if not given")
    ] = None


class Ruling(_Command):
    """Approve or reject an exclusion that was asked for."""

    type: Literal["approve", "reject"]
    service: Name
    exclusion: Name
    reason: str | None = None


class Statement(_Command):
    """Something about a service, or about the service of a dedup key, for the record."""

    type: Literal["action", "sign_off", "dispute"]
    service: Name | None = None
    dedup_key: DedupKey | None = None


Command = Annotated[
    Ack | Unack | Silence | Unsilence | Reply | Exclusion | Ruling | Statement, Field(discriminator="type")
]
