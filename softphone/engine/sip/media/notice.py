"""A notice on its way to the party: a WAV file played by pjmedia itself, once.

It counts as heard when its end was read and a margin has passed, because the file's end is known a
little before its last packet has been sent and decoded. When it may start is the phone's business.
"""

# ruff: noqa: N802 - callbacks bear PJSIP's own names

from __future__ import annotations

import wave
from pathlib import Path

import pjsua2 as pj

from softphone.domain.errors import SoundError
from softphone.engine.sip.happenings import NoticeEnded, Post, guarded

HEARD_MARGIN = 0.2
LEAD_IN = 0.4


class _Player(pj.AudioMediaPlayer):
    def __init__(self, call: str, serial: int, post: Post) -> None:
        super().__init__()
        self.call = call
        self.serial = serial
        self.post = post

    @guarded
    def onEof2(self) -> None:
        self.post(NoticeEnded(self.call, self.serial))


class Notice:
    """One playing of one file. `sounding` from its first sample, `read` from its end."""

    def __init__(self, call: str, serial: int, path: Path, post: Post) -> None:
        """Raises SoundError `notice_file` (parameter `path`) for a file that is no usable sound."""
        check_sound_file(path)
        self.serial = serial
        self.sounding = False
        self.read = False
        self.player = _Player(call, serial, post)
        try:
            self.player.createPlayer(str(path), pj.PJMEDIA_FILE_NO_LOOP)
        except pj.Error as error:
            raise SoundError("notice_file", path=str(path), reason=error.reason) from None


def check_sound_file(path: Path) -> None:
    """16-bit mono PCM in a WAV file, any rate, not empty. Raises SoundError `notice_file`."""
    try:
        with wave.open(str(path), "rb") as sound:
            shape = (sound.getsampwidth(), sound.getnchannels())
            frames = sound.getnframes()
            rate = sound.getframerate()
    except (OSError, EOFError, wave.Error) as error:
        raise SoundError("notice_file", path=str(path), reason=str(error)) from None
    if shape != (2, 1) or not 8_000 <= rate <= 48_000:
        reason = f"{8 * shape[0]} bit, {shape[1]} channels, {rate} Hz"
        raise SoundError("notice_file", path=str(path), reason=reason)
    if frames < rate // 10:
        raise SoundError("notice_file", path=str(path), reason=f"{frames} frames")
