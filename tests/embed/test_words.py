"""Whatever a status holds, it is said in both languages: never a code, never a gap where a word should be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from softphone.domain.events import Now
from softphone.domain.purpose import Direction, Headline, Language, Purpose, Reason
from softphone.domain.session import State, describe
from softphone.domain.status import Button, Choice, DisputeKind, OptOutKind, PurposePhase, ReasonStatus, Status
from softphone.embed.words import in_words
from softphone.system.paths import program_folder
from softphone.texts import Texts
from softphone.wire import CallPhase, CallState, LineState
from tests.test_texts import names_in, offered_actions

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SOON = NOW + timedelta(seconds=42)
LINE = LineState("salg", {Language.DA: "Salg", Language.EN: "Sales"}, (), {Language.DA: "borgeren"}, {}, "10 %")
STATUS = describe(State(), Now(NOW, 0.0))
CHOICES = (
    Choice("dispute_by", ("party", "controller"), "controller"),
    Choice("kept_for_complaint", ("keep", "delete"), "keep"),
)


def texts_of(language: Language, zone: str) -> Texts:
    return Texts(program_folder("resources") / "translations", language, zone)


def said(status: Status) -> list[str]:
    """Every sentence of it, in both languages."""
    call = CallState("c", "agent", "salg", Direction.INBOUND, "", "", CallPhase.CONNECTED, NOW, status=status)
    sentences: list[str] = []
    for words in in_words(texts_of, "Europe/Copenhagen", call, LINE, NOW).values():
        sentences += [words.headline, *words.reasons, *words.notes, *words.actions.values()]
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
    actions = tuple(sorted(offered_actions()))
    in_both = said(replace(STATUS, notes=notes, actions=actions, choices=CHOICES, until=SOON))
    assert len(in_both) >= 2 * (len(notes) + len(actions) + 6)
    assert [one for one in in_both if "_" in one or "…" in one or "embed." in one] == []


@pytest.mark.parametrize("kind", [*OptOutKind, *DisputeKind])
def test_every_button_is_said_with_what_it_does(kind: OptOutKind | DisputeKind) -> None:
    button = Button(
        kind.value, enabled=kind.value != "none", until=SOON, why_not="over" if kind.value == "none" else None
    )
    name = "opt_out" if isinstance(kind, OptOutKind) else "dispute"
    for language in Language:
        call = CallState("c", "agent", "salg", Direction.INBOUND, "", "", CallPhase.CONNECTED, NOW)
        shown = replace(call, status=replace(STATUS, **{name: button}))
        words = getattr(in_words(texts_of, "UTC", shown, LINE, NOW)[language], name)
        assert words.kind == kind.value
        assert words.title
        assert "_" not in words.title + words.sub
        assert words.sub


def test_the_party_is_called_what_the_policy_calls_it() -> None:
    status = replace(STATUS, reasons=(ReasonStatus(Reason.CONSENT, "G03"),))
    call = CallState("c", "agent", "salg", Direction.INBOUND, "", "", CallPhase.CONNECTED, NOW, status=status)
    words = in_words(texts_of, "UTC", call, LINE, NOW)
    assert words[Language.DA].reasons == ("Borgeren har sagt ja",)
    assert words[Language.EN].reasons == ("The caller said yes",)


@pytest.mark.rule("G31")
def test_a_no_to_training_says_that_documentation_goes_on() -> None:
    off = STATUS.purposes[Purpose.TRAINING]
    purposes = {
        Purpose.DOCUMENTATION: replace(off, phase=PurposePhase.ACTIVE),
        Purpose.TRAINING: replace(off, phase=PurposePhase.ASKED),
    }
    no = Button(OptOutKind.SAID_NO, enabled=True)
    in_both = said(replace(STATUS, opt_out=no, purposes=purposes))
    assert {"optages stadig til dokumentation", "documentation goes on"} <= set(in_both)
    assert "optages ikke" not in in_both


def test_before_the_rulebook_has_answered_nothing_is_said() -> None:
    call = CallState("c", "agent", "salg", Direction.INBOUND, "", "", CallPhase.INCOMING, NOW)
    assert in_words(texts_of, "UTC", call, LINE, NOW) == {}
