"""The house's archive at a desk: sound as the local archive has it, by ranges that are each looked at, and who gets what."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softphone.archive.archive import Archive
from softphone.archive.crypto import ring
from softphone.archive.crypto.ring import KeyPurpose, Known
from softphone.archive.crypto.wraps import fingerprint, private_name
from softphone.domain.archive.recordings import RATE, Query
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.roles import Role, role_of
from softphone.house import keys
from softphone.house.archive import HouseArchive
from tests.archive.scene import MemoryKeys, export, scene, voices
from tests.house.joined import Joined, signed_in
from tests.team import local
from tests.team.desk import Desk, made, spoken
from tests.team.served import Team, whole

pytestmark = [pytest.mark.peer("postgresql"), pytest.mark.peer("seaweedfs")]
DOCUMENTATION, TRAINING = Purpose.DOCUMENTATION, Purpose.TRAINING
BO = "sip:bo@klartone.test"


def ring_of(team: Team, *roles: KeyRole) -> MemoryKeys:
    store = MemoryKeys()
    for role in roles:
        private = team.keys.keys[role]
        public = private.public_key().public_bytes_raw()
        store.set(private_name(fingerprint(public)), private.private_bytes_raw())
        ring.remember(store, Known(role.value, KeyPurpose(role.value), public))
    return store


def member(team: Team, folder: Path, role: KeyRole, *, proves: bool = True) -> tuple[Joined, HouseArchive]:
    joined, store = signed_in(team, folder, role_of(role).value, agents=[], name=folder.name), ring_of(team, role)
    if proves:
        assert keys.prove(joined.connection, store, joined.desk, {role_of(role)})
    return joined, HouseArchive(joined.connection, store)


@pytest.mark.rule("G11")
def test_what_a_desk_recorded_sounds_in_the_house_sample_by_sample_and_from_any_second(
    team_tls: Team, tmp_path: Path
) -> None:
    at, number = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=3), "+4520112233"
    with scene(tmp_path / "desk") as desk:
        desk.archive.clock = lambda: datetime.now(UTC)
        call, recording = local.begun(desk, team_tls.keys, at, DOCUMENTATION, number=number)
        local.ended(desk, call, recording, at + timedelta(seconds=30), DOCUMENTATION, seconds=30)
        told = local.told_of(desk.archive, recording)
        shipping = team_tls.desk("agent", agents=[local.AGENT])
        assert whole(shipping.upload(told))["state"] == "stored"
        ours = desk.only()
        ours.held |= ring_of(team_tls, KeyRole.DOCUMENTATION).held
        with closing(Archive.open(desk.folder, ours)) as here:
            here.clock = desk.archive.clock
            export(here, recording, tmp_path / "local.wav")
    _, handler = member(team_tls, tmp_path / "handler", KeyRole.DOCUMENTATION)
    (row,) = handler.find.page(Query()).rows
    assert (row.recording, row.seconds, row.stored) == (recording, 30.0, 30)
    opening = handler.open(recording[:20], why="om prisen")
    exported = opening.export(str(tmp_path / "house.wav"), lambda _done, _of: None)
    assert (exported.seconds, exported.marks) == (30.0, ())
    assert (tmp_path / "house.wav").read_bytes() == (tmp_path / "local.wav").read_bytes()
    with opening.sound() as sound:
        heard = np.concatenate(list(sound.pull(0)))
    assert len(heard) == sound.samples == 30 * RATE
    assert np.corrcoef(heard[:, 0], voices(30)[:, 0])[0, 1] > 0.95
    with opening.sound(17.5) as sound:
        behind = np.concatenate(list(sound.pull(round(17.5 * RATE))))
    assert len(behind) == round(12.5 * RATE)
    assert np.abs(behind.astype(int) - heard[round(17.5 * RATE) :]).mean() < 40
    with pytest.raises(ArchiveError, match="past_end"), opening.sound(30):
        pass
    assert team_tls.events().count("recording_exported") == 1
    assert team_tls.events().count("recording_opened") == 4


@pytest.mark.rule("G31")
def test_what_is_taken_back_while_it_is_heard_is_heard_no_further(team_tls: Team, tmp_path: Path) -> None:
    one = made(team_tls.keys, sound=spoken(240), purposes=("training",), started=datetime.now(UTC) - timedelta(hours=1))
    desk = team_tls.desk("agent")
    assert whole(desk.upload(one))["state"] == "stored"
    _, lead = member(team_tls, tmp_path / "lead", KeyRole.TRAINING)
    opening = lead.open(one.recording)
    assert opening.row.number is None
    reader = opening._opened()
    with closing(reader):
        assert len(next(reader.pcm(0)))
        no = {"withdrawal": one.recording, "call_group": one.told["call"]["call_group"], "purposes": ["training"]}
        whole(desk.ask("POST", "/v1/withdrawals", {**no, "reason": "withdrawn"}))
        with pytest.raises(ArchiveError, match="closed_to_role"):
            list(reader.pcm(200 * RATE))
    with pytest.raises(ArchiveError, match="not_among_yours"):
        lead.open(one.recording)
    assert team_tls.events()[-1] == "refused"


def test_each_route_gives_each_person_theirs_of_one_call_and_nobody_more(team: Team, tmp_path: Path) -> None:
    """A call of Anna's for both purposes. What it refuses is in the log."""
    team.credulous()  # rows alone, with no policy that says so
    team.sql("INSERT INTO policy_teams VALUES (1, 'one', %s, '{}', %s)",
             ["anna@klartone.test"], [team.keys.recipient(KeyRole.TRAINING).key_id])  # fmt: skip
    one = made(team.keys)
    people = {
        "anna": team.desk("agent"),
        "bo": team.desk("agent", agents=[BO]),
        "handler without a key": team.desk("case_handler", agents=[]),
        "handler": team.desk("case_handler", agents=[], key=KeyRole.DOCUMENTATION),
        "lead": team.desk("lead", agents=[], key=KeyRole.TRAINING),
        "lead without a key": team.desk("lead", agents=[]),
        "custody without a key": team.desk("custody", agents=[]),
        "custody": team.desk("custody", agents=[], key=KeyRole.CUSTODY),
        "it": team.desk("it", agents=[]),
    }
    assert whole(people["anna"].upload(one))["state"] == "stored"
    number, recording = one.told["call"]["number"], one.recording
    asked: dict[str, Callable[[Desk], Any]] = {
        "find": lambda desk: desk.ask("POST", "/v1/recordings/find", {}),
        "by number": lambda desk: desk.ask("POST", "/v1/recordings/find", {"number": number}),
        "count": lambda desk: desk.ask("POST", "/v1/recordings/count", {}),
        "show": lambda desk: desk.ask("POST", "/v1/recordings/show", {"id": recording}),
        "open": lambda desk: desk.ask("POST", "/v1/recordings/open", {"id": recording, "why": "x", "case": "1"}),
        "hear documentation": lambda desk: _wraps(desk, recording, "documentation", why="x"),
        "hear training": lambda desk: _wraps(desk, recording, "training"),
        "hear a case": lambda desk: _wraps(desk, recording, "custody", case="1"),
        "hear a case, not naming it": lambda desk: _wraps(desk, recording, "custody"),
        "read the file": lambda desk: desk.ask("GET", f"/v1/recordings/{recording}/file", Range="bytes=0-9"),
    }
    said = {who: {name: _said(deed(desk)) for name, deed in asked.items()} for who, desk in people.items()}
    found = {
        "anna": "1 not_by_number 1 own agents_list agents_list agents_list agents_list agents_list missing",
        "bo": "0 not_by_number 0 not_among_yours agents_list agents_list agents_list agents_list agents_list missing",
        "handler": "1 1 1 number+log documentation wraps not_yours not_yours not_yours bytes",
        "lead": "1 not_by_number 1 shown training not_yours wraps not_yours not_yours bytes",
        "custody": "1 1 1 number+log custody not_yours not_yours wraps say_case bytes",
    }
    for who in people:
        words = found.get(who, "only_health " * 9 + "missing").split()
        assert (who, said[who]) == (who, dict(zip(asked, words, strict=True)))
    told = team.log() + str([team.sql("SELECT told FROM audit")])
    assert number[1:] not in told
    nobody = team.stranger()
    assert {deed(nobody).code for deed in asked.values()} == {"token_wrong"}
    # Where the policy gives the team to another key, its lead finds it no more.
    team.sql("UPDATE policy_teams SET leads = '{}'")
    assert _said(asked["find"](people["lead"])) == "not_yours"
    assert _said(asked["read the file"](people["lead"])) == "missing"
    team.sql("UPDATE policy_teams SET leads = %s, agents = %s",
             [team.keys.recipient(KeyRole.TRAINING).key_id], ["bo@klartone.test"])  # fmt: skip
    assert _said(asked["hear training"](people["lead"])) == "not_your_team"
    for words, code in (("bytes=9-3", "range"), ("bytes=99999999-", "range"), ("lines=1-2", "range")):
        wrong = people["handler"].ask("GET", f"/v1/recordings/{recording}/file", Range=words)
        assert (wrong.code, wrong.json["params"]["reason"]) == ("request_wrong", code)


def _wraps(desk: Desk, recording: str, role: str, **words: str) -> Any:
    return desk.ask("POST", f"/v1/recordings/{recording}/wraps", {"role": role, **words})


def _said(answer: Any) -> str:
    """In a word, what somebody got."""
    if answer.status >= 400:
        return answer.code.rpartition(".")[2]
    if answer.status == 206:
        return "bytes"
    told = answer.json
    if "rows" in told:
        return str(len(told["rows"]))
    if "count" in told:
        return str(told["count"])
    if "wraps" in told:
        return "wraps" if len(told["wraps"]) == 1 else "none"
    if "numbers" in told:
        saw = ["number"] * bool(told["seals"]) + ["log"] * (told["log"] is not None) + ["own"] * told["own"]
        return "+".join(saw) or "shown"
    return str(told["role"])


def test_keys_are_proved_once_and_only_by_who_has_the_role(team_tls: Team, tmp_path: Path) -> None:
    joined, handler = member(team_tls, tmp_path / "handler", KeyRole.DOCUMENTATION, proves=False)
    with pytest.raises(ArchiveError, match="only_health"):
        handler.find.page(Query())
    store = ring_of(team_tls, KeyRole.DOCUMENTATION, KeyRole.CUSTODY)
    ring.create(store, "another", KeyRole.DOCUMENTATION, datetime.now(UTC))  # the policy does not name it
    roles = {Role.CASE_HANDLER}
    took = keys.prove(joined.connection, store, joined.desk, roles)
    assert took == [(KeyRole.DOCUMENTATION, team_tls.keys.recipient(KeyRole.DOCUMENTATION).key_id)]
    assert handler.find.page(Query()).rows == ()
    before = team_tls.events().count("key_proved")
    assert keys.prove(joined.connection, store, joined.desk, roles, took) == []
    assert team_tls.events().count("key_proved") == before
    # Another desk's challenge opens for nobody.
    other, _ = member(team_tls, tmp_path / "other", KeyRole.DOCUMENTATION, proves=False)
    assert keys.prove(other.connection, store, joined.desk, roles) == []


def test_a_house_that_does_not_answer_is_told_in_words(team_tls: Team, tmp_path: Path) -> None:
    _, handler = member(team_tls, tmp_path / "handler", KeyRole.DOCUMENTATION)
    assert handler.find.count(Query()) == 0
    team_tls.stop()
    for deed in (lambda: handler.find.page(Query()), handler.written, lambda: handler.open("x", why="y")):
        with pytest.raises(ArchiveError) as refused:
            deed()
        assert refused.value.code == "error.house.unreachable"
