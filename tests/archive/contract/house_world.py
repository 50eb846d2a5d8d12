"""The house of the contract before the team's archive: its real service on PostgreSQL and SeaweedFS, and desks that signed in.

What is recorded was uploaded as a desk ships it. Each person has a connection and a keyring of their own.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from psycopg.types.json import Jsonb
from uuid_utils import uuid7

from softphone.archive.crypto import ring
from softphone.archive.crypto.note_seals import seal_note
from softphone.archive.crypto.ring import KeyPurpose, Known
from softphone.archive.crypto.wraps import SUITE, fingerprint, private_name
from softphone.domain.archive.interface import SeenArchive
from softphone.domain.archive.recordings import AuditRow
from softphone.domain.policy import Policy
from softphone.domain.purpose import Basis, KeyRole, Purpose
from softphone.domain.roles import Role, role_of
from softphone.house import keys
from softphone.house.archive import HouseArchive
from softphone.house.reading_key import reading_key, tell_reading_key
from softphone.system.policy_file import parse_policy
from tests.archive.contract.people import PEOPLE
from tests.archive.people import ANNA, BO, TEAM
from tests.archive.scene import MemoryKeys
from tests.days import house_day
from tests.house.joined import Joined, signed_in
from tests.peers import seaweedfs
from tests.peers.postgres import Server
from tests.peers.processes import free_port
from tests.policies import KEYS, POLICY
from tests.team.desk import made, spoken
from tests.team.served import CREDULOUS, Team, whole


class HouseWorld:
    """`archive` of each person is what a joined desk's commands and windows get."""

    def __init__(self, folder: Path, server: Server, database: str, s3: str) -> None:
        self._now = datetime.now(UTC)
        self.team = Team(folder, server, database, seaweedfs.bucket(s3), address=f"https://localhost:{free_port()}")
        self.team.environment[CREDULOUS] = "1"  # its policies are rows alone, which nobody signs
        self._folder = folder
        self._policies = 0
        self.policy = parse_policy(self._policy_text()).policy
        self._numbers: dict[str, str] = {}
        """of each call, as the desk that had it knows it"""
        self._archives: dict[tuple[str, str], HouseArchive] = {}
        self._joined: list[Joined] = []
        self.team.start()
        # Anna has another machine where she looks: the same person there, by the name that `seen_by` has for her.
        names = {account: who for who, (_, account) in PEOPLE.items() if account} | {BO: "another agent"}
        self._desks = {one: self.team.desk("agent", agents=[one], name=names[one]) for one in (ANNA, BO)}

    def close(self) -> None:
        for one in self._joined:
            one.connection.close()
        self.team.end()

    @property
    def now(self) -> datetime:
        """Of the service, whose clock nobody sets: in its place what ends by itself moves."""
        return self._now

    @now.setter
    def now(self, now: datetime) -> None:
        self.team.sql("UPDATE call_notes SET until_at = until_at - %s", now - self._now)
        self._now = now

    @property
    def policy(self) -> Policy:
        return self._policy

    @policy.setter
    def policy(self, policy: Policy) -> None:
        """Taken in by the house, as the next."""
        self._policy = policy
        self._policies += 1
        named = [
            {"role": one.purpose.value, "key_id": fingerprint(raw), "public_key": raw.hex()}
            for one in policy.recipient
            if (raw := base64.b64decode(one.public_key))
        ]
        ids = {one.id: fingerprint(base64.b64decode(one.public_key)) for one in policy.recipient}
        teams = [
            {
                "team": one.id,
                "agents": list(one.agents),
                "lines": list(one.lines),
                "leads": [ids[lead] for lead in one.leads],
            }
            for one in policy.team
        ]
        self.team.sql(
            "SELECT policy_take(%s, %s, %s, NULL, %s, %s, %s)",
            *(self._policies, b"signed", "signer", policy.own_calls.length(), Jsonb(named), Jsonb(teams)),
            user="klartone_migrator",
        )

    def _policy_text(self) -> str:
        text = POLICY
        for role, public in KEYS.items():
            ours = self.team.keys.recipient(KeyRole(role)).public_key
            text = text.replace(public, base64.b64encode(ours).decode("ascii"))
        return text.replace("[[line]]", f"{TEAM}\n[[line]]", 1)

    def recorded(
        self,
        *purposes: Purpose,
        agent: str = ANNA,
        number: str,
        ago: timedelta = timedelta(hours=1),
        judged: bool = False,
        objection: bool = False,
        special: bool = False,
        basis: Basis | None = None,
    ) -> str:
        one = made(
            self.team.keys,
            agent=agent,
            line="salg",
            number=number,
            started=datetime.now(UTC) - ago,
            purposes=tuple(it.value for it in purposes),
            sound=spoken(1),
            kept="P3M",
        )
        for it in one.told["purposes"]:
            it["at_end"] = "review" if judged else "delete"
            it |= {"basis": basis.value} if basis else {}
        if special:
            one.told["call"]["notice"] = "N8"
        if objection:
            one.told |= {
                "restricted": "objection",
                "wraps": [it for it in one.told["wraps"] if it["role"] == "custody"],
            }
        assert whole(self._desks[agent].upload(one))["state"] == "stored"
        self._numbers[one.told["call"]["call"]] = number
        return one.recording

    def noted(self, number: str, text: str) -> None:
        call, custody = str(uuid7()), self.team.keys.recipient(KeyRole.CUSTODY)
        sealed = base64.b64encode(seal_note(text, custody, call)).decode("ascii")
        told = {
            "agent": ANNA,
            "number": number,
            "at": self.now.isoformat(),
            "until": str(house_day(self.now) + self.policy.own_calls.length()),
            "time_zone": "Europe/Copenhagen",
            "seals": [{"key_id": custody.key_id, "suite": SUITE, "sealed": sealed}],
        }
        assert self._desks[ANNA].ask("PUT", f"/v1/notes/{call}", told).status == 204

    def seen_by(self, who: str, user: str = "") -> SeenArchive:
        if (who, user) not in self._archives:
            self._archives[who, user] = self._signed_in(who, user or who)
        return cast("Any", self._archives[who, user])

    def _signed_in(self, who: str, user: str) -> HouseArchive:
        key, account = PEOPLE[who]
        role = role_of(key) if key else Role.AGENT if account else Role.IT
        home = self._folder / f"{who}-{user}"
        joined = signed_in(self.team, home, role.value, agents=[account] if account else [], name=user)
        self._joined.append(joined)
        store = MemoryKeys()
        if key:
            private = self.team.keys.keys[key]
            public = private.public_key().public_bytes_raw()
            store.set(private_name(fingerprint(public)), private.private_bytes_raw())
            ring.remember(store, Known(key.value, KeyPurpose(key.value), public))
            assert keys.prove(joined.connection, store, joined.desk, {role})
        if account:
            tell_reading_key(joined.connection, joined.keyring, joined.desk)
        return HouseArchive(
            joined.connection,
            store,
            self._numbers.get,
            policy=lambda: self.policy,
            reading_key=lambda: reading_key(joined.keyring, joined.desk),
        )

    def log(self) -> list[AuditRow]:
        asked = "SELECT number, at, event, rule, told, recording FROM audit WHERE chain = 'service' ORDER BY number"
        return [
            AuditRow(number, at, event, rule, json.loads(told)["params"], recording)
            for number, at, event, rule, told, recording in self.team.sql(asked)
        ]
