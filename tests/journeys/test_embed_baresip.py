"""baresip records by Klartone's rules: the client of docs/embed.md, run as it stands, between a real baresip and the session.

Another of our own phones calls it, hears the notice, and presses keys.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from softphone.audio.files import read_wav, write_wav
from softphone.audio.player import tone
from softphone.plugin.sounds import read_any
from tests.engine.sip.hearing import tone_frames
from tests.journeys.embedding import Talk, Told, policy_file, session_command, talk
from tests.journeys.listening import numbers
from tests.peers.baresip import Baresip, baresip
from tests.peers.second_phone import ROOT, SecondPhone, second_phone
from tests.peers.second_phone import talk as goes_on

# baresip 1.1 stands still for good where a hold meets a change of its audio player: the busier the machine, the oftener.
pytestmark = [pytest.mark.journey, pytest.mark.peer("baresip")]

CLIENT = ROOT / "docs" / "embed_client.py"
AGENT, FIRST, SECOND = 300, 440, 660
"""Hz of what baresip says, and of the notice's two halves"""
SETTLES = 75
"""frames that a key takes to settle: 1.5 s"""


@pytest.mark.rule("N3")
@pytest.mark.rule("G03")
@pytest.mark.rule("G04")
@pytest.mark.rule("G05")
@pytest.mark.rule("L5")
def test_baresip_records_what_the_session_lets_it_and_deletes_what_it_must(tmp_path: Path) -> None:
    says, kept = tmp_path / "says.wav", tmp_path / "kept"
    kept.mkdir()
    write_wav(says, tone(AGENT, 60, level_db=-14, rate=8_000), rate=8_000)
    command = session_command(tmp_path, policy_file(tmp_path / "policy", ("n3",)))
    with (
        baresip(says, keeps=False, mixes=True) as phone,
        second_phone(counter=True) as caller,
        talk([sys.executable, str(CLIENT), str(phone.control), "n3", str(kept), *command], tmp_path) as session,
    ):
        session.ready()
        silent(session, phone, caller, kept)
        says_yes(session, phone, caller, kept, tmp_path)
        holds(session, phone, caller, kept)
        takes_it_back(session, phone, caller, kept)
        assert list(phone.home.glob("**/*.wav")) == [], "kept elsewhere"


def silent(session: Talk, phone: Baresip, caller: SecondPhone, kept: Path) -> None:
    """Nobody presses a key: nothing is recorded, and the session says why."""
    call = ring(session, phone, caller)
    status = session.status(call, lambda one: one["purposes"]["training"]["phase"] == "ended", "no answer")
    assert status["state"]["status"]["headline"] == "not_recording"
    assert status["words"]["en"]["reasons"] == ["The caller has not said yes (no answer)"]
    hang_up(session, caller, call)
    assert not session.told("start_recorder", call)
    assert list(kept.iterdir()) == []


def says_yes(session: Talk, phone: Baresip, caller: SecondPhone, kept: Path, folder: Path) -> None:
    """The caller hears the notice and presses 1: what follows is recorded, and nothing before it."""
    call = ring(session, phone, caller)
    session.status(call, lambda one: one["headline"] == "asked", "the question")
    pressed = frames(caller)
    caller.do("digits", digits="1")
    started = session.effect("start_recorder", call)
    session.status(call, lambda one: one["headline"] == "recording" and one["recording"] == ["training"], "recording")
    given = [one for line in session.told("commit", call) for one in line["entries"] if one["event"] == "consent_given"]
    assert [(one["rule"], one["params"]["how"]) for one in given] == [("G03", "key 1")]
    goes_on(caller, 100)
    caller.ask("save", "Saved", own=str(folder / "own.wav"), heard=str(folder / "heard.wav"))
    hang_up(session, caller, call)
    session.effect("stop_recorder", call)

    heard = read_wav(folder / "heard.wav")
    agent, first, second = (tone_frames(heard, hertz) for hertz in (AGENT, FIRST, SECOND))
    # Half a second each is 25 frames; what a busy machine sends late is concealed.
    assert sum(first) >= 13
    assert sum(second) >= 13
    assert not any(agent[: first.index(True)]), "the agent was heard before the notice"
    assert first.index(True) < second.index(True)
    assert len(second) - second[::-1].index(True) - first.index(True) >= 40
    assert not any(agent[first.index(True) : len(second) - second[::-1].index(True)]), (
        "the agent was heard in the notice"
    )

    sound = read_any(kept / f"{started['recording']}-{started['segment']}.wav")
    said = [number for number in numbers(sound.tobytes()) if number is not None]
    own = numbers(read_wav(folder / "own.wav"))
    began = own.index(said[0])
    print(f"pressed at frame {pressed}, recorded from frame {began}: {len(said)} frames of the caller's")
    assert 90 <= len(said) <= 200
    # What baresip has in its buffer when it begins is the caller's last moment, not its next.
    assert began - pressed >= SETTLES - 15, "recorded before the key had settled"


def holds(session: Talk, phone: Baresip, caller: SecondPhone, kept: Path) -> None:
    """While the call is held nothing is recorded; when it goes on, a file of its own begins."""
    call = ring(session, phone, caller)
    session.status(call, lambda one: one["headline"] == "asked", "the question")
    caller.do("digits", digits="1")
    recording = session.effect("start_recorder", call)["recording"]
    goes_on(caller, 25)
    caller.do("hold")
    session.status(call, lambda one: one["pauses"] == ["held"], "held")
    session.effect("stop_recorder", call, segment=0)
    assert len(session.told("start_recorder", call)) == 1
    goes_on(caller, 25)
    caller.do("resume")
    session.effect("start_recorder", call, segment=1)
    goes_on(caller, 25)
    hang_up(session, caller, call)
    assert {one.name for one in kept.glob(f"{recording}-*")} == {f"{recording}-0.wav", f"{recording}-1.wav"}


def takes_it_back(session: Talk, phone: Baresip, caller: SecondPhone, kept: Path) -> None:
    """A yes, and then the opt-out keys: recording stops, and the file is gone."""
    before = {*kept.iterdir()}
    call = ring(session, phone, caller)
    session.status(call, lambda one: one["headline"] == "asked", "the question")
    caller.do("digits", digits="1")
    session.effect("start_recorder", call)
    goes_on(caller, 25)
    assert len({*kept.iterdir()} - before) == 1
    for key in "*9":
        # baresip 1.1 misses a key that comes within a quarter of a second of another.
        caller.do("digits", digits=key)
        goes_on(caller, 25)
    session.effect("stop_recorder", call)

    def discards(line: Told) -> bool:
        return line["type"] == "commit" and any(one["type"] == "discard" for one in line["changes"])

    session.wait(discards, "a discard")
    status = session.status(call, lambda one: one["purposes"]["training"]["phase"] == "ended", "the end")
    assert status["state"]["status"]["kept"] is False
    assert status["words"]["en"]["headline"] == "Not recording"
    hang_up(session, caller, call)
    assert {*kept.iterdir()} == before


def ring(session: Talk, phone: Baresip, caller: SecondPhone) -> str:
    """The caller dials baresip, which answers as soon as the rulebook has; the call's id there."""
    since = len(session.lines)
    caller.do("dial", target=f"sip:baresip@127.0.0.1:{phone.port}")
    caller.wait_for("CallEstablished")
    return session.wait(lambda line: line["type"] == "play_notice", "a notice", since=since)["call"]


def hang_up(session: Talk, caller: SecondPhone, call: str) -> None:
    caller.do("hang_up")
    caller.wait_for("CallEnded")
    session.wait(lambda line: line["type"] == "over" and line["call"] == call, f"{call} let go")


def frames(caller: SecondPhone) -> int:
    """How many the caller has said in its newest call."""
    return [*caller.ask("state", "State")["frames"].values()][-1]
