"""Whether a packet of SRTP is the party's, by the key that its SDP gave (RFC 3711, RFC 4568). It decrypts nothing.

Only a source that is new is checked: PJMEDIA itself drops what is forged. So no sound waits for this.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from collections.abc import Mapping, Sequence

SUITE = "AES_CM_128_HMAC_SHA1_80"
TAG = 10
"""bytes of authentication behind a packet"""
_MASTER, _SALT = 16, 14
_AUTH_KEY = 20
_LABEL = 1
_ROC = struct.Struct("!I")


def read_keys(crypto: Sequence[str]) -> dict[str, bytes]:
    """Key and salt by tag, of the a=crypto lines with our suite."""
    found: dict[str, bytes] = {}
    for line in crypto:
        tag, suite, parameters = (*line.split(" ", 2), "", "")[:3]
        inline = parameters.partition(" ")[0].partition("|")[0].removeprefix("inline:")
        try:
            key = base64.b64decode(inline, validate=True)
        except ValueError:
            continue
        if suite == SUITE and len(key) == _MASTER + _SALT:
            found[tag] = key
    return found


def party_key(ours: Mapping[str, bytes], theirs: Mapping[str, bytes]) -> bytes | None:
    """What the party sends with: both descriptions name the agreed line by the same tag."""
    return next((theirs[tag] for tag in theirs if tag in ours), None)


class SrtpCheck:
    """One stream's. It counts its sequence numbers' turns, which a packet does not carry."""

    def __init__(self, key: bytes) -> None:
        # The library is large, and most phones talk plain.
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        counter = bytearray(key[_MASTER:] + b"\0\0")
        counter[7] ^= _LABEL
        cipher = Cipher(algorithms.AES(key[:_MASTER]), modes.CTR(bytes(counter))).encryptor()
        self._key = cipher.update(bytes(_AUTH_KEY))
        self._ssrc: int | None = None
        self._last = self._turns = 0

    def passed(self, ssrc: int, number: int) -> None:
        """A packet of the believed source."""
        if ssrc != self._ssrc:
            self._ssrc, self._last, self._turns = ssrc, number, 0
            return
        ahead = (number - self._last) & 0xFFFF
        if ahead < 0x8000:
            self._turns += number < self._last
            self._last = number

    def is_authentic(self, data: bytes, ssrc: int) -> bool:
        if len(data) <= TAG:
            return False
        said, tag = data[:-TAG], data[-TAG:]
        turns = {self._turns, self._turns + 1, max(0, self._turns - 1)} if ssrc == self._ssrc else {0}
        return any(
            hmac.compare_digest(hmac.new(self._key, said + _ROC.pack(one), hashlib.sha1).digest()[:TAG], tag)
            for one in turns
        )
