"""A database restored from yesterday: nothing that went since comes back, what was held is held, and nobody is served before."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from softphone.domain.errors import TeamError
from softphone.domain.purpose import KeyRole
from softphone.house.heads import follow
from softphone.team.logins import login
from softphone.team.objects import Bucket
from softphone.team.objects.tombstones import put_head
from softphone.team.proving.heads import signed_by
from softphone.team.proving.restoring import restore
from softphone.team.schema import SWEEPER
from softphone.team.settings import read_settings
from tests.peers import radosgw
from tests.peers.processes import until
from tests.team.desk import NUMBER, made, noted
from tests.team.served import Team, whole
from tests.team.test_arriving import hold
from tests.team.test_comparing import is_held, lift
from tests.team.test_heads import an_hour_later, asked, key_of

pytestmark = [pytest.mark.peer("seaweedfs"), pytest.mark.peer("postgresql"), radosgw.TOO]


@contextmanager
def backup(team: Team, *, beneath: bool = False) -> Generator[None]:
    """As the database is now, until the end: then it is there again. `beneath`: instances go on meanwhile."""
    copy = f"{team.database}_copy"
    team.stop(signal.SIGTERM)
    team.end_sign_in()
    team.server.make(copy, team.database)
    team.start()
    try:
        yield
        if not beneath:
            team.stop(signal.SIGTERM)
            team.end_sign_in()
        team.server.drop(team.database)
        team.server.make(team.database, copy)
    finally:
        team.server.drop(copy)


def stands(team: Team, recording: str) -> dict[str, str]:
    return dict(team.sql("SELECT purpose, stands FROM purposes WHERE recording = %s", recording))


async def beside_recordings(bucket: Bucket) -> bytes:
    told = await bucket.client.call("list_object_versions")
    them = [one for one in told["Versions"] if not one["Key"].startswith("recordings/")]
    return b"".join([block for one in them async for block in bucket.read(one["Key"], one["VersionId"])])


@pytest.mark.rule("G04", "G10", "G31", "G32")
def test_what_went_since_a_backup_does_not_come_back_and_nobody_is_served_before(team: Team) -> None:
    desk, revoked = team.desk("agent", name="anna"), team.desk("agent", name="bo", agents=["sip:bo@klartone.test"])
    handler, it = (
        team.desk("case_handler", name="sofie", agents=[], key=KeyRole.DOCUMENTATION),
        team.desk("it", agents=[]),
    )
    begun = made(team.keys, number=None, seconds=70, packet=1_600)
    whole(desk.begin(begun))
    assert desk.part(begun, 1).status == 204
    custody = team.desk("custody", name="mette", agents=[], key=KeyRole.CUSTODY)
    noted(desk, team.keys, "Vil have den blå.")
    both = {"purposes": ["documentation", "training"], "reason": "withdrawn"}
    kept, withdrawn, opted, held, undone, refused = them = [made(team.keys) for _ in range(6)]
    for one in them:
        whole(desk.upload(one))
    before = hold() | {"recording": undone.recording}
    whole(desk.ask("POST", "/v1/holds", {"holds": [before]}))
    assert team.command("sweep").status == 0
    an_hour_later(team)
    assert team.command("sweep").status == 0
    an_hour_later(team)
    code = team.code("agent")
    with backup(team):
        for one, what in ((withdrawn, both), (opted, {"purposes": ["training"], "reason": "withdrawn"})):
            back = {"withdrawal": str(uuid4()), "call_group": one.told["call"]["call"]}
            assert whole(desk.ask("POST", "/v1/withdrawals", back | what)) == {"recordings": 1}
        late = made(team.keys)
        back = {"withdrawal": str(uuid4()), "call_group": late.told["call"]["call"]}
        assert whole(desk.ask("POST", "/v1/withdrawals", back | both)) == {"recordings": 0}
        now = datetime.now(UTC)
        told = {"number": NUMBER, "line": "", "what": "do_not_sample", "at": now.isoformat()}
        assert desk.ask("POST", "/v1/numbers", told | {"until": (now + timedelta(days=9)).isoformat()}).status == 204
        whole(desk.ask("POST", "/v1/holds", {"holds": [hold() | {"recording": held.recording}]}))
        lift(team, undone)
        # Storage learns of it from the service, before any sweep.
        waiting = "SELECT count(*) FROM stones WHERE laid_at IS NULL"
        until(lambda: team.sql(waiting) == [(0,)], 30, "the stones in storage")
        team.sql("UPDATE recordings SET restricted = 'objection' WHERE recording = %s", refused.recording)
        assert it.ask("DELETE", f"/v1/desks/{revoked.id}").status == 204
        erased = {"number": NUMBER, "reason": "sag 117"}
        assert whole(custody.ask("POST", "/v1/notes/erase", erased)) == {"count": 1}
        lost = made(team.keys, number=None)
        whole(desk.upload(lost))
        assert team.command("sweep").status == 0
        (seen,) = asked(desk, None)[-1:]
        assert seen.serial == 3
    # Who has the bucket's key alone reads beside sealed recordings no number, no name and no words.
    beside = team.s3(beside_recordings)
    assert beside.count(b"documentation") > 1
    assert not [
        one for one in (NUMBER[1:], '"anna', '"mette', "sip:", "@", "sag ", "Vil have") if one.encode() in beside
    ]
    # Nothing begins to serve, to sweep or to compare.
    for what in ("serve", "sweep", "verify"):
        done = team.command(what)
        assert (done.status, "klartone team restored" in done.errors) == (1, True), what
    assert stands(team, withdrawn.recording) != {}
    done = team.command("restored")
    assert (done.status, withdrawn.recording in done.out, "--yes" in done.errors) == (1, True, True)
    done = team.command("restored", "--yes")
    assert done.status == 0, done.errors
    assert "Recordings erased: 1." in done.out
    team.start()
    assert team.command("sweep").status == 0
    assert stands(team, withdrawn.recording) == {}
    assert withdrawn.recording not in {name for name, _ in team.kept()}
    assert stands(team, opted.recording) == {"documentation": "keeps", "training": "taken_back"}
    assert stands(team, kept.recording) == {"documentation": "keeps", "training": "keeps"}
    assert team.sql("SELECT restricted FROM recordings WHERE recording = %s", refused.recording) == [("objection",)]
    roles = "SELECT DISTINCT role FROM wraps WHERE recording = %s"
    assert team.sql(roles, refused.recording) == [("custody",)]
    assert (is_held(team, held), is_held(team, undone)) == (True, False)
    assert ("training",) not in team.sql(roles, held.recording)
    # Who had signed in before, proved a key or been invited has not any more: some of that may have ended since. Nobody's
    # session goes on by its refresh either, and whoever signs in anew proves the key anew.
    for one in (desk, handler, custody, it, revoked):
        assert one.ask("GET", "/v1/me").code == "signed_out"
    assert (handler.renew().code, team.stranger().take(code).code) == ("signed_out", "invitation_over")
    assert revoked.take(team.code("agent", name="bo")).status == 200, "by the link that IT made since"
    for one, role, name in ((desk, "agent", "anna"), (handler, "case_handler", "sofie"), (custody, "custody", "mette")):
        whole(one.take(team.code(role, name=name)))
    assert whole(handler.ask("GET", "/v1/viewer"))["keys"] == {}
    assert custody.prove(KeyRole.CUSTODY, team.keys.keys[KeyRole.CUSTODY]).status == 204
    # What was under way at its desk goes on there.
    assert whole(desk.begin(begun))["missing"] == [2]
    assert whole(desk.upload(begun))["state"] == "stored"
    assert whole(custody.ask("POST", "/v1/notes/find", {"number": NUMBER})) == {"notes": []}
    assert team.sql("SELECT count(*) FROM call_note_seals") == [(0,)]
    # What is sent again, or comes later, meets what was said of it.
    assert whole(desk.upload(late))["state"] == "erased"
    assert whole(desk.upload(lost))["state"] == "stored"
    new = made(team.keys)
    whole(desk.upload(new))
    assert stands(team, new.recording) == {"documentation": "keeps", "training": "taken_back"}
    assert whole(desk.upload(withdrawn))["state"] == "erased"
    # The desk that has seen a later head learns why the log goes on from before it.
    told = asked(desk, seen)
    followed = follow(seen, told, key_of(team))
    assert followed is not None
    assert followed.restored_from is not None
    assert followed.restored_from < seen.number
    assert (followed.newest.epoch, followed.newest.serial) == (1, 4)
    done = team.command("verify")
    assert (done.status, done.errors) == (0, ""), done.out
    # By a slip nobody is signed out.
    done = team.command("restored")
    assert (done.status, "--yes" in done.errors, desk.ask("GET", "/v1/me").status) == (1, True, 200)
    done = team.command("restored", "--yes")
    assert (done.status, desk.ask("GET", "/v1/me").code) == (0, "signed_out"), done.errors


def test_a_restore_beneath_who_serves_dies_anywhere_is_run_again_and_takes_no_old_backup(team: Team) -> None:
    desk, handler = team.desk("agent", name="anna"), team.desk("case_handler", key=KeyRole.DOCUMENTATION)
    them = [made(team.keys, number=None) for _ in range(3)]
    for one in them:
        whole(desk.upload(one))
    assert team.command("sweep").status == 0
    with backup(team, beneath=True):
        for one in them[:2]:
            back = {"withdrawal": str(uuid4()), "call_group": one.told["call"]["call"]}
            what = {"purposes": ["documentation", "training"], "reason": "withdrawn"}
            whole(desk.ask("POST", "/v1/withdrawals", back | what))
        team.policy(newer := team.sql("SELECT max(number) + 1 FROM policies")[0][0])
        assert team.command("sweep").status == 0
    # The instance that runs learns it by itself, and gives nothing out of what came back.
    opened = handler.ask("POST", f"/v1/recordings/{them[0].recording}/wraps", {"role": "documentation", "why": "x"})
    assert (opened.status, opened.code) == (503, "restoring")
    assert desk.ask("GET", "/health/ready").status == 503
    # Whoever signs in has no key to storage, and goes by what this one says.
    told = team.stranger().take(team.code("agent", name="bo"))
    assert (told.status, told.code) == (503, "restoring")
    stones = [0]

    def dying(after: int) -> type[Bucket]:
        class Dying(Bucket):
            async def read(self, *given: object, **more: object):  # type: ignore[no-untyped-def]
                stones[0] += 1
                if stones[0] > after:
                    raise KeyboardInterrupt
                async for block in super().read(*given, **more):  # type: ignore[arg-type]
                    yield block

        return Dying

    async def run(kind: type[Bucket]) -> None:
        bucket = kind(team.storage)
        try:
            async with login(read_settings(team.settings).database, SWEEPER, "", most=1) as rows:
                await restore(rows, bucket, key_of(team))
        finally:
            bucket.close()

    after = 0
    for after in range(15):
        stones[0] = 0
        try:
            asyncio.run(run(dying(after)))
        except KeyboardInterrupt:
            assert team.command("serve", "--check").status == 1
            continue
        break
    assert after >= 4
    assert team.sql("SELECT recording::text FROM recordings") == [(them[2].recording,)]
    assert team.sql("SELECT max(epoch) FROM restores") == [(1,)]
    # By an older policy it serves nobody: whom the newest has dropped would be back.
    refused = team.command("serve", "--check")
    assert (refused.status, f"policy {newer}" in refused.errors) == (1, True), refused.errors
    until(lambda: desk.ask("GET", "/v1/me").code == "policy_lost", 30, "the policy that is missed")
    assert team.command("sweep").status == 0
    team.policy(newer)
    assert team.command("serve", "--check").status == 0
    until(lambda: desk.ask("GET", "/health/ready").status == 200, 30, "the instance that goes on")
    # A head of a month later: sweeps have taken away by then what this database would have to learn.
    assert desk.ask("GET", "/v1/me").code == "signed_out"
    whole(desk.take(team.code("agent", name="anna")))
    (newest,) = asked(desk, None)[-1:]
    later = replace(newest, serial=newest.serial + 1, at=newest.at + timedelta(days=31))
    team.s3(lambda bucket: put_head(bucket, signed_by(team.heads.private_bytes_raw(), later)))
    with pytest.raises(TeamError, match="restored_too_old"):
        asyncio.run(run(Bucket))
    stranger = signed_by(Ed25519PrivateKey.generate().private_bytes_raw(), later)
    team.s3(lambda bucket: put_head(bucket, stranger))
    # What a stranger has signed counts for nothing, and no more do those who come after.
    before = team.sql("SELECT max(serial), (SELECT max(epoch) FROM restores) FROM signed_heads")
    asyncio.run(run(Bucket))
    ((serial, epoch),) = before
    assert team.sql("SELECT max(serial), (SELECT max(epoch) FROM restores) FROM signed_heads") == [(serial, epoch + 1)]
