"""Templates: in whose words, what outsiders never read, and what a template that misbehaves costs: nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jinja2 import DictLoader

from forewarn.preview.command import AUDIENCES
from forewarn.preview.message import message_of
from forewarn.preview.samples import KINDS, NAMES, SAMPLES
from notifiers.rendering import Renderer, names_of
from notifiers.sandbox import SOURCE_MAX, STEPS_MAX, TEXT_MAX, Sandbox, TooMuch
from notifiers.view import NAMES as KNOWN
from notifiers.view import view_of
from sla.dispatch import Send
from sla.fold import Json
from sla.wording import OUTSIDERS

INSIDE = (
    "globex",
    "payments-team",
    "deploy-8812",
    "runbook",
    "page_fast",
    "22.08",
    "ann has",
    "by ann",
    "9600",
    "batch clients",
)


def sample(name: str, audience: str) -> Send:
    if name in KINDS:
        return message_of(name, [SAMPLES["early_warning"], SAMPLES["breach"]], audience, "mail")
    return message_of("notice", [SAMPLES[name]], audience, "mail")


# -- words


@pytest.mark.parametrize("audience", AUDIENCES)
@pytest.mark.parametrize("name", NAMES)
def test_every_audience_is_told_of_everything_in_text_and_html(name: str, audience: str) -> None:
    words, mistake = Renderer().words(sample(name, audience))
    assert mistake is None
    assert "payments-availability" in words.subject + words.text
    assert "{" not in words.subject + words.text
    assert words.html is not None
    assert "<h1" in words.html
    assert "\n\n\n" not in words.text


@pytest.mark.parametrize("audience", sorted(OUTSIDERS))
@pytest.mark.parametrize("name", NAMES)
def test_people_outside_of_the_house_read_nothing_of_the_inside(name: str, audience: str) -> None:
    send = sample(name, audience)
    words = Renderer().words(send).words
    said = "\n".join([send.subject, send.text, *words[:2], words.html or "", str(view_of(send))])
    assert [each for each in INSIDE if each in said] == []


def test_a_customer_hears_of_their_own_agreement_and_the_house_of_all() -> None:
    assert "acme-gold" in Renderer().words(sample("early_warning", "customer")).words.text
    assert "globex-silver" in Renderer().words(sample("early_warning", "owner")).words.text


class _Links:
    def answers(self, send: Send, question: Json) -> list[tuple[str, str]]:
        return [("Accept", f"https://x/{send.stakeholder}?a=1&b={question['event_id']}")]

    def acks(self, send: Send) -> list[tuple[str, str]]:
        del send
        return []


def test_a_planning_message_carries_its_links_in_text_and_html() -> None:
    renderer = Renderer(links=_Links())
    for audience in AUDIENCES:
        words = renderer.words(sample("planning", audience)).words
        assert f"Accept: https://x/some-{audience}?a=1&b=" in words.text
        assert f'href="https://x/some-{audience}?a=1&amp;b=' in (words.html or "")


def test_html_escapes_what_came_in_with_an_event() -> None:
    send = sample("breach", "oncall")
    evil = send._replace(subject="<script>", text="a & b\n- <i>")
    html = Renderer().words(evil).words.html or ""
    assert "<script>" not in html
    assert "a &amp; b" in html


@pytest.mark.parametrize(
    "event", [None, {}, {"data": 7}, {"data": {"objective": [], "forecast": "x", "agreements": 3}}]
)
@pytest.mark.parametrize("audience", AUDIENCES)
def test_an_event_without_its_fields_is_worded_all_the_same(event: Any, audience: str) -> None:
    words, mistake = Renderer().words(sample("breach", audience)._replace(event=event))
    assert mistake is None
    assert words.text


# -- templates of one's own


def test_a_template_of_ones_own_comes_before_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "customer").mkdir()
    (tmp_path / "customer" / "breach.txt").write_text("Subject: Dear {{ stakeholder }}\n\nSorry.\n")
    renderer = Renderer(tmp_path)
    words = renderer.words(sample("breach", "customer")).words
    assert words[:2] == ("Dear some-customer", "Sorry.")
    assert "Sorry." in (words.html or "")
    assert renderer.words(sample("breach", "owner")).words.subject.startswith("[critical] Breach")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{% for %}", "default.txt:1: "),
        ("{{ 1 / 0 }}", "division by zero"),
        (
            "{% for i in range(1000) %}{% for j in range(1000) %}{% endfor %}{% endfor %}",
            f"more than {STEPS_MAX} steps",
        ),
        ("{% include 'default.txt' %}", "recursion"),
        ("{% set n = namespace(x='aa') %}{% for i in range(40) %}{% set n.x = n.x ~ n.x %}{% endfor %}", f"{TEXT_MAX}"),
        ("{{ 'a' * 1000000 }}", "is not for str"),
        ("{{ text.ljust(10000000) }}", "unsafe"),
        ("{{ text|center(10000000) }}", "center"),
        ("{{ ''.__class__.__mro__[1].__subclasses__()[0] }}", "unsafe"),
        ("{% for i in range(1000000000) %}{% endfor %}", "range()"),
        (f"{'x' * (SOURCE_MAX + 1)}", "longer than"),
        ("{% include 'nowhere.txt' %}", "nowhere.txt"),
    ],
)
def test_a_template_that_misbehaves_costs_no_message_and_is_on_record(tmp_path: Path, source: str, why: str) -> None:
    (tmp_path / "default.txt").write_text(source)
    send = sample("early_warning", "oncall")
    words, mistake = Renderer(tmp_path).words(send)
    assert words[:2] == (send.subject, send.text)
    assert mistake is not None
    assert why in mistake


def test_a_step_cannot_be_named_by_a_template_to_get_around_it() -> None:
    sandbox = Sandbox(DictLoader({"t.txt": "{% set environment = 1 %}{% for i in range(3) %}{{ i }}{% endfor %}"}))
    assert sandbox.bounded(sandbox.get_template("t.txt"), {}) == "012"


# -- lint


def test_the_shipped_templates_are_clean() -> None:
    assert list(Renderer().findings()) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("{{ subject }}", []),
        ("{{ sbject }}", ["'sbject' is nothing"]),
        ("{% if %}", ["t.txt:1: "]),
        ("{{ a|nope }}", ["t.txt:1: "]),
    ],
)
def test_a_mistake_is_found_before_the_template_is_used(source: str, found: list[str]) -> None:
    told = Renderer().lint("t.txt", source)
    assert len(told) == len(found)
    assert all(part in line for part, line in zip(found, told, strict=True))


def test_a_template_is_given_every_name_that_lint_knows() -> None:
    assert view_of(sample("planning", "owner")).keys() == KNOWN


def test_the_most_particular_template_comes_first() -> None:
    assert names_of("owner", "breach", "txt") == ["owner/breach.txt", "owner/default.txt", "default.txt"]


@pytest.mark.parametrize(
    "source",
    [
        "{% set q %}{% for i in range(900) %}" + "x" * 2000 + "{% endfor %}{% endset %}ok",
        "{% macro m() %}{% for i in range(900) %}" + "x" * 2000 + "{% endfor %}{% endmacro %}{% set q = m() %}ok",
    ],
)
def test_text_that_is_collected_and_not_shown_is_bounded_too(source: str) -> None:
    sandbox = Sandbox(DictLoader({"t": source}))
    with pytest.raises(TooMuch):
        sandbox.bounded(sandbox.get_template("t"), {})


def test_a_block_may_have_several_filters() -> None:
    sandbox = Sandbox(
        DictLoader({"t": "{% filter trim|upper %} a {% endfilter %}{% set q|trim|upper %} b {% endset %}{{ q }}"})
    )
    assert sandbox.bounded(sandbox.get_template("t"), {}) == "AB"
