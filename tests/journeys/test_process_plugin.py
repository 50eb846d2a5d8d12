"""A rulebook that hangs with the interpreter lock held, throws, dies or answers nonsense: the call is not recorded, and the
agent reads why.

Its sound goes on: no break but what the customer's jitter buffer conceals on a busy machine.
"""

from __future__ import annotations

import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

from softphone.audio.files import read_wav
from softphone.domain.purpose import Purpose, Reason
from softphone.domain.status import Headline, PurposePhase
from softphone.system.paths import program_folder
from softphone.wire.snapshot import CallPhase
from softphone.wire.to_engine import Answer
from tests.journeys.fault_words import sentence, told_plainly, words
from tests.journeys.listening import numbers, spoken
from tests.journeys.stage import AGENT_FIRST, Stage, stage
from tests.peers.counter import gaps
from tests.peers.second_phone import talk

pytestmark = [pytest.mark.journey, pytest.mark.calm]

RULEBOOK = "datatilsynet"
TALK = 60
"""frames after a rulebook was given up"""
WAYS = {
    # Minutes of work inside one call that never lets go of the interpreter lock.
    "hangs": 'import re\n    re.match(r"(a+)+$", "a" * 60 + "!")',
    "throws": 'raise RuntimeError(f"cannot decide about {facts.number}")',
    "dies": "import os\n    os._exit(3)",
    "nonsense": 'return {"documentation": "yes", "training": facts.number}',
    "too bold": """from dataclasses import replace
    from softphone.domain.purpose import Reason
    good = _decide(facts, line, True)
    return replace(good, notice=None, reasons=(Reason.OBLIGATION,))""",
    # As if it had the host's own wire: nonsense first, and the right answer after it.
    "answers twice": """host, request = _wire()
    host._say({"id": request, "result": {"documentation": "yes"}})
    return _decide(facts, line, drawn)""",
}
LATER = """import threading
    host, request = _wire()
    def change_its_mind():
        while mood.read_text() != "now":
            threading.Event().wait(0.05)
        off = {"state": "off", "basis": None, "reason": "not_in_sample"}
        no = {"documentation": off, "training": off, "notice": None, "how": "none", "reasons": ["not_in_sample"]}
        host._say({"id": request, "result": no})
    threading.Thread(target=change_its_mind, daemon=True).start()
    return _decide(facts, line, drawn)"""
MOOD = "mood"


def moody_rulebook(folder: Path) -> Path:
    """The bundled rulebook in a folder of plugins. It goes wrong as the file that is given back says, while there is one."""
    home = folder / RULEBOOK
    shutil.copytree(program_folder("plugins") / RULEBOOK, home, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    code = home / "__init__.py"
    ways = "".join(
        f"""
def {way.replace(" ", "_")}(facts, line, drawn, mood):
    {body}
"""
        for way, body in {**WAYS, "later": LATER}.items()
    )
    code.write_text(
        f"""{code.read_text("utf-8")}

_decide = decide

def _wire():
    import sys
    frame = sys._getframe()
    while "request" not in frame.f_locals or "self" not in frame.f_locals or "requests" not in frame.f_locals:
        frame = frame.f_back
    return frame.f_locals["self"], frame.f_locals["request"]["id"]
{ways}
@hookimpl
def decide(facts: Facts, line: Line, drawn: bool) -> Decision:
    from pathlib import Path
    mood = Path(__file__).with_name("{MOOD}")
    if not mood.exists():
        return _decide(facts, line, drawn)
    return globals()[mood.read_text()](facts, line, drawn, mood)
"""
    )
    return home / MOOD


@pytest.fixture(scope="module")
def moody(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Stage, Path]]:
    """A stage with that rulebook, and the file that spoils it."""
    folder = tmp_path_factory.mktemp("plugins")
    mood = moody_rulebook(folder)
    program = ("-m", "tests.journeys.process_engine", "--plugins", str(folder))
    with stage(tmp_path_factory.mktemp("stage"), lines=("n7", "n3"), program=program) as on:
        yield on, mood
        on.end()
        told_plainly(words(on))


def _call_while_it_goes_wrong(on: Stage) -> str:
    """Answered at once, as an agent does who sees nothing of a rulebook; a talk that goes on after it was given up."""
    on.ring("n7")
    ringing = on.desk.wait_call(lambda one: one.phase is CallPhase.INCOMING, "a ringing call")
    on.desk.do(Answer, call=ringing.id)
    on.customer.wait_for("CallEstablished")
    status = on.desk.wait_status(lambda one: one.headline is Headline.FAILED, "failed", ringing.id)
    assert status.reasons[0].reason is Reason.RULEBOOK_FAILED
    talk(on.customer, TALK)
    return ringing.id


@pytest.mark.parametrize("way", WAYS)
def test_a_rulebook_that_goes_wrong_costs_the_recording_and_nothing_of_the_call(
    moody: tuple[Stage, Path], way: str
) -> None:
    on, mood = moody
    mood.write_text(way.replace(" ", "_"))
    call = _call_while_it_goes_wrong(on)
    faults = on.desk.wait(lambda now: now.faults, "a word about the plugin")
    assert all(sentence(fault) for fault in faults)
    assert any(fault.params.get("plugin") == RULEBOOK for fault in faults)
    on.over(call)
    assert not on.desk.told("sealed", call=call)
    lost = _frames_lost(on)
    print(f"{way}: {len(lost)} breaks in what the customer heard: {lost}")
    # What a phone's jitter buffer conceals on a busy machine is no loss: one frame said twice, one left out for it.
    assert len(lost) <= 2

    mood.unlink()
    again = on.call("n7")
    on.sealed(again, 1.0)
    on.desk.wait(lambda now: not now.faults, "no word about the plugin any more")
    on.over(again)
    assert on.row(call) is None
    assert on.row(again) is not None


def test_a_rulebook_that_changes_its_mind_in_mid_call_changes_nothing_of_that_call(moody: tuple[Stage, Path]) -> None:
    on, mood = moody
    mood.write_text("later")
    call = on.call("n7")
    on.sealed(call, 1.0)
    before = on.desk.call(call).status
    mood.write_text("now")
    on.sealed(call, 2.0)
    assert on.desk.call(call).status == before
    on.over(call)
    # The host that spoke unasked is a new one by now, and the next call is decided as ever.
    mood.unlink()
    again = on.call("n7")
    on.sealed(again, 1.0)
    on.over(again)
    assert on.row(call) is not None
    assert on.row(again) is not None


def test_a_rulebook_that_fails_when_a_party_asks_for_a_recording_changes_nothing_and_can_be_asked_again(
    moody: tuple[Stage, Path],
) -> None:
    on, mood = moody
    desk = on.desk
    call = on.call("n3")
    # It says no before it has been asked, and asks for it later.
    desk.wait_status(lambda one: one.opt_out.enabled, "the notice", call)
    desk.opt_out(call)
    before = desk.wait_status(lambda one: "party_asks_for_recording" in one.actions, "declined", call)
    mood.write_text("throws")
    desk.act(call, "party_asks_for_recording")
    desk.wait_until(lambda: [one for one in desk.faults if one.said.code == "fault.asked_anew.failed"], "a word")
    after = desk.call(call).status
    assert after is not None
    assert (after.headline, after.reasons) == (before.headline, before.reasons)
    mood.unlink()
    desk.act(call, "party_asks_for_recording")
    desk.wait_status(lambda one: one.purposes[Purpose.TRAINING].phase is PurposePhase.ASKED, "asked", call)
    assert not desk.told("recorder_started", call=call)
    on.customer.do("digits", digits="1")
    desk.wait_event("first_sample", call=call)
    on.over(call)


def _frames_lost(on: Stage) -> list[tuple[int, int | None, int | None]]:
    """Where the customer, who heard the agent's counter, heard it jump."""
    own, heard = on.folder / "own.wav", on.folder / "heard.wav"
    on.customer.ask("save", "Saved", own=str(own), heard=str(heard))
    said = numbers(read_wav(heard))
    first, last = spoken(said)
    assert last - first > TALK - 30, "too little was heard to tell"
    # Once the microphone is opened for good, the agent's file begins anew: no frame is lost by that.
    return [gap for gap in gaps(said) if gap[2] != AGENT_FIRST]
