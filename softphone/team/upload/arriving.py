"""A recording arrives: begun, part by part into S3, and at its end checked, its rows written in one transaction, receipted.

Each step may be repeated, on any instance: the database says what counts, S3 what lies there. A part is named in the database
once S3 has it, so the worst that a killed service leaves is a part that is sent again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

from psycopg.types.json import Jsonb

from softphone.domain.errors import TeamError
from softphone.team.numbers import NumberKey
from softphone.team.objects import PART, Bucket, Part, Stored
from softphone.team.people.asking import Asker
from softphone.team.rows.pool import Row, Rows
from softphone.team.upload.receipt import Signer
from softphone.team.upload.structure import Structure
from softphone.team.upload.told import SHORTENS, SKEW, FileTold, PurposeRow, RecordingTold, wraps_digest

GOING_ON, STORED, ERASED = "going_on", "stored", "erased"
_WHOLE = "whole"
"""what stands for S3's own name of an upload where the file is one part and goes in whole"""


@dataclass(frozen=True, slots=True)
class State:
    """`missing`: the parts to be sent. `receipt` once it is stored; one that is erased has none and needs none."""

    state: str
    missing: tuple[int, ...] = ()
    receipt: str = ""


@dataclass(frozen=True, slots=True)
class Arriving:
    rows: Rows
    bucket: Bucket
    numbers: NumberKey
    signer: Signer

    async def begin(self, asker: Asker, told: FileTold) -> State:
        """The same one again goes on where it was."""
        found = await self._begun(asker, told)
        if found["state"] != GOING_ON:
            return State(found["state"], receipt=found["receipt"] or "")
        if not found["upload"]:
            await self._named(asker, told, found)
            return State(GOING_ON, tuple(range(1, told.parts + 1)))
        return State(GOING_ON, _missing(told, found))

    async def part(self, asker: Asker, recording: str, number: int, data: bytes, sha256: bytes) -> None:
        """Raises TeamError `digest_wrong`, `part_wrong`, or `missing`."""
        if hashlib.sha256(data).digest() != sha256:
            raise TeamError("error.team.digest_wrong")
        found = await self._going_on(asker, recording)
        told = FileTold(recording=recording, bytes=found["size"], sha256=bytes(found["digest"]).hex())
        if not 1 <= number <= told.parts or len(data) != told.part_bytes(number):
            raise TeamError("error.team.part_wrong", number=number)
        key, upload = found["object_key"], found["upload"]
        if upload == _WHOLE:
            if sha256 != bytes(found["digest"]):
                raise TeamError("error.team.digest_wrong")
            tag = (await self.bucket.put(key, data, sha256)).version
        else:
            try:
                tag = (await self.bucket.put_part(key, upload, number, data, sha256)).tag
            except TeamError as error:
                if error.code == "error.team.storage_absent":
                    await self._anew(asker, recording, upload)
                raise
        async with self.rows.asking(asker.token) as tx:
            await tx.all("SELECT upload_part(%s, %s, %s, %s, %s)", recording, upload, number, sha256, tag)

    async def finish(self, asker: Asker, told: RecordingTold, now: datetime) -> State:
        """All of it, or nothing. Raises TeamError; what a desk says that is not so is logged before."""
        told.check()
        begun = await self._begun(asker, told)
        if begun["state"] != GOING_ON:
            return State(begun["state"], receipt=begun["receipt"] or "")
        if missing := _missing(told, begun):
            raise TeamError("error.team.part_missing", count=len(missing))
        try:
            stored, chunks = await self._checked(told, begun, await self._whole(asker, told, begun))
        except TeamError as error:
            if error.code == "error.team.storage_absent":
                await self._anew(asker, told.recording, begun["upload"])
            raise
        if told.holds:
            # Storage refuses sweeps and mistakes from now on. One whose rows are not written after all is mended by `verify`.
            await self.bucket.hold(begun["object_key"], stored.version, True)
        return await self._written(asker, told, stored, chunks, now)

    async def give_up(self, asker: Asker, recording: str) -> None:
        """What has arrived of it goes. One that has ended is none to give up."""
        found = await self._upload(asker, recording)
        if found is None:
            return
        async with self.rows.asking(asker.token) as tx:
            gone = await tx.value("SELECT upload_drop(%s)", recording)
        if gone is not None:
            await self._forget(found["object_key"], gone)

    async def _begun(self, asker: Asker, told: FileTold) -> Row:
        key = f"recordings/{told.recording}"
        digest = bytes.fromhex(told.sha256)
        async with self.rows.asking(asker.token) as tx:
            found = await tx.row(
                "SELECT * FROM upload_begin(%s, %s, %s, %s, %s)", told.recording, told.bytes, digest, PART, key
            )
        assert found is not None
        return found

    async def _named(self, asker: Asker, told: FileTold, found: Row) -> None:
        """S3 begins it too. Where two instances do so at once, one name counts and the other upload ends."""
        ours = _WHOLE if told.parts == 1 else await self.bucket.begin(found["object_key"])
        async with self.rows.asking(asker.token) as tx:
            counts = await tx.value("SELECT upload_named(%s, %s, %s)", told.recording, "", ours)
        if counts != ours:
            await self.bucket.abort(found["object_key"], ours)

    async def _upload(self, asker: Asker, recording: str) -> Row | None:
        async with self.rows.asking(asker.token) as tx:
            return await tx.row("SELECT object_key, upload, size, digest FROM uploads WHERE recording = %s", recording)

    async def _going_on(self, asker: Asker, recording: str) -> Row:
        found = await self._upload(asker, recording)
        if found is None or not found["upload"]:
            raise TeamError("error.team.missing")
        return found

    async def _whole(self, asker: Asker, told: RecordingTold, begun: Row) -> Stored:
        """The object, put together of its parts."""
        async with self.rows.asking(asker.token) as tx:
            parts = await tx.all(
                "SELECT part, digest, etag FROM upload_parts WHERE recording = %s ORDER BY part", told.recording
            )
        if begun["upload"] == _WHOLE:
            return Stored(parts[0]["etag"], told.bytes)
        named = [Part(one["part"], one["etag"], told.part_bytes(one["part"])) for one in parts]
        digests = [bytes(one["digest"]) for one in parts]
        try:
            return await self.bucket.complete(begun["object_key"], begun["upload"], named, digests)
        except TeamError as error:
            # It was put together before, and the answer or the service was lost.
            there = await self.bucket.newest(begun["object_key"])
            if error.code != "error.team.storage_absent" or there is None or there.size != told.bytes:
                raise
            return there

    async def _checked(self, told: RecordingTold, begun: Row, stored: Stored) -> tuple[Stored, dict[int, int]]:
        """What lies in S3 is what was told, byte by byte. Chunks by segment."""
        structure = Structure(told.recording, told.opened_at, told.call.time_zone, told.structure())
        async for block in self.bucket.read(begun["object_key"], stored.version):
            structure.feed(block)
        if structure.end() != bytes.fromhex(told.sha256):
            raise TeamError("error.team.digest_wrong")
        return stored, structure.chunks()

    async def _anew(self, asker: Asker, recording: str, upload: str) -> NoReturn:
        """S3 no longer has what the database names: somebody cleaned up there. The desk begins again, and loses nothing."""
        async with self.rows.asking(asker.token) as tx:
            await tx.all("SELECT upload_named(%s, %s, %s)", recording, upload, "")
        raise TeamError("error.team.begin_again")

    async def _written(
        self, asker: Asker, told: RecordingTold, stored: Stored, chunks: dict[int, int], now: datetime
    ) -> State:
        rows = Jsonb(rows_of(told, stored, chunks, self.numbers, now))
        async with self.rows.asking(asker.token) as tx:
            result = await tx.row("SELECT * FROM recording_store(%s, %s)", told.recording, rows)
            assert result is not None
            if result["result"] == ERASED:
                return State(ERASED)
            off = told.clock - now
            if abs(off) > SKEW:
                noted = {"seconds": round(off.total_seconds()), "waits_for_custody": -off > SHORTENS}
                await tx.all(
                    "SELECT audit_note('clock_off', 'G10', %s, %s, %s)", told.call.call, told.recording, Jsonb(noted)
                )
            head = (result["head"], result["head_hash"])
            receipt = self.signer.receipt(told.recording, told.sha256, wraps_digest(told.wraps), head, now)
            await tx.all("SELECT receipt_keep(%s, %s)", told.recording, receipt)
        return State(STORED, receipt=receipt)

    async def _forget(self, key: str, upload: str) -> None:
        if upload == _WHOLE:
            await self.bucket.erase(key)
        elif upload:
            await self.bucket.abort(key, upload)
            await self.bucket.erase(key)


def _missing(told: FileTold, begun: Row) -> tuple[int, ...]:
    return tuple(number for number in range(1, told.parts + 1) if number not in begun["have"])


def rows_of(
    told: RecordingTold, stored: Stored, chunks: dict[int, int], numbers: NumberKey, now: datetime
) -> dict[str, Any]:
    """As `recording_store` takes them. What the desk says counts no further than it may: whose desk it is says the session, how
    long it lives the earlier clock."""
    call, number = told.call, {}
    if call.number is not None:
        seals = [
            {"role": one.role.value, "key_id": one.key_id, "suite": one.suite, "sealed": one.sealed.hex()}
            for one in call.number_seals
        ]
        number = {"number": {"hash": numbers.hash_of(call.number).hex(), "seals": seals}}
    return {
        "call": call.model_dump(mode="json", exclude={"number", "number_seals"})
        | {"started_at": _iso(min(call.started_at, now))},
        **number,
        "recording": {
            "opened_at": _iso(min(told.opened_at, now)),
            "closed_at": _iso(min(told.closed_at or told.broke_off_at or now, now)),
            "broke_off": told.broke_off_at is not None,
            "restricted": told.restricted,
            "object_version": stored.version,
            "size": told.bytes,
            "digest": told.sha256,
        },
        "purposes": [_purpose(told, one, now) for one in told.purposes],
        "segments": [
            {
                "segment": one.segment,
                "opened_at": _iso(min(one.opened_at, now)),
                "purposes": [purpose.value for purpose in one.purposes],
                "chunks": chunks[one.segment],
            }
            for one in told.segments
        ],
        "wraps": [
            {
                "segment": one.segment,
                "role": one.role.value,
                "key_id": one.key_id,
                "suite": one.suite,
                "sealed": one.sealed.hex(),
            }
            for one in told.wraps
        ],
        "holds": [one.model_dump(mode="json") for one in told.holds],
    }


def _purpose(told: RecordingTold, one: PurposeRow, now: datetime) -> dict[str, Any]:
    row: dict[str, Any] = one.model_dump(mode="json")
    ends, judge = told.ends(one, now), told.judged(one)
    row |= (
        {"expires_on": ends[0].isoformat(), "ends_at": _iso(ends[1])} if ends else {"expires_on": None, "ends_at": None}
    )
    return row | {"judge_until": _iso(judge) if judge else None, "at_end": told.at_end(one, now)}


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
