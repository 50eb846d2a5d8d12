"""While it rings: what the archive knows reaches the rulebook, who vouches is believed or not, and which language comes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from softphone.domain.decision import (
    Decision,
    LookupResult,
    NoticeDelivery,
    NoticeId,
    PlanState,
    PurposePlan,
    not_recorded,
)
from softphone.domain.house_knows import HouseKnows
from softphone.domain.notice import NoticeText, Piece
from softphone.domain.purpose import Basis, Direction, Headline, Language, Purpose, Reason
from softphone.domain.session.informing import READABLE_SHARE
from softphone.domain.status import Action, InformedPhase, OptOutKind, PurposePhase
from softphone.engine.sip import events as sip
from softphone.wire.from_engine import Fault
from softphone.wire.snapshot import CallPhase
from softphone.wire.snapshot import NoticeText as NoticeShown
from softphone.wire.to_engine import OptOut
from tests.engine.scene import CALL, ENGLISH, N1, N3, NUMBER, OFF, PARTY, SHORT, SOUND, TEXT, Scene, book_of
from tests.policies import POLICY, policy_of

BY_COUNTRY = POLICY.replace('numbers = ["+4570102030"', 'language_by_country = true\nnumbers = ["+4570102030"')
BY_KEY = POLICY.replace('numbers = ["+4570102030"', 'language_key = "8"\nnumbers = ["+4570102030"')
OBLIGED = POLICY.replace(
    POLICY[POLICY.index("[line.documentation]") : POLICY.index("[line.training]")],
    '[line.documentation]\nbasis = "legal_obligation"\nretention = "P5Y"\nrule = "Lov om prøver, § 1"\n\n',
)
INTERNALLY = POLICY.replace('id = "salg"', 'id = "salg"\ncalls = ["inbound", "outbound", "internal"]')
COLLEAGUE = "+4570102040"
N4 = Decision(
    OFF,
    PurposePlan(PlanState.PLANNED, Basis.LEGITIMATE_INTEREST, Reason.ASSESSMENT),
    NoticeId.N4,
    NoticeDelivery.PLAY,
    (Reason.ASSESSMENT,),
)
ON_OBLIGATION = replace(
    N1,
    documentation=PurposePlan(PlanState.PLANNED, Basis.LEGAL_OBLIGATION, Reason.OBLIGATION),
    reasons=(Reason.OBLIGATION,),
)
EXCHANGE = "10.0.0.5"


def listed(policy: str = POLICY) -> Scene:
    """A phone that believes one exchange."""
    scene = Scene(policy)
    scene.rules.exchanges = frozenset({EXCHANGE})
    return scene


# --- what the archive knows -----------------------------------------------------------------------


@pytest.mark.rule("G31")
@pytest.mark.rule("G33")
@pytest.mark.rule("G34")
def test_what_the_archive_knows_is_what_the_rulebook_is_asked_with() -> None:
    scene = Scene()
    scene.ring()
    scene.calls.looked_up(CALL, LookupResult(declined_earlier=True, drawn=True, reviewers_have_enough=True))
    [(facts, drawn)] = scene.rules.asked
    assert (facts.declined_earlier, facts.reviewers_have_enough, drawn) == (True, True, True)


@pytest.mark.rule("G11")
@pytest.mark.rule("G34")
@pytest.mark.parametrize("documented", [True, False])
def test_what_could_not_be_looked_up_is_not_recorded_for_training_because_the_archive_failed(documented: bool) -> None:
    scene = Scene()
    scene.ring()
    off = PurposePlan(PlanState.OFF, Basis.LEGITIMATE_INTEREST, Reason.NOT_IN_SAMPLE)
    alone = replace(N1, training=off, reasons=(Reason.ASSESSMENT, Reason.NOT_IN_SAMPLE))
    scene.decide(alone if documented else not_recorded(Reason.NOT_IN_SAMPLE), LookupResult(looked_up=False))
    assert [(facts.declined_earlier, drawn) for facts, drawn in scene.rules.asked] == [(False, False)]
    scene.answer()
    assert scene.call.status is not None
    assert scene.call.status.purposes[Purpose.TRAINING].reason is Reason.STORAGE_FAILED
    assert scene.headline is (Headline.NOTICE if documented else Headline.FAILED)
    assert (scene.reason is Reason.STORAGE_FAILED) is not documented


@pytest.mark.rule("G31")
@pytest.mark.parametrize("documented", [True, False])
def test_where_the_house_is_silent_nothing_is_recorded_for_training_and_the_agent_sees_why(documented: bool) -> None:
    scene = Scene()
    scene.ring()
    off = PurposePlan(PlanState.OFF, Basis.LEGITIMATE_INTEREST, Reason.NOT_IN_SAMPLE)
    alone = replace(N1, training=off, reasons=(Reason.ASSESSMENT, Reason.NOT_IN_SAMPLE))
    silent = LookupResult(drawn=True, house_silent=True)
    scene.decide(alone if documented else not_recorded(Reason.NOT_IN_SAMPLE), silent)
    assert [drawn for _, drawn in scene.rules.asked] == [False]
    scene.answer()
    assert scene.call.status is not None
    assert scene.call.status.purposes[Purpose.TRAINING].reason is Reason.HOUSE_UNREACHABLE
    assert (scene.reason is Reason.HOUSE_UNREACHABLE) is not documented


@pytest.mark.rule("G11")
def test_what_is_to_be_documented_is_also_where_nobody_could_open_it_for_training() -> None:
    scene = Scene()
    scene.ring()
    off = PurposePlan(PlanState.OFF, Basis.LEGITIMATE_INTEREST, Reason.NOT_IN_SAMPLE)
    alone = replace(N1, training=off, reasons=(Reason.ASSESSMENT, Reason.NOT_IN_SAMPLE))
    scene.decide(alone, LookupResult(drawn=True, keyless=frozenset({Purpose.TRAINING})))
    assert [drawn for _, drawn in scene.rules.asked] == [False]
    scene.answer()
    assert scene.headline is Headline.NOTICE
    assert scene.call.status is not None
    assert scene.call.status.purposes[Purpose.TRAINING].reason is Reason.NO_KEY


@pytest.mark.rule("G11")
@pytest.mark.parametrize("keyless", [{Purpose.DOCUMENTATION}, set(Purpose)])
def test_documentation_that_nobody_could_open_is_not_announced(keyless: set[Purpose]) -> None:
    scene = Scene()
    scene.ring()
    scene.decide(N1, LookupResult(keyless=frozenset(keyless)))
    scene.answer()
    assert (scene.headline, scene.reason) == (Headline.FAILED, Reason.NO_KEY)
    assert scene.call.status is not None
    assert scene.call.status.notice is None


@pytest.mark.rule("G23")
def test_an_objection_that_was_upheld_binds_the_next_call_until_the_party_itself_asks_for_recording() -> None:
    scene = Scene()
    scene.ring()
    scene.decide(N1, LookupResult(upheld=frozenset({Purpose.DOCUMENTATION})))
    scene.answer()
    assert (scene.headline, scene.reason) == (Headline.NOT_RECORDING, Reason.DECLINED_EARLIER)
    assert scene.call.status is not None
    assert scene.call.status.reasons[0].rule == "G23"
    assert scene.call.status.notice is None
    assert scene.press(Action.PARTY_ASKS_FOR_RECORDING) is None
    scene.decide(N1)
    assert scene.headline is Headline.NOTICE


@pytest.mark.rule("G23")
@pytest.mark.parametrize("moment", ["asked", "decided", "notice", "recorded", "over"])
def test_an_upheld_objection_that_the_house_tells_late_is_as_if_known_before(moment: str) -> None:
    scene = Scene()
    happens = {
        "asked": lambda: scene.calls.looked_up(CALL, LookupResult(house_silent=True)),
        "decided": lambda: scene.calls.decided(CALL, N1),
        "notice": scene.answer,
        "recorded": lambda: (scene.hear_notice(), scene.acknowledge(), scene.acknowledge()),
        "over": lambda: scene.calls.ended(sip.CallEnded(CALL, 200, "", by_us=False)),
    }
    scene.ring()
    for name, goes_on in happens.items():
        goes_on()
        if name == moment:
            assert bool(scene.recorder.running) is (name == "recorded")
            scene.calls.heard_late(CALL, HouseKnows(upheld=frozenset({Purpose.DOCUMENTATION})))
            scene.acknowledge()
            break
    if moment in ("asked", "decided"):
        scene.calls.decided(CALL, N1)
        scene.answer()
    assert not scene.recorder.running
    assert (scene.headline, scene.reason) == (Headline.NOT_RECORDING, Reason.DECLINED_EARLIER)
    status = scene.call.status
    assert status is not None
    assert (status.reasons[0].rule, status.kept) == ("G23", False)
    assert [one for one in scene.phone.done if one.startswith(("play", "stop notice"))] == {
        "asked": [],
        "decided": [],
        "notice": ["play notice.wav", "stop notice"],
    }.get(moment, ["play notice.wav"])
    if moment != "over":
        # What the party wants itself is the later word.
        assert scene.press(Action.PARTY_ASKS_FOR_RECORDING) is None
        scene.calls.heard_late(CALL, HouseKnows(upheld=frozenset(Purpose)))
        scene.decide(N1)
        assert scene.headline is Headline.NOTICE


@pytest.mark.rule("G23")
@pytest.mark.parametrize("spoken", [True, False])
def test_what_an_upheld_objection_leaves_is_recorded_only_where_the_line_has_a_notice_of_it(spoken: bool) -> None:
    scene = Scene()
    scene.rules.book = book_of(TEXT, notices=(NoticeId.N7, *([NoticeId.N4] if spoken else [])))
    both = replace(N1, training=N4.training, notice=NoticeId.N7)
    scene.ring()
    scene.decide(both, LookupResult(upheld=frozenset({Purpose.DOCUMENTATION})))
    scene.answer()
    first = (Headline.NOTICE, Reason.WAITING_FOR_NOTICE)
    assert (scene.headline, scene.reason) == (first if spoken else (Headline.NOT_RECORDING, Reason.DECLINED_EARLIER))


@pytest.mark.rule("L1")
@pytest.mark.parametrize(("day", "told"), [("2099-01-01", False), ("2020-10-01", True)])
def test_before_the_employees_are_informed_nothing_is_announced_or_recorded_but_what_the_law_obliges_to(
    day: str, told: bool
) -> None:
    for policy, decision in ((POLICY, N1), (OBLIGED, ON_OBLIGATION)):
        scene = Scene(policy)
        informed = {"employees_informed_on": date.fromisoformat(day)}
        scene.rules.policy = scene.rules.policy.model_copy(update=informed) if scene.rules.policy else None
        scene.ring()
        scene.decide(decision)
        scene.answer()
        recorded = told or decision is ON_OBLIGATION
        assert (scene.headline is Headline.NOTICE) is recorded
        assert (scene.reason is Reason.EMPLOYEES_NOT_INFORMED) is not recorded


@pytest.mark.rule("G09")
def test_a_line_whose_question_does_not_name_what_it_must_is_not_in_the_sample() -> None:
    scene = Scene()
    scene.rules.book = replace(scene.rules.book, untrained=frozenset({"salg"}))
    scene.ring()
    scene.calls.looked_up(CALL, LookupResult(drawn=True))
    assert [drawn for _, drawn in scene.rules.asked] == [False]


def test_an_archive_that_is_still_being_opened_is_waited_for_and_no_longer_and_is_what_failed() -> None:
    scene = Scene()
    scene.ring()
    assert scene.store.looked_up
    assert scene.rules.asked == []
    scene.later(1.9)
    assert scene.call.status is None
    scene.later(0.2)
    assert scene.reason is Reason.STORAGE_FAILED
    scene.calls.looked_up(CALL, LookupResult(drawn=True))
    assert scene.rules.asked == []


@pytest.mark.rule("G05")
def test_no_recording_is_announced_if_the_archive_fails_to_open_while_it_rings() -> None:
    scene = Scene()
    scene.ring()
    scene.store.unopened = True
    scene.calls.looked_up(CALL, LookupResult())
    assert scene.rules.asked == []
    assert scene.reason is Reason.STORAGE_FAILED


def test_a_slow_archive_takes_nothing_of_the_rulebooks_time() -> None:
    scene = Scene()
    scene.ring()
    scene.later(1.9)
    scene.calls.looked_up(CALL, LookupResult())
    scene.later(1.9)
    assert scene.call.status is None
    scene.calls.decided(CALL, N1)
    assert scene.call.notice is not None
    scene.answer()
    assert scene.headline is Headline.NOTICE


@pytest.mark.rule("N4")
@pytest.mark.parametrize("quick", [False, True], ids=["rings", "answers before the archive does"])
def test_who_was_promised_to_be_called_back_is_called_unrecorded(quick: bool) -> None:
    scene = Scene()
    scene.calls.dial("a", PARTY, "salg")
    if quick:
        scene.answer()
    scene.calls.looked_up(CALL, LookupResult(call_back=True, drawn=True))
    assert scene.rules.asked == []
    assert (scene.headline, scene.reason) == (Headline.NOT_RECORDING, Reason.CALL_BACK)
    if not quick:
        scene.answer()
    assert not any(done.startswith("play") for done in scene.phone.done)


@pytest.mark.rule("N4")
@pytest.mark.parametrize("early", [True, False])
def test_a_promise_to_call_back_unrecorded_that_the_house_tells_late_is_kept(early: bool) -> None:
    scene = Scene()
    scene.calls.dial("a", PARTY, "salg")
    scene.calls.looked_up(CALL, LookupResult(house_silent=True))
    promised = HouseKnows(call_back=True)
    if early:
        scene.calls.heard_late(CALL, promised)
    scene.calls.decided(CALL, N1)
    scene.answer()
    if not early:
        assert scene.press(Action.PERSON_ANSWERED) is None
        scene.calls.heard_late(CALL, promised)
    assert (scene.headline, scene.reason) == (Headline.NOT_RECORDING, Reason.CALL_BACK)
    assert Action.PARTY_ASKS_FOR_RECORDING not in (scene.call.status.actions if scene.call.status else ())


@pytest.mark.rule("G02")
def test_a_promise_to_call_back_unrecorded_suppresses_nothing_that_the_law_obliges_to_record() -> None:
    scene = Scene(OBLIGED)
    scene.calls.dial("a", PARTY, "salg")
    scene.calls.looked_up(CALL, LookupResult(declined_earlier=True, call_back=True, drawn=True))
    [(facts, _)] = scene.rules.asked
    assert facts.declined_earlier


def test_a_party_who_was_promised_a_call_back_and_calls_hears_the_usual_notice() -> None:
    scene = Scene()
    scene.ring()
    scene.calls.looked_up(CALL, LookupResult(call_back=True))
    assert len(scene.rules.asked) == 1


def test_an_answered_call_uses_its_place_in_the_sample_up_and_one_never_looked_up_has_none() -> None:
    scene = Scene()
    scene.ring()
    scene.decide()
    scene.answer()
    assert scene.store.used_up == [CALL]
    other = Scene(policy=None)
    other.ring()
    other.answer()
    assert other.store.used_up == []


# --- who called whom ------------------------------------------------------------------------------


@pytest.mark.rule("G05")
def test_our_call_to_a_colleague_hears_no_notice_before_a_person_has_answered() -> None:
    scene = Scene(INTERNALLY)
    scene.calls.dial("a", COLLEAGUE, "salg")
    scene.decide()
    scene.answer()
    assert (scene.call.direction, scene.reason) == (Direction.INTERNAL, Reason.NO_PERSON_CONFIRMED)
    assert "play notice.wav" not in scene.phone.done
    scene.press(Action.PERSON_ANSWERED)
    assert "play notice.wav" in scene.phone.done


def test_a_colleague_s_call_to_us_hears_the_notice_when_answered() -> None:
    scene = Scene(INTERNALLY)
    scene.ring(number=COLLEAGUE)
    scene.decide()
    scene.answer()
    assert scene.call.direction is Direction.INTERNAL
    assert "play notice.wav" in scene.phone.done


@pytest.mark.rule("N4")
@pytest.mark.parametrize(("number", "asked"), [(PARTY, False), ("anonymous", True)])
def test_who_declines_with_a_withheld_number_is_to_be_asked_where_to_call_back(number: str, asked: bool) -> None:
    scene = Scene(POLICY.replace('opt_out = "stop"', 'opt_out = "call_back"'))
    scene.ring(number=number)
    scene.decide(N4)
    scene.answer()
    scene.hear_notice()
    scene.acknowledge()
    status = scene.call.status
    assert status is not None
    assert scene.calls.recording_command(OptOut("1", CALL, status.version, OptOutKind.CALL_BACK)) is None
    assert scene.call.status is not None
    assert ("ask_for_number" in scene.call.status.notes) is asked


# --- asked again -----------------------------------------------------------------------------------


@pytest.mark.rule("G34")
def test_a_party_that_asks_for_a_recording_is_decided_anew_with_the_draw_it_had() -> None:
    scene = Scene()
    scene.ring()
    scene.decide(N3, LookupResult(drawn=True))
    scene.answer()
    scene.calls.preference(sip.RecordPreference(CALL, "off"))
    scene.acknowledge()
    assert scene.reason is Reason.DECLINED_BY_SIP
    assert scene.press(Action.PARTY_ASKS_FOR_RECORDING) is None
    facts, drawn = scene.rules.asked[-1]
    assert (facts.declined_earlier, drawn, len(scene.rules.asked)) == (False, True, 2)
    # Pressed again while the rulebook thinks: asked once.
    scene.press(Action.PARTY_ASKS_FOR_RECORDING)
    assert len(scene.rules.asked) == 2
    scene.calls.decided(CALL, N3)
    assert scene.headline is Headline.NOTICE
    # It answers a second time, and otherwise: that is nothing to go by.
    scene.calls.decided(CALL, N1)
    assert scene.headline is Headline.NOTICE
    assert scene.call.status is not None
    assert scene.call.status.purposes[Purpose.DOCUMENTATION].phase is PurposePhase.OFF


def test_the_notice_that_a_party_has_asked_for_is_asked_with_its_own_keys() -> None:
    scene = Scene()
    scene.ring()
    scene.decide(N4, LookupResult(drawn=True))
    scene.answer()
    scene.calls.preference(sip.RecordPreference(CALL, "off"))
    scene.acknowledge()
    scene.press(Action.PARTY_ASKS_FOR_RECORDING)
    scene.calls.decided(CALL, N3)
    scene.hear_notice()
    assert scene.headline is Headline.ASKED
    # The catalog names the notice that was given.
    assert scene.store.rung == [NoticeId.N4, NoticeId.N3]
    scene.calls.digit(sip.DigitReceived(CALL, "1", scene.seconds))
    scene.later(1.5)
    scene.acknowledge()
    assert scene.headline is Headline.RECORDING


def test_the_notice_that_a_party_has_asked_for_takes_its_own_time_to_be_read() -> None:
    scene = Scene()
    book, words = scene.rules.book, "Må vi optage samtalen, så vi kan blive bedre? " * 6
    long = NoticeText(Language.DA, (Piece(words, words),), 10, 10, 0)
    scene.rules.book = replace(book, texts={**book.texts, ("salg", NoticeId.N3, Language.DA): long})
    scene.ring()
    scene.decide(N4, LookupResult(drawn=True))
    scene.answer()
    scene.calls.preference(sip.RecordPreference(CALL, "off"))
    scene.acknowledge()
    scene.press(Action.PARTY_ASKS_FOR_RECORDING)
    scene.calls.decided(CALL, N3)
    scene.calls.notice_cut(sip.NoticeCut(CALL, "media"))
    assert scene.press(Action.READ_INSTEAD) is None
    assert scene.call.status is not None
    assert scene.call.status.notice is not None
    readable = scene.call.status.notice.readable_at
    assert readable is not None
    waits = (readable - scene.now().utc).total_seconds()
    assert waits == pytest.approx(READABLE_SHARE * long.reading_time)
    assert waits > READABLE_SHARE * TEXT.reading_time


@pytest.mark.rule("G23")
def test_a_party_whose_key_meant_training_alone_hears_a_new_notice_and_is_documented() -> None:
    scene = Scene()
    scene.ring()
    scene.decide()
    scene.answer()
    scene.hear_notice()
    scene.acknowledge()
    scene.calls.preference(sip.RecordPreference(CALL, "off"))
    scene.acknowledge()
    assert scene.headline is Headline.PAUSED
    assert scene.press(Action.PARTY_ASKS_FOR_RECORDING) is None
    facts, _ = scene.rules.asked[-1]
    assert facts.declined_earlier, "the no to training stands"
    scene.calls.decided(CALL, N1)
    scene.hear_notice()
    scene.acknowledge()
    assert scene.headline is Headline.RECORDING


def test_a_late_answer_to_a_party_that_asks_changes_nothing_that_was_said() -> None:
    scene = Scene()
    scene.ring()
    scene.decide(N3, LookupResult(drawn=True))
    scene.answer()
    scene.calls.preference(sip.RecordPreference(CALL, "off"))
    scene.acknowledge()
    scene.press(Action.PARTY_ASKS_FOR_RECORDING)
    scene.calls.ended(sip.CallEnded(CALL, 200, "OK", by_us=False))
    told = scene.call.notice
    scene.calls.decided(CALL, N1)
    assert scene.store.rung == [NoticeId.N3]
    assert scene.call.notice == told


# --- another policy meanwhile ----------------------------------------------------------------------


@pytest.mark.rule("G05")
@pytest.mark.rule("G11")
def test_a_policy_that_changes_while_a_call_rings_or_is_on_changes_none_of_its_notices_and_promises() -> None:
    scene = Scene()
    scene.ring()
    other = NoticeText(Language.DA, (Piece("Noget andet.", "Noget andet."),), 10, 10, None)
    scene.rules.policy = policy_of(POLICY.replace("Salgslinjen", "Salg og service")).policy
    scene.rules.book = book_of(other, law="new", path="new", notices=[NoticeId.N1])
    scene.decide(N3)
    scene.answer()
    assert scene.phone.done[-1] == "play notice.wav"
    assert scene.call.objection_answer == "law-da"
    assert scene.call.other_languages == (Language.EN,)
    scene.calls.notice_cut(sip.NoticeCut(CALL, "media"))
    assert scene.press(Action.PLAY_AGAIN, Language.EN) is None
    assert scene.phone.done[-1] == "play notice-en.wav"
    assert scene.call.notice is not None
    assert (scene.call.notice.text, scene.call.objection_answer) == (ENGLISH.shown, "law-en")
    scene.calls.ended(sip.CallEnded(CALL, 200, "OK", by_us=False))
    scene.acknowledge()
    scene.calls.end_wrap_up(CALL)
    scene.acknowledge()
    # The next one goes by the new.
    scene.ring()
    scene.decide()
    scene.answer()
    assert scene.phone.done[-1] == "play new.wav"
    assert (scene.call.notice, scene.call.objection_answer) == (
        NoticeShown(Language.DA, other.shown, 2.0, None, ()),
        "new-da",
    )


@pytest.mark.parametrize("why", [Reason.RULEBOOK_FAILED, Reason.NOT_IN_SAMPLE])
def test_a_rulebook_that_fails_or_says_no_when_asked_anew_changes_nothing_and_can_be_asked_again(why: Reason) -> None:
    scene = Scene()
    scene.ring()
    scene.decide(N3, LookupResult(drawn=True))
    scene.answer()
    scene.calls.preference(sip.RecordPreference(CALL, "off"))
    scene.acknowledge()
    scene.press(Action.PARTY_ASKS_FOR_RECORDING)
    scene.calls.decided(CALL, not_recorded(why))
    scene.acknowledge()
    assert scene.reason is Reason.DECLINED_BY_SIP
    assert scene.recorder.starts == 0
    [told] = [one for one in scene.told if isinstance(one, Fault)]
    assert told.said.code == ("fault.asked_anew.failed" if why is Reason.RULEBOOK_FAILED else "fault.asked_anew.no")
    assert scene.press(Action.PARTY_ASKS_FOR_RECORDING) is None
    assert len(scene.rules.asked) == 3


def test_an_answer_that_comes_twice_or_unasked_changes_nothing() -> None:
    scene = Scene()
    scene.ring()
    scene.decide()
    scene.answer()
    scene.hear_notice()
    scene.acknowledge()
    before = scene.call.status
    for decision in (not_recorded(Reason.NOT_IN_SAMPLE), N1):
        scene.calls.decided(CALL, decision)
    assert scene.call.status == before
    assert scene.recorder.running


# --- never recorded -------------------------------------------------------------------------------


@pytest.mark.rule("G01")
@pytest.mark.parametrize("where", ["[controller]", 'id = "salg"'], ids=["on any line", "on its line"])
@pytest.mark.parametrize(
    ("never", "account", "called", "number"),
    [
        ("204", "204", NUMBER, PARTY),
        ("+4570102030", "204", "70102030", PARTY),
        ("+4570102030", "004570102030", "204", PARTY),
        ("+4520123456", "204", NUMBER, "20 12 34 56"),
    ],
    ids=["the agent's extension", "the number that was called", "the agent's own number", "the other side"],
)
def test_numbers_and_extensions_that_are_never_recorded_are_so_on_either_side(
    where: str, never: str, account: str, called: str, number: str
) -> None:
    listed = f'never_record = ["{never}"]'
    policy = POLICY.replace(where, f"{listed}\n{where}" if where[0] == "[" else f"{where}\n{listed}", 1)
    scene = Scene(policy, account=account)
    scene.ring(number=number, called=called)
    scene.answer()
    assert (scene.call.line, scene.reason) == ("salg", Reason.NEVER_RECORD)
    assert scene.store.looked_up == []
    assert not any(done.startswith("play") for done in scene.phone.done)


@pytest.mark.rule("G01")
@pytest.mark.parametrize(("account", "reason"), [("204", Reason.NEVER_RECORD), ("205", None)])
def test_a_call_from_an_extension_that_is_never_recorded_is_not_either(account: str, reason: Reason | None) -> None:
    scene = Scene(POLICY.replace("[controller]", 'never_record = ["204"]\n[controller]'), account=account)
    scene.calls.dial("a", PARTY, "salg")
    status = scene.call.status
    assert (status and status.reasons[0].reason) is reason


# --- an exchange that vouches ----------------------------------------------------------------------


@pytest.mark.rule("G05")
def test_a_notice_from_a_listed_exchange_is_not_repeated_and_recording_begins_at_the_answer() -> None:
    scene = listed()
    scene.ring(told=("N1;language=en",), host=EXCHANGE)
    scene.decide()
    scene.answer()
    scene.acknowledge()
    assert not any(done.startswith("play") for done in scene.phone.done)
    assert scene.recorder.running
    assert scene.call.notice is not None
    assert scene.call.notice.language is Language.EN


@pytest.mark.rule("G05")
@pytest.mark.parametrize(
    ("proved", "host", "believed"),
    [
        ("pbx.nordlys.example", "10.0.0.6", True),
        ("PBX.Nordlys.example.", "10.0.0.6", True),
        # Another server at the listed address: by TLS its name says who it is.
        ("pbx.other.example", EXCHANGE, False),
        ("nordlys.example", EXCHANGE, False),
        # Without TLS the address counts, and nothing else that the message says of itself.
        ("", EXCHANGE, True),
        ("", "10.0.0.6", False),
    ],
)
def test_by_tls_an_exchange_is_believed_for_the_name_that_it_has_proved(proved: str, host: str, believed: bool) -> None:
    names = POLICY.replace("[controller]", '[upstream]\nhosts = ["pbx.nordlys.example"]\n[controller]', 1)
    scene = listed(names)
    scene.ring(told=("N1",), host=host, proved=proved)
    scene.decide()
    scene.answer()
    scene.acknowledge()
    assert ("play notice.wav" in scene.phone.done) is not believed
    assert bool(scene.told_of("upstream_ignored")) is not believed


@pytest.mark.rule("G05")
@pytest.mark.parametrize(
    ("host", "told"),
    [("10.0.0.6", "N1"), ("10.0.0.50", "N1"), ("", "N1"), (EXCHANGE, "N1;language=xx"), (EXCHANGE, "N0")],
)
def test_anybody_else_and_anything_else_is_noted_and_the_notice_is_played(host: str, told: str) -> None:
    scene = listed()
    scene.ring(told=(told,), host=host)
    scene.decide()
    scene.acknowledge()
    assert scene.told_of("audit.upstream_ignored")
    assert scene.told_of("upstream_ignored")[0].params["why"] == ("malformed" if host == EXCHANGE else "not_listed")
    scene.answer()
    assert "play notice.wav" in scene.phone.done


# --- the language ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "number", "told", "known", "language"),
    [
        (POLICY, "+46701234567", None, None, Language.DA),
        (BY_COUNTRY, "+46701234567", None, None, Language.EN),
        (BY_COUNTRY, "+298211234", None, None, Language.DA),
        (BY_COUNTRY, "anonymous", None, None, Language.DA),
        (BY_COUNTRY, "+46701234567", None, Language.DA, Language.DA),
        (BY_COUNTRY, "+4520123456", None, Language.EN, Language.EN),
        (BY_COUNTRY, "+46701234567", "N1;language=da", Language.EN, Language.DA),
    ],
)
def test_the_exchange_s_language_goes_before_an_earlier_choice_then_the_country_then_the_line(
    policy: str, number: str, told: str | None, known: Language | None, language: Language
) -> None:
    scene = listed(policy)
    scene.ring(number=number, told=(told,) if told else (), host=EXCHANGE)
    scene.decide(known=LookupResult(language=known))
    assert scene.rules.asked[0][0].language is language
    notice = scene.call.notice
    assert notice is not None
    assert notice.text == (TEXT if language is Language.DA else ENGLISH).shown
    assert scene.call.other_languages == tuple(one for one in Language if one is not language)
    assert scene.call.objection_answer == f"law-{language}"


def test_the_language_key_begins_the_notice_anew_and_does_nothing_without_such_a_text() -> None:
    scene = Scene(BY_KEY)
    scene.ring()
    scene.decide()
    scene.answer()
    scene.calls.notice_started(sip.NoticeStarted(CALL, scene.seconds))
    scene.calls.digit(sip.DigitReceived(CALL, "8", scene.seconds))
    assert scene.phone.done[-1] == "play notice-en.wav"
    assert scene.call.notice is not None
    assert scene.call.notice.text == ENGLISH.shown
    lonely = Scene(BY_KEY)
    lonely.rules.book = book_of(TEXT)
    lonely.ring()
    lonely.decide()
    lonely.answer()
    lonely.calls.notice_started(sip.NoticeStarted(CALL, lonely.seconds))
    lonely.calls.digit(sip.DigitReceived(CALL, "8", lonely.seconds))
    assert [done for done in lonely.phone.done if done.startswith("play")] == ["play notice.wav"]
    assert lonely.call.other_languages == ()


def test_the_agent_gives_the_notice_in_another_language_and_in_no_language_it_does_not_have() -> None:
    scene = Scene()
    scene.ring()
    scene.decide()
    scene.answer()
    scene.calls.notice_cut(sip.NoticeCut(CALL, "media"))
    refusal = scene.press(Action.PLAY_AGAIN, Language.DA)
    assert refusal is not None
    assert refusal.code == "refused.not_now"
    assert scene.press(Action.READ_INSTEAD, Language.EN) is None
    status, notice = scene.call.status, scene.call.notice
    assert status is not None
    assert notice is not None
    assert status.notice is not None
    assert (status.notice.told, status.notice.language) == (InformedPhase.READING, Language.EN)
    assert (notice.language, notice.text, notice.words) == (Language.EN, ENGLISH.shown, ())


# --- somebody joins --------------------------------------------------------------------------------


@pytest.mark.rule("G05")
def test_a_newcomer_hears_the_short_text_if_there_is_one() -> None:
    scene = Scene()
    scene.rules.book = book_of(TEXT, ENGLISH, short=SHORT)
    scene.ring()
    scene.decide()
    scene.answer()
    scene.hear_notice()
    scene.acknowledge()
    assert scene.press(Action.NEW_PERSON) is None
    assert scene.recorder.running == set()
    assert scene.call.notice is not None
    assert scene.call.notice.text == SHORT.shown
    assert scene.press(Action.PLAY_AGAIN) is None
    assert scene.phone.done[-1] == "play short.wav"
    scene.calls.notice_started(sip.NoticeStarted(CALL, scene.seconds))
    scene.later(SOUND.seconds)
    scene.calls.notice_played(sip.NoticePlayed(CALL))
    scene.acknowledge()
    assert scene.recorder.running
    assert scene.call.notice.text == TEXT.shown


# --- which line ------------------------------------------------------------------------------------

BY_EXTENSION = POLICY.replace('"+4570102030"', '"17"').replace('"+4570102040"', '"kunde@pbx.example"')


@pytest.mark.rule("G01")
def test_an_exchange_that_names_an_extension_or_a_user_finds_the_line_and_in_doubt_none_with_its_reason() -> None:
    def line(
        called: str, account: str = "204", *others: str, policy: str = BY_EXTENSION
    ) -> tuple[str | None, Reason | None]:
        scene = Scene(policy, account=account)
        scene.accounts = {one: f"b{n}" for n, one in enumerate(others)}
        scene.ring(called=called)
        status = scene.call.status
        return scene.call.line, status.reasons[0].reason if status else None

    assert line("17") == ("salg", None)
    assert line("kunde") == ("support", None)
    assert line("+4599999999", "17") == ("salg", None)
    assert line("18") == (None, Reason.LINE_NOT_RECORDED)
    assert line("17", "204", "17@other.example") == (None, Reason.LINE_UNCLEAR)
    assert line("kunde", "17", "17@other.example") == ("support", None)
    # 112 is no line's, and who is never recorded is never recorded: whatever the line
    never = BY_EXTENSION.replace("[controller]", f'never_record = ["{PARTY}"]\n[controller]')
    assert line("17", "204", "17@other.example", policy=never) == (None, Reason.NEVER_RECORD)
    scene = Scene(BY_EXTENSION, account="17")
    scene.calls.dial("a", PARTY, None)
    assert scene.call.line == "salg"


# --- between ourselves -----------------------------------------------------------------------------


def test_a_call_between_our_own_is_not_recorded_unless_the_line_says_so_and_is_missed_like_any_other() -> None:
    scene = Scene()
    scene.ring(number="204")
    assert (scene.call.direction, scene.reason) == (Direction.INTERNAL, Reason.INTERNAL)
    assert scene.call.phase is CallPhase.INCOMING
    scene.calls.ended(sip.CallEnded(CALL, 487, "Request Terminated", by_us=False))
    scene.acknowledge()
    assert scene.calls.history()[0].outcome == "missed"
    records = 'calls = ["inbound", "outbound", "internal"]\nnumbers = ["+4570102030"'
    other = Scene(POLICY.replace('numbers = ["+4570102030"', records))
    other.ring(number="204")
    other.calls.looked_up(CALL, LookupResult())
    assert [facts.direction for facts, _ in other.rules.asked] == [Direction.INTERNAL]
    ours = Scene()
    ours.calls.dial("a", "204", "salg")
    assert (ours.call.phase, ours.reason) == (CallPhase.DIALLING, Reason.INTERNAL)
