"""An engine of a house: what an agent does from the list of own calls reaches the house, also once the copy here has gone."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from softphone.archive.outbox import rows
from softphone.domain.status import OptOutKind
from softphone.house import courier as module
from softphone.house.courier import Courier
from softphone.system.policy_file import parse_policy
from tests.archive.scene import DOCUMENTATION, TRAINING
from tests.engine import test_later
from tests.engine.test_later import AGENT, Later
from tests.house.joined import policy_text, signed_in
from tests.peers.processes import until
from tests.team.local import begun, ended
from tests.team.served import Team
from tests.team.test_heads import key_of

pytestmark = [pytest.mark.peer("postgresql"), pytest.mark.peer("seaweedfs")]


def test_a_lock_and_a_no_from_the_list_of_own_calls_reach_the_house_that_has_the_recording(
    team_tls: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    team, at = team_tls, datetime.now(UTC) - timedelta(hours=1)
    for name, value in (("_HEADS", 0.0), ("_HEADS_ALONE", 0.0), ("LOOK", 0.5)):
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(test_later, "AT", at)
    later = Later(tmp_path / "archive")
    archive = later.before.archive
    with archive.catalog.writing() as tx:
        rows.begin(tx, at - timedelta(days=1))
    both = (DOCUMENTATION, TRAINING)
    call, recording = begun(later.before, team.keys, at, *both, number="+4570101010", agent=AGENT)
    ended(later.before, call, recording, at + timedelta(seconds=2), *both)
    file = archive.vault.path(recording)
    joined = signed_in(team, tmp_path / "home", "agent", agents=(f"sip:{AGENT}",), desk=archive.desk)
    receipts = base64.b64encode(team.receipts.public_key().public_bytes_raw()).decode()
    later.start()
    store = later.store
    try:
        store.ship_by(
            Courier(
                *(joined.connection.ask, store.shipped, lambda: [receipts], at),
                head_key=lambda: key_of(team),
                policy=lambda: parse_policy(policy_text(team, 1)).policy,
                first=0,
            )
        )
        later.until(lambda: store.shipping is not None and store.shipping.count == 0)
        assert team.kept() == [(recording, 1)]
        assert team.command("sweep").status == 0
        until(lambda: not file.exists(), 30, "the copy here gone")

        assert later.open(call).opt_out.kind is OptOutKind.TRAINING_ENDS
        later.dispute()
        until(lambda: team.sql("SELECT lifted_at IS NULL FROM holds") == [(True,)], 30, "the lock in the house")
        assert team.sql("SELECT count(*) FROM wraps WHERE role = 'training'") == [(0,)]
        later.opt_out()
        later.close(call)
        gone = "SELECT stands FROM purposes WHERE purpose = 'training'"
        until(lambda: team.sql(gone) == [("taken_back",)], 30, "the no in the house")
        later.until(lambda: store.shipping is not None and store.shipping.count == 0)
    finally:
        store.close()
