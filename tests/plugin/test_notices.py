"""The notices of a policy, made by the real rulebook and the real voice in a real host."""

from __future__ import annotations

import ast
import queue
import wave
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from plugins.datatilsynet.tests.wordings import WORDINGS
from softphone.domain.decision import NoticeId
from softphone.domain.errors import SoundError
from softphone.domain.notice import LEAD, NoticeSound, sound_hash
from softphone.domain.policy import LoadedPolicy, PolicyError
from softphone.domain.purpose import KeyRole, Language
from softphone.plugin.client import PluginHost, PluginReport
from softphone.plugin.manifest import Plugin, allowed_plugins, offering
from softphone.plugin.notices import Lacking, NoticeBook, NoticeMaker, RulebookFailed
from softphone.plugin.sounds import read_any, samples_of
from softphone.system.policy_file import filled, parse_policy
from softphone.texts import Texts
from tests.plugin import hostile
from tests.policies import KEYS, POLICY, line_of_text, policy_of, write_notice

ROOT = Path(__file__).parents[2]
PLUGINS, _ = allowed_plugins([ROOT / "plugins"])
N1, N3, N7 = NoticeId.N1, NoticeId.N3, NoticeId.N7


@pytest.fixture(scope="module")
def host() -> Iterator[PluginHost]:
    words: queue.SimpleQueue[PluginReport] = queue.SimpleQueue()
    host = PluginHost(PLUGINS, rulebook="datatilsynet", on_word=words.put)
    host.start()
    yield host
    host.stop()
    assert words.empty()


@pytest.fixture(scope="module")
def demo() -> LoadedPolicy:
    text = (ROOT / "resources/policies/demo.toml").read_text("utf-8")
    loaded = parse_policy(filled(text, {KeyRole(role): key for role, key in KEYS.items()}))
    # Four of its lines: to speak for them all takes as long again, and tells no more.
    lines = tuple(line for line in loaded.policy.line if line.id in ("n1", "n3", "n7", "none"))
    return replace(loaded, policy=loaded.policy.model_copy(update={"line": lines}))


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
    for place, sound in again.sounds.items():
        assert sound.seconds == pytest.approx(first.sounds[place].seconds, abs=0.1)
    for path, content in whole.items():
        assert path.stat().st_size == pytest.approx(len(content), rel=0.02)


def own_policy(folder: Path, file: str) -> LoadedPolicy:
    text = POLICY.replace('id = "salg"', f'id = "salg"\nsound = {{ N7 = {{ da = "{file}" }} }}')
    return policy_of(text, str(folder / "policy.toml"))


def asking_policy(folder: Path, *marks: str) -> LoadedPolicy:
    """Its line asks for training (N6), in a recording `own.wav` with these marks."""
    given = ", ".join(('file = "own.wav"', *marks))
    sound = f"sound = {{ N6 = {{ da = {{ {given} }} }} }}"
    training = POLICY.index("[line.training]")
    text = POLICY[:training] + POLICY[training:].replace('"legitimate_interest"', '"consent"', 1)
    return policy_of(text.replace('id = "salg"', f'id = "salg"\n{sound}'), str(folder / "policy.toml"))


@pytest.mark.rule("G31")
def test_each_notice_that_names_a_key_is_made_without_it_too(book: NoticeBook) -> None:
    keyless = book.keyless
    assert keyless is not None
    named = {place for place, text in book.texts.items() if any(key in text.shown for key in ("*9", "#9", "9."))}
    assert named
    assert keyless.texts.keys() >= named
    assert keyless.sounds.keys() == keyless.texts.keys()
    for place, text in keyless.texts.items():
        assert "*9" not in text.shown
        assert keyless.sounds[place].seconds < book.sounds[place].seconds
        assert keyless.sounds[place].path != book.sounds[place].path


def test_a_lines_own_sound_wins_and_its_text_is_paced_over_it(host: PluginHost, tmp_path: Path) -> None:
    write_notice(tmp_path / "own.wav", 1.0, rate=44_100)
    book = maker(host, tmp_path / "cache").prepare(own_policy(tmp_path, "own.wav"))

    own = book.sound("salg", N7, Language.DA)
    spoken = book.sound("salg", N7, Language.EN)

    assert isinstance(own, NoticeSound)
    assert isinstance(spoken, NoticeSound)
    assert own.seconds == pytest.approx(1.0 + LEAD, abs=0.01)
    assert spoken.seconds > 8
    assert samples(own.path)[round((LEAD + 0.2) * 16_000) :].any()
    assert own.essentials == own.seconds
    halfway = [word for word in own.words if word.until <= LEAD + 0.5]
    assert len(halfway) / len(own.words) == pytest.approx(0.5, abs=0.1)


def test_each_place_has_its_own_recording_and_a_file_that_many_name_is_read_once(
    host: PluginHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_notice(tmp_path / "a.wav", 1.0)
    write_notice(tmp_path / "b.wav", 2.0)
    files = '{ da = "a.wav", en = "b.wav" }'
    text = POLICY.replace('id = "salg"', f'id = "salg"\nsound = {{ N1 = {files}, N7 = {files} }}')
    read: list[str] = []

    def counted(raw: bytes, path: Path) -> NDArray[np.int16]:
        read.append(path.name)
        return samples_of(raw, path)

    monkeypatch.setattr("softphone.plugin.own.samples_of", counted)
    made = maker(host, tmp_path / "cache").check(policy_of(text, str(tmp_path / "policy.toml")))
    assert {place[1:]: len(one.samples) / 16_000 for place, one in made.sounds.items()} == {
        (notice, language): seconds
        for notice in (N1, N7)
        for language, seconds in ((Language.DA, 1.0), (Language.EN, 2.0))
    }
    assert sorted(read) == ["a.wav", "b.wav"]


@pytest.mark.rule("G03")
@pytest.mark.parametrize(
    ("marks", "essentials", "question"),
    [
        ((), 20.0, 20.0),
        (("essentials = 9",), 9.0, 20.0),
        (("question = 15.5",), 15.5, 15.5),
        (("essentials = 9.25", "question = 15"), 9.25, 15.0),
    ],
)
def test_in_a_recording_a_key_counts_from_where_its_question_is_said_to_begin_or_when_all_has_been_said(
    host: PluginHost, tmp_path: Path, marks: tuple[str, ...], essentials: float, question: float
) -> None:
    write_notice(tmp_path / "own.wav", 20.0)
    book = maker(host, tmp_path / "cache").prepare(asking_policy(tmp_path, *marks))
    own = book.sound("salg", NoticeId.N6, Language.DA)
    assert isinstance(own, NoticeSound)
    assert (own.essentials, own.question) == (pytest.approx(essentials + LEAD), pytest.approx(question + LEAD))
    # What is repeated is the question; where nobody knows when it begins, all of it.
    assert own.question_path is not None
    known = question < 20
    whole, repeated = samples(own.path), samples(own.question_path)
    assert own.question_seconds == pytest.approx((20 - question if known else 20) + LEAD, abs=0.01)
    rest = round(LEAD * 16_000)
    assert np.array_equal(repeated[rest:], whole[rest + (round(question * 16_000) if known else 0) :])
    assert own.question_path != own.path
    text = own.text
    asked = [word.at for word in own.words if text.question is not None and word.end > text.question]
    assert (asked[0] == pytest.approx(question + LEAD, abs=0.1)) is known
    told = [one.key for one in book.remarks if one.code == "policy.warning.sound_unmarked"]
    assert told == ([] if known else ["line[1].sound.N6.da"])


@pytest.mark.rule("G03")
def test_a_mark_beyond_the_recordings_end_is_a_fault_at_its_line(host: PluginHost, tmp_path: Path) -> None:
    write_notice(tmp_path / "own.wav", 20.0)
    for marks, beyond in (
        (("essentials = 9", "question = 20.5"), ["question"]),
        (("essentials = 9", "question = 19.5"), ["question"]),
        (("essentials = 21", "question = 22"), ["essentials", "question"]),
        (("essentials = 20", "question = 20"), []),
    ):
        made = maker(host, tmp_path / "cache")
        try:
            made.check(asking_policy(tmp_path, *marks))
            found: list[tuple[str, str]] = []
        except PolicyError as error:
            found = [(one.code, one.key) for one in error.faults]
        assert found == [("policy.fault.mark_outside", f"line[1].sound.N6.da.{name}") for name in beyond]


@pytest.mark.rule("G05")
@pytest.mark.parametrize("hashed", [True, False])
def test_where_the_policy_must_be_signed_only_a_recording_that_it_names_by_its_hash_is_played(
    host: PluginHost, tmp_path: Path, hashed: bool
) -> None:
    raw = write_notice(tmp_path / "own.wav", 1.0).read_bytes()
    made = maker(host, tmp_path / "cache")
    plain = policy_of()
    words = made.text(plain.policy, plain.policy.line[0], N7, Language.DA)
    assert words is not None
    given = f', hash = "{sound_hash(words.spoken, raw)}"' if hashed else ""
    text = POLICY.replace('id = "salg"', f'id = "salg"\nsound = {{ N7 = {{ da = {{ file = "own.wav"{given} }} }} }}')
    book = made.prepare(policy_of(text, str(tmp_path / "policy.toml")), signed=True)
    sound = book.sound("salg", N7, Language.DA)
    assert isinstance(sound, NoticeSound)
    assert (sound.seconds < 2) == hashed
    told = [] if hashed else [("policy.warning.sound_unsigned", "line[1].sound.N7.da", "G05")]
    assert [(one.code, one.key, one.rule) for one in book.remarks] == told


@pytest.mark.parametrize("way", ["throws", "nonsense", "nothing", "dies"])
def test_a_rulebook_that_fails_is_no_rulebook_that_needs_no_notices(tmp_path: Path, way: str) -> None:
    plugin = hostile.plugin(tmp_path, way)
    hosting = PluginHost([plugin], rulebook=plugin.id, on_word=lambda _: None)
    hosting.start()
    try:
        with pytest.raises(RulebookFailed):
            NoticeMaker(hosting, plugin, None, tmp_path / "cache").prepare(policy_of())
    finally:
        hosting.stop()


def test_a_rulebook_that_failed_for_one_policy_in_all_its_questions_is_asked_again(tmp_path: Path) -> None:
    plugin = hostile.plugin(tmp_path, "moody")
    words: queue.SimpleQueue[PluginReport] = queue.SimpleQueue()
    hosting = PluginHost([plugin], rulebook=plugin.id, on_word=words.put)
    hosting.start()
    mood = tmp_path / "moody" / "mood"
    mood.touch()
    made = NoticeMaker(hosting, plugin, None, tmp_path / "cache")
    try:
        for _ in range(2):
            with pytest.raises(RulebookFailed):
                made.prepare(policy_of())
        mood.unlink()
        book = made.prepare(policy_of())
    finally:
        hosting.stop()
    assert not book.failed
    assert not book.texts
    assert [words.get_nowait().code for _ in range(words.qsize())] == ["error.plugin.failed"] * 2


@pytest.mark.rule("G05")
@pytest.mark.parametrize("hashed", ["none", "right", "of other words", "of another file"])
def test_a_recording_with_a_hash_is_used_only_while_it_says_the_words_of_its_notice(
    host: PluginHost, tmp_path: Path, hashed: str
) -> None:
    raw = write_notice(tmp_path / "own.wav", 1.0).read_bytes()
    made = maker(host, tmp_path / "cache")
    plain = policy_of()
    words = made.text(plain.policy, plain.policy.line[0], N7, Language.DA)
    assert words is not None
    hashes = {
        "right": sound_hash(words.spoken, raw),
        "of other words": sound_hash(words.spoken + ".", raw),
        "of another file": sound_hash(words.spoken, raw + b"."),
    }
    given = "" if hashed == "none" else f', hash = "{hashes[hashed]}"'
    text = POLICY.replace('id = "salg"', f'id = "salg"\nsound = {{ N7 = {{ da = {{ file = "own.wav"{given} }} }} }}')
    book = made.prepare(policy_of(text, str(tmp_path / "policy.toml")))

    sound = book.sound("salg", N7, Language.DA)
    assert isinstance(sound, NoticeSound)
    assert sound.text == words
    assert (sound.seconds == pytest.approx(1.0 + LEAD, abs=0.01)) == (hashed in ("none", "right"))
    told = {"none": ["sound_unconfirmed"], "right": []}.get(hashed, ["sound_changed"])
    assert [(one.code, one.key, one.rule) for one in book.remarks] == [
        (f"policy.warning.{code}", "line[1].sound.N7.da", "G05") for code in told
    ]
    for one in book.remarks:
        assert (one.params["line"], one.params["path"]) == ("salg", "own.wav")


@pytest.mark.rule("G05")
@pytest.mark.rule("G31")
def test_a_recording_is_not_played_once_the_notice_says_something_else(host: PluginHost, tmp_path: Path) -> None:
    raw = write_notice(tmp_path / "own.wav", 1.0).read_bytes()
    made = maker(host, tmp_path / "cache")
    plain = policy_of()
    words = made.text(plain.policy, plain.policy.line[0], N7, Language.DA)
    assert words is not None
    given = f'file = "own.wav", hash = "{sound_hash(words.spoken, raw)}"'
    text = POLICY.replace('id = "salg"', f'id = "salg"\nsound = {{ N7 = {{ da = {{ {given} }} }} }}')

    def played(text: str) -> bool:
        own = made.check(policy_of(text, str(tmp_path / "policy.toml")))
        assert [one.code for one in own.remarks] == ([] if own.sounds else ["policy.warning.sound_changed"])
        return bool(own.sounds)

    assert played(text)
    assert played(text.replace("Salgslinjen", "Salg").replace('"10 %"', '"5 %"'))
    assert not played(text.replace('id = "salg"', 'id = "salg"\nopt_out_key = "*7"'))
    assert not played(text.replace('id = "salg"', 'id = "salg"\nopt_out_key = ""'))
    assert not played(text.replace('id = "salg"', 'id = "salg"\nlanguage_key = "5"'))
    assert not played(text.replace("/telefonsamtaler", "/opkald"))
    write_notice(tmp_path / "own.wav", 2.0)
    assert not played(text)


def test_a_sound_file_is_only_what_is_in_it(tmp_path: Path) -> None:
    write_notice(tmp_path / "other.wav", 1.0)
    for list_ in (
        f"ffconcat version 1.0\nfile '{tmp_path / 'other.wav'}'\n",
        f"#EXTM3U\n#EXTINF:1,\n{tmp_path / 'other.wav'}\n",
    ):
        (tmp_path / "own.wav").write_text(list_)
        with pytest.raises(SoundError, match="sound_unreadable"):
            read_any(tmp_path / "own.wav")


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
    assert set(book.made_by) == {"rulebook"}


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
    answer = book.objection("support", Language.DA)
    assert answer is not None
    assert "loven kræver" in answer.shown
    assert book.objection("support", Language.EN) is not None
    assert book.objection("salg", Language.DA) is None
    short = book.text("salg", N1, Language.DA, newcomer=True)
    assert short is not None
    assert "siges og aftales" in short.shown


@pytest.mark.rule("G05")
def test_a_newcomer_hears_the_short_text_and_the_whole_where_the_notice_asks(book: NoticeBook) -> None:
    for (line, notice, language), whole in book.sounds.items():
        short = book.sound(line, notice, language, newcomer=True)
        assert isinstance(short, NoticeSound)
        assert short.text == book.text(line, notice, language, newcomer=True)
        if notice is N3:
            assert short == whole
        else:
            assert 5 < short.seconds - LEAD < 16
            assert short.seconds < whole.seconds
            assert samples(short.path).any()


def line_with(more: str, *, training: str = "", text: str = POLICY) -> LoadedPolicy:
    """The policy of the tests with more in its line `salg`, or in that line's training."""
    text = text.replace('opt_out = "stop"\n', f'opt_out = "stop"\n{training}\n{more}\n')
    return policy_of(text)


@pytest.mark.rule("G32")
def test_what_is_played_once_special_circumstances_have_expired_is_made_too(host: PluginHost, tmp_path: Path) -> None:
    special = """
[line.training.special_circumstances]
why = "Liv og helbred"
decided_on = "2026-01-15"
expires_on = "2026-11-30"
"""
    made = maker(host, tmp_path, voice=False)
    book = made.prepare(line_with("", training=special))
    assert {notice for line, notice, _ in book.texts if line == "salg"} == {N1, N7, NoticeId.N8}


def test_a_line_that_only_calls_out_has_its_notices_too(host: PluginHost, tmp_path: Path) -> None:
    text = POLICY.replace('id = "salg"', 'id = "salg"\ncalls = ["outbound"]')
    book = maker(host, tmp_path, voice=False).prepare(policy_of(text))
    assert {notice for line, notice, _ in book.texts if line == "salg"} == {N1, N7}


@pytest.mark.rule("G05")
def test_a_language_key_is_named_first_in_the_other_language_and_by_its_voice(host: PluginHost, tmp_path: Path) -> None:
    text = POLICY.replace('id = "salg"', 'id = "salg"\nlanguage_key = "8"')
    book = maker(host, tmp_path).prepare(policy_of(text))
    plain = maker(host, tmp_path / "plain").prepare(policy_of())
    for language, first, spoken in (
        (Language.DA, "For English, press 8. ", "For English, press eight. "),
        (Language.EN, "For dansk, tryk 8. ", "For dansk, tryk otte. "),
    ):
        sound = book.sound("salg", N7, language)
        without = plain.sound("salg", N7, language)
        assert sound is not None
        assert without is not None
        text = sound.text
        assert text.shown[: text.other] == first
        assert text.spoken[: text.spoken_at(text.other)] == spoken
        assert text.shown[text.other :] == without.text.shown
        assert text.to_read == without.text
        # its own voice, a pause, and then what is said without it
        assert 1.0 < sound.seconds - without.seconds < 4.0
        begins = next(word.at for word in sound.words if word.start >= text.other)
        assert sound.seconds - begins == pytest.approx(without.seconds - without.words[0].at, abs=0.2)
        said = [sound.text.shown[word.start : word.end] for word in sound.words]
        assert said[:4] == first.replace(",", "").replace(".", "").split()
        assert longest_silence(samples(sound.path)) < 1.0
        newcomer = book.text("salg", N7, language, newcomer=True)
        assert newcomer is not None
        assert newcomer.other == 0


OWN_N7 = """
[line.wording.N7.da]
essentials = "Hej. Vi optager og gemmer samtalen for at dokumentere, hvad der sker, siges og aftales, og uddanne vores folk."
facts = "{facts}"
"""
SOUND_FACTS = (
    "Vil du ikke have det sidste, så sig til{keys}, så bruger vi den ikke. Læs på {page} om indsigelse og indsigt."
)


def confirmation(hash_: str) -> str:
    return f'[[confirmed]]\nhash = "{hash_}"\non = "2026-11-25"\nby = "Anna Holm"\n'


def own(facts: str = SOUND_FACTS, more: str = "") -> LoadedPolicy:
    return line_with(OWN_N7.replace("{facts}", facts) + more)


@pytest.mark.rule("G39")
def test_own_words_that_say_all_are_used_and_only_where_they_are_given(host: PluginHost, tmp_path: Path) -> None:
    made = maker(host, tmp_path, voice=False)
    (waiting,) = made.prepare(own()).wordings
    assert not waiting.used
    book = made.prepare(own(more=confirmation(waiting.hash)))
    text = book.text("salg", N7, Language.DA)
    english = book.text("salg", N7, Language.EN)
    assert text is not None
    assert english is not None
    assert text.shown.startswith("Hej. Vi optager og gemmer")
    assert "så sig til, eller tryk *9, så bruger vi den ikke" in text.shown
    assert "nordlys.example/telefonsamtaler" in text.shown
    assert text.shown[: text.essentials].endswith("uddanne vores folk.")
    assert english.shown.startswith("We record and keep this call")
    assert [(one.code, one.by) for one in book.remarks] == [("policy.warning.notice_own", "Anna Holm")]
    assert [(one.place, one.used) for one in book.wordings] == [(("salg", N7, Language.DA), True)]


@pytest.mark.rule("G39")
@pytest.mark.rule("G31")
def test_own_words_that_lack_a_fact_or_promise_too_much_are_faults_at_their_line(
    host: PluginHost, tmp_path: Path
) -> None:
    loaded = own("Vil du ikke have det, så sig til, så sletter vi optagelsen. Læs om indsigelse på vores hjemmeside.")
    with pytest.raises(PolicyError) as caught:
        maker(host, tmp_path, voice=False).prepare(loaded)
    found = {fault.code: (fault.key, fault.rule) for fault in caught.value.faults}
    key = "line[1].wording.N7.da"
    assert found["policy.fault.notice_lacks_page"] == (key, "G06")
    assert found["policy.fault.notice_must_not_deletion"] == (key, "N7")
    assert all(fault.line is not None for fault in caught.value.faults)


HEDGED = SOUND_FACTS + " Optagelsen indgår måske også i statistik."


@pytest.mark.rule("G39")
def test_doubtful_own_words_wait_for_a_person_and_ours_are_used_until_then(host: PluginHost, tmp_path: Path) -> None:
    made = maker(host, tmp_path, voice=False)
    doubtful = made.prepare(own(HEDGED))
    text = doubtful.text("salg", N7, Language.DA)
    assert text is not None
    assert text.shown.startswith("Vi optager og gemmer samtalen")
    assert {one.code for one in doubtful.remarks} == {
        "policy.warning.notice_doubt_other_purpose",
        "policy.warning.notice_unconfirmed",
    }
    (wording,) = doubtful.wordings
    assert not wording.used

    def confirmed(hash_: str) -> LoadedPolicy:
        return own(HEDGED, confirmation(hash_))

    settled = made.prepare(confirmed(wording.hash))
    text = settled.text("salg", N7, Language.DA)
    assert text is not None
    assert text.shown.startswith("Hej. Vi optager")
    assert {(one.code, one.by) for one in settled.remarks} == {
        ("policy.warning.notice_doubt_other_purpose", "Anna Holm"),
        ("policy.warning.notice_own", "Anna Holm"),
    }
    assert settled.wordings[0].confirmed is not None
    # a confirmation of other words settles nothing
    other = made.prepare(confirmed("0" * 64))
    assert {one.code for one in other.remarks} == {one.code for one in doubtful.remarks}


UNNAMED = """
wording.N6.da.essentials = "Vi optager og gemmer samtalen for at dokumentere, hvad der sker, og hvad vi siger og aftaler."
wording.N6.da.facts = "Læs om din ret til indsigelse og indsigt på {page}. Siger du ja, kan du altid fortryde, så holder vi op."
wording.N6.da.question = "Tryk 1, hvis vi må bruge den til at uddanne vores medarbejdere."
wording.N6.en.essentials = "We record and keep this call to document what happens and what we say and agree."
wording.N6.en.facts = "Your rights to object and to access are at {page}. You can change your mind at any time, and we stop."
wording.N6.en.question = "Press 1 if we may use it to train our staff."
sensitive = { expected = ["special_categories"], special_categories_ground = { documentation = { ground = "art_9_2_h", why = "plejen" }, training = { ground = "art_9_2_a", why = "ja" } } }
"""  # noqa: E501
"""words of the controller's own that name no more than ours"""

ASKED = """
wording.N6.da.essentials = "Vi optager og gemmer samtalen for at dokumentere, hvad der sker, og hvad vi siger og aftaler."
wording.N6.da.facts = "Læs om din ret til indsigelse og indsigt på {page}. Siger du ja, kan du altid fortryde, så holder vi op."
wording.N6.da.question = "Tryk 1, hvis vi må bruge den til at uddanne vores medarbejdere, også det du siger om dit helbred."
wording.N6.en.essentials = "We record and keep this call to document what happens and what we say and agree."
wording.N6.en.facts = "Your rights to object and to access are at {page}. A yes can be taken back at any time, and we stop."
wording.N6.en.question = "Press 1 if we may use it to train our staff, what you say about your health included."
sensitive = { expected = ["special_categories"], special_categories_ground = { documentation = { ground = "art_9_2_h", why = "plejen" }, training = { ground = "art_9_2_a", why = "ja" } } }
"""  # noqa: E501


@pytest.mark.rule("G09")
@pytest.mark.parametrize("words", [ASKED, UNNAMED])
def test_no_call_is_drawn_for_training_until_a_person_has_read_that_the_question_names_health(
    host: PluginHost, tmp_path: Path, words: str
) -> None:
    training = POLICY.index("[line.training]")
    asking = POLICY[:training] + POLICY[training:].replace("legitimate_interest", "consent", 1)
    asking = asking.replace('id = "salg"\n', f'id = "salg"\n{words}', 1)
    made = maker(host, tmp_path, voice=False)
    waiting = made.prepare(policy_of(asking, ""))
    assert [one.used for one in waiting.wordings] == [False, False]
    assert waiting.untrained == {"salg"}
    told = {one.code.removeprefix("policy.warning."): one.rule for one in waiting.remarks}
    assert (told["notice_doubt_names_sensitive"], told["training_waits"]) == ("G09", "G09")
    settled = "".join(confirmation(one.hash) for one in waiting.wordings)
    assert made.prepare(policy_of(asking + settled, "")).untrained == frozenset()


def test_a_recording_of_words_that_wait_for_a_person_is_not_played(host: PluginHost, tmp_path: Path) -> None:
    write_notice(tmp_path / "own.wav", 1.0)
    text = POLICY.replace('id = "salg"', 'id = "salg"\nsound = { N7 = { da = "own.wav" } }')
    text = text.replace('opt_out = "stop"\n', 'opt_out = "stop"\n' + OWN_N7.replace("{facts}", HEDGED))
    book = maker(host, tmp_path / "cache").prepare(policy_of(text, str(tmp_path / "policy.toml")))
    sound = book.sound("salg", N7, Language.DA)
    assert sound is not None
    assert sound.seconds > 8
    assert sound.text.shown.startswith("Vi optager og gemmer samtalen")


@pytest.mark.rule("G05")
def test_a_notice_that_nobody_listens_to_to_its_end_is_a_warning(host: PluginHost, tmp_path: Path) -> None:
    longer = SOUND_FACTS + " Du kan også få en kopi af optagelsen og læse om dine rettigheder." * 5
    made = maker(host, tmp_path, voice=False)
    (waiting,) = made.prepare(own(longer)).wordings
    book = made.prepare(own(longer, confirmation(waiting.hash)))
    told = {(one.code, one.key) for one in book.remarks if not one.by}
    assert told == {("policy.warning.long_notice", "line[1].wording.N7.da")}


@pytest.mark.rule("G03")
@pytest.mark.rule("G11")
def test_notices_say_whose_words_and_whose_voice_they_are(book: NoticeBook) -> None:
    version = {plugin.id: plugin.manifest.version for plugin in PLUGINS}
    assert book.made_by == {
        "rulebook": f"datatilsynet {version['datatilsynet']}",
        "voice": f"espeak_voice {version['espeak_voice']}",
    }


@pytest.mark.rule("G05")
def test_a_rulebook_that_does_not_judge_leaves_own_words_unused(host: PluginHost, tmp_path: Path) -> None:
    rulebook = offering(PLUGINS, "decide")
    assert rulebook is not None
    silent = replace(rulebook, manifest=rulebook.manifest.model_copy(update={"hooks": ("decide", "notice_text")}))
    book = NoticeMaker(host, silent, None, tmp_path).prepare(own())
    text = book.text("salg", N7, Language.DA)
    assert text is not None
    assert text.shown.startswith("Vi optager og gemmer samtalen")
    assert [one.code for one in book.remarks] == ["policy.warning.notice_not_judged"]


def codes_of_the_check() -> set[str]:
    """Every code that the check can give, read from its source."""
    tree = ast.parse((ROOT / "plugins/datatilsynet/checking.py").read_text("utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    named = [
        node.args[0]
        for node in calls
        if getattr(node.func, "id", "") == "WordingFinding" or getattr(node.func, "attr", "") in ("doubt", "needs")
    ]
    return {one.value for one in named if isinstance(one, ast.Constant) and isinstance(one.value, str)}


@pytest.mark.parametrize("language", list(Language))
def test_whatever_the_check_finds_can_be_said(language: Language) -> None:
    tell = Texts(ROOT / "resources/translations", language)
    known = codes_of_the_check()
    assert {"recorded", "deletion", "access"} <= known
    kinds = ("fault.notice_lacks", "fault.notice_must_not", "warning.notice_doubt")
    unsaid = {code for code in known if not any(f"policy.{kind}_{code}" in tell for kind in kinds)}
    assert unsaid == set()
    for case in WORDINGS:
        for kind, found in zip(kinds, (case.missing, case.forbidden, case.unsure), strict=True):
            for code in found:
                sentence = tell(f"policy.{kind}_{code}", words="…")
                assert sentence != f"policy.{kind}_{code}", code
                assert "{{" not in sentence
