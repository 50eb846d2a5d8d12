"""What the card and the two buttons say, row by row of the window's table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from softphone.domain.purpose import Headline, Language, Purpose, Reason
from softphone.domain.status import (
    Action,
    DisputeButton,
    DisputeKind,
    HoldPhase,
    OptOutButton,
    OptOutKind,
    PurposePhase,
)
from softphone.ui.view import View, readable
from softphone.ui.words.card import card_words
from softphone.ui.words.kept import kept_words
from softphone.ui.words.moment import (
    answer_label,
    answers_wanted,
    aside_lines,
    notice_caption,
    notice_told,
    press_words,
    to_say,
)
from softphone.ui.words.rights import dispute_words, opt_out_words
from softphone.wire.snapshot import CallPhase, CallState, ConsultEnd
from tests.ui import events as e
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


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+4520123456", "+45 20 12 34 56"),
        ("+46701234567", "+46 70 123 45 67"),
        ("+442079460958", "+44 20 7946 0958"),
        ("+390612345678", "+39 06 1234 5678"),
        ("+298123456", "+298 123456"),
    ],
)
def test_a_number_of_any_country_is_read_as_people_there_write_it(number: str, shown: str) -> None:
    assert readable(number) == shown


@pytest.mark.parametrize(
    "number",
    ["", "112", "2041", "20123456", "anna.larsen", "+4520", "+1", "+45 98 12 00 40", "+1800FLOWERS", "+" + "9" * 300],
)
def test_what_is_no_whole_number_stays_as_it_came(number: str) -> None:
    assert readable(number) == number


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
    assert words.body == "Fordi aftaler på salgslinjen skal kunne dokumenteres"


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
    call = s.call(replace(s.RECORDING, opt_out=OptOutButton(kind, enabled=True)))
    words = opt_out_words(view_of(s.snapshot(call), language), call)
    assert words.enabled
    assert words.sub
    assert "opt_out" not in words.title + words.sub


@pytest.mark.rule("G31")
def test_before_anything_is_recorded_nothing_is_said_to_be_deleted(view_of: MakeView) -> None:
    stop = OptOutButton(OptOutKind.STOP_AND_DELETE, enabled=True)
    before, during = s.call(replace(s.PLAYING, opt_out=stop)), s.call(replace(s.RECORDING, opt_out=stop))
    assert opt_out_words(view_of(s.snapshot(before)), before).title == "Ingen optagelse"
    assert opt_out_words(view_of(s.snapshot(during)), during).title == "Stop og slet"


@pytest.mark.rule("G31")
def test_opting_out_says_from_when_it_holds(view_of: MakeView) -> None:
    early, late = s.call(s.PLAYING), s.call(s.RECORDING)
    assert opt_out_words(view_of(s.snapshot(early)), early).sub == "gælder fra starten"
    assert opt_out_words(view_of(s.snapshot(late)), late).sub == "dokumentation fortsætter"


@pytest.mark.rule("G31")
@pytest.mark.parametrize("recording", [(s.DOC,), ()])
def test_a_no_to_training_says_that_documentation_goes_on(recording: tuple[Purpose, ...], view_of: MakeView) -> None:
    asked = {s.DOC: s.purpose(PurposePhase.ACTIVE), s.TRAIN: s.purpose(PurposePhase.ASKED)}
    no = OptOutButton(OptOutKind.SAID_NO, enabled=True)
    call = s.call(replace(s.RECORDING, opt_out=no, purposes=asked, recording=recording))
    assert opt_out_words(view_of(s.snapshot(call)), call).sub == "dokumentation fortsætter"


@pytest.mark.rule("G31")
def test_once_the_call_is_over_or_locked_the_opt_out_says_what_it_still_does(view_of: MakeView) -> None:
    ends = OptOutButton(OptOutKind.TRAINING_ENDS, enabled=True)
    over = ended(opt_out=ends)
    assert opt_out_words(view_of(s.snapshot(over)), over).sub == "gemmes stadig til dokumentation"
    locked = s.call(replace(s.RECORDING, opt_out=ends, notes=("held_from_training",)))
    assert opt_out_words(view_of(s.snapshot(locked)), locked).sub == "heller ikke senere"


def test_an_opt_out_that_cannot_be_pressed_names_no_purpose(view_of: MakeView) -> None:
    call = s.call(replace(s.RECORDING, opt_out=OptOutButton(OptOutKind.NONE, enabled=False, why_not="over")))
    assert opt_out_words(view_of(s.snapshot(call)), call).title == "Vil ikke optages"


def test_a_sample_of_nothing_is_not_said_to_be_only_a_part(view_of: MakeView) -> None:
    line = s.ROWS["not_in_sample"][0]
    snapshot = s.snapshot(line)
    snapshot = replace(snapshot, lines=tuple(replace(one, sample="0 %") for one in snapshot.lines))
    assert card_words(view_of(snapshot), line).body.startswith("Ingen af samtalerne")


def test_after_a_no_to_training_the_card_still_says_why_it_documents(view_of: MakeView) -> None:
    call = s.ROWS["training_declined"][0]
    body = card_words(view_of(s.snapshot(call)), call).body
    assert body.startswith("Fordi ")
    assert body.endswith("Kunden sagde nej til uddannelse kl. 10.44")


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
    off = DisputeButton(DisputeKind.NONE, enabled=False, why_not=why)
    call = s.call(replace(s.RECORDING, opt_out=replace(off, kind="none"), dispute=off))
    view = view_of(s.snapshot(call), language)
    said = view.texts(f"why_not.{why}")
    assert said == dispute_words(view, call).why == opt_out_words(view, call).why
    assert "why_not" not in said
    # While it rings both are grey, and neither says why below its name.
    assert dispute_words(view, call).sub == opt_out_words(view, call).sub == ("" if why == "not_answered" else said)


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
    assert dated == "Gemmes, så længe den er låst. Ellers ville den blive slettet 25. feb. 2027."
    assert kept_words(view, held) == "Gemmes kun, fordi den er låst. Kun databeskyttelsesfunktionen kan åbne den."


@pytest.mark.rule("G10")
def test_a_call_whose_recording_broke_off_says_so_beside_what_is_kept(view_of: MakeView) -> None:
    broken = (s.reason(Reason.BROKE_OFF), s.reason(Reason.ASSESSMENT))
    rest = "The recording broke off. What was recorded is kept, but some of the call is missing."
    assert kept_words(view_of(s.READY, EN), ended(reasons=broken)).endswith(f"Not for training. {rest}")
    assert kept_words(view_of(s.READY, EN), ended(reasons=broken, hold=s.HOLD)).endswith(f"27. {rest}")
    assert kept_words(view_of(s.READY, EN), ended(reasons=broken, notes=("objection_received",))).endswith(f". {rest}")
    assert kept_words(view_of(s.READY, EN), ended(reasons=broken, kept=False)) == "The recording is deleted."
    danish = "Optagelsen blev afbrudt. Det, der er optaget, er bevaret, men noget af samtalen mangler."
    assert kept_words(view_of(s.READY, DA), ended(reasons=broken)).endswith(danish)
    still = "Telefonen stod stille, så 4 sek. mangler i optagelsen."
    assert kept_words(view_of(s.READY, DA), ended(reasons=broken, missing_seconds=4)).endswith(still)


def test_of_a_call_that_could_not_be_stored_at_all_it_is_said_why(view_of: MakeView) -> None:
    lost = ended(kept=False, recordings=(), reasons=(s.reason(Reason.STORAGE_FAILED, params={"cause": "disk_full"}),))
    assert kept_words(view_of(s.READY), lost) == "Intet er optaget · optagelsen kan ikke gemmes (disken er fuld)"


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
    assert kept_words(view_of(s.READY, DA), objected) == "Kun databeskyttelsesfunktionen kan åbne optagelsen."
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


# --- what happens in a call -------------------------------------------------------------------------


def said(name: str, view_of: MakeView, language: Language = DA) -> str:
    """The whole card, as it is said."""
    call = e.CALLS[name]
    words = card_words(view_of(s.snapshot(call), language), call)
    return " | ".join(part for part in (words.title, words.sub, words.body) if part)


@pytest.mark.parametrize(
    ("name", "danish"),
    [
        (
            "two_asked",
            "Venter på svar | Optages ikke | Kunden kan trykke 1, 2 eller begge (8 sek.). "
            "Svarer kunden ikke, gælder det som nej.",
        ),
        (
            "documentation_asked",
            "Optages | kun til uddannelse | Venter på svar om dokumentation: kunden kan trykke 1 (8 sek.)",
        ),
        ("repeated", "Venter på svar | Optages ikke | Spørgsmålet gentages. Svarer kunden ikke, gælder det som nej."),
        (
            "digits",
            "Venter på svar | Optages ikke | Du venter på indtastning, så taster tæller ikke som svar (8 sek.).",
        ),
        (
            "warned",
            "På pause | Følsomme oplysninger | Optagelsen fortsætter om 8 sek. Tryk »Mere tid«, hvis I ikke er færdige.",
        ),
        ("by_hand", "På pause | Følsomme oplysninger | Tryk »Fortsæt nu«, når der igen må optages."),
        (
            "no_sound",
            "På pause | Kunden kan ikke høres | Optagelsen fortsætter af sig selv, når lyden er tilbage.",
        ),
        (
            "source_changed",
            "På pause | Lyden kommer et nyt sted fra | Er det stadig kunden, du taler med? Ellers vælg Ny person.",
        ),
        (
            "unclear",
            "Optages ikke | Kunden sagde nej med en tast kl. 10.44 | "
            "Spørg, hvad kunden siger nej til. Indtil da optages der ikke.",
        ),
        (
            "held_too",
            "På pause | Følsomme oplysninger · samtalen er på hold | "
            "Der optages først igen, når samtalen ikke er på hold længere.",
        ),
        (
            "newcomer",
            "På pause | Den nye person har ikke fået besked | Læs teksten op for den nye person, så fortsætter optagelsen.",
        ),
        ("voicemail", "Optages ikke | Telefonsvarer eller menu"),
        ("private", "Optages ikke | Privat samtale | Optagelsen er slettet"),
        (
            "call_back",
            "Optages ikke | Kunden sagde nej kl. 10.44 | "
            "Optagelsen er slettet. Opkaldet er noteret: ring tilbage uden optagelse.",
        ),
        (
            "call_back_withheld",
            "Optages ikke | Kunden sagde nej kl. 10.44 | Optagelsen er slettet. "
            "Opkaldet er noteret: ring tilbage uden optagelse. Nummeret er skjult: spørg efter det.",
        ),
    ],
)
def test_the_card_says_what_happens_in_the_call(name: str, danish: str, view_of: MakeView) -> None:
    assert said(name, view_of) == danish


@pytest.mark.rule("G10")
def test_while_a_lock_stands_the_card_does_not_say_that_training_uses_the_recording(view_of: MakeView) -> None:
    locked = said("held_from_training", view_of)
    assert locked == "Optages | til dokumentation | Kan ikke bruges til uddannelse, så længe den er låst"
    training_alone = s.call(replace(e.HELD_FROM_TRAINING, recording=(s.TRAIN,), purposes={s.TRAIN: s.TRAINING_ON}))
    words = card_words(view_of(s.snapshot(training_alone)), training_alone)
    assert (words.sub, words.body) == ("til uddannelse", "Kan ikke bruges til uddannelse, så længe den er låst")


@pytest.mark.rule("G03")
def test_a_line_that_asks_does_not_promise_to_record_while_it_rings(view_of: MakeView) -> None:
    consent = s.purpose(s.PurposePhase.PLANNED, s.Basis.CONSENT)
    assert s.INCOMING.status is not None
    call = replace(s.INCOMING, status=replace(s.INCOMING.status, purposes={s.DOC: s.OFF, s.TRAIN: consent}))
    words = card_words(view_of(s.snapshot(call)), call)
    assert words.body == "Der spørges, om samtalen må optages til uddannelse"


@pytest.mark.rule("G03")
@pytest.mark.parametrize("phase", [s.PurposePhase.PLANNED, s.PurposePhase.ASKED])
@pytest.mark.parametrize(
    ("asked", "danish", "english"),
    [
        (
            s.TRAIN,  # N6
            "Optages til dokumentation, når beskeden er givet. Der spørges, om samtalen også må optages til uddannelse",
            "Recorded for documentation once the notice is given. Asks whether the call may also be recorded for training",
        ),
        (
            s.DOC,  # N2+N4, N2+N5
            "Optages til uddannelse, når beskeden er givet. Der spørges, om samtalen også må optages til dokumentation",
            "Recorded for training once the notice is given. Asks whether the call may also be recorded for documentation",
        ),
    ],
)
def test_while_it_rings_what_is_planned_and_what_is_asked_are_told_apart(
    asked: s.Purpose, danish: str, english: str, phase: s.PurposePhase, view_of: MakeView
) -> None:
    assert s.INCOMING.status is not None
    planned = s.purpose(s.PurposePhase.PLANNED, s.Basis.LEGITIMATE_INTEREST)
    purposes = {one: s.purpose(phase, s.Basis.CONSENT) if one is asked else planned for one in (s.DOC, s.TRAIN)}
    call = replace(s.INCOMING, status=replace(s.INCOMING.status, purposes=purposes))
    assert card_words(view_of(s.snapshot(call), DA), call).body == danish
    assert card_words(view_of(s.snapshot(call), EN), call).body == english


@pytest.mark.parametrize(
    ("name", "danish"),
    [
        ("muted", ("Din mikrofon er slået fra. Din side af optagelsen er tavs imens.",)),
        (
            "unclear",
            (
                "Kunden sagde nej med en tast, og det er uklart, hvad der siges nej til. Derfor optages samtalen ikke til "
                "uddannelse. Det gælder foreløbig som en indsigelse mod optagelsen.",
            ),
        ),
        (
            "both_ended",
            (
                "Kundens telefon sagde nej, og det er uklart, hvad der siges nej til. "
                "Derfor optages samtalen hverken til dokumentation eller uddannelse.",
            ),
        ),
        (
            "grounds_given",
            (
                "Der optages ikke mere til uddannelse. Kun databeskyttelsesfunktionen kan åbne det, der er optaget "
                "til uddannelse, og afgør, hvad der skal ske med det.",
            ),
        ),
        (
            "still_no_sound",
            ("Kunden har ikke kunnet høres i mere end 30 sek. Læg på, hvis forbindelsen er væk.",),
        ),
        ("stood_still", ("Telefonen stod stille, så 4 sek. af samtalen mangler i optagelsen.",)),
        ("not_given", ("Ønsket er noteret. Optagelsen fortsætter, fordi der ikke blev givet en grund.",)),
        ("obliged_noted", ("Ønsket er noteret. Optagelsen fortsætter, fordi loven kræver den.",)),
        ("unassessed", ("Vurderingen er ikke skrevet færdig, så dokumentation kræver samtykke.",)),
        ("two_asked", ()),
    ],
)
def test_what_happened_is_said_beside_the_card(name: str, danish: tuple[str, ...], view_of: MakeView) -> None:
    call = e.CALLS[name]
    assert aside_lines(view_of(s.snapshot(call)), call) == danish


def test_a_colleague_who_did_not_come_to_it_is_said_and_who_waits(view_of: MakeView) -> None:
    for end, danish in (
        (ConsultEnd.BUSY, "Din kollega er ikke ledig. Kunden venter, til du tager samtalen tilbage."),
        (ConsultEnd.MOVED, "Din kollega træffes på 214@pbx.example. Kunden venter, til du tager samtalen tilbage."),
        (ConsultEnd.OVER, "Din kollega har lagt på. Kunden venter, til du tager samtalen tilbage."),
    ):
        call = replace(
            s.call(s.RECORDING),
            active=False,
            held_by_us=True,
            consult_ended=end,
            redirected_to="sip:214@pbx.example;user=phone",
        )
        assert aside_lines(view_of(s.snapshot(call), DA), call) == (danish,)


@pytest.mark.rule("G23")
def test_a_no_that_is_unclear_is_no_objection_yet_on_the_button_either(view_of: MakeView) -> None:
    call = e.CALLS["unclear"]
    assert opt_out_words(view_of(s.snapshot(call), DA), call).sub == "uklart: spørg først"


def test_a_call_on_hold_is_not_said_to_be_silent_as_well(view_of: MakeView) -> None:
    held = e.CALLS["held_too"]
    assert held.status is not None
    pauses = (Reason.HELD, Reason.NO_SOUND)
    reasons = tuple(s.reason(one, None, "10:44") for one in pauses)
    call = replace(held, status=replace(held.status, pauses=pauses, reasons=reasons))
    assert card_words(view_of(s.snapshot(call), DA), call).sub == "Samtalen er på hold"


def test_who_is_not_heard_any_more_is_not_told_goodbye(view_of: MakeView) -> None:
    call = e.CALLS["still_no_sound"]
    assert call.status is not None
    words = press_words(view_of(s.snapshot(call), DA), call, call.status, Action.END_POLITELY, None)
    assert (words.title, words.sub) == ("Læg på", "kunden kan ikke høres")


@pytest.mark.rule("G23")
def test_what_to_say_to_an_objection_on_obligation_comes_in_the_calls_language(view_of: MakeView) -> None:
    call = replace(e.CALLS["obliged_noted"], objection_answer="I understand, but the law requires it.")
    assert to_say(view_of(s.snapshot(call), DA), call) == "I understand, but the law requires it."
    without_grounds = replace(e.CALLS["not_given"], objection_answer="I understand, but the law requires it.")
    assert to_say(view_of(s.snapshot(call), EN), without_grounds).startswith("I have noted your request")
    failed = e.CALLS["obligation_failed"]
    assert to_say(view_of(s.snapshot(failed), EN), failed).startswith("I have to be able to record this")


@pytest.mark.rule("G23")
def test_a_key_that_objects_and_is_noted_too_does_not_say_that_recording_goes_on(view_of: MakeView) -> None:
    noted = e.CALLS["not_given"]
    assert noted.status is not None
    both = replace(noted, status=replace(noted.status, notes=(*noted.status.notes, "objection_received")))
    assert not any("fortsætter" in line for line in aside_lines(view_of(s.snapshot(both)), both))


@pytest.mark.rule("G32")
def test_there_is_something_to_say_where_grounds_are_given(view_of: MakeView) -> None:
    call = e.CALLS["grounds_given"]
    assert to_say(view_of(s.snapshot(call), DA), call).startswith("Det har jeg noteret.")
    assert call.status is not None
    unkept = replace(call, status=replace(call.status, kept=False))
    assert to_say(view_of(s.snapshot(unkept), DA), unkept) == "", "there is nothing to get an answer about"


@pytest.mark.rule("G02")
@pytest.mark.parametrize(
    ("name", "danish", "english"),
    [
        (
            "obligation_failed",
            "Loven kræver, at samtalen optages. Du kan afslutte samtalen høfligt.",
            "This line must be recorded by law. You can end the call politely.",
        ),
        (
            "obligation_goes_on",
            "Loven kræver, at samtalen optages. Samtalen fortsætter.",
            "This line must be recorded by law. The call goes on.",
        ),
        (
            "obligation_untold",
            "Afspil den igen, eller læs den op. Loven kræver, at samtalen optages. Du kan afslutte samtalen høfligt.",
            "Play it again, or read it aloud. This line must be recorded by law. You can end the call politely.",
        ),
    ],
)
def test_an_obligation_unrecorded_offers_an_end_only_where_there_is_a_button_and_words_for_it(
    name: str, danish: str, english: str, view_of: MakeView
) -> None:
    call = e.CALLS[name]
    assert call.status is not None
    for language, body in ((DA, danish), (EN, english)):
        view = view_of(s.snapshot(call), language)
        assert card_words(view, call).body == body
        assert bool(to_say(view, call)) is ("end_politely" in call.status.actions)


@pytest.mark.rule("G05")
@pytest.mark.parametrize(
    ("name", "danish", "english"),
    [
        ("upstream", "Kunden fik besked af centralen kl. 10.41", "The caller was told by the exchange at 10:41"),
        ("finished", "Du fortalte resten selv kl. 10.41", "You told the rest yourself at 10:41"),
        ("muted", "Kunden fik besked kl. 10.41", "Notice given at 10:41"),
        ("not_understood", "Kunden har ikke fået hele beskeden", "The notice has not been given in full"),
    ],
)
def test_it_is_said_who_told_the_party_and_when(name: str, danish: str, english: str, view_of: MakeView) -> None:
    call = e.CALLS[name]
    state = s.snapshot(call)
    assert notice_told(view_of(state, DA), call) == danish
    assert notice_told(view_of(state, EN), call) == english


def test_a_notice_in_another_language_than_the_desks_says_so(view_of: MakeView) -> None:
    call = e.CALLS["in_english"]
    state = s.snapshot(call)
    assert (
        notice_caption(view_of(state, DA), call)
        == "Kunden hører dette og kan ikke høre dig · på\N{NO-BREAK SPACE}engelsk"
    )
    assert notice_caption(view_of(state, EN), call) == "The caller hears this and cannot hear you"
    newcomer = e.CALLS["newcomer"]
    assert notice_caption(view_of(s.snapshot(newcomer)), newcomer) == "Læs op for den nye person"


@pytest.mark.rule("G03")
def test_open_questions_are_answered_one_by_one_and_a_no_to_all_is_the_big_button(view_of: MakeView) -> None:
    assert answers_wanted(e.CALLS["two_asked"]) == (Purpose.DOCUMENTATION, Purpose.TRAINING)
    assert answers_wanted(e.CALLS["documentation_asked"]) == (Purpose.DOCUMENTATION,)
    assert answers_wanted(s.call(s.CONSENT)) == (Purpose.TRAINING,)
    call = e.CALLS["two_asked"]
    view = view_of(s.snapshot(call))
    assert answer_label(view, call, Purpose.TRAINING) == "Uddannelse · tast\u00a02"
    words = opt_out_words(view, call)
    assert (words.title, words.sub) == ("Kunden sagde nej", "til begge dele")


@pytest.mark.rule("G32")
def test_grounds_are_not_weighed_and_the_button_says_so(view_of: MakeView) -> None:
    call = e.CALLS["special"]
    words = opt_out_words(view_of(s.snapshot(call), EN), call)
    assert words.title == "Special grounds"
    assert words.why.startswith("Any grounds will do")
    ended = replace(
        s.ENDED,
        status=replace(
            e.GROUNDS_GIVEN,
            recording=(),
            reasons=(s.reason(Reason.GROUNDS_GIVEN, s.TRAIN, "10:44"), s.reason(Reason.CASE_OPEN)),
        ),
    )
    assert kept_words(view_of(s.READY), ended) == (
        "Gemmes til 25. feb. 2027 til dokumentation. Det, der er optaget til uddannelse, kan kun databeskyttelsesfunktionen åbne."
    )


def test_why_is_said_in_the_words_of_the_policy_that_the_call_rang_under(view_of: Callable[..., View]) -> None:
    former = replace(s.SALES, why={s.DOC: {s.DA: "Sådan var det, da det ringede", s.EN: "So it was"}})
    call = replace(s.call(s.RECORDING), line_words=former)
    assert "sådan var det, da det ringede" in card_words(view_of(s.snapshot(call)), call).body
    now = replace(call, line_words=None)
    assert "aftaler på salgslinjen" in card_words(view_of(s.snapshot(now)), now).body


def test_in_danish_optaget_means_recorded_and_never_busy(view_of: MakeView) -> None:
    texts = view_of(s.READY).texts
    for code in ("outcome.busy", "past.nothing.busy", "ended.busy", "aside.consult.busy", "fault.transfer.busy"):
        assert "optaget" not in texts(code, target="214", Party="Kunden")
