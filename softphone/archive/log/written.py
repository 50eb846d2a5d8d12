"""What each segment has on the disk: its number of chunks and their digest.

The number is in its row, so that what is cut out of a file later is missed. The digest is in the audit log, so that a
substitute shows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, select, update

from softphone.archive.files import container
from softphone.archive.files.container import Chunk
from softphone.archive.files.reader import Structure
from softphone.archive.files.writing import Written
from softphone.archive.schema.tables import segments
from softphone.domain.changes import AuditEntry

WHOLE = "recording_whole"
"""the entry that tells the digests"""
SOUND = "sound"
"""in it: each segment's, `number:digest`"""
DIGEST = 32
"""hex digits of one: to find other sound with the same takes as much as to find a key"""


def count(
    connection: Connection, recording: str, call: str, told: Mapping[int, Written], at: datetime
) -> list[AuditEntry]:
    """Of each segment whose writer has ended and which is not noted yet. Returns the entry for it, if any."""
    done: dict[int, Written] = {}
    for segment, one in told.items():
        this = (segments.c.recording == recording) & (segments.c.segment == segment) & segments.c.chunks.is_(None)
        if connection.execute(update(segments).where(this).values(chunks=one.chunks)).rowcount:
            done[segment] = one
    if not done:
        return []
    sound = " ".join(f"{segment}:{one.digest[:DIGEST]}" for segment, one in sorted(done.items()))
    chunks = sum(one.chunks for one in done.values())
    return [AuditEntry(WHOLE, "G10", at, call, recording, {"chunks": chunks, SOUND: sound})]


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
