"""Recordings arrive, through the real service, PostgreSQL and S3."""

from __future__ import annotations

import asyncio
import base64
import copy
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from softphone.archive.archive import Archive
from softphone.archive.examine.repair import repair
from softphone.domain.changes import HoldBy, PlaceHold
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole
from softphone.domain.retention import expires_on
from softphone.domain.roles import Role
from softphone.domain.session.state import LegalHold
from softphone.team.logins import login
from softphone.team.objects import Bucket
from softphone.team.people.asking import Asking
from softphone.team.rows.numbers import number_hash
from softphone.team.rows.signing_in import Asker
from softphone.team.schema import SERVICE
from softphone.team.settings import read_settings
from softphone.team.upload.arriving import Arriving, State
from softphone.team.upload.receipt import Signer
from softphone.team.upload.told import RecordingTold
from tests.archive.scene import DOCUMENTATION, TRAINING, scene, voices
from tests.peers import radosgw
from tests.team.desk import NUMBER, PART, House, Made, made
from tests.team.local import another, begun, ended, told_of
from tests.team.served import Team, whole

pytestmark = [pytest.mark.peer("seaweedfs"), pytest.mark.peer("postgresql"), radosgw.TOO]


def opened(receipt: str, signer: Ed25519PrivateKey) -> Any:
    """As a desk reads it, without the service's library."""
    head, claims, signature = (base64.urlsafe_b64decode(one + "=" * (-len(one) % 4)) for one in receipt.split("."))
    signer.public_key().verify(signature, receipt.rpartition(".")[0].encode())
    assert json.loads(head)["typ"] == "klartone-receipt"
    return json.loads(claims)


def hold(why: str = "") -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {"hold": str(uuid4()), "raised_for": "party", "raised_by": "sip:anna@klartone.test", "at": now, "why": why}


def nothing_is_kept(team: Team) -> bool:
    return team.sql("SELECT count(*) FROM recordings")[0][0] == 0


@pytest.mark.rule("G10")
def test_a_recording_arrives_once_whole_and_receipted(team: Team) -> None:
    desk = team.desk("agent")
    one = made(team.keys)

    def counted() -> float:
        (line,) = re.findall(r"^klartone_team_recordings_received_total (.+)$", figures(), re.MULTILINE) or ["0"]
        return float(line)

    def figures() -> str:
        return desk.ask("GET", "/metrics", proof="").body.decode()

    before = counted()
    stored = whole(desk.upload(one))
    told = opened(stored["receipt"], team.receipts)
    assert (told["recording"], told["sha256"], told["state"]) == (one.recording, one.told["sha256"], "received")
    ((number, digest),) = team.sql("SELECT number, hash FROM audit WHERE event = 'recording_arrived'")
    assert (told["head"], told["head_hash"]) == (number, digest)
    late = "SELECT (told::jsonb #>> '{params,late}')::float FROM audit WHERE event = 'recording_arrived'"
    assert team.sql(late) == team.sql("SELECT extract(epoch FROM arrived_at - closed_at)::float FROM recordings")
    # Whatever answer was lost, the same comes again.
    assert whole(desk.upload(one)) == whole(desk.finish(one)) == stored
    assert counted() == before + 1
    assert team.kept() == [(one.recording, 1)]
    (row,) = team.sql("SELECT recording::text, agent, size, digest, training_until > now() FROM recordings")
    assert row == (one.recording, "anna@klartone.test", len(one.file), hashlib.sha256(one.file).digest(), True)
    assert team.sql("SELECT count(*) FROM wraps") == [(len(one.told["wraps"]),)]
    assert team.sql("SELECT number_hash FROM call_numbers") == [(number_hash(bytes(range(32)), NUMBER),)]
    assert team.events().count("recording_arrived") == 1
    # Neither a number nor an id is in the service's log; figures have neither, and say how much came.
    said = team.log() + figures()
    assert '"route": "/v1/recordings/{recording}"' in said
    for secret in (NUMBER, NUMBER[3:], one.recording, one.told["call"]["call"], "anna", desk.token, desk.id):
        assert secret not in said


def test_a_long_recording_comes_in_parts_on_any_instance_and_begins_again_where_storage_lost_it(team: Team) -> None:
    desk = team.desk("agent")
    one = made(team.keys, seconds=140, packet=1_600)
    assert len(one.parts) == 3
    assert whole(desk.begin(one))["missing"] == [1, 2, 3]
    assert desk.part(one, 3).status == 204
    assert desk.part(one, 1, data=one.parts[1], of=one.parts[0]).code == "digest_wrong"
    assert desk.part(one, 1, data=b"short").code == "part_wrong"
    assert desk.finish(one).code == "part_missing"
    team.stop()
    team.start()
    assert whole(desk.begin(one))["missing"] == [1, 2]
    ((key, upload),) = team.sql("SELECT object_key, upload FROM uploads")
    team.s3(lambda bucket: bucket.abort(key, upload))
    assert desk.part(one, 1).code == "begin_again"
    assert whole(desk.begin(one))["missing"] == [1, 2, 3]
    stored = whole(desk.upload(one))
    assert opened(stored["receipt"], team.receipts)["sha256"] == one.told["sha256"]

    async def read(bucket: Any) -> bytes:
        (place,) = team.sql("SELECT object_key, object_version FROM recordings")
        return b"".join([block async for block in bucket.read(*place, PART - 5)])

    assert team.s3(read) == one.file[PART - 5 :]


@pytest.mark.rule("G10", "G31")
def test_what_a_desk_has_arrives_as_it_is_also_disputed_or_broken_off(team: Team, tmp_path: Path) -> None:
    """Rows and files that the program's own archive wrote."""
    desk, now, both = team.desk("agent"), datetime.now(UTC).replace(microsecond=0), (DOCUMENTATION, TRAINING)
    with scene(tmp_path / "archive") as local:
        local.archive.clock = lambda: now
        call, plain = begun(local, team.keys, now, *both, number=NUMBER)
        ended(local, call, plain, now, *both)
        call, disputed = begun(local, team.keys, now, *both, number=NUMBER)
        name = LegalHold(1, HoldBy.CONTROLLER, "anna").id_on(disputed)
        held = PlaceHold(name, disputed, HoldBy.CONTROLLER, "anna", now, None, "a dispute", now + timedelta(days=14))
        local.commit(held, recording=disputed)
        ended(local, call, disputed, now, *both)
        call, broken = begun(local, team.keys, now, *both, number=NUMBER)
        local.talk(call, voices(2.3))
        local.drained_to(broken, 2)
        another(local, broken, 1, now, DOCUMENTATION)
        # The power goes. What is on the disk is what the next start finds.
        shutil.copytree(local.folder, tmp_path / "left", ignore=shutil.ignore_patterns("*-shm"))
        archive = Archive.open(tmp_path / "left", local.store)
        repair(archive, now)
        them = [told_of(archive, one) for one in (plain, disputed, broken)]
        archive.close()
    assert [whole(desk.upload(one))["state"] for one in them] == ["stored"] * 3
    assert "recording_refused" not in team.events()
    assert team.events().count("hold_placed") == 1, "and by whom"
    rows = team.sql("SELECT recording::text, held, broke_off, opened_by FROM recordings ORDER BY recording")
    told = {one: (held, broke, {name.split(":")[0] for name in opens}) for one, held, broke, opens in rows}
    assert told == {
        plain: (False, False, {"custody", "documentation", "training"}),
        disputed: (True, False, {"custody", "documentation"}),
        broken: (False, True, {"custody", "documentation", "training"}),
    }
    # A minute is time enough to undo it, by the name that the desk gave it.
    undone = desk.ask("DELETE", f"/v1/holds/{name}")
    assert whole(undone) == {"undone": True}
    again = them[1].told["holds"][0] | {"recording": disputed}
    assert whole(desk.ask("POST", "/v1/holds", {"holds": [again]})) == {"held": [name]}


def changed(one: Made, path: str, value: Any) -> Made:
    told = copy.deepcopy(one.told)
    *way, last = (int(part) if part.isdigit() else part for part in path.split("."))
    place: Any = told
    for part in way:
        place = place[part]
    place[last] = value
    return Made(one.file, told)


def without_last_chunk(one: Made) -> Made:
    file = one.file[: one.file.rindex(b"KTCH")]
    told = one.told | {"bytes": len(file), "sha256": hashlib.sha256(file).hexdigest()}
    return Made(file, told)


LIES: dict[str, tuple[Callable[[Made], Made], str]] = {
    "another agent's call": (lambda one: changed(one, "call.agent", "sip:bo@klartone.test"), "not_yours"),
    "a file of another digest": (lambda one: changed(one, "sha256", "0" * 64), "digest_wrong"),
    "other sound than its log has": (lambda one: changed(one, "segments.0.sound", "0" * 32), "container_wrong"),
    "more chunks than there are": (lambda one: changed(one, "segments.0.chunks", 4), "container_wrong"),
    "a file cut short": (without_last_chunk, "container_wrong"),
    "another recording's rows": (lambda one: changed(one, "opened_at", "2026-01-01T00:00:00+00:00"), "rows_wrong"),
    "a longer life": (lambda one: changed(one, "purposes.0.expires_on", "2099-01-01"), "rows_wrong"),
    "a key that no policy names": (
        lambda one: changed(one, "wraps", made(House(), seconds=1).told["wraps"]),
        "wrong",
    ),
}


def test_a_desk_that_lies_is_refused_and_logged_and_nothing_is_kept(team: Team) -> None:
    desk = team.desk("agent")
    told: dict[str, str] = {}
    for lie, (tell, _) in LIES.items():
        told[lie] = desk.upload(tell(made(team.keys))).code
    assert told == {lie: code for lie, (_, code) in LIES.items()}
    assert desk.upload(changed(made(team.keys, seconds=70, packet=1_600), "sha256", "0" * 64)).code == "digest_wrong"
    assert team.events().count("recording_refused") + team.events().count("refused") == len(LIES) + 1
    assert nothing_is_kept(team)
    other = team.desk("agent", agents=["sip:bo@klartone.test"])
    one = made(team.keys)
    whole(desk.upload(one))
    assert other.begin(one).code == "conflict"
    assert other.finish(changed(one, "call.agent", "sip:bo@klartone.test")).code == "conflict"


def test_two_clocks_the_earlier_counts_and_what_a_late_desk_would_end_early_waits_for_custody(team: Team) -> None:
    desk = team.desk("agent")
    now = datetime.now(UTC)
    for days in (3, -3):
        at = now + timedelta(days=days)
        one = made(team.keys, started=at)
        kept = one.told["purposes"][0]
        if days < 0:  # of what a desk has shortened, its own day counts
            kept["expires_on"] = (date.fromisoformat(kept["expires_on"]) - timedelta(days=10)).isoformat()
        told = one.told | {"clock": at.isoformat()}
        assert whole(desk.upload(Made(one.file, told)))["state"] == "stored"
        ((started, ends, end),) = team.sql(
            "SELECT c.started_at, p.expires_on, p.at_end FROM recordings r JOIN calls c USING (call) JOIN purposes p "
            "USING (recording) WHERE recording = %s AND purpose = 'documentation'",
            one.recording,
        )
        assert started <= now + timedelta(minutes=5)
        assert ends.isoformat() <= kept["expires_on"]
        assert end == ("delete" if days > 0 else "review")
    assert team.events().count("clock_off") == 2


@pytest.mark.rule("G10")
def test_a_life_that_is_longer_than_any_policy_gives_is_cut_to_it_and_logged(team: Team) -> None:
    team.policy(2, {"documentation": "P1Y"})
    desk, at = team.desk("agent"), datetime.now(UTC)

    def kept(retention: str | None, ends: str | None = None) -> tuple[str, str]:
        one = made(team.keys, purposes=("documentation",))
        day = ends or expires_on(at, Period.parse(retention), "Europe/Copenhagen").isoformat() if retention else None
        row = one.told["purposes"][0] | {"retention": retention, "expires_on": day}
        assert whole(desk.upload(one, purposes=[row]))["state"] == "stored"
        query = "SELECT retention, expires_on::text FROM purposes WHERE recording = %s AND lives_until = ends_at"
        ((length, until),) = team.sql(query, one.recording)
        return length, until

    year = ("P1Y", expires_on(at, Period.parse("P1Y"), "Europe/Copenhagen").isoformat())
    assert [kept(None), kept("P99Y"), kept("P1Y")] == [year] * 3
    assert kept("P2M")[0] == "P2M"
    # Nor does a length that is too long stay beside a day that is not: custody could keep it on by that.
    assert kept("P99Y", year[1]) == year
    assert team.events().count("retention_capped") == 3
    # For what none of the house's policies records, nothing is kept at all.
    assert desk.upload(made(team.keys, purposes=("training",))).code == "wrong"
    assert team.events().count("recording_refused") == 1


@pytest.mark.rule("G04")
def test_what_was_taken_back_or_held_before_it_arrived_is_so_when_it_arrives(team: Team) -> None:
    desk = team.desk("agent")
    training, held = made(team.keys, purposes=("training",)), made(team.keys, purposes=("documentation",))
    held.told["holds"] = [hold("æ" * 2_000) for _ in range(20)]  # more than a small request may have
    back = {"withdrawal": str(uuid4()), "call_group": training.told["call"]["call"], "purposes": ["training"]}
    assert whole(desk.ask("POST", "/v1/withdrawals", {**back, "reason": "withdrawn"})) == {"recordings": 0}
    assert whole(desk.upload(training))["state"] == "erased"
    assert whole(desk.begin(training))["state"] == "erased"
    # A service was killed between the hold that storage has of it and its rows.
    whole(desk.begin(held))
    ((key,),) = team.sql("SELECT object_key FROM uploads")

    async def left(bucket: Bucket) -> None:
        before = await bucket.put(key, held.file, hashlib.sha256(held.file).digest())
        await bucket.hold(key, before.version, True)

    team.s3(left)
    assert whole(desk.upload(held))["state"] == "stored"
    ((key, version),) = team.sql("SELECT object_key, object_version FROM recordings")
    assert team.s3(lambda bucket: bucket.versions(key)) == [version]
    assert team.s3(lambda bucket: bucket.is_held(key, version))
    assert team.sql("SELECT recording::text, held FROM recordings") == [(held.recording, True)]
    # A number's refusal, told by another desk, ends the training of what is not yet here.
    other = team.desk("agent", agents=["sip:bo@klartone.test"])
    now = datetime.now(UTC)
    no = {"number": NUMBER, "what": "refused", "at": (now - timedelta(hours=1)).isoformat()}
    no["until"] = (now + timedelta(days=365)).isoformat()
    assert other.ask("POST", "/v1/numbers", no).status == 204
    known = whole(desk.ask("POST", "/v1/numbers/known", {"number": NUMBER, "line": "support"}))["known"]
    assert [one["what"] for one in known] == ["refused"]
    late = made(team.keys)
    assert whole(desk.upload(late))["state"] == "stored"
    roles = team.sql("SELECT DISTINCT role FROM wraps WHERE recording = %s ORDER BY role", late.recording)
    assert roles == [(KeyRole.CUSTODY.value,), (KeyRole.DOCUMENTATION.value,)]


def test_a_desk_that_is_revoked_in_mid_upload_gets_no_further_and_what_came_of_it_is_no_recording(team: Team) -> None:
    desk, it = team.desk("agent"), team.desk("it", agents=[])
    one = made(team.keys, seconds=70, packet=1_600)
    whole(desk.begin(one))
    assert desk.part(one, 1).status == 204
    rest = desk.half(made(team.keys))
    assert it.ask("DELETE", f"/v1/desks/{desk.id}").status == 204
    assert rest().code == "signed_out"
    assert desk.finish(one).code == "signed_out"
    assert desk.part(one, 1).code == "signed_out"
    assert desk.renew().code == "signed_out"
    assert nothing_is_kept(team)
    assert "desk_revoked" in team.events()


def test_an_upload_that_is_given_up_leaves_nothing_and_may_begin_again(team: Team) -> None:
    desk = team.desk("agent")
    long, lie = made(team.keys, seconds=80, packet=1_600), made(team.keys)
    lie.told["call"]["agent"] = "bo@klartone.test"
    lie.told["holds"] = [hold()]
    lie.told["wraps"] = [one for one in lie.told["wraps"] if one["role"] != "training"]
    assert desk.whole(long).code == "too_large"
    whole(desk.begin(long))
    assert desk.part(long, 1).status == 204
    assert desk.finish(long).code == "part_missing"
    assert desk.whole(lie).code == "not_yours"
    for one in (long, lie):
        assert desk.ask("DELETE", f"/v1/recordings/{one.recording}/upload").status == 204
    # At once, and nothing of the earlier one reaches it: the sweep ends that later, with the hold that storage has on one.
    assert whole(desk.upload(long))["state"] == "stored"
    assert {name for name, _ in team.kept()} == {long.recording, lie.recording}
    team.sql("UPDATE uploads_ended SET ended_at = now() - interval '11 minutes'")
    done = team.command("sweep")
    assert done.status == 0, done.errors
    assert team.kept() == [(long.recording, 1)]
    assert team.s3(lambda bucket: bucket.unfinished(datetime.now(UTC) + timedelta(days=1))) == []
    assert team.sql("SELECT count(*) FROM uploads_ended") == [(0,)]


@dataclass(frozen=True)
class Slow(Arriving):
    """It has put the file, and is late to write its rows."""

    put: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def _written(self, asking: Asking, told: Any, key: str, stored: Any, chunks: Any, now: datetime) -> Any:
        self.put.set()
        await self.goes_on.wait()
        return await super()._written(asking, told, key, stored, chunks, now)


def test_of_two_that_bring_it_at_once_one_counts_and_its_receipt_is_of_what_is_there(team: Team) -> None:
    desk, one, again = team.desk("agent"), made(team.keys), made(team.keys)
    other = copy.deepcopy(one.told)
    other["wraps"][0]["sealed"] = base64.b64encode(b"x" * 80).decode()
    now = datetime.now(UTC)

    async def deed() -> tuple[State, State]:
        bucket = Bucket(team.storage)
        async with login(read_settings(team.settings).database, SERVICE, "", most=4) as rows:
            who = Asker(uuid4(), UUID(desk.id), "", frozenset({Role.AGENT}), (), now)
            asking, told = Asking(who, desk.token), RecordingTold.model_validate(one.told)
            slow = Slow(rows, bucket, bytes(32), Signer(team.receipts.private_bytes_raw()))
            quick = Arriving(rows, bucket, bytes(32), slow.signer)
            lie = RecordingTold.model_validate(other)
            first = asyncio.create_task(slow.whole(asking, lie, one.file, now))
            await slow.put.wait()
            # Its answer seemed lost, so it comes again: another version of the object.
            second = await quick.whole(asking, told, one.file, now)
            slow.goes_on.set()
            done = await first, second
            # The slow one once more, and meanwhile it is taken back and erased: what it has put then goes too.
            late = Slow(rows, bucket, bytes(32), slow.signer)
            told = RecordingTold.model_validate(again.told)
            first = asyncio.create_task(late.whole(asking, told, again.file, now))
            await late.put.wait()
            await quick.whole(asking, told, again.file, now)
            await bucket.put(await asyncio.to_thread(taken_back), again.file, bytes.fromhex(told.sha256))
            late.goes_on.set()
            assert (await first).state == "erased"
        bucket.close()
        return done

    def taken_back() -> str:
        ((key,),) = team.sql("SELECT object_key FROM recordings WHERE recording = %s", again.recording)
        back = {"withdrawal": str(uuid4()), "call_group": again.told["call"]["call"], "reason": "withdrawn"}
        whole(desk.ask("POST", "/v1/withdrawals", back | {"purposes": ["documentation", "training"]}))
        assert team.command("sweep").status == 0
        assert [name for name, _ in team.kept()] == [one.recording]
        return str(key)

    first, second = asyncio.run(deed())
    assert first == second
    assert [name for name, _ in team.kept()] == sorted([one.recording, again.recording])
    assert team.command("sweep").status == 0
    assert team.kept() == [(one.recording, 1)]
    assert team.sql("SELECT receipt FROM receipts") == [(second.receipt,)]
    (place,) = team.sql("SELECT object_key, object_version FROM recordings")
    assert team.s3(lambda bucket: bucket.versions(place[0])) == [place[1]]
    # By a new key the service signs it anew, and nothing that somebody put in its place.
    new, digest = Signer(bytes(range(32))), str(one.told["sha256"])
    assert opened(
        new.anew(one.recording, digest, second.receipt), Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    )
    assert new.anew(again.recording, digest, second.receipt) == ""
