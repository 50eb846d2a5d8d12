"""How many chunks each segment has on the disk, in its row: what is cut out of a file later is missed, whoever cut it.

The row is sealed by the audit log's entries like the rest (`proofs`). What an earlier version recorded has no number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import Connection, select, update

from softphone.archive.files.reader import Structure
from softphone.archive.tables import segments

WHOLE = "recording_whole"
"""the entry that tells it where the recording's end was told before its last sound was on the disk"""


def count(connection: Connection, recording: str, chunks: Mapping[int, int]) -> int:
    """Of each segment whose writer has ended, so many. Returns how many rows say so now that did not."""
    done = 0
    for segment, number in chunks.items():
        this = (segments.c.recording == recording) & (segments.c.segment == segment) & segments.c.chunks.is_(None)
        done += connection.execute(update(segments).where(this).values(chunks=number)).rowcount
    return done


def uncounted(connection: Connection, recording: str) -> list[int]:
    """Segments of which nobody has said yet how many they have."""
    asked = select(segments.c.segment).where(segments.c.recording == recording, segments.c.chunks.is_(None))
    return list(connection.execute(asked).scalars())


def counted(structure: Structure) -> Counter[int]:
    """As a file has them."""
    return Counter(chunk.segment for chunk in structure.chunks)
