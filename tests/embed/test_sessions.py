"""Sessions of another phone's calls: what a press may ask for, and whose notices a call has. The process is a journey's."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, cast

import pytest

from softphone.bootstrap.home import texts
from softphone.domain.decision import Decision, Facts
from softphone.domain.events import Now
from softphone.domain.policy import Policy
from softphone.embed.sessions import Sessions
from softphone.engine.reading import Exchanges, Loaded
from softphone.engine.rules import EngineRules
from softphone.plugin.notices import NoticeBook
from tests.engine.scene import ENGLISH, N1, TEXT, book_of
from tests.policies import POLICY, policy_of


class Rulebook:
    def decide(
        self,
        _policy: Policy,
        _facts: Facts,
        *,
        drawn: bool,
        callback: Callable[[Decision], None],
    ) -> None:
        callback(N1)


class Talk:
    """Sessions in one thread, with a clock that stands still."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self._later: list[Callable[[], None]] = []
        rulebook = cast("Any", Rulebook())
        self.rules = EngineRules(
            None,
            rulebook,
            self._later.append,
            lambda: self.sessions.policy_changed(),
            lambda _name, _said: None,
            lambda entries: self.sessions.note(entries),
        )
        self.sessions = Sessions(self.rules, cache(texts), self._now, self._out, self._later.append)
        self.take_up(book_of(TEXT, ENGLISH))
        self.say("hello", protocol=1, auto_commit=True)

    def take_up(self, book: NoticeBook, policy: str = POLICY) -> None:
        self.rules._answered(Loaded(policy_of(policy), book, Exchanges()))

    def _now(self) -> Now:
        return Now(datetime(2026, 11, 25, 9, tzinfo=UTC) + timedelta(seconds=1), 1.0)

    def _out(self, line: bytes) -> None:
        self.lines.append(json.loads(line))

    def say(self, kind: str, **fields: Any) -> None:
        self.sessions.take(json.dumps({"type": kind, **fields}).encode())
        while self._later:
            self._later.pop(0)()
        self.sessions.run_due()
        self.sessions.publish()

    def last(self, kind: str) -> dict[str, Any]:
        return next(line for line in reversed(self.lines) if line["type"] == kind)

    def act(self, action: str, **fields: Any) -> dict[str, Any]:
        version = self.last("status")["state"]["status"]["version"]
        self.say("act", id="p", call="c", version=version, action=action, **fields)
        return next(line for line in reversed(self.lines) if line.get("id") == "p")

    def begin(self, call: str = "c", **fields: Any) -> None:
        self.say("rang", call=call, line="salg", number="+4520123456", known={}, **fields)
        self.say("answered", call=call)

    def over(self) -> list[str]:
        return [line["call"] for line in self.lines if line["type"] == "over"]

    def breaks_off(self) -> None:
        self.say("notice_failed", call="c", play=self.last("play_notice")["play"])


@pytest.mark.rule("G05")
def test_the_agent_gives_the_notice_in_another_language_and_in_no_language_it_does_not_have() -> None:
    talk = Talk()
    talk.begin()
    talk.breaks_off()
    refused = talk.act("play_again", language="da")
    assert (refused["type"], refused["code"]) == ("refused", "refused.not_now")
    assert talk.act("play_again", language="en")["type"] == "done"
    played = talk.last("play_notice")
    assert (played["language"], played["text"]) == ("en", ENGLISH.shown)


@pytest.mark.rule("G11")
def test_a_call_keeps_the_notices_of_the_policy_that_held_when_it_rang() -> None:
    talk = Talk()
    talk.begin()
    talk.breaks_off()
    talk.take_up(book_of(path="new"))
    assert talk.act("play_again")["type"] == "done"
    assert talk.last("play_notice")["text"] == TEXT.shown


@pytest.mark.rule("G10")
def test_a_wrap_up_ends_when_its_agents_next_call_is_answered_and_the_calls_id_is_free_again() -> None:
    talk = Talk()
    for call, agent in (("a", "bo"), ("b", "eva")):
        talk.begin(call, agent=agent)
        talk.say("call_ended", call=call)
    talk.say("rang", call="c", line="salg", known={}, agent="bo")
    assert talk.over() == [], "one that only rings takes no wrap-up away"
    talk.say("answered", call="c")
    assert talk.over() == ["a"]
    talk.begin("a", agent="eva")
    assert talk.over() == ["a", "b"]
    assert not [line for line in talk.lines if line["type"] == "refused"]


def test_a_wrap_up_that_the_line_gives_a_time_is_not_taken_away_by_the_next_call() -> None:
    talk = Talk()
    talk.take_up(book_of(TEXT, ENGLISH), POLICY.replace('id = "salg"', 'id = "salg"\nwrap_up = "PT2M"'))
    talk.begin("a")
    talk.say("call_ended", call="a")
    talk.begin("b")
    assert talk.over() == []
