"""A notice: what the party is told, as it is shown and as it is spoken, and when in its sound each thing is said.

Marks: *essentials* (recorded, and why, has been said), *informed* (every fact has), *question* (from here a key is an
answer). The question stands last, so that a key pressed when told to is a key pressed in time (G03).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from softphone.domain.decision import NoticeId
from softphone.domain.purpose import Language, Purpose

WORDS_A_MINUTE = 160
LEAD = 0.4
"""seconds of silence before the first word, part of every notice's sound"""

_ASKS: dict[NoticeId, tuple[Purpose, ...]] = {
    NoticeId.N2: (Purpose.DOCUMENTATION,),
    NoticeId.N3: (Purpose.TRAINING,),
    NoticeId.N6: (Purpose.TRAINING,),
    NoticeId.N2_N3: (Purpose.DOCUMENTATION, Purpose.TRAINING),
    NoticeId.N2_N4: (Purpose.DOCUMENTATION,),
    NoticeId.N2_N5: (Purpose.DOCUMENTATION,),
}


def asks(notice: NoticeId | None) -> tuple[Purpose, ...]:
    """The purposes a notice asks a yes for, in the order in which it asks; the first by key 1, the second by key 2."""
    return _ASKS.get(notice, ()) if notice is not None else ()


class NoticeVariant(StrEnum):
    """Which text of a notice: the whole, the short one for a newcomer, or what the agent answers to an objection
    where the law obliges to record."""

    WHOLE = "whole"
    NEWCOMER = "newcomer"
    OBJECTION = "objection"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that is shown in one way and spoken in another (a page, a key). Often both are the same."""

    shown: str
    spoken: str


@dataclass(frozen=True, slots=True)
class NoticeText:
    """A notice's text. Marks are offsets into `shown`: `essentials` and `informed` where they end, `question` where it starts."""

    language: Language
    pieces: tuple[Piece, ...]
    essentials: int
    informed: int
    question: int | None

    @property
    def shown(self) -> str:
        return "".join(piece.shown for piece in self.pieces)

    @property
    def spoken(self) -> str:
        return "".join(piece.spoken for piece in self.pieces)

    @property
    def whole(self) -> bool:
        """Whether the marks lie within the text, in order."""
        end = len(self.shown)
        question = end if self.question is None else self.question
        return 0 < self.essentials <= self.informed <= question <= end and self.spoken.strip() != ""

    def shown_at(self, spoken: int, *, end: bool = False) -> int:
        """The offset in `shown` of an offset in `spoken`. Inside a piece that is spoken otherwise, the whole piece is meant:
        its start, or its end where `end`."""
        at = said = 0
        for piece in self.pieces:
            inside = spoken - said
            if inside < len(piece.spoken) or (end and inside == len(piece.spoken)):
                if piece.shown == piece.spoken:
                    return at + inside
                return at + len(piece.shown) if end else at
            at += len(piece.shown)
            said += len(piece.spoken)
        return at

    def spoken_at(self, shown: int) -> int:
        """The offset in `spoken` of an offset in `shown`; inside a piece that is spoken otherwise, where that begins."""
        at = said = 0
        for piece in self.pieces:
            inside = shown - at
            if inside < len(piece.shown):
                return said + (inside if piece.shown == piece.spoken else 0)
            at += len(piece.shown)
            said += len(piece.spoken)
        return said

    @property
    def reading_time(self) -> float:
        """Seconds that reading it aloud takes, at a calm speaking rate."""
        return max(2.0, len(self.spoken.split()) / WORDS_A_MINUTE * 60)


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """`shown[start:end]` of the text is being said from `at` to `until`, seconds from the sound's start."""

    start: int
    end: int
    at: float
    until: float


@dataclass(frozen=True, slots=True)
class NoticeSound:
    """A notice that can be played: a WAV file (16 kHz, mono, 16 bit) that begins with `LEAD` of silence.

    All times are seconds from the file's start. `question_path` is the question alone, for a repeat; its own silence leads it.
    """

    text: NoticeText
    path: str
    seconds: float
    essentials: float
    question: float | None
    words: tuple[SpokenWord, ...]
    question_path: str | None = None
    question_seconds: float = 0.0
