"""What the outgoing shapes are made of: instants, ids, keys, counts, and objects that may grow."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Instant = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z$",
        description="RFC 3339 in UTC with milliseconds",
    ),
]
Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", description="the first 32 hex digits of a sha256")]
DedupKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9._~%:-]+(/[A-Za-z0-9._~%:-]+)+$")]
Span = Annotated[str, Field(pattern=r"^[1-9][0-9]*[mhd]$", description="a window, such as 5m, 1h or 30d")]
Base64 = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]*={0,2}$")]
Name = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=0)]
Number = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Severity = Literal["info", "warning", "critical"]
State = Literal["unknown", "ok", "at_risk", "breached"]


class Shape(BaseModel):
    """An object that may grow fields but never loses one."""

    model_config = ConfigDict(extra="allow")
