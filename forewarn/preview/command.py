"""What `forewarn preview` does: shows messages as their readers will see them, and checks a folder of templates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, get_args

import orjson

from forewarn.console import Console, ExitCode, UserError, print_line, printable
from forewarn.preview.message import message_of
from forewarn.preview.samples import AT, KINDS, NAMES, SAMPLES
from notifiers.alertmanager import alert_of
from notifiers.pagerduty import event_of
from notifiers.protocol import Message
from notifiers.rendering import Renderer
from notifiers.secrets import HIDDEN
from notifiers.webhook import body_of
from schemas.definitions.channels import KINDS as CHANNELS
from schemas.definitions.stakeholder import StakeholderSpec
from sla.dispatch import Send
from sla.fold import Json

AUDIENCES: Final[tuple[str, ...]] = get_args(StakeholderSpec.model_fields["audience"].annotation)
HINT: Final = "give one event, as forewarn tail --json prints it"


def preview(
    event_file: Path | None,
    *,
    sample: str,
    audiences: Sequence[str],
    channels: Sequence[str],
    folder: Path | None,
    console: Console,
) -> ExitCode:
    """Show one message for each audience and channel; exit 1 where a template failed."""
    renderer = Renderer(folder)
    mistakes = 0
    for audience in _known("audience", audiences, AUDIENCES):
        for channel in _known("channel", channels, CHANNELS):
            read = _sampled(sample, audience, channel) if event_file is None else _read(event_file, audience, channel)
            words, mistake = renderer.words(read)
            mistakes += mistake is not None
            _show(console, Message(read, words), mistake)
    return ExitCode.FINDING if mistakes else ExitCode.FINE


def check(folder: Path | None, console: Console) -> ExitCode:
    """Every template by itself, then every sample for every audience; exit 1 if something is wrong."""
    renderer = Renderer(folder)
    found = [*renderer.findings(), *_tried(renderer)]
    for finding in dict.fromkeys(found):
        console.record({"level": "error", "message": finding}, finding)
    if not found:
        console.say("all templates can be used")
    return ExitCode.FINDING if found else ExitCode.FINE


def _tried(renderer: Renderer) -> Iterator[str]:
    for audience in AUDIENCES:
        for sample in NAMES:
            mistake = renderer.words(_sampled(sample, audience, "mail")).mistake
            if mistake is not None:
                yield f"{audience}, {sample}: {mistake}"


def _known(what: str, asked: Sequence[str], known: Sequence[str]) -> Sequence[str]:
    for each in asked:
        if each not in known:
            raise UserError(f"there is no {what} {each!r}", f"choose from {', '.join(known)}")
    return asked or known


def _sampled(sample: str, audience: str, channel: str) -> Send:
    if sample in SAMPLES:
        return message_of("notice", [SAMPLES[sample]], audience, channel)
    if sample in KINDS:
        return message_of(sample, [SAMPLES["early_warning"], SAMPLES["breach"], SAMPLES["recovery"]], audience, channel)
    raise UserError(f"there is no sample {sample!r}", f"choose from {', '.join(NAMES)}")


def _read(path: Path, audience: str, channel: str) -> Send:
    try:
        event: Any = orjson.loads(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise UserError(f"{path} is no JSON: {error}", HINT) from None
    data = event.get("data") if isinstance(event, dict) else None
    named = (event.get("id"), data.get("dedup_key")) if isinstance(data, dict) else ()
    if not named or not all(isinstance(each, str) for each in named):
        raise UserError(f"{path} holds no event with an id and data.dedup_key", HINT)
    return message_of("notice", [event], audience, channel)


def _show(console: Console, message: Message, mistake: str | None) -> None:
    send, words = message
    body = _body(message)
    if console.as_json:
        told = {"audience": send.audience, "channel": send.channel.kind, **words._asdict()}
        console.record({**told, "body": body, "mistake": mistake}, "")
        return
    lines = [f"== {send.audience}, {send.channel.kind}", *([f"!! {mistake}"] if mistake else [])]
    if body is not None:
        lines += orjson.dumps(body, option=orjson.OPT_INDENT_2).decode().split("\n")
    else:
        lines += [f"Subject: {words.subject}", "", *words.text.split("\n")]
        lines += ["", *words.html.split("\n")] if send.channel.kind == "mail" and words.html else []
    for line in [*lines, ""]:
        print_line(printable(line))


def _body(message: Message) -> Json | None:
    """What a program gets; None where people read the words."""
    match message.send.channel.kind:
        case "webhook":
            return body_of(message)
        case "pagerduty":
            return event_of(message, HIDDEN)
        case "alertmanager":
            return alert_of(message, AT)
        case _:
            return None
