"""That a person has a key of the policy: a nonce is sealed to it, and comes back. What it opens they see from then on."""

from __future__ import annotations

from softphone.archive.crypto.challenges import new_nonce, seal_challenge
from softphone.archive.crypto.wraps import Recipient, fingerprint
from softphone.domain.errors import TeamError
from softphone.domain.purpose import KeyRole
from softphone.team.people.asking import Asking
from softphone.team.rows import signing_in
from softphone.team.rows.errors import WrongError
from softphone.team.rows.pool import Rows


async def challenge(rows: Rows, asking: Asking, role: KeyRole, key_id: str) -> bytes:
    """Sealed for this key and for the desk that asks. `rows`: of the login that signs in. Raises TeamError `key_unknown`."""
    nonce = new_nonce()
    try:
        async with rows.asking(asking.token) as tx:
            await signing_in.challenge_key(tx, role, key_id, nonce)
            recipient = Recipient(key_id, role, await signing_in.public_key(tx, role, key_id) or b"")
    except WrongError:
        raise TeamError("error.team.key_unknown") from None
    # A key's id is a hash of it: no row names another in its place.
    if fingerprint(recipient.public_key) != key_id:
        raise TeamError("error.team.key_unknown")
    return seal_challenge(nonce, recipient, str(asking.who.desk))


async def answer(rows: Rows, asking: Asking, role: KeyRole, key_id: str, nonce: bytes) -> None:
    """Raises TeamError `key_refused`: it is another nonce, it came too late, or there was nothing to answer."""
    async with rows.asking(asking.token) as tx:
        proved = await signing_in.key_proved(tx, role, key_id, nonce)
    if not proved:
        raise TeamError("error.team.key_refused")
