"""Writes docs/notices.md: every notice in both languages, as it is shown and how long the voice takes to say it.

python -m tests.plugin.notices_page --write docs/notices.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import fill

import numpy as np
from numpy.typing import NDArray

from plugins.datatilsynet.composing import text_for
from plugins.datatilsynet.tests.lines import line
from plugins.datatilsynet.tests.wordings import BASES
from plugins.espeak_voice import speak
from softphone.domain.decision import NoticeId
from softphone.domain.notice import NoticeText, NoticeVariant, asks
from softphone.domain.policy import Controller, Line
from softphone.domain.purpose import Language
from softphone.plugin.sounds import RATE, read_wav
from softphone.plugin.spec import Speech

CONTROLLER = Controller.model_validate(
    {"name": "Nordlys El A/S", "page": "https://nordlys.example/telefonsamtaler", "contact": "post@nordlys.example"}
)
_GROUNDS = {
    None: "–",
    "legitimate_interest": "interest",
    "legal_obligation": "obligation",
    "consent": "consent",
    "special": "interest, special circumstances",
    "call_back": "interest, opt-out calls back",
}
_OWN = """
## Use your own words

1. Write them into the policy, with `{page}` and `{keys}` where the page and the opt-out keys are to be said
   ([how](policy.md#linewordingn6da)).
2. See what the check finds:

        klartone policy notice salg --policy policy.toml --notice N7

3. Read them, and confirm them by name: `klartone policy check --confirm CODE --by "FIRST LAST"` gives the block to put
   into the policy.

Until then Klartone's own text is used. Another word needs another confirmation. Who confirmed it and when stays in
`check` and `explain`.

| what the check finds | what follows |
| --- | --- |
| no page, a foreign key, a question that is not last, a purpose left out | a fault of the policy, and what to write |
| a promise that must not be made: deletion on demand, an opt-out that is not there | the same |
| silence as a yes, or the law where none obliges | the same |
| whatever else it believes missing or promised | shown beside the words, for the person who confirms |
| health and the like, recorded on consent | it always asks whether the words name them (G09) |

**The check knows words; it understands nothing.** It sees no irony. It cannot tell whether the law that is named is
the one that obliges, or whether a promise is kept. It does not hear what a recording says: that must be the text that
is shown. The controller answers for the notice.

## Use your own voice

1. Record the notice with a microphone, or make a finished recording ready:

        klartone policy record salg --policy policy.toml --notice N7 --language da
        klartone policy record salg --policy policy.toml --notice N7 --language da --from take3.m4a

   It is trimmed, made as loud as the voice (EBU R 128, -20.5 LUFS, no peak above -3 dB), and lies beside the policy.
2. Hear it as a caller does, on an ordinary line:

        klartone policy notice salg --policy policy.toml --notice N7 --language da --listen --narrow-band
"""
_INTRO = """\
# The notices, in words and seconds

What a party hears before anything is recorded, in the words of the bundled rulebook
(`plugins/datatilsynet/texts`). Each notice says what the guideline's table asks of it (N1 to N8) and promises nothing
that the table forbids. `klartone policy notice` checks a controller's own words in the same way. The controller here is
Nordlys El A/S, with the page *nordlys.example/telefonsamtaler* and the opt-out keys *\\*9*.

`python -m tests.plugin.notices_page --write docs/notices.md` writes this page, from the texts and from the voice that
speaks them: eSpeak NG, set to 160 words a minute. A test keeps it true.

## How long they take

Seconds of speech, without the silence before it.

- *why*: by then it has been said that the call is recorded, and why.
- *question*: from then on a key is an answer.
- *pace*: words a minute, which depends on the words."""


@dataclass(frozen=True)
class Said:
    """One text and its sound."""

    name: str
    notice: NoticeId
    line: Line
    text: NoticeText
    speech: Speech

    @property
    def samples(self) -> NDArray[np.int16]:
        return read_wav(self.speech.wav)

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE

    @property
    def rate(self) -> float:
        """Words a minute, those of the page and the keys as they are spoken."""
        return sum(any(letter.isalnum() for letter in word) for word in self.text.spoken.split()) / self.seconds * 60

    def when(self, shown: int) -> float:
        """When the text from an offset on begins to be said."""
        at = self.text.spoken_at(shown)
        return next((word.at for word in self.speech.words if word.end > at), self.seconds)


@cache
def everything(variant: NoticeVariant = NoticeVariant.WHOLE) -> tuple[Said, ...]:
    """Every notice of every combination of bases, in Danish and then in English."""
    return tuple(_said(name, variant, language) for name in BASES for language in Language if _has(name, variant))


def _has(name: str, variant: NoticeVariant) -> bool:
    return variant is NoticeVariant.WHOLE or not asks(_notice(name))


def _notice(name: str) -> NoticeId:
    return NoticeId(name.partition(" ")[0])


def _said(name: str, variant: NoticeVariant, language: Language) -> Said:
    asked = line(*BASES[name])
    text = text_for(CONTROLLER, asked, _notice(name), language, variant)
    assert text is not None
    return Said(name, _notice(name), asked, text, speak(text.spoken, language))


def page() -> str:
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield _INTRO
    said = everything()
    for language, texts in zip(Language, (said[::2], said[1::2]), strict=True):
        yield f"\n| {language} | seconds | why | question | pace |"
        yield "| --- | ---: | ---: | ---: | ---: |"
        yield from (f"| {one.name} | {_figures(one)} |" for one in texts)
    yield "\nThey are the notices of these bases:\n"
    yield "| notice | documentation | training |"
    yield "| --- | --- | --- |"
    yield from (f"| {one} | {_GROUNDS[BASES[one][0]]} | {_GROUNDS[BASES[one][1]]} |" for one in BASES)
    yield "\n## What they say\n"
    yield "Where a call is not in the sample, or the party declined earlier, N1 takes the place of N6, N7 and N8. N2 takes the"
    yield "place of the joined ones."
    for danish, english in zip(said[::2], said[1::2], strict=True):
        yield f"\n### {danish.name}\n"
        yield from (_item(f"**{one.text.language}**: {one.text.shown}") for one in (danish, english))
    yield "\n## For somebody who joins a call that is being recorded\n"
    yield "Where the notice asks, the newcomer is asked in full. The others hear a short one; the page tells the rest.\n"
    yield "| notice | da | en |"
    yield "| --- | --- | --- |"
    short = everything(NoticeVariant.NEWCOMER)
    told: set[str] = set()
    for danish, english in zip(short[::2], short[1::2], strict=True):
        if danish.text.shown not in told:
            told.add(danish.text.shown)
            cells = " | ".join(f"{one.text.shown} ({one.seconds:.1f} s)" for one in (danish, english))
            yield f"| {danish.name} | {cells} |"
    yield "\n## Where the law obliges to record and the party objects\n"
    yield "The agent says:\n"
    for language in Language:
        answer = text_for(CONTROLLER, line("legal_obligation"), NoticeId.N1, language, NoticeVariant.OBJECTION)
        assert answer is not None
        yield _item(f"**{language}**: {answer.shown}")
    yield "\n## With a key for the other language\n"
    yield (
        "Where a line has a `language_key`, the notice begins with one sentence in the other language, by that language's\n"
        "voice. Whoever does not understand the notice need not wait for its end. The sentence is left out where the agent\n"
        "reads the text aloud.\n"
    )
    keyed = line("legitimate_interest", language_key="8")
    for language in Language:
        text = text_for(CONTROLLER, keyed, NoticeId.N1, language, NoticeVariant.WHOLE)
        assert text is not None
        yield _item(f"**{language}**: *{text.shown[: text.other].strip()}* {text.shown[text.other :]}")
    yield "\n## The page and the keys, as they are spoken\n"
    for one in said[:2]:
        spoken = next(piece for piece in one.text.pieces if piece.shown.startswith("nordlys"))
        yield _item(f"**{one.text.language}**: *{spoken.shown}* is said “{spoken.spoken.strip(', ')}”, after a pause.")
    for one in (each for each in said if each.name == "N7"):
        spoken = next(piece for piece in one.text.pieces if piece.shown == "*9")
        yield _item(f"**{one.text.language}**: *\\*9* is said “{spoken.spoken}”.")
    yield (
        "\nTo a phone whose keys cannot be heard here (no `telephone-event`, RFC 4733), the voice says the same notice\n"
        "without any key."
    )
    yield _OWN.rstrip()


def _item(text: str) -> str:
    """A list's item, in lines of at most 120 letters."""
    return fill(f"- {text}", 120, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _figures(one: Said) -> str:
    question = "–" if one.text.question is None else f"{one.when(one.text.question):.1f}"
    essentials = one.when(one.text.essentials) if one.text.essentials < len(one.text.shown) else one.seconds
    return f"{one.seconds:.1f} | {essentials:.1f} | {question} | {one.rate:.0f}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        Path(sys.argv[2]).write_text(page(), "utf-8")
    else:
        print(page())
