"""The notices of a policy, made by the real rulebook and the real voice in a real host."""

from __future__ import annotations

import queue
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from softphone.domain.decision import NoticeId
from softphone.domain.notice import LEAD, NoticeSound
from softphone.domain.policy import LoadedPolicy, PolicyError
from softphone.domain.purpose import KeyRole, Language
from softphone.plugin.client import PluginHost, PluginWord
from softphone.plugin.manifest import Plugin, allowed_plugins, offering
from softphone.plugin.notices import Lacking, NoticeBook, NoticeMaker
from softphone.system.policy_file import filled, parse_policy
from tests.policies import KEYS, POLICY, line_of_text, policy_of, write_notice

ROOT = Path(__file__).parents[2]
PLUGINS, _ = allowed_plugins([ROOT / "plugins"])
N1, N3, N7 = NoticeId.N1, NoticeId.N3, NoticeId.N7


@pytest.fixture(scope="module")
def host() -> Iterator[PluginHost]:
    words: queue.SimpleQueue[PluginWord] = queue.SimpleQueue()
    host = PluginHost(PLUGINS, rulebook="datatilsynet", on_word=words.put)
    host.start()
    yield host
    host.stop()
    assert words.empty()


@pytest.fixture(scope="module")
def demo() -> LoadedPolicy:
    text = (ROOT / "resources/policies/demo.toml").read_text("utf-8")
    return parse_policy(filled(text, {KeyRole(role): key for role, key in KEYS.items()}))


@pytest.fixture(scope="module")
def book(host: PluginHost, demo: LoadedPolicy, tmp_path_factory: pytest.TempPathFactory) -> NoticeBook:
    return maker(host, tmp_path_factory.mktemp("notices")).prepare(demo)


def maker(host: PluginHost, cache: Path, voice: bool = True) -> NoticeMaker:
    rulebook = offering(PLUGINS, "decide")
    speaker: Plugin | None = offering(PLUGINS, "speak") if voice else None
    assert rulebook is not None
    return NoticeMaker(host, rulebook, speaker, cache)


def samples(path: str) -> NDArray[np.int16]:
    with wave.open(path) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16)


def longest_silence(sound: NDArray[np.int16]) -> float:
    loud = np.flatnonzero(np.abs(sound.astype(np.int32)) > 330)
    return float(np.max(np.diff(loud))) / 16_000


def test_every_notice_that_a_line_can_need_is_spoken_in_both_languages(book: NoticeBook) -> None:
    assert book.unspoken == ()
    needed = {("n1", N1), ("n3", N3), ("n7", N7), ("n7", N1), ("none", NoticeId.N4)}
    assert set(book.sounds) == {(line, notice, language) for line, notice in needed for language in Language}


def test_each_notice_is_speech_at_a_speaking_rate_without_a_long_gap(book: NoticeBook) -> None:
    print("\nnotice            seconds  words a minute  longest gap  essentials  question")
    for (line, notice, language), sound in book.sounds.items():
        heard = samples(sound.path)
        rate = len(sound.text.spoken.split()) / (sound.seconds - LEAD) * 60
        gap = longest_silence(heard)
        question = "-" if sound.question is None else f"{sound.question:.1f}"
        print(
            f"{line:5}{notice:6}{language:5}{sound.seconds:8.1f}{rate:16.0f}{gap:13.2f}{sound.essentials:12.1f}{question:>10}"
        )
        assert len(heard) / 16_000 == pytest.approx(sound.seconds, abs=0.01)
        assert 8 <= sound.seconds - LEAD <= 24
        assert 125 <= rate <= 190
        assert gap < 1.0


def test_a_notice_begins_with_its_silence_and_ends_with_its_last_word(book: NoticeBook) -> None:
    for sound in book.sounds.values():
        loud = np.flatnonzero(np.abs(samples(sound.path).astype(np.int32)) > 330)
        assert LEAD <= loud[0] / 16_000 < LEAD + 0.1
        assert sound.seconds - loud[-1] / 16_000 < 0.15


def test_notices_are_level_for_a_telephone(book: NoticeBook) -> None:
    for sound in book.sounds.values():
        heard = samples(sound.path)[round(LEAD * 16_000) :].astype(np.float64) / 32768
        assert 20 * np.log10(np.max(np.abs(heard))) < -3
        assert -24 < 20 * np.log10(np.sqrt(np.mean(heard**2))) < -18


def test_each_notice_and_language_sounds_different(book: NoticeBook) -> None:
    heard = {(notice, language): Path(sound.path).read_bytes() for (_, notice, language), sound in book.sounds.items()}
    assert len(set(heard.values())) == len(heard) == 8


def test_the_words_being_said_follow_the_text_as_it_is_shown(book: NoticeBook) -> None:
    for sound in book.sounds.values():
        times = [time for word in sound.words for time in (word.at, word.until)]
        assert times == sorted(times)
        assert times[0] >= LEAD
        assert times[-1] <= sound.seconds + 0.05
        places = [place for word in sound.words for place in (word.start, word.end)]
        assert places == sorted(places)
        said = [sound.text.shown[word.start : word.end] for word in sound.words]
        assert "nordlys.example/telefonsamtaler" in said
        unsaid = sound.text.shown
        for word in reversed(sound.words):
            unsaid = unsaid[: word.start] + unsaid[word.end :]
        assert not any(character.isalnum() for character in unsaid)


@pytest.mark.rule("G03")
def test_the_question_is_marked_where_it_begins_and_can_be_repeated_alone(book: NoticeBook) -> None:
    for (_line, notice, _language), sound in book.sounds.items():
        if notice is not N3:
            assert (sound.question, sound.question_path) == (None, None)
            continue
        assert sound.question is not None
        assert sound.question_path is not None
        asked = next(word for word in sound.words if word.at >= sound.question)
        assert sound.text.shown[asked.start :].startswith(("Tryk 1", "Press 1"))
        assert sound.essentials < sound.question < sound.seconds
        rest = samples(sound.path)[round(sound.question * 16_000) :]
        alone = samples(sound.question_path)
        assert len(alone) / 16_000 == pytest.approx(sound.question_seconds, abs=0.01)
        assert np.array_equal(alone[round(LEAD * 16_000) :][-len(rest) :], rest)


def test_what_was_spoken_once_is_not_spoken_again(host: PluginHost, demo: LoadedPolicy, tmp_path: Path) -> None:
    first = maker(host, tmp_path).prepare(demo)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert maker(host, tmp_path).prepare(demo) == first
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_a_spoiled_cache_is_spoken_anew(host: PluginHost, demo: LoadedPolicy, tmp_path: Path) -> None:
    first = maker(host, tmp_path).prepare(demo)
    whole = {path: path.read_bytes() for path in tmp_path.iterdir()}
    spoilt = [b"", b"{", b'{"wav": "AAAA", "words": []}', b"\xff" * 99]
    for n, path in enumerate(sorted(whole)):
        path.write_bytes([*spoilt, whole[path][: len(whole[path]) // 2]][n % 5])
    again = maker(host, tmp_path).prepare(demo)
    assert again.texts == first.texts
    assert [round(sound.seconds, 1) for sound in again.sounds.values()] == [
        round(sound.seconds, 1) for sound in first.sounds.values()
    ]
    for path, content in whole.items():
        assert path.stat().st_size == pytest.approx(len(content), rel=0.02)


def own_policy(folder: Path, file: str) -> LoadedPolicy:
    text = POLICY.replace('id = "salg"', f'id = "salg"\nsound = {{ N7 = {{ da = "{file}" }} }}')
    return policy_of(text, str(folder / "policy.toml"))


def test_a_lines_own_sound_wins_and_its_text_is_spread_evenly(host: PluginHost, tmp_path: Path) -> None:
    write_notice(tmp_path / "own.wav", 1.0, rate=44_100)
    book = maker(host, tmp_path / "cache").prepare(own_policy(tmp_path, "own.wav"))

    own = book.sound("salg", N7, Language.DA)
    spoken = book.sound("salg", N7, Language.EN)

    assert isinstance(own, NoticeSound)
    assert isinstance(spoken, NoticeSound)
    assert own.seconds == pytest.approx(1.0 + LEAD, abs=0.01)
    assert spoken.seconds > 8
    assert samples(own.path)[round((LEAD + 0.2) * 16_000) :].any()
    halfway = [word for word in own.words if word.until <= LEAD + 0.5]
    assert len(halfway) / len(own.words) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "sound_missing"),
        (b"", "sound_unreadable"),
        (b"RIFF but no sound at all", "sound_unreadable"),
        (POLICY.encode(), "sound_unreadable"),
        ("short", "sound_length"),
        ("silent", "sound_silent"),
    ],
)
def test_a_sound_file_that_is_no_sound_is_a_fault_at_its_line(
    host: PluginHost, tmp_path: Path, content: bytes | str | None, code: str
) -> None:
    file = tmp_path / "own.wav"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content == "short":
        write_notice(file, 0.2)
    elif content == "silent":
        file.write_bytes(write_notice(file, 1.0).read_bytes()[:44] + bytes(32_000))
    loaded = own_policy(tmp_path, "own.wav")

    with pytest.raises(PolicyError) as caught:
        maker(host, tmp_path / "cache").prepare(loaded)

    (fault,) = caught.value.faults
    assert (fault.code, fault.key) == (f"policy.fault.{code}", "line[1].sound.N7.da")
    text = POLICY.replace('id = "salg"', 'id = "salg"\nsound')
    assert fault.line == line_of_text(text, "sound")


@pytest.mark.rule("G05")
def test_without_a_voice_there_is_a_text_to_read_but_no_sound(
    host: PluginHost, demo: LoadedPolicy, tmp_path: Path
) -> None:
    book = maker(host, tmp_path, voice=False).prepare(demo)
    assert book.sounds == {}
    assert len(book.texts) == len(book.unspoken) == 10
    assert {one.lacking for one in book.unspoken} == {Lacking.SPEECH}


def test_where_notices_cannot_be_kept_there_is_no_sound_and_no_crash(
    host: PluginHost, demo: LoadedPolicy, tmp_path: Path
) -> None:
    (tmp_path / "in the way").write_text("a file, no folder")
    book = maker(host, tmp_path / "in the way").prepare(demo)
    assert book.sounds == {}
    assert {one.lacking for one in book.unspoken} == {Lacking.FILE}


def test_a_line_on_obligation_has_an_answer_to_an_objection_and_texts_for_newcomers(
    host: PluginHost, tmp_path: Path
) -> None:
    book = maker(host, tmp_path).prepare(policy_of())
    assert set(book.objections) == {("support", Language.DA), ("support", Language.EN)}
    assert "loven kræver" in book.objections["support", Language.DA].shown
    assert "lige vide" in book.newcomers["salg", N1, Language.DA].shown
