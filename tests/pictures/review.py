"""The team lead's review, of a real archive: what a lead has before them, in both languages and looks. Not a test."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from softphone.archive.changes.tally import Tallied, tally
from softphone.archive.files.container import Chunk, read_header, scan
from softphone.archive.review.sample import SampleFilter
from softphone.audio.playback import SPEEDS
from softphone.domain.archive.reviews import TeamLed
from softphone.domain.changes import DropWraps
from softphone.domain.errors import SoundError
from softphone.domain.purpose import KeyRole, Language
from softphone.ui.application import make_application
from softphone.ui.review.app import Review
from softphone.ui.review.window import HEIGHT, LOWEST, NARROWEST, WIDTH
from softphone.wire.snapshot import CodedText, Look
from tests.archive.scene import AT, DOCUMENTATION, TRAINING, Scene, scene
from tests.pictures.shots import press, shoot, until
from tests.ui.review.many import add_sample
from tests.ui.review.team import ALMA, ANNA, JONAS, SALES, Loudspeaker, Reviewed, conversation, take

SOFIE, MIKKEL = "sofie.r@nordlys.example", "mikkel.t@nordlys.example"
TEAM = replace(SALES, agents=(*SALES.agents, SOFIE, MIKKEL))
PICTURES = {
    "review-open": "review: a recording is open and plays",
    "review-small": "review: the smallest window",
    "review-large": "review: a large window",
    "review-writing": "review: a comment is being written",
    "review-gone": "review: gone while it was open",
    "review-too-many": "review: more than is got through",
    "review-unseen": "review: some expired unheard",
    "review-unreviewed": "review: nobody has reviewed any yet",
    "review-not-whole": "review: a recording that is not whole",
    "review-not-whole-small": "review: a recording that is not whole, the smallest window",
    "review-choose": "review: nothing is open yet",
    "review-unheard": "review: reviewed was pressed, and nothing of it has been played",
    "review-reviewed": "review: what was reviewed",
    "review-erases": "review: reviewed erases it",
    "review-undo": "review: erased in seconds, unless it is undone",
    "review-no-speaker": "review: no speaker",
    "review-keys": "review: the keys",
    "review-empty": "review: an empty sample",
    "review-no-key": "review: without the key",
}
_SAID = {
    Language.DA: (
        (9.0, "God åbning: gentog kundens ønske, før hun svarede."),
        (42.0, "Her kunne bindingsperioden være nævnt først."),
        (96.0, "Fin opsamling."),
    ),
    Language.EN: (
        (9.0, "Good opening: repeated the wish before she answered."),
        (42.0, "The commitment period could have come first here."),
        (96.0, "Well summed up."),
    ),
}


def take_pictures(folder: Path, language: Language) -> list[str]:
    """Each as `<folder>/<name>-<language>-<look>.png`; gives what it has taken."""
    make_application().setDoubleClickInterval(0)  # nobody presses twice
    folder.mkdir(parents=True, exist_ok=True)
    taken: list[str] = []
    for look in (Look.LIGHT, Look.DARK):
        with TemporaryDirectory() as place, scene(Path(place) / "archive") as desk:
            shot = _Shots(folder, language, look, taken)
            with shot.window(desk, refusal=CodedText("review.refusal.no_key")) as on:
                shot.take("review-no-key", on)
            # Something is sealed for the lead, and nothing of it may be heard any more.
            take(desk, ANNA, AT - timedelta(days=120), sound=conversation(2))
            with shot.window(desk) as on:
                until(lambda on=on: bool(on.filter_counts) and on.window.panel.figures is not None)
                shot.take("review-empty", on)
            newest = _sample(desk)
            with shot.window(desk) as on:
                _worked(shot, desk, on, newest, language)
            for name, more in (("review-unseen", _expire), ("review-too-many", _pile_up)):
                more(desk)
                with shot.window(desk) as on:
                    until(lambda on=on: on.window.panel.figures is not None and len(on.window.model.rows) > 5)
                    shot.take(name, on)
        with TemporaryDirectory() as place, scene(Path(place) / "archive") as desk:
            _not_whole(desk)
            with shot.window(desk, team=replace(TEAM, capacity=None)) as on:
                until(lambda on=on: on.window.panel.figures is not None and on.window.model.rows)
                shot.take("review-unreviewed", on)
                press(on, Qt.Key.Key_N)
                until(lambda on=on: on.opened is not None and on.window.detail.waveform.drawn_whole)
                shot.take("review-not-whole", on)
                shot.take("review-not-whole-small", on, NARROWEST, LOWEST)
    return taken


def _worked(shot: _Shots, desk: Scene, on: Review, newest: str, language: Language) -> None:
    window = on.window
    until(lambda: window.panel.figures is not None and len(window.model.rows) > 5)
    shot.take("review-choose", on)
    press(on, Qt.Key.Key_N)
    until(lambda: on.opened is not None and window.detail.waveform.drawn_whole)
    for seconds, text in _SAID[language]:
        on.sound.seek(round(seconds * 16_000))
        press(on, Qt.Key.Key_C)
        window.detail.comments.line.setText(text)
        if seconds == _SAID[language][1][0]:
            shot.take("review-writing", on)
        QTest.keyClick(window.detail.comments.line, Qt.Key.Key_Return)
        until(lambda text=text: text in [one.text for one in window.detail.comments.comments])
    for digit in (Qt.Key.Key_4, Qt.Key.Key_3, Qt.Key.Key_5):
        press(on, digit)
    window.detail.scores.share.click()
    on.sound.seek(42 * 16_000)
    press(on, Qt.Key.Key_S)
    assert SPEEDS[1] == 1.25
    press(on, Qt.Key.Key_K)
    press(on, Qt.Key.Key_Space)
    until(lambda: on.sound.playing)
    shot.take("review-open", on)
    shot.take("review-small", on, NARROWEST, LOWEST)
    shot.take("review-large", on, 1680, 980)
    press(on, Qt.Key.Key_Question)
    shot.take("review-keys", on)
    press(on, Qt.Key.Key_Question)
    press(on, Qt.Key.Key_Space)
    until(lambda: not on.sound.playing)
    shot.speaker.fault = SoundError("no_speaker", device="", reason="")
    press(on, Qt.Key.Key_Space)
    until(window.detail.fault.isVisible)
    shot.take("review-no-speaker", on)
    desk.commit(DropWraps(newest, KeyRole.TRAINING, "withdrawn"), recording=newest)
    left = len(window.model.rows) - 1
    until(lambda: on.opened is None and on.filter_counts[SampleFilter.WAITING] == len(window.model.rows) == left)
    shot.take("review-gone", on)
    press(on, Qt.Key.Key_N)
    until(lambda: on.opened is not None)
    count = len(window.model.rows)
    press(on, Qt.Key.Key_R)
    shot.take("review-unheard", on)
    press(on, Qt.Key.Key_R)
    until(lambda: len(window.model.rows) < count and on.opened is not None)
    window.filters[SampleFilter.ALL].click()
    until(lambda: any(row.reviewed_at for row in window.model.rows) and on.filter_counts[SampleFilter.REVIEWED] > 0)
    shot.take("review-reviewed", on)
    once = next(row.recording for row in window.model.rows if not row.kept_reviewed)
    on.open_recording(once)
    until(lambda: on.opened is not None and on.opened.row.recording == once)
    shot.take("review-erases", on)
    for _ in range(2):
        press(on, Qt.Key.Key_R)
    until(lambda: window.undo.isVisible() and on.opened is not None)
    shot.take("review-undo", on)


class _Shots:
    """Windows over an archive in one language and look, and the pictures of them."""

    def __init__(self, folder: Path, language: Language, look: Look, taken: list[str]) -> None:
        self._folder, self._language, self._look, self._taken = folder, language, look, taken
        self.speaker = Loudspeaker()

    @contextmanager
    def window(self, desk: Scene, *, team: TeamLed = TEAM, refusal: CodedText | None = None) -> Generator[Review]:
        reviewed = Reviewed(desk, language=self._language, look=self._look)
        self.speaker = reviewed.speaker
        try:
            yield reviewed.open(() if refusal else (team,), refusal=refusal)
        finally:
            reviewed.close()
            QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)

    def take(self, name: str, on: Review, width: int = WIDTH, height: int = HEIGHT) -> None:
        shoot(self._folder, name, on, self._language, self._look, width, height)
        self._taken.append(name)


def _sample(desk: Scene) -> str:
    """A team's sample on a working day; the newest has a pause in it, and two minutes of sound."""
    at = AT - timedelta(minutes=1)
    for number, (agent, line, ago, lasts, keep) in enumerate(
        (
            (ALMA, "salg", timedelta(hours=2, minutes=10), 220, "P14D"),
            (JONAS, "service", timedelta(hours=19, minutes=39), 665, "P14D"),
            (ALMA, "salg", timedelta(hours=20, minutes=54), 130, "P14D"),
            (SOFIE, "service", timedelta(days=1, minutes=29), 475, None),
            (JONAS, "service", timedelta(days=2), 271, None),
            (MIKKEL, "salg", timedelta(days=2, hours=3), 560, None),
            (SOFIE, "service", timedelta(days=5, hours=1), 302, None),
            (ALMA, "salg", timedelta(days=37), 524, None),
        )
    ):
        take(desk, agent, at - ago, line=line, lasts=lasts, keep=keep, sound=conversation(8, number))
    recording = take(
        desk,
        ANNA,
        at,
        keep="P14D",
        purposes=(DOCUMENTATION, TRAINING),
        sound=conversation(70, 3),
        more=[((70 + 38) * 50, conversation(48, 5))],
    )
    with desk.archive.catalog.writing() as tx:
        for what, count in (
            (Tallied.DRAWN, 120),
            (Tallied.DECLINED, 16),
            (Tallied.RECORDED, 95),
            (Tallied.REVIEWED, 58),
        ):
            for _ in range(count):
                tally(tx, "salg", ANNA, "2026-11", what)
        for day in (2, 5, 10, 12, 17, 19, 24):
            for _ in range(8):
                tally(tx, "salg", ANNA, f"2026-11-{day:02}", "reviewed_on")
    return recording


def _not_whole(desk: Scene) -> None:
    """Two that wait. In the newer one ten seconds after a pause are missing, a part cannot be opened, and it broke off."""
    take(desk, JONAS, AT - timedelta(days=1), line="service", lasts=271, sound=conversation(8, 2))
    more = [(108 * 50, conversation(40, 5)), (160 * 50, conversation(4, 6)), (170 * 50, conversation(30, 7))]
    recording = take(desk, ANNA, AT - timedelta(minutes=4), keep="P14D", sound=conversation(70, 3), more=more)
    with desk.archive.catalog.writing() as tx:
        for _ in range(2):
            tally(tx, "salg", ANNA, "2026-11", Tallied.DRAWN)
    path = desk.archive.vault.path(recording)
    whole = bytearray(path.read_bytes())
    chunks = [one for one in scan(bytes(whole), read_header(bytes(whole))[1]) if isinstance(one, Chunk)]
    after_pause = [one for one in chunks if one.segment == 1]
    for chunk in (*after_pause[12:22], *(one for one in chunks if one.segment == 2)):
        whole[chunk.offset + 40] ^= 1
    del whole[chunks[-6].offset :]
    path.write_bytes(whole)


def _pile_up(desk: Scene) -> None:
    """Far more wait than anybody hears: rows alone, for none of these is opened."""
    add_sample(desk.archive, 400)
    with desk.archive.catalog.writing() as tx:
        for what, count in ((Tallied.DRAWN, 400), (Tallied.RECORDED, 400), (Tallied.REVIEWED, 80)):
            for _ in range(count):
                tally(tx, "salg", ANNA, "2026-11", what)


def _expire(desk: Scene) -> None:
    """Some went unheard."""
    with desk.archive.catalog.writing() as tx:
        for _ in range(14):
            tally(tx, "salg", ANNA, "2026-10", Tallied.EXPIRED_UNSEEN)
