"""A rulebook that hangs with the interpreter lock held, throws, dies or answers nonsense: the call is not recorded, the agent
reads why, and not one frame of its sound is the worse for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from softphone.audio.files import read_wav
from softphone.domain.purpose import Reason
from softphone.domain.status import Headline
from softphone.system.paths import program_folder
from softphone.wire import Answer, CallPhase
from tests.journeys.fault_words import sentence, told_plainly, words
from tests.journeys.listening import numbers, spoken
from tests.journeys.stage import AGENT_FIRST, Stage, stage
from tests.peers.counter import gaps
from tests.peers.second_phone import talk

pytestmark = [pytest.mark.journey, pytest.mark.alone]

RULEBOOK = "datatilsynet"
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
}
MOOD = "spoiled"


def spoiled_rulebook(folder: Path, way: str) -> Path:
    """The bundled rulebook in a folder of plugins, which goes wrong in this way once a file `spoiled` lies beside it."""
    home = folder / RULEBOOK
    shutil.copytree(program_folder("plugins") / RULEBOOK, home, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    code = home / "__init__.py"
    code.write_text(
        f"""{code.read_text("utf-8")}

_decide = decide

@hookimpl
def decide(facts: Facts, line: Line, drawn: bool) -> Decision:
    from pathlib import Path
    if not Path(__file__).with_name("{MOOD}").exists():
        return _decide(facts, line, drawn)
    {WAYS[way]}
"""
    )
    return home / MOOD


def _call_while_it_goes_wrong(on: Stage) -> str:
    """Answered at once, as an agent does who sees nothing of a rulebook; five seconds of talk."""
    on.ring("n7")
    ringing = on.desk.wait_call(lambda one: one.phase is CallPhase.INCOMING, "a ringing call")
    on.desk.do(Answer, call=ringing.id)
    on.customer.wait_for("CallEstablished")
    talk(on.customer, 250)
    return ringing.id


@pytest.mark.parametrize("way", WAYS)
def test_a_rulebook_that_goes_wrong_costs_the_recording_and_nothing_of_the_call(tmp_path: Path, way: str) -> None:
    plugins = tmp_path / "plugins"
    mood = spoiled_rulebook(plugins, way)
    program = ("-m", "tests.journeys.process_engine", "--plugins", str(plugins))
    with stage(tmp_path / "stage", lines=("n7",), program=program) as on:
        mood.touch()
        call = _call_while_it_goes_wrong(on)
        status = on.desk.wait_status(lambda one: one.headline is Headline.FAILED, "failed", call)
        assert status.reasons[0].reason is Reason.RULEBOOK_FAILED
        faults = on.desk.wait(lambda now: now.faults, "a word about the plugin")
        assert all(sentence(fault) for fault in faults)
        on.hang_up(call)
        assert not on.desk.told("sealed")
        lost = _frames_lost(on)
        print(f"{way}: {len(lost)} breaks in what the customer heard: {lost}")
        # What a phone's jitter buffer conceals on a busy machine is no loss: one frame said twice, one left out for it.
        assert len(lost) <= 2

        mood.unlink()
        again = on.call("n7", number="+4520123457")
        on.sealed(again, 1.0)
        on.hang_up(again)
        on.end()
        told_plainly(words(on))
    assert on.row(call) is None
    assert on.row(again) is not None


def _frames_lost(on: Stage) -> list[tuple[int, int | None, int | None]]:
    """Where the customer, who heard the agent's counter, heard it jump."""
    own, heard = on.folder / "own.wav", on.folder / "heard.wav"
    on.customer.ask("save", "Saved", own=str(own), heard=str(heard))
    said = numbers(read_wav(heard))
    first, last = spoken(said)
    assert last - first > 200, "too little was heard to tell"
    # Once the microphone is opened for good, the agent's file begins anew: no frame is lost by that.
    return [gap for gap in gaps(said) if gap[2] != AGENT_FIRST]
