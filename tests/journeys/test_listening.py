"""The journeys' ears, tried out: what they must notice, they notice; a frame too many, one too few, a hum in place of a voice."""

from __future__ import annotations

import numpy as np
import pytest

from plugins import espeak_voice
from softphone.archive.files.opus import Decoder, Encoder, codec_header
from softphone.audio.player import tone
from softphone.domain.purpose import Language
from softphone.plugin.sounds import read_wav
from tests.journeys.listening import (
    Sound,
    find,
    longest_gap,
    numbers,
    pitch_spread,
    same_words,
    samples,
    syllables_a_second,
)
from tests.peers.counter import CYCLE, FRAME, RATE, counter_frame, counter_sound, gaps

SENTENCE = "This call is recorded to document what has been agreed, and to train our staff. You can say no to that."


def through_opus(agent: bytes, party: bytes) -> Sound:
    """As the archive stores it: (samples, 2)."""
    head, delay = codec_header()
    encoder, decoder = Encoder(), Decoder(head)
    step = 2 * FRAME
    packets = [
        packet
        for at in range(0, len(party), step)
        for packet in encoder.encode(agent[at : at + step], party[at : at + step])
    ]
    sound = np.concatenate([decoder.decode(packet) for packet in [*packets, *encoder.flush()]])
    return np.ascontiguousarray(sound[delay : delay + len(party) // 2])


def test_every_number_is_read_behind_opus_on_both_sides() -> None:
    sound = through_opus(counter_sound(CYCLE, 512), counter_sound(CYCLE))
    assert numbers(np.ascontiguousarray(sound[:, 1])) == list(range(CYCLE))
    assert numbers(np.ascontiguousarray(sound[:, 0])) == [(512 + n) % CYCLE for n in range(CYCLE)]


@pytest.mark.parametrize(
    "order", [[*range(60), *range(61, 120)], [*range(60), 59, *range(60, 120)]], ids=["less", "more"]
)
def test_one_frame_missing_or_doubled_is_found(order: list[int]) -> None:
    party = b"".join(counter_frame(number) for number in order)
    sound = through_opus(bytes(len(party)), party)
    assert [at for at, *_ in gaps(numbers(np.ascontiguousarray(sound[:, 1])))] == [60]


def test_a_known_sound_is_found_where_it_lies_and_speech_is_told_from_a_hum() -> None:
    speech = read_wav(espeak_voice.speak(SENTENCE, Language.EN).wav)
    other = read_wav(espeak_voice.speak("Denne samtale optages ikke, og det har den aldrig gjort.", Language.DA).wav)
    hum = samples(tone(300, len(speech) / RATE, level_db=-12))
    quiet = np.zeros(3 * RATE, np.int16)
    at, alike = find(speech, np.concatenate([quiet, speech, quiet]))
    assert (at, round(alike, 2)) == (3 * RATE, 1.0)
    assert find(speech, np.concatenate([quiet, hum]))[1] < 0.3
    assert same_words(speech, np.concatenate([quiet, speech])) > 0.8
    assert same_words(speech, np.concatenate([quiet, other])) < 0.5
    assert same_words(speech, np.concatenate([quiet, hum])) < 0.5
    assert 2.0 <= syllables_a_second(speech) <= 8.0
    assert syllables_a_second(hum) < 1.0
    assert pitch_spread(speech) > 0.03 > pitch_spread(hum)
    assert longest_gap(speech) < 1.0
    assert longest_gap(np.concatenate([speech, quiet[: RATE + FRAME], speech])) > 1.0
