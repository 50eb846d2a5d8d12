"""The notices listened to: how long they take, how fast and how loud they are, whether the page can be written down from them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from softphone.audio.loudness import TARGET, loudness
from softphone.domain.notice import NoticeVariant
from softphone.domain.purpose import Language
from tests.plugin.notices_page import Said, everything, page

RATE = 16_000
PAGE = Path(__file__).parents[2] / "docs" / "notices.md"
LOUD = 330


def quiet(samples: NDArray[np.int16]) -> float:
    """The longest silence within, in seconds."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > LOUD)
    return float(np.max(np.diff(loud))) / RATE if len(loud) > 1 else len(samples) / RATE


def all_of_them() -> tuple[Said, ...]:
    return (*everything(), *everything(NoticeVariant.NEWCOMER))


@pytest.mark.parametrize("row", [f"N{n}" for n in range(1, 9)])
def test_every_notice_is_heard_in_eight_to_twenty_four_seconds(row: str) -> None:
    heard = [one for one in everything() if row in re.split(r"[+ ]", one.name)]
    assert heard
    print()
    for one in heard:
        print(f"{one.name:18}{one.text.language:4}{one.seconds:6.1f} s{one.rate:6.0f} words a minute")
        assert 8 <= one.seconds <= 24, one.name
        assert 130 <= one.rate <= 190, one.name


def test_no_notice_has_a_gap_in_which_one_would_hang_up_or_a_peak_that_a_telephone_breaks() -> None:
    for one in all_of_them():
        assert quiet(one.samples) < 1.0, one.name
        power = one.samples.astype(np.float64) / 32768
        assert 20 * np.log10(np.max(np.abs(power))) <= -3, one.name
        assert -25 < 20 * np.log10(np.sqrt(np.mean(power**2))) < -18, one.name


def test_the_voice_is_as_loud_as_a_recording_is_made() -> None:
    for one in all_of_them():
        assert loudness(one.samples).integrated == pytest.approx(TARGET, abs=1.0), one.name


def test_a_newcomer_is_told_in_less_time_than_the_whole_takes() -> None:
    whole = {(one.name, one.text.language): one.seconds for one in everything()}
    for one in everything(NoticeVariant.NEWCOMER):
        assert 5 < one.seconds < 0.75 * whole[one.name, one.text.language] + 2, one.name


@pytest.mark.rule("G06")
@pytest.mark.parametrize(
    ("language", "spoken"),
    [
        (Language.DA, "nordlys punktum example, skråstreg telefonsamtaler"),
        (Language.EN, "nordlys dot example, slash telefonsamtaler"),
    ],
)
def test_the_pages_address_is_said_as_a_person_says_it_after_a_pause_and_no_faster_than_the_rest(
    language: Language, spoken: str
) -> None:
    heard = [one for one in all_of_them() if one.text.language is language]
    assert len(heard) > 20
    for one in heard:
        pieces = one.text.pieces
        which = next(n for n, piece in enumerate(pieces) if piece.shown == "nordlys.example/telefonsamtaler")
        assert pieces[which].spoken.strip(", ") == spoken
        start = sum(len(piece.spoken) for piece in pieces[:which])
        end = start + len(pieces[which].spoken)
        address = [word for word in one.speech.words if start <= word.start < end]
        rest = [word for word in one.speech.words if not start <= word.start < end]
        begins, ends = address[0].at, address[-1].until
        assert len(address) / (ends - begins) < len(rest) / sum(word.until - word.at for word in rest)
        letters, others = (
            sum(word.end - word.start for word in words) / sum(word.until - word.at for word in words)
            for words in (address, rest)
        )
        assert letters < 1.15 * others, one.name
        around = one.samples[round((begins - 0.4) * RATE) : round((begins + 0.2) * RATE)]
        assert quiet(around) >= 0.15, one.name
        slash = address[-2].at
        assert quiet(one.samples[round((slash - 0.4) * RATE) : round((slash + 0.2) * RATE)]) >= 0.15, one.name
        after = one.samples[round((ends - 0.2) * RATE) : round((ends + 0.5) * RATE)]
        assert quiet(after) >= 0.25 or ends > one.seconds - 0.2, one.name


NUMBER = re.compile(r"\d+(?:\.\d)?")


def test_the_documents_page_shows_the_notices_as_they_are() -> None:
    """Word for word; seconds to half a second, because the voice is not the same to the last sample each time."""
    written, now = PAGE.read_text("utf-8"), page()
    assert NUMBER.sub("#", written) == NUMBER.sub("#", now), (
        "python -m tests.plugin.notices_page --write docs/notices.md"
    )
    figures = [float(one) for one in NUMBER.findall(written)]
    for ours, theirs in zip(figures, [float(one) for one in NUMBER.findall(now)], strict=True):
        assert ours == pytest.approx(theirs, abs=0.5 if theirs < 100 else 8)
