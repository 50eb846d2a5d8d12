"""A recording arrives: most in one request, a long one part by part. It is checked, its rows are written in one transaction, and
it is receipted.

Each step may be repeated, on any instance: the database says what counts, S3 what lies there. It knows an object's key before S3
has anything there, and a part once S3 has it. So the worst that a killed service leaves is what is sent again, or swept.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NoReturn
from uuid import UUID

from psycopg.types.json import Jsonb

from softphone.domain.errors import TeamError
from softphone.team.objects import PART, Bucket, Stored
from softphone.team.objects import Part as Put
from softphone.team.people.asking import Asking
from softphone.team.rows import arriving as rows_of
from softphone.team.rows import cases, proving
from softphone.team.rows.afterwards import dated
from softphone.team.rows.arriving import Part, Upload, UploadState
from softphone.team.rows.arriving import Stored as Kept
from softphone.team.rows.errors import ConflictError, WrongError
from softphone.team.rows.pool import Rows, Transaction
from softphone.team.upload.receipt import Signer
from softphone.team.upload.structure import Structure
from softphone.team.upload.told import SHORTENS, SKEW, FileTold, RecordingTold, wraps_digest

_ABSENT = "error.team.storage_absent"
_LIES = frozenset({"error.team.digest_wrong", "error.team.container_wrong", "error.team.rows_wrong"})


@dataclass(frozen=True, slots=True)
class State:
    """`missing`: the parts to be sent. `receipt` once it is stored, or erased. `ended`: what is stored is no longer for these
    purposes; empty: for all that it was. `first`: it was this request, and no other, that wrote its rows."""

    state: UploadState
    missing: tuple[int, ...] = ()
    receipt: str = ""
    ended: str = ""
    first: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Arriving:
    rows: Rows
    bucket: Bucket
    number_key: bytes = field(repr=False)
    signer: Signer

    async def whole(self, asking: Asking, told: RecordingTold, file: bytes, now: datetime) -> State:
        """A file of one part, in one request: all of it, or nothing. S3 gets what has been found to be what was told.

        Raises TeamError; what a desk says that is not so is logged before.
        """
        async with self._lies_logged(asking, told):
            told.check()
            structure = _structure(told)
            structure.feed(file)
            chunks = _chunks(told, structure)
            begun, again = await self._begun(asking, told)
            if begun.state is not UploadState.GOING_ON:
                return self._ended(told, begun)
            stored = await self.bucket.put(begun.object_key, file, bytes.fromhex(told.sha256))
            state = await self._kept(asking, told, begun, stored, chunks, now)
            if state.first and again:
                # The one before left another version; the row names ours. It is stored by now: what fails here, `verify` mends.
                with suppress(TeamError):
                    await self.bucket.leave_only(begun.object_key, stored.version)
            return state

    async def begin(self, asking: Asking, told: FileTold) -> State:
        """The same one again goes on where it was. One of a single part comes whole."""
        found, _ = await self._begun(asking, told)
        if found.state is UploadState.STORED and not await self._lies_there(found, told):
            found, _ = await self._begun(asking, told)
        if found.state is UploadState.STORED:
            return await self._stored(asking, told, found)
        if found.state is not UploadState.GOING_ON:
            return self._ended(told, found)
        if told.parts > 1 and not found.upload:
            await self._named(asking, told, found)
        return State(found.state, _missing(told, found))

    async def part(self, asking: Asking, recording: UUID, number: int, data: bytes, sha256: bytes) -> None:
        """Raises TeamError `digest_wrong`, `part_wrong`, `begin_again` or `missing`."""
        if hashlib.sha256(data).digest() != sha256:
            raise TeamError("error.team.digest_wrong")
        found = await self._going_on(asking, recording)
        if not 1 <= number <= found.told.parts or len(data) != found.told.part_bytes(number):
            raise TeamError("error.team.part_wrong", number=number)
        tag = await self._put(asking, found, number, data, sha256)
        async with self.rows.asking(asking.token) as tx:
            await rows_of.part(tx, recording, found.upload, Part(number, sha256, tag))

    async def finish(self, asking: Asking, told: RecordingTold, now: datetime) -> State:
        """What came in parts. As `whole`, but that the file is read from S3."""
        async with self._lies_logged(asking, told):
            told.check()
            begun, _ = await self._begun(asking, told)
            if begun.state is not UploadState.GOING_ON:
                return self._ended(told, begun)
            if missing := _missing(told, begun):
                raise TeamError("error.team.part_missing", count=len(missing))
            stored, chunks = await self._checked(asking, told, begun)
            return await self._kept(asking, told, begun, stored, chunks, now)

    async def give_up(self, asking: Asking, recording: UUID) -> None:
        """What has arrived of it goes with the next sweep. One that has ended is none to give up."""
        async with self.rows.asking(asking.token) as tx:
            await rows_of.drop(tx, recording)

    async def _lies_there(self, found: Upload, told: FileTold) -> bool:
        """Of what is stored: a desk asks before it lets its own copy go. What storage has lost is to be sent again."""
        there = await self.bucket.at(found.object_key, found.upload)
        if there is not None and there.size == told.bytes:
            return True
        async with self.rows.nobody() as tx:
            return not await proving.object_missing(tx, UUID(told.recording), found.upload)

    async def _stored(self, asking: Asking, told: FileTold, found: Upload) -> State:
        async with self.rows.asking(asking.token) as tx:
            ended = await rows_of.ended(tx, UUID(told.recording))
        said = self.signer.ended(told.recording, told.sha256, ended, datetime.now(UTC)) if ended else ""
        return replace(self._ended(told, found), ended=said)

    def _ended(self, told: FileTold, found: Upload) -> State:
        if found.state is UploadState.ERASED:
            return State(found.state, receipt=self.signer.erased(told.recording, told.sha256, datetime.now(UTC)))
        receipt = self.signer.anew(told.recording, told.sha256, found.receipt) if found.receipt else ""
        return State(found.state, receipt=receipt)

    @asynccontextmanager
    async def _lies_logged(self, asking: Asking, told: RecordingTold) -> AsyncGenerator[None]:
        try:
            yield
        except TeamError as error:
            if error.code in _LIES or isinstance(error, (WrongError, ConflictError)):
                async with self.rows.asking(asking.token) as tx:
                    what = Jsonb({"code": error.code, "reason": error.params.get("reason", "")})
                    await tx.all("SELECT audit_note('recording_refused', 'G10', '', %s, %s)", told.recording, what)
            raise

    async def _begun(self, asking: Asking, told: FileTold) -> tuple[Upload, bool]:
        """And whether it was begun before."""
        # A key of its own for each upload: whatever of an earlier one comes late, or goes late, is nothing of this one.
        digest, key = bytes.fromhex(told.sha256), f"recordings/{told.recording}/{secrets.token_hex(8)}"
        found = await rows_of.begin(self.rows, asking.token, UUID(told.recording), told.bytes, digest, PART, key)
        return found, found.object_key != key

    async def _named(self, asking: Asking, told: FileTold, found: Upload) -> None:
        """S3 begins it too. Where two instances do so at once, one name counts and the other upload ends."""
        ours = await self.bucket.begin(found.object_key)
        async with self.rows.asking(asking.token) as tx:
            counts = await rows_of.named(tx, UUID(told.recording), "", ours)
        if counts != ours:
            await self.bucket.abort(found.object_key, ours)

    async def _going_on(self, asking: Asking, recording: UUID) -> _Going:
        async with self.rows.asking(asking.token) as tx:
            found = await _upload(tx, recording)
        if found is None or not found.upload:
            raise TeamError("error.team.missing")
        return found

    async def _put(self, asking: Asking, found: _Going, number: int, data: bytes, sha256: bytes) -> str:
        try:
            return (await self.bucket.put_part(found.key, found.upload, number, data, sha256)).tag
        except TeamError as error:
            if error.code == _ABSENT:
                await self._anew(asking, UUID(found.told.recording), found.upload)
            raise

    async def _checked(self, asking: Asking, told: RecordingTold, begun: Upload) -> tuple[Stored, dict[int, int]]:
        """What lies in S3 is what was told, byte by byte. Chunks by segment."""
        try:
            stored = await self._complete(asking, told, begun)
            structure = _structure(told)
            async for block in self.bucket.read(begun.object_key, stored.version):
                structure.feed(block)
        except TeamError as error:
            if error.code == _ABSENT:
                await self._anew(asking, UUID(told.recording), begun.upload)
            raise
        return stored, _chunks(told, structure)

    async def _complete(self, asking: Asking, told: RecordingTold, begun: Upload) -> Stored:
        """The object, put together of its parts."""
        async with self.rows.asking(asking.token) as tx:
            parts = await rows_of.parts(tx, UUID(told.recording))
        named = [Put(one.number, one.etag, told.part_bytes(one.number)) for one in parts]
        try:
            return await self.bucket.complete(begun.object_key, begun.upload, named, [one.digest for one in parts])
        except TeamError as error:
            # It was put together before, and the answer or the service was lost.
            there = await self.bucket.newest(begun.object_key) if error.code == _ABSENT else None
            if there is None or there.size != told.bytes:
                raise
            return there

    async def _anew(self, asking: Asking, recording: UUID, upload: str) -> NoReturn:
        """S3 no longer has what the database names: somebody cleaned up there. The desk begins again, and loses nothing."""
        async with self.rows.asking(asking.token) as tx:
            await rows_of.named(tx, recording, upload, "")
        raise TeamError("error.team.begin_again")

    async def _kept(
        self, asking: Asking, told: RecordingTold, begun: Upload, stored: Stored, chunks: dict[int, int], now: datetime
    ) -> State:
        if told.holds:
            # Storage refuses sweeps and mistakes from now on. Where the rows are not written after all, it is an upload still,
            # and the sweep that ends it takes the hold off.
            await self.bucket.hold(begun.object_key, stored.version, True)
        return await self._written(asking, told, begun.object_key, stored, chunks, now)

    async def _written(
        self, asking: Asking, told: RecordingTold, key: str, stored: Stored, chunks: dict[int, int], now: datetime
    ) -> State:
        recording = UUID(told.recording)
        async with self.rows.asking(asking.token) as tx:
            arrived = told.arrived(stored.version, chunks, self.number_key, now)
            kept = await rows_of.store(tx, replace(arrived, holds=await dated(tx, arrived.holds, now), object_key=key))
            if kept.result is Kept.ERASED:
                return self._ended(told, Upload(UploadState.ERASED))
            if kept.result is Kept.AGAIN:
                # What the other request told of it is what the house has, and what its receipt is of.
                return State(UploadState.STORED, receipt=await rows_of.receipt(tx, recording) or "")
            for kind in told.cases():
                await cases.arrived(tx, recording, kind, told.opened_at)
            off = told.clock - now
            if abs(off) > SKEW:
                noted = Jsonb({"seconds": round(off.total_seconds()), "waits_for_custody": -off > SHORTENS})
                await tx.all("SELECT audit_note('clock_off', 'G10', %s, %s, %s)", told.call.call, recording, noted)
            head = (kept.number, kept.hash)
            receipt = self.signer.receipt(told.recording, told.sha256, wraps_digest(told.wraps), head, now)
            rows_of.keep_receipt(tx, recording, receipt)
        return State(UploadState.STORED, receipt=receipt, first=True)


async def end_in_storage(bucket: Bucket, key: str, upload: str = "") -> None:
    """Every version of it goes, and what has come of an upload. The database has judged that nothing keeps it: a hold that
    storage still has goes too. `upload`: what it is called there."""
    if upload:
        await bucket.abort(key, upload)
    await bucket.end(key)


@dataclass(frozen=True, slots=True)
class _Going:
    told: FileTold
    key: str
    upload: str


async def _upload(tx: Transaction, recording: UUID) -> _Going | None:
    row = await tx.row("SELECT object_key, upload, size, digest FROM uploads WHERE recording = %s", recording)
    if row is None:
        return None
    told = FileTold(recording=str(recording), bytes=row["size"], sha256=bytes(row["digest"]).hex())
    return _Going(told, row["object_key"], row["upload"])


def _structure(told: RecordingTold) -> Structure:
    return Structure(
        *(told.recording, told.opened_at, told.call.time_zone, told.structure()),
        broke_off=told.broke_off_at is not None,
    )


def _chunks(told: RecordingTold, structure: Structure) -> dict[int, int]:
    """By segment, once all of the file is there."""
    if structure.end() != bytes.fromhex(told.sha256):
        raise TeamError("error.team.digest_wrong")
    return structure.chunks()


def _missing(told: FileTold, begun: Upload) -> tuple[int, ...]:
    return tuple(number for number in range(1, told.parts + 1) if number not in begun.have)
