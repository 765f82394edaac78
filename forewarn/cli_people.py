"""What people decide, from the command line: each is one command on `sla.commands.v1`, checked before it is written."""

from __future__ import annotations

import getpass
import time
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from forewarn.cli_options import AsJson
from forewarn.connection import kafka_config
from forewarn.console import Console, UserError
from sla.orders import ANSWERS
from sla.silences import FIELDS

# Commands import what they need when they run: `forewarn --help` must not wait for Kafka's library.
# ruff: noqa: PLC0415

Key = Annotated[str, typer.Argument(metavar="DEDUP_KEY", help="As in the event: <service>/<objective>.")]
By = Annotated[str | None, typer.Option(help="Who decides; who is logged in if not given.")]
Reason = Annotated[str | None, typer.Option(help="Why, for those who are told and for the record.")]
Until = Annotated[str | None, typer.Option(help="RFC 3339 with an offset, or epoch milliseconds.")]
For = Annotated[str | None, typer.Option("--for", help="How long instead of --until: 90s, 30m, 4h, 2d.")]
Id = Annotated[str | None, typer.Option("--id", help="The command's own id, new for each; its repeat changes nothing.")]
Ticket = Annotated[
    str | None, typer.Option(help="The ticket's id, where DEDUP_KEY is too long to have it in it and ends in a digest.")
]
Service = Annotated[str, typer.Option(help="The service.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for each in (ack, unack, silence, unsilence, reply, approve, reject, route):
        app.command()(each)


def ack(
    dedup_key: Key, *, reason: Reason = None, until: Until = None, for_: For = None, ticket: Ticket = None,
    by: By = None, command_id: Id = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Take a trouble on: it is not repeated until then, or until it ends."""
    about = {"dedup_key": dedup_key, "ticket": ticket}
    _give("ack", by, command_id, as_json, **about, reason=reason, until=_until(until, for_))


def unack(
    dedup_key: Key, *, ticket: Ticket = None, by: By = None, command_id: Id = None, as_json: AsJson = False
) -> None:
    """Let go of a trouble again."""
    _give("unack", by, command_id, as_json, dedup_key=dedup_key, ticket=ticket)


def silence(
    matchers: Annotated[list[str], typer.Argument(metavar="FIELD=VALUE…", help=f"Fields: {', '.join(FIELDS)}.")],
    *, reason: Reason = None, until: Until = None, for_: For = None, by: By = None,
    command_id: Id = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Tell nobody of what matches, for a while; several values of a field: FIELD=a FIELD=b."""
    found: dict[str, list[str]] = {}
    for matcher in matchers:
        name, equals, value = matcher.partition("=")
        if not equals:
            raise UserError(f"{matcher!r} is no matcher", "write FIELD=VALUE, such as service=payments")
        found.setdefault(name, []).append(value)
    end = _until(until, for_)
    if end is None:
        raise UserError("a silence needs an end", "add --for 2h or --until 2026-11-23T12:00:00Z")
    _give("silence", by, command_id, as_json, matchers=found, until=end, reason=reason)


def unsilence(
    silence_id: Annotated[str, typer.Argument(metavar="ID", help="The silence's id, as `silence` printed it.")],
    *, by: By = None, command_id: Id = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """End a silence before its time."""
    _give("unsilence", by, command_id, as_json, silence=silence_id)


def reply(
    stakeholder: Annotated[str, typer.Argument(help="Who was asked.")],
    dedup_key: Key,
    answer: Annotated[str, typer.Argument(help=f"One of {', '.join(ANSWERS)}.")],
    *,
    text: Annotated[str | None, typer.Option(help="What you will do, for the record.")] = None,
    until: Until = None, for_: For = None, by: By = None, command_id: Id = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Answer a planning question."""
    about = {"stakeholder": stakeholder, "dedup_key": dedup_key, "answer": answer.replace("-", "_")}
    _give("reply", by, command_id, as_json, **about, text=text, until=_until(until, for_))


def approve(
    exclusion: Annotated[str, typer.Argument(help="The exclusion that was asked for.")],
    *, service: Service, reason: Reason = None, by: By = None, command_id: Id = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Approve an exclusion that was asked for: its time does not count."""
    _give("approve", by, command_id, as_json, service=service, exclusion=exclusion, reason=reason)


def reject(
    exclusion: Annotated[str, typer.Argument(help="The exclusion that was asked for.")],
    *, service: Service, reason: Reason = None, by: By = None, command_id: Id = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Reject an exclusion that was asked for: its time counts."""
    _give("reject", by, command_id, as_json, service=service, exclusion=exclusion, reason=reason)


def route(
    event_file: Annotated[str, typer.Argument(metavar="EVENT_FILE", help="One event as JSON; - reads it from stdin.")],
    *,
    definitions: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="Files instead of the catalogue on the broker.")
    ] = None,
    at: Annotated[str | None, typer.Option(help="As if it happened then; its own time if not given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say who would be told of an event, when, by what, and why the others would not; exit 1 if nobody would."""
    from forewarn.hearing import route as explain

    raise typer.Exit(explain(event_file, definitions or [], at, Console(as_json=as_json)))


def _until(until: str | None, lasting: str | None) -> str | int | None:
    from schemas.definitions.values import MalformedError, parse_duration
    from sla.units import rfc3339

    if lasting is None:
        return int(until) if until is not None and until.isascii() and until.isdigit() else until
    if until is not None:
        raise UserError("--until and --for both say when it ends", "give one of them")
    try:
        return rfc3339(_now_ms() + parse_duration(lasting))
    except MalformedError as error:
        raise UserError(f"--for: {error}") from None


def _give(kind: str, by: str | None, command_id: str | None, as_json: bool, **fields: Any) -> None:
    from forewarn.send import command_of, send
    from schemas.commands import command

    now = _now_ms()
    told = command(kind, command_id or uuid.uuid4().hex, by or _who(), now, **fields)
    topic, partition, offset = send(kafka_config(), command_of(told, now))
    where = {"topic": topic, "partition": partition, "offset": offset, "id": told["id"]}
    outcome = "its outcome will be on sla.records.v1: forewarn tail --topic records"
    Console(as_json=as_json).record(where, f"{kind} {told['id']} by {told['by']} is on {topic}; {outcome}")


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's number without a name
        raise UserError("nobody is logged in by a name", "name yourself with --by") from None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
