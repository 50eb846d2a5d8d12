"""A call that a colleague transferred: what its passport says counts if it is proved and meant for this call, and a no always."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from softphone.domain.decision import Decision, LookupResult, NoticeDelivery, NoticeId, PlanState, PurposePlan
from softphone.domain.passport import Passport, Told, claims_of, fingerprint
from softphone.domain.purpose import Basis, Headline, Language, Purpose, Reason
from softphone.engine.call.own_list import written
from softphone.engine.sip import events as sip
from softphone.engine.storage.call_facts import facts_of
from softphone.system.passports import Seal, certify, present, unsigned
from softphone.system.signature import public_half
from tests.engine.scene import CALL, NUMBER, OFF, PARTY, SECOND, TEXT, THIRD, Scene, book_of
from tests.policies import POLICY

pytestmark = pytest.mark.rule("G05")

DOC, TRAIN = Purpose.DOCUMENTATION, Purpose.TRAINING
HOUSE, DESK, STRANGER = (Ed25519PrivateKey.generate().private_bytes_raw() for _ in range(3))
HOUSED = POLICY.replace("[[recipient]]", f'[house]\nkeys = ["{public_half(HOUSE)}"]\n\n[[recipient]]', 1)
INTEREST = PurposePlan(PlanState.PLANNED, Basis.LEGITIMATE_INTEREST, Reason.ASSESSMENT)
N6 = Decision(
    INTEREST,
    PurposePlan(PlanState.ASKED, Basis.CONSENT, Reason.CONSENT),
    NoticeId.N6,
    NoticeDelivery.PLAY,
    (Reason.ASSESSMENT,),
)


class Desk(Scene):
    """One that is called with a passport, and answers once the rulebook has."""

    def __init__(self) -> None:
        super().__init__(HOUSED)
        now = self.now().utc
        self.seal = Seal(DESK, certify(public_half(DESK), HOUSE, now + timedelta(days=1)))
        self.passport = Passport(
            "01a10000-0000-7000-8000-000000000009",
            "70102030",
            now,
            fingerprint("Nordlys El A/S"),
            "salg",
            Told(NoticeId.N6, Language.EN, now - timedelta(minutes=6)),
            frozenset({DOC, TRAIN}),
            frozenset({TRAIN}),
        )

    def transferred(self, *texts: str, called: str = NUMBER) -> None:
        self.ring(called=called, passports=texts)
        self.decide(N6, LookupResult(drawn=True, looked_up=True))
        self.answer()

    def connects(self, call: str) -> None:
        self.calls.looked_up(call, LookupResult(drawn=True, looked_up=True))
        self.calls.decided(call, N6)
        self.calls.established(sip.CallEstablished(call, record_aware=False))

    @property
    def tells(self) -> bool:
        return any(one.startswith("play") for one in self.phone.done)

    @property
    def refused(self) -> set[Purpose]:
        assert self.call.status is not None
        return {one for one, it in self.call.status.purposes.items() if it.reason is Reason.DECLINED_EARLIER}


def test_the_language_that_a_colleague_used_is_this_calls_where_its_line_has_it() -> None:
    desk = Desk()
    desk.rules.book = book_of(TEXT)
    desk.transferred(desk.seal.sign(claims_of(desk.passport)))
    assert not desk.tells
    assert desk.call.status is not None
    assert desk.call.status.notice is not None
    assert desk.call.status.notice.language is Language.DA


@pytest.mark.parametrize("named", ["01a10000-0000-7000-8000-000000000009", "call 7 of another phone"])
def test_what_is_kept_of_a_transferred_call_names_its_group_if_a_desk_of_the_house_named_it(named: str) -> None:
    desk = Desk()
    desk.transferred(_signed(desk, group=named))
    assert facts_of(desk.calls._book.live[CALL]).group == (named if named.startswith("01") else "")


def test_a_told_party_is_not_told_twice_and_its_yes_stands() -> None:
    desk = Desk()
    desk.transferred(desk.seal.sign(claims_of(desk.passport)))
    assert not desk.tells
    assert desk.told_of("passport")[0].params == {"doubt": None}
    status, told = desk.call.status, desk.passport.told
    assert status is not None
    assert told is not None
    assert {it.phase for it in status.purposes.values()} == {"active"}
    assert desk.call.told_by is not None
    assert (desk.call.told_by.by, desk.call.told_by.at) == ("colleague", told.at)
    assert status.notice is not None
    assert status.notice.language is Language.EN


Change = Callable[[Desk], tuple[str, ...]]


def _signed(desk: Desk, **parts: Any) -> str:
    return desk.seal.sign(claims_of(replace(desk.passport, **parts)))


NO = frozenset({TRAIN})
WITH_A_NO: dict[str, Any] = {"active": frozenset({DOC}), "agreed": frozenset(), "refused": NO}
DOUBTED: dict[str, tuple[str, Change]] = {
    "unsigned": ("unproved", lambda desk: (unsigned(claims_of(replace(desk.passport, **WITH_A_NO))),)),
    "forged": ("unproved", lambda desk: (Seal(STRANGER, _signed(desk).split("~")[1]).sign(
        claims_of(replace(desk.passport, **WITH_A_NO))),)),
    "late": ("late", lambda desk: (
        _signed(desk, made_at=desk.now().utc - timedelta(seconds=301), **WITH_A_NO),)),
    "for another target": ("another_target", lambda desk: (_signed(desk, target="205", **WITH_A_NO),)),
    "two at once": ("unreadable", lambda desk: (_signed(desk), _signed(desk, **WITH_A_NO))),
    "a scrap": ("unreadable", lambda desk: (
        f".{base64.urlsafe_b64encode(json.dumps({'no': 't', 'on': 7}).encode()).rstrip(b'=').decode()}.",)),
}  # fmt: skip


@pytest.mark.parametrize("name", DOUBTED)
@pytest.mark.rule("G31")
def test_of_one_in_doubt_the_refusals_alone_count(name: str) -> None:
    doubt, made = DOUBTED[name]
    desk = Desk()
    desk.transferred(*made(desk))
    assert desk.told_of("passport")[0].params == {"doubt": doubt}
    assert desk.refused == {TRAIN}
    assert desk.tells
    desk.hear_notice()
    assert desk.call.status is not None
    assert desk.call.status.purposes[DOC].phase == "active"
    assert desk.call.told_by is None


def test_it_counts_for_one_call_alone() -> None:
    desk = Desk()
    text = _signed(desk)
    desk.ring("01a20000-0000-7000-8000-000000000007", passports=(text,))
    desk.transferred(text)
    assert [one.params["doubt"] for one in desk.told_of("passport")] == [None, "used"]
    assert desk.tells


@pytest.mark.parametrize("other", [{"controller": fingerprint("Another A/S")}, {"line": "support"}], ids=str)
def test_a_yes_to_another_controller_or_on_another_line_is_none_here(other: dict[str, str]) -> None:
    desk = Desk()
    desk.transferred(_signed(desk, **other))
    assert desk.told_of("passport")[0].params == {"doubt": None}
    assert desk.tells
    desk.hear_notice()
    assert desk.call.status is not None
    assert desk.call.status.purposes[TRAIN].phase == "asked"


@pytest.mark.rule("G31")
def test_a_refusal_binds_at_once_and_the_notice_speaks_of_the_rest_alone() -> None:
    desk = Desk()
    desk.transferred(_signed(desk, told=None, active=frozenset(), agreed=frozenset(), refused=NO))
    assert desk.refused == {TRAIN}
    assert desk.call.status is not None
    assert desk.call.status.notice is not None
    assert desk.call.status.notice.notice is NoticeId.N1


@pytest.mark.rule("G31")
@pytest.mark.parametrize("parts", [WITH_A_NO, {}], ids=["with a no", "without"])
def test_a_call_back_after_the_engines_restart_is_of_the_first_calls_group_and_its_no_binds(
    parts: dict[str, Any],
) -> None:
    desk = Desk()
    desk.transferred(_signed(desk, **parts))
    desk.calls.ended(sip.CallEnded(CALL, 200, "", by_us=False))
    desk.calls.end_wrap_up(CALL)
    rows = [written(row, "", row.at.date() + timedelta(days=9), noted=False) for row in desk.calls.history()]
    anew = Desk()
    anew.calls.remembered([], rows)
    anew.phone.attended = frozenset({CALL})
    anew.connects(back := anew.calls.dial("account", PARTY, "salg"))
    assert anew.refused == ({TRAIN} if parts else set())
    anew.calls.ended(sip.CallEnded(back, 200, "", by_us=False))
    anew.calls.end_wrap_up(back)
    assert {row.group for row in anew.calls.history()} == {desk.passport.group}


@pytest.mark.rule("G31")
@pytest.mark.parametrize("ends", ["a yes in the same group", "a day"])
def test_a_no_binds_a_call_back_until_a_later_yes_or_for_a_day(ends: str) -> None:
    desk = Desk()
    desk.transferred(_signed(desk, **WITH_A_NO))
    desk.calls.ended(sip.CallEnded(CALL, 200, "", by_us=False))
    desk.calls.end_wrap_up(CALL)
    desk.later(1)
    desk.acknowledge()
    if ends == "a day":
        desk.later(86_401)
    else:
        desk.ring(SECOND, passports=(_signed(desk),))
        desk.connects(SECOND)
        desk.calls.ended(sip.CallEnded(SECOND, 200, "", by_us=False))
        desk.calls.end_wrap_up(SECOND)
    desk.phone.attended = frozenset({CALL, SECOND})
    desk.connects(desk.calls.dial("account", PARTY, "salg"))
    assert desk.refused == set()


def test_what_this_desk_passes_on_is_believed_by_the_next_and_goes_to_the_house_alone() -> None:
    here, there = Desk(), Desk()
    here.calls.sign_with(here.seal)
    here.transferred()
    here.hear_notice()
    here.later(1.0)
    targets = ("+4520123456", "204@elsewhere.example", "+4570102030@evil.example", "sip:+4570102030@pbx.example")
    for target in targets:
        assert here.calls.transferring.blind(CALL, target) is None
        here.calls.transferring.progressed(sip.TransferChanged(CALL, "failed", 486))
    *strangers, passport = here.phone.passports
    assert strangers == ["", "", ""]
    there.transferred(passport)
    assert there.told_of("passport")[0].params == {"doubt": None}
    assert there.call.status is not None
    assert there.call.status.purposes[DOC].phase == "planned", "training is asked first, and nobody has said yes to it"
    assert there.tells


def test_a_phone_that_takes_no_passport_is_transferred_without_it_and_the_party_told_anew() -> None:
    here = Desk()
    here.calls.sign_with(here.seal)
    here.transferred()
    here.hear_notice()
    target = "sip:+4570102030@pbx.example"
    assert here.calls.transferring.blind(CALL, target) is None
    here.calls.transferring.progressed(sip.TransferChanged(CALL, "failed", 500))
    assert [bool(one) for one in here.phone.passports] == [True, False]
    assert here.call.transfer is not None
    assert here.call.transfer.phase == "asked"
    here.calls.transferring.progressed(sip.TransferChanged(CALL, "failed", 500))
    assert here.call.transfer.phase == "failed"
    assert len(here.phone.passports) == 2


def _said(passport: str) -> dict[str, Any]:
    claims = present(passport).claims
    assert isinstance(claims, dict)
    return claims  # pyright: ignore[reportUnknownVariableType]


OBLIGED = Decision(
    PurposePlan(PlanState.PLANNED, Basis.LEGAL_OBLIGATION, Reason.OBLIGATION),
    OFF,
    NoticeId.N1,
    NoticeDelivery.PLAY,
    (Reason.OBLIGATION,),
)


@pytest.mark.rule("G31")
def test_a_refusal_passes_through_a_desk_that_must_record_all_the_same() -> None:
    desk = Desk()
    desk.calls.sign_with(desk.seal)
    desk.ring(called="+4570102040", passports=(unsigned({"no": "dt"}),))
    desk.decide(OBLIGED)
    desk.answer()
    desk.hear_notice()
    desk.acknowledge()
    assert desk.headline is Headline.RECORDING
    assert desk.calls.transferring.blind(CALL, "70102030") is None
    said = _said(desk.phone.passports[-1])
    assert (said["no"], said["on"]) == ("dt", "")


@pytest.mark.rule("G31")
def test_a_refusal_passes_through_a_desk_without_a_line() -> None:
    desk = Scene(HOUSED, account="209")
    desk.ring(called="209", passports=(unsigned({"no": "t"}),))
    desk.answer()
    assert desk.calls.transferring.blind(CALL, "sip:+4570102030@pbx.example") is None
    assert _said(desk.phone.passports[-1]) == {"no": "t"}


@pytest.mark.rule("G31")
def test_a_phone_that_takes_no_passport_gets_the_refusals_alone() -> None:
    here = Desk()
    here.calls.sign_with(here.seal)
    here.transferred(unsigned({"no": "t"}))
    here.hear_notice()
    assert here.calls.transferring.blind(CALL, "+4570102030") is None
    for _ in range(3):
        here.calls.transferring.progressed(sip.TransferChanged(CALL, "failed", 500))
    signed, refusals, nothing = here.phone.passports
    assert _said(signed)["no"] == "t"
    assert (_said(refusals), nothing) == ({"no": "t"}, "")


@pytest.mark.parametrize(("target", "goes_along"), [("+4570102030", True), ("+4570102030@evil.example", False)])
def test_a_call_made_for_a_party_takes_its_passport_to_the_house_alone(target: str, goes_along: bool) -> None:
    desk = Desk()
    desk.transferred()
    desk.calls.transferring.asked(sip.ReferAsked(CALL, target, "", unsigned({"no": "t"})))
    assert isinstance(desk.calls.transferring.follow(CALL, desk.call.asked_to_call), dict)
    assert bool(desk.phone.dialled_with[-1]) is goes_along


def test_a_notice_covers_no_more_here_than_the_one_that_was_heard() -> None:
    desk = Desk()
    told = Told(NoticeId.N1, Language.DA, desk.now().utc)
    desk.transferred(_signed(desk, told=told))
    assert desk.tells, "the notice that was heard says nothing of training"


DAY = timedelta(days=1)
NOT_BELIEVED: dict[str, Callable[[Desk], str]] = {
    "it has run out": lambda desk: certify(public_half(DESK), HOUSE, desk.now().utc - DAY),
    "another desk's": lambda desk: certify(public_half(STRANGER), HOUSE, desk.now().utc + DAY),
    "another house's": lambda desk: certify(public_half(DESK), STRANGER, desk.now().utc + DAY),
    "none at all": lambda _: "",
}


@pytest.mark.parametrize("why", NOT_BELIEVED)
@pytest.mark.rule("G31")
def test_with_a_certificate_that_nobody_would_believe_a_desk_passes_on_the_refusals_alone(why: str) -> None:
    desk = Desk()
    desk.calls.sign_with(Seal(DESK, NOT_BELIEVED[why](desk)))
    desk.transferred(unsigned({"no": "t"}))
    desk.hear_notice()
    assert desk.calls.transferring.blind(CALL, "+4570102030") is None
    assert _said(desk.phone.passports[-1]) == {"no": "t"}


def test_a_transfer_that_comes_back_is_this_desks_own_word_and_the_party_is_not_told_twice() -> None:
    desk = Desk()
    desk.calls.sign_with(desk.seal)
    desk.transferred(_signed(desk))
    assert desk.calls.transferring.blind(CALL, "+4570102040") is None
    (sent,) = desk.phone.passports
    desk.calls.transferring.progressed(sip.TransferChanged(CALL, "done", 200))
    desk.calls.ended(sip.CallEnded(CALL, 200, "", by_us=False))
    # Nobody has answered there, and the exchange brings the call back with what it had.
    desk.ring(SECOND, passports=(sent,))
    desk.connects(SECOND)
    assert desk.told_of("passport")[-1].params == {"doubt": None}
    assert not desk.tells
    # It is so for the one that this desk has sent, and once.
    desk.calls.ended(sip.CallEnded(SECOND, 200, "", by_us=False))
    for other, doubt in ((_signed(desk, target="+4570102040", group="another"), "another_target"), (sent, "used")):
        desk.ring(THIRD, passports=(other,))
        assert desk.told_of("passport")[-1].params == {"doubt": doubt}
        desk.calls.ended(sip.CallEnded(THIRD, 487, "", by_us=False))
    desk.later(301)
    desk.ring(THIRD, passports=(sent,))
    assert desk.told_of("passport")[-1].params == {"doubt": "late"}


@pytest.mark.rule("G31")
def test_a_party_that_is_called_back_has_refused_already_and_is_told_anew_of_the_rest() -> None:
    desk = Desk()
    desk.transferred(_signed(desk, **WITH_A_NO))
    desk.calls.ended(sip.CallEnded(CALL, 200, "", by_us=False))
    desk.calls.end_wrap_up(CALL)
    desk.later(60)
    desk.phone.attended = frozenset({CALL})
    back = desk.calls.dial("account", PARTY, "salg")
    desk.connects(back)
    assert desk.refused == {TRAIN}
    assert desk.call.told_by is None, "somebody else may have answered"
    assert desk.call.status is not None
    assert desk.call.status.purposes[DOC].phase == "planned"
    assert desk.call.status.notice is not None
    assert desk.call.status.notice.notice is NoticeId.N1
    # Whom the agent asks about another party is none itself, and belongs to no call of that group.
    desk.calls.ended(sip.CallEnded(back, 200, "", by_us=False))
    desk.phone.attended = frozenset()
    desk.ring(THIRD, number="+4521000000")
    desk.connects(THIRD)
    desk.phone.attended = frozenset({CALL})
    asked = desk.calls.consult(THIRD, PARTY)
    desk.calls.ended(sip.CallEnded(SECOND, 486, "", by_us=False))
    assert asked == SECOND
    assert [row.group for row in desk.calls.history() if row.id == asked] == [""]
