"""What each segment has on the disk: how many chunks, in its row, so that what is cut out of a file later is missed; and their
digest, in the audit log, so that what is put in their place shows (ADR 022).

The row is sealed by the audit log's entries like the rest (`proofs`). What an earlier version recorded has neither.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import Connection, select, update

from softphone.archive.files import container
from softphone.archive.files.container import Chunk
from softphone.archive.files.reader import Structure
from softphone.archive.files.vault import Written
from softphone.archive.proof.proofs import SOUND, tell
from softphone.archive.tables import segments

WHOLE = "recording_whole"
"""the entry that tells it where the recording's end was told before its last sound was on the disk"""


def count(connection: Connection, recording: str, told: Mapping[int, Written]) -> int:
    """Of each segment whose writer has ended. Returns how many rows say so now that did not."""
    done = 0
    for segment, one in told.items():
        this = (segments.c.recording == recording) & (segments.c.segment == segment) & segments.c.chunks.is_(None)
        if connection.execute(update(segments).where(this).values(chunks=one.chunks)).rowcount:
            tell(connection, recording, SOUND, str(segment), one.digest)
            done += 1
    return done


def uncounted(connection: Connection, recording: str) -> list[int]:
    """Segments of which nobody has said yet how many they have."""
    asked = select(segments.c.segment).where(segments.c.recording == recording, segments.c.chunks.is_(None))
    return list(connection.execute(asked).scalars())


def counted(structure: Structure) -> dict[int, Written]:
    """As a file has them."""
    found: dict[int, list[Chunk]] = defaultdict(list)
    for chunk in structure.chunks:
        found[chunk.segment].append(chunk)
    header = structure.raw_header
    return {segment: Written(len(chunks), container.digest(header, chunks)) for segment, chunks in found.items()}
