"""A process that does everything an archive has done to it, in an order of chance, until it is killed. Not a test.

It says on its stdout what it is about to do (`will`), what has been done (`did`) and what was refused (`failed`), and which
sound is on the disk (`sealed`); `promises` holds the archive to it. With `serve` it does so again and again, each time in a
process of its own.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from uuid_utils import uuid7

from softphone.archive.archive import Archive
from softphone.archive.changes.execution import HOLD_ONLY
from softphone.archive.crypto.wraps import Recipient, create_key_pair
from softphone.archive.keys import rotation
from softphone.archive.retention import holding
from softphone.archive.retention import sweep as sweeping
from softphone.archive.review.session import mark_reviewed
from softphone.domain.changes import Change, CloseRecording, Discard, DropWraps, HoldBy, PlaceHold, Restrict
from softphone.domain.errors import ArchiveError, KlartoneError
from softphone.domain.purpose import KeyRole, Purpose
from softphone.system.secrets import DemoKeyFile
from tests.archive.holds import raise_hold
from tests.archive.scene import AT, DOCUMENTATION, FRAME, RATE, TRAINING, CommitFailedError, Scene

LATER = datetime(2030, 1, 1, tzinfo=UTC)
"""by which what is kept for three months is due, and what is kept for fifty years is not"""
SHORT, LONG = "P3M", "P50Y"
KINDS = ((DOCUMENTATION,), (TRAINING,), (DOCUMENTATION, TRAINING))
_AT_ONCE = 3
"""calls that are recorded beside one another"""


@dataclass(slots=True)
class Order:
    """What a run begins with: its seed, who is sealed for (public keys, hex), and rotations that were cut off."""

    seed: int
    recipients: dict[str, str]
    unfinished: dict[str, str] = field(default_factory=dict[str, str])
    """role to the public key (hex) that its recordings were being sealed anew for"""
    deeds: int = 10_000
    """so many, then it ends by itself"""


@dataclass(slots=True)
class _Call:
    call: str
    recording: str
    purposes: tuple[Purpose, ...]
    short: bool
    segment: int = 0
    frame: int = 0
    talks: bool = True


def spoken(recording: str, first: int, frames: int) -> NDArray[np.int16]:
    """(n, 2): what is said in a recording from a frame of its call on. Pitches tell the recording, the voice and the second.

    The golden archive was written with this: it stays as it is.
    """
    time = np.arange(first * FRAME, (first + frames) * FRAME) / RATE
    own, second = crc32(recording.encode()) % 16, time.astype(np.int64) % 16
    left = np.sin(2 * np.pi * (300 + 25 * own + 20 * second) * (time % 1))
    right = np.sin(2 * np.pi * (1_100 + 50 * own + 30 * second) * (time % 1))
    return (np.stack([left, right], axis=1) * 9_000).astype(np.int16)


def say(*words: object) -> None:
    # By another call than files are written with, so that a fault of the disk can be aimed at those.
    os.writev(1, [(" ".join(map(str, words)) + "\n").encode()])


class Doer:
    """`AT` is now, but for sweeps. A fault is said, and the next deed follows."""

    def __init__(self, folder: Path, keys: Path, order: Order) -> None:
        self.chance = random.Random(order.seed)
        self.store = DemoKeyFile(keys)
        recipients = {
            KeyRole(role): Recipient(role, KeyRole(role), bytes.fromhex(public))
            for role, public in order.recipients.items()
        }
        say("opening", os.getpid())
        self.desk = Scene(folder, store=self.store, recipients=recipients)
        self.desk.sealed = _Said()
        self.beside: Archive = self.desk.archive.beside()
        self.beside.clock = lambda: AT
        self.calls: list[_Call] = []
        self.closed = [
            (row.recording, row.purposes) for row in self.beside.list(AT) if row.opens_for and not row.restricted
        ]
        self.unfinished = dict(order.unfinished)
        self.short = SHORT
        self.ways: list[tuple[Callable[[], None], int]] = [
            (self.open, 8),
            (self.talk, 12),
            (self.pause, 3),
            (self.opt_out, 3),
            (self.hold_live, 1),
            (self.close, 6),
            (self.withdraw, 2),
            (self.hold, 3),
            (self.lift, 2),
            (self.review, 2),
            (self.sweep, 1),
            (self.rotate, 1),
        ]
        """each with its weight"""
        say("begun")

    def run(self, deeds: int) -> None:
        for role in list(self.unfinished):
            self.rotate(KeyRole(role))
        self.do(deeds)
        self.withdraw_last()
        self.end()

    def do(self, deeds: int) -> None:
        for _ in range(deeds):
            if self.desk.failures:
                self._broke_off()
            self.chance.choices([way for way, _ in self.ways], [weight for _, weight in self.ways])[0]()

    def end(self) -> None:
        self.desk.recorder.close()
        self.desk.ledger.stop()
        if self.desk.storage:
            say("storage", *self.desk.storage)
        say("ended")

    # --- a call that is recorded -------------------------------------------------------------------

    def open(self) -> None:
        if len(self.calls) >= _AT_ONCE:
            return
        purposes, short = self.chance.choice(KINDS), self.chance.random() < 0.5
        call = str(uuid7())
        self.desk.call(call, retention=self.short if short else LONG)
        one = _Call(call, f"{call}-1", purposes, short)
        what = ",".join(purpose.value for purpose in purposes)
        if self._do("open", one.recording, lambda: self.desk.open(call, *purposes), what, int(short)):
            self.calls.append(one)
            self.desk.start(call, one.recording, 0)

    def talk(self) -> None:
        for one in self.calls:
            if one.talks:
                frames = self.chance.randint(5, 70)
                self.desk.talk(one.call, spoken(one.recording, one.frame, frames), one.frame)
                one.frame += frames

    def pause(self) -> None:
        """A segment ends; later, another begins."""
        if not (one := self._one()):
            return
        if one.talks:
            self.desk.recorder.stop(one.call, one.recording, one.segment)
            one.talks, one.frame = False, one.frame + self.chance.randint(1, 300)
        else:
            self._next_segment(one)

    def opt_out(self) -> None:
        """Out of training in mid call: frames are held while the wraps go."""
        if not (one := self._one()) or TRAINING not in one.purposes:
            return
        if one.purposes == (TRAINING,):
            self.desk.recorder.stop(one.call, one.recording, one.segment)
            self.calls.remove(one)
            self._take_back(one.recording, "declined_by_key")
            return
        if one.talks:
            self.desk.recorder.stop(one.call, one.recording, one.segment, hold_frames=True)
        self.talk()
        if self._commit("withdraw", one.recording, DropWraps(one.recording, KeyRole.TRAINING, "declined_by_key")):
            one.purposes = (DOCUMENTATION,)
        self._next_segment(one)

    def hold_live(self) -> None:
        if one := self._one():
            hold = str(uuid7())
            place = PlaceHold(hold, one.recording, HoldBy.PARTY, "x", AT, None, "x")
            self._commit("hold", one.recording, place, answer=hold)

    def close(self) -> None:
        if not (one := self._one()):
            return
        self.desk.recorder.stop(one.call, one.recording, one.segment)
        self.calls.remove(one)
        if self._commit("close", one.recording, CloseRecording(one.recording, AT, one.purposes)):
            self.closed.append((one.recording, one.purposes))

    def _next_segment(self, one: _Call) -> None:
        number = one.segment + 1
        if self._commit("segment", one.recording, self.desk.segment(one.recording, number, *one.purposes)) and (
            key := self.desk.keys.get((one.recording, number))
        ):
            one.segment, one.talks = number, True
            self.desk.recorder.start(one.call, one.recording, number, key)
        else:
            self.desk.recorder.drop_frames(one.recording)
            one.talks = False

    # --- afterwards --------------------------------------------------------------------------------

    def withdraw(self) -> None:
        if one := self._closed(TRAINING):
            recording, purposes = one
            if purposes == (TRAINING,):
                self._take_back(recording, "withdrawn")
            else:
                self._commit("withdraw", recording, DropWraps(recording, KeyRole.TRAINING, "withdrawn"))
                self.closed.append((recording, (DOCUMENTATION,)))

    def withdraw_last(self) -> None:
        """Nothing that is written after it makes fast what it erased."""
        call = str(uuid7())
        recording, purposes = f"{call}-1", (DOCUMENTATION, TRAINING)
        self.desk.call(call, retention=LONG)
        what = ",".join(purpose.value for purpose in purposes)
        if self._do("open", recording, lambda: self.desk.open(call, *purposes), what, 0):
            self.desk.start(call, recording, 0)
            self.desk.recorder.stop(call, recording, 0)
            self._commit("close", recording, CloseRecording(recording, AT, purposes))
            self._commit("withdraw", recording, DropWraps(recording, KeyRole.TRAINING, "withdrawn"))

    def _take_back(self, recording: str, why: str) -> None:
        """Its only purpose ends: it goes, unless it is held."""
        if any(one.recording == recording for one in holding.standing(self.beside, AT)):
            self._commit("restrict", recording, Restrict(recording, HOLD_ONLY))
        else:
            self._commit("discard", recording, Discard(recording, why))

    def hold(self) -> None:
        if one := self._closed():
            self.closed.append(one)
            by = self.chance.choice(list(HoldBy))
            self._do("hold", one[0], lambda: raise_hold(self.beside, one[0], by, "x", "x", AT))

    def lift(self) -> None:
        # What is asked for by its party ends with the answer, and is not lifted.
        if standing := [one for one in holding.standing(self.beside, AT) if one.hold.raised_for != HoldBy.ACCESS]:
            one = self.chance.choice(standing)
            to = list(self.desk.recipients.values())
            self._do(
                "lift",
                one.recording,
                lambda: holding.lift(self.beside, one.hold.hold, "x", to, AT),
                one.hold.hold,
            )

    def review(self) -> None:
        if one := self._closed(TRAINING):
            recording, purposes = one
            deed = "discard" if purposes == (TRAINING,) else "withdraw"
            self._do(deed, recording, lambda: mark_reviewed(self.beside, recording, "lead", AT))
            if purposes != (TRAINING,):
                self.closed.append((recording, (DOCUMENTATION,)))

    def sweep(self) -> None:
        # No sweep of ours touches what is being recorded; one of years later would.
        for one in [one for one in self.calls if one.short]:
            self.desk.recorder.stop(one.call, one.recording, one.segment)
            self.calls.remove(one)
            self._commit("close", one.recording, CloseRecording(one.recording, AT, one.purposes))
        self._do("sweep", "-", lambda: sweeping.sweep(self.beside, LATER, clock=LATER, witness=LATER))
        there = {row.recording for row in self.beside.list(LATER) if row.opens_for}
        self.closed = [one for one in self.closed if one[0] in there]

    def rotate(self, role: KeyRole | None = None) -> None:
        role = role or self.chance.choice(list(KeyRole))
        old = self.desk.recipients[role]
        begun = self.unfinished.get(role.value)
        new = Recipient(role.value, role, bytes.fromhex(begun) if begun else create_key_pair(self.store))
        self.unfinished[role.value] = new.public_key.hex()

        def deed() -> None:
            # First whatever is sealed from now on, then what there is.
            self._seal_for(role, new)
            rotation.rotate(self.beside, old, new)
            if rotation.revoke(self.beside, old).kept:
                # Keys that a failing disk had let go before a commit that never came: only there may that be.
                raise ArchiveError("error.archive.not_made_anew")

        if self._do("rotate", "-", deed, role.value, new.public_key.hex(), old.key_id):
            del self.unfinished[role.value]
        else:
            self._seal_for(role, old)

    def _seal_for(self, role: KeyRole, recipient: Recipient) -> None:
        self.desk.recipients = {**self.desk.recipients, role: recipient}
        self.desk.policy_recipients[:] = self.desk.recipients.values()
        for one in self.calls:
            self.desk.call(one.call, retention=self.short if one.short else LONG)

    # --- saying so ---------------------------------------------------------------------------------

    def _commit(self, deed: str, recording: str, *changes: Change, answer: str = "") -> bool:
        def commit() -> str:
            self.desk.commit(*changes, call=recording[:-2], recording=recording)
            return answer

        return self._do(deed, recording, commit)

    def _do(self, deed: str, recording: str, work: Callable[[], object], *words: object) -> bool:
        """`work` may answer with a word to be said of it."""
        if deed in ("withdraw", "discard", "restrict", "hold"):
            words = (*words, *(f"{one.role.value}:{one.sealed.hex()}" for one in self.beside.wraps_of(recording)))
        say("will", deed, recording, *words)
        try:
            answer = work()
        except CommitFailedError as error:
            say("failed", deed, recording, error.reason.value)
        except KlartoneError as error:
            say("failed", deed, recording, error.code)
        else:
            say("did", deed, recording, *([answer] if isinstance(answer, str) and answer else []))
            return True
        return False

    def _one(self) -> _Call | None:
        return self.chance.choice(self.calls) if self.calls else None

    def _closed(self, purpose: Purpose | None = None) -> tuple[str, tuple[Purpose, ...]] | None:
        those = [one for one in self.closed if purpose is None or purpose in one[1]]
        if not those:
            return None
        one = self.chance.choice(those)
        self.closed.remove(one)
        return one

    def _broke_off(self) -> None:
        self.desk.failures.clear()
        for one in self.calls:
            if one.talks:
                self.desk.recorder.stop(one.call, one.recording, one.segment)
                one.talks, one.frame = False, one.frame + 1


class _Said(list[tuple[str, int, int]]):
    """What the recorder was told to be on the disk, said at once."""

    def append(self, one: tuple[str, int, int]) -> None:
        say("sealed", *one)


def serve(folder: Path, keys: Path) -> None:
    """An order a line; each in a process of its own, whose end is said."""
    for line in sys.stdin:
        if (child := os.fork()) == 0:
            once(folder, keys, line)
        os.waitpid(child, 0)
        say("over")


def once(folder: Path, keys: Path, order: str) -> None:
    threading.excepthook = _fatal
    rotation.BATCH, sweeping.BATCH = 5, 2
    try:
        told = Order(**json.loads(order))
        Doer(folder, keys, told).run(told.deeds)
    except KlartoneError as error:
        # At its beginning, or where it only looked: told to whoever asked.
        say("failed", "run", "-", error.code)
    except BaseException:  # noqa: BLE001 - whatever it was: said, and then it is for the test to fail
        traceback.print_exc()
        say("crashed")
    finally:
        os._exit(0)


def _fatal(args: threading.ExceptHookArgs) -> None:
    threading.__excepthook__(args)
    say("crashed")


if __name__ == "__main__":
    if len(sys.argv) > 3:
        once(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
    serve(Path(sys.argv[1]), Path(sys.argv[2]))
