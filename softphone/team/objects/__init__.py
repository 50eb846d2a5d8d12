"""Sealed containers in any S3: put whole or by parts, read from any byte, held, and erased in every version.

It knows keys, bytes and digests. What a recording is and who may have it, it does not know.
"""

from softphone.team.objects.bucket import PART, Bucket, Part, Stored
from softphone.team.objects.checking import Shortcoming, check
from softphone.team.objects.client import Storage
from softphone.team.objects.tombstones import Stone, Stones, Tombstone

__all__ = [
    "PART",
    "Bucket",
    "Part",
    "Shortcoming",
    "Stone",
    "Stones",
    "Storage",
    "Stored",
    "Tombstone",
    "check",
]
