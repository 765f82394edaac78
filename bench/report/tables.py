"""Tables on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from bench.measures.measure import Found, Measure
from bench.report.goals import GOALS


def show(console: Console, measure: Measure, found: Found) -> None:
    """What was measured, then its figures with their goals."""
    console.print()
    console.print(_table(f"{measure.name}: {measure.asks}", found.head, found.rows))
    console.print(_table("", ("key", "figure", "goal", ""), [_figure(*each) for each in found.figures.items()]))
    for name, reason in found.skipped.items():
        console.print(f"skipped: {name}: {reason}", highlight=False)


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(title=title or None, title_justify="left")
    for number, name in enumerate(head):
        table.add_column(name, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    return table


def _figure(key: str, figure: float) -> list[str]:
    goal = GOALS.get(key)
    if goal is None:
        return [key, f"{figure:,.4g}", "", ""]
    return [key, f"{figure:,.4g}", goal.wording, "reached" if goal.is_reached_by(figure) else "not reached"]
