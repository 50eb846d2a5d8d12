"""libespeak-ng through ctypes: text in, samples and word events out. Not the place for levels, rates or files.

The library is one per process and not made for threads; the host asks one thing at a time.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: speech comes through the callback, synth returns when it is done
_DONT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT: a missing voice file is an error, not the end of the process
_LONGEST = 140  # of its path_home[160], which also takes the names of files
_UTF8 = 1  # espeakCHARS_UTF8
_BY_CHARACTER = 1  # POS_CHARACTER
_WORD = 1  # espeakEVENT_WORD
_LAST = 0  # espeakEVENT_LIST_TERMINATED
_RATE, _PITCH, _RANGE = 1, 3, 4  # espeak_PARAMETER

WORDS_A_MINUTE = 160


class EspeakError(Exception):
    """The library refused: no data, no such voice, or no speech."""


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True, slots=True)
class Word:
    """A word's characters (`start` from 0) and when it begins, in seconds."""

    start: int
    length: int
    at: float


@dataclass(frozen=True, slots=True)
class Spoken:
    samples: NDArray[np.int16]
    rate: int
    words: tuple[Word, ...]


@functools.cache
def _library() -> tuple[ctypes.CDLL, int]:
    """Initialised once a process, and the rate of its samples: a second time crosses what the first still holds, and crashes."""
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    return library, library.espeak_Initialize(_SYNCHRONOUS, 0, _data(), _DONT_EXIT)


def _data() -> bytes:
    """The path of the library's data, which it reads on while it speaks.

    It keeps 160 bytes of one, and on Windows opens none with letters that are not ASCII. A folder of another kind is named
    from beside it: this process is the plugins' own, and nothing else in it goes by its folder.
    """
    path = Path(espeakng_loader.get_data_path())
    name = os.fsencode(path)
    if len(name) <= _LONGEST and (sys.platform != "win32" or name.isascii()):
        return name
    os.chdir(path.parent)
    return os.fsencode(path.name)


class Espeak:
    """`rate` is that of its samples, in Hz."""

    def __init__(self) -> None:
        self._library, self.rate = _library()
        if self.rate <= 0:
            raise EspeakError("no data")
        self._samples: list[bytes] = []
        self._words: list[Word] = []
        self._callback = _Callback(self._take)

    def speak(self, text: str, voice: str) -> Spoken:
        """Speak one text. EspeakError where it cannot."""
        self._samples, self._words = [], []
        # The library keeps one callback for the process: another instance's may be gone by now.
        self._library.espeak_SetSynthCallback(self._callback)
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise EspeakError(voice)
        for parameter, value in ((_RATE, WORDS_A_MINUTE), (_PITCH, 45), (_RANGE, 55)):
            self._library.espeak_SetParameter(parameter, value, 0)
        raw = text.encode() + b"\0"
        if self._library.espeak_Synth(raw, ctypes.c_size_t(len(raw)), 0, _BY_CHARACTER, 0, _UTF8, None, None) != 0:
            raise EspeakError("no speech")
        samples = np.frombuffer(b"".join(self._samples), dtype=np.int16)
        if not samples.size:
            raise EspeakError("no speech")
        return Spoken(samples, self.rate, tuple(self._words))

    def _take(self, wave: int | None, count: int, events: ctypes._Pointer[_Event]) -> int:
        if wave and count > 0:
            self._samples.append(ctypes.string_at(wave, count * 2))
        n = 0
        while (event := events[n]).type != _LAST:
            if event.type == _WORD:
                self._words.append(Word(event.text_position - 1, event.length, event.audio_position / 1000))
            n += 1
        return 0
