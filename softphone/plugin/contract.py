"""The hooks as messages between engine and host: JSON in, JSON out, both checked against the types of `spec`.

Nothing here starts, waits or decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import TypeAdapter

from softphone.domain.decision import Decision, Facts, NoticeId
from softphone.domain.notice import Judgement, NoticeText, NoticeVariant
from softphone.domain.policy.model import Controller, Line, Wording
from softphone.domain.purpose import Language
from softphone.plugin.spec import Speech

ParamsT = TypeVar("ParamsT")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class DecideParams:
    facts: Facts
    line: Line
    drawn: bool


@dataclass(frozen=True, slots=True)
class NoticeTextParams:
    controller: Controller
    line: Line
    notice: NoticeId
    language: Language
    variant: NoticeVariant = NoticeVariant.WHOLE


@dataclass(frozen=True, slots=True)
class JudgeParams:
    line: Line
    notice: NoticeId
    language: Language
    wording: Wording | None = None
    """None: the rulebook's own"""


@dataclass(frozen=True, slots=True)
class SpeakParams:
    text: str
    language: Language


@dataclass(frozen=True, slots=True)
class LoadParams:
    """Import the plugin: its code runs for the first time."""


@dataclass(frozen=True)
class Hook(Generic[ParamsT, ResultT]):
    """One hook: its name, and how its parameters and its result cross the pipe."""

    name: str
    params: TypeAdapter[ParamsT]
    result: TypeAdapter[ResultT]


DECIDE: Hook[DecideParams, Decision] = Hook("decide", TypeAdapter(DecideParams), TypeAdapter(Decision))
NOTICE_TEXT: Hook[NoticeTextParams, NoticeText | None] = Hook(
    "notice_text", TypeAdapter(NoticeTextParams), TypeAdapter(NoticeText | None)
)
JUDGE_NOTICE: Hook[JudgeParams, Judgement] = Hook("judge_notice", TypeAdapter(JudgeParams), TypeAdapter(Judgement))
SPEAK: Hook[SpeakParams, Speech] = Hook("speak", TypeAdapter(SpeakParams), TypeAdapter(Speech))
LOAD: Hook[LoadParams, None] = Hook("load", TypeAdapter(LoadParams), TypeAdapter(type(None)))

HOOKS = {hook.name: hook for hook in (DECIDE, NOTICE_TEXT, JUDGE_NOTICE, SPEAK)}
"""what a plugin.toml may name"""

LINE_LIMIT = 16_000_000
"""bytes of one message; a minute of speech has a sixth of it"""
