"""One bucket: a sealed container goes in whole or by parts, is read from any byte, held, and erased in every version.

Storage itself compares each put with its SHA-256: what is changed on its way is `storage_refused`. A key may have several
versions, as when an answer was lost and the put was repeated: a reader names the version that its row names.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from softphone.domain.errors import TeamError
from softphone.team.objects.client import Client, Storage

PART = 5 << 20
"""bytes of each part but the last: S3 takes no smaller ones"""
_READ = 1 << 20
_MOST_PARTS = 10_000


@dataclass(frozen=True, slots=True)
class Part:
    """What S3 has of a multipart upload. `tag` is what it calls it."""

    number: int
    tag: str
    size: int


@dataclass(frozen=True, slots=True)
class Stored:
    version: str
    size: int


class Bucket:
    """Every method raises TeamError, also `storage_absent` for what is not there."""

    def __init__(self, storage: Storage) -> None:
        self.name = storage.bucket
        self.client = Client(storage)

    def close(self) -> None:
        self.client.close()

    async def put(self, key: str, data: bytes, sha256: bytes) -> Stored:
        """Whole, in one request: up to a part's size. `sha256` is its own."""
        told = await self.client.call("put_object", Key=key, Body=data, ChecksumSHA256=_text(sha256))
        return _versioned(Stored(str(told.get("VersionId", "")), len(data)))

    async def begin(self, key: str) -> str:
        """A multipart upload; its id goes with each part."""
        told = await self.client.call("create_multipart_upload", Key=key, ChecksumAlgorithm="SHA256")
        return str(told["UploadId"])

    async def put_part(self, key: str, upload: str, number: int, data: bytes, sha256: bytes) -> Part:
        """Numbered from 1, in any order. One that is put again replaces itself."""
        told = await self.client.call(
            "upload_part", Key=key, UploadId=upload, PartNumber=number, Body=data, ChecksumSHA256=_text(sha256)
        )
        return Part(number, str(told["ETag"]), len(data))

    async def parts(self, key: str, upload: str) -> list[Part]:
        """What has arrived, by number."""
        found: list[Part] = []
        marker = 0
        while True:
            told = await self.client.call("list_parts", Key=key, UploadId=upload, PartNumberMarker=marker)
            for one in cast("list[dict[str, Any]]", told.get("Parts", [])):
                found.append(Part(int(one["PartNumber"]), str(one["ETag"]), int(one["Size"])))
            if not told.get("IsTruncated") or not found or len(found) > _MOST_PARTS:
                return found
            marker = found[-1].number

    async def complete(self, key: str, upload: str, parts: Sequence[Part], digests: Sequence[bytes]) -> Stored:
        """The parts become one object; `digests` are their SHA-256, in order."""
        named = [
            {"PartNumber": one.number, "ETag": one.tag, "ChecksumSHA256": _text(digest)}
            for one, digest in zip(parts, digests, strict=True)
        ]
        told = await self.client.call(
            "complete_multipart_upload", Key=key, UploadId=upload, MultipartUpload={"Parts": named}
        )
        stored = Stored(str(told.get("VersionId", "")), sum(one.size for one in parts))
        # Asked once more after a lost answer, Ceph does not say which version that is.
        return stored if stored.version else _versioned(await self.newest(key) or stored)

    async def abort(self, key: str, upload: str) -> None:
        """Its parts go. One that has ended is none to abort."""
        try:
            await self.client.call("abort_multipart_upload", Key=key, UploadId=upload)
        except TeamError as error:
            if error.code != "error.team.storage_absent":
                raise

    async def unfinished(self, before: datetime) -> list[tuple[str, str]]:
        """Keys and uploads of those that were begun before then and never put together."""
        found: list[tuple[str, str]] = []
        place: dict[str, Any] = {}
        while True:
            told = await self.client.call("list_multipart_uploads", **place)
            listed = cast("list[dict[str, Any]]", told.get("Uploads", []))
            found += [(str(one["Key"]), str(one["UploadId"])) for one in listed if one["Initiated"] < before]
            if not told.get("IsTruncated"):
                return found
            place = {"KeyMarker": told["NextKeyMarker"], "UploadIdMarker": told.get("NextUploadIdMarker", "")}

    async def newest(self, key: str) -> Stored | None:
        """None: nothing lies there."""
        return await self.at(key, "")

    async def at(self, key: str, version: str) -> Stored | None:
        """That version; none named: the newest. None: it does not lie there."""
        given = {"VersionId": version} if version else {}
        try:
            told = await self.client.call("head_object", Key=key, **given)
        except TeamError as error:
            if error.code == "error.team.storage_absent":
                return None
            raise
        return Stored(str(told.get("VersionId", "")), int(told["ContentLength"]))

    async def read(self, key: str, version: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """From `start` up to and without `end` (None: its last byte), a megabyte at a time."""
        given = {"VersionId": version} if version else {}
        until = "" if end is None else end - 1
        told = await self.client.call("get_object", Key=key, Range=f"bytes={start}-{until}", **given)
        body = told["Body"]
        try:
            while block := await self.client.run(lambda: cast("bytes", body.read(_READ)), "get_object"):
                yield block
        finally:
            body.close()

    async def hold(self, key: str, version: str, on: bool) -> None:
        """The legal hold: storage refuses to erase this version while it is on. Setting it again changes nothing."""
        status = {"Status": "ON" if on else "OFF"}
        await self.client.call("put_object_legal_hold", Key=key, VersionId=version, LegalHold=status)

    async def is_held(self, key: str, version: str) -> bool:
        try:
            told = await self.client.call("get_object_legal_hold", Key=key, VersionId=version)
        except TeamError as error:
            # An object that was never held has no such state; each server says so in its own way.
            if error.code == "error.team.storage_absent" or error.params.get("detail") in _NEVER_HELD:
                return False
            raise
        return told.get("LegalHold", {}).get("Status") == "ON"

    async def versions(self, key: str) -> list[str]:
        """Newest first, without the marks that earlier erasures left."""
        return [version for version, marker in await self._versions(key) if not marker]

    async def erase(self, key: str) -> int:
        """Every version of it, and every mark. How many; 0: nothing lay there. Raises `object_held`, before anything is
        erased, while one of them is held."""
        there = await self._versions(key)
        held = await asyncio.gather(*(self.is_held(key, version) for version, marker in there if not marker))
        if any(held):
            raise TeamError("error.team.object_held")
        for version, _ in there:
            await self.erase_version(key, version)
        return len(there)

    async def end(self, key: str) -> None:
        """As `erase`, where the database has judged that nothing keeps it: what is held goes too."""
        for version, _ in await self._versions(key):
            await self.end_version(key, version)

    async def leave_only(self, key: str, version: str) -> None:
        """Other versions of it go, also held ones: a put that was repeated left them."""
        for other in await self.versions(key):
            if other != version:
                await self.end_version(key, other)

    async def end_version(self, key: str, version: str) -> None:
        """One version, also where it is held: no row names it."""
        try:
            await self.erase_version(key, version)
        except TeamError as error:
            if error.code != "error.team.object_held":
                raise
            await self.hold(key, version, False)
            await self.erase_version(key, version)

    async def erase_version(self, key: str, version: str) -> None:
        """One version. Raises `object_held` where storage refuses."""
        try:
            await self.client.call("delete_object", Key=key, VersionId=version)
        except TeamError as error:
            if error.params.get("detail") == "AccessDenied":
                raise TeamError("error.team.object_held") from error
            raise

    async def _versions(self, key: str) -> list[tuple[str, bool]]:
        """Each version, and whether it is a mark of an erasure."""
        found: list[tuple[str, bool]] = []
        place: dict[str, Any] = {}
        while True:
            told = await self.client.call("list_object_versions", Prefix=key, **place)
            for kind, marker in (("Versions", False), ("DeleteMarkers", True)):
                listed = cast("list[dict[str, Any]]", told.get(kind, []))
                found += [(str(one["VersionId"]), marker) for one in listed if one["Key"] == key]
            if not told.get("IsTruncated"):
                return found
            place = {"KeyMarker": told["NextKeyMarker"], "VersionIdMarker": told.get("NextVersionIdMarker", "")}


_NEVER_HELD = frozenset(
    {"NoSuchObjectLegalHold", "NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"}
)


def _versioned(stored: Stored) -> Stored:
    """Raises TeamError: of what storage names no version, nobody knows later which it was, or whether it lies there."""
    if not stored.version:
        raise TeamError("error.team.storage_unreachable", detail="no version id")
    return stored


def _text(sha256: bytes) -> str:
    return base64.b64encode(sha256).decode("ascii")


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
