"""A stream's table entry: everything a restart needs, as JSON, with the version of its shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sla.catalogue import Catalogue, Severity
from sla.detect.account import Seen
from sla.detect.stream import Stream
from sla.detect.track import Closed, Standing, Track
from sla.flags import flags_of
from sla.forecast import Outlook
from sla.records import Exclusion

SHAPE: Final = 2


def stream_to_json(stream: Stream, now: int) -> dict[str, Any]:
    """The head of a stream, as it stands at `now`."""
    return {
        "shape": SHAPE,
        "now": now,
        "revision": stream.catalogue.revision,
        "sha256": stream.catalogue.sha256,
        "gaps": list(stream.gaps),
        "is_touched": stream.is_touched,
        "is_restless": stream.is_restless,
        "corrected_at": stream.corrected_at,
        "late": stream.late,
        "service": stream.service,
        "signal": stream.signal,
        "seen": list(stream.seen),
        "newest_at": stream.newest_at,
        "stretches": stream.silence.stretches,
        "sequences": stream.sequences,
        "closes": stream.closes,
        "measures": {key: measure.to_json() for key, measure in stream.measures.items()},
        "tracks": {name: _track_to_json(track) for name, track in stream.tracks.items()},
    }


def _track_to_json(track: Track) -> dict[str, Any]:
    return {
        "key": track.key,
        "standing": track.standing,
        "episode": track.episode,
        "is_open": track.is_open,
        "opened_at": track.opened_at,
        "highest": track.highest,
        "sequences": track.sequences,
        "burning": sorted(track.burning),
        "outlook": list(track.outlook) if track.outlook else None,
        "forecast_fires": track.forecast_fires,
        "told_p50_at": track.told_p50_at,
        "told_move_at": track.told_move_at,
        "marks_told": sorted(track.marks_told),
        "silent_since": track.silent_since,
        "told_silent": track.told_silent,
        "quiet_until": track.quiet_until,
        "is_final": track.is_final,
        "last_alert_id": track.last_alert_id,
        "last_breach_id": track.last_breach_id,
        "breach_at": track.breach_at,
        "status_print": track.status_print,
        "period_start": track.period_start,
        "flags": track.flags.to_json(),
        "closed": {key: list(closed) for key, closed in track.closed.items()},
    }


def stream_from_json(body: Mapping[str, Any], offset: int, catalogue: Catalogue, exclusions: list[Exclusion]) -> Stream:
    """The stream as it stood at `offset`, under the catalogue that was in force.

    Raises ValueError when the entry was written in a shape that this version does not read.
    """
    if body["shape"] != SHAPE:
        raise ValueError(
            f"stream {body['service']}/{body['signal']}: shape {body['shape']}, this version reads {SHAPE}"
        )
    stream = Stream(body["service"], body["signal"])
    stream.offset = offset
    stream.seen = Seen(*body["seen"])
    stream.newest_at = body["newest_at"]
    stream.silence.stretches = [(a, b) for a, b in body["stretches"]]
    stream.sequences = dict(body["sequences"])
    stream.closes = dict(body["closes"])
    stream.exclusions = exclusions
    stream.gaps = [(a, b) for a, b in body["gaps"]]
    stream.is_touched, stream.is_restless = body["is_touched"], body["is_restless"]
    stream.corrected_at = body["corrected_at"]
    stream.late = {name: [(at, total, bad) for at, total, bad in late] for name, late in body["late"].items()}
    for objective in catalogue.evaluated_of(stream.service, stream.signal):
        if objective.name in body["tracks"]:
            entry = body["tracks"][objective.name]
            stream.tracks[objective.name] = _load_track(Track(entry["key"], objective), entry)
    stream.restore(catalogue, body["measures"], body["now"])
    return stream


def _load_track(track: Track, entry: Mapping[str, Any]) -> Track:
    for name in (
        "episode", "is_open", "opened_at", "forecast_fires", "told_p50_at", "told_move_at", "silent_since",
        "told_silent", "quiet_until", "is_final", "last_alert_id", "last_breach_id", "breach_at", "status_print",
        "period_start",
    ):  # fmt: skip
        setattr(track, name, entry[name])
    track.standing = Standing(entry["standing"])
    track.highest = Severity(entry["highest"])
    track.sequences = dict(entry["sequences"])
    track.flags = flags_of(entry)
    track.burning = set(entry["burning"])
    track.marks_told = set(entry["marks_told"])
    if entry["outlook"] is not None:
        ats, count = entry["outlook"]
        track.outlook = Outlook(tuple(ats), count)
    track.closed = {key: Closed(*closed) for key, closed in entry["closed"].items()}
    return track
