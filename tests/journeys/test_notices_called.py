"""Every notice played once through a real call to a real baresip, which presses the keys. What each call comes to is written
from the guideline's table of notices, not from the code.

One engine and one baresip for all of them. The notice is one second of two tones; behind torture it is spoken.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from softphone.audio.files import read_wav, write_wav
from softphone.audio.player import tone
from softphone.domain.decision import NoticeId
from softphone.domain.purpose import Headline, Purpose, Reason
from softphone.domain.status import Status
from softphone.plugin.sounds import read_any
from softphone.wire.snapshot import CallPhase
from tests.engine.sip.hearing import tone_frames
from tests.journeys.lines import NUMBERS
from tests.journeys.listening import find, follow, samples
from tests.journeys.stage import LOOPBACK, Stage, stage
from tests.peers.baresip import Baresip, baresip

pytestmark = [pytest.mark.journey, pytest.mark.peer("baresip")]

D, T, BOTH = frozenset({Purpose.DOCUMENTATION}), frozenset({Purpose.TRAINING}), frozenset(Purpose)
NOTHING: frozenset[Purpose] = frozenset()
OPT_OUT = "*9"
FIRST, SECOND = 440, 660
"""Hz of the notice's two halves"""


@dataclass(frozen=True)
class After:
    """What must hold once the party has pressed the opt-out keys: what is still recorded, whether anything is kept, and why."""

    recording: frozenset[Purpose]
    kept: bool
    reason: Reason
    note: str = ""


@dataclass(frozen=True)
class Case:
    """`told`: recorded as soon as the notice has been heard, whatever is pressed. `answers`: pressed when the question begins;
    then `yes` is recorded. `asked`: what the notice asks for."""

    line: str
    notice: NoticeId
    told: frozenset[Purpose]
    opted_out: After
    answers: str = ""
    yes: frozenset[Purpose] = NOTHING
    asked: frozenset[Purpose] = NOTHING


GONE = After(NOTHING, False, Reason.DECLINED_BY_KEY)
TAKEN_BACK = After(NOTHING, False, Reason.WITHDRAWN)
OBJECTED = After(NOTHING, True, Reason.OBJECTION)

CASES = (
    # Recorded and kept; a right to object, and no promise to delete: an objection is judged, restricted until then (G23).
    Case("n1", NoticeId.N1, D, OBJECTED),
    # The law requires it: there is no right to object. The request is noted, and it goes on.
    Case("n1-obligation", NoticeId.N1, D, After(D, True, Reason.OBLIGATION, "request_noted")),
    # Press 1 to allow; withdraw at any time, then it is deleted (G03, G04).
    Case("n2", NoticeId.N2, NOTHING, TAKEN_BACK, "1", D, asked=D),
    Case("n3", NoticeId.N3, NOTHING, TAKEN_BACK, "1", T, asked=T),
    # Say so if you do not want it: recording is switched off and what there is deleted, or one is called back too (G31).
    Case("n4", NoticeId.N4, T, GONE),
    Case("n4-call-back", NoticeId.N4, T, After(NOTHING, False, Reason.DECLINED_BY_KEY, "call_back_listed")),
    # Special circumstances: no opt-out. Keys give no special grounds, so it is noted and goes on (G32).
    Case("n5", NoticeId.N5, T, After(T, True, Reason.SPECIAL_CIRCUMSTANCES, "request_noted")),
    # As N1, and asked for training: the yes to that is taken back, and documentation goes on.
    Case("n6", NoticeId.N6, D, After(D, True, Reason.WITHDRAWN), "1", BOTH, asked=T),
    # As N1, and used for training unless one says so: the keys refuse just that.
    Case("n7", NoticeId.N7, BOTH, After(D, True, Reason.DECLINED_BY_KEY)),
    Case("n7-obligation", NoticeId.N7, BOTH, After(D, True, Reason.DECLINED_BY_KEY)),
    # A right to object to both; no opt-out, so what the keys refuse is not said: documentation is objected to.
    Case("n8", NoticeId.N8, BOTH, OBJECTED),
    # Each purpose by its own key; a yes to one is no yes to the other; deleted when no yes is left.
    Case("n2n3", NoticeId.N2_N3, NOTHING, TAKEN_BACK, "1", D, asked=BOTH),
    Case("n2n3", NoticeId.N2_N3, NOTHING, TAKEN_BACK, "2", T, asked=BOTH),
    Case("n2n3", NoticeId.N2_N3, NOTHING, TAKEN_BACK, "12", BOTH, asked=BOTH),
    # Training as N4, and asked for documentation: the keys refuse training, and the yes stands.
    Case("n2n4", NoticeId.N2_N4, T, After(D, True, Reason.CONSENT), "1", BOTH, asked=D),
    # Training as N5: the yes to documentation is taken back, training goes on without special grounds.
    Case("n2n5", NoticeId.N2_N5, T, After(T, True, Reason.SPECIAL_CIRCUMSTANCES, "request_noted"), "1", BOTH, asked=D),
)
RULES = ("G03", "G04", "G05", "G23", "G31", "G32")
"""of what a key does; what a notice says is proved where its words are"""


def rules(test: Callable[..., None]) -> Callable[..., None]:
    for rule in RULES:
        test = pytest.mark.rule(rule)(test)
    return test


@rules
@pytest.mark.timeout(240)
def test_each_notice_is_heard_whole_and_its_keys_do_what_the_guideline_says(tmp_path: Path) -> None:
    call_all(tmp_path, spoken=False)


@rules
@pytest.mark.torture
@pytest.mark.parametrize("language", ["da", "en"])
def test_each_notice_as_it_is_spoken_is_heard_whole_and_its_keys_do_what_the_guideline_says(
    tmp_path: Path, language: str
) -> None:
    call_all(tmp_path, spoken=True, language=language)


def call_all(folder: Path, *, spoken: bool, language: str = "da") -> None:
    """Every case is called, whatever became of those before it."""
    says = folder / "says.wav"
    write_wav(says, tone(300, 60, level_db=-14, rate=8_000), rate=8_000)
    lines = tuple(dict.fromkeys(case.line for case in CASES))
    failed: dict[str, str] = {}
    with (
        stage(folder / "stage", lines=lines, spoken=spoken, language=language) as on,
        baresip(says) as caller,
    ):
        for case in CASES:
            began = time.monotonic()
            name = f"{case.line} {case.answers}".strip()
            try:
                seconds = call(on, caller, case, folder / f"{name}.wav", spoken=spoken)
            except (AssertionError, TimeoutError) as error:
                failed[name] = str(error)[:1000]
                caller.hang_up()
                on.desk.wait(lambda s: all(one.phase is CallPhase.ENDED for one in s.calls), "no call")
            else:
                print(f"{name}: {case.notice} of {seconds:.1f} s heard; {time.monotonic() - began:.1f} s in all")
        on.end()
        assert on.verified()["ok"]
    assert failed == {}


def call(on: Stage, caller: Baresip, case: Case, heard: Path, *, spoken: bool) -> float:
    """The length of the notice that was played and heard, in seconds."""
    caller.dial(f"sip:{NUMBERS[case.line]}@{LOOPBACK}:{on.sip_port}", heard)
    id = on.desk.answer().id
    if case.answers:
        on.desk.wait_event("notice_question", 60 if spoken else 6, call=id)
        caller.press(case.answers)
    ended = on.desk.wait_event("notice_ended", 60 if spoken else 6, call=id)
    played = float(on.desk.wait_event("notice_started", call=id).params["seconds"] or 0)
    status = on.desk.wait_status(lambda one: frozenset(one.recording) == case.told | case.yes, "recording", id)
    assert status.headline is Headline.RECORDING
    assert status.notice is not None
    assert status.notice.notice is case.notice
    assert frozenset(status.notice.asks) == case.asked
    first = on.desk.wait_event("first_sample", call=id)
    assert first.since_answer is not None
    assert ended.since_answer is not None
    assert first.since_answer > ended.since_answer
    # What needs no yes is recorded from the start; each yes adds its purpose, and no other.
    opened = [frozenset(str(one.params["purposes"]).split()) for one in on.desk.told("audit.segment_opened", call=id)]
    assert case.told <= opened[0]
    assert all(before < one for before, one in pairwise(opened))
    assert opened[-1] == case.told | case.yes
    caller.press(OPT_OUT)
    on.desk.wait_status(lambda one: holds(one, case.opted_out), f"{case.opted_out}", id)
    caller.hang_up()
    on.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", id)
    whole(heard, played, on.home.folders.cache / "notices" if spoken else None)
    return played


def holds(status: Status, after: After) -> bool:
    return (
        frozenset(status.recording) == after.recording
        and status.kept is after.kept
        and after.reason in [one.reason for one in status.reasons]
        and (not after.note or after.note in status.notes)
    )


def whole(heard: Path, seconds: float, spoken: Path | None) -> None:
    """The caller heard the notice from its first word to its last. `spoken`: the folder where the spoken ones lie."""
    sound = read_any(heard)
    if spoken is not None:
        files = [samples(read_wav(path)) for path in spoken.glob("*.wav")]
        as_long = [one for one in files if abs(len(one) / 16_000 - seconds) < 0.05]
        played = max(as_long, key=lambda one: find(one, sound)[1])
        alike = sorted(alike for _, alike in follow(played, sound))
        assert alike[len(alike) // 2] > 0.9, alike
        return
    first, second = (tone_frames(sound.tobytes(), hertz) for hertz in (FIRST, SECOND))
    # Half a second each is 25 frames; what a busy machine sends late is concealed.
    assert sum(first) >= 13
    assert sum(second) >= 13
    assert first.index(True) < second.index(True)
    assert len(second) - second[::-1].index(True) - first.index(True) >= 40
