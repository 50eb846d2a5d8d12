"""Opus for recordings: two mono streams that share nothing, agent and party, in one packet of 20 ms.

`mapping_family=255` is what keeps the voices apart; ordinary stereo lets one leak into the other. Frames are 16-bit mono at
16 kHz. Nothing here knows of files, keys or calls.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from functools import cache
from typing import Any

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.error import FFmpegError
from numpy.typing import NDArray

from softphone.archive.files.container import FRAME, RATE

BIT_RATE = 40_000
"""both voices together: at most 300 KiB a minute, of a conversation about 230"""
PREROLL = 10
"""packets decoded and thrown away before the first that is wanted: 200 ms bring its error below -50 dB"""
SILENCE = bytes(2 * FRAME)
_DECODED_RATE = 48_000
_STEP = _DECODED_RATE // RATE
_PRE_SKIP = struct.Struct("<H")
_PRE_SKIP_AT = 10  # in OpusHead, RFC 7845 section 5.1

Pcm = NDArray[np.int16]
"""shape (samples, 2): agent, party"""


class Encoder:
    """One continuous encoder for one segment; a fresh one for each chunk would make audible seams.

    Opus without its speech model (`lowdelay`): a third of the work, it starts anywhere after 200 ms of preroll (the speech
    model needs far longer), and it keeps the waveform, which is what a proof is asked for.
    """

    def __init__(self) -> None:
        self._codec = AudioCodecContext.create("libopus", "w")
        self._codec.sample_rate = RATE
        self._codec.layout = "stereo"
        self._codec.format = "s16"
        self._codec.bit_rate = BIT_RATE
        self._codec.options = {
            "mapping_family": "255",
            "vbr": "constrained",
            "application": "lowdelay",
            "compression_level": "5",
            "frame_duration": "20",
        }
        self._codec.open()
        self._samples = 0
        self._pair = np.empty((FRAME, 2), np.int16)

    @property
    def head(self) -> bytes:
        return self._codec.extradata or b""

    def encode(self, agent: bytes, party: bytes) -> list[bytes]:
        """One frame of each side (640 bytes) to the packets that are ready: none or one."""
        self._pair[:, 0] = np.frombuffer(agent, np.int16)
        self._pair[:, 1] = np.frombuffer(party, np.int16)
        frame = av.AudioFrame.from_ndarray(self._pair.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate = RATE
        frame.pts = self._samples
        self._samples += FRAME
        return self._packets(frame)

    def flush(self) -> list[bytes]:
        """The end of what was fed, which the encoder's delay still holds back."""
        return self._packets(None) if self._samples else []

    def _packets(self, frame: av.AudioFrame | None) -> list[bytes]:
        packets: list[Any] = self._codec.encode(frame)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        return [bytes(packet) for packet in packets]


class Decoder:
    """Packets of one segment, in order, to samples at 16 kHz. Starts at any packet; its first 200 ms are for preroll."""

    def __init__(self, head: bytes) -> None:
        self._codec = AudioCodecContext.create("libopus", "r")
        # With its pre-skip set to 0, the decoder gives every sample, and positions are ours to count.
        self._codec.extradata = head[:_PRE_SKIP_AT] + _PRE_SKIP.pack(0) + head[_PRE_SKIP_AT + 2 :]
        self._codec.sample_rate = _DECODED_RATE
        self._codec.layout = "stereo"

    def decode(self, packet: bytes) -> Pcm:
        """(320, 2). What was coded at 16 kHz has nothing above 8 kHz, so that each third sample is all there is. A packet that
        is none of 20 ms is silence: who seals a file to a house's keys may put anything in it."""
        frames: list[av.AudioFrame] = []
        # An empty one would end the decoder.
        with suppress(FFmpegError):
            frames = self._codec.decode(av.Packet(packet)) if packet else []  # pyright: ignore[reportUnknownMemberType]
        decoded = [np.asarray(frame.to_ndarray(), np.int16).reshape(-1, 2)[::_STEP] for frame in frames]
        sound = np.concatenate(decoded) if decoded else np.zeros((FRAME, 2), np.int16)
        return sound if len(sound) == FRAME else np.zeros((FRAME, 2), np.int16)


@cache
def codec_header() -> tuple[bytes, int]:
    """OpusHead and the delay in samples at 16 kHz, of the encoder that is installed here."""
    head = Encoder().head
    (pre_skip,) = _PRE_SKIP.unpack_from(head, _PRE_SKIP_AT)
    return head, int(pre_skip) // _STEP
