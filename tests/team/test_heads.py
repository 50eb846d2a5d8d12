"""The house's log, signed: what desks see of it, up to where the database is safe, and one that was rewritten."""

from __future__ import annotations

import base64
import hashlib
import json
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.jwk import OKPKey

from softphone.domain.errors import HouseError
from softphone.domain.heads import Head
from softphone.house.heads import Followed, asked_since, follow
from softphone.system.signature import public_half
from softphone.team.objects import Storage
from softphone.team.proving.heads import signed_by
from softphone.team.schema import setting_up
from tests.peers import postgres
from tests.peers.processes import until
from tests.team.desk import Desk, made
from tests.team.served import Team, whole

pytestmark = [pytest.mark.peer("seaweedfs"), pytest.mark.peer("postgresql")]


def key_of(team: Team) -> str:
    return public_half(team.heads.private_bytes_raw())


def asked(desk: Desk, seen: Head | None) -> list[Head]:
    told = whole(desk.ask("GET", f"/v1/heads?since={asked_since(seen)}"))
    return [Head.of(one) for one in told["heads"]]


def an_hour_later(team: Team) -> None:
    """The newest head is that old: it was signed so."""
    row = team.sql("SELECT to_jsonb(h) FROM signed_heads h ORDER BY serial DESC LIMIT 1")[0][0]
    head = Head.of(row)
    old = signed_by(team.heads.private_bytes_raw(), replace(head, at=head.at - timedelta(hours=2)))
    team.sql("UPDATE signed_heads SET at = %s, signature = %s WHERE serial = %s", old.at, old.signature, head.serial)

    async def erased(bucket: Any) -> None:
        await bucket.erase(f"heads/{head.serial:012}")

    team.s3(erased)


@pytest.mark.rule("G11")
def test_a_desk_follows_the_houses_log_and_finds_out_one_that_was_rewritten(team: Team) -> None:
    desk = team.desk("agent")
    assert asked(desk, None) == []
    receipts = [_told(team, whole(desk.upload(made(team.keys)))["receipt"])]
    assert team.command("sweep").out.endswith("A new head of the log is signed.\n")
    # One a minute, however often it is asked.
    out = team.command("sweep", "--head").out
    assert out.startswith("Nothing was due.\n")
    assert key_of(team) in out
    (first,) = asked(desk, None)
    seen = follow(None, [first], key_of(team))
    assert seen is not None
    assert seen == Followed(first)
    assert receipts[0]["head"] <= seen.newest.durable_to
    an_hour_later(team)
    (first,) = asked(desk, None)
    # A desk's log comes: the house's own log names it, so its next head covers it.
    shipped = whole(desk.ask("POST", "/v1/log", {"entries": [first_entry(desk)]}))
    countersigned = _told(team, shipped["countersigned"])
    assert (countersigned["desk"], countersigned["number"], countersigned["hash"]) == (
        desk.id,
        1,
        first_entry(desk)["hash"],
    )
    receipts.append(_told(team, whole(desk.upload(made(team.keys)))["receipt"]))
    assert receipts[1]["head"] > seen.newest.durable_to
    assert team.command("sweep").status == 0
    told = asked(desk, first)
    assert [one.serial for one in told] == [1, 2]
    seen = follow(first, told, key_of(team))
    assert seen is not None
    assert (seen.newest, seen.restored_from) == (told[1], None)
    assert countersigned["head"] <= seen.newest.durable_to
    assert receipts[1]["head"] <= seen.newest.durable_to
    # What the house could show instead: another log, one without what was seen, another key, a head left out.
    second = told[1]
    theirs, stranger = team.heads.private_bytes_raw(), Ed25519PrivateKey.generate().private_bytes_raw()
    third = signed_by(
        theirs, replace(second, serial=3, previous=second.digest(), number=second.number + 1, hash="f" * 64)
    )
    assert follow(second, [second, third], key_of(team)) == Followed(third)
    rewritten = signed_by(theirs, replace(second, hash="0" * 64, signature=""))
    for shown in (
        [],
        [first],
        [rewritten],
        [second, replace(third, serial=4)],
        [second, signed_by(theirs, replace(third, serial=4))],
        [second, signed_by(theirs, replace(third, previous=first.digest()))],
        [second, signed_by(theirs, replace(third, number=second.number - 1))],
        [second, signed_by(theirs, replace(third, number=second.number))],
        [second, signed_by(theirs, replace(third, durable_to=second.durable_to - 1))],
        [second, signed_by(theirs, replace(third, epoch=1, restored_from=third.number + 1))],
        [second, signed_by(stranger, third)],
        [second, signed_by(stranger, replace(third, key=public_half(stranger)))],
    ):
        with pytest.raises(HouseError):
            follow(second, shown, key_of(team))
    # A house changes its key: what was seen stays seen, and the first head by the new key vouches for those by the old one.
    new = signed_by(stranger, replace(third, key=public_half(stranger), serial=4, previous=third.digest()))
    assert follow(second, [second], public_half(stranger)) == Followed(second)
    assert follow(second, [second, third, new], public_half(stranger)) == Followed(new)
    with pytest.raises(HouseError):
        follow(second, [second, third, new], key_of(team))
    restored = signed_by(theirs, replace(third, epoch=1, restored_from=4, number=5, durable_to=0))
    assert follow(second, [second, restored], key_of(team)) == Followed(restored, 4)
    # Of two restores since, the one that went further back counts.
    for went_on, counts in ((5, 4), (3, 3)):
        told = replace(restored, serial=4, epoch=2, restored_from=went_on, previous=restored.digest())
        twice = signed_by(theirs, told)
        assert follow(second, [second, restored, twice], key_of(team)) == Followed(twice, counts)


def first_entry(desk: Desk) -> dict[str, Any]:
    return entries(desk, 1)[0]


def entries(desk: Desk, count: int) -> list[dict[str, Any]]:
    """The first of the desk's log."""
    found, previous = list[dict[str, Any]](), "0" * 64
    for number in range(1, count + 1):
        said = {"event": "desk_started", "rule": "G11", "call": ""}
        told = json.dumps({"desk": desk.id, "number": number, "at": "2026-11-29T00:00:00Z"} | said)
        hashed = hashlib.sha256((previous + told).encode()).hexdigest()
        found.append(said | {"number": number, "told": told, "previous": previous, "hash": hashed})
        previous = hashed
    return found


def _told(team: Team, token: str) -> dict[str, Any]:
    """What it says, by the service's key."""
    raw = team.receipts.public_key().public_bytes_raw()
    x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})
    return json.loads(jws.deserialize_compact(token, key, algorithms=["Ed25519"]).payload)


def test_an_entry_is_durable_once_the_databases_own_log_with_it_lies_in_the_archive() -> None:
    """A server of its own, which archives. Its archive fails first, and then does not."""
    with TemporaryDirectory(prefix="kwal") as place, ExitStack() as ends:
        archive = Path(place)
        archive.chmod(0o777)  # PostgreSQL is another user
        command = f"test -e {archive}/may && cp %p {archive}/%f"
        server = ends.enter_context(postgres.started(archive_mode="on", archive_command=command))
        server.make("x")
        list(setting_up.set_up(server.conninfo("x"), {}))
        with psycopg.connect(server.conninfo("x"), autocommit=True) as connection:
            connection.execute("SET search_path = klartone, pg_temp")

            def asked(statement: str) -> Any:
                row = connection.execute(statement.encode()).fetchone()
                assert row is not None
                return row[0]

            connection.execute("SELECT note('x', 'G11', '', NULL, '{}')")
            assert asked("SELECT head_mark()") == 1
            connection.execute("SELECT pg_switch_wal()")
            connection.execute("SELECT note('x', 'G11', '', NULL, '{}')")
            assert asked("SELECT head_mark()") == 2
            assert asked("SELECT head_archived()") == 0
            (archive / "may").touch()
            connection.execute("SELECT pg_switch_wal()")
            until(lambda: asked("SELECT head_archived()") == 2, 60, "both segments in the archive")
            connection.execute("SELECT note('x', 'G11', '', NULL, '{}')")
            assert asked("SELECT head_mark()") == 3
            assert asked("SELECT head_archived()") == 2
            newest = asked("SELECT last_archived_wal FROM pg_stat_archiver")
            assert newest in {one.name for one in archive.iterdir()}
            assert not asked("SELECT head_follows()")


@pytest.mark.torture
def test_an_entry_is_durable_once_another_server_has_it_and_is_there_when_that_one_goes_on(
    tmp_path: Path, storage: Storage
) -> None:
    """Two servers of its own. While the second stands still no head says more; then the first is lost."""
    with ExitStack() as ends:
        first = ends.enter_context(postgres.mortal())
        first.server.make("house")
        list(setting_up.set_up(first.server.conninfo("house"), {}))
        team = Team(tmp_path, first.server, "house", storage)
        team.settings.write_text(team.settings.read_text().replace('"alone"', '"standby"'))

        def durable() -> list[tuple[int, int]]:
            return team.sql("SELECT number, durable_to FROM signed_heads ORDER BY serial")  # type: ignore[return-value]

        def an_entry() -> None:
            team.sql("SELECT note('x', 'G11', '', NULL, '{}')")

        an_entry()
        assert team.command("sweep", "--head").status == 0
        assert durable() == [(1, 0)]  # nobody follows
        second = ends.enter_context(postgres.following(first))
        an_hour_later(team)
        assert team.command("sweep", "--head").status == 0
        assert durable() == [(1, 0), (1, 1)]
        second.die()
        with psycopg.connect(team.server.conninfo("house"), autocommit=True) as connection:
            connection.execute("SET synchronous_commit = local")
            connection.execute("UPDATE klartone.signed_heads SET at = at - interval '2 hours'")
            connection.execute("SELECT klartone.note('x', 'G11', '', NULL, '{}')")
        waiting = team.begun("sweep")
        until(lambda: bool(team.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'")), 30, "its waiting")
        assert durable() == [(1, 0), (1, 1)]
        second.process = postgres.run(second.server.folder, second.demoted, second.more)
        waiting.join(60)
        assert waiting.exitcode == 0
        assert durable()[-1] == (2, 2)
        first.die()
        team.server = second.server
        team.sql("SELECT pg_promote()")
        assert team.sql("SELECT max(number) FROM klartone.audit WHERE chain = 'service'") == [(2,)]
        assert durable()[-1] == (2, 2)
