"""Tones that pjmedia makes itself: silence that keeps packets going, with the warning tone in it, and the ringing of a call
that we make.

The phone wires which port hears them.
"""

from __future__ import annotations

import math

import pjsua2 as pj

from softphone.engine.sip.settings import CLOCK_RATE

WARNING_HERTZ = 1400
WARNING_SECONDS = 0.2
WARNING_DB = -24.0
"""below full scale, root mean square: audible beside speech without disturbing it"""

RINGING_HERTZ = 425
RINGING_ON, RINGING_OFF = 1.0, 4.0
RINGING_DB = -24.0


class CallTone(pj.ToneGenerator):
    """Silence, so that packets go on while nobody speaks; a warning tone when asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.createToneGenerator(CLOCK_RATE, 1)

    def warn(self) -> None:
        self.play(_tones(WARNING_HERTZ, WARNING_SECONDS, 0.0, WARNING_DB), False)


class RingingTone(pj.ToneGenerator):
    """What a caller hears while it rings at the other end (ITU-T E.180, as in Denmark), again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.createToneGenerator(CLOCK_RATE, 1)
        self.play(_tones(RINGING_HERTZ, RINGING_ON, RINGING_OFF, RINGING_DB), True)


def _tones(hertz: int, seconds: float, pause: float, level_db: float) -> pj.ToneDescVector:
    one = pj.ToneDesc()
    one.freq1 = hertz
    one.freq2 = 0
    one.on_msec = round(seconds * 1000)
    one.off_msec = round(pause * 1000)
    one.volume = round(32767 * math.sqrt(2) * 10 ** (level_db / 20))
    tones = pj.ToneDescVector()
    tones.append(one)
    return tones
