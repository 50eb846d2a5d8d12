"""A wording taken apart: its sentences, and how surely each says a thing, by the word lists in `texts/`. What a notice must say,
and must not, is `judging`; nothing here understands a language, it knows words, and knows how little that is.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import cast

from softphone.domain.policy.period import Period
from softphone.domain.purpose import Language

_NEVER = r"(?!)"
_PLACE = re.compile(r"\{\w+\}|\b(?:[\w-]+\.)+[a-zæøå]{2,12}/[\w./-]*")
_CLAUSE = re.compile(r"\s*[,;:–]\s+|\s+(?=(?:men|but|if|unless|hvis|medmindre)\b)")


class Weight(IntEnum):
    """How surely something is said."""

    NOT = 0
    DENIED = 1
    LOOSE = 2
    """it may be meant"""
    SURE = 3


@dataclass(frozen=True, slots=True)
class Heard:
    """The surest place where something is said: the words, and the number of their sentence."""

    weight: Weight = Weight.NOT
    words: str = ""
    sentence: int = -1


@dataclass(frozen=True, slots=True)
class Press:
    """A key that the party is told to press: `1`, `*9`, or `{keys}` where the line's opt-out keys are put in."""

    key: str
    sentence: int
    words: str


class Reading:
    """One text of one language, in lower case, its contractions written out."""

    def __init__(self, text: str, language: Language) -> None:
        self.language = language
        self._words = _words(language)
        self.sentences = _sentences(text, self._words)

    def has(self, name: str, sentence: str) -> bool:
        """Whether a pattern, or a concept for sure and undenied, is in a sentence."""
        if name in self._words.patterns:
            return self._words.patterns[name].search(sentence) is not None
        return self._weight(name, sentence)[0] is Weight.SURE

    def heard(self, concept: str, among: Iterable[int] | None = None, *, as_fact: bool = False) -> Heard:
        """The surest of the sentences `among`. `as_fact`: a thing said only on a condition is not sure."""
        best = Heard()
        for n in range(len(self.sentences)) if among is None else among:
            sentence = self.sentences[n]
            told = self._words.patterns["condition"].search(sentence) if as_fact else None
            weight, words = self._weight(concept, sentence[: told.start()] if told else sentence)
            if told and weight < Weight.LOOSE:
                weight, words = self._weight(concept, sentence)
                weight = min(weight, Weight.LOOSE)
            if weight > best.weight:
                best = Heard(weight, words, n)
        return best

    def with_sure(self, concept: str) -> list[int]:
        return [n for n, sentence in enumerate(self.sentences) if self.has(concept, sentence)]

    def passage(self, n: int) -> str:
        """A sentence, with the next one where that goes on from it (*Then …*) or answers it."""
        if n + 1 == len(self.sentences):
            return self.sentences[n]
        follows = self.sentences[n].endswith("?") or self.has("follows", self.sentences[n + 1])
        return f"{self.sentences[n]} {self.sentences[n + 1]}" if follows else self.sentences[n]

    def context(self, n: int) -> str:
        """A sentence, with the one before where it goes on from that."""
        return (
            f"{self.sentences[n - 1]} {self.sentences[n]}"
            if n and self.has("follows", self.sentences[n])
            else self.sentences[n]
        )

    def right(self, concept: str) -> Heard:
        """The surest place where a right is told of. A negation beside it denies it (*ingen ret til*) or leaves it open."""
        best, patterns = Heard(), self._words.patterns
        for n, sentence in enumerate(self.sentences):
            plain = self.without("refuse", sentence)
            for clause in _CLAUSE.split(plain):
                weight, words = self._weight(concept, clause)
                said = self._words.concepts[concept].any.search(clause)
                if weight is Weight.SURE and said and patterns["right_denied"].search(clause[: said.start()]):
                    weight = Weight.DENIED
                elif patterns["right_doubtful"].search(plain):
                    weight = min(weight, Weight.LOOSE)
                if weight > best.weight:
                    best = Heard(weight, words if weight is Weight.SURE else sentence, n)
        return best

    def clauses(self, n: int) -> list[str]:
        """A sentence's clauses, without greetings."""
        split = _CLAUSE.split(self.sentences[n])
        return [one for one in split if re.search(r"\w", one) and not self.has("greeting", one)]

    def unheard(self, concepts: Iterable[str], clause: str) -> bool:
        """Whether a clause says nothing of all this, in any way."""
        return all(self._weight(name, clause)[0] is Weight.NOT for name in concepts)

    def unknown(self, clause: str, *patterns: str) -> list[str]:
        """The words of a clause that are none of those which restrict, demand and promise nothing. What `patterns` match is known
        too, and so is a key to press."""
        return self._left(clause, self._words.plain, "press", *patterns)

    def besides(self, clause: str) -> list[str]:
        """The words of a clause that are plain, and not of recording, keeping and using, nor of a yes and a no."""
        unknown = self.unknown(clause)
        return [one for one in self._left(clause, self._words.of_the_call, "press") if one not in unknown]

    def beyond(self, clause: str, *patterns: str) -> list[str]:
        """The words of a clause that `patterns` do not match."""
        return self._left(clause, _PLACE, *patterns)

    def _left(self, clause: str, known: re.Pattern[str], *patterns: str) -> list[str]:
        for name in patterns:
            clause = self._words.patterns[name].sub(" ", clause)
        return re.findall(r"\w+", known.sub(" ", _PLACE.sub(" ", clause)))

    def period(self, clause: str) -> Period | None:
        """How long a clause says that something is kept: *efter tre måneder*. None where it says nothing of the kind, or more."""
        told = [*self._words.patterns["period_told"].finditer(clause)]
        if len(told) != 1:
            return None
        unit = next(unit for word, unit in self._words.units if told[0]["unit"].startswith(word))
        try:
            return Period.parse(f"P{self._key(told[0]['n'])}{unit}")
        except ValueError:
            return None

    def after(self, concept: str, passage: str) -> str:
        """What a passage says after the first place that `concept` has in it; empty where it has none."""
        match = self._words.concepts[concept].any.search(passage)
        return passage[match.end() :] if match else ""

    def before(self, concept: str, passage: str) -> str:
        """What a passage says before the first place that `concept` has in it; all of it where it has none."""
        match = self._words.concepts[concept].any.search(passage)
        return passage[: match.start()] if match else passage

    def without(self, concept: str, passage: str) -> str:
        return self._words.concepts[concept].any.sub(" ", passage)

    def places(self, name: str, passage: str) -> list[tuple[int, int]]:
        """Where a pattern, or a concept for sure, begins and ends, denied or not."""
        pattern = self._words.patterns.get(name) or self._words.concepts[name].any
        return [match.span() for match in pattern.finditer(passage)]

    def done(self, passage: str) -> list[int]:
        """Where a passage says, undenied, that it is recorded, kept or used. What is wanted or allowed is not said to be so."""
        patterns = self._words.patterns
        passage = patterns["wanted"].sub(lambda match: " " * len(match[0]), passage)
        return [match.start() for match in patterns["done"].finditer(passage) if not self._not_done(passage, match)]

    def _not_done(self, passage: str, match: re.Match[str]) -> bool:
        patterns = self._words.patterns
        before, behind = passage[: match.start()], re.split(r"[,.;:?!]", passage[match.end() :])[0]
        # *Trykker du ikke bruger vi den*: turned round, a verb is denied only by what comes after it.
        denied = not patterns["inverted"].match(passage, match.start()) and patterns["denied_before"].search(before)
        return bool(denied or patterns["negation"].search(match[0]) or patterns["undone"].search(behind))

    def presses(self) -> list[Press]:
        return [
            Press(self._key(match[1]), n, match[0])
            for n, sentence in enumerate(self.sentences)
            for match in self._words.patterns["press"].finditer(sentence)
        ]

    def _key(self, said: str) -> str:
        """`stjerne 9`, `star nine`, `* 9` as `*9`; `et`, `one` as `1`."""
        key = ""
        for part in said.split():
            signs = [
                sign for name, sign in (("star", "*"), ("hash", "#")) if self._words.patterns[name].fullmatch(part)
            ]
            digits = [str(n) for n, name in enumerate(self._words.numbers) if name.fullmatch(part)]
            key += (signs + digits + [part])[0]
        return key

    def _weight(self, concept: str, sentence: str) -> tuple[Weight, str]:
        return _weight(self.language, concept, sentence)


@dataclass(frozen=True, slots=True)
class _Concept:
    sure: re.Pattern[str]
    loose: re.Pattern[str]
    negative: re.Pattern[str]
    """what holds a negation of its own (*no longer used*)"""
    any: re.Pattern[str]
    """what is sure, one way or the other"""


@dataclass(frozen=True, slots=True)
class _Words:
    """One language's lists, compiled."""

    concepts: Mapping[str, _Concept]
    patterns: Mapping[str, re.Pattern[str]]
    numbers: Sequence[re.Pattern[str]]
    units: Sequence[tuple[str, str]]
    """how a day, a week … begins, and its letter in an ISO period"""
    plain: re.Pattern[str]
    """the words that restrict, demand and promise nothing"""
    of_the_call: re.Pattern[str]
    """those of them that speak of recording, keeping and using, of a yes and a no, and the small ones"""
    contractions: Sequence[tuple[str, str]]


@functools.lru_cache(maxsize=4096)
def _weight(language: Language, concept: str, sentence: str) -> tuple[Weight, str]:
    """How surely a sentence says something, and in which words. One sentence is asked of again and again."""
    words, best = _words(language), (Weight.NOT, "")
    for match in words.concepts[concept].negative.finditer(sentence):
        best = max(best, (Weight.SURE, match[0]))
    for pattern, weight in (
        (words.concepts[concept].sure, Weight.SURE),
        (words.concepts[concept].loose, Weight.LOOSE),
    ):
        for match in pattern.finditer(sentence):
            found = _denied(words, sentence, match, weight)
            if found > best[0]:
                best = (found, match[0])
    return best


def _denied(words: _Words, sentence: str, match: re.Match[str], weight: Weight) -> Weight:
    """*We do not delete*, *vi sletter den ikke*; but *we do not delete unless you ask* is neither."""
    before, after = sentence[: match.start()], sentence[match.start() :]
    if words.patterns["denied_before"].search(before) or words.patterns["denied_after"].search(after):
        return Weight.LOOSE if words.patterns["exception"].search(sentence) else Weight.DENIED
    return weight


def _sentences(text: str, words: _Words) -> tuple[str, ...]:
    plain = re.sub(r"\s+", " ", text.lower().replace("’", "'").replace("´", "'")).strip()
    for pattern, written in words.contractions:
        plain = re.sub(pattern, written, plain)
    plain = words.patterns["abbreviations"].sub(_without_points, plain)
    return tuple(part.strip() for part in re.split(r"(?<=[.!?])[\"”»]?\s+", plain) if part.strip())


def _without_points(match: re.Match[str]) -> str:
    return match[0].replace(".", "")


@functools.cache
def _words(language: Language) -> _Words:
    with (Path(__file__).parent / "texts" / f"words.{language.value}.toml").open("rb") as file:
        raw = tomllib.load(file)
    lists = {name: cast("Mapping[str, Sequence[str]]", value) for name, value in raw.items() if isinstance(value, dict)}
    return _Words(
        {name: _concept(one) for name, one in lists.items()},
        {name: re.compile(value) for name, value in raw.items() if isinstance(value, str)},
        [re.compile(str(one)) for one in raw["numbers"]],
        [(str(word), str(unit)) for word, unit in raw["units"]],
        _any_of([*raw["plain"], *raw["besides"]]),
        _any_of(raw["plain"]),
        [(str(pattern), str(written)) for pattern, written in raw["contractions"]],
    )


def _any_of(words: Sequence[object]) -> re.Pattern[str]:
    """Phrases first: a word alone must not take a phrase apart."""
    return re.compile(rf"\b(?:{'|'.join(sorted((str(one) for one in words), key=lambda one: ' ' not in one))})\b")


def _concept(lists: Mapping[str, Sequence[str]]) -> _Concept:
    sure, loose, negative = (lists.get(part, []) for part in ("sure", "loose", "negative"))
    return _Concept(*(re.compile("|".join(one) or _NEVER) for one in (sure, loose, negative, [*sure, *negative])))
