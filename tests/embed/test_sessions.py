"""Sessions of another phone's calls: what a press may ask for, whose notices a call has, and what a plain phone need not say.

The process is a journey's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, cast

import pytest

from softphone.bootstrap.home import texts
from softphone.calls.effect_runner import OPENS_WITHIN
from softphone.calls.policy.in_force import PolicyInForce
from softphone.calls.policy.reading import Exchanges, Loaded
from softphone.domain.decision import Decision, Facts, NoticeId
from softphone.domain.events import Now
from softphone.domain.passport import Passport, Told, claims_of, fingerprint
from softphone.domain.policy import Policy
from softphone.domain.purpose import Language, Purpose
from softphone.embed.sessions import HEARD_AFTER, Sessions
from softphone.plugin.notices import NoticeBook
from softphone.system.passports import Seal, certify, present, unsigned
from softphone.system.signature import public_half
from tests.engine.scene import ENGLISH, N1, N3, OFF, SOUND, TEXT, book_of
from tests.engine.test_passport import DESK, HOUSE, HOUSED
from tests.policies import POLICY, policy_of

N2 = replace(N3, documentation=N3.training, training=OFF, notice=NoticeId.N2)
N4 = replace(N3, training=N1.documentation, notice=NoticeId.N4)


class Rulebook:
    decision = N1

    def decide(
        self,
        _policy: Policy,
        _facts: Facts,
        *,
        drawn: bool,
        callback: Callable[[Decision], None],
    ) -> None:
        callback(self.decision)


class Talk:
    """Sessions in one thread, with a clock that is turned by hand."""

    def __init__(self, decision: Decision = N1, **hello: bool) -> None:
        self.lines: list[dict[str, Any]] = []
        self._later: list[Callable[[], None]] = []
        self._mono = 1.0
        rulebook = cast("Any", Rulebook())
        rulebook.decision = decision
        self.rules = PolicyInForce(
            None,
            rulebook,
            self._later.append,
            lambda: self.sessions.policy_changed(),
            lambda _name, _said: None,
            lambda entries: self.sessions.note(entries),
        )
        self.sessions = Sessions(self.rules, cache(texts), self._now, self._out, self._later.append)
        self.take_up(book_of(TEXT, ENGLISH))
        self.say("hello", protocol=1, **(hello or {"auto_commit": True}))

    def take_up(self, book: NoticeBook, policy: str = POLICY) -> None:
        self.rules._answered(Loaded(policy_of(policy), book, Exchanges()))

    def _now(self) -> Now:
        return Now(datetime(2026, 11, 25, 9, tzinfo=UTC) + timedelta(seconds=self._mono), self._mono)

    def _out(self, line: bytes) -> None:
        self.lines.append(json.loads(line))

    def take(self, kind: str, **fields: Any) -> None:
        """A line, and no turn yet."""
        self.sessions.take(json.dumps({"type": kind, **fields}).encode())

    def say(self, kind: str, **fields: Any) -> None:
        self.take(kind, **fields)
        self.pass_time(0)

    def turn_clock(self, seconds: float) -> None:
        self._mono += seconds

    def pass_time(self, seconds: float) -> None:
        """So much later, turns until there is nothing left to do."""
        self.turn_clock(seconds)
        more = True
        while more:
            while self._later:
                self._later.pop(0)()
            self.sessions.run_due()
            self.sessions.publish()
            more = bool(self._later)

    def orders(self) -> list[str]:
        """What the phone was told to do, by its types."""
        return [
            one for line in self.lines if (one := line["type"]) not in ("hello", "policy", "status", "commit", "note")
        ]

    def last(self, kind: str) -> dict[str, Any]:
        return next(line for line in reversed(self.lines) if line["type"] == kind)

    def version(self) -> int:
        return self.last("status")["state"]["status"]["version"]

    def act(self, action: str, **fields: Any) -> dict[str, Any]:
        self.say("act", id="p", call="c", version=self.version(), action=action, **fields)
        return next(line for line in reversed(self.lines) if line.get("id") == "p")

    def begin(self, call: str = "c", *, drawn: bool = False, **fields: Any) -> None:
        rang = {"line": "salg", "number": "+4520123456", "known": {"drawn": drawn}} | fields
        self.say("rang", call=call, **rang)
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


@pytest.mark.rule("G01")
@pytest.mark.parametrize(("agent", "called"), [("204", ""), ("204@pbx.example", ""), ("205", "70 10 20 31")])
def test_an_agent_or_own_number_that_is_never_recorded_hears_no_notice(agent: str, called: str) -> None:
    talk = Talk()
    listed = POLICY.replace("[controller]", 'never_record = ["204", "+4570102031"]\n[controller]')
    talk.take_up(book_of(TEXT, ENGLISH), listed)
    talk.begin(agent=agent, called=called)
    assert talk.last("status")["state"]["status"]["reasons"][0]["reason"] == "never_record"
    assert "play_notice" not in talk.orders()
    talk.begin("another", agent="205", called="+4570102030")
    assert "play_notice" in talk.orders()


@pytest.mark.rule("G01")
def test_an_exchange_that_embeds_it_may_name_an_extension_and_at_another_exchange_none_is_found() -> None:
    talk = Talk()
    talk.take_up(book_of(TEXT, ENGLISH), POLICY.replace('"+4570102031"', '"17", "salg@pbx.example"'))
    for called, reason in (
        ("17", None),
        ("sip:17@pbx.example", None),
        ("sip:salg@pbx.example", None),
        ("sip:17@other.example", "line_unclear"),
        ("sip:salg@other.example", "line_not_recorded"),
    ):
        talk.begin(called, line=None, agent="204@pbx.example", called=called)
        said = talk.last("status")["state"]["status"]["reasons"]
        assert (said[0]["reason"] if said[0]["reason"].startswith("line_") else None) == reason


def test_a_recording_whose_transaction_is_written_goes_on_for_as_long_as_the_call() -> None:
    talk = Talk()
    talk.begin()
    talk.say("notice_started", call="c", play=1)
    talk.pass_time(SOUND.seconds)
    talk.say("notice_heard", call="c", play=1)
    for _ in range(3):
        talk.pass_time(OPENS_WITHIN)
    assert (talk.orders().count("start_recorder"), talk.orders().count("stop_recorder")) == (1, 0)
    assert talk.last("status")["state"]["status"]["headline"] == "recording"


def test_a_recording_whose_transaction_never_comes_is_said_to_have_failed() -> None:
    talk = Talk(auto_commit=False)
    talk.begin()
    talk.say("notice_started", call="c", play=1)
    talk.pass_time(SOUND.seconds)
    talk.say("notice_heard", call="c", play=1)
    talk.pass_time(OPENS_WITHIN)
    status = talk.last("status")["state"]["status"]
    assert (status["headline"], status["reasons"][0]["reason"]) == ("failed", "storage_failed")


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


@pytest.mark.rule("G05")
@pytest.mark.rule("G31")
def test_a_plain_phone_gets_the_order_to_answer_and_its_notice_is_heard_in_its_time() -> None:
    talk = Talk(N3, plain=True)
    talk.say("rang", call="c", line="salg", known={"drawn": True})
    assert talk.orders() == ["set_microphone", "answer_call"]
    talk.say("answered", call="c")
    assert talk.orders() == ["set_microphone", "answer_call", "play_notice"], "it is closed already"
    talk.say("digit_pressed", call="c", digit="1")
    talk.pass_time(SOUND.seconds + HEARD_AFTER - 0.1)
    assert (talk.sessions.next_due() or 0) == pytest.approx(1 + SOUND.seconds + HEARD_AFTER)
    assert "start_recorder" not in talk.orders()
    talk.pass_time(0.2)
    talk.say("digit_pressed", call="c", digit="1")
    talk.pass_time(2)
    assert [line["open"] for line in talk.lines if line["type"] == "set_microphone"] == [False, True]
    assert talk.orders().count("start_recorder") == 1


@pytest.mark.rule("G05")
def test_a_notice_that_a_plain_phone_could_not_play_is_never_taken_for_heard() -> None:
    talk = Talk(N3, plain=True)
    talk.begin(drawn=True)
    talk.breaks_off()
    talk.pass_time(60)
    talk.say("digit_pressed", call="c", digit="1")
    talk.pass_time(2)
    assert "start_recorder" not in talk.orders()
    assert not [line for line in talk.lines if line["type"] == "refused"]


@pytest.mark.rule("G05")
def test_the_time_of_a_notice_that_was_stopped_is_not_taken_for_the_next_ones() -> None:
    talk = Talk(N3, plain=True)
    talk.begin(drawn=True)
    assert talk.act("stop_notice")["type"] == "done"
    talk.turn_clock(SOUND.seconds + HEARD_AFTER)
    talk.take("act", id="again", call="c", version=talk.version(), action="play_again")
    talk.sessions.run_due()
    talk.pass_time(0)
    assert talk.last("play_notice")["play"] == 2
    assert talk.last("status")["state"]["status"]["headline"] == "notice"
    talk.pass_time(SOUND.seconds + HEARD_AFTER)
    assert talk.last("status")["state"]["status"]["headline"] == "asked"


@pytest.mark.rule("G04")
@pytest.mark.rule("G23")
def test_of_a_recording_that_is_discarded_a_plain_phone_deletes_every_file() -> None:
    talk = Talk(N3, plain=True)
    talk.begin(drawn=True)
    talk.pass_time(SOUND.seconds + HEARD_AFTER)
    talk.say("digit_pressed", call="c", digit="1")
    talk.pass_time(2)
    for held in (True, False):
        talk.say("hold_signalled", call="c", held=held)
    begun = [(line["recording"], line["segment"]) for line in talk.lines if line["type"] == "start_recorder"]
    assert len(begun) == 2
    assert "delete_segment" not in talk.orders()
    for digit in "*9":
        talk.say("digit_pressed", call="c", digit=digit)
    talk.pass_time(2)
    deleted = [(line["recording"], line["segment"]) for line in talk.lines if line["type"] == "delete_segment"]
    assert deleted == begun
    assert talk.orders().index("delete_segment") > max(
        at for at, kind in enumerate(talk.orders()) if kind == "stop_recorder"
    )


@pytest.mark.rule("G23")
@pytest.mark.parametrize(
    "decision",
    [
        N1,
        replace(N1, training=N3.training, notice=NoticeId.N6),
        replace(N1, training=N1.documentation, notice=NoticeId.N7),
        replace(N3, documentation=N3.training, notice=NoticeId.N2_N3),
        replace(N3, documentation=N3.training, training=N1.documentation, notice=NoticeId.N2_N4),
    ],
    ids=lambda decision: str(decision.notice),
)
def test_a_plain_phone_gives_no_notice_of_what_a_no_does_not_delete_whole(decision: Decision) -> None:
    talk = Talk(decision, plain=True)
    talk.begin()
    talk.pass_time(60)
    assert not {"play_notice", "start_recorder"} & {*talk.orders()}
    status = talk.last("status")["state"]["status"]
    assert (status["headline"], status["reasons"][0]["reason"]) == ("failed", "notice_failed")
    assert talk.last("set_microphone")["open"], "the call goes on"


@pytest.mark.rule("G04")
@pytest.mark.rule("G31")
@pytest.mark.parametrize("told", [None, "N4;language=da"], ids=["untold", "told by an exchange"])
@pytest.mark.parametrize(
    ("decision", "key"),
    [(N4, "*9"), (N4, ""), (N2, ""), (N3, "")],
    ids=lambda value: str(value.notice) if isinstance(value, Decision) else f"key {value!r}",
)
def test_a_plain_phone_records_nothing_that_can_be_ended_only_by_saying_so(
    decision: Decision, key: str, told: str | None
) -> None:
    talk = Talk(decision, plain=True)
    talk.take_up(book_of(TEXT, ENGLISH), POLICY.replace('id = "salg"', f'id = "salg"\nopt_out_key = "{key}"'))
    talk.begin(drawn=True, **({"told": told} if told else {}))
    talk.pass_time(60)
    assert not {"play_notice", "start_recorder"} & {*talk.orders()}
    status = talk.last("status")
    assert status["words"]["en"]["reasons"][0] == "There is no window in which a no can be logged"
    assert status["state"]["status"]["reasons"][0]["rule"] == "G31"
    assert talk.last("set_microphone")["open"], "the call goes on"


def test_a_plain_phones_call_is_over_when_it_has_ended() -> None:
    talk = Talk(N3, plain=True)
    talk.begin(drawn=True)
    talk.say("call_ended", call="c")
    assert talk.over() == ["c"]


def test_a_plain_phone_that_answered_before_the_rules_decided_gets_no_order_to_answer() -> None:
    talk = Talk(N3, plain=True)
    talk.take("rang", call="c", line="salg", known={"drawn": True})
    talk.take("answered", call="c")
    talk.pass_time(0)
    assert talk.orders() == ["set_microphone", "play_notice"]


@pytest.mark.rule("G05")
@pytest.mark.rule("G31")
def test_a_passport_is_believed_and_given_as_at_klartones_own_desks() -> None:
    talk = Talk(N3)
    talk.take_up(book_of(TEXT, ENGLISH), HOUSED)
    now = talk._now().utc
    seal = Seal(DESK, certify(public_half(DESK), HOUSE, now + timedelta(days=1)))
    told = Told(NoticeId.N3, Language.DA, now)
    passport = Passport(
        "a", "70102030", now, fingerprint("Nordlys El A/S"), "salg", told, frozenset({Purpose.TRAINING})
    )
    text = seal.sign(claims_of(passport))
    talk.begin("told", drawn=True, called="70102030", passports=[text])
    talk.begin("again", drawn=True, called="70102030", passports=[text])
    assert [line["call"] for line in talk.lines if line["type"] == "play_notice"] == ["again"], "it counts once"
    talk.begin("no", drawn=True, passports=[unsigned({"no": "t"})])
    assert [line["call"] for line in talk.lines if line["type"] == "play_notice"] == ["again"]
    houses = [public_half(HOUSE)]
    talk.say("transfer", call="no", target="70102030")
    talk.sessions.sign_with(seal)
    for call, target in (("told", "70102030"), ("told", "sip:70102030@evil.example")):
        talk.say("transfer", call=call, target=target)
    given = [present(line["passport"]) for line in talk.lines if line["type"] == "passport"]
    assert given[0].claims == {"no": "t"}
    assert given[1].proved_by(houses, now)
    assert given[1].claims["aud"] == "70102030"
    assert given[2].text == ""
