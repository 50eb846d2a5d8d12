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
from softphone.domain.notice import NoticeText, NoticeVariant, Piece
from softphone.domain.policy.model import Controller, Line, OptOut
from softphone.domain.purpose import Basis, Language, Purpose

from .spoken import spoken_keys, spoken_page

_PLACE = re.compile(r"\{(page|keys)\}")
_NEWCOMER_DECLINES = frozenset({NoticeId.N4, NoticeId.N7})
_NEWCOMER_ASKED = frozenset({NoticeId.N2, NoticeId.N3, NoticeId.N6, NoticeId.N2_N3, NoticeId.N2_N4, NoticeId.N2_N5})


def text_for(
    controller: Controller, line: Line, notice: NoticeId, language: Language, variant: NoticeVariant
) -> NoticeText | None:
    """The text; None for an objection's answer where there is no obligation."""
    obliged = line.basis(Purpose.DOCUMENTATION) is Basis.LEGAL_OBLIGATION
    if variant is NoticeVariant.OBJECTION:
        parts = _texts(language)["objection"] if obliged else None
    elif variant is NoticeVariant.NEWCOMER and notice not in _NEWCOMER_ASKED:
        parts = _newcomer(language, notice)
    else:
        parts = _whole(language, notice, line, obliged=obliged)
    return _composed(parts, controller, line, language) if parts is not None else None


def _whole(language: Language, notice: NoticeId, line: Line, *, obliged: bool) -> Mapping[str, str]:
    variants: Mapping[str, Mapping[str, str]] = _texts(language)[notice.value]
    parts = dict(variants["text"])
    calls_back = line.training is not None and line.training.opt_out is OptOut.CALL_BACK
    if calls_back and "call_back" in variants:
        parts |= variants["call_back"]
    if obliged and "obligation" in variants:
        parts |= variants["obligation"]
    return parts


def _newcomer(language: Language, notice: NoticeId) -> Mapping[str, str]:
    """The short text for somebody who joins a call that is being recorded; who must be asked hears the whole notice."""
    parts: Mapping[str, str] = _texts(language)["newcomer"]
    documentation = notice in (NoticeId.N1, NoticeId.N7, NoticeId.N8)
    training = notice in (NoticeId.N4, NoticeId.N5, NoticeId.N7, NoticeId.N8)
    essentials = parts["both" if documentation and training else "documentation" if documentation else "training"]
    declines = {"declines": parts["declines"]} if notice in _NEWCOMER_DECLINES else {}
    return {"essentials": essentials, **declines, "facts": parts["facts"]}


def _composed(parts: Mapping[str, str], controller: Controller, line: Line, language: Language) -> NoticeText:
    """`essentials`, then every other fact in its order, the `question` last."""
    question = parts.get("question")
    facts = [text for name, text in parts.items() if name not in ("essentials", "question")]
    pieces: list[Piece] = []
    ends: list[int] = []
    sentences: list[str] = [parts["essentials"], *facts]
    if question is not None:
        sentences.append(question)
    for n, sentence in enumerate(sentences):
        if n:
            pieces.append(Piece(" ", " "))
        pieces += _pieces(sentence, controller, line, language)
        ends.append(sum(len(piece.shown) for piece in pieces))
    if question is None:
        return NoticeText(language, _joined(pieces), ends[0], ends[-1], None)
    return NoticeText(language, _joined(pieces), ends[0], ends[-2], ends[-2] + 1)


def _pieces(sentence: str, controller: Controller, line: Line, language: Language) -> list[Piece]:
    pieces: list[Piece] = []
    at = 0
    for place in _PLACE.finditer(sentence):
        pieces.append(Piece(sentence[at : place.start()], sentence[at : place.start()]))
        if place[1] == "page":
            pieces.append(spoken_page(controller.page, language))
        elif line.opt_out_key:
            pieces += spoken_keys(line.opt_out_key, _texts(language)["keys"], language)
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
