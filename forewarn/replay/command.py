"""The options of `forewarn replay`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Final

import typer

from forewarn.cli_options import AsJson
from forewarn.console import UserError
from forewarn.replay.files import STANDARD
from schemas.instants import read_instant

# ruff: noqa: PLC0415 - `forewarn --help` reads these options, and must not wait for the folds and Kafka's library

_EPOCH_MS: Final = re.compile(r"-?[0-9]{1,18}")


def replay(
    *,
    definitions: Annotated[Path, typer.Option(help="YAML file or folder: revision 0 of the catalogue.")],
    source: Annotated[
        str | None, typer.Option("--input", metavar="FILE|-", help="JSON lines, or - for standard input.")
    ] = None,
    from_kafka: Annotated[
        str | None, typer.Option(metavar="FROM..TO", help="Read topics instead: two instants, either may be left out.")
    ] = None,
    tick: Annotated[str | None, typer.Option(help="The step of decisions, such as 1s, instead of decideEvery.")] = None,
    until: Annotated[
        str | None, typer.Option(help="Where to end: an instant; the last timestamp if not given.")
    ] = None,
    output: Annotated[str, typer.Option(metavar="FILE|-", help="Where to write.")] = STANDARD,
    cluster: Annotated[
        str | None, typer.Option(help="The cluster that events name as their source [FOREWARN_CLUSTER, else default].")
    ] = None,
    _as_json: AsJson = False,
) -> None:
    """Run the folds over recorded topics, offline, and print all that they would publish as JSON lines."""
    from forewarn.replay.recording import recorded
    from forewarn.replay.run import run

    tick_ms = None if tick is None else read_tick(tick)
    until_at = None if until is None else read_until(until)
    named = cluster or os.environ.get("FOREWARN_CLUSTER") or "default"
    if (source is None) == (from_kafka is None):
        raise UserError("name one input", "give --input FILE, --input - or --from-kafka FROM..TO")
    if source is not None:
        run([definitions], source, output, tick_ms=tick_ms, until=until_at, cluster=named)
    elif from_kafka is not None:
        with recorded(from_kafka) as kept:
            run([definitions], kept, output, tick_ms=tick_ms, until=until_at, cluster=named)


def read_tick(text: str) -> int:
    """A duration above zero, also in milliseconds (`500ms`)."""
    from schemas.definitions.values import parse_step

    try:
        tick_ms = parse_step(text)
    except ValueError as error:
        raise UserError(f"--tick: {error}") from None
    if tick_ms == 0:
        raise UserError("--tick: time must move", "write a duration such as 1s or 500ms")
    return tick_ms


def read_until(text: str) -> int:
    """An instant: RFC 3339 with an offset, or epoch milliseconds."""
    at = read_instant(int(text) if _EPOCH_MS.fullmatch(text) else text)
    if at is None:
        raise UserError(f"{text!r} is not an instant", "write it as 2026-11-23T10:00:00Z, or in epoch milliseconds")
    return at
