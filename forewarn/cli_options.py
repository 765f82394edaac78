"""Options that several commands share, and the group that turns a `UserError` into words and an exit code."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from forewarn.console import UserError, complain
from schemas.instants import read_instant
from sla.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

_JSON: Final = "forewarn.json"
_DURATION: Final = re.compile(r"([0-9]{1,12})(ms|s|m|h|d)")
_UNITS_MS: Final = {"ms": 1, "s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}


class Group(TyperGroup):
    """Every command's errors of use end here: one line of what, one of what to do, and the exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a `UserError` is told in the form that the command was asked to print in."""
        try:
            return super().invoke(ctx)
        except UserError as error:
            complain(error, as_json=bool(ctx.meta.get(_JSON)))
            raise typer.Exit(int(error.code)) from None


def _remember(context: typer.Context, value: bool) -> bool:
    context.meta[_JSON] = value
    return value


def new_app(help_text: str) -> typer.Typer:
    """A group of commands that shows its help when called without one and never prints local variables."""
    return typer.Typer(
        cls=Group, help=help_text, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.", callback=_remember)]


def duration_of(text: str | None) -> int | None:
    """An option such as `500ms`, `1s`, `5m` as milliseconds, above 0."""
    if text is None:
        return None
    match = _DURATION.fullmatch(text.strip())
    duration_ms = int(match[1]) * _UNITS_MS[match[2]] if match else 0
    if not duration_ms:
        raise UserError(f"{text!r} is no duration above 0", "write 500ms, 1s, 5m or 1h")
    return duration_ms


def instant_of(text: str | None) -> int | None:
    """An option that is an instant, as epoch milliseconds."""
    if text is None:
        return None
    at = read_instant(int(text) if text.isascii() and text.isdigit() else text)
    if at is None:
        raise UserError(f"{text!r} is no instant", "write 2026-11-23T10:00:00Z, or epoch milliseconds")
    return at
