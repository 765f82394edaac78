"""`route`: a command in, what it becomes in the inputs of the folds concerned out (wire.md 3). Keeps no state.

What the partition alone can know, such as whether an episode is still open or a command came before, is decided and
recorded there. What is wrong with a command by itself is refused here.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from sla.dedup import ends_in_digest
from sla.events import NOTICES, TELEMETRY, TICKETS
from sla.fold import Emission, Json
from sla.orders import Ack, Given, Reply, Ruling, Silence, Statement, Unack, Unsilence, refused
from sla.records import Exclusion

Order = Ack | Unack | Silence | Unsilence | Reply | Ruling | Statement | Exclusion

OF_A_TICKET: Final = "ticket:"
_KEYS: Final = frozenset({"service", "stakeholder", "ticket"})


def route(order: Order, document: Json, given: Given, at: int) -> list[Emission]:
    """What a command becomes; `document` is its object, `at` its log time. Feeds are numbered by the caller."""
    match order:
        case Ack() | Unack():
            return _to_episode(order, document, given, at)
        case Silence():
            return _silence(order, document, given, at)
        case Unsilence():
            return _everywhere(document)
        case Reply():
            return [Emission(NOTICES, order.stakeholder, document)]
        case Ruling() | Statement() | Exclusion():
            return [_to_service(order.service, document)]


def _to_episode(order: Ack | Unack, document: Json, given: Given, at: int) -> list[Emission]:
    service, _, rest = order.dedup_key.partition("/")
    if not service or not rest:
        why = "a dedup key has the form <service>/<objective>"
        return [refused(given._replace(about=order.dedup_key or given.about), at, why)]
    last = rest.rpartition("/")[2]
    ticket = unquote(last.removeprefix(OF_A_TICKET)) if last.startswith(OF_A_TICKET) else None
    if ticket is None and ends_in_digest(order.dedup_key):
        ticket = order.ticket or None  # else it may be an instance's: if it is not, `detect` says what is missing
    if ticket is None:
        return [_to_service(unquote(service), document)]
    if not ticket:
        return [refused(given._replace(about=order.dedup_key), at, "no ticket is named after `ticket:`")]
    return [Emission(TICKETS, ticket, {**document, "ticket": ticket})]


def _silence(order: Silence, document: Json, given: Given, at: int) -> list[Emission]:
    if order.until_at <= at:
        return [refused(given._replace(about=order.id), at, "it expired before it was heard")]
    return _everywhere(document)


def _to_service(service: str, document: Json) -> Emission:
    return Emission(TELEMETRY, service, {**document, "service": service})


def _everywhere(document: Json) -> list[Emission]:
    """To every fold that tells anybody, or bears flags."""
    # A record without a key is taken to where the fields that are keys elsewhere say.
    told = {name: said for name, said in document.items() if name not in _KEYS}
    return [Emission(topic, None, told, everywhere=True) for topic in (NOTICES, TELEMETRY, TICKETS)]
