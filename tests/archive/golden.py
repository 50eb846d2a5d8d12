"""The golden archives: one of this schema and of earlier ones, each kept in `golden/` as its version wrote it, so that every
later version can be held to them.

    python -m tests.archive.golden --write

writes that of this schema anew, which is right only as long as it has not been released: what changes in it, changes for archives
that are out there. `told.json` says what is in it. Its keys lie beside it in the open: nobody was recorded in it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from softphone.archive.archive import Archive
from softphone.archive.catalog import own_calls
from softphone.archive.catalog.own_calls import OwnCall
from softphone.archive.changes.call import PurposeEnd
from softphone.archive.crypto.wraps import KeyStore, Recipient, create_key_pair
from softphone.archive.files.reader import OpenedRecording
from softphone.archive.keys import rotation
from softphone.archive.log.written import SOUND, WHOLE
from softphone.archive.retention import holding
from softphone.archive.review.session import mark_reviewed, open_review
from softphone.archive.schema.migrations import HEAD
from softphone.archive.schema.tables import checkpoints, sample_tallies, segments
from softphone.archive.seen.access import choose_signer
from softphone.domain.changes import CloseRecording, Discard, DropWraps, HoldBy
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole, Purpose
from softphone.system.secrets import DemoKeyFile
from softphone.system.signature import new_signing_key, public_half
from tests.archive.deeds import spoken
from tests.archive.holds import raise_hold
from tests.archive.scene import AT, DOCUMENTATION, FRAME, NUMBER, TRAINING, Scene

FOLDER = Path(__file__).with_name("golden")
VERSIONS = sorted(one.name for one in FOLDER.iterdir())
"""their schemas"""
KEYS, TOLD = "keys.json", "told.json"
AGENT = "anna@pbx.example"
BOTH = (DOCUMENTATION, TRAINING)
LATER = AT + timedelta(days=1)


def copied(to: Path, version: str) -> tuple[Path, KeyStore]:
    """The archive and its keys, to be opened: git keeps no file from being read by others."""
    shutil.copytree(FOLDER / version, to)
    (to / KEYS).chmod(0o600)
    return to / "archive", DemoKeyFile(to / KEYS)


def told_of(archive: Archive) -> dict[str, Any]:
    """What can be known of all that is in an archive by who holds its keys, but for the sound."""
    found: list[dict[str, Any]] = []
    for row in archive.list(LATER):
        opened = archive.open_recording(row.recording, LATER, role=KeyRole.CUSTODY)
        found.append(
            {
                "recording": row.recording,
                "line": row.line,
                "agent": row.agent,
                "direction": row.direction.value,
                "number": row.number,
                "opened_at": row.opened_at.isoformat(),
                "closed_at": row.closed_at.isoformat() if row.closed_at else None,
                "time_zone": row.time_zone,
                "opens_for": [role.value for role in row.opens_for],
                "expires": {purpose.value: day.isoformat() for purpose, day in row.expires.items()},
                "holds": [[hold.raised_for, hold.why, str(hold.look_again)] for hold in row.holds],
                "restricted": row.restricted,
                "length": opened.length,
                "marks": [[mark.kind.value, mark.at, mark.samples] for mark in opened.marks()],
                "segments": [
                    [one.number, one.origin, one.samples, one.complete, packets_of(opened, one.number)]
                    for one in opened.segments
                ],
            }
        )
    return {"archive": archive.id, "desk": archive.desk, "recordings": found}


def written_of(archive: Archive) -> dict[str, Any]:
    """What the catalog and its log say besides, that an earlier schema did not."""
    with archive.catalog.reading() as connection:
        chunks = connection.execute(select(segments.c.recording, segments.c.segment, segments.c.chunks)).all()
        tallies = connection.execute(
            select(sample_tallies.c.month, sample_tallies.c.what, sample_tallies.c.count)
        ).all()
        previous = connection.execute(select(checkpoints.c.number, checkpoints.c.hash)).all()
        own = own_calls.read(connection, archive.secrets, [AGENT], AT.date(), 10)
    notes = [(one.call, one.told, one.note) for one in own]
    told = {"chunks": chunks, "tallies": tallies, "checkpoints": previous, "notes": notes}
    rows = {name: sorted([*row] for row in found) for name, found in told.items()}
    sound = [row.params[SOUND] for row in archive.audit_of() if row.event == WHOLE]
    return {**rows, "policy_signer": archive.policy_signer, "sound": sound}


def packets_of(opened: OpenedRecording, number: int) -> str:
    """A digest of a segment's sound as it was coded."""
    digest = hashlib.sha256()
    for content in opened.contents(number):
        digest.update(b"".join(content.packets))
    return digest.hexdigest()


def write(folder: Path) -> None:
    """A call with a pause and an opt-out in its middle, one that was reviewed and is kept on, one that is held, and one that
    was discarded; a key rotated and revoked, a policy's signer chosen, checkpoints signed."""
    folder.mkdir()
    desk = Scene(folder / "archive", demo=True, store=DemoKeyFile(folder / KEYS))
    told = _recorded(desk, "a", *BOTH, seconds=(1.5, 1.2, 0.6), opts_out=True)
    reviewed = _recorded(desk, "b", *BOTH, seconds=(1.3,))
    held = _recorded(desk, "c", DOCUMENTATION, seconds=(1.0,), number=None)
    gone = _recorded(desk, "d", TRAINING, seconds=(0.5,))
    desk.commit(Discard(gone, "withdrawn"), call="d", recording=gone, rule="G04")
    with closing(open_review(desk.archive, reviewed, "lead", lambda: AT, items=[("greeting", 5)])) as review:
        review.comment(8_000, "Godt spurgt, og venligt – æøå.")
        review.score("greeting", 4)
        review.share(True)
    mark_reviewed(desk.archive, reviewed, "lead", AT)
    hold = raise_hold(desk.archive, held, HoldBy.PARTY, "klage 17", "anna", AT)
    holding.confirm(desk.archive, hold, (AT + timedelta(days=90)).date(), AT)
    old = desk.recipients[KeyRole.DOCUMENTATION]
    new = Recipient("documentation-2", old.role, create_key_pair(desk.store))
    rotation.rotate(desk.archive, old, new)
    rotation.revoke(desk.archive, old)
    choose_signer(desk.archive, public_half(new_signing_key()), AT)
    with desk.archive.catalog.writing() as tx:
        until = (AT + timedelta(days=7)).date()
        noted = OwnCall("a", AGENT, AT, until, "{}", "Vil have den blå.\nRing mandag – æøå.", NUMBER)
        own_calls.put(tx, desk.archive.secrets, noted)
    found = told_of(desk.archive)
    head = desk.archive.head(LATER)
    found["head"] = str(head)
    found["events"] = [row.event for row in desk.archive.audit_of()]
    with closing(open_review(desk.archive, reviewed, "lead", lambda: AT)) as review:
        found["comments"] = [[one.sample, one.text] for one in review.comments()]
        found["scores"] = dict(review.scores())
    found["written"] = written_of(desk.archive)
    desk.close()
    assert {row["recording"] for row in found["recordings"]} == {told, reviewed, held}
    (folder / TOLD).write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _recorded(
    desk: Scene,
    call: str,
    *purposes: Purpose,
    seconds: tuple[float, ...],
    number: str | None = NUMBER,
    opts_out: bool = False,
) -> str:
    """As many segments as `seconds` says, three seconds between each two; before the second, training ends where it does."""
    ends = {TRAINING: PurposeEnd(keep_reviewed=Period.parse("P1Y"))}
    desk.call(call, number=number, retention="P5Y", agent=AGENT, ends=ends)
    recording, frame, keeps = f"{call}-1", 0, purposes
    for segment, length in enumerate(seconds):
        if segment == 0:
            desk.open(call, *purposes)
        else:
            if opts_out and segment == 1:
                desk.commit(DropWraps(recording, KeyRole.TRAINING, "declined_by_key"), call=call, recording=recording)
                keeps = (DOCUMENTATION,)
            desk.commit(desk.segment(recording, segment, *keeps), call=call, recording=recording)
        desk.start(call, recording, segment)
        frames = round(length * 50)
        desk.talk(call, spoken(recording, frame, frames), frame)
        frame += frames + 150
        desk.recorder.stop(call, recording, segment)
        desk.drained(recording, segment, frames * FRAME)
    desk.commit(CloseRecording(recording, AT + timedelta(seconds=frame // 50), keeps), call=call, recording=recording)
    return recording


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    shutil.rmtree(FOLDER / HEAD, ignore_errors=True)
    write(FOLDER / HEAD)
