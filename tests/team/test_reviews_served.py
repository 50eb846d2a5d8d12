"""Reviews over the service: two leads at once, and what is shared with the call's agent, who reads, hears and answers it."""

from __future__ import annotations

import base64
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from uuid_utils import uuid7

from softphone.archive.crypto import review_seals
from softphone.archive.crypto.wraps import SUITE, Wrap, unwrap
from softphone.domain.purpose import KeyRole
from tests.team.desk import NUMBER, Desk, Made, made
from tests.team.served import Team, whole

pytestmark = [pytest.mark.peer("seaweedfs"), pytest.mark.peer("postgresql")]
TEAM = {"lines": ["support"], "agents": []}
TRAINING = KeyRole.TRAINING


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def arrived(team: Team, anna: Desk) -> Made:
    one = made(team.keys)
    assert whole(anna.upload(one))["state"] == "stored"
    return one


def private(team: Team) -> bytes:
    return team.keys.keys[TRAINING].private_bytes_raw()


def seal(team: Team, recording: str, comment: str, words: str) -> dict[str, str]:
    to = team.keys.recipient(TRAINING)
    sealed = review_seals.seal_comment(words, to.public_key, recording, comment)
    return {"role": "training", "key_id": to.key_id, "suite": SUITE, "sealed": b64(sealed)}


def say(team: Team, desk: Desk, recording: str, words: str, **other: Any) -> Any:
    comment = str(uuid7())
    told = {"sample": 16_000, "seals": [seal(team, recording, comment, words)]} | other
    return desk.ask("PUT", f"/v1/reviews/{recording}/comments/{comment}", told)


def read(team: Team, desk: Desk, recording: str) -> tuple[dict[str, Any], list[str | None]]:
    """All of it, and the words that the training key opens."""
    told = whole(desk.ask("GET", f"/v1/reviews/{recording}"))["review"]
    words = [
        review_seals.open_comment(base64.b64decode(it["seal"]["sealed"]), private(team), recording, it["comment"])
        for it in told["comments"]
    ]
    return told, words


def test_two_leads_at_once_see_each_other_and_the_later_is_told_and_nothing_is_lost(team: Team) -> None:
    anna = team.desk("agent")
    one, two = team.desk("lead", agents=[], key=TRAINING), team.desk("lead", agents=[], key=TRAINING)
    first, second = arrived(team, anna), arrived(team, anna)
    listed = whole(one.ask("POST", "/v1/sample/page", {"sample": TEAM, "limit": 1}))["rows"]
    assert [row["recording"] for row in listed] == [second.recording]
    after = {name: listed[0][name] for name in ("opened_at", "recording")}
    rest = one.ask("POST", "/v1/sample/page", {"sample": TEAM | {"sought": "anna"}, "after": after})
    assert [row["recording"] for row in whole(rest)["rows"]] == [first.recording]
    assert NUMBER.encode() not in rest.body
    assert one.ask("POST", "/v1/sample/page", {"sample": TEAM | {"sought": "bo"}}).json == {"rows": []}
    # The keys come with the entry of the log, each time that it is opened.
    it = f"/v1/reviews/{first.recording}"
    for number in (1, 2):
        opened = whole(one.ask("POST", f"{it}/open"))
        wrap = opened["wraps"][0]
        told = Wrap(first.recording, wrap["segment"], TRAINING, wrap["key_id"], SUITE, base64.b64decode(wrap["sealed"]))
        assert unwrap(told, private(team))
        assert team.events().count("recording_opened") == number
    whole(two.ask("POST", f"{it}/open"))
    assert len(read(team, one, first.recording)[0]["others"]) == 1
    # Both speak, and each reads both; the points of the faster count until the later has seen them.
    assert say(team, one, first.recording, "Fin åbning.").status == 204
    before = read(team, two, first.recording)[0]["tag"]
    assert say(team, two, first.recording, "Men for hurtigt.").status == 204
    told, words = read(team, one, first.recording)
    assert sorted(map(str, words)) == ["Fin åbning.", "Men for hurtigt."]
    assert sorted(it["mine"] for it in told["comments"]) == [False, True]
    assert two.ask("GET", it, If_None_Match=f'"{before}"').status == 200
    assert two.ask("GET", it, If_None_Match=f'"{told["tag"]}"').status in (200, 304)
    points = f"{it}/scores/tone"
    assert whole(one.ask("PUT", points, {"points": 4, "seen": 0})) == {"version": 1}
    assert two.ask("PUT", points, {"points": 2, "seen": 0}).code == "conflict"
    assert whole(two.ask("PUT", points, {"points": 2, "seen": 1})) == {"version": 2}
    share = {"on": True, "seen": 0}
    assert whole(one.ask("PUT", f"{it}/share", share)) == {"version": 1}
    assert two.ask("PUT", f"{it}/share", share | {"on": False}).code == "conflict"
    mine = next(it["comment"] for it in told["comments"] if it["mine"])
    assert whole(two.ask("DELETE", f"/v1/comments/{mine}")) == {"removed": False}
    assert whole(one.ask("DELETE", f"/v1/comments/{mine}")) == {"removed": True}
    assert read(team, two, first.recording)[1] == ["Men for hurtigt."]
    # Reviewed by the first; the second is told when that was. With it all of it goes, and a count is left.
    assert whole(two.ask("GET", f"{it}/still"))["tag"]
    assert whole(one.ask("POST", "/v1/reviews/mark", {"id": first.recording, "heard": 3}))["before"] is None
    assert whole(two.ask("POST", "/v1/reviews/mark", {"id": first.recording, "heard": 3}))["before"]
    assert two.ask("GET", f"{it}/still").code == two.ask("GET", it).code == "missing"
    living = {"recordings": [first.recording, second.recording]}
    assert whole(two.ask("POST", "/v1/sample/living", living)) == {"recordings": [second.recording]}
    tally = {"line": "support", "agent": "anna@klartone.test", "month": "2026-11", "what": "drawn", "count": 3}
    for count in (3, 4):
        assert anna.ask("PUT", "/v1/sample/tallies", {"tallies": [tally | {"count": count}]}).status == 204
    other = {"tallies": [tally | {"agent": "bo@klartone.test"}]}
    assert anna.ask("PUT", "/v1/sample/tallies", other).code == "not_yours"
    asked = {"team": TEAM, "since": "2026-01", "since_day": "2026-01-01"}
    figures = whole(two.ask("POST", "/v1/sample/figures", asked))["figures"]
    assert {it["what"]: it["number"] for it in figures} == {"drawn": 4, "reviewed": 1, "reviewed_on": 1}
    assert team.sql("SELECT count(*) FROM review_comments") == [(0,)]


def reads(anna: Desk, key: X25519PrivateKey) -> None:
    public = key.public_key().public_bytes_raw()
    told = {"public_key": b64(public), "signature": b64(review_seals.sign_reading_key(public, anna.id, anna.key))}
    assert anna.ask("PUT", "/v1/desk/reading-key", told).status == 204


def sealed_for(team: Team, lead: Desk, recording: str, data_key: bytes) -> dict[str, Any]:
    """As a lead's desk makes it, for each desk of the agent whose own key has signed for it."""
    told, words = read(team, lead, recording)
    wraps, seals = list[dict[str, Any]](), list[dict[str, Any]]()
    for desk in told["desks"]:
        raw = [base64.b64decode(desk[name]) for name in ("public_key", "signature", "signer")]
        assert review_seals.is_reading_key(raw[0], desk["desk"], raw[1], raw[2])
        assert not review_seals.is_reading_key(raw[0], str(uuid4()), raw[1], raw[2])
        to = {"desk": desk["desk"], "suite": SUITE}
        wraps.append(to | {"segment": 1, "sealed": b64(review_seals.seal_data_key(data_key, raw[0], recording, 1))})
        for it, said in zip(told["comments"], words, strict=True):
            sealed = review_seals.seal_comment(said or "", raw[0], recording, it["comment"])
            seals.append(to | {"comment": it["comment"], "sealed": b64(sealed)})
    return {"wraps": wraps, "seals": seals}


@pytest.mark.rule("L3")
@pytest.mark.rule("L4")
def test_the_agent_hears_and_answers_what_is_shared_until_it_is_not_or_a_hold_comes(team: Team) -> None:
    anna, bo = team.desk("agent"), team.desk("agent", agents=["sip:bo@klartone.test"])
    lead = team.desk("lead", agents=[], key=TRAINING)
    one = arrived(team, anna)
    it, key = f"/v1/reviews/{one.recording}", X25519PrivateKey.generate()
    for desk in (anna, bo):
        reads(desk, key)
    assert say(team, lead, one.recording, "Godt hørt.").status == 204
    opened = whole(lead.ask("POST", f"{it}/open"))["wraps"][0]
    sealed = base64.b64decode(opened["sealed"])
    data_key = unwrap(Wrap(one.recording, 1, TRAINING, opened["key_id"], SUITE, sealed), private(team))
    assert data_key
    for_desks = sealed_for(team, lead, one.recording, data_key)
    assert [wrap["desk"] for wrap in for_desks["wraps"]] == [anna.id]
    assert whole(anna.ask("GET", "/v1/shared")) == {"rows": []}
    assert anna.ask("GET", f"/v1/shared/{one.recording}").code == "missing"
    theirs = {"wraps": [for_desks["wraps"][0] | {"desk": bo.id}], "seals": []}
    assert lead.ask("PUT", f"{it}/share", {"on": True, "seen": 0} | theirs).code == "wrong"
    # As old as the sample may be: a review comes when own calls are no longer listed.
    team.sql("UPDATE recordings SET opened_at = opened_at - interval '30 days'")
    assert whole(lead.ask("PUT", f"{it}/share", {"on": True, "seen": 0} | for_desks))["version"] == 1
    assert read(team, lead, one.recording)[0]["desks"][0]["sealed"]
    assert [row["recording"] for row in whole(anna.ask("GET", "/v1/shared"))["rows"]] == [one.recording]

    def keys() -> list[bytes | None]:
        wraps = whole(anna.ask("POST", f"/v1/shared/{one.recording}/open"))["wraps"]
        raw = [(base64.b64decode(wrap["sealed"]), wrap["segment"]) for wrap in wraps]
        return [review_seals.open_data_key(it, key.private_bytes_raw(), one.recording, at) for it, at in raw]

    assert keys() == [data_key]
    file = f"/v1/shared/{one.recording}/file"
    part = anna.ask("GET", file, Range="bytes=3-9")
    assert (part.status, part.body) == (206, one.file[3:10])
    assert bo.ask("GET", file).code == "missing"
    shared = whole(anna.ask("GET", f"/v1/shared/{one.recording}"))["review"]
    said = shared["comments"][0]
    words = base64.b64decode(said["seal"]["sealed"])
    assert review_seals.open_comment(words, key.private_bytes_raw(), one.recording, said["comment"]) == "Godt hørt."
    assert review_seals.open_comment(words, key.private_bytes_raw(), one.recording, str(uuid4())) is None
    # Anna answers, sealed for the training key; the lead reads it, and Bo nothing of all that.
    assert say(team, anna, one.recording, "Tak!").code == "missing"  # a comment of her own is no answer
    mine = {"role": "agent", "key_id": shared["thumbprint"], "suite": SUITE, "sealed": b64(b"for myself")}
    comment = str(uuid7())
    answer = {"sample": 0, "answers": said["comment"], "seals": [seal(team, one.recording, comment, "Tak!"), mine]}
    assert anna.ask("PUT", f"{it}/comments/{comment}", answer).status == 204
    told, heard = read(team, lead, one.recording)
    assert [(it["of_agent"], words) for it, words in zip(told["comments"], heard, strict=True)] == [
        (True, "Tak!"),
        (False, "Godt hørt."),
    ]
    for path in ("", "/still"):
        assert bo.ask("GET", f"/v1/shared/{one.recording}{path}").code == "missing"
    assert bo.ask("POST", f"/v1/shared/{one.recording}/open").code == "missing"
    assert lead.ask("GET", "/v1/shared").code == "not_yours"
    # A hold takes the keys, which the lead seals anew once it is undone; to share no longer takes all.
    hold = {
        "hold": str(uuid4()),
        "recording": one.recording,
        "raised_for": "controller",
        "raised_by": "anna",
        "why": "w",
    }
    hold["at"] = one.told["opened_at"]
    assert whole(anna.ask("POST", "/v1/holds", {"holds": [hold]}))["held"]
    assert anna.ask("GET", f"/v1/shared/{one.recording}").code == "missing"
    assert team.sql("SELECT count(*) FROM review_wraps") == [(0,)]
    assert whole(anna.ask("DELETE", f"/v1/holds/{hold['hold']}"))["undone"]
    assert keys() == []
    assert not read(team, lead, one.recording)[0]["desks"][0]["sealed"]
    assert lead.ask("POST", f"{it}/seals", sealed_for(team, lead, one.recording, data_key)).status == 204
    assert keys() == [data_key]
    assert whole(lead.ask("PUT", f"{it}/share", {"on": False, "seen": 1}))["version"] == 2
    assert anna.ask("POST", f"/v1/shared/{one.recording}/open").code == anna.ask("GET", file).code == "missing"
    assert team.sql("SELECT count(*) FROM review_wraps") == [(0,)]
    assert team.sql("SELECT count(*) FROM comment_seals WHERE role = 'agent'") == [(0,)]
    assert lead.ask("POST", f"{it}/seals", for_desks).code == "conflict"
