"""The demo's summary, read back from the archive and from the engine's own events: never from what the demo intended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from softphone.archive.archive import Archive, RecordingRow
from softphone.archive.examine.verify import verify
from softphone.archive.files.container import RATE
from softphone.demo.director import Played
from softphone.domain.purpose import KeyRole
from softphone.wire.from_engine import Occurred


def summarise(played: Played, archive: Archive) -> dict[str, Any]:
    """The object that `--json` ends with. Times are seconds since answer, null if nothing of the kind happened."""
    events = played.events
    call = played.last.id if played.last else None
    row = next((one for one in archive.list() if one.call == call), None)
    ended = _last(events, "ended")
    decided = _last(events, "decided")
    recording = row.recording if row else _param(_first(events, "recorder_started"), "recording")
    # Each opening is an entry itself, so it comes before the entries are counted and proved.
    openable = _openable(archive, row)
    proof = verify(archive)
    entries = archive.audit_of(call=call) if call else []
    return {
        "notice": _param(decided, "notice"),
        "notice_started_at": _time(_first(events, "notice_started")),
        "notice_ended_at": _time(_first(events, "notice_ended")),
        "consent": _consent(entries),
        "first_sample_at": _time(_first(events, "first_sample")),
        "recorded_seconds": _sealed_seconds(events),
        "purposes": [purpose.value for purpose in openable],
        "status": _param(ended, "status"),
        "reason": _param(ended, "reason"),
        "recording_id": recording,
        "kept": row is not None,
        "on_hold": bool(row and row.holds),
        "expires": {purpose.value: day.isoformat() for purpose, day in row.expires.items()} if row else {},
        "audit_entries": len(entries),
        "audit_ok": proof.audit_ok and proof.ok,
    }


def _openable(archive: Archive, row: RecordingRow | None) -> Sequence[Any]:
    """The purposes whose keys really open it: tried, not believed."""
    if row is None:
        return ()
    opened: list[Any] = []
    for purpose in row.purposes:
        archive.open_recording(row.recording, datetime.now(UTC), role=KeyRole(purpose.value)).close()
        opened.append(purpose)
    return opened


def _consent(entries: Sequence[Any]) -> bool | None:
    """True, false, or null if nobody was asked."""
    names = [entry.event for entry in entries]
    if "consent_given" in names:
        return True
    return False if "asked" in names else None


def _sealed_seconds(events: Sequence[Occurred]) -> float:
    samples: dict[tuple[Any, Any], int] = {}
    for event in events:
        if event.event == "sealed":
            samples[event.params["recording"], event.params["segment"]] = int(event.params["samples"] or 0)
    return round(sum(samples.values()) / RATE, 3)


def _first(events: Sequence[Occurred], name: str) -> Occurred | None:
    return next((event for event in events if event.event == name), None)


def _last(events: Sequence[Occurred], name: str) -> Occurred | None:
    return _first(events[::-1], name)


def _time(event: Occurred | None) -> float | None:
    return None if event is None or event.since_answer is None else round(event.since_answer, 3)


def _param(event: Occurred | None, name: str) -> Any:
    return event.params.get(name) if event else None
