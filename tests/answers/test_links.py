"""Signed links: what was signed comes back, and nothing else is ever taken for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifiers.links import Invalid, Link, May, Opened, sign, url_of, verify

SECRET = "s" * 32
T = 1_795_428_000_000
LINK = Link(May.REPLY, "ann", "pay/paid", "e" * 32, T)
NAMES = st.text(max_size=20)


@given(st.sampled_from(May), NAMES, NAMES, NAMES, st.integers(0, 2**53))
def test_what_was_signed_comes_back_until_it_expires(may: May, who: str, key: str, event: str, at: int) -> None:
    link = Link(may, who, key, event, at)
    token = sign(SECRET, link)
    opened = verify(SECRET, token, at - 1)
    assert isinstance(opened, Opened)
    assert opened.link == link
    assert verify(SECRET, token, at) is Invalid.EXPIRED


def test_the_same_link_has_the_same_id_and_another_has_another() -> None:
    def name(link: Link) -> str:
        opened = verify(SECRET, sign(SECRET, link), 0)
        assert isinstance(opened, Opened)
        return opened.id

    assert name(LINK) == name(LINK)
    assert name(LINK) != name(LINK._replace(may=May.ACK))


@given(st.integers(0, 500), st.characters(codec="ascii"))
def test_a_link_that_was_changed_anywhere_is_forged(place: int, character: str) -> None:
    token = sign(SECRET, LINK)
    place %= len(token)
    changed = token[:place] + character + token[place + 1 :]
    opened = verify(SECRET, changed, 0)
    # The last characters of base64 may hold bits that mean nothing.
    assert opened is Invalid.FORGED or (isinstance(opened, Opened) and opened.link == LINK)


@given(st.text(max_size=200))
def test_no_text_is_a_link(text: str) -> None:
    assert verify(SECRET, text, 0) is Invalid.FORGED


def test_another_secret_opens_nothing_and_a_short_one_signs_nothing() -> None:
    assert verify("t" * 32, sign(SECRET, LINK), 0) is Invalid.FORGED
    with pytest.raises(ValueError, match="32 characters"):
        sign("short", LINK)


def test_a_link_leads_to_the_page() -> None:
    assert url_of("https://answers.example/f/", SECRET, LINK).startswith("https://answers.example/f/answer?token=")
