"""What the calls need of the phone, the recorder, the store and the policy. No code of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from softphone.calls.live import LiveCall
from softphone.domain.changes import AuditEntry, Commit
from softphone.domain.decision import Facts
from softphone.domain.notice import NoticeFile
from softphone.domain.policy import Policy
from softphone.domain.purpose import Reason
from softphone.plugin.notices import NoticeBook

RecordState = Literal["on", "off", "paused"]
"""what a peer hears that knows what recording is (RFC 7866)"""


class PhonePort(Protocol):
    """What the session's effects need of a phone."""

    def hang_up(self, call: str) -> None: ...
    def open_microphone(self, call: str, opened: bool) -> None: ...
    def play_notice(self, call: str, file: NoticeFile, lead_in_seconds: float) -> None: ...
    def stop_notice(self, call: str) -> None: ...
    def set_recording(self, call: str, state: RecordState) -> None: ...
    def sound_warning(self, call: str) -> None: ...
    def follow_source(self, call: str) -> None: ...


class RecorderPort(Protocol):
    """The part of `engine.recorder.Recorder` that is used."""

    def start(self, call: str, recording: str, segment: int, key: bytes) -> None: ...
    def stop(self, call: str, recording: str, segment: int, *, hold_frames: bool = False) -> None: ...
    def drop_frames(self, recording: str) -> None: ...


class StorePort(Protocol):
    """The archive as one call needs it. Nothing here blocks; answers come in a later turn."""

    @property
    def unopened(self) -> bool: ...
    def look_up(self, call: LiveCall) -> None:
        """The answer is what the archive knows of party and sample."""
        ...

    def answered(self, call: str) -> None:
        """Its place in the sample is used up."""
        ...

    def note(self, entries: Sequence[AuditEntry]) -> None:
        """Audit entries beside the session's own."""
        ...

    def ring(self, call: LiveCall) -> None:
        """The store knows the call's facts before its first commit; told again, the later ones hold."""
        ...

    def commit(self, call: str, commit: Commit) -> None: ...
    def forget_keys(self, recording: str) -> None: ...
    def unrecorded_call(self, call: str, why: Reason) -> None:
        """It was to be recorded, and cannot be. The next start reports it, unless the audit log has it by then."""
        ...


class RulesPort(Protocol):
    """The policy in force, its notices and its rulebook."""

    @property
    def policy(self) -> Policy | None: ...
    @property
    def book(self) -> NoticeBook:
        """Its notices. Policy and book go together: a call keeps both from when it rang."""
        ...

    @property
    def trouble(self) -> Reason:
        """Why no call can be recorded while there is no policy: policy_missing, policy_faulty, policy_unsigned."""
        ...

    @property
    def exchanges(self) -> frozenset[str]:
        """Addresses whose word is believed that a party has been told already."""
        ...

    def make_anew(self) -> None:
        """A notice's sound is not what was made. All are looked at again, for the next call and the next try."""
        ...

    def ask(self, call: str, policy: Policy, facts: Facts, *, drawn: bool) -> None:
        """The answer, or `not_recorded` if it failed, comes to `CallBook.decided`."""
        ...
