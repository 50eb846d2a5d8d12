"""What the card and the two buttons say, row by row of the window's table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from softphone.domain.purpose import Headline, Language, Purpose, Reason
from softphone.domain.status import Button, DisputeKind, HoldPhase, OptOutKind
from softphone.ui.view import View
from softphone.ui.words import card_words, dispute_words, kept_words, opt_out_words
from softphone.wire import CallPhase, CallState
from tests.ui import states as s

DA, EN = Language.DA, Language.EN
MakeView = Callable[..., View]
_TONES = {
    Headline.NOT_RECORDING: "neutral",
    Headline.RECORDING: "red",
    Headline.PAUSED: "blue",
    Headline.ASKED: "amber",
    Headline.FAILED: "fault",
}


@pytest.mark.parametrize("row", s.ROWS)
def test_each_row_of_the_table_is_said_word_for_word_in_both_languages(row: str, view_of: MakeView) -> None:
    call, danish, english = s.ROWS[row]
    state = s.snapshot(call)
    assert card_words(view_of(state, DA), call).sentence == danish
    assert card_words(view_of(state, EN), call).sentence == english


@pytest.mark.parametrize("row", s.ROWS)
def test_the_colour_follows_from_the_headline_alone(row: str, view_of: MakeView) -> None:
    call = s.ROWS[row][0]
    assert call.status is not None
    words = card_words(view_of(s.snapshot(call)), call)
    expected = _TONES.get(call.status.headline, "neutral" if row == "nobody_confirmed" else "amber")
    assert words.tone == expected


@pytest.mark.rule("G10")
@pytest.mark.parametrize(
    ("phase", "danish", "english"),
    [
        (
            HoldPhase.LOCKED,
            "Låst mod sletning · tvist siden 10.45",
            "Locked, will not be deleted · dispute since 10:45",
        ),
        (HoldPhase.LOCKING, "Låses …", "Locking …"),
        (HoldPhase.ARMED, "Låses fra første ord · tvist", "Locks from the first word · dispute"),
        (HoldPhase.VOID, "", ""),
    ],
)
def test_locked_is_said_only_once_the_store_has_confirmed_it(
    phase: HoldPhase, danish: str, english: str, view_of: MakeView
) -> None:
    call = s.call(replace(s.LOCKED, hold=replace(s.HOLD, phase=phase)))
    state = s.snapshot(call)
    assert card_words(view_of(state, DA), call).lock == danish
    assert card_words(view_of(state, EN), call).lock == english


def test_a_lock_never_changes_the_card_itself(view_of: MakeView) -> None:
    plain, locked = s.call(s.TRAINING_DECLINED), s.LOCKED_CALL
    without = card_words(view_of(s.snapshot(plain)), plain)
    with_lock = card_words(view_of(s.snapshot(locked)), locked)
    assert replace(with_lock, lock="", key="") == replace(without, key="")


@pytest.mark.rule("G20")
def test_the_card_says_why_in_the_words_of_the_lines_assessment(view_of: MakeView) -> None:
    call = s.call(s.DOCUMENTED)
    words = card_words(view_of(s.snapshot(call)), call)
    assert words.body == "Fordi aftaler på salgslinjen skal kunne dokumenteres · siden 10.42"


def test_the_party_is_called_what_the_policy_calls_it(view_of: MakeView) -> None:
    call = s.call(s.DELETED)
    line = replace(s.SALES, party={DA: "patienten", EN: "the patient"})
    state = replace(s.snapshot(call), lines=(line,))
    assert "patienten sagde nej" in card_words(view_of(state, DA), call).sentence
    assert "the patient said no" in card_words(view_of(state, EN), call).sentence


@pytest.mark.rule("G05")
def test_the_notice_counts_down_to_the_recording(view_of: MakeView) -> None:
    call = s.call(s.PLAYING)
    view = view_of(s.snapshot(call))
    assert card_words(view, call).body == "Optagelsen starter om 9 sek."
    assert card_words(view, call).progress == pytest.approx(0.5)
    later = replace(view, now=view.now + timedelta(seconds=6))
    assert card_words(later, call).body == "Optagelsen starter om 3 sek."
    assert card_words(later, call).key == card_words(view, call).key


@pytest.mark.rule("G03")
def test_before_a_question_the_notice_promises_no_recording(view_of: MakeView) -> None:
    asked = s.purpose(s.PurposePhase.PLANNED, s.Basis.CONSENT)
    call = s.call(replace(s.PLAYING, purposes={s.DOC: s.OFF, s.TRAIN: asked}))
    assert card_words(view_of(s.snapshot(call)), call).body == "Derefter spørges kunden · 9 sek."


@pytest.mark.rule("G03")
def test_two_questions_name_both_keys(view_of: MakeView) -> None:
    notice = replace(s.TOLD, asks=(s.DOC, s.TRAIN))
    call = s.call(replace(s.CONSENT, purposes={s.DOC: s.ASKED, s.TRAIN: s.ASKED}, notice=notice))
    assert "1, 2 eller begge" in card_words(view_of(s.snapshot(call)), call).sentence


def test_while_the_engine_is_gone_nothing_is_claimed_about_recording(view_of: MakeView) -> None:
    call = s.call(s.RECORDING)
    words = card_words(view_of(s.snapshot(call), connected=False), call)
    assert words.tone == "fault"
    assert "Optages" not in words.sentence
    assert not opt_out_words(view_of(s.snapshot(call), connected=False), call).enabled


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("language", Language)
def test_every_reason_has_words_under_every_headline(reason: Reason, language: Language, view_of: MakeView) -> None:
    for headline in Headline:
        check_words(headline, reason, language, view_of)


def check_words(headline: Headline, reason: Reason, language: Language, view_of: MakeView) -> None:
    status = replace(s.DELETED, headline=headline, reasons=(s.reason(reason, None, "10:44"),), recording=(s.DOC,))
    call = s.call(status)
    words = card_words(view_of(s.snapshot(call), language), call)
    said = [words.title, words.sub, words.body, words.sentence]
    for part in said:
        assert "reason." not in part
        assert "card." not in part
        assert "why." not in part
    assert words.sub


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", [kind for kind in OptOutKind if kind is not OptOutKind.NONE])
def test_the_opt_out_button_says_what_it_will_do_to_this_call(
    kind: OptOutKind, language: Language, view_of: MakeView
) -> None:
    call = s.call(replace(s.RECORDING, opt_out=Button(kind, enabled=True)))
    words = opt_out_words(view_of(s.snapshot(call), language), call)
    assert words.enabled
    assert words.sub
    assert "opt_out" not in words.title + words.sub


@pytest.mark.rule("G31")
def test_before_anything_is_recorded_nothing_is_said_to_be_deleted(view_of: MakeView) -> None:
    stop = Button(OptOutKind.STOP_AND_DELETE, enabled=True)
    before, during = s.call(replace(s.PLAYING, opt_out=stop)), s.call(replace(s.RECORDING, opt_out=stop))
    assert opt_out_words(view_of(s.snapshot(before)), before).title == "Ingen optagelse"
    assert opt_out_words(view_of(s.snapshot(during)), during).title == "Stop og slet"


@pytest.mark.rule("G31")
def test_opting_out_says_from_when_it_holds(view_of: MakeView) -> None:
    early, late = s.call(s.PLAYING), s.call(s.RECORDING)
    assert opt_out_words(view_of(s.snapshot(early)), early).sub == "gælder fra starten"
    assert opt_out_words(view_of(s.snapshot(late)), late).sub == "optages stadig til dokumentation"


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(
    "why",
    [
        "not_answered",
        "over",
        "objection_received",
        "request_noted",
        "nothing_recorded",
        "locking",
        "already_locked",
        "nothing_kept",
    ],
)
def test_every_why_not_of_the_session_has_words(why: str, language: Language, view_of: MakeView) -> None:
    off = Button(DisputeKind.NONE, enabled=False, why_not=why)
    call = s.call(replace(s.RECORDING, opt_out=replace(off, kind="none"), dispute=off))
    view = view_of(s.snapshot(call), language)
    assert view.texts(f"why_not.{why}") == dispute_words(view, call).sub == opt_out_words(view, call).why
    assert "why_not" not in dispute_words(view, call).sub


def test_undoing_a_dispute_counts_down(view_of: MakeView) -> None:
    words = dispute_words(view_of(s.snapshot(s.LOCKED_CALL)), s.LOCKED_CALL)
    assert (words.title, words.sub, words.enabled) == ("Fortryd tvist", "48 sek.", True)


def ended(**change: object) -> CallState:
    assert s.ENDED.status is not None
    return replace(s.ENDED, status=replace(s.ENDED.status, **change))  # pyright: ignore[reportArgumentType]


def test_the_last_call_says_what_is_kept_until_when_and_what_is_not(view_of: MakeView) -> None:
    view = view_of(s.READY)
    assert kept_words(view, s.ENDED) == "Gemmes til 25. feb. 2027 til dokumentation. Ikke til uddannelse."
    assert kept_words(view, ended(kept=False)) == "Optagelsen er slettet."
    never = ended(kept=False, recordings=(), reasons=(s.reason(Reason.NOT_IN_SAMPLE),))
    assert kept_words(view, never) == "Intet er optaget · samtalen er ikke med i stikprøven"
    held = replace(ended(hold=s.HOLD, purposes={Purpose.TRAINING: s.OFF}), expires={})
    dated = kept_words(view, ended(hold=s.HOLD))
    assert dated == "Bliver, så længe den er låst. Ellers ville den blive slettet 25. feb. 2027."
    assert kept_words(view, held) == "Gemmes kun, fordi den er låst. Kun databeskyttelse kan åbne den."


@pytest.mark.parametrize("hold", [None, s.HOLD])
@pytest.mark.parametrize(
    "change",
    [{"notes": ("objection_received",)}, {"reasons": (s.reason(Reason.CASE_OPEN),)}],
    ids=["objection", "case"],
)
def test_after_an_objection_no_day_is_promised_for_only_data_protection_can_open_it(
    change: dict[str, object], hold: object, view_of: MakeView
) -> None:
    objected = ended(hold=hold, **change)
    assert kept_words(view_of(s.READY, DA), objected) == "Kun databeskyttelse kan åbne optagelsen."
    assert kept_words(view_of(s.READY, EN), objected) == "Only data protection can open the recording."
    assert kept_words(view_of(s.READY, EN), ended(kept=False, **change)) == "The recording is deleted."


def test_while_the_notice_plays_both_are_said_to_hear_it_and_the_party_not_to_hear_the_desk(view_of: MakeView) -> None:
    said = {"party": "kunden", "Party": "Kunden"}
    assert view_of(s.READY, DA).texts("notice.playing", **said) == "Kunden hører dette og kan ikke høre dig"
    said = {"party": "the caller", "Party": "The caller"}
    assert view_of(s.READY, EN).texts("notice.playing", **said) == "The caller hears this and cannot hear you"


def test_a_call_that_rings_says_what_will_happen_when_it_is_answered(view_of: MakeView) -> None:
    words = card_words(view_of(s.snapshot(s.INCOMING)), s.INCOMING)
    assert words.title == "Indgående opkald"
    assert words.sub == "Har ventet 02:24"
    assert words.body == "Optages til dokumentation og uddannelse, når beskeden er givet"
    undrawn = replace(s.call(s.NOT_DRAWN, CallPhase.INCOMING), answered_at=None)
    assert (
        card_words(view_of(s.snapshot(undrawn)), undrawn).body
        == "Bliver ikke optaget · samtalen er ikke med i stikprøven"
    )
