"""A house with an agent and two leads, on real servers: what its agent's window shows of it, and the review of all three.

Not a test.
"""

from __future__ import annotations

import argparse
import base64
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from softphone.archive.crypto import ring
from softphone.archive.crypto.ring import KeyPurpose, Known
from softphone.archive.crypto.wraps import fingerprint, private_name
from softphone.audio.files import write_wav
from softphone.bootstrap.archive.house import house_seen
from softphone.bootstrap.home import Home
from softphone.bootstrap.review import review_dependencies
from softphone.domain.errors import HouseError
from softphone.domain.purpose import KeyRole, Language
from softphone.system.secrets import SystemKeyring
from softphone.system.signature import new_signing_key
from softphone.ui.pictures import Picture
from softphone.ui.review.app import Review
from softphone.ui.review.window import LOWEST, NARROWEST
from softphone.ui.window import DeskWindow
from softphone.wire.from_engine import Snapshot
from softphone.wire.snapshot import Look
from tests.house.joined import link, policy_text, publish
from tests.journeys.desk import Desk
from tests.peers.counter import CYCLE, counter_sound
from tests.pictures.shots import press, shoot, until
from tests.team.desk import coded, made
from tests.team.served import Team, whole
from tests.team_demo.__main__ import servers
from tests.team_demo.people import AgentsDesk, Person, desk_of, settle
from tests.ui.review.team import conversation

AGENT = "sip:anna.lund@127.0.0.1"
CALLER, LINE = "+4520123456", "+4570102037"
ROWS = {
    "house-browser": "the house in the settings: the browser is waited for",
    "house-refused": "the house in the settings: a link that is none",
    "house-joined": "the house in the settings: joined",
    "house-signed-out": "signed out by the house",
    "shared-hint": "a lead has shared a call",
    "waits-for-archive": "what waits for the house's archive",
}
"""of the agent's window"""
REVIEWS = {
    "review-house": "review in a house: another lead has it open, and has commented",
    "review-house-small": "review in a house: the agent has answered, the smallest window",
    "review-house-faster": "review in a house: another lead was faster",
    "review-house-away": "review in a house: it does not answer",
    "review-shared": "shared with the agent: nothing is open yet",
    "review-shared-answer": "shared with the agent: an answer is being written",
    "review-shared-small": "shared with the agent: answered, the smallest window",
    "review-shared-keys": "shared with the agent: the keys",
}
_CARD = """
[[score]]
id = "listening"
name = { da = "Lyttede og spurgte ind", en = "Listened and asked" }

[[score]]
id = "clarity"
name = { da = "Forklarede aftalen klart", en = "Explained the agreement" }
"""
_SAID = {
    Language.DA: ("God åbning: gentog kundens ønske, før hun svarede.", "Tak. Det tager jeg med."),
    Language.EN: ("Good opening: repeated the wish before she answered.", "Thank you. I will remember that."),
}


@dataclass
class Housed:
    """In one language. `taken`: what the agent's window showed so far; `shots`: the folder for the reviews."""

    folder: Path
    team: Team
    language: Language
    shots: Path
    key: bytes = field(default_factory=new_signing_key)
    taken: dict[str, Picture] = field(default_factory=dict[str, Picture])
    shared: str = ""
    """the recording"""

    def joins(self, name: str, role: str, *keys: KeyRole) -> Person:
        person = Person(self.folder, name)
        here = SystemKeyring(person.ring)
        for one in keys:
            private = self.team.keys.keys[one]
            public = private.public_key().public_bytes_raw()
            here.set(private_name(fingerprint(public)), private.private_bytes_raw())
            ring.remember(here, Known(f"{one.value}-1", KeyPurpose(one.value), public))
        agents = (AGENT,) if role == "agent" else ()
        if agents:
            voice = self.folder / "agent.wav"
            write_wav(voice, counter_sound(CYCLE))
            settle(person, voice)
        invited = link(self.team, self.key, role, name=name, agents=agents)
        person.does("join", invited, "--authority", self.team.authority)
        return person

    @contextmanager
    def review(self, person: Person, look: Look) -> Generator[Review]:
        own = Home.of(argparse.Namespace(home=person.home.root))
        with person.at_home():
            settings, _ = own.settings(only_look=True)
            deps = review_dependencies(settings, own.archive(settings), house=lambda: house_seen(own, settings))
        review = Review(replace(deps, settings=replace(settings, language=self.language, look=look)))
        try:
            review.open()
            yield review
        finally:
            review.close()
            review.window.deleteLater()
            review.deleteLater()
            QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
            if deps.archive is not None:
                deps.archive.close()

    def take(
        self, eye: Desk, name: str, met: Callable[[Snapshot], object], later: int = 0, *, settings: bool = False
    ) -> None:
        """As the agent's window looks so many minutes later."""
        snapshot = eye.wait(lambda now: now if met(now) else None, name, 240)
        at = datetime.now(UTC) + timedelta(minutes=later)
        self.taken[name] = Picture(name, snapshot, at, settings=settings, then=_shows_house if settings else _nothing)

    def shot(self, name: str, on: Review, look: Look, *size: int) -> None:
        shoot(self.shots, name, on, self.language, look, *size)


@contextmanager
def housed(folder: Path, language: Language, shots: Path) -> Generator[Housed]:
    with servers(folder) as team:
        house = Housed(folder, team, language, shots)
        text = policy_text(team, 7).replace('notice_language = "da"', f'notice_language = "{language}"')
        public = base64.b64encode(team.receipts.public_key().public_bytes_raw()).decode()
        publish(team, 7, house.key, text=f'{text}receipt_key = "{public}"\n{_CARD}')
        team.command("account", "set", AGENT.removeprefix("sip:"), "--no-register")
        team.start()
        yield house


def take_pictures(folder: Path, language: Language, shots: Path) -> dict[str, Picture]:
    """The reviews are in `shots` then; gives what is to be drawn of the agent's window."""
    with housed(folder, language, shots) as house:
        anna = house.joins("anna", "agent")
        lars, ida = (house.joins(name, "lead", KeyRole.TRAINING) for name in ("lars", "ida"))
        desk, now = house.team.desk("agent", agents=(AGENT,), name="anna's desk"), datetime.now(UTC)
        for seed, (ago, line, seconds) in enumerate(((26, "n4", 41), (1, "n7", 70))):
            sound = coded(conversation(seconds, seed))
            one = made(house.team.keys, agent=AGENT, line=line, started=now - timedelta(hours=ago), sound=sound)
            assert whole(desk.upload(one))["state"] == "stored"
            house.shared = one.recording
        with house.review(lars, Look.LIGHT) as first:
            _shares(house, first)
            with house.review(ida, Look.LIGHT) as second:
                _opens(house, second)
                until(lambda: bool(second.opened and second.opened.others))
                house.shot("review-house", second, Look.LIGHT)
        with desk_of(anna, {"QT_QPA_PLATFORM": "offscreen"}) as at:
            _on_the_desk(house, at)
            for look in (Look.DARK, Look.LIGHT):
                _shared(house, anna, look)
                with house.review(lars, look) as first, house.review(ida, look) as second:
                    _two_leads(house, first, second, look)
            house.team.sql("UPDATE desks SET revoked_at = now()")
            house.take(
                at.eye, "house-signed-out", lambda now: "error.house.signed_out" in [it.code for it in now.faults]
            )
    return house.taken


def _opens(house: Housed, on: Review) -> None:
    model = on.window.model
    until(lambda: model.find(house.shared) is not None and bool(on.browsing.counts))
    on.window.list.setCurrentIndex(model.index(model.find(house.shared) or 0))
    press(on, Qt.Key.Key_Return)
    until(lambda: on.opened is not None and on.window.detail.waveform.drawn_whole, 180)


def _shares(house: Housed, on: Review) -> None:
    _opens(house, on)
    on.sound.seek(9 * 16_000)
    press(on, Qt.Key.Key_C)
    comments, (said, _) = on.window.detail.comments, _SAID[house.language]
    comments.line.setText(said)
    QTest.keyClick(comments.line, Qt.Key.Key_Return)
    until(lambda: bool(comments.comments))
    press(on, Qt.Key.Key_4)
    press(on, Qt.Key.Key_D)
    until(lambda: house.team.sql("SELECT shared FROM reviews") == [(True,)])


def _shared(house: Housed, anna: Person, look: Look) -> None:
    """With the agent, who answers once."""
    with house.review(anna, look) as on:
        comments = on.window.detail.comments
        until(lambda: bool(on.window.model.rows))
        house.shot("review-shared", on, look)
        _opens(house, on)
        on.sound.seek(12 * 16_000)
        press(on, Qt.Key.Key_C)
        comments.line.setText(_SAID[house.language][1])
        house.shot("review-shared-answer", on, look)
        if len(comments.comments) == 1:
            QTest.keyClick(comments.line, Qt.Key.Key_Return)
            until(lambda: len(comments.comments) == 2)
        else:
            comments.leave()
        house.shot("review-shared-small", on, look, NARROWEST, LOWEST)
        press(on, Qt.Key.Key_Question)
        house.shot("review-shared-keys", on, look)


def _two_leads(house: Housed, first: Review, second: Review, look: Look) -> None:
    for on in (first, second):
        _opens(house, on)
    until(lambda: bool(second.opened and second.opened.others))
    until(lambda: len(second.window.detail.comments.comments) == 2)
    if look is Look.DARK:
        house.shot("review-house", second, look)
    house.shot("review-house-small", second, look, NARROWEST, LOWEST)
    scores = [one.window.detail.scores for one in (first, second)]
    for points in (2, 3, 4, 5):  # until both were written at the same time
        for each, one in zip(scores, (points, points - 1), strict=True):
            each.given.emit("clarity", one)
        try:
            until(lambda: any(on.window.note.isVisible() for on in (first, second)), 3)
        except TimeoutError:
            continue
        break
    house.shot("review-house-faster", first if first.window.note.isVisible() else second, look)
    house.team.stop()
    until(lambda: second.opened is None, 60)
    house.shot("review-house-away", second, look)
    house.team.start()


def _on_the_desk(house: Housed, desk: AgentsDesk) -> None:
    eye = desk.eye
    house.take(eye, "house-joined", lambda now: now.house and now.house.heard, settings=True)
    house.take(eye, "shared-hint", lambda now: now.house and now.house.shared)
    call = desk.is_called(CALLER, LINE)
    desk.records(call, 2)
    house.team.stop()
    desk.ends(call)
    waits = "waits-for-archive"
    house.take(eye, waits, lambda now: now.shipping and now.shipping.count and now.shipping.trouble, later=12)
    house.team.start()
    _not_joined(house)


def _not_joined(house: Housed) -> None:
    """The field for a link, where somebody signs in, and where it was none."""
    joined = house.taken["house-joined"]
    bare = replace(joined.snapshot, house=None, locked={})

    def waits(window: DeskWindow) -> None:
        _types(window, "https://arkiv.nordlys.example")
        window.settings.house.asks(True)
        _shows_house(window)

    def refused(window: DeskWindow) -> None:
        _types(window, "https://nordlys.example")
        window.settings.house.failed(HouseError("error.house.no_link"))
        _shows_house(window)

    for name, then in (("house-browser", waits), ("house-refused", refused)):
        house.taken[name] = replace(joined, name=name, snapshot=bare, then=then)


def _types(window: DeskWindow, link: str) -> None:
    section = window.settings.house
    section.link.setText(link)
    section.link.textEdited.emit(link)
    section.link.returnPressed.emit()


def _shows_house(window: DeskWindow) -> None:
    for _ in range(5):  # a section grows in several turns
        QApplication.processEvents()
    window.settings.reel.ensureWidgetVisible(window.settings.house)


def _nothing(_window: DeskWindow) -> None: ...
