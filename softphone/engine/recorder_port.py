"""The recorder as the calls use it: it is there once the archive is open, and its reports are posted to the loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from softphone.archive.files.vault import Vault
from softphone.calls.turns import Post
from softphone.domain.purpose import Reason
from softphone.engine.recorder import Recorder, RecorderCallbacks
from softphone.wire.snapshot import CodedText

REMEMBERED = 100
"""recordings whose call is known: late reports of the recorder's thread are about the newest"""
_SLOW = "fault.archive.slow"


class RecordingListener(Protocol):
    """What the recorder reports, on the loop's thread."""

    def first_sample(self, call_id: str, recording: str, segment: int) -> None: ...
    def sealed(self, call_id: str, recording: str, segment: int, samples: int) -> None: ...
    def recorder_failed(self, call_id: str, reason: Reason) -> None: ...


class Recording:
    """Without an open archive no key ever comes, so nothing is started before `open`."""

    def __init__(
        self, post: Post, answers: Callable[[], RecordingListener], fault: Callable[[str, CodedText | None], None]
    ) -> None:
        """`fault`: a fault that stands until it is mended, by its name; on the loop's thread."""
        self._post = post
        self._answers = answers
        self._fault = fault
        self._waiting = 0
        """what waits for a slow disk: recorder, ledger"""
        self._recorder: Recorder | None = None
        self._calls: dict[str, str] = {}

    def open(self, vault: Vault) -> None:
        post, answers, calls = self._post, self._answers, self._calls
        said = CodedText(_SLOW, {"path": str(vault.folder)})

        def slow(is_so: bool) -> None:
            self._waiting += 1 if is_so else -1
            self._fault(_SLOW, said if self._waiting else None)

        vault.on_slow = lambda is_so: post(lambda: slow(is_so))
        self._recorder = Recorder(
            vault,
            RecorderCallbacks(
                on_first_sample=lambda recording, segment: post(
                    lambda: answers().first_sample(calls[recording], recording, segment)
                ),
                on_failed=lambda call, _recording, reason: post(lambda: answers().recorder_failed(call, reason)),
                on_sealed=lambda recording, segment, samples: post(
                    lambda: answers().sealed(calls[recording], recording, segment, samples)
                ),
            ),
        )

    def feed(self, call: str, index: int, agent: bytes, party: bytes) -> None:
        """On pjmedia's thread, once a frame."""
        if self._recorder:
            self._recorder.feed(call, index, agent, party)

    def start(self, call: str, recording: str, segment: int, key: bytes) -> None:
        if self._recorder:
            self._calls[recording] = call
            if len(self._calls) > REMEMBERED:
                del self._calls[next(iter(self._calls))]
            self._recorder.start(call, recording, segment, key)

    def stop(self, call: str, recording: str, segment: int, *, hold_frames: bool = False) -> None:
        if self._recorder:
            self._recorder.stop(call, recording, segment, hold_frames=hold_frames)

    def drop_frames(self, recording: str) -> None:
        if self._recorder:
            self._recorder.drop_frames(recording)

    def mark_lost(self, call: str, seconds: float) -> None:
        if self._recorder:
            self._recorder.mark_lost(call, seconds)

    def close(self) -> None:
        if self._recorder:
            self._recorder.close()
