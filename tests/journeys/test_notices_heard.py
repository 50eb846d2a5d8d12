"""What the customer hears is the chosen notice, in the chosen language, and it is speech.

The rulebook's text is spoken here once more, beside the engine. What came through SIP, RTP and a codec to the customer's ear
must be that and none of the other notices.
"""

from __future__ import annotations

import functools
from collections.abc import Generator

import pytest

from plugins import datatilsynet, espeak_voice
from softphone.audio.files import read_wav
from softphone.domain.decision import NoticeId
from softphone.domain.notice import NoticeText, NoticeVariant
from softphone.domain.policy.model import Controller, Line
from softphone.domain.purpose import Language
from softphone.plugin.sounds import read_wav as read_spoken
from softphone.system.policy_file import load_policy
from tests.journeys.listening import (
    Sound,
    find,
    follow,
    longest_gap,
    pitch_spread,
    same_words,
    samples,
    syllables_a_second,
)
from tests.journeys.stage import Stage, stage

pytestmark = pytest.mark.journey

LINES = {"n1": NoticeId.N1, "n3": NoticeId.N3, "n7": NoticeId.N7}
WORDS_A_SECOND = (1.8, 3.6)
"""a person who reads aloud says 150 words a minute, give or take; a notice in a hurry has 210"""


@pytest.fixture(scope="module", params=list(Language))
def on(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    """Lines that speak that language."""
    folder = tmp_path_factory.mktemp("stage")
    with stage(folder, lines=tuple(LINES), spoken=True, language=request.param.value) as one:
        yield one
        one.end()


@pytest.mark.rule("G05")
@pytest.mark.parametrize("line", list(LINES))
def test_the_customer_hears_the_chosen_notice_and_it_is_speech(on: Stage, line: str) -> None:
    call = on.call(line)
    on.desk.wait_event("notice_ended", 60, call=call)
    shown = on.desk.call(call).notice
    assert shown is not None
    language = shown.language
    policy = load_policy(on.home.folders.config / "policy.toml").policy
    ours = policy.line_named(line)
    assert ours is not None
    assert language is ours.language
    wav = on.folder / f"{line}.wav"
    on.customer.ask("save", "Saved", own=str(on.folder / "own.wav"), heard=str(wav))
    on.over(call)
    texts = _texts(policy.controller_of(ours), ours)
    long = float(on.desk.wait_event("notice_started", call=call).params["seconds"] or 0)
    sounds = [samples(read_wav(path)) for path in (on.home.folders.cache / "notices").glob("*.wav")]
    heard = samples(read_wav(wav))
    # Sample by sample it is one of the sounds that were made when the policy was loaded …
    as_long = [sound for sound in sounds if abs(len(sound) / 16_000 - long) < 0.05]
    played = max(as_long, key=lambda one: find(one, heard)[1])
    seconds = follow(played, heard)
    alike = sorted(alike for _, alike in seconds)
    assert alike[len(alike) // 2] > 0.9, alike
    begins, ends = seconds[0][0], seconds[-1][0] + len(played)
    part = heard[max(0, begins) : ends]
    words = len(texts[LINES[line], language].spoken.split())
    rate, gap = words / (len(part) / 16_000), longest_gap(part)
    syllables, pitch = syllables_a_second(part), pitch_spread(part)
    # … and in its words it is the chosen notice, in the chosen language, and no other.
    said = {key: same_words(_spoken(text), heard) for key, text in texts.items()}
    right = said.pop((LINES[line], language))
    print(
        f"{line} {language}: {len(part) / 16_000:.1f} s, {rate:.2f} words/s, gap {gap:.2f} s, "
        f"{syllables:.1f} syllables/s, pitch ±{pitch:.0%}, alike {alike[0]:.2f} to {alike[-1]:.2f}, "
        f"words {right:.2f}, other notices at most {max(said.values()):.2f}"
    )
    assert WORDS_A_SECOND[0] <= rate <= WORDS_A_SECOND[1]
    assert gap <= 1.0
    assert 2.0 <= syllables <= 8.0
    assert pitch > 0.03
    assert right > 0.55
    assert right > 1.4 * max(said.values())  # N7 begins as N1 does


def _texts(controller: Controller, line: Line) -> dict[tuple[NoticeId, Language], NoticeText]:
    """All six notices, as the rulebook words them for this line."""
    texts: dict[tuple[NoticeId, Language], NoticeText] = {}
    for notice in LINES.values():
        for language in Language:
            text = datatilsynet.notice_text(controller, line, notice, language, NoticeVariant.WHOLE)
            assert text is not None
            texts[notice, language] = text
    return texts


def _spoken(text: NoticeText) -> Sound:
    return _said(text.spoken, text.language)


@functools.cache
def _said(text: str, language: Language) -> Sound:
    return read_spoken(espeak_voice.speak(text, language).wav)
