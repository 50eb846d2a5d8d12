"""Each notice says what the guideline's table wants of it, in both languages, and promises nothing that is forbidden."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from plugins.datatilsynet.composing import text_for
from plugins.datatilsynet.rules import decision_for
from plugins.datatilsynet.spoken import spoken_page
from plugins.datatilsynet.tests.lines import CONTROLLER, facts, line
from softphone.domain.decision import NoticeId
from softphone.domain.notice import NoticeText, NoticeVariant, asks
from softphone.domain.policy import Controller, Line
from softphone.domain.purpose import Language

INTEREST, OBLIGATION, CONSENT = "legitimate_interest", "legal_obligation", "consent"

SAYS = {
    # a fact: how it is said in Danish, and in English
    "recorded": (r"\boptage(r|t)?\b", r"\brecord(ed|ing)?\b"),
    "wish": (r"vil (også )?gerne", r"(would|'d) (also )?like to"),
    "kept": (r"\bgemme(r)?\b", r"\bkeep\b"),
    "document": (r"\bdokumente(re|res)\b", r"\bdocument\b"),
    "happens": (r"\bhvad der sker\b", r"\bwhat happens\b"),
    "said": (r"\bvi siger\b|\bsiges\b", r"\bwe say\b|\bis said\b"),
    "agreements": (r"\baftale(r|s)\b", r"\bagreed?\b"),
    "train": (r"\buddanne\b|\buddannelse\b", r"\btrain(ing)?\b"),
    "staff": (r"medarbejdere|personale", r"\bstaff\b"),
    "page": (r"nordlys\.dk/telefonsamtaler", r"nordlys\.dk/telefonsamtaler"),
    "object": (r"indsigelse", r"\bobject\b"),
    "access": (r"indsigt", r"\baccess\b"),
    "press 1": (r"Tryk 1(, hvis vi må| for ja til dokumentation)", r"Press 1 (if we may|to allow documentation)"),
    "press 2": (r"tryk 2 for ja til uddannelse", r"Press 2 to allow training"),
    "withdraw": (
        r"(Siger du ja|Et ja).* altid fortryde",
        r"(If you say yes.* change your mind|withdraw a yes) at any time",
    ),
    "then deleted": (r"så sletter vi den", r"and we delete it"),
    "then no longer used": (r"så holder vi op med det", r"we stop (using|keeping) it for that"),
    "deleted at last": (r"intet ja tilbage, sletter vi den", r"delete it when no yes is left"),
    "say so": (r"sig (bare )?til", r"(just )?say so"),
    "what then happens": (r"stopper vi og sletter det, vi har optaget", r"then stop and delete what we have recorded"),
    "called back": (r"ringer tilbage uden at optage", r"call you back without recording"),
    "not used then": (r"så lader vi være", r"and (we won't|it won't be)"),
    "the law": (r"\bpligt\b", r"\bThe law requires\b"),
}
DELETION = (r"\bslet", r"\bdelet|\beras")
OPT_OUT = (r"sig (bare )?til|lader vi være|\*9", r"say so|we won't|\*9")
OBJECTION = (r"indsigelse", r"\bobject")

CASES: list[tuple[str | None, str | None, str, str, list[tuple[str, str]]]] = [
    # documentation, training, notice, says, forbidden
    (INTEREST, None, "N1", "recorded kept document happens said agreements page object access", [DELETION, OPT_OUT]),
    (
        OBLIGATION,
        None,
        "N1",
        "the law|recorded kept document happens said agreements page access",
        [DELETION, OPT_OUT, OBJECTION],
    ),
    (
        CONSENT,
        None,
        "N2",
        "wish recorded document happens said agreements press 1|withdraw then deleted|page access",
        [],
    ),
    (None, CONSENT, "N3", "wish recorded train staff press 1|withdraw then deleted|page access", []),
    (None, INTEREST, "N4", "recorded train staff page access say so|what then happens", []),
    (None, "call_back", "N4", "recorded train staff page access say so|called back", []),
    (None, "special", "N5", "recorded train staff page object access", [OPT_OUT, DELETION]),
    (
        INTEREST,
        CONSENT,
        "N6",
        "recorded kept document happens said agreements page object access wish train staff press 1|withdraw|then no longer used",
        [DELETION],
    ),
    (
        OBLIGATION,
        CONSENT,
        "N6",
        "the law|recorded kept document happens said agreements page access wish train staff press 1|withdraw"
        "|then no longer used",
        [DELETION, OBJECTION],
    ),
    (
        INTEREST,
        INTEREST,
        "N7",
        "recorded kept document happens said agreements page object access train staff say so|not used then",
        [DELETION],
    ),
    (
        OBLIGATION,
        INTEREST,
        "N7",
        "the law|recorded kept document happens said agreements page access train staff say so|not used then",
        [DELETION, OBJECTION],
    ),
    (
        INTEREST,
        "special",
        "N8",
        "recorded document happens said agreements train staff page object access",
        [OPT_OUT, DELETION],
    ),
    (
        OBLIGATION,
        "special",
        "N8",
        "the law|recorded document happens said agreements train staff page object access",
        [OPT_OUT, DELETION],
    ),
    (
        CONSENT,
        CONSENT,
        "N2+N3",
        "wish recorded document happens said agreements train staff page access press 1|press 2|withdraw"
        "|then no longer used deleted at last",
        [],
    ),
    (
        CONSENT,
        INTEREST,
        "N2+N4",
        "recorded train staff page access say so|not used then|wish document happens said agreements press 1|withdraw"
        "|then no longer used",
        [DELETION],
    ),
    (
        CONSENT,
        "special",
        "N2+N5",
        "recorded train staff page object access wish document happens said agreements press 1|withdraw"
        "|then no longer used",
        [OPT_OUT, DELETION],
    ),
]
IDS = [f"{notice}-{documentation}-{training}" for documentation, training, notice, *_ in CASES]


def named(says: str) -> Iterator[str]:
    for name in sorted(SAYS, key=len, reverse=True):
        if re.search(rf"(?:^|[ |]){name}(?:$|[ |])", says):
            says = re.sub(rf"(^|[ |]){name}(?=$|[ |])", r"\1", says)
            yield name
    assert not says.replace("|", "").split(), says


def texts() -> Iterator[tuple[str, Line, NoticeId, Language, NoticeText]]:
    for (documentation, training, notice, *_), name in zip(CASES, IDS, strict=True):
        asked = line(documentation, training)
        for language in Language:
            text = text_for(CONTROLLER, asked, NoticeId(notice), language, NoticeVariant.WHOLE)
            assert text is not None
            yield name, asked, NoticeId(notice), language, text


@pytest.mark.rule("G05")
@pytest.mark.rule("G06")
@pytest.mark.rule("G39")
@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize(("documentation", "training", "notice", "says", "forbidden"), CASES, ids=IDS)
def test_a_notice_says_its_facts_and_makes_no_forbidden_promise(
    documentation: str | None,
    training: str | None,
    notice: str,
    says: str,
    forbidden: list[tuple[str, str]],
    language: Language,
) -> None:
    asked = line(documentation, training)
    assert decision_for(facts(), asked, drawn=True).notice == notice
    text = text_for(CONTROLLER, asked, NoticeId(notice), language, NoticeVariant.WHOLE)
    assert text is not None
    which = list(Language).index(language)

    for name in named(says):
        assert re.search(SAYS[name][which], text.shown), name
    for promise in forbidden:
        assert not re.search(promise[which], text.shown), promise[which]


@pytest.mark.rule("G05")
def test_that_it_is_recorded_and_why_is_said_first() -> None:
    for _, _asked, notice, language, text in texts():
        which = list(Language).index(language)
        essentials = text.shown[: text.essentials]
        assert re.search(SAYS["recorded"][which], essentials)
        assert essentials.endswith(".")
        # a purpose that is asked for comes with its question
        documents = notice not in (NoticeId.N3, NoticeId.N4, NoticeId.N5, NoticeId.N2_N4, NoticeId.N2_N5)
        assert bool(re.search(SAYS["document"][which], essentials)) is documents
        trains = notice not in (NoticeId.N1, NoticeId.N2, NoticeId.N6)
        assert bool(re.search(SAYS["train"][which], essentials)) is trains


@pytest.mark.rule("G03")
def test_the_question_comes_last_after_every_fact() -> None:
    for _, _asked, notice, _language, text in texts():
        assert text.whole
        if not asks(notice):
            assert (text.question, text.informed) == (None, len(text.shown))
            continue
        assert text.question is not None
        assert text.shown[text.question :].startswith(("Tryk 1", "Press 1"))
        assert text.informed == text.question - 1
        assert "nordlys.dk" in text.shown[: text.informed]
        assert ("2" in text.shown[text.question :]) is (len(asks(notice)) == 2)


def test_no_two_notices_are_the_same() -> None:
    shown = [text.shown for *_, text in texts()]
    assert len(set(shown)) == len(shown)


@pytest.mark.rule("G31")
def test_the_opt_out_keys_are_said_where_an_opt_out_exists_and_the_line_has_keys() -> None:
    whole = NoticeVariant.WHOLE
    with_keys = text_for(CONTROLLER, line(INTEREST, INTEREST), NoticeId.N7, Language.DA, whole)
    without = text_for(CONTROLLER, line(INTEREST, INTEREST, opt_out_key=""), NoticeId.N7, Language.DA, whole)
    other = text_for(CONTROLLER, line(None, INTEREST, opt_out_key="#0"), NoticeId.N4, Language.EN, whole)
    assert with_keys is not None
    assert without is not None
    assert other is not None
    assert "eller tryk *9" in with_keys.shown
    assert "eller tryk stjerne ni" in with_keys.spoken
    assert "eller tryk" not in without.shown
    assert "sig bare til, så lader vi være" in without.shown
    assert "or press hash zero" in other.spoken


@pytest.mark.rule("G06")
@pytest.mark.parametrize(
    ("page", "language", "shown", "spoken"),
    [
        (
            "https://www.nordlys.dk/telefonsamtaler",
            Language.DA,
            "nordlys.dk/telefonsamtaler",
            "nordlys punktum d k, skråstreg telefonsamtaler",
        ),
        (
            "https://nordlys.dk/telefonsamtaler/",
            Language.EN,
            "nordlys.dk/telefonsamtaler",
            "nordlys dot d k, slash telefonsamtaler",
        ),
        (
            "https://opkald.nordlys.example",
            Language.DA,
            "opkald.nordlys.example",
            "opkald punktum nordlys punktum example",
        ),
        (
            "https://el-net.com/om_os/opkald",
            Language.EN,
            "el-net.com/om_os/opkald",
            "el dash net dot com, slash om underscore os, slash opkald",
        ),
        (
            "https://xn--lgehuset-j0a.dk/opkald",
            Language.DA,
            "lægehuset.dk/opkald",
            "lægehuset punktum d k, skråstreg opkald",
        ),
        (
            "https://nordlys.dk/s%C3%A5dan",
            Language.DA,
            "nordlys.dk/sådan",
            "nordlys punktum d k, skråstreg sådan",
        ),
    ],
)
def test_a_page_is_spoken_as_a_person_would_say_it(page: str, language: Language, shown: str, spoken: str) -> None:
    piece = spoken_page(page, language)
    # A pause comes first.
    assert (piece.shown, piece.spoken) == (shown, f", {spoken}")
    assert Controller.model_validate({"name": "x", "page": page, "contact": "y"}).page == page


@pytest.mark.rule("G05")
@pytest.mark.parametrize("language", list(Language))
def test_a_newcomer_is_told_in_short_or_asked_in_full(language: Language) -> None:
    which = list(Language).index(language)
    for documentation, training, notice, *_ in CASES:
        asked = line(documentation, training)
        text = text_for(CONTROLLER, asked, NoticeId(notice), language, NoticeVariant.NEWCOMER)
        whole = text_for(CONTROLLER, asked, NoticeId(notice), language, NoticeVariant.WHOLE)
        assert text is not None
        assert whole is not None
        assert text.whole
        assert re.search(SAYS["recorded"][which], text.shown[: text.essentials])
        if asks(NoticeId(notice)):
            assert text == whole
        else:
            assert len(text.shown) < len(whole.shown)
            documented = [
                re.search(SAYS[fact][which], text.shown) for fact in ("document", "happens", "said", "agreements")
            ]
            assert all(documented) if notice in ("N1", "N7", "N8") else not any(documented)
            declines = re.search(("[Ss]ig til", "[Ss]ay so")[which], text.shown)
            assert bool(declines) is (notice in ("N4", "N7"))


@pytest.mark.rule("G23")
def test_where_the_law_obliges_the_agent_has_an_answer_to_an_objection() -> None:
    answer = text_for(CONTROLLER, line(OBLIGATION), NoticeId.N1, Language.DA, NoticeVariant.OBJECTION)
    assert answer is not None
    assert "loven kræver" in answer.shown
    assert "indsigt" in answer.shown
    assert text_for(CONTROLLER, line(INTEREST), NoticeId.N1, Language.DA, NoticeVariant.OBJECTION) is None
