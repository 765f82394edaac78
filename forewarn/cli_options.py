"""Options that several commands share, and the group that turns a `UserError` into words and an exit code."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from forewarn.console import UserError, complain

_JSON: Final = "forewarn.json"


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
