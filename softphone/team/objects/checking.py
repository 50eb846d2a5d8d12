"""What a bucket must have, asked of storage itself: it says each shortcoming, and what to do about it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, cast

from softphone.domain.errors import TeamError
from softphone.team.objects.bucket import Bucket, digest


@dataclass(frozen=True, slots=True)
class Shortcoming:
    """`code` is a sentence's."""

    code: str
    params: dict[str, str] = field(default_factory=dict[str, str])


async def check(bucket: Bucket) -> list[Shortcoming]:
    """Empty: the bucket does. A probe is put, held, refused to be erased, released and erased. Raises TeamError only where
    storage cannot be reached."""
    name = {"bucket": bucket.name}
    try:
        versioning = await bucket.client.call("get_bucket_versioning")
    except TeamError as error:
        if error.code == "error.team.storage_unreachable":
            raise
        reason = "no_bucket" if error.code == "error.team.storage_absent" else "refused"
        return [Shortcoming(f"error.team.bucket.{reason}", name)]
    found: list[Shortcoming] = []
    if versioning.get("Status") != "Enabled":
        found.append(Shortcoming("error.team.bucket.no_versions", name))
    lock = await _lock(bucket)
    if lock is None:
        found.append(Shortcoming("error.team.bucket.no_lock", name))
    elif lock:
        found.append(Shortcoming("error.team.bucket.keeps_by_itself", name))
    # Without versions a probe would prove nothing; with a period of the bucket's own it could not be erased.
    return found or await _probed(bucket)


async def _lock(bucket: Bucket) -> dict[str, Any] | None:
    """The period that the bucket gives each object by itself, which may be none. None: it has no object lock."""
    try:
        told = await bucket.client.call("get_object_lock_configuration")
    except TeamError as error:
        if error.code == "error.team.storage_unreachable":
            raise
        return None
    lock = cast("dict[str, Any]", told.get("ObjectLockConfiguration", {}))
    if lock.get("ObjectLockEnabled") != "Enabled":
        return None
    return cast("dict[str, Any]", lock.get("Rule", {}).get("DefaultRetention", {}))


async def _probed(bucket: Bucket) -> list[Shortcoming]:
    name = {"bucket": bucket.name}
    key, data = f"probes/{secrets.token_hex(8)}", b"klartone"
    try:
        stored = await bucket.put(key, data, digest(data))
        await bucket.hold(key, stored.version, True)
        try:
            await bucket.erase_version(key, stored.version)
        except TeamError as error:
            if error.code != "error.team.object_held":
                raise
        else:
            return [Shortcoming("error.team.bucket.holds_nothing", name)]
        await bucket.hold(key, stored.version, False)
        await bucket.erase(key)
    except TeamError as error:
        if error.code == "error.team.storage_unreachable":
            raise
        return [Shortcoming("error.team.bucket.refused", name)]
    return []
