"""The courier against the real service: what a desk has recorded and decided arrives, once, and nothing goes here too early."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from softphone.archive.crypto.number_seals import NumberSeal, open_number
from softphone.archive.crypto.wraps import Wrap, unwrap
from softphone.archive.examine.verify import verify
from softphone.archive.files.reader import OpenedRecording
from softphone.archive.outbox import shipping
from softphone.domain.changes import (
    ChangeHold,
    Discard,
    DropWraps,
    HoldBy,
    LiftHold,
    PlaceHold,
    RememberRefusal,
    Restrict,
)
from softphone.domain.errors import HouseError, UnreachableError
from softphone.domain.policy import Policy
from softphone.domain.purpose import KeyRole, Purpose
from softphone.house import courier as module
from softphone.house import receipts
from softphone.house.courier import Courier, Report
from softphone.system.policy_file import parse_policy
from softphone.team.objects import Bucket, Storage
from tests.archive.scene import DOCUMENTATION, TRAINING, Scene, voices
from tests.house.joined import Joined, policy_text, signed_in
from tests.peers.postgres import Server
from tests.peers.processes import free_port, until
from tests.peers.tcp_way import way
from tests.team.desk import port_of
from tests.team.local import AGENT, begun, ended
from tests.team.served import Team
from tests.team.test_heads import an_hour_later, key_of
from tests.team.test_restored import backup

pytestmark = [pytest.mark.peer("postgresql"), pytest.mark.peer("seaweedfs")]
NUMBER = "+4570101010"
BO = "bo@klartone.test"


@dataclass
class Office:
    """One desk of a house, with its archive; `courier()` runs one over it."""

    team: Team
    scene: Scene
    joined: Joined
    reports: list[Report] = field(default_factory=list[Report])
    head_key: str = ""
    """that the policy names"""
    policy: Policy | None = field(init=False)

    def __post_init__(self) -> None:
        self.policy = parse_policy(policy_text(self.team, 1)).policy

    @property
    def key(self) -> str:
        return base64.b64encode(self.team.receipts.public_key().public_bytes_raw()).decode()

    def made(self, *keys: str) -> Courier:
        since, named = datetime.now(UTC) - timedelta(days=2), [one for one in keys or (self.key,) if one]
        courier = Courier(
            self.joined.connection.ask,
            self.report,
            lambda: named,
            since,
            head_key=lambda: self.head_key,
            policy=lambda: self.policy,
            first=0,
        )
        with closing(self.scene.archive.beside()) as archive:
            courier.joins(archive)
        return courier

    def report(self, told: Report) -> None:
        self.reports.append(told)

    @contextmanager
    def courier(self, *keys: str) -> Generator[Courier]:
        """`keys`: whose receipts it believes; none: the service's. An empty one is none."""
        courier = self.made(*keys)
        courier.start(self.scene.archive.beside)
        try:
            yield courier
        finally:
            courier.stop()

    def recorded(
        self,
        *which: Purpose,
        at: datetime | None = None,
        number: str = NUMBER,
        seconds: float = 1,
        agent: str = AGENT,
        group: str = "",
    ) -> str:
        purposes = which or (DOCUMENTATION, TRAINING)
        now = at or datetime.now(UTC) - timedelta(minutes=5)
        call, recording = begun(self.scene, self.team.keys, now, *purposes, number=number, agent=agent, group=group)
        ended(self.scene, call, recording, now + timedelta(seconds=seconds), *purposes, seconds=seconds)
        return recording

    def refused(self) -> str:
        return self.reports[-1].waiting.code if self.reports else ""

    def nothing_waits(self) -> bool:
        with self.scene.archive.catalog.reading() as connection:
            waits = shipping.waiting(connection, self.scene.archive.desk)
        return waits.count == 0 and waits.entries == 0

    @property
    def trouble(self) -> str:
        told = self.reports[-1].trouble if self.reports else None
        return told.code if told else ""

    def all_shipped(self) -> None:
        until(self.nothing_waits, 30, f"all shipped; {self.reports[-1:]}")

    def stored(self, recording: str) -> bytes:
        ((key, version),) = self.team.sql(
            "SELECT object_key, object_version FROM recordings WHERE recording = %s", recording
        )

        async def deed(bucket: Bucket) -> bytes:
            return b"".join([block async for block in bucket.read(key, version)])

        return self.team.s3(deed)


@contextmanager
def office_of(team: Team, folder: Path, agent: str = AGENT) -> Generator[Office]:
    scene = Scene(folder / "archive", another=True)
    scene.archive.clock = lambda: datetime.now(UTC)
    try:
        yield Office(
            team, scene, signed_in(team, folder / "home", "agent", desk=scene.archive.desk, agents=[f"sip:{agent}"])
        )
    finally:
        scene.close()


@pytest.fixture
def office(team_tls: Team, tmp_path: Path) -> Generator[Office]:
    with office_of(team_tls, tmp_path) as made:
        yield made


def _private(team: Team, role: str) -> bytes:
    return team.keys.keys[KeyRole(role)].private_bytes_raw()


def test_a_recorded_call_arrives_opens_by_the_house_s_keys_and_what_is_decided_later_follows_it(office: Office) -> None:
    team, scene = office.team, office.scene
    office.policy = parse_policy(policy_text(team, 7)).policy
    recording = office.recorded()
    file = scene.archive.vault.path(recording).read_bytes()
    with office.courier() as courier:
        office.all_shipped()
        assert office.stored(recording) == file
        # Case handlers and data protection read the number; the house itself does not, nor does a lead.
        seals = team.sql("SELECT call::text, role, key_id, suite, sealed FROM call_number_seals ORDER BY role")
        read = [
            (role, open_number(NumberSeal(KeyRole(role), key, suite, bytes(sealed)), call, _private(team, role)))
            for call, role, key, suite, sealed in seals
        ]
        assert read == [("custody", NUMBER), ("documentation", NUMBER)]
        rows = team.sql(
            "SELECT segment, key_id, suite, sealed FROM wraps WHERE recording = %s AND role = 'training'", recording
        )
        private = team.keys.keys[KeyRole.TRAINING].private_bytes_raw()
        opened = {
            one: unwrap(Wrap(recording, one, KeyRole.TRAINING, key, suite, bytes(sealed)), private)
            for one, key, suite, sealed in rows
        }
        copy = office.joined.folder / "from-the-house"
        copy.write_bytes(office.stored(recording))
        heard = OpenedRecording.open(copy, {one: key for one, key in opened.items() if key})
        assert [one.samples for one in heard.segments] == [len(voices(1))]
        heard.close()
        # The house's receipt is kept, and the log followed up to its last entry, word by word.
        local = scene.archive.audit_of()
        assert "recording_received" in [one.event for one in local]
        there = team.sql("SELECT number, event FROM audit WHERE chain = %s ORDER BY number", scene.archive.desk)
        assert there == [(one.number, one.event) for one in local]
        call = scene.archive.find(recording).call
        # Data protection reads the number, by its key; the house does not.
        ((key, suite, sealed),) = team.sql("SELECT key_id, suite, sealed FROM call_number_seals WHERE role = 'custody'")
        seal = NumberSeal(KeyRole.CUSTODY, key, suite, bytes(sealed))
        assert open_number(seal, call, team.keys.keys[KeyRole.CUSTODY].private_bytes_raw()) == NUMBER
        # A lock and a no, days after the call.
        name = f"{recording}-h1"
        scene.commit(
            PlaceHold(name, recording, HoldBy.CONTROLLER, "anna", datetime.now(UTC), None, "price"), recording=recording
        )
        courier.look()
        office.all_shipped()
        assert team.sql("SELECT hold, lifted_at FROM holds") == [(name, None)]
        scene.commit(LiftHold(name, "undone", restore_training=True), recording=recording)
        courier.look()
        office.all_shipped()
        assert team.sql("SELECT lifted_at IS NOT NULL FROM holds") == [(True,)]
        scene.commit(
            DropWraps(recording, KeyRole.TRAINING, "declined_by_voice"), RememberRefusal(call, datetime.now(UTC)), call=call,
            recording=recording,
        )  # fmt: skip
        courier.look()
        office.all_shipped()
        # How the sample went, in counts.
        counted = "SELECT what, count FROM sample_tallies WHERE desk = %s ORDER BY what"
        until(lambda: len(team.sql(counted, scene.archive.desk)) == 1, 10, "the counts of the sample")
        assert team.sql(counted, scene.archive.desk) == [("recorded", 1)]
        # An objection to another call, which only custody opens from then on; a lock of ours that becomes the caller's.
        other = office.recorded()
        courier.look()
        office.all_shipped()
        ours = f"{other}-h1"
        scene.commit(
            PlaceHold(ours, other, HoldBy.CONTROLLER, "anna", datetime.now(UTC), None, "price"),
            Restrict(other, "objection"), ChangeHold(ours, HoldBy.PARTY, None), recording=other,
        )  # fmt: skip
        courier.look()
        office.all_shipped()
    assert team.sql("SELECT restricted FROM recordings WHERE recording = %s", other) == [("objection",)]
    assert team.sql("SELECT kind FROM cases WHERE recording = %s", other) == [("objection",)]
    assert team.sql("SELECT DISTINCT role FROM wraps WHERE recording = %s", other) == [("custody",)]
    by = team.sql("SELECT raised_for FROM holds WHERE recording = %s AND lifted_at IS NULL", other)
    assert sorted(by) == [("controller",), ("party",)]
    stands = dict(team.sql("SELECT purpose, stands FROM purposes WHERE recording = %s", recording))
    assert stands == {"documentation": "keeps", "training": "taken_back"}
    assert team.sql("SELECT what FROM remembered") == [("refused",)]
    assert NUMBER not in team.log()
    assert verify(scene.archive).ok


@pytest.mark.expected_log("refused by the house: error.team.not_yours", reason="the call is another agent's")
def test_what_is_refused_is_told_and_keeps_no_other_waiting(office: Office) -> None:
    scene = office.scene
    # Of somebody else at this machine, whom the house does not know here.
    strange = office.recorded(agent="bo@klartone.test")
    mine = office.recorded()
    with office.courier():
        until(lambda: bool(office.reports) and office.reports[-1].waiting.count == 1 and office.reports[-1].waiting.failed == 1,
              30, "the refusal")  # fmt: skip
    assert office.team.sql("SELECT recording::text FROM recordings") == [(mine,)]
    assert office.reports[-1].waiting.code == "error.house.not_this_agents"
    # Discarded here, it goes there too: not even the upload is left.
    scene.commit(Discard(strange, "private"), recording=strange)
    with office.courier():
        office.all_shipped()
    assert office.team.sql("SELECT count(*) FROM uploads") == [(0,)]


@pytest.mark.expected_log("error.house.no_receipt_key", "error.house.receipt_wrong", reason="no such key is believed")
def test_a_receipt_counts_by_a_key_that_the_policy_names_also_while_the_house_changes_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_HEADS", 0.0)
    team, there, before = office.team, office.scene.archive.vault.path, office.key
    office.head_key = key_of(team)
    first = office.recorded()
    file = there(first).read_bytes()
    sha256 = hashlib.sha256(file).hexdigest()
    with office.courier(""):
        until(lambda: office.refused() == "error.house.no_receipt_key", 30, "no receipt believed")
    with office.courier(base64.b64encode(bytes(range(32))).decode()):
        until(lambda: office.refused() == "error.house.receipt_wrong", 30, "another's receipt told")
    assert there(first).exists()
    with office.courier():
        office.all_shipped()
    assert team.events().count("recording_arrived") == 1
    # The service gets another key, before the desk's policy names it: the copy stays, and the desk says why.
    team.receipts = Ed25519PrivateKey.generate()
    team.environment["KLARTONE_TEAM_RECEIPT_KEY"] = base64.b64encode(team.receipts.private_bytes_raw()).decode()
    team.stop()
    team.start()
    assert office.key in team.command("serve", "--check").out
    second = office.recorded()
    with office.courier(before):
        until(lambda: office.refused() == "error.house.receipt_wrong", 30, "the new key's receipt is not believed")
    assert there(second).exists()
    # With both it counts, and what the old key signed has been proved: both copies go by the next head.
    with office.courier(before, office.key) as courier:
        office.all_shipped()
        _head(team)
        courier.look()
        until(lambda: not there(first).exists() and not there(second).exists(), 30, "the copies gone")
    # A receipt that is asked for again is signed by the new key: nothing waits for the old one, which goes.
    told = {"recording": first, "bytes": len(file), "sha256": sha256}
    again = office.joined.connection.ask("POST", "/v1/recordings", told).json["receipt"]
    assert receipts.checked(again, [office.key], first, sha256).entry > 0
    with pytest.raises(HouseError):
        receipts.checked(again, [before], first, sha256)


@pytest.mark.rule("G31")
def test_a_no_at_the_next_desk_reaches_what_the_first_one_recorded_in_the_house_and_at_itself(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, left = office.scene.archive, {"documentation", "custody"}
    first, marked = office.recorded(), office.recorded()
    with office.courier():
        office.all_shipped()
    late = office.recorded()
    # Its caller was transferred, and says no there. Of the later one the house has heard nothing yet.
    with office_of(office.team, tmp_path / "next", BO) as other, other.courier() as courier:
        for one in (first, late):
            there = other.recorded(DOCUMENTATION, agent=BO, group=archive.find(one).call)
            call = other.scene.archive.find(there).call
            other.scene.commit(RememberRefusal(call, datetime.now(UTC)), call=call, recording=there)
        private = other.recorded(agent=BO, group=archive.find(marked).call)
        courier.look()
        other.all_shipped()
        other.scene.commit(DropWraps(private, KeyRole.TRAINING, "private"), recording=private)
        courier.look()
        stands = "SELECT stands FROM purposes WHERE recording = %s AND purpose = 'training'"
        until(lambda: office.team.sql(stands, private) == [("taken_back",)], 30, "told")
    # What an agent marks without the caller is of that call alone.
    assert office.team.sql(stands, marked) == [("keeps",)]
    with office.courier():
        office.all_shipped()
    for one in (first, late):
        roles = office.team.sql("SELECT role FROM wraps WHERE recording = %s", one)
        assert {role for (role,) in roles} == left
    monkeypatch.setattr(module, "_ASKED", 0.0)
    with office.courier():
        until(lambda: all({str(it.role) for it in archive.wraps_of(one)} == left for one in (first, late)), 30, "here")
    events = [one.event for one in archive.audit_of()]
    assert events.count("ended_there") == 2, "once for each"
    assert verify(archive).ok


def test_what_the_house_had_taken_back_before_it_arrived_goes_here_too(office: Office) -> None:
    both = office.recorded()
    with office.courier():
        office.all_shipped()
    recording = office.recorded(TRAINING)
    for one in (recording, both):
        call = office.scene.archive.find(one).call
        told = {"withdrawal": call, "call_group": call, "purposes": ["training"], "reason": "withdrawn"}
        office.joined.connection.ask("POST", "/v1/withdrawals", told)
    with office.courier():
        office.all_shipped()
        # Of what had arrived, and is kept for something else, the copy is opened no more for what ended there.
        until(lambda: TRAINING not in office.scene.archive.find(both).opens_for, 30, "it ends in the copy")
    assert {*office.scene.archive.find(both).opens_for} == {KeyRole.CUSTODY, DOCUMENTATION}
    assert not office.scene.archive.vault.path(recording).exists()
    assert [one.recording for one in office.scene.archive.list()] == [both]
    assert verify(office.scene.archive).ok


@pytest.mark.expected_log(
    "not shipped: error.house.unreachable", "not shipped: error.team.unavailable",
    "not shipped: error.team.storage_unreachable", "not shipped: error.house.signed_out", reason="they are away, one by one",
)  # fmt: skip
def test_whatever_is_away_is_told_in_its_words_and_once_it_is_back_all_goes_on(
    tmp_path: Path, postgres: Server, database: str, storage: Storage
) -> None:
    with ExitStack() as ending:
        s3 = ending.enter_context(way(port_of(storage.endpoint)))
        behind = replace(storage, endpoint=f"http://127.0.0.1:{s3.port}")
        team = Team(tmp_path, postgres, database, behind, address=f"https://localhost:{free_port()}")
        team.policy()
        team.start()
        ending.callback(team.end)
        office = ending.enter_context(office_of(team, tmp_path))
        courier = ending.enter_context(office.courier())

        @contextmanager
        def away(code: str) -> Generator[None]:
            office.recorded()
            courier.look()
            until(lambda: (office.trouble, office.reports[-1].waiting.recordings) == (code, 1), 30, code)
            yield
            courier.look()
            office.all_shipped()
            until(lambda: not office.trouble, 10, "no trouble any more")

        team.stop()
        with away("error.house.unreachable"):
            team.start()
        s3.cut()
        with away("error.team.storage_unreachable"):
            s3.mend()
        _connections(team, allowed=False)
        with away("error.team.unavailable"):
            _connections(team, allowed=True)
        # A token that is over, and a clock that is off by a day, keep nothing waiting.
        team.sql("UPDATE sessions SET expires_at = now() - interval '1 second'")
        office.joined.connection._ahead = 86_400.0
        office.recorded(seconds=3)
        courier.look()
        office.all_shipped()
        team.sql("UPDATE desks SET revoked_at = now()")
        with away("error.house.signed_out"):
            assert not office.reports[-1].joined
            team.sql("UPDATE desks SET revoked_at = NULL")
            team.sql("UPDATE sessions SET ended_at = NULL, expires_at = now() + interval '1 hour'")
        assert team.events().count("recording_arrived") == 5


def _connections(team: Team, *, allowed: bool) -> None:
    with psycopg.connect(team.server.conninfo(), autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{team.database}" ALLOW_CONNECTIONS {allowed}'.encode())
        if not allowed:
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            connection.execute(ended, (team.database,))


@pytest.mark.expected_log("not shipped: error.house.head_unsigned", reason="the policy names another key")
def test_a_copy_goes_once_a_signed_head_covers_it_and_ships_again_to_a_house_that_was_set_back(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_HEADS", 0.0)
    monkeypatch.setattr(module, "_HEADS_ALONE", 0.0)
    team, scene = office.team, office.scene
    first = office.recorded()
    file, there = scene.archive.vault.path(first), scene.archive.vault.path
    office.head_key = base64.b64encode(bytes(range(32))).decode()
    with office.courier() as courier:
        office.all_shipped()
        _head(team)
        courier.look()
        until(lambda: office.trouble == "error.house.head_unsigned", 30, "another's head is not believed")
        assert file.exists()
        office.head_key = key_of(team)
        courier.look()
        until(lambda: not file.exists(), 30, "its copy gone")
        office.all_shipped()
    assert verify(scene.archive).ok
    assert (office.stored(first) != b"", scene.archive.find(first).opens_for) == (True, ())
    with backup(team):
        second = office.recorded()
        office.head_key = ""
        with office.courier():
            office.all_shipped()
        assert team.command("sweep").status == 0
    assert team.command("restored").status == 0
    team.start()
    # It ended every session: the desk is let in again.
    team.sql("UPDATE sessions SET ended_at = NULL, expires_at = now() + interval '1 hour'")
    assert team.sql("SELECT recording::text FROM recordings") == [(first,)]
    _head(team)
    office.head_key = key_of(team)
    with office.courier() as courier:
        until(lambda: "ships_again" in [one.event for one in scene.archive.audit_of(second)], 30, "it ships again")
        office.all_shipped()
        assert there(second).exists()
        assert sorted(team.sql("SELECT recording::text FROM recordings")) == sorted([(first,), (second,)])
        _head(team)
        courier.look()
        until(lambda: not there(second).exists(), 30, "the second copy gone")
        office.all_shipped()
    chain = team.sql("SELECT number, event FROM audit WHERE chain = %s ORDER BY number", scene.archive.desk)
    assert chain == [(one.number, one.event) for one in scene.archive.audit_of()]
    assert verify(scene.archive).ok


def _head(team: Team) -> None:
    """One is signed, and so old already that the next sweep signs another."""
    assert team.command("sweep").status == 0
    an_hour_later(team)


@pytest.mark.expected_log("not shipped: error.house.unreachable", reason="the house never answers")
def test_it_ends_at_once_whatever_the_house_does_and_ships_no_recording_of_a_call_that_goes_on(
    office: Office,
) -> None:
    hangs, asked = threading.Event(), list[str]()

    def ask(method: str, path: str, *_: object, **__: object) -> Any:
        asked.append(f"{method} {path}")
        hangs.wait(30)
        raise UnreachableError("error.house.unreachable", server="x", reason="timed out")

    recording = office.recorded()
    call = office.scene.archive.find(recording).call
    busy = Courier(ask, office.report, tuple, datetime.now(UTC) - timedelta(days=2), first=0)
    busy.joins(office.scene.archive)
    busy.calls(frozenset({call}))
    busy.start(office.scene.archive.beside)
    until(lambda: asked == ["POST /v1/log"], 10, "the log alone")
    thread = busy._thread
    busy.stop()
    assert thread is not None
    assert thread.is_alive(), "what hangs is not waited for"
    hangs.set()
    after = Courier(ask, office.report, tuple, datetime.now(UTC), policy=lambda: office.policy, first=0)
    after.calls(frozenset({call}))
    after.calls(frozenset())
    after.start(office.scene.archive.beside)
    until(lambda: asked[-1] == f"PUT /v1/recordings/{recording}", 10, "the recording, once its call is over")
    after.stop()
