"""Recordings arrive, through the real service, PostgreSQL and S3."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.team.desk import made
from tests.team.served import Team, whole

pytestmark = [pytest.mark.peer("seaweedfs"), pytest.mark.peer("postgresql")]


def opened(receipt: str, signer: Ed25519PrivateKey) -> Any:
    """As a desk reads it, without the service's library."""
    head, claims, signature = (base64.urlsafe_b64decode(one + "=" * (-len(one) % 4)) for one in receipt.split("."))
    signer.public_key().verify(signature, receipt.rpartition(".")[0].encode())
    assert json.loads(head)["typ"] == "klartone-receipt"
    return json.loads(claims)


def test_a_recording_arrives_once_whole_and_receipted(team: Team) -> None:
    desk = team.desk("agent")
    one = made(team.keys)
    stored = whole(desk.upload(one))
    told = opened(stored["receipt"], team.receipts)
    assert (told["recording"], told["sha256"], told["state"]) == (one.recording, one.told["sha256"], "received")
    assert whole(desk.upload(one)) == stored
    assert whole(desk.finish(one)) == stored
    assert team.keys_in_s3() == {f"recordings/{one.recording}": 1}
    (row,) = team.sql("SELECT recording::text, agent, size, digest, training_until > now() FROM recordings")
    assert row == (one.recording, "sip:anna@klartone.test", len(one.file), hashlib.sha256(one.file).digest(), True)
    assert team.sql("SELECT count(*) FROM wraps")[0][0] == len(one.told["wraps"])
    assert team.events().count("recording_arrived") == 1
    assert "+45" not in team.log()
    assert one.recording not in team.log()
