"""Signs where the service's log stands, with the entry up to which the database says that it is safe (ADR 065).

The key is the sweep's alone: a service that is taken over can sign no other log. A desk that keeps a head finds out one.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from softphone.domain.heads import Head
from softphone.system.signature import public_half
from softphone.team.objects import Bucket
from softphone.team.objects.tombstones import head_at, put_head
from softphone.team.rows import proving
from softphone.team.rows.pool import Rows
from softphone.team.settings import Durable

HOURLY, AT_MOST = timedelta(hours=1), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Heads:
    private: bytes = field(repr=False)
    durable: Durable
    every: timedelta = HOURLY

    @property
    def key(self) -> str:
        return public_half(self.private)

    async def sign(self, rows: Rows, bucket: Bucket, now: datetime) -> bool:
        """Whether one was signed: none is, where the last is younger than `every`. The same in storage; raises TeamError."""
        async with rows.nobody() as tx:
            last = await proving.last_head(tx)
            epoch, went_on = await proving.restored_since(tx, last.epoch if last else 0)
        if last is not None:
            # Who signed it may have been killed before storage had it.
            if await head_at(bucket, last.serial) is None:
                await put_head(bucket, last)
            # Of a restore desks learn at once.
            if now - last.at < self.every and went_on is None:
                return False
        async with rows.nobody() as tx:
            marked = await proving.mark(tx)
        async with rows.nobody() as tx:
            durable = await self._durable(rows, marked)
            row = await tx.row("SELECT * FROM service_head()")
            if row is None:
                return False
            before = last or Head(0, 0, "", now, 0, 0, 0, "", "")
            head = Head(
                serial=before.serial + 1,
                number=row["number"],
                hash=row["hash"],
                at=now,
                # Said once, it stands, unless a restore took it.
                durable_to=min(row["number"], max(durable, before.durable_to if went_on is None else 0)),
                epoch=max(epoch, before.epoch),
                restored_from=before.restored_from if went_on is None else went_on,
                previous=before.digest() if last else "",
                key=self.key,
            )
            signed = signed_by(self.private, head)
            if not await proving.sign_head(tx, signed):
                return False
        await put_head(bucket, signed)
        return True

    async def _durable(self, rows: Rows, marked: int) -> int:
        if self.durable is Durable.ALONE:
            return marked
        async with rows.nobody() as tx:
            if self.durable is Durable.STANDBY:
                return marked if await proving.follows(tx) else 0
            return await proving.archived(tx)


def signed_by(private: bytes, head: Head) -> Head:
    signature = Ed25519PrivateKey.from_private_bytes(private).sign(head.to_sign())
    return replace(head, signature=base64.b64encode(signature).decode("ascii"))
