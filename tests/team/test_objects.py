"""Sealed containers in a real S3."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from softphone.domain.errors import TeamError
from softphone.team.objects import PART, Bucket, Part, Stones, Storage, Tombstone, check
from softphone.team.objects.bucket import digest
from tests.peers import radosgw, seaweedfs
from tests.peers.authority import Authority
from tests.peers.tcp_way import way

pytestmark = [pytest.mark.peer("seaweedfs"), radosgw.TOO]


def run(storage: Storage, deed: Callable[[Bucket], Awaitable[None]]) -> None:
    async def whole() -> None:
        bucket = Bucket(storage)
        try:
            await deed(bucket)
        finally:
            bucket.close()

    asyncio.run(whole())


async def refused(deed: Awaitable[object]) -> str:
    with pytest.raises(TeamError) as caught:
        await deed
    return caught.value.code.removeprefix("error.team.")


async def read(bucket: Bucket, key: str, version: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([block async for block in bucket.read(key, version, start, end)])


def test_a_container_in_parts_resumes_after_a_lost_answer_and_reads_from_any_byte(storage: Storage) -> None:
    data = secrets.token_bytes(2 * PART + 12_345)
    pieces = [data[at : at + PART] for at in range(0, len(data), PART)]
    digests = [digest(one) for one in pieces]

    async def first(bucket: Bucket) -> None:
        upload = await bucket.begin("recordings/r")
        await asyncio.gather(*(bucket.put_part("recordings/r", upload, n + 1, pieces[n], digests[n]) for n in (2, 0)))
        begun.append(upload)

    async def then(bucket: Bucket) -> None:
        """Another instance, which knows the upload's id alone."""
        (upload,) = begun
        there = await bucket.parts("recordings/r", upload)
        assert [(one.number, one.size) for one in there] == [(1, PART), (3, 12_345)]
        again = [await bucket.put_part("recordings/r", upload, n, pieces[n - 1], digests[n - 1]) for n in (2, 3)]
        there = sorted([there[0], *again], key=lambda one: one.number)
        lie = [there[0], Part(2, there[0].tag, PART), there[2]]
        assert await refused(bucket.complete("recordings/r", upload, lie, digests)) == "storage_refused"
        stored = await bucket.complete("recordings/r", upload, there, digests)
        assert stored.size == len(data)
        assert await bucket.newest("recordings/r") == stored
        assert await read(bucket, "recordings/r", stored.version) == data
        edge = PART - 3
        assert await read(bucket, "recordings/r", stored.version, edge, edge + 9) == data[edge : edge + 9]
        assert await read(bucket, "recordings/r", stored.version, len(data) - 1) == data[-1:]
        # Asked once more after a lost answer, some servers repeat it and others know the upload no longer: one object either way.
        with contextlib.suppress(TeamError):
            assert await bucket.complete("recordings/r", upload, there, digests) == stored
        assert await bucket.versions("recordings/r") == [stored.version]
        await bucket.abort("recordings/r", upload)

    begun: list[str] = []
    run(storage, first)
    run(storage, then)


def test_what_is_changed_between_the_end_of_tls_and_storage_is_refused(
    s3: str, storage: Storage, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    signed = authority.sign("s3", "127.0.0.1")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(signed.certificate, signed.key)

    async def deed(bucket: Bucket) -> None:
        upload = await bucket.begin("k")
        between.sent = lambda data: data.replace(b"as it was", b"and other")
        assert await refused(bucket.put("k", b"as it was", digest(b"as it was"))) == "storage_refused"
        assert await refused(bucket.put_part("k", upload, 1, b"as it was", digest(b"as it was"))) == "storage_refused"
        assert (await bucket.versions("k"), await bucket.parts("k", upload)) == ([], [])

    with way(int(s3.rpartition(":")[2]), tls) as between:
        address = f"https://127.0.0.1:{between.port}"
        run(replace(storage, endpoint=address, authority=str(authority.file)), deed)


def test_a_hold_outlasts_an_erasure_which_otherwise_takes_every_version(storage: Storage) -> None:
    async def deed(bucket: Bucket) -> None:
        versions = [(await bucket.put("k", data, digest(data))).version for data in (b"one", b"two")]
        await bucket.put("k2", b"neighbour", digest(b"neighbour"))
        assert await bucket.versions("k") == versions[::-1]
        await bucket.hold("k", versions[0], True)
        await bucket.hold("k", versions[0], True)
        assert [await bucket.is_held("k", one) for one in versions] == [True, False]
        assert await refused(bucket.erase("k")) == "object_held"
        assert await refused(bucket.erase_version("k", versions[0])) == "object_held"
        assert await read(bucket, "k", versions[0]) == b"one"
        assert await read(bucket, "k", versions[1]) == b"two"
        await bucket.hold("k", versions[0], False)
        await bucket.client.call("delete_object", Key="k")  # by somebody else: a mark lies on top, nothing has gone
        assert await bucket.newest("k") is None
        assert await bucket.erase("k") == 3
        assert await bucket.versions("k") == []
        assert await refused(read(bucket, "k", versions[1])) == "storage_absent"
        assert await bucket.erase("k") == 0
        assert await bucket.versions("k2") != []

    run(storage, deed)


def test_tombstones_come_in_their_order_however_they_were_written(storage: Storage) -> None:
    now = datetime(2026, 11, 29, 12, tzinfo=UTC)
    stones = [Tombstone(now + timedelta(hours=n), "recording", f"id-{n}") for n in range(4)]

    async def deed(bucket: Bucket) -> None:
        written = Stones(bucket, b"k" * 32)
        for one in (stones[2], stones[0], stones[3], stones[1], stones[0]):
            await written.write(one)
        assert [one async for one in written.tombstones(None)] == stones
        since = [one async for one in written.tombstones(stones[2].at)]
        assert since == stones[2:]
        assert written.forged == set()
        # Written over, it is what it was; under another name, or by another key, it is nothing.
        await bucket.put(stones[1].key, b"{}", digest(b"{}"))
        (data,) = [block async for block in bucket.read(stones[0].key, "")]
        moved = Tombstone(now + timedelta(hours=5), "recording", "id-0").key
        await bucket.put(moved, data, digest(data))
        assert [one async for one in written.tombstones(None)] == stones
        assert written.forged == {stones[1].key, moved}
        assert [one async for one in Stones(bucket, b"o" * 32).tombstones(None)] == []

    run(storage, deed)


def test_what_a_bucket_lacks_is_told_each_in_its_own_words(s3: str, storage: Storage) -> None:
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
    told: list[list[str]] = []

    async def ask(bucket: Bucket) -> None:
        told.append([one.code.removeprefix("error.team.bucket.") for one in await check(bucket)])

    async def keep_by_itself(bucket: Bucket) -> None:
        locks = {"ObjectLockEnabled": "Enabled", "Rule": rule}
        await bucket.client.call("put_object_lock_configuration", ObjectLockConfiguration=locks)
        await ask(bucket)

    async def gone(bucket: Bucket) -> None:
        assert await refused(check(bucket)) == "storage_unreachable"

    run(storage, ask)
    run(storage, keep_by_itself)
    run(seaweedfs.bucket(s3, lock=False), ask)
    run(seaweedfs.bucket(s3, lock=False, versions=False), ask)
    run(Storage("nobody-made-this", seaweedfs.ACCESS, seaweedfs.SECRET, s3), ask)
    run(Storage(storage.bucket, seaweedfs.ACCESS, "another", s3), ask)
    assert told == [
        [],
        ["keeps_by_itself"],  # nothing could be erased
        ["no_lock"],
        ["no_versions", "no_lock"],
        ["no_bucket"],
        ["refused"],
    ]
    run(Storage(storage.bucket, seaweedfs.ACCESS, seaweedfs.SECRET, "http://127.0.0.1:9"), gone)
