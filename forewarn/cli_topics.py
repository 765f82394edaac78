"""`forewarn topics create|check`."""

from __future__ import annotations

from typing import Annotated

import typer

from forewarn.cli_options import AsJson, new_app
from forewarn.connection import kafka_config
from forewarn.console import Console, progress
from schemas.topics import PARTITIONS_DEFAULT

# ruff: noqa: PLC0415 - `--help` must not wait for Kafka's library

app = new_app("Create or verify Forewarn's topics.")


@app.command()
def create(
    *,
    partitions: Annotated[
        int, typer.Option(min=1, help="How many partitions each topic gets; can never be changed.")
    ] = PARTITIONS_DEFAULT,
    replication: Annotated[
        int | None, typer.Option(min=1, help="Copies of each partition; the broker's default if not given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Create what is missing; exit 1 if a topic that was there is not as it must be."""
    from forewarn import topics

    with progress("creating topics"):
        answers = topics.create(
            kafka_config(), partitions_count=partitions, replication=replication or topics.BROKERS_DEFAULT
        )
    raise typer.Exit(topics.report(answers, Console(as_json=as_json)))


@app.command()
def check(
    *,
    partitions: Annotated[
        int | None, typer.Option(min=1, help="How many there must be; as many as sla.telemetry.v1 has if not given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify partitions, compaction, retention and timestamps; exit 1 if something must be done."""
    from forewarn import topics

    with progress("checking topics"):
        answers = topics.check(kafka_config(), partitions_count=partitions)
    raise typer.Exit(topics.report(answers, Console(as_json=as_json)))
