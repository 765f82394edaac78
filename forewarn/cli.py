"""`forewarn`: what a person types. Each command gathers its options, calls one module and prints what it says."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from forewarn import cli_people, cli_send, cli_topics
from forewarn.cli_options import AsJson, new_app
from forewarn.connection import kafka_config, redis_url
from forewarn.console import Console, ExitCode, progress, table
from forewarn.replay.command import replay

# Commands import what they need when they run: `forewarn --help` must not wait for Kafka's and Redis's libraries.
# ruff: noqa: PLC0415

app = new_app("Says before a promise breaks that it will.")
app.add_typer(cli_send.app, name="send")
app.add_typer(cli_topics.app, name="topics")

Paths = Annotated[list[Path], typer.Argument(metavar="PATH…", help="YAML files, or folders that hold some.")]


def main() -> None:
    """The entry point of the `forewarn` executable."""
    app()


def _show_version(wanted: bool) -> None:
    if not wanted:
        return
    try:
        number = version("forewarn")
    except PackageNotFoundError:
        number = "from source, not installed"
    Console().say(f"forewarn {number}")
    raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Say before a promise breaks that it will."""


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="End by itself; 1 if what was to be seen was not seen.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring a broker, Redis and sample services, and show warnings before breaches in fast motion."""
    from forewarn.demo.runner import run

    raise typer.Exit(run(Console(as_json=as_json), once=once))


@app.command()
def worker(
    roles: Annotated[str | None, typer.Option(help="Which roles, by comma; all if not given.")] = None,
) -> None:
    """Run the real thing: a process per role."""
    from forewarn.worker import roles_of, run

    chosen = roles_of(roles)
    kafka_config()
    raise typer.Exit(run(chosen))


@app.command()
def lint(
    paths: Paths,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings are errors.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check definitions; all errors at once, with file and line."""
    from forewarn.lint import lint as check

    raise typer.Exit(check(paths, strict=strict, json=as_json))


@app.command()
def apply(
    paths: Paths,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and compare, publish nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Publish definitions as a new revision, after lint."""
    from forewarn import apply as catalogue
    from forewarn.lint import tell
    from schemas.definitions import load

    console = Console(as_json=as_json)
    loaded = load(paths)
    tell(console, loaded.findings)
    if loaded.refused():
        console.say("nothing was published")
        raise typer.Exit(ExitCode.FINDING)
    with progress("publishing"):
        applied = catalogue.apply(kafka_config(), loaded.documents, dry_run=dry_run)
    console.record(applied._asdict(), catalogue.sentence(applied))
    if applied.outcome is catalogue.Outcome.VOID:
        raise typer.Exit(ExitCode.FINDING)


@app.command()
def diff(
    paths: Paths,
    against: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Compare with these definitions; no broker is asked.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say in words what an apply would change, and for whom; exit 1 if anything would change."""
    from forewarn.diff.command import diff as compare

    raise typer.Exit(compare(paths, against, Console(as_json=as_json)))


app.command()(replay)
cli_people.register(app)


@app.command()
def tail(
    topic: Annotated[list[str] | None, typer.Option(help="What to watch; may be repeated.")] = None,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Go on with what comes, or end.")] = True,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="First all that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print events as they come."""
    from forewarn import tail as events
    from forewarn.kafka import follow as read

    console = Console(as_json=as_json)
    watched = [events.feed_of(name).topic for name in topic or ["alerts"]]
    records = read(kafka_config(), watched, from_beginning=from_beginning or not follow, until_end=not follow)
    try:
        for record in records:
            console.record(events.as_json(record), events.line_of(record))
    except KeyboardInterrupt:
        raise typer.Exit(ExitCode.FINE) from None


@app.command()
def status(
    service: Annotated[str | None, typer.Option(help="Only this service's promises.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print how every promise stands now."""
    from forewarn import status as promises

    console = Console(as_json=as_json)
    found = promises.read(redis_url(), service)
    if as_json:
        for each in found:
            console.record(each, "")
        return
    if not found:
        console.say("no promise has a status yet: is a worker running, with the role project?")
        return
    for line in table(promises.HEAD, promises.rows(found)):
        console.say(line)


@app.command()
def preview(
    event_file: Annotated[
        Path | None, typer.Argument(metavar="[EVENT_FILE]", help="An event as `tail --json` prints it.")
    ] = None,
    sample: Annotated[str, typer.Option(help="A built-in event, if no file is given.")] = "early_warning",
    audience: Annotated[list[str] | None, typer.Option(help="For whom; may be repeated; all if not given.")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="By what; may be repeated; else the console.")] = None,
    templates: Annotated[
        Path | None,
        typer.Option(envvar="FOREWARN_TEMPLATES", exists=True, file_okay=False, help="A folder of your own templates."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what is wrong with the templates.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show messages as their readers will see them; exit 1 where a template fails."""
    from forewarn.preview import command

    console = Console(as_json=as_json)
    if check:
        raise typer.Exit(command.check(templates, console))
    shown = command.preview(
        event_file, sample=sample, audiences=audience or [], channels=channel or ["console"], folder=templates,
        console=console,
    )  # fmt: skip
    raise typer.Exit(shown)


@app.command()
def explain(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="An event's id, or a file that holds it; - for stdin.")],
    source: Annotated[
        str | None, typer.Option("--input", metavar="FILE", help="What replay or tail --json printed, for a broker.")
    ] = None,
    definitions: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="Files instead of the catalogue on the broker.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show every input, interval and excluded day behind an event; exit 1 if they do not add up to its number."""
    from forewarn.explain.command import explain as work_out

    raise typer.Exit(work_out(event, source, definitions or [], Console(as_json=as_json)))


@app.command()
def answers(
    listen: Annotated[str, typer.Option(help="Host and port; port 0 takes a free one.")] = "127.0.0.1:8780",
    as_json: AsJson = False,
) -> None:
    """Serve the page behind the links in messages, where people answer and take troubles on."""
    from forewarn.answers.command import run

    run(listen, Console(as_json=as_json))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check broker, clocks, topics, partitioners, Redis, catalogue and versions; exit 1 if something must be done."""
    config = kafka_config()
    from agents.settings import read
    from forewarn.doctor.case import Case
    from forewarn.doctor.doctor import examine, report

    with progress("examining"):
        found = examine(Case(config, read()))
    raise typer.Exit(report(found, Console(as_json=as_json)))
