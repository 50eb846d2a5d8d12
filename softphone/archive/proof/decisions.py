"""What data protection decides is proved by the key it decided with: whoever has the catalog's key can write an entry that
says so, and not its proof (ADR 022).

    proof = HMAC-SHA256(HKDF-SHA256(private key, info "klartone decision 1", no salt, 32), json), hex
    json  = [archive, desk, at, event, rule, call, recording, params without proof]: ASCII, keys sorted, no spaces
"""

from __future__ import annotations

import hmac
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from softphone.archive.proof.told import Found, Told
from softphone.domain.changes import AuditEntry

LIFTED = "hold_lifted"
"""also a desk's own entry, without a key: of what was undone in a call, or went with its recording"""
CONFIRMED = "hold_confirmed"
DECISIONS = frozenset(
    {CONFIRMED, LIFTED, "access_answered", "access_not_answered", "judged_kept", "judged_ended"}
    | {
        "case_upheld",
        "case_rejected",
        "clock_believed",
        "policy_signer_chosen",
        "policy_signer_lifted",
        "orphan_deleted",
    }
)
KEY, PROOF, HOLD = "key", "proof", "hold"
"""in an entry: the key that decided, its proof, and the id of the hold that is placed, lifted or ended"""
Deciding = Callable[[AuditEntry], AuditEntry]
"""gives an entry the proof that custody decided it"""
KEY_SHOWN = 16
"""characters of a key id that an entry of the log has: who opened, decided or was refused"""


class Decider:
    """A custody key that decides, as far as an entry needs it."""

    def __init__(self, archive: str, desk: str, key_id: str, private: bytes) -> None:
        self._of = (archive, desk)
        self._key_id = key_id
        self._secret = HKDF(hashes.SHA256(), 32, None, b"klartone decision 1").derive(private)

    def proved(self, entry: AuditEntry) -> AuditEntry:
        """With the key that decided and its proof."""
        told = {**entry.params, KEY: self._key_id[:KEY_SHOWN]}
        proof = self.proof(entry.at.isoformat(), entry.event, entry.rule, entry.call, entry.recording, told)
        return replace(entry, params={**told, PROOF: proof})

    def proof(self, at: str, event: str, rule: str, call: str, recording: str | None, params: Mapping[str, Any]) -> str:
        said = {name: value for name, value in params.items() if name != PROOF}
        told = [*self._of, at, event, rule, call, recording, said]
        text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hmac.digest(self._secret, text.encode("ascii"), "sha256").hex()


class Decided:
    """The decisions in a log that has been read. `demo`: whose keys lie beside it, so that a proof says nothing."""

    def __init__(self, rows: Iterable[Any], told: Told, archive: str, *, demo: bool) -> None:
        self._rows = [(row, _params(row.params)) for row in rows]
        self._told = told
        self._archive = archive
        self._demo = demo
        self.count = sum(KEY in params for _, params in self._rows)
        self.proved = 0

    def against(self, keys: Mapping[str, bytes], custody: Collection[str]) -> Iterator[Found]:
        """What nobody with the key decided; and, where a custody key is here, what another is said to have decided. `keys`: the
        private ones that are here, by their ids; `custody`: the ids of all that are known to be, or to have been, custody's."""
        here = {key_id[:KEY_SHOWN]: (key_id, private) for key_id, private in keys.items()}
        known = {key_id[:KEY_SHOWN] for key_id in custody}
        others: Counter[str] = Counter()
        confirmed, lifted, seen = set[str](), set[str](), set[str]()
        for row, params in self._rows:
            where: dict[str, str | int] = {"event": row.event, "number": row.number}
            if PROOF not in params:
                if self._must(row, params):
                    yield "decision_unproved", where
                continue
            key, proof = str(params.get(KEY)), str(params[PROOF])
            if proof in seen or (key in here and proof != self._proof(row, params, here[key])):
                # One is of one entry: what was decided once, somebody has written again.
                yield "decision_forged", where
                continue
            seen.add(proof)
            self.proved += key in here
            others[key] += key not in here
            if key in here or key in known or not here:
                (confirmed if row.event == CONFIRMED else lifted).add(str(params.get(HOLD)))
        for desk, number, event in () if self._demo else self._told.signers:
            if number > self._told.since.get(desk, number):
                yield "decision_unproved", {"event": event, "number": number}
        for hold in sorted(confirmed & self._told.lifted.keys() - lifted):
            yield "hold_lifted_by_nobody", {"hold": hold, "number": self._told.lifted[hold]}
        for key, count in sorted(others.items()) if here else ():
            if count:
                yield "decision_of_another" if key in known else "decision_of_nobody", {"key": key, "count": count}

    def _proof(self, row: Any, params: Mapping[str, Any], key: tuple[str, bytes]) -> str:
        decider = Decider(self._archive, row.desk, *key)
        return decider.proof(row.at, row.event, row.rule, row.call, row.recording, params)

    def _must(self, row: Any, params: Mapping[str, Any]) -> bool:
        """Whether it could not be without a proof: an earlier version knew none, a desk lifts what it placed, and where nothing
        is sealed for custody whoever made the archive chooses the signer."""
        by_desk = row.event == LIFTED and KEY not in params
        if self._demo or by_desk or not isinstance(row.number, int):
            return False
        nobody = KEY not in params and (row.desk, row.number) in self._told.empty
        return row.number > self._told.since.get(row.desk, row.number) and not nobody


def _params(column: object) -> dict[str, Any]:
    """An entry that was changed may hold anything: the chain tells of that."""
    try:
        return dict(json.loads(str(column)))
    except (ValueError, TypeError):
        return {}
