"""A house's day through all its parts: an agent records and disputes, a lead reviews on another machine, data protection finds
the caller by number, answers and releases, and IT sees figures only."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from softphone.domain.purpose import Purpose, Reason
from softphone.system.signature import succession
from tests.days import house_day
from tests.peers.processes import until
from tests.team.served import POLICY_KEY, Team
from tests.team_demo.house import LINE, House
from tests.team_demo.people import desk_of, rows
from tests.team_demo.review import reviewing
from tests.ui.review.team import Loudspeaker

pytestmark = [
    pytest.mark.journey,
    pytest.mark.timeout(240),
    pytest.mark.peer("postgresql"),
    pytest.mark.peer("seaweedfs"),
]
BOTH = (Purpose.DOCUMENTATION, Purpose.TRAINING)
CALLER = "+4520304050"
PUT_THROUGH = ("+4520304051", "+4520304052")
OFFSCREEN = {"QT_QPA_PLATFORM": "offscreen", "LANGUAGE": "en", "LC_ALL": "C.UTF-8"}


def for_training(team: Team, recording: str) -> Sequence[object]:
    return team.sql(f"SELECT stands FROM purposes WHERE recording = '{recording}' AND purpose = 'training'")


def loudspeaker(_name: str) -> Loudspeaker:
    return Loudspeaker()


@pytest.mark.calm  # a house that answers late leaves training out
@pytest.mark.rule("G10", "G11", "G37")
def test_a_call_goes_from_an_agents_desk_to_the_lead_to_data_protection_and_it_sees_figures(
    qtbot: QtBot, team_tls: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    monkeypatch.setattr("softphone.bootstrap.review.speaker", loudspeaker)
    house = House(team_tls, tmp_path)
    house.publish(["anna", "bo"], spoken=False, language="da", vouched=partial(succession, POLICY_KEY))
    house.everybody_joins(["anna", "bo"])
    lead, dpo = house.lead, house.data_protection

    # The same caller twice: the second time it comes to a dispute.
    with desk_of(house.agents["anna"], OFFSCREEN, edge=True) as anna, desk_of(house.agents["bo"], OFFSCREEN) as bo:
        call = anna.is_called(CALLER, LINE)
        kept = anna.records(call, 1.0, *BOTH)
        anna.ends(call)
        call = anna.is_called(CALLER, LINE)
        disputed = anna.records(call, 1.0, *BOTH)
        anna.window.press("dispute")
        anna.ends(call)
        anna.has_shipped()
        until(lambda: len(team_tls.kept()) == 2, 20, "both in the house")

        # The lead, on another machine with another keyring: what lives and is not held, and no number anywhere.
        (row,) = lead.lists("archive", "list")
        assert (row["recording"], row["number"]) == (kept, None)
        with reviewing(lead) as review:
            title = review.opens_next()
            assert CALLER[3:] not in title.replace(" ", "")
            assert review.offered == {kept}
            assert review.seconds >= 1.0
            review.scores(4)
            review.says("A calm beginning.")
        lead.does("archive", "list", "--number", CALLER, status=1)
        lead.does("archive", "show", disputed, status=1)

        # Data protection, by the number alone: answers the caller's request, and releases what was disputed.
        assert rows(dpo.lists("archive", "list", "--number", CALLER)) == {kept, disputed}
        (held,) = dpo.lists("holds", "list")
        assert held["recording"] == disputed
        asked = dpo.lists("holds", "raise", "--number", CALLER, "--for", "access", "--why", "case 117")
        assert rows(asked) == {kept, disputed}
        wav = tmp_path / "copy.wav"
        dpo.does("archive", "export", kept, "--wav", str(wav), "--case", "117")
        assert wav.stat().st_size > 2 * 2 * 16_000
        assert lead.lists("archive", "list") == []
        for one in asked:
            dpo.does("holds", "close", one["hold"], "--answered", str(house_day(datetime.now(UTC))))
        dpo.does("holds", "lift", held["hold"], "--reason", "settled with the caller")
        assert rows(lead.lists("archive", "list")) == {kept, disputed}

        # A caller is put through to a colleague and says no there: what the first desk recorded is for training no more, whether
        # the house had it by then or not.
        for desk in (anna, bo):
            house.certify(desk.agent)
        for calls, caller in enumerate(PUT_THROUGH, 1):
            call = anna.is_called(caller, LINE)
            first = anna.records(call, 1.0, *BOTH)
            there, theirs = anna.transfers(call, bo, LINE)
            bo.records(there, 0.5, *BOTH)
            if calls == 1:
                anna.window.press("endWrapUp")
                until(lambda first=first: for_training(team_tls, first) == [("keeps",)], 30, "the first in the house")
            anna.customer.do("digits", call=theirs, digits="*9")
            bo.eye.wait_status(lambda one: one.recording == (Purpose.DOCUMENTATION,), "a no", there)
            noes = [(calls,)]
            until(lambda noes=noes: team_tls.sql("SELECT count(*) FROM withdrawals") == noes, 30, "the no in the house")
            if calls == 2:
                anna.window.press("endWrapUp")
            anna.customer.do("hang_up", call=theirs)
            anna.customer.wait_for("CallEnded", call=theirs)
            bo.window.press("endWrapUp")
            until(lambda calls=calls: len(team_tls.kept()) == 2 + 2 * calls, 30, "both in the house, for documentation")
            assert for_training(team_tls, first) == [("taken_back",)]
        assert rows(lead.lists("archive", "list")) == {kept, disputed}

        # That caller objects by letter, and is right. A house that hangs as the next call rings is heard in mid-call.
        dpo.does("cases", "new", "--number", PUT_THROUGH[1])
        for one in dpo.lists("cases", "list"):
            dpo.does(
                "cases", "decide", one["recording"], "--uphold", "--reason", "The caller has reasons of their own."
            )
        os.kill(team_tls.process.pid, signal.SIGSTOP)
        try:
            call = anna.is_called(PUT_THROUGH[1], LINE)
            gone = anna.records(call, 0.5, Purpose.DOCUMENTATION)
        finally:
            os.kill(team_tls.process.pid, signal.SIGCONT)
        status = anna.eye.wait_status(lambda one: not one.recording, "the late no", call, 60)
        assert [one.reason for one in status.reasons][:1] == [Reason.DECLINED_EARLIER]
        assert not status.kept
        anna.window.wait(lambda one: "said no before" in one.get("title", ""), "why")
        anna.eye.wait_event("audit.recording_discarded", call=call)
        anna.ends(call)
        anna.has_shipped()
        assert gone not in dict(team_tls.kept())

        # IT: who has joined and that nothing waits, and not one call.
        people = {one["subject"]: one for one in map(json.loads, house.command("people", "--json").splitlines())}
        assert set(people) == {"anna", "bo", "sofie", "lars", "mette", "ib"}
        assert [one["failed"] for one in people.values()] == [""] * 6
        for words in (["archive", "list"], ["archive", "list", "--number", CALLER], ["archive", "show", kept]):
            house.it.does(*words, status=1)
        assert house.it.lists("holds", "list") == []
        assert house.command("verify", "--digests", "all")
        told = team_tls.log() + str(team_tls.sql("SELECT told FROM audit"))
        assert CALLER[1:] not in told
