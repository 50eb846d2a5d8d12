"""What the demo's two people say: a short invented conversation, as two sounds of the same length, one turn after the other."""

from __future__ import annotations

import io
import wave
from pathlib import Path

from softphone.audio.files import RATE, write_wav
from softphone.bootstrap.voice import Say
from softphone.domain.purpose import Language

PAUSE = 0.5
"""seconds between two turns"""

# Customer first, then in turn.
TURNS = {
    Language.DA: (
        "Hej, det er Mette. Jeg flytter den første marts og vil gerne have strømmen med.",
        "Hej Mette. Det ordner vi nu. Hvad er den nye adresse?",
        "Det er Havnegade tolv, anden sal til venstre.",
        "Tak. Så er aftalen flyttet fra den første marts, til samme pris.",
        "Det lyder godt. Tusind tak for hjælpen.",
        "Selv tak, og held og lykke med flytningen.",
    ),
    Language.EN: (
        "Hello, this is Mette. I am moving on the first of March and would like to bring my contract.",
        "Hello Mette. We will see to it now. What is the new address?",
        "It is twelve Harbour Street, second floor on the left.",
        "Thank you. The contract moves on the first of March, at the same price.",
        "That sounds good. Thank you for your help.",
        "You are welcome, and good luck with the move.",
    ),
}


def speak(say: Say, language: Language, customer: Path, agent: Path) -> None:
    """Writes both people's sounds, 16 kHz mono."""
    sides = (bytearray(), bytearray())
    for turn, text in enumerate(TURNS[language]):
        spoken = _samples(say(text, language)) + bytes(2 * round(PAUSE * RATE))
        sides[turn % 2].extend(spoken)
        sides[1 - turn % 2].extend(bytes(len(spoken)))
    write_wav(customer, bytes(sides[0]))
    write_wav(agent, bytes(sides[1]))


def _samples(wav: bytes) -> bytes:
    with wave.open(io.BytesIO(wav)) as sound:
        return sound.readframes(sound.getnframes())
