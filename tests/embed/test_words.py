"""Whatever a status holds, it is said in both languages: never a code, never a gap where a word should be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from softphone.domain.events import Now
from softphone.domain.purpose import Basis, Direction, Headline, Language, Purpose, Reason
from softphone.domain.session import State, describe
from softphone.domain.status import (
    Action,
    Choice,
    DisputeButton,
    DisputeKind,
    HoldPhase,
    HoldStatus,
    OptOutButton,
    OptOutKind,
    PurposePhase,
    PurposeStatus,
    ReasonStatus,
    Status,
    Stays,
)
from softphone.embed.messages import Words
from softphone.embed.words import in_words
from softphone.system.paths import program_folder
from softphone.texts import Texts
from softphone.wire.snapshot import CallPhase, CallState, LineState
from tests.domain.walk_call import Call
from tests.test_texts import names_in

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SOON = NOW + timedelta(seconds=42)
LINE = LineState("salg", {Language.DA: "Salg", Language.EN: "Sales"}, (), {Language.DA: "borgeren"}, {}, "10 %")
CALL = CallState("c", "agent", "salg", Direction.INBOUND, "", "", CallPhase.CONNECTED, NOW, line_words=LINE)
STATUS = describe(State(), Now(NOW, 0.0))
CHOICES = (
    Choice("dispute_by", ("party", "controller"), "controller"),
    Choice("kept_for_complaint", ("keep", "delete"), "keep"),
)


def texts_of(language: Language, zone: str) -> Texts:
    return Texts(program_folder("resources") / "translations", language, zone)


def said(status: Status) -> list[str]:
    """Every sentence of it, in both languages."""
    call = replace(CALL, status=status)
    sentences: list[str] = []
    for words in in_words(texts_of, "Europe/Copenhagen", call, NOW).values():
        sentences += [words.headline, words.lock, words.kept, *words.reasons, *words.notes, *words.actions.values()]
        sentences += [words.opt_out.title, words.opt_out.sub, words.dispute.title, words.dispute.sub]
        sentences += [text for choice in words.choices.values() for text in choice.values()]
    return sentences


@pytest.mark.parametrize("headline", list(Headline))
@pytest.mark.parametrize("at", [None, NOW])
def test_every_reason_under_every_headline_is_said(headline: Headline, at: datetime | None) -> None:
    reasons = tuple(ReasonStatus(reason, reason.rule, at=at) for reason in Reason)
    in_both = said(replace(STATUS, headline=headline, reasons=reasons, until=SOON))
    assert len(in_both) >= 2 * len(Reason)
    assert [one for one in in_both if "_" in one or "…" in one or "reason." in one] == []


def test_every_note_action_and_choice_is_said() -> None:
    names = names_in("softphone/domain/session/describing.py", "notes")
    notes = tuple(sorted(one for one in names if one.replace("_", "").isalpha()))
    assert {"request_noted", "call_back_listed"} <= set(notes)
    actions = tuple(sorted(Action))
    in_both = said(replace(STATUS, notes=notes, actions=actions, choices=CHOICES, until=SOON))
    assert len(in_both) >= 2 * (len(notes) + len(actions) + 6)
    assert [one for one in in_both if "_" in one or "…" in one or "embed." in one] == []


@pytest.mark.rule("G03")
def test_an_opt_out_of_training_says_that_documentation_is_asked_for_where_nobody_has_said_yes_to_it() -> None:
    asked, yes = Call("N2+N4").hear(), Call("N2+N4").hear().say_yes("1")
    subs = [
        in_words(texts_of, "UTC", replace(CALL, status=one.status), NOW)[Language.EN].opt_out.sub
        for one in (asked, yes)
    ]
    assert subs == ["documentation is still asked about", "documentation continues"]


@pytest.mark.parametrize("kind", [*OptOutKind, *DisputeKind])
def test_every_button_is_said_with_what_it_does(kind: OptOutKind | DisputeKind) -> None:
    able, why_not = kind.value != "none", "over" if kind.value == "none" else None
    if isinstance(kind, OptOutKind):
        name, button = "opt_out", OptOutButton(kind, able, why_not)
    else:
        name, button = "dispute", DisputeButton(kind, able, why_not, until=SOON)
    for language in Language:
        shown = replace(CALL, status=replace(STATUS, **{name: button}))
        words = getattr(in_words(texts_of, "UTC", shown, NOW)[language], name)
        assert words.kind == kind.value
        assert words.title
        assert "_" not in words.title + words.sub
        assert words.sub


def test_the_party_is_called_what_the_policy_calls_it() -> None:
    status = replace(STATUS, reasons=(ReasonStatus(Reason.CONSENT, "G03"),))
    call = replace(CALL, status=status)
    words = in_words(texts_of, "UTC", call, NOW)
    assert words[Language.DA].reasons == ("Borgeren har sagt ja",)
    assert words[Language.EN].reasons == ("The caller said yes",)


@pytest.mark.rule("G31")
def test_a_no_to_training_says_that_documentation_goes_on() -> None:
    off = STATUS.purposes[Purpose.TRAINING]
    purposes = {
        Purpose.DOCUMENTATION: replace(off, phase=PurposePhase.ACTIVE),
        Purpose.TRAINING: replace(off, phase=PurposePhase.ASKED),
    }
    no = OptOutButton(OptOutKind.SAID_NO, enabled=True)
    in_both = said(replace(STATUS, opt_out=no, purposes=purposes))
    assert {"dokumentation fortsætter", "documentation continues"} <= set(in_both)
    assert "optages ikke" not in in_both


def test_before_the_rulebook_has_answered_nothing_is_said() -> None:
    call = replace(CALL, phase=CallPhase.INCOMING)
    assert in_words(texts_of, "UTC", call, NOW) == {}


ACTIVE = PurposeStatus(PurposePhase.ACTIVE, Basis.CONSENT, Reason.CONSENT)
STOP = OptOutButton(OptOutKind.STOP_AND_DELETE, enabled=True)
LOCKED = HoldStatus(HoldPhase.LOCKED, "party", NOW, None)


@pytest.mark.rule("G10")
@pytest.mark.parametrize(
    ("stays", "phase", "title", "sub", "hold"),
    [
        (None, CallPhase.CONNECTED, "Stop and delete", "the recording is deleted", None),
        (None, CallPhase.ENDED, "Delete recording", "it is deleted for good", None),
        (None, CallPhase.ENDED, "Delete recording", "unlocks, then deletes all", LOCKED),
        (
            Stays.FOR_THE_COMPLAINT,
            CallPhase.CONNECTED,
            "Stop recording",
            "kept only if the complaint needs it",
            LOCKED,
        ),
        (Stays.FOR_CUSTODY, CallPhase.ENDED, "Said no", "locked: data protection decides", LOCKED),
    ],
)
def test_a_no_to_the_last_purpose_says_what_stays_where_a_lock_stands(
    stays: Stays | None, phase: CallPhase, title: str, sub: str, hold: HoldStatus | None
) -> None:
    status = replace(STATUS, opt_out=replace(STOP, stays=stays), recordings=("r",), kept=True, hold=hold)
    words = in_words(texts_of, "UTC", replace(CALL, phase=phase, status=status), NOW)[Language.EN]
    assert (words.opt_out.title, words.opt_out.sub) == (title, sub)


def test_a_call_that_is_over_says_what_is_kept_of_it_and_a_lock_says_so() -> None:
    kept = replace(STATUS, recordings=("r",), kept=True, purposes={Purpose.TRAINING: ACTIVE})
    over = replace(CALL, phase=CallPhase.ENDED, expires={Purpose.TRAINING: date(2027, 2, 25)})

    def words(status: Status) -> Words:
        return in_words(texts_of, "UTC", replace(over, status=status), NOW)[Language.EN]

    assert words(kept).kept == "Kept until 25 Feb 2027 for training."
    assert words(replace(kept, hold=LOCKED)).lock == "Locked, will not be deleted · dispute since 12:00"
    assert words(replace(kept, hold=LOCKED)).kept.startswith("Kept as long as it is locked.")
    assert words(replace(kept, kept=False)).kept == "The recording is deleted."
    assert words(STATUS).kept == "Nothing was recorded"
    assert in_words(texts_of, "UTC", replace(CALL, status=kept), NOW)[Language.EN].kept == ""


@pytest.mark.rule("G10")
def test_what_is_missing_from_what_is_kept_is_said_and_grounds_are_no_reasons_for_not_recording() -> None:
    reasons = tuple(ReasonStatus(one, one.rule) for one in (Reason.BROKE_OFF, Reason.OBLIGATION))
    status = replace(STATUS, recordings=("r",), kept=True, reasons=reasons)
    over = replace(CALL, phase=CallPhase.ENDED, expires={Purpose.DOCUMENTATION: date(2031, 11, 25)}, status=status)
    words = in_words(texts_of, "UTC", over, NOW)
    assert words[Language.DA].headline == "Samtalen er slut"
    assert words[Language.DA].kept == (
        "Gemmes til 25. nov. 2031 til dokumentation. "
        "Optagelsen blev afbrudt. Det, der er optaget, er bevaret, men noget af samtalen mangler."
    )
    assert words[Language.EN].headline == "The call is over"
    assert words[Language.EN].kept.endswith("some of the call is missing.")
    gone = replace(over, status=replace(status, kept=False))
    assert in_words(texts_of, "UTC", gone, NOW)[Language.EN].kept == "The recording is deleted."
