"""Whose word a policy is: what the migrator's password alone takes in serves nobody."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from softphone.domain.purpose import KeyRole
from softphone.system.signature import new_signing_key, public_half
from softphone.team.rows import policy_rows
from tests.peers.processes import until
from tests.team.desk import House
from tests.team.served import POLICY_KEY, SIGNER, Team, brief_policy, policy_in_text, whole

pytestmark = [pytest.mark.peer("seaweedfs"), pytest.mark.peer("postgresql")]


def signed(raw: str, key: bytes) -> bytes:
    return base64.b64encode(Ed25519PrivateKey.from_private_bytes(key).sign(raw.encode())) + b"\n" + raw.encode()


def taken(team: Team, how: str) -> None:
    """By the login that migrates, a policy that is not as its signer left it, or whose rows are not what it says."""
    own, text = House(), brief_policy(team.keys, 2, {})
    theirs = brief_policy(own, 2, {})
    keys = policy_rows.keys(policy_in_text(theirs))
    match how:
        case "nobody has signed it":
            team.take_policy(2, b"c2lnbmVk\n" + theirs.encode(), SIGNER)
        case "a stranger has signed it":
            stranger = new_signing_key()
            team.sql("UPDATE policies SET signer = %s", public_half(stranger))
            team.take_policy(2, signed(theirs, stranger), public_half(stranger))
            team.sql("UPDATE policies SET signer = %s WHERE number = 1", SIGNER)
        case "its keys are others":
            team.take_policy(2, signed(text, POLICY_KEY), SIGNER, keys=keys)
        case "it leads whom it does not name":
            more = [{"team": "alle", "agents": ["sip:anna@klartone.test"], "lines": [], "leads": [keys[1]["key_id"]]}]
            team.take_policy(2, signed(text, POLICY_KEY), SIGNER, teams=more)
        case "it keeps longer":
            more = [{"purpose": "documentation", "retention": "P9Y"}]
            team.take_policy(2, signed(text, POLICY_KEY), SIGNER, terms=more)
        case _:
            (row,) = [one for one in keys if one["role"] == "custody"]
            insert = "INSERT INTO policy_keys VALUES (1, 'custody', %s, decode(%s, 'hex'))"
            team.sql(insert, row["key_id"], row["public_key"])


@pytest.mark.rule("G11")
@pytest.mark.parametrize(
    "how",
    [
        *("nobody has signed it", "a stranger has signed it", "its keys are others", "it leads whom it does not name"),
        *("it keeps longer", "a key is put beside the first one's"),
    ],
)
def test_a_policy_that_its_signer_did_not_make_serves_nobody(team: Team, how: str) -> None:
    custody = team.desk("custody", agents=[], key=KeyRole.CUSTODY)
    assert whole(custody.ask("GET", "/v1/viewer"))["keys"] != {}
    taken(team, how)
    until(lambda: custody.ask("GET", "/v1/me").code == "policy_forged", 20, "that it is refused")
    assert custody.ask("GET", "/health/ready", proof="").status == 503
    for what in ("serve", "sweep", "verify"):
        done = team.command(what, *(["--check"] if what == "serve" else []))
        assert (done.status, "is not as anybody has signed it" in done.errors) == (1, True), done


def test_a_newer_policy_of_the_same_signer_and_of_the_one_that_it_names_is_believed(team: Team) -> None:
    desk = team.desk("agent")
    team.policy(2, {"documentation": "P2M", "training": "P3M"})
    assert team.command("serve", "--check").status == 0
    assert desk.ask("GET", "/v1/me").status == 200
