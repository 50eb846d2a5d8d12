"""Whether a packet of SRTP is the party's, by the key that its SDP gave (RFC 3711, RFC 4568). It decrypts nothing.

PJMEDIA itself drops what is forged or comes twice; here it changes nothing that the relay knows of the party. Control packets
are checked likewise, and dropped.
"""

from __future__ import annotations

import base64
import hmac
import struct
from collections.abc import Iterable, Mapping, Sequence

SUITE = "AES_CM_128_HMAC_SHA1_80"
TAG = 10
"""bytes of authentication behind a packet"""
MOST_STREAMS = 64
"""by one key. The numbers of none are forgotten: its packets could be sent again"""
FIRST_TURNS = 16
"""of a stream that was under way before its key was known here: six hours"""
_MASTER, _SALT = 16, 14
_AUTH_KEY = 20
_OF_SOUND, _OF_CONTROL = 1, 4
"""labels of the keys that authenticate (RFC 3711 4.3.2)"""
_ROC = struct.Struct("!I")
_INDEX = 0x7FFFFFFF
"""of a control packet, behind the flag for encryption"""


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
    """One call's. It counts the turns of its sequence numbers, which a packet of sound does not carry."""

    def __init__(self, key: bytes) -> None:
        self._key, self._control_key = _derived(key, _OF_SOUND), _derived(key, _OF_CONTROL)
        self._last: dict[int, int] = {}
        """the highest number of each stream, with its turns"""
        self._last_control: dict[int, int] = {}

    def proves(self, data: bytes, ssrc: int, number: int) -> bool:
        """Whether it was made with the key and is newer than the stream's last: one that was caught and sent again is not."""
        last = self._last.get(ssrc)
        possible: Iterable[int] = range(FIRST_TURNS)
        if last is not None:
            ahead = (number - last) & 0xFFFF
            if not 0 < ahead < 0x8000:
                return False
            possible = ((last + ahead) >> 16,)
        elif len(self._last) >= MOST_STREAMS:
            return False
        turns = next((one for one in possible if self._is_authentic(data, one)), None)
        if turns is not None:
            self._last[ssrc] = turns << 16 | number
        return turns is not None

    def proves_control(self, data: bytes, ssrc: int) -> bool:
        """The same of a control packet, which carries its whole number (3.4)."""
        if len(data) <= _ROC.size + TAG:
            return False
        number = _ROC.unpack_from(data, len(data) - TAG - _ROC.size)[0] & _INDEX
        known = self._last_control.get(ssrc)
        is_new = number > known if known is not None else len(self._last_control) < MOST_STREAMS
        made = hmac.digest(self._control_key, data[:-TAG], "sha1")
        if not is_new or not hmac.compare_digest(made[:TAG], data[-TAG:]):
            return False
        self._last_control[ssrc] = number
        return True

    def _is_authentic(self, data: bytes, turns: int) -> bool:
        if len(data) <= TAG:
            return False
        made = hmac.digest(self._key, data[:-TAG] + _ROC.pack(turns), "sha1")
        return hmac.compare_digest(made[:TAG], data[-TAG:])


def _derived(key: bytes, label: int) -> bytes:
    # The library is large, and most phones talk plain.
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    counter = bytearray(key[_MASTER:] + b"\0\0")
    counter[7] ^= label
    cipher = Cipher(algorithms.AES(key[:_MASTER]), modes.CTR(bytes(counter))).encryptor()
    return cipher.update(bytes(_AUTH_KEY))
