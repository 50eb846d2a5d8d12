"""Proving a key over HTTP: who has it sees what it opens, and nobody else by what they say, keep or pass on."""

from __future__ import annotations

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from softphone.archive.crypto.challenges import NONCE_BYTES
from softphone.domain.purpose import KeyRole
from tests.team.desk import Desk, made
from tests.team.served import Team, whole

pytestmark = [pytest.mark.peer("seaweedfs"), pytest.mark.peer("postgresql")]
DOCUMENTATION, TRAINING, CUSTODY = KeyRole


def finds(team: Team, desk: Desk) -> int:
    """Recordings, as the service's login sees them for this desk."""
    from softphone.team.rows.pool import asking_of

    with psycopg.connect(team.server.conninfo(team.database, "klartone_service")) as connection:
        connection.execute("SELECT set_config('klartone.asking', %s, true)", [asking_of(desk.token)])
        row = connection.execute("SELECT count(*) FROM klartone.recordings").fetchone()
    assert row is not None
    return int(row[0])


def test_who_has_the_key_sees_and_nobody_by_another_nonce_desk_or_time(team: Team) -> None:
    anna = team.desk("agent")
    whole(anna.upload(made(team.keys)))
    key, desk = team.keys.keys[DOCUMENTATION], team.desk("case_handler", agents=[])
    assert finds(team, desk) == 0
    # Another nonce is refused, and the right one after it: each challenge takes one answer.
    asked = desk.challenge(DOCUMENTATION, key)
    nonce = desk.nonce(asked, DOCUMENTATION, key)
    assert nonce is not None
    assert len(nonce) == NONCE_BYTES
    assert (desk.answer(DOCUMENTATION, key, bytes(32)).code, desk.answer(DOCUMENTATION, key, nonce).code) == (
        "key_refused",
        "key_refused",
    )
    # Two minutes later it is too late; where nothing was asked, there is nothing to answer.
    late = desk.nonce(desk.challenge(DOCUMENTATION, key), DOCUMENTATION, key)
    team.sql("UPDATE key_challenges SET until = now() - interval '1 second'")
    assert desk.answer(DOCUMENTATION, key, late or b"").code == "key_refused"
    assert desk.answer(DOCUMENTATION, key, late or b"").code == "key_refused"
    # A challenge that is passed on to who has the key is opened by nobody: it names the desk that asked.
    other = team.desk("case_handler", agents=[], name="other")
    passed_on = other.challenge(DOCUMENTATION, key)
    assert desk.nonce(passed_on, DOCUMENTATION, key) is None
    # Nor is an answer that another desk overheard.
    heard = desk.nonce(desk.challenge(DOCUMENTATION, key), DOCUMENTATION, key)
    assert other.answer(DOCUMENTATION, key, heard or b"").code == "key_refused"
    assert (finds(team, desk), finds(team, other)) == (0, 0)
    assert team.events().count("key_refused") == 5
    # By the key itself; and once is enough for each desk of that person.
    assert desk.answer(DOCUMENTATION, key, heard or b"").status == 204
    assert desk.answer(DOCUMENTATION, key, heard or b"").code == "key_refused"
    assert (finds(team, desk), finds(team, other)) == (1, 0)
    assert "key_proved" in team.events()
    # Neither a nonce nor a key id stands in the service's log of requests.
    assert all(one not in team.log() for one in (nonce.hex(), team.keys.recipient(DOCUMENTATION).key_id))


def test_a_key_that_the_newest_policy_does_not_name_or_another_roles_is_not_challenged(team: Team) -> None:
    lead, stranger = team.desk("lead", agents=[]), X25519PrivateKey.generate()
    own, others = team.keys.keys[TRAINING], team.keys.keys[CUSTODY]
    said = [
        lead.challenge(TRAINING, stranger).code,
        lead.challenge(TRAINING, others).code,  # named, for another role
        lead.challenge(CUSTODY, others).code,  # which a lead has not
        lead.challenge(TRAINING, own).code,
    ]
    assert said == ["key_unknown", "key_unknown", "not_yours", ""]
    # The database does not get to say to whom it is sealed.
    public = stranger.public_key().public_bytes_raw()
    team.sql("UPDATE policy_keys SET public_key = %s WHERE role = 'training'", public)
    assert lead.challenge(TRAINING, own).code == "key_unknown"
    # A policy that names other keys takes the challenge away.
    before = team.keys.keys[TRAINING]
    team.keys.keys[TRAINING] = stranger
    team.policy(2)
    assert [lead.challenge(TRAINING, one).code for one in (before, stranger)] == ["key_unknown", ""]
    assert lead.prove(TRAINING, stranger).status == 204
