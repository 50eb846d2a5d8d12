"""How good a connection sounds, as one figure and one word: the E-model of ITU-T G.107 and G.107.1.

It judges loss and delay alone. A bad headset, a loud room or an echo at the party's end are not heard here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

QualityWord = Literal["good", "poor", "bad"]

BASE = 93.36
"""Ro - Is of G.107 (2015) with its defaults: what a perfect line has before delay and codec are taken off"""
WIDEBAND_BASE = 129.0
"""the same of G.107.1 (2019), whose scale is longer because a wide band sounds better"""
ECHO_LOSS = 65.0
"""TELR, dB: the default of both, for a telephone without an echo of its own"""
DELAY_LEAST = 100.0
"""ms one way that nobody notices in talk"""
POOR_BELOW, BAD_BELOW = 80.0, 60.0
"""G.109: below 80 some are dissatisfied, below 60 nearly all"""
CLEARLY = 4.0
"""a word becomes better only this far above its limit"""
SURE_AFTER = 2
"""looks in a row that must agree before the word changes"""


@dataclass(frozen=True, slots=True)
class Codec:
    """`impairment` (Ie) and `robustness` to random loss (Bpl), as ITU-T G.113 has them in appendices I and IV."""

    impairment: float
    robustness: float
    wideband: bool = False


G711 = Codec(0.0, 25.1)
"""with packet loss concealment, as PJSIP has it"""
G722 = Codec(13.0, 16.8, wideband=True)
"""64 kbit/s. G.113 has no robustness for it. PJSIP conceals its losses as it does those of G.711, so a lost packet takes as
much off the hundred."""


def codec_named(name: str) -> Codec:
    return G722 if name.upper() == "G722" else G711


def r_factor(codec: Codec, *, loss: float, one_way_ms: float) -> float:
    """0 to 100, for a share of lost packets and the time from mouth to ear.

    A wideband call's rating is brought to the same hundred (G.107.1's 129 is its 100).
    """
    percent = 100 * min(max(loss, 0.0), 1.0)
    lost = (95 - codec.impairment) * percent / (percent + codec.robustness)
    base = WIDEBAND_BASE if codec.wideband else BASE
    rating = base - delay_impairment(max(one_way_ms, 0.0)) - codec.impairment - lost
    return min(max(rating / (1.29 if codec.wideband else 1.0), 0.0), 100.0)


def mos(r: float) -> float:
    """What people would give such a call on the scale from 1 to 4.5 (G.107 annex B)."""
    r = min(max(r, 0.0), 100.0)
    return max(1.0, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)


def delay_impairment(one_way_ms: float) -> float:
    """Id: what the talker's own echo takes off (Idte), the listener's (Idle), and the mere waiting (Idd)."""
    return _talker_echo(one_way_ms) + _listener_echo(2 * one_way_ms) + _waiting(one_way_ms)


def _talker_echo(ms: float) -> float:
    loudness = ECHO_LOSS - 40 * math.log10((1 + ms / 10) / (1 + ms / 150)) + 6 * math.exp(-0.3 * ms * ms)
    gap = (_ECHO_FLOOR - (80 + 2.5 * (loudness - 14))) / 2
    return (gap + math.hypot(gap, 10) - 1) * (1 - math.exp(-ms))


def _listener_echo(round_trip_ms: float) -> float:
    gap = (_RO - 10.5 * (110 + 7) * (round_trip_ms + 1) ** -0.25) / 2
    return gap + math.hypot(gap, 13)


def _waiting(ms: float) -> float:
    if ms <= DELAY_LEAST:
        return 0.0
    x = math.log2(ms / DELAY_LEAST)
    return 25 * ((1 + x**6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2)


_RO = 94.77
_ECHO_FLOOR = -1.5 * (-61.18 - 2)
"""Roe: by the noise of the default line, -61.18 dBm0p, and a receiver of 2 dB"""


class Judge:
    """The word for a call, look by look. It worsens at the limits, and becomes better only clearly above them."""

    def __init__(self) -> None:
        self.word: QualityWord | None = None
        self._seen: list[int] = []

    def look(self, r: float) -> QualityWord:
        if self.word is None:
            # A call whose first seconds are bad is not yet a bad call.
            self.word = "good"
        now = _WORDS.index(self.word)
        seen = _WORDS.index(_word(r))
        if seen < now:
            seen = min(now, _WORDS.index(_word(r - CLEARLY)))
        self._seen = [*self._seen, seen][-SURE_AFTER:]
        if len(self._seen) == SURE_AFTER:
            # As far as all of them agree.
            now = max(now, min(self._seen)) if seen > now else min(now, max(self._seen))
        self.word = _WORDS[now]
        return self.word


_WORDS: tuple[QualityWord, ...] = ("good", "poor", "bad")


def _word(r: float) -> QualityWord:
    if r >= POOR_BELOW:
        return "good"
    return "poor" if r >= BAD_BELOW else "bad"
