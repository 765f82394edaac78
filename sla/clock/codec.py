"""A ticket's table entry: everything a restart needs, as JSON. What is true is told anew from the events."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Final

from sla.catalogue import Severity
from sla.clock.base import base_to_json
from sla.clock.history import Pool
from sla.clock.ticket import TicketAtom
from sla.clock.track import Told, Track, Warned
from sla.flags import EpisodeFlags, flags_of
from sla.standing import Standing

SHAPE: Final = 6
SHAPES_READ: Final = (5, SHAPE)

_SEVERITIES: Final = {each.value: each for each in Severity}
_STANDINGS: Final = {each.value: each for each in Standing}
_COUNTERS: Final = ("alerts", "clocks", "status", "episode", "is_open", "opened_at", "due_at", "fed_deadline")
_TOLD: Final = ("breach_at", "breach_sequence", "breached_sequence", "stage", "is_good_fed", "is_bad_fed")
_NO_FLAGS: Final = EpisodeFlags()
_counters: Final = attrgetter(*_COUNTERS)
_told: Final = attrgetter(*_TOLD)


def ticket_to_json(ticket: TicketAtom) -> dict[str, Any]:
    """The head of a ticket."""
    body: dict[str, Any] = {
        "ticket": ticket.id,
        "events": [
            [at, offset, event, by, service, dict(fields), is_import]
            for at, offset, (event, by, service, fields, is_import, _) in ticket.history.rows()
        ],
        "tracks": [_track_to_json(track) for track in ticket.tracks],
        "read_at": ticket.read_at,
        "due_at": ticket.due_at,
    }
    base = ticket.stored_base if ticket.base is None else base_to_json(ticket.base)
    if base is not None:
        body["base"] = base
    if ticket.sequences:
        body["sequences"] = ticket.sequences
    if ticket.heard:
        body["heard"] = ticket.heard
    if ticket.is_importing:
        body["is_importing"] = True
    return body


def _track_to_json(track: Track) -> dict[str, Any]:
    body: dict[str, Any] = {
        "service": track.service,
        "name": track.name,
        "counters": [*_counters(track)],
        "highest": track.highest,
        "standing": track.standing,
        "told": [[*_told(told), told.raw(), [list(each) for each in told.warnings]] for told in track.told],
    }
    if track.flags != _NO_FLAGS:
        body["flags"] = track.flags.to_json()
    return body


def ticket_from_json(body: Mapping[str, Any], offset: int, pool: Pool) -> TicketAtom:
    """The ticket as it stood at `offset`."""
    ticket = TicketAtom(body["ticket"])
    ticket.offset = offset
    events = body["events"]
    places = array("q", [instant for event in events for instant in event[:2]])
    ticket.history.load(places, [pool.read(*event[2:]) for event in events])
    ticket.tracks = [_track_from_json(entry) for entry in body["tracks"]]
    ticket.read_at, ticket.due_at = body["read_at"], body["due_at"]
    ticket.sequences = dict(body["sequences"]) if "sequences" in body else None
    ticket.heard = dict(body.get("heard", {}))
    ticket.is_importing = body.get("is_importing", False)
    ticket.stored_base = body.get("base")
    return ticket


def _track_from_json(entry: Mapping[str, Any]) -> Track:
    track = Track(entry["service"], entry["name"])
    (
        track.alerts, track.clocks, track.status, track.episode, track.is_open, track.opened_at, track.due_at,
        track.fed_deadline,
    ) = entry["counters"]  # fmt: skip
    track.highest = _SEVERITIES[entry["highest"]]
    track.standing = _STANDINGS[entry["standing"]]
    if "flags" in entry:
        track.flags = flags_of(entry)
    for *values, raw, warnings in entry["told"]:
        told = Told()
        for name, value in zip(_TOLD, values, strict=True):
            setattr(told, name, value)
        told.load(raw)
        told.warnings = tuple(Warned(*each) for each in warnings)
        track.told.append(told)
    return track
