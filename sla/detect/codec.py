"""A stream's table entry: everything a restart needs, as JSON, with the version of its shape.

Counts of the past are in segments (docs/decisions/0018). What is as it is at first is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sla.archive import MissingSegment
from sla.catalogue import Catalogue, Objective, Severity
from sla.dedup import objective_key
from sla.detect.account import Seen
from sla.detect.stream import Stream
from sla.detect.track import Closed, Track
from sla.flags import EpisodeFlags, flags_of
from sla.fold import AtomState
from sla.forecast import Outlook
from sla.records import Exclusion
from sla.sealed import UnknownShape
from sla.standing import Standing

SHAPE: Final = 6

_STREAM: Final[Mapping[str, Any]] = {
    "is_touched": False,
    "is_restless": False,
    "corrected_at": 0,
    "newest_at": None,
    "begun_offset": -1,
}
_TRACK: Final[Mapping[str, Any]] = {
    "episode": 0,
    "is_open": False,
    "opened_at": None,
    "forecast_fires": False,
    "told_p50_at": None,
    "told_move_at": 0,
    "silent_since": None,
    "told_silent": False,
    "quiet_until": 0,
    "is_final": True,
    "last_alert_id": None,
    "last_breach_id": None,
    "breach_at": None,
    "status_print": "",
    "period_start": None,
    "published_from": 0,
}
"""What is written as it is, and only where it differs from this."""


def stream_state(stream: Stream, offset: int, now: int) -> AtomState:
    """The head of a stream as it stands at `offset` and `now`, and what has become of its segments."""
    turnover = stream.archive.turn_over(stream.labelled(), offset)
    head = {
        "shape": SHAPE,
        "now": now,
        "revision": stream.catalogue.revision,
        "sha256": stream.catalogue.sha256,
        "service": stream.service,
        "signal": stream.signal,
        "seen": list(stream.seen),
        **_given(stream, _STREAM),
        **_filled(
            {
                "gaps": list(stream.gaps),
                "late": stream.late,
                "stretches": stream.silence.stretches,
                "sequences": stream.sequences,
                "closes": stream.closes,
            }
        ),
        "measures": {key: measure.to_json() for key, measure in stream.measures.items()},
        "tracks": {name: _track_to_json(track, stream.service, name) for name, track in stream.tracks.items()},
    }
    return AtomState(stream.atom_key, offset, head, turnover.written, turnover.expired)


def _given(holder: object, defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, default in defaults.items() if (value := getattr(holder, name)) != default}


def _filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _track_to_json(track: Track, service: str, name: str) -> dict[str, Any]:
    is_renamed = track.key != objective_key(service, name)
    return {
        **({"key": track.key} if is_renamed else {}),
        "standing": track.standing,
        **({"highest": track.highest} if track.highest is not Severity.INFO else {}),
        **_given(track, _TRACK),
        **_filled(
            {
                "sequences": track.sequences,
                "burning": sorted(track.burning),
                "outlook": list(track.outlook) if track.outlook else None,
                "flags": track.flags.to_json() if track.flags != EpisodeFlags() else None,
                "marks_told": sorted(track.marks_told),
                "closed": {key: list(closed) for key, closed in track.closed.items()},
            }
        ),
    }


def check_shape(atom: AtomState) -> None:
    """Raises `UnknownShape` for a head that this version does not read."""
    if atom.body.get("shape") != SHAPE:
        raise UnknownShape(f"{atom.key} has shape {atom.body.get('shape')}, this version reads {SHAPE}")


def stream_of(atom: AtomState, catalogue: Catalogue, exclusions: list[Exclusion]) -> Stream:
    """The stream as it stood at the atom's offset, under the catalogue that was in force.

    Raises `UnknownShape` when the head or a segment was written in a shape that this version does not read,
    `MissingSegment`, which names the atom, for one that the changelog has lost.
    """
    body = atom.body
    check_shape(atom)
    stream = Stream(body["service"], body["signal"])
    stream.offset = atom.offset
    stream.seen = Seen(*body["seen"])
    for name, default in _STREAM.items():
        setattr(stream, name, body.get(name, default))
    stream.silence.stretches = [(a, b) for a, b in body.get("stretches", ())]
    stream.sequences = dict(body.get("sequences", ()))
    stream.closes = dict(body.get("closes", ()))
    stream.exclusions = exclusions
    stream.gaps = [(a, b) for a, b in body.get("gaps", ())]
    late = body.get("late", {})
    stream.late = {name: [(at, total, bad) for at, total, bad in found] for name, found in late.items()}
    for objective in catalogue.evaluated_of(stream.service, stream.signal):
        if objective.name in body["tracks"]:
            stream.tracks[objective.name] = _track_of(body["tracks"][objective.name], objective, stream.service)
    try:
        stream.restore(catalogue, body["measures"], atom.segments, body["now"])
    except MissingSegment as finding:
        raise MissingSegment(f"{atom.key}: {finding}") from None
    return stream


def _track_of(entry: Mapping[str, Any], objective: Objective, service: str) -> Track:
    track = Track(entry.get("key") or objective_key(service, objective.name), objective)
    for name, default in _TRACK.items():
        setattr(track, name, entry.get(name, default))
    track.standing = Standing(entry["standing"])
    track.highest = Severity(entry.get("highest", Severity.INFO))
    track.sequences = dict(entry.get("sequences", ()))
    track.flags = flags_of(entry)
    track.burning = tuple(entry.get("burning", ()))
    track.marks_told = tuple(entry.get("marks_told", ()))
    if "outlook" in entry:
        ats, count = entry["outlook"]
        track.outlook = Outlook(tuple(ats), count)
    track.closed = {key: Closed(*closed) for key, closed in entry.get("closed", {}).items()}
    return track
