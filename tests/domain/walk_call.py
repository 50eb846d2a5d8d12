"""A call to drive by hand in tests: events in, effects and status out. The store answers at once unless told to wait."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from softphone.domain import changes as c
from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.purpose import Purpose, Reason
from softphone.domain.session import State, describe, step
from softphone.domain.status import Status
from tests.domain.walk_scenes import NOW, SCENES, Scene

T = TypeVar("T")


class Call:
    """`Call("N7")` rings; `answer` and `hear` bring it to *informed*."""

    def __init__(self, scene: str | Scene, **terms: object) -> None:
        it = SCENES[scene] if isinstance(scene, str) else scene
        self.scene = replace(it, terms=replace(it.terms, **terms)) if terms else it
        self.state = State()
        self.mono = NOW.mono
        self.store_answers = True
        self.log: list[f.Effect] = []
        """all effects so far"""
        self.last: tuple[f.Effect, ...] = ()
        """those of the last event, and of the store's answers to it"""
        self(self.scene.rang)

    @property
    def now(self) -> e.Now:
        return e.Now(NOW.utc + timedelta(seconds=self.mono - NOW.mono), self.mono)

    def __call__(self, *events: e.Event) -> Call:
        for event in events:
            self.last = ()
            self._step(event)
            self.log.extend(self.last)
        return self

    def _step(self, event: e.Event) -> None:
        self.state, effects = step(self.state, event, self.now)
        self.last = (*self.last, *effects)
        for effect in effects:
            if self.store_answers and isinstance(effect, c.Commit):
                self._step(e.Committed(effect.ticket))
            if self.store_answers and isinstance(effect, f.StartRecorder):
                self._step(e.FirstSample(effect.recording, effect.segment))

    def wait(self, seconds: float) -> Call:
        self.mono += seconds
        return self

    # --- the usual way into a call -----------------------------------------------------------------

    def answer(self) -> Call:
        return self(e.Answered(), e.NoticeStarted(8.0))

    def hear(self) -> Call:
        marks = e.NoticeReached(e.Mark.ESSENTIALS), e.NoticeReached(e.Mark.QUESTION)
        return self.answer()(*marks, e.NoticeHeard())

    def press(self, digits: str) -> Call:
        for digit in digits:
            self(e.DigitPressed(digit, self.mono))
        return self

    def say_yes(self, digit: str) -> Call:
        """A key, and the 1.5 s after it."""
        self.press(digit).wait(1.5)
        return self(e.TimedOut(e.Timer.KEY_SETTLES))

    def opt_out(self) -> Call:
        """The one button, whatever it does now."""
        return self(e.OptedOut(self.status.opt_out.kind))

    def dispute(self, by: c.HoldBy = c.HoldBy.CONTROLLER) -> Call:
        return self(e.DisputeRaised(by, "anna"))

    # --- what can be seen --------------------------------------------------------------------------

    @property
    def status(self) -> Status:
        return describe(self.state, self.now)

    @property
    def recorded(self) -> set[Purpose]:
        return set(self.status.recording)

    @property
    def reasons(self) -> list[Reason]:
        return [it.reason for it in self.status.reasons]

    def did(self, kind: type[T]) -> list[T]:
        """Effects of the last event of this kind."""
        return [it for it in self.last if isinstance(it, kind)]

    def changed(self, kind: type[T]) -> list[T]:
        """Changes that the last event asked of the store."""
        return [it for it in _changes(self.last) if isinstance(it, kind)]

    def ever_changed(self, kind: type[T]) -> list[T]:
        return [it for it in _changes(self.log) if isinstance(it, kind)]

    @property
    def entries(self) -> list[tuple[str, str]]:
        """Event and rule of what the last event put into the audit log."""
        commits = [it for it in self.last if isinstance(it, c.Commit)]
        return [(entry.event, entry.rule) for commit in commits for entry in commit.entries]

    def noted(self, event: str) -> list[Mapping[str, object]]:
        """What every entry of this kind has said so far, beside its rule."""
        commits = [it for it in self.log if isinstance(it, c.Commit)]
        return [entry.params for commit in commits for entry in commit.entries if entry.event == event]


def _changes(effects: list[f.Effect] | tuple[f.Effect, ...]) -> Iterator[c.Change]:
    for effect in effects:
        if isinstance(effect, c.Commit):
            yield from effect.changes
