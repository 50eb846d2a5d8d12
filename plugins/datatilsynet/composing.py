"""Puts a notice together: its text from `texts/`, the page and the opt-out key as they are shown and as they are spoken.

What each notice must say, and must not promise, is the guideline's table (N1 to N8); which notice a call needs is `rules`.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from softphone.domain.decision import NoticeId
from softphone.domain.notice import NoticeText, NoticeVariant, Piece, asks
from softphone.domain.policy.model import Controller, Line, Wording
from softphone.domain.policy.purposes import OptOut
from softphone.domain.purpose import Basis, Language, Purpose

from .spoken import spoken_keys, spoken_page

_PLACE = re.compile(r"\{(page|keys)\}")


def text_for(
    controller: Controller, line: Line, notice: NoticeId, language: Language, variant: NoticeVariant
) -> NoticeText | None:
    """The text, in the line's own words where it has any; None for an objection's answer where there is no obligation."""
    if variant is NoticeVariant.OBJECTION:
        obliged = line.basis(Purpose.DOCUMENTATION) is Basis.LEGAL_OBLIGATION
        parts = _texts(language)["objection"] if obliged else None
        return _composed(_wording(parts), controller, line, language) if parts else None
    if variant is NoticeVariant.NEWCOMER and not asks(notice):
        return _composed(_newcomer(line, notice, language), controller, line, language)
    own = line.wording.get(notice, {}).get(language)
    text = _composed(own or standard(line, notice, language), controller, line, language)
    return _with_language_key(text, line) if line.language_key and variant is NoticeVariant.WHOLE else text


def standard(line: Line, notice: NoticeId, language: Language) -> Wording:
    """Our own words for a line's notice, its places not yet filled."""
    variants: Mapping[str, Mapping[str, str]] = _texts(language)[notice.value]
    parts = dict(variants["text"])
    calls_back = line.training is not None and line.training.opt_out is OptOut.CALL_BACK
    if calls_back and "call_back" in variants:
        parts |= variants["call_back"]
    if line.basis(Purpose.DOCUMENTATION) is Basis.LEGAL_OBLIGATION and "obligation" in variants:
        parts |= variants["obligation"]
    return _wording(parts)


def _newcomer(line: Line, notice: NoticeId, language: Language) -> Wording:
    """The short text for somebody who joins a call that is being recorded; who must be asked hears the whole notice."""
    parts: Mapping[str, str] = _texts(language)["newcomer"]
    documentation = notice in (NoticeId.N1, NoticeId.N7, NoticeId.N8)
    special = notice in (NoticeId.N5, NoticeId.N8)
    training = special or notice in (NoticeId.N4, NoticeId.N7)
    basis = line.basis(Purpose.DOCUMENTATION)
    fields = {
        "essentials": parts["both" if documentation and training else "documentation" if documentation else "training"]
    }
    declines = {NoticeId.N4: "declines_recording", NoticeId.N7: "declines_training"}.get(notice)
    if declines:
        fields["declines"] = parts[declines]
    # A right to object is to be pointed out, and not to be promised where there is none (G23).
    objection = special or (documentation and basis is not None and basis.can_be_objected_to)
    return _wording({**fields, "facts": parts["objection" if objection else "facts"]})


def _wording(parts: Mapping[str, str]) -> Wording:
    """`essentials` and `question` apart; every other part, in its order, is the facts."""
    facts = " ".join(text for name, text in parts.items() if name not in ("essentials", "question"))
    return Wording(essentials=parts["essentials"], facts=facts or None, question=parts.get("question"))


def _composed(wording: Wording, controller: Controller, line: Line, language: Language) -> NoticeText:
    """`essentials`, then every other fact, the `question` last."""
    pieces: list[Piece] = []
    ends: list[int] = []
    for part in (wording.essentials, wording.facts, wording.question):
        if part is not None:
            if pieces:
                pieces.append(Piece(" ", " "))
            pieces += _pieces(part, controller, line, language)
        ends.append(sum(len(piece.shown) for piece in pieces))
    essentials, informed, _ = ends
    question = informed + 1 if wording.question is not None else None
    return NoticeText(language, _joined(pieces), essentials, informed, question)


def _with_language_key(text: NoticeText, line: Line) -> NoticeText:
    """First of all, in the other language, the key that begins the notice anew in it: who does not understand the notice must
    not have to wait for its end."""
    other = text.other_language
    before, _, behind = _texts(other)["language_key"].partition("{key}")
    lead = (
        Piece(before, before),
        Piece(line.language_key, spoken_keys(line.language_key, other)),
        Piece(behind, behind),
    )
    shift = sum(len(piece.shown) for piece in lead)
    return NoticeText(
        text.language,
        (*lead, *text.pieces),
        text.essentials + shift,
        text.informed + shift,
        None if text.question is None else text.question + shift,
        shift,
    )


def _pieces(sentence: str, controller: Controller, line: Line, language: Language) -> list[Piece]:
    pieces: list[Piece] = []
    at = 0
    for place in _PLACE.finditer(sentence):
        pieces.append(Piece(sentence[at : place.start()], sentence[at : place.start()]))
        if place[1] == "page":
            pieces.append(spoken_page(controller.page, language))
        elif line.opt_out_key:
            before = _texts(language)["keys"]
            pieces += [Piece(before, before), Piece(line.opt_out_key, spoken_keys(line.opt_out_key, language))]
        at = place.end()
    pieces.append(Piece(sentence[at:], sentence[at:]))
    return pieces


def _joined(pieces: list[Piece]) -> tuple[Piece, ...]:
    """Neighbours that are shown as they are spoken become one piece."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and joined[-1].shown == joined[-1].spoken and piece.shown == piece.spoken:
            text = joined[-1].shown + piece.shown
            joined[-1] = Piece(text, text)
        elif piece.shown:
            joined.append(piece)
    return tuple(joined)


@functools.cache
def _texts(language: Language) -> Mapping[str, Any]:
    with (Path(__file__).parent / "texts" / f"{language.value}.toml").open("rb") as file:
        return tomllib.load(file)
