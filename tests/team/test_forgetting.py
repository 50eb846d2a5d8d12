"""The log and cases past their time: what is forgotten, what stays for what is here still, and that the rest can be verified."""

from __future__ import annotations

import json
from uuid import uuid4

import psycopg
import pytest

from softphone.team.schema import SWEEPER
from tests.team.desk import Desk, Made, made
from tests.team.served import Team, whole
from tests.team.test_heads import entries

pytestmark = [pytest.mark.peer("seaweedfs"), pytest.mark.peer("postgresql")]
AGED = "UPDATE audit SET at = at - interval '70 months'"


def verified(team: Team) -> list[str]:
    return [json.loads(line)["what"] for line in team.command("verify", "--json").out.splitlines()]


def chain(team: Team, of: str) -> list[int]:
    return [number for (number,) in team.sql("SELECT number FROM audit WHERE chain = %s ORDER BY number", of)]


def withdrawn(team: Team, desk: Desk, one: Made) -> None:
    back = {"withdrawal": str(uuid4()), "call_group": one.told["call"]["call"], "reason": "withdrawn"}
    whole(desk.ask("POST", "/v1/withdrawals", back | {"purposes": ["documentation", "training"]}))
    assert team.command("sweep").status == 0


@pytest.mark.rule("G10", "G11")
def test_what_is_past_its_time_is_forgotten_and_the_rest_is_proved_as_before(team: Team) -> None:
    desk = team.desk("agent")
    told = entries(desk, 6)
    whole(desk.ask("POST", "/v1/log", {"entries": told[:3]}))
    gone, here = made(team.keys, number=None), made(team.keys, number=None)
    case = (
        "INSERT INTO cases (recording, kind, received_at, received_how, received_by, deadline, overdue_at)"
        " SELECT %s, 'objection', now() - interval '70 months', 'letter', person, now(), now() FROM people LIMIT 1"
        " RETURNING number"
    )
    decided = "UPDATE cases SET decision = 'upheld', reason = 'x', decided_at = now() - interval '70 months' WHERE number = %s"
    whole(desk.upload(gone))
    # One that nobody has decided is over with its recording.
    team.sql(case, gone.recording)
    withdrawn(team, desk, gone)
    team.sql("UPDATE cases SET decided_at = decided_at - interval '70 months' WHERE decision = 'gone'")
    # A year goes by for nobody's sake: no function can take what is younger.
    assert team.sql("SELECT log_cut(now() + interval '9 years', 1000)", user=SWEEPER) == [(0,)]
    team.sql(AGED)
    last = chain(team, "service")[-1]
    whole(desk.upload(here))
    team.sql(f"{AGED} WHERE number = %s AND chain = 'service'", last + 1)
    over, undecided, still = (team.sql(case, one.recording)[0][0] for one in (gone, gone, here))
    for number in (over, still):
        team.sql(decided, number)
    # A piece at a time, however much is left.
    assert team.sql("SELECT log_cut(now() - interval '60 months', 2)", user=SWEEPER) == [(2,)]
    # What is said of a case that is not over stays with it.
    of_gone = "SELECT count(*) FROM audit WHERE recording = %s"
    assert team.command("sweep").status == 0
    assert team.sql(of_gone, gone.recording) > [(1,)]
    assert team.sql("SELECT number FROM cases ORDER BY 1") == [(undecided,), (still,)]
    team.sql(decided, undecided)
    done = team.command("sweep")
    assert (done.status, "entries of the log were past their time" in done.out) == (0, True), done.out
    assert team.sql(of_gone, gone.recording) == [(0,)]
    # Up to what is here still, though that entry is as old; of a desk's log the last one stays.
    assert chain(team, "service")[0] == last + 1
    assert chain(team, desk.id) == [3]
    assert team.sql("SELECT number FROM cases") == [(still,)]
    assert verified(team) == []
    # A desk that tells it all once more is not refused, and goes on.
    whole(desk.ask("POST", "/v1/log", {"entries": told[:4]}))
    assert chain(team, desk.id) == [3, 4]
    assert verified(team) == []
    # Somebody takes one more, or says that more may be missing.
    with psycopg.connect(team.server.conninfo(team.database)) as owner, owner.transaction(force_rollback=True):
        owner.execute("DELETE FROM klartone.audit WHERE chain = 'service' AND number = %s", [last + 1])
        owner.execute("SET search_path = klartone")
        assert owner.execute("SELECT wrong FROM compare_log('service', NULL, NULL, 1000)").fetchall() == [(last + 2,)]
        owner.execute("UPDATE log_begins SET number = %s WHERE chain = 'service'", [last + 1])
        assert owner.execute("SELECT wrong FROM compare_log('service', NULL, NULL, 1000)").fetchall() == [(last + 2,)]
    # Years later what said where the desk's log begins goes too, and is said again first.
    withdrawn(team, desk, here)
    team.sql(AGED)
    assert team.command("sweep").status == 0
    assert chain(team, "service")[0] > last + 1
    whole(desk.ask("POST", "/v1/log", {"entries": told}))
    assert chain(team, desk.id) == [4, 5, 6]
    assert verified(team) == []
    with psycopg.connect(team.server.conninfo(team.database)) as owner, owner.transaction(force_rollback=True):
        owner.execute("SET search_path = klartone")
        owner.execute("DELETE FROM audit WHERE chain = %s AND number = 4", [desk.id])
        for begins in ("said = 0", "number = 4", f"hash = '{told[3]['hash']}'"):
            owner.execute(f"UPDATE log_begins SET {begins} WHERE chain = %s".encode(), [desk.id])
            found = owner.execute("SELECT wrong FROM compare_log(%s, NULL, NULL, 9)", [desk.id]).fetchall()
            assert found == [(5,)]
