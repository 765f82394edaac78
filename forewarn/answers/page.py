"""What the page shows. It is plain HTML without scripts: what is asked, what may be said, one button."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Final

from jinja2 import Environment

from notifiers.links import Link, May
from sla.orders import ANSWERS
from sla.units import rfc3339

STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 36rem; margin: 3rem auto; padding: 0 1rem; color: #1c1c1c }
h1 { font-size: 1.4rem } label { display: block; margin: .4rem 0 } textarea { width: 100%; height: 5rem }
button { font: inherit; padding: .5rem 1.5rem; margin-top: 1rem } .fine { color: #555; font-size: .9rem }
"""
SECURITY: Final = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # the token is in the address
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""No script, no foreign content, no frame around it, nothing kept."""

_SAYS: Final = {
    "accept": "Accept it: we live with the breach",
    "mitigate": "Mitigate it: we act against it",
    "renegotiate": "Renegotiate the promise",
    "more_time": "We need more time to decide",
}
_PAGE: Final = Environment(autoescape=True).from_string(
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{ title }}</title><style>{{ style }}</style></head><body>
<h1>{{ title }}</h1>
{% for line in lines %}<p>{{ line }}</p>
{% endfor %}{% if link %}<form method="post" action="answer">
<input type="hidden" name="token" value="{{ token }}">
{% for answer, says in answers %}<label>
<input type="radio" name="answer" value="{{ answer }}" required> {{ says }}</label>
{% endfor %}<label>What you want on record <textarea name="text" maxlength="2000"></textarea></label>
<button type="submit">Confirm</button></form>
<p class="fine">Nothing happens before you confirm. This link is for {{ link.stakeholder }}, until {{ until }}.</p>
{% endif %}</body></html>
"""
)


def question(link: Link, token: str) -> str:
    """What may be answered."""
    is_reply = link.may is May.REPLY
    title = "What will you do?" if is_reply else "Take it on?"
    about = f"A breach of {link.dedup_key} is expected." if is_reply else f"{link.dedup_key} needs somebody."
    answers = [(answer, _SAYS[answer]) for answer in ANSWERS] if is_reply else []
    return _PAGE.render(
        title=title, lines=[about], style=STYLE, link=link, token=token, answers=answers, until=rfc3339(link.expires_at)
    )


def note(title: str, *lines: str) -> str:
    """A page without a question."""
    return _PAGE.render(title=title, lines=lines, style=STYLE, link=None)
