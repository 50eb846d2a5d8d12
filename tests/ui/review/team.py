"""A team's training sample in a real archive, a loudspeaker that is asked by hand, and the review's window over both."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from uuid_utils import uuid7

from softphone.archive.changes.call import CallFacts, PurposeEnd
from softphone.archive.seen import LocalArchive
from softphone.archive.seen.access import viewer_of
from softphone.audio.playback import Speaker
from softphone.audio.streams import Ask
from softphone.domain.archive.reviews import TeamLed
from softphone.domain.changes import CloseRecording
from softphone.domain.errors import SoundError
from softphone.domain.policy import LocalText, ScoreItem
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Direction, Language, Purpose
from softphone.ui.review.app import Review
from softphone.ui.review.dependencies import ReviewDependencies
from softphone.wire.snapshot import CodedText, Look, Settings
from tests.archive.scene import AT, FRAME, RATE, TRAINING, Scene

RESOURCES = Path(__file__).parents[3] / "resources"
ANNA, ALMA, JONAS = "anna.l@nordlys.example", "alma.f@nordlys.example", "jonas.k@nordlys.example"
ZONE = "Europe/Copenhagen"
LINES = {
    "salg": LocalText(da="Salgslinjen", en="Sales line"),
    "service": LocalText(da="Kundeservice", en="Customer service"),
}
CARD = (
    ScoreItem(id="listening", name=LocalText(da="Lyttede og spurgte ind", en="Listened and asked"), points=5),
    ScoreItem(id="clarity", name=LocalText(da="Forklarede aftalen klart", en="Explained the agreement"), points=5),
    ScoreItem(id="next", name=LocalText(da="Sagde, hvad der sker nu", en="Said what happens next"), points=5),
    ScoreItem(id="tone", name=LocalText(da="Tone", en="Tone"), points=5),
)
_AT_ONCE = 20 * RATE
SALES = TeamLed("salg", LocalText(da="Salg", en="Sales"), tuple(LINES), (ANNA, ALMA, JONAS), 20, CARD)


def conversation(seconds: float, seed: int = 1) -> NDArray[np.int16]:
    """(n, 2): two voices that take turns, as loud as speech, with silences between."""
    chance = np.random.default_rng(seed)
    samples = round(seconds * 50) * FRAME
    sound = np.zeros((samples, 2), np.float64)
    at, voice = 0.4, 0
    while at < seconds - 0.5:
        long = float(chance.uniform(1.5, 6.0))
        begin, end = round(at * RATE), min(samples, round((at + long) * RATE))
        time = np.arange(end - begin) / RATE
        syllables = np.clip(np.sin(2 * np.pi * 2.1 * time + chance.uniform(0, 6)), 0, 1) * chance.uniform(0.5, 1)
        words = np.repeat(chance.uniform(0.2, 1.0, len(time) // 4000 + 1), 4000)[: len(time)]
        sound[begin:end, voice] = np.sin(2 * np.pi * (150 + 70 * voice) * time) * syllables * words
        at, voice = at + long + float(chance.choice([0.3, 0.5, 2.5])), 1 - voice
    return (sound * 14_000).astype(np.int16)


def take(
    desk: Scene,
    agent: str | None,
    at: datetime,
    *,
    line: str = "salg",
    sound: NDArray[np.int16] | None = None,
    lasts: float | None = None,
    keep: str | None = None,
    purposes: tuple[Purpose, ...] = (TRAINING,),
    retention: str = "P3M",
    more: Sequence[tuple[int, NDArray[np.int16]]] = (),
) -> str:
    """A call that was recorded and is over. `lasts`: seconds, as the list has it; None: as long as its sound. `more`: further
    segments, each with the call's frame at which it begins; between them nothing is recorded."""
    spoken = sound if sound is not None else conversation(1)
    call = str(uuid7())
    ends = {TRAINING: PurposeEnd(keep_reviewed=Period.parse(keep))} if keep else {}
    periods = dict.fromkeys(purposes, Period.parse(retention))
    facts = CallFacts(
        call, line, Direction.INBOUND, "+4520123456", at, Language.DA, ZONE, periods, agent=agent, ends=ends
    )
    desk.ledger.register_call(replace(facts, recipients=tuple(desk.policy_recipients)))
    recording = desk.open(call, *purposes, at=at)
    spoken_for = 0.0
    for number, (first, sound_of_it) in enumerate([(0, spoken), *more]):
        if number:
            desk.commit(desk.segment(recording, number, *purposes), call=call, recording=recording)
        desk.start(call, recording, number)
        _talk(desk, call, recording, sound_of_it, first)
        desk.recorder.stop(call, recording, number)
        desk.drained(recording, number, len(sound_of_it))
        spoken_for = first / 50 + len(sound_of_it) / RATE
    over = at + timedelta(seconds=lasts if lasts is not None else spoken_for)
    desk.commit(CloseRecording(recording, over, purposes), call=call, recording=recording)
    return recording


def _talk(desk: Scene, call: str, recording: str, sound: NDArray[np.int16], first: int) -> None:
    """No faster than it is sealed: the recorder drops what a call could never bring."""
    pause = threading.Event()
    for at in range(0, len(sound), _AT_ONCE):
        before = len(desk.sealed)
        desk.talk(call, sound[at : at + _AT_ONCE], first + at // FRAME)
        if len(sound) > _AT_ONCE:
            while len(desk.sealed) < before + _AT_ONCE // RATE - 3 and at + _AT_ONCE < len(sound):
                pause.wait(0.005)


class Loudspeaker:
    """A device that asks when it is told to. `ask` is None once nobody may be heard any more; `active` until it is pulled out."""

    def __init__(self) -> None:
        self.ask: Ask | None = None
        self.heard = bytearray()
        self.opened = 0
        self.active = True
        self.fault: SoundError | None = None
        self._lock = threading.Lock()

    def __call__(self, ask: Ask) -> Loudspeaker:
        if self.fault is not None:
            raise self.fault
        with self._lock:
            self.ask = ask
            self.opened += 1
        return self

    @property
    def called_at(self) -> float:
        """It would ask at any moment: nobody waits for a hand."""
        return time.monotonic()

    @property
    def has_begun(self) -> bool:
        return True

    def close(self) -> None:
        with self._lock:
            self.ask = None

    def pull(self, seconds: float) -> bytes:
        """What the device would have played in that time, or silence where it is closed."""
        with self._lock:
            ask = self.ask
        given = b"".join(ask(320) if ask is not None else bytes(320) for _ in range(round(seconds * 100)))
        self.heard += given
        return given


@dataclass
class Reviewed:
    """The window over a desk's archive, as a team lead has it."""

    desk: Scene
    speaker: Loudspeaker = field(default_factory=Loudspeaker)
    now: datetime = AT
    review: Review | None = None
    language: Language = Language.DA
    look: Look = Look.LIGHT

    def deps(
        self, teams: tuple[TeamLed, ...] = (SALES,), *, refusal: CodedText | None = None, show: bool = True
    ) -> ReviewDependencies:
        speaker: Speaker = self.speaker
        viewer = replace(viewer_of(self.desk.archive, None, ()), all_teams=True)
        return ReviewDependencies(
            archive=None if refusal else LocalArchive(self.desk.archive, viewer, lambda: self.now),
            teams=teams,
            speaker=speaker,
            texts=RESOURCES / "translations",
            icons=RESOURCES / "icons",
            themes=RESOURCES / "themes",
            lines=LINES,
            parties=dict.fromkeys(LINES, LocalText(da="kunden", en="the caller")),
            refusal=refusal,
            settings=Settings(language=self.language, look=self.look),
            now=lambda: self.now,
            show=show,
        )

    def open(self, teams: tuple[TeamLed, ...] = (SALES,), *, refusal: CodedText | None = None) -> Review:
        self.review = Review(self.deps(teams, refusal=refusal))
        self.review.open()
        return self.review

    def close(self) -> None:
        if self.review is not None:
            self.review.close()
            self.review.window.deleteLater()
            self.review.deleteLater()
            self.review = None
