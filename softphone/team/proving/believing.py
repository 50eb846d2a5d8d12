"""Each policy that the database has, and what its rows make of it, held against its signature.

The login that migrates takes policies in, and could take in one that nobody has signed. Desks check the signature by themselves;
here it is whose keys open, who leads whom, and how long anything is kept. The first policy's signer is believed, and each other
one by the word of the one before (ADR 062).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from softphone.domain.errors import TeamError
from softphone.system.signature import is_signed, succeeds
from softphone.team.rows import in_force
from softphone.team.rows.pool import Rows

_EVERY = 2.0
"""seconds between two looks"""


class Believed:
    """What was found so far. `refuse` raises TeamError where the newest policy is not to be believed."""

    def __init__(self) -> None:
        self._number, self._signer = 0, ""
        self._forged = 0
        """the number of the one that is not; 0: none"""

    def refuse(self) -> None:
        if self._forged:
            raise TeamError("error.team.policy_forged", number=self._forged)

    async def look(self, rows: Rows) -> None:
        """Raises TeamError where the database does not answer; else `refuse` knows more."""
        async with rows.nobody() as tx:
            for one in await in_force.signed_after(tx, self._number):
                genuine = is_signed(one.text, one.signature, one.signer)
                follows = one.signer == self._signer or not self._signer
                if not genuine or not (follows or succeeds(one.succession, self._signer, one.signer)):
                    self._forged = one.number
                    return
                self._number, self._signer = one.number, one.signer
            # Rows may be changed later, too.
            self._forged = 0 if await in_force.newest_holds(tx) else self._number

    async def keep_looking(self, rows: Rows) -> None:
        """Until it is cancelled."""
        while True:
            with suppress(TeamError):
                await self.look(rows)
            await asyncio.sleep(_EVERY)


async def refuse_forged(rows: Rows) -> None:
    """Raises TeamError `policy_forged`."""
    believed = Believed()
    await believed.look(rows)
    believed.refuse()
