"""Rows as a desk has them: from an archive that the program itself wrote, so that what the service takes is what desks tell."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, select

from softphone.archive.archive import Archive
from softphone.archive.changes.sealing import recorded_for
from softphone.archive.log.written import SOUND, WHOLE
from softphone.archive.schema.tables import audit, calls, holds, purposes, recordings, segments
from softphone.domain.changes import CloseRecording, OpenRecording, OpenSegment
from softphone.domain.ids import recording_id
from softphone.domain.purpose import Purpose
from tests.archive.scene import BASES, Scene, voices
from tests.team.desk import House, Made

AGENT = "anna@klartone.test"


def begun(
    desk: Scene, house: House, at: datetime, *which: Purpose, number: str, agent: str = AGENT, group: str = ""
) -> tuple[str, str]:
    """Call and recording, which records now."""
    desk.policy_recipients = [house.recipient(role) for role in house.keys]
    call = desk.call(number=number, at=at, line="support", agent=agent, group=group)
    recording = recording_id(call, 1)
    desk.commit(OpenRecording(recording, call, at), OpenSegment(recording, 0, which, BASES, at), recording=recording)
    desk.start(call, recording, 0)
    return call, recording


def another(desk: Scene, recording: str, number: int, at: datetime, *which: Purpose) -> None:
    """A segment that is opened, and of which no sound is there yet."""
    desk.commit(OpenSegment(recording, number, which, BASES, at), recording=recording)


def ended(desk: Scene, call: str, recording: str, at: datetime, *which: Purpose, seconds: float = 2) -> None:
    desk.talk(call, voices(seconds))
    desk.recorder.stop(call, recording, 0)
    desk.drained(recording, 0, round(seconds * 50) * 320)
    desk.commit(CloseRecording(recording, at, which), recording=recording)
    desk.ledger.forget_keys(recording)


def told_of(archive: Archive, recording: str) -> Made:
    """All that the archive keeps of it, value by value; no rule stands here."""
    with archive.catalog.reading() as connection:

        def rows(table: Any, **which: str) -> list[Row[Any]]:
            return list(connection.execute(select(table).where(*(table.c[name] == it for name, it in which.items()))))

        (row,) = rows(recordings, recording=recording)
        (call,) = rows(calls, call=row.call)
        kept, parts = rows(purposes, recording=recording), rows(segments, recording=recording)
        standing = [one for one in rows(holds, recording=recording) if one.lifted_at is None]
        sound: dict[int, str] = {}
        for entry in rows(audit, recording=recording, event=WHOLE):
            pairs = (one.split(":") for one in json.loads(entry.params)[SOUND].split(" "))
            sound |= {int(segment): digest for segment, digest in pairs}

    def given(one: Row[Any], *names: str) -> dict[str, Any]:
        return {name: one._mapping[name] for name in names if one._mapping[name] is not None}

    file = archive.vault.path(recording).read_bytes()
    told = given(row, "recording", "opened_at", "closed_at", "broke_off_at", "restricted")
    told |= {"clock": datetime.now(UTC).isoformat(), "bytes": len(file), "sha256": hashlib.sha256(file).hexdigest()}
    told["call"] = given(call, "call", "line", "direction", "started_at", "notice", "language", "time_zone", "agent")
    told["call"] |= {
        "call_group": call.call_group or row.call,
        "number": archive.secrets.open_number(call.number_sealed, row.call),
    }
    told["segments"] = [
        given(one, "segment", "opened_at", "chunks")
        | {"purposes": [it.value for it in recorded_for(one.purposes)], "sound": sound.get(one.segment)}
        for one in parts
    ]
    names = ("purpose", "basis", "retention", "expires_on", "stands", "reason", "reviewed_at", "at_end", "judge_by")
    told["purposes"] = [given(one, *names, "keep_reviewed") for one in kept]
    told["wraps"] = [
        {"segment": one.segment, "role": one.role.value, "key_id": one.key_id, "suite": one.suite}
        | {"sealed": base64.b64encode(one.sealed).decode()}
        for one in archive.wraps_of(recording)
    ]
    said = ("hold", "raised_for", "raised_by", "at", "provisional_until", "confirm_by", "why")
    told["holds"] = [given(one, *said) for one in standing]
    return Made(file, told)
