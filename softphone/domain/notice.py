"""A notice: its text as shown and as spoken, when each thing is said, and what a rulebook finds in its wording.

The rulebook chooses which notice a call needs.

Marks: *essentials* (recorded, and why, has been said), *informed* (every fact has), *question* (from here a key is an
answer). The question stands last, so that a key pressed when asked is a key pressed in time (G03).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum

from softphone.domain.decision import NoticeId
from softphone.domain.purpose import Language, Purpose

WORDS_A_MINUTE = 160
LEAD = 0.4
"""seconds of silence before the first word, part of every notice's sound"""


class PurposeMention(StrEnum):
    """How a notice deals with a purpose."""

    NOT = "not"
    AS_FACT = "as_fact"
    ASKED = "asked"
    OPT_OUT = "opt_out"
    """training on interest: can be declined (G31)"""
    SPECIAL = "special"
    """training under special circumstances: can be objected to, with grounds (G32)"""


MENTIONS: dict[NoticeId, tuple[PurposeMention, PurposeMention]] = {
    # documentation, training
    NoticeId.N1: (PurposeMention.AS_FACT, PurposeMention.NOT),
    NoticeId.N2: (PurposeMention.ASKED, PurposeMention.NOT),
    NoticeId.N3: (PurposeMention.NOT, PurposeMention.ASKED),
    NoticeId.N4: (PurposeMention.NOT, PurposeMention.OPT_OUT),
    NoticeId.N5: (PurposeMention.NOT, PurposeMention.SPECIAL),
    NoticeId.N6: (PurposeMention.AS_FACT, PurposeMention.ASKED),
    NoticeId.N7: (PurposeMention.AS_FACT, PurposeMention.OPT_OUT),
    NoticeId.N8: (PurposeMention.AS_FACT, PurposeMention.SPECIAL),
    NoticeId.N2_N3: (PurposeMention.ASKED, PurposeMention.ASKED),
    NoticeId.N2_N4: (PurposeMention.ASKED, PurposeMention.OPT_OUT),
    NoticeId.N2_N5: (PurposeMention.ASKED, PurposeMention.SPECIAL),
}
"""The guideline's table of notices. All else about notices is derived from it."""

_PURPOSES = (Purpose.DOCUMENTATION, Purpose.TRAINING)

COVERS: dict[NoticeId, frozenset[Purpose]] = {
    notice: frozenset(one for one, how in zip(_PURPOSES, mentions, strict=True) if how is not PurposeMention.NOT)
    for notice, mentions in MENTIONS.items()
}
"""the purposes that a notice speaks of"""

SPECIAL: frozenset[NoticeId] = frozenset(
    notice for notice, mentions in MENTIONS.items() if PurposeMention.SPECIAL in mentions
)
"""those of special circumstances, without an opt-out (G32)"""

_ASKS: dict[NoticeId, tuple[Purpose, ...]] = {
    notice: tuple(one for one, how in zip(_PURPOSES, mentions, strict=True) if how is PurposeMention.ASKED)
    for notice, mentions in MENTIONS.items()
}


def asks(notice: NoticeId | None) -> tuple[Purpose, ...]:
    """The purposes a notice asks a yes for, in the order in which it asks; the first by key 1, the second by key 2."""
    return _ASKS.get(notice, ()) if notice is not None else ()


class NoticeVariant(StrEnum):
    """Which text of a notice: the whole, or the short one for a newcomer.

    Or what the agent answers to an objection where the law obliges to record; that is the line's, whichever notice is named.
    """

    WHOLE = "whole"
    NEWCOMER = "newcomer"
    OBJECTION = "objection"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text, shown in one way and spoken in another (a page, a key). Often both are the same."""

    shown: str
    spoken: str


@dataclass(frozen=True, slots=True)
class NoticeText:
    """A notice's text. Marks are offsets into `shown`: where `essentials` and `informed` end, and where `question` starts.

    `other` is where a first sentence in the other language ends (*For English, press 9*); 0: there is none.
    """

    language: Language
    pieces: tuple[Piece, ...]
    essentials: int
    informed: int
    question: int | None
    other: int = 0

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
        return 0 <= self.other < self.essentials <= self.informed <= question <= end and self.spoken.strip() != ""

    @property
    def other_language(self) -> Language:
        return Language.EN if self.language is Language.DA else Language.DA

    @property
    def to_read(self) -> NoticeText:
        """What the agent reads aloud: without the sentence about a key that works only while the notice plays."""
        if not self.other:
            return self
        at, pieces = 0, list[Piece]()
        for piece in self.pieces:
            if at >= self.other:
                pieces.append(piece)
            at += len(piece.shown)
        cut = at - sum(len(piece.shown) for piece in pieces)
        question = None if self.question is None else self.question - cut
        return replace(
            self,
            pieces=tuple(pieces),
            essentials=self.essentials - cut,
            informed=self.informed - cut,
            question=question,
            other=0,
        )

    def shown_at(self, spoken: int, *, end: bool = False) -> int:
        """The offset in `shown` of an offset in `spoken`. Within a piece whose two texts differ, it is the piece's start, or
        its end where `end`."""
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
        """The offset in `spoken` of an offset in `shown`; within a piece whose two texts differ, that piece's start."""
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
    """`shown[start:end]` of the text is spoken from `at` to `until`, seconds from the sound's start."""

    start: int
    end: int
    at: float
    until: float


@dataclass(frozen=True, slots=True)
class NoticeFile:
    """What was decided to be played: a WAV file, its length, and the SHA-256 of its bytes in hex, as far as they are known.
    Another sound under its name is not played."""

    path: str
    seconds: float | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class NoticeSound:
    """A notice that can be played: a WAV file (16 kHz, mono, 16 bit) that begins with `LEAD` of silence.

    All times are seconds from the file's start. `question_path` is what is repeated, with silence of its own: the question
    alone, or all of the notice if nobody has said when the question begins.
    """

    text: NoticeText
    path: str
    seconds: float
    essentials: float
    question: float | None
    words: tuple[SpokenWord, ...]
    question_path: str | None = None
    question_seconds: float = 0.0
    digest: str = ""
    question_digest: str = ""

    def file(self, *, question_only: bool = False) -> NoticeFile | None:
        if not question_only:
            return NoticeFile(self.path, self.seconds, self.digest)
        if self.question_path is None:
            return None
        return NoticeFile(self.question_path, self.question_seconds, self.question_digest)


def wording_hash(line: str, notice: NoticeId, language: Language, *parts: str) -> str:
    """SHA-256 in hex, by which a person's confirmation names this wording, on this line, for this notice.

    `parts`: essentials, facts and question, empty where there is none.
    """
    return hashlib.sha256("\0".join((line, notice.value, language.value, *parts)).encode()).hexdigest()


def sound_hash(spoken: str, sound: bytes) -> str:
    """SHA-256 in hex, by which a policy says that this file says these words.

    `spoken`: the notice's text as spoken; `sound`: the file's bytes.
    """
    return hashlib.sha256(spoken.encode() + b"\0" + sound).hexdigest()


@dataclass(frozen=True, slots=True)
class WordingFinding:
    """One finding about a wording: a code (`access`, `deletion`), the rule it follows, and its words, if any."""

    code: str
    rule: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a rulebook finds in a wording. It knows words and understands nothing, so it also says what it is not sure of."""

    missing: tuple[WordingFinding, ...] = ()
    """facts that the notice must say and certainly does not"""
    forbidden: tuple[WordingFinding, ...] = ()
    """what it says or promises and must not"""
    unsure: tuple[WordingFinding, ...] = ()
    """what a person must look at and confirm"""

    @property
    def lawful(self) -> bool:
        """Whether it can be used, once a person has confirmed what is unsure."""
        return not self.missing and not self.forbidden

    @property
    def certain(self) -> bool:
        return self.lawful and not self.unsure
