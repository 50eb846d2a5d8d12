"""`klartone team verify`, and holds that come after a recording has arrived: storage and database say the same, or it is told."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from softphone.system.signature import public_half
from softphone.team.logins import login
from softphone.team.objects import Bucket
from softphone.team.objects.bucket import digest
from softphone.team.proving import comparing
from softphone.team.proving.comparing import Comparing, Digests, Found
from softphone.team.schema import SWEEPER
from softphone.team.settings import read_settings
from tests.peers import radosgw
from tests.team.desk import Made, made
from tests.team.served import Team, whole
from tests.team.test_arriving import hold
from tests.team.test_heads import first_entry

pytestmark = [pytest.mark.peer("seaweedfs"), pytest.mark.peer("postgresql"), radosgw.TOO]


def at(team: Team, one: Made) -> tuple[str, str]:
    """Its key and version."""
    ((key, version),) = team.sql(
        "SELECT object_key, object_version FROM recordings WHERE recording = %s", one.recording
    )
    return key, version


def is_held(team: Team, one: Made) -> bool:
    key, version = at(team, one)
    return team.s3(lambda bucket: bucket.is_held(key, version))


def lift(team: Team, one: Made) -> None:
    """As custody does."""
    team.sql("UPDATE holds SET lifted_at = now() WHERE recording = %s", one.recording)


@pytest.mark.rule("G10")
def test_storage_holds_what_is_held_later_at_once_or_by_the_next_sweep_and_lets_go_of_what_is_not(team: Team) -> None:
    desk = team.desk("agent", name="anna")
    one, other = made(team.keys), made(team.keys, purposes=("documentation",))
    # Who raised it, and by when it is decided, is not the desk's to say: neither as it arrives, nor later.
    never = (datetime.now(UTC) + timedelta(days=300)).isoformat()
    never = {"raised_by": "bo", "confirm_by": never, "provisional_until": never}
    access = {"raised_for": "access", "at": "2150-01-01T00:00:00+00:00"}
    other.told["holds"] = [hold() | never | {"raised_for": "controller"}, hold() | never | access]
    for each in (one, other):
        whole(desk.upload(each))
    assert (is_held(team, one), is_held(team, other)) == (False, True)
    row = hold() | never | {"recording": one.recording}
    assert whole(desk.ask("POST", "/v1/holds", {"holds": [row]})) == {"held": [row["hold"]]}
    told = (
        "raised_by, round(extract(epoch FROM confirm_by - at) / 86400), provisional_until < now() + interval '15 days'"
    )
    rest = "FROM holds JOIN hold_words USING (hold) WHERE raised_for"
    assert team.sql(f"SELECT {told} {rest} <> 'access'") == 2 * [("anna", 30, True)]
    # No request for access is from later than it came.
    assert team.sql(f"SELECT raised_by, confirm_by < now() + interval '33 days' {rest} = 'access'") == [("anna", True)]
    # Storage has it at once; that it has, the database believes the sweep alone.
    assert is_held(team, one)
    assert team.sql("SELECT recording::text FROM legal_holds_due WHERE recording = %s", one.recording) != []
    for each in (one, other):
        lift(team, each)
    # By another way than that request: nobody has told storage yet.
    team.sql("INSERT INTO holds (hold, recording, raised_for, at) VALUES ('late', %s, 'party', now())", other.recording)
    done = team.command("sweep")
    assert "Storage follows the locks of 2 recordings." in done.out
    assert (is_held(team, one), is_held(team, other)) == (False, True)
    # It changes while a sweeper has it in hand, which then says what is no longer so: it is due again.
    lift(team, other)
    team.sql("SELECT * FROM legal_holds_take(9)", user=SWEEPER)
    team.sql(
        "INSERT INTO holds (hold, recording, raised_for, at) VALUES ('again', %s, 'party', now())", other.recording
    )
    assert team.sql("SELECT legal_hold_done(%s, false)", other.recording, user=SWEEPER) == [(False,)]
    key, version = at(team, other)
    team.s3(lambda bucket: bucket.hold(key, version, False))
    assert "Storage follows the locks of one recording." in team.command("sweep").out
    assert is_held(team, other)


def compared(team: Team, tell: Any, later: timedelta = timedelta(hours=2), **how: Any) -> Comparing:
    async def run() -> Comparing:
        bucket = Bucket(team.storage)
        try:
            async with login(read_settings(team.settings).database, SWEEPER, "", most=4) as rows:
                key = public_half(team.heads.private_bytes_raw())
                one = Comparing(rows, bucket, key, tell, Digests.ALL, **how)
                await one.run(datetime.now(UTC) + later)
                return one
        finally:
            bucket.close()

    return asyncio.run(run())


@pytest.mark.rule("G10", "G11")
def test_what_differs_is_mended_where_that_is_safe_and_told_where_it_is_not(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = team.desk("agent")
    them = [made(team.keys, purposes=("documentation",)) for _ in range(7)]
    well, held, free, lost, other, thicker, twice = them
    held.told["holds"] = [hold()]
    for one in them:
        whole(desk.upload(one))
    gone = made(team.keys, started=datetime.now(UTC) - timedelta(days=100), purposes=("training",))
    assert whole(desk.upload(gone))["state"] == "erased"
    assert team.command("sweep").status == 0
    done = team.command("verify", "--digests", "all")
    assert (done.status, done.out.endswith("Wrong and not mended: 0.\n")) == (0, True), done.out
    places = {one.recording: at(team, one) for one in them}
    ((erased,),) = team.sql("SELECT object_key FROM tombstones")
    stranger = f"recordings/{gone.recording[:-4]}ffff/0"

    async def harm(bucket: Bucket) -> None:
        await bucket.hold(*places[held.recording], False)
        await bucket.hold(*places[free.recording], True)
        await bucket.erase_version(*places[lost.recording])
        for key in (places[twice.recording][0], erased, stranger):
            version = (await bucket.put(key, b"again", digest(b"again"))).version
            await bucket.hold(key, version, True)  # as a service leaves it that is killed before its rows
        await bucket.client.call("delete_object", Key=places[well.recording][0])  # a mark lies on top

    team.s3(harm)
    team.sql("UPDATE recordings SET digest = %s WHERE recording = %s", b"d" * 32, other.recording)
    team.sql("UPDATE recordings SET size = size + 1 WHERE recording = %s", thicker.recording)
    found: list[Found] = []
    # What is young may belong to what is under way.
    compared(team, found.append, timedelta())
    told = {(one.what, one.of, one.mended) for one in found}
    wrong = {("object_missing", lost.recording, False), ("digest_wrong", other.recording, False)}
    wrong.add(("size_wrong", thicker.recording, False))
    assert told == wrong | {
        ("hold_missing", held.recording, True),
        ("hold_left", free.recording, True),
        ("object_erased", erased, True),
    }
    assert is_held(team, held)
    assert not is_held(team, free)
    found.clear()
    assert compared(team, found.append).wrong == 4
    assert {(one.what, one.of, one.mended) for one in found} == wrong | {
        ("object_unknown", stranger, False),
        ("version_left", places[twice.recording][0], True),
        ("version_left", places[well.recording][0], True),
    }
    assert erased not in team.keys_in_s3()
    assert team.kept().count((twice.recording, 1)) == 1
    # Stopped, it goes on where it was, and remembers what it found.
    monkeypatch.setattr(comparing, "_ROWS", 2)

    def dies(one: Found) -> None:
        if one.what == "size_wrong":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compared(team, dies)
    found.clear()
    rest = compared(team, found.append)
    assert rest.wrong == 4
    assert {one.what for one in found} == {"digest_wrong", "size_wrong", "object_unknown"}


@pytest.mark.rule("G11")
def test_a_log_that_was_changed_is_found_in_its_entry_its_head_and_what_it_says_of_desks(team: Team) -> None:
    desk = team.desk("agent")
    whole(desk.upload(made(team.keys)))

    whole(desk.ask("POST", "/v1/log", {"entries": [first_entry(desk)]}))
    assert team.command("sweep").status == 0
    arrived, *_ = [n for (n,) in team.sql("SELECT number FROM audit WHERE event = 'recording_arrived'")]
    ((head,),) = team.sql("SELECT number FROM signed_heads")

    def lines() -> list[tuple[str, str]]:
        done = team.command("verify", "--json")
        told = [json.loads(line) for line in done.out.splitlines()]
        assert done.status == (1 if told else 0), done.errors
        return [(one["what"], one["of"]) for one in told]

    assert lines() == []
    change = "UPDATE audit SET told = replace(told, 'recording_arrived', 'recording_opened') WHERE number = %s"
    team.sql(f"{change} AND chain = 'service'", arrived)
    assert lines() == [("log_wrong", f"service {arrived}")]
    # Whoever may all writes the rest of the chain anew; what was signed does not fit it any more.
    anew = (
        "UPDATE audit SET previous = (SELECT hash FROM audit b WHERE b.chain = audit.chain AND b.number = audit.number - 1)"
        " WHERE chain = 'service' AND number = %s",
        "UPDATE audit SET hash = encode(sha256(convert_to(previous || told, 'UTF8')), 'hex')"
        " WHERE chain = 'service' AND number = %s",
    )
    ((last,),) = team.sql("SELECT max(number) FROM audit WHERE chain = 'service'")
    for number in range(arrived, last + 1):
        for statement in anew[number == arrived :]:
            team.sql(statement, number)
    assert lines() == [("head_wrong", "1")]
    assert head <= last
    team.sql("UPDATE audit SET told = told || ' ' WHERE chain = %s", desk.id)
    team.sql(
        "UPDATE audit SET hash = encode(sha256(convert_to(previous || told, 'UTF8')), 'hex') WHERE chain = %s", desk.id
    )
    assert sorted(one[0] for one in lines()) == ["desk_log_wrong", "head_wrong"]
