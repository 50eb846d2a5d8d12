"""One recording, one row of the outbox, one piece of the log: how each goes to the house. Each step may be repeated.

In which order, and when, is the courier's (`courier`).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

from softphone.archive.archive import Archive
from softphone.archive.catalog import own_calls
from softphone.archive.crypto.note_seals import seal_note
from softphone.archive.crypto.number_seals import READ_BY, seal_number
from softphone.archive.crypto.recipients import policy_recipients
from softphone.archive.crypto.wraps import SUITE
from softphone.archive.finding.telling import rows_told
from softphone.archive.outbox import rows, shipping
from softphone.archive.outbox.rows import Item, Kind
from softphone.archive.retention.handed_over import ended_there, erased_there
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import HouseError
from softphone.domain.heads import Head
from softphone.domain.policy import Policy
from softphone.domain.purpose import KeyRole
from softphone.house import receipts
from softphone.house.answers import PART, Upload, heads_of, names, says_true, upload_of
from softphone.house.connection import Answer
from softphone.house.heads import asked_since, follow

_ANEW = frozenset({"error.team.begin_again", "error.team.part_missing", "error.team.missing"})
"""storage or service has lost what was under way: it is whole here"""
_TRIES = 3
_PAGES = 100
"""of heads that are read at once: those of two years"""
_LEAST_RATE = 32 << 10
"""bytes a second below which a part is given up"""


class Asks(Protocol):
    """As `Connection.ask`."""

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 20.0,
    ) -> Answer: ...


class GivesWay(Exception):  # noqa: N818 - it is no error
    """Something is to be heard at once. What has arrived of the file stays there, and the rest goes afterwards."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """`paced` gives a part's bytes as fast as they may go now. `go_on`: False once the engine ends; then InterruptedError.
    `urgent`: whether something is to be heard at once; where it is, `paced` and `ship` raise GivesWay.

    Raises HouseError and ArchiveError throughout.
    """

    ask: Asks
    paced: Callable[[Archive, bytes], Iterable[bytes]]
    urgent: Callable[[Archive], bool]
    go_on: Callable[[], bool]
    receipt_keys: Callable[[], Sequence[str]]
    policy: Callable[[], Policy | None] = lambda: None
    """the one in force: whom an agent's note and a party's number are sealed for; None: it is not known yet"""

    # --- what is to be heard at once --------------------------------------------------------------

    def tell(self, archive: Archive, item: Item) -> None:
        """It is taken from the outbox once the house has heard it."""
        late = False
        if item.kind is Kind.WITHDRAWAL:
            told = {"withdrawal": item.id, "call_group": item.call, **item.told}
            self.ask("POST", "/v1/withdrawals", told)
        elif item.kind is Kind.NUMBER:
            if item.number is not None:
                self.ask("POST", "/v1/numbers", {"number": item.number, **item.told})
        elif item.kind is Kind.HOLD:
            answer = self.ask("POST", "/v1/holds", {"holds": [{"recording": item.recording, **item.told}]})
            if not names(answer, "held", item.told["hold"]):
                # Nothing is there any more that it could hold.
                raise HouseError("error.house.nothing_to_hold", status=HTTPStatus.CONFLICT)
        elif item.kind is Kind.CASE:
            self.ask("POST", f"/v1/recordings/{item.recording}/case", {"case": item.id, **item.told})
        elif item.kind is Kind.UNDO:
            undone = says_true(self.ask("DELETE", f"/v1/holds/{item.told['hold']}"), "undone")
            late = item.told["known"] and not undone
        elif item.kind is Kind.NOTE:
            self.ask("PUT", f"/v1/notes/{item.call}", self._note(archive, item))
        with archive.catalog.writing() as tx:
            rows.told(tx, item)
            if late:
                # It stands in the house, where custody lifts it: kept too long is the safe side.
                told = {"hold": item.told["hold"]}
                tx.log(AuditEntry("undo_late", "G10", datetime.now(UTC), "", item.recording, told))

    def _note(self, archive: Archive, item: Item) -> dict[str, Any]:
        """As it stands now, for data protection's keys alone."""
        policy, call = self.policy(), item.call or ""
        custody = [one for one in policy_recipients(policy) if one.role is KeyRole.CUSTODY]
        if policy is None or not custody:
            raise HouseError("error.house.no_custody_key", status=HTTPStatus.CONFLICT)
        with archive.catalog.reading() as connection:
            words = own_calls.note_of(connection, archive.secrets, call)
        seals = [
            {
                "key_id": one.key_id,
                "suite": SUITE,
                "sealed": base64.b64encode(seal_note(words, one, call)).decode("ascii"),
            }
            for one in (custody if words else ())
        ]
        return {**item.told, "number": item.number, "time_zone": policy.time_zone, "seals": seals}

    # --- recordings -------------------------------------------------------------------------------

    def ship(self, archive: Archive, recording: str, call: str) -> bool:
        """True: it has arrived, or need not. False: it cannot be told just now. Raises GivesWay."""
        with archive.catalog.writing() as tx:
            shipping.begin(tx, recording, call)
        for _ in range(_TRIES):
            try:
                return self._ship(archive, recording)
            except HouseError as error:
                if error.code not in _ANEW:
                    raise
        return False

    def give_up(self, archive: Archive, recording: str) -> None:
        """Its recording has ended here before it arrived."""
        self.ask("DELETE", f"/v1/recordings/{recording}/upload")
        with archive.catalog.writing() as tx:
            shipping.forget(tx, recording)

    def _ship(self, archive: Archive, recording: str) -> bool:
        path = archive.vault.path(recording)
        try:
            size = path.stat().st_size
            data = path.read_bytes() if size <= PART else b""
            sha256 = hashlib.sha256(data).hexdigest() if data else self._digest(path)
        except OSError:
            raise HouseError("error.house.file_unreadable", status=HTTPStatus.CONFLICT) from None
        file = {"recording": recording, "bytes": size, "sha256": sha256}
        answer = self._whole(archive, file, data) if data else self._in_parts(archive, file, path)
        if answer is None:
            return False
        if answer.state == "erased":
            self._erased(archive, recording, sha256, answer)
            return True
        if not answer.receipt:
            return False
        self._received(archive, recording, sha256, answer.receipt)
        return True

    def _whole(self, archive: Archive, file: dict[str, Any], data: bytes) -> Upload | None:
        """In one request: a line of JSON, and the file behind it. None, also from the next one: it cannot be told just now."""
        told = self._told(archive, file["recording"])
        if told is None:
            return None
        if self.urgent(archive):
            raise GivesWay
        line = json.dumps({**told, **file}, separators=(",", ":")).encode()
        return upload_of(self._put(archive, f"/v1/recordings/{file['recording']}", line + b"\n" + data), file["bytes"])

    def _in_parts(self, archive: Archive, file: dict[str, Any], path: Path) -> Upload | None:
        answer = upload_of(self.ask("POST", "/v1/recordings", file), file["bytes"])
        if answer.state != "going_on":
            return answer
        there = f"/v1/recordings/{file['recording']}"
        for number in answer.missing:
            if self.urgent(archive):
                raise GivesWay
            try:
                with path.open("rb") as opened:
                    opened.seek((number - 1) * PART)
                    data = opened.read(PART)
            except OSError:
                # It has ended here meanwhile, which the next look sees.
                return None
            digest = base64.b64encode(hashlib.sha256(data).digest()).decode("ascii")
            self._put(archive, f"{there}/parts/{number}", data, {"Content-Digest": f"sha-256=:{digest}:"})
        told = self._told(archive, file["recording"])
        if told is None:
            return None
        return upload_of(self.ask("POST", f"{there}/finish", {**told, **file}, seconds=120), file["bytes"])

    def _told(self, archive: Archive, recording: str) -> dict[str, Any] | None:
        told, policy = rows_told(archive, recording, datetime.now(UTC)), self.policy()
        if told is None or policy is None:
            return None
        roles = {one["role"] for one in told["wraps"]}
        told["call"]["number_seals"] = _number_seals(policy, roles, **told["call"])
        return told

    def _received(self, archive: Archive, recording: str, sha256: str, told: str) -> None:
        receipt = receipts.checked(told, self.receipt_keys(), recording, sha256)
        with archive.catalog.writing() as tx:
            shipping.received(tx, recording, told, (receipt.entry, receipt.hash), datetime.now(UTC))

    def _erased(self, archive: Archive, recording: str, sha256: str, answer: Upload) -> None:
        receipts.check_erased(answer.receipt, self.receipt_keys(), recording, sha256)
        erased_there(archive, recording, datetime.now(UTC))

    def _put(self, archive: Archive, path: str, data: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        sent = {"Content-Length": str(len(data)), **(headers or {})}
        seconds = 60 + len(data) / _LEAST_RATE
        try:
            return self.ask("PUT", path, raw=self.paced(archive, data), headers=sent, seconds=seconds)
        except HouseError as error:
            if error.status != HTTPStatus.UNAUTHORIZED:
                raise
            # A token has ended, or the clocks differ: what is sent bit by bit is not sent anew. This mends it, or tells that the
            # desk is signed out.
            self.ask("GET", "/v1/me")
            return self.ask("PUT", path, raw=self.paced(archive, data), headers=sent, seconds=seconds)

    def _digest(self, path: Path) -> str:
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
                if not self.go_on():
                    raise InterruptedError
        return digest.hexdigest()

    def let_copy_go(self, archive: Archive, recording: str) -> None:
        """The one here, once the house says again that it has its own: a head may be of before it lost something."""
        path = archive.vault.path(recording)
        try:
            file: dict[str, Any] = {"recording": recording, "bytes": path.stat().st_size, "sha256": self._digest(path)}
        except OSError:
            return
        answer, now = upload_of(self.ask("POST", "/v1/recordings", file), file["bytes"]), datetime.now(UTC)
        if answer.state == "stored":
            shipping.let_copy_go(archive.catalog, archive.vault, recording, now)
        elif answer.state == "erased":
            self._erased(archive, recording, file["sha256"], answer)
        else:
            with archive.catalog.writing() as tx:
                shipping.lost(tx, recording, now)

    def ask_after(self, archive: Archive, recording: str) -> None:
        """A copy here that has arrived: what has ended in the house ends here, and what it has lost is told again."""
        with archive.catalog.reading() as connection:
            sha256 = receipts.sha256_of(shipping.receipt_of(connection, recording))
        try:
            size = archive.vault.path(recording).stat().st_size
        except OSError:
            return
        answer = upload_of(
            self.ask("POST", "/v1/recordings", {"recording": recording, "bytes": size, "sha256": sha256}), size
        )
        if answer.state == "erased":
            self._erased(archive, recording, sha256, answer)
        elif answer.state == "going_on":
            with archive.catalog.writing() as tx:
                shipping.lost(tx, recording, datetime.now(UTC))
        elif answer.ended:
            purposes = receipts.ended(answer.ended, self.receipt_keys(), recording, sha256)
            ended_there(archive, recording, purposes, datetime.now(UTC))

    # --- the log ----------------------------------------------------------------------------------

    def ship_log(self, archive: Archive) -> int:
        """A piece of it. Returns how many entries; 0: the house has them all."""
        with archive.catalog.reading() as connection:
            after, entries = shipping.entries(connection, archive.desk)
        if not entries:
            return 0
        try:
            self.ask("POST", "/v1/log", {"entries": entries}, seconds=60)
        except HouseError as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
            if after == 0:
                # Another one of this desk is there: its archive was put back, or stands on two machines.
                raise HouseError("error.house.log_refused", status=HTTPStatus.CONFLICT) from None
            # It lacks what came before: it was set back. What it has already changes nothing there.
            with archive.catalog.writing() as tx:
                shipping.log_is_at(tx, after // 2)
            return len(entries)
        with archive.catalog.writing() as tx:
            shipping.log_is_at(tx, entries[-1]["number"])
        return len(entries)


def _number_seals(
    policy: Policy, roles: Collection[str], *, number: str | None, call: str, line: str = "", **_: Any
) -> list[dict[str, str]]:
    """For data protection, and for whoever may open its documentation. `roles`: those that open it."""
    them = [
        seal_number(number, one, call)
        for one in policy_recipients(policy)
        if number is not None and one.role in READ_BY and one.role.value in roles and one.of_line(line)
    ]
    return [
        {
            "role": one.role.value,
            "key_id": one.key_id,
            "suite": one.suite,
            "sealed": base64.b64encode(one.sealed).decode("ascii"),
        }
        for one in them
    ]


def follow_heads(archive: Archive, ask: Asks, key: str) -> Head | None:
    """The newest, held against the last that was seen. After a restore of the house, what it has lost is to be shipped again.

    Raises HouseError: also where its log is not the one that it was.
    """
    with archive.catalog.reading() as connection:
        kept = rows.fact(connection, rows.HEAD)
    seen = Head.of(json.loads(kept)) if kept else None
    told = heads_of(ask("GET", f"/v1/heads?since={asked_since(seen)}" if seen else "/v1/heads"))
    for _ in range(_PAGES if seen and told else 0):
        if not (more := heads_of(ask("GET", f"/v1/heads?since={told[-1].serial}"))):
            break
        told += more
    followed = follow(seen, told, key)
    if followed is None:
        return None
    with archive.catalog.writing() as tx:
        if followed.restored_from is not None:
            shipping.ships_again(tx, followed.restored_from, datetime.now(UTC))
        if followed.newest != seen:
            rows.note(tx, rows.HEAD, json.dumps(followed.newest.told()))
    return followed.newest
