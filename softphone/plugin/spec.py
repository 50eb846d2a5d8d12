"""What a plugin may offer, as pluggy hooks. It marks its functions with `hookimpl` and names them in its plugin.toml.

A plugin imports this module and `softphone.domain`, nothing else of the program. Its functions run in the plugin host,
one at a time, never in the engine; what they return is checked against these types before anything acts on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import pluggy
from pydantic import ConfigDict

from softphone.domain.decision import Decision, Facts, NoticeId
from softphone.domain.notice import Judgement, NoticeText, NoticeVariant
from softphone.domain.policy.model import Controller, Line, Wording
from softphone.domain.purpose import Language

PROJECT = "klartone"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True, slots=True)
class SpeechWord:
    """`text[start:end]` is spoken from `at` to `until`, seconds from the sound's start."""

    start: int
    end: int
    at: float
    until: float


@dataclass(frozen=True, slots=True)
class Speech:
    """A spoken text: a WAV file (16 kHz, mono, 16 bit) and its words' times, in order."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    wav: bytes
    words: tuple[SpeechWord, ...]


class Rulebook(Protocol):
    """A rulebook chooses; the session enforces. It is asked while a call rings, and no answer in time means not recorded."""

    @hookspec(firstresult=True)
    def decide(self, facts: Facts, line: Line, drawn: bool) -> Decision:
        """Which purposes, on which basis, with which notice, and why. `drawn`: the call is in the training sample."""
        ...

    @hookspec(firstresult=True)
    def notice_text(
        self, controller: Controller, line: Line, notice: NoticeId, language: Language, variant: NoticeVariant
    ) -> NoticeText | None:
        """The text of one notice of a line, in the line's own wording if it has one; None if that variant does not exist."""
        ...

    @hookspec(firstresult=True)
    def judge_notice(self, line: Line, notice: NoticeId, language: Language, wording: Wording | None) -> Judgement:
        """What a wording lacks, what it promises and must not, and what it leaves open. None: the rulebook's own wording."""
        ...


class Voice(Protocol):
    """A voice speaks ahead of time, when a policy is loaded, never in a call."""

    @hookspec(firstresult=True)
    def speak(self, text: str, language: Language) -> Speech:
        """The text as sound, about 160 words a minute, peak below -3 dBFS."""
        ...


def plugin_manager() -> pluggy.PluginManager:
    """A manager that knows these hooks and no plugin yet."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Rulebook)
    manager.add_hookspecs(Voice)
    return manager
