"""A message in the words of its audience: by templates, and by the plain words of dispatch where those fail.

A template is chosen by audience and topic: `customer/breach.txt`, else `customer/default.txt`, else `default.txt`; the
same with `.html`. A folder of one's own comes before the templates that are shipped. See docs/templates.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from jinja2 import ChoiceLoader, FileSystemLoader, Template, TemplateSyntaxError, meta

from notifiers.protocol import Words
from notifiers.sandbox import Sandbox
from notifiers.view import NAMES, NO_LINKS, Links, topic_of, view_of
from sla.dispatch import Send
from sla.wording import SUBJECT_LONGEST

SHIPPED: Final = Path(__file__).parent / "templates"
SUFFIXES: Final = (".txt", ".html")
TEMPLATES_KEPT: Final = 1_000
SUBJECT: Final = "Subject:"  # what the first line of a .txt begins with
_MISTAKE_LONGEST: Final = 200


class Rendered(NamedTuple):
    """Words, and what is to be put on record where no template gave them."""

    words: Words
    mistake: str | None = None


class Renderer:
    """Renders; never raises for what a template does."""

    def __init__(self, folder: Path | None = None, links: Links = NO_LINKS) -> None:
        """`folder` holds templates that come before those of the same name that are shipped."""
        self._folder = folder or SHIPPED
        self._sandbox = Sandbox(ChoiceLoader([FileSystemLoader(each) for each in (self._folder, SHIPPED)]))
        self._links = links
        self._found: dict[tuple[str, str, str], Template] = {}

    def words(self, send: Send) -> Rendered:
        """What the message says."""
        plain = Words(send.subject, send.text)
        try:
            context = view_of(send, self._links)
            subject, text = _parted(self._rendered(send, "txt", context), send.subject)
            html = self._rendered(send, "html", {**context, "subject": subject, "text": text})
        except Exception as error:  # noqa: BLE001 - whatever a template does, the notice must still go out
            return Rendered(plain, f"plain words instead of a template's: {mistake_of(error)}")
        return Rendered(Words(subject, text, html))

    def _rendered(self, send: Send, suffix: str, context: dict[str, Any]) -> str:
        wanted = (send.audience, topic_of(send), suffix)
        template = self._found.get(wanted)
        if template is None:
            template = self._sandbox.select_template(names_of(*wanted))
            if len(self._found) < TEMPLATES_KEPT:
                self._found[wanted] = template  # looking for those that are not there costs more than rendering
        return self._sandbox.bounded(template, context)

    def findings(self) -> Iterator[str]:
        """What is wrong with the templates of one's own, or else with the shipped ones, before they are used."""
        for path in sorted(self._folder.rglob("*")):
            if path.suffix in SUFFIXES and path.is_file():
                name = path.relative_to(self._folder).as_posix()
                try:
                    source = path.read_text(encoding="utf-8")
                except (OSError, ValueError):
                    yield f"{name}: cannot be read as UTF-8"
                else:
                    yield from self.lint(name, source)

    def lint(self, name: str, source: str) -> list[str]:
        """What is wrong with one template: its syntax, and names that nothing gives."""
        try:
            parsed = self._sandbox.parse(source, name)
            self._sandbox.compile(source, name)
        except TemplateSyntaxError as error:
            return [mistake_of(error)]
        unknown = sorted(meta.find_undeclared_variables(parsed) - NAMES - self._sandbox.globals.keys())
        return [f"{name}: {each!r} is nothing that a template knows: {', '.join(sorted(NAMES))}" for each in unknown]


def names_of(audience: str, topic: str, suffix: str) -> list[str]:
    """The templates to look for, the most particular first."""
    return [f"{audience}/{topic}.{suffix}", f"{audience}/default.{suffix}", f"default.{suffix}"]


def mistake_of(error: Exception) -> str:
    """An error of a template in one line, with its place where it is known."""
    place = f"{error.name}:{error.lineno}: " if isinstance(error, TemplateSyntaxError) else ""
    said = str(error.message if isinstance(error, TemplateSyntaxError) else error) or type(error).__name__
    return f"{place}{said.splitlines()[0]}"[:_MISTAKE_LONGEST]


def _parted(rendered: str, subject: str) -> tuple[str, str]:
    """Subject and text: the first line may name the subject, blank lines beyond one are left out."""
    lines = [line.rstrip() for line in rendered.strip().split("\n")]
    if lines[0].startswith(SUBJECT):
        subject, lines = lines[0].removeprefix(SUBJECT).strip() or subject, lines[1:]
    kept = [line for place, line in enumerate(lines) if line or (place and lines[place - 1])]
    return subject[:SUBJECT_LONGEST], "\n".join(kept).strip() or subject
