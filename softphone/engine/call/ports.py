"""What this phone's calls need of SIP and of the archive, beyond what any call needs. No code of their own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from softphone.archive.catalog.own_calls import OwnCall
from softphone.calls.ports import PhonePort, RecorderPort, StorePort
from softphone.engine.call.earlier import Answer, LockRequest


class CallPhonePort(PhonePort, Protocol):
    """The part of `engine.sip.Phone` that is used."""

    def dial(self, account: str, target: str, *, replaces: str = ..., passport: str = ...) -> str: ...
    def transfer(self, call: str, target: str, *, passport: str = ..., consultation: str = ...) -> None: ...
    def tell_referrer(self, call: str, code: int) -> None: ...
    def ring(self, call: str) -> None: ...
    def answer(self, call: str) -> None: ...
    def decline(self, call: str, code: int = ..., /) -> None: ...
    def hold(self, call: str) -> None: ...
    def resume(self, call: str) -> None: ...
    def send_digits(self, call: str, digits: str) -> None: ...
    def set_muted(self, call: str, muted: bool) -> None: ...
    def join(self, call: str, other: str) -> None: ...
    @property
    def attended(self) -> frozenset[str]: ...


class CallRecorderPort(RecorderPort, Protocol):
    def mark_lost(self, call: str, seconds: float) -> None:
        """The party's sound of the last so many seconds never came."""
        ...


class CallStorePort(StorePort, Protocol):
    """The archive as the engine needs it: its answers come to `PhoneCalls.looked_up` and the like, in the loop's inbox."""

    def over(self, call: str) -> None:
        """The call is over. If it was not answered, another takes its place in the sample."""
        ...

    def look_back(self, agents: Sequence[str], since: datetime, now: datetime, *, again: bool = ...) -> None:
        """The answer, the last calls of these accounts, comes to `PhoneCalls.remembered`. `again`: with all that `list_own` was
        given before, or not at all."""
        ...

    def list_own(self, call: OwnCall) -> None:
        """A row of the agent's own calls, for after a restart."""
        ...

    def take_up(self, call: str, now: datetime) -> bool:
        """The answer comes to `PhoneCalls.taken_up`. False where no archive is open."""
        ...

    def lock_earlier(self, asked: LockRequest, answer: Answer) -> None:
        """`answer` is called on the loop's thread."""
        ...

    def cause(self) -> str | None:
        """Why writing fails: disk_full, unwritable, or None if the disk gives no reason."""
        ...
