"""That the private keys in this keyring are here, proved to the house: what they open is found from then on.

The service asks by a nonce that is sealed to a key of the newest policy. No key leaves the keyring.
"""

from __future__ import annotations

import base64
from collections.abc import Collection

from softphone.archive.crypto.challenges import open_challenge
from softphone.archive.crypto.ring import known_keys
from softphone.archive.crypto.wraps import KeyStore, private_name
from softphone.domain.errors import HouseError
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Role, role_of
from softphone.house.connection import Connection

_UNKNOWN = frozenset({"error.team.key_unknown", "error.team.not_yours"})
"""the newest policy does not name it, or the house's directory does not give this person its role"""


def prove(
    connection: Connection,
    keys: KeyStore,
    desk: str,
    roles: Collection[Role],
    proved: Collection[tuple[KeyRole, str]] = (),
) -> list[tuple[KeyRole, str]]:
    """Those of this keyring that are for these roles, but for what is proved already. Returns those that the service took.

    `desk`: the id that this desk joined with, to which a challenge is bound. Raises HouseError, KeyringError.
    """
    took: list[tuple[KeyRole, str]] = []
    for one in known_keys(keys):
        role, private = one.purpose.role, keys.get(private_name(one.key_id))
        if role is None or private is None or role_of(role) not in roles or (role, one.key_id) in proved:
            continue
        try:
            if _proved(connection, private, role, one.key_id, desk):
                took.append((role, one.key_id))
        except HouseError as error:
            if error.code not in _UNKNOWN:
                raise
    return took


def _proved(connection: Connection, private: bytes, role: KeyRole, key_id: str, desk: str) -> bool:
    told = {"role": role.value, "key_id": key_id}
    challenge = connection.ask("POST", "/v1/keys/challenge", told).json
    try:
        sealed = base64.b64decode(challenge["sealed"], validate=True)
    except (KeyError, TypeError, ValueError):
        return False
    nonce = open_challenge(sealed, private, role, key_id, desk)
    if nonce is None:
        return False
    connection.ask("POST", "/v1/keys/answer", {**told, "nonce": base64.b64encode(nonce).decode("ascii")})
    return True
