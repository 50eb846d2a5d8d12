"""Writes docs/notices.md: every notice in both languages, as it is shown and how long the voice takes to say it.

python -m tests.plugin.notices_page --write docs/notices.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plugins.datatilsynet.tests.lines import line
from plugins.datatilsynet.tests.wordings import BASES
from plugins.datatilsynet.wording import text_for
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
## Your own words, your own voice

A line may have its own words for a notice, with `{page}` and `{keys}` where the page and the opt-out keys are to be said
(`docs/policy.md`). They always wait for a person, who answers for them:

    klartone policy notice salg --policy policy.toml --notice N7

- What is structural is a fault of the policy, with its rule and what to write: no page, a key that is not the line's, a
  question that is not last, a purpose left out, a plain promise that must not be made (deletion on demand, an opt-out where
  there is none, silence for a yes, the law where none obliges).
- All else waits for a person, and Klartone's own text is used until somebody has read the wording and confirmed it:
  `klartone policy check --confirm CODE --by "FIRST LAST"` gives the block to put into the policy. What the check believes
  missing or promised is shown beside it. Another word, another confirmation; who confirmed it and when stays in `check` and
  `explain`.
- The check knows words; it understands nothing. It sees no irony, nor whether the law that is named is the one that obliges,
  nor whether a promise is kept, and it does not hear what a recording says: that must be the text that is shown. Where health
  and the like are recorded on consent, it always asks whether the words name them (G09). Who answers for the notice is the
  controller.

Recorded with a microphone, or made ready from a finished recording, a notice is trimmed and made as loud as the voice (EBU R 128,
-20.5 LUFS, no peak above -3 dB), and lies beside the policy:

    klartone policy record salg --policy policy.toml --notice N7 --language da
    klartone policy record salg --policy policy.toml --notice N7 --language da --from take3.m4a

As a caller hears it, on an ordinary line:

    klartone policy notice salg --policy policy.toml --notice N7 --language da --listen --narrow-band
"""
_INTRO = """\
# The notices, in words and seconds

What a party hears before anything is recorded, in the words of the bundled rulebook (`plugins/datatilsynet/texts`). Each says
what the guideline's table asks of it (N1 to N8) and promises nothing that the table forbids; the check that proves it
(`klartone policy notice`) is held against a controller's own words too. The controller here is Nordlys El A/S, with the
page *nordlys.example/telefonsamtaler* and the opt-out keys *\\*9*.

This page is written by `python -m tests.plugin.notices_page --write docs/notices.md`, from the texts themselves and from
the voice that speaks them: eSpeak NG, set to 160 words a minute. What that comes to depends on the words, and stands below. A
test keeps it true.

## How long they take

Seconds of speech, the silence before it not counted. *Why* is when it has been said that the call is recorded, and why; from
*question* on, a key is an answer.
"""


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
    yield "| notice | documentation | training | da | why | question | words a minute | en | why | question | words a minute |"
    yield "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    said = everything()
    for danish, english in zip(said[::2], said[1::2], strict=True):
        documentation, training = BASES[danish.name]
        figures = " | ".join(_figures(one) for one in (danish, english))
        yield f"| {danish.name} | {_GROUNDS[documentation]} | {_GROUNDS[training]} | {figures} |"
    yield "\n## What they say\n"
    yield "Where a call is not in the sample, or the party declined earlier, N1 takes the place of N6, N7 and N8, and N2 that"
    yield "of the joined ones."
    for danish, english in zip(said[::2], said[1::2], strict=True):
        yield f"\n### {danish.name}\n"
        yield from (f"- **{one.text.language}**: {one.text.shown}" for one in (danish, english))
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
        yield f"- **{language}**: {answer.shown}"
    yield "\n## With a key for the other language\n"
    yield (
        "Where a line has a `language_key`, the notice begins with one sentence in the other language, by that language's voice:"
        " who does not understand the notice need not wait for its end. It is left out where the agent reads the text aloud.\n"
    )
    keyed = line("legitimate_interest", language_key="8")
    for language in Language:
        text = text_for(CONTROLLER, keyed, NoticeId.N1, language, NoticeVariant.WHOLE)
        assert text is not None
        yield f"- **{language}**: *{text.shown[: text.other].strip()}* {text.shown[text.other :]}"
    yield "\n## The page and the keys, as they are spoken\n"
    for one in said[:2]:
        spoken = next(piece for piece in one.text.pieces if piece.shown.startswith("nordlys"))
        yield f"- **{one.text.language}**: *{spoken.shown}* is said “{spoken.spoken.strip(', ')}”, after a pause."
    for one in (each for each in said if each.name == "N7"):
        spoken = next(piece for piece in one.text.pieces if piece.shown == "*9")
        yield f"- **{one.text.language}**: *\\*9* is said “{spoken.spoken}”."
    yield (
        "\nTo a phone that sends no keys that are heard here (no `telephone-event`, RFC 4733), the voice says the same notice"
        " without any key."
    )
    yield _OWN.rstrip()


def _figures(one: Said) -> str:
    question = "–" if one.text.question is None else f"{one.when(one.text.question):.1f}"
    essentials = one.when(one.text.essentials) if one.text.essentials < len(one.text.shown) else one.seconds
    return f"{one.seconds:.1f} | {essentials:.1f} | {question} | {one.rate:.0f}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        Path(sys.argv[2]).write_text(page(), "utf-8")
    else:
        print(page())
