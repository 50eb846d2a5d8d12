"""A wording taken apart: its sentences, its keys, and which words of the lists in `texts/` they hold. It knows words and
understands nothing; what a notice must say, and must not, is `judging`.
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

from softphone.domain.purpose import Language

_DENIED = {
    Language.DA: re.compile(r"\b(ikke|aldrig|ingen|intet|hverken|uden at)\s+(\w+\s+){0,3}$"),
    Language.EN: re.compile(r"\b(not|never|no|without)\s+(\w+\s+){0,3}$"),
}


class Said(IntEnum):
    NOT = 0
    LOOSELY = 1
    """it may be meant"""
    SURELY = 2


@dataclass(frozen=True, slots=True)
class Press:
    """A key that the party is told to press: `1`, `*9`, or `{keys}` where the line's opt-out keys are put in."""

    key: str
    sentence: int
    words: str
    after: str
    """what the sentence says from there to the next key"""


class Reading:
    """One text of one language, in lower case, its contractions written out."""

    def __init__(self, text: str, language: Language) -> None:
        self.language = language
        self._words = _words(language)
        self.text = self._plain(text)
        self.sentences = [one.strip() for one in re.split(r"(?<=[.!?])[\"”»]?\s+", self.text) if one.strip()]

    def _plain(self, text: str) -> str:
        plain = re.sub(r"\s+", " ", text.lower().replace("’", "'").replace("´", "'")).strip()
        for pattern, written in self._words.contractions:
            plain = re.sub(pattern, written, plain)
        return plain

    def has(self, name: str, passage: str | None = None) -> bool:
        """Whether the words of a pattern stand in a passage, or in the whole text."""
        return self._words.patterns[name].search(self.text if passage is None else passage) is not None

    def said(self, concept: str, passage: str | None = None) -> Said:
        """How surely a passage, or the whole text, says something. What is denied just before is not said for sure."""
        passage = self.text if passage is None else passage
        sure, loose = self._words.concepts[concept]
        found = [*sure.finditer(passage)]
        if any(not _DENIED[self.language].search(passage[: one.start()]) for one in found):
            return Said.SURELY
        return Said.LOOSELY if found or loose.search(passage) else Said.NOT

    def with_all(self, names: Iterable[str], without: str | None = None) -> list[str]:
        """The passages that hold the words of every pattern, and none of `without`."""
        names = tuple(names)
        return [
            passage
            for passage in self.passages()
            if all(self.has(name, passage) for name in names) and not (without and self.has(without, passage))
        ]

    def passages(self) -> list[str]:
        """Each sentence, with the next one where that goes on from it (*Then …*)."""
        lines: list[str] = []
        for sentence in self.sentences:
            if lines and self.has("follows", sentence):
                lines[-1] += f" {sentence}"
            else:
                lines.append(sentence)
        return lines

    def presses(self) -> list[Press]:
        found: list[Press] = []
        for n, sentence in enumerate(self.sentences):
            matches = [*self._words.patterns["press"].finditer(sentence)]
            for match, following in zip(matches, [*(one.start() for one in matches[1:]), len(sentence)], strict=False):
                found.append(Press(self._key(match[1]), n, match[0], sentence[match.end() : following]))
        return found

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


@dataclass(frozen=True, slots=True)
class _Words:
    """One language's lists, compiled."""

    concepts: Mapping[str, tuple[re.Pattern[str], re.Pattern[str]]]
    """what says it for sure, and what may mean it"""
    patterns: Mapping[str, re.Pattern[str]]
    numbers: Sequence[re.Pattern[str]]
    contractions: Sequence[tuple[str, str]]


@functools.cache
def _words(language: Language) -> _Words:
    with (Path(__file__).parent / "texts" / f"words.{language.value}.toml").open("rb") as file:
        raw = tomllib.load(file)
    lists = {name: cast("Mapping[str, str]", value) for name, value in raw.items() if isinstance(value, dict)}
    return _Words(
        {name: (re.compile(one["sure"]), re.compile(one["loose"])) for name, one in lists.items()},
        {name: re.compile(value) for name, value in raw.items() if isinstance(value, str)},
        [re.compile(str(one)) for one in raw["numbers"]],
        [(str(pattern), str(written)) for pattern, written in raw["contractions"]],
    )
