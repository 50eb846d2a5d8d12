"""What is done with the open recording: it is played, commented on, scored and shared, by keys and buttons.

It holds all that the window has of it. When it lets go, only how much was heard is left. Others decide which one is opened,
and why it goes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from softphone.audio.playback import SPEEDS, Heard, Speaker
from softphone.domain.archive.recordings import RATE, Mark
from softphone.domain.archive.reviews import Comment
from softphone.domain.errors import KlartoneError
from softphone.domain.policy import ScoreItem
from softphone.ui.review import words
from softphone.ui.review.dependencies import Opened, Stored
from softphone.ui.review.transport import speed_words
from softphone.ui.review.window import ReviewWindow
from softphone.ui.review.work.archive_worker import ArchiveWorker
from softphone.ui.review.work.sound import Sound
from softphone.ui.view import View

SEEK = 5 * RATE
"""samples that a press of an arrow key jumps"""
_BEGUN = RATE
"""samples"""
_PLAYING, _IDLE = 40, 30_000
"""ms between two drawings of the playhead"""
_DRY = 0.4
"""seconds without sound after which it is said that it is being fetched"""


class Listening(QObject):
    """`.opened` is the open one, or None. changed(): draw anew. told(sentence): for a screen reader."""

    changed = Signal()
    announced = Signal(str)

    def __init__(
        self, window: ReviewWindow, shelf: ArchiveWorker | None, speaker: Speaker, view: Callable[[], View]
    ) -> None:
        super().__init__()
        self._window, self._shelf, self._view = window, shelf, view
        self.sound = Sound(speaker)
        self.opened: Opened | None = None
        self._heard: dict[str, Heard] = {}
        """what was heard of each, as long as the window is open and the recording there"""
        self._was_playing = False
        """until a comment was begun"""
        self._storing = 0
        """what was said of it and not yet reported as stored or failed"""
        self._unwritten: dict[str, tuple[int, str]] = {}
        """of recordings that are closed for now: the moment and the words of a comment that is not stored"""
        self._then: Callable[[], object] | None = None
        """to be done once the comment's line is stored"""
        self._speed, self._skips = 0, False
        self._dry_since: float | None = None
        """the monotonic moment since which it is to play and has nothing"""
        self._tick = QTimer(self)
        self._tick.timeout.connect(self.count)
        sound, detail = self.sound, window.detail
        sound.drawn.connect(self._take_wave)
        sound.marked.connect(self._take_marks)
        sound.changed.connect(self.changed)
        sound.failed.connect(self._sound_failed)
        window.digit.connect(self._digit)
        detail.waveform.jumped.connect(self._seek)
        detail.comments.jumped.connect(self._seek)
        detail.comments.written.connect(self._comment)
        detail.comments.removed.connect(self._remove)
        detail.comments.closed.connect(self._written)
        detail.comments.emptied.connect(self._to_list)
        detail.scores.given.connect(self._score)
        detail.scores.shared.connect(self._share)
        if shelf is not None:
            shelf.stored.connect(self._take_stored)
            shelf.reread.connect(self._take_reread)
            shelf.commented.connect(self._commented)

    def start(self) -> None:
        self.sound.start()
        self._tick.start(_IDLE)

    def stop(self) -> None:
        self._tick.stop()
        self.sound.stop()

    def take(self, opened: Opened, card: tuple[ScoreItem, ...]) -> None:
        """Another recording, silent until it is played. The one before was let go."""
        self.opened, self._storing = opened, 0
        detail = self._window.detail
        detail.tell_fault("")
        self.sound.take(opened, self._heard.setdefault(opened.row.recording, Heard(opened.length)))
        detail.waveform.begin(opened.length)
        self._show_comments(opened.comments)
        detail.scores.show_card(card)
        detail.scores.begin(opened.scores, shared=opened.shared)
        detail.order_tabs()
        self._window.list.show_open(opened.row.recording)
        if (unwritten := self._unwritten.pop(opened.row.recording, None)) is not None:
            detail.comments.write_at(*unwritten)

    @property
    def heard(self) -> int:
        """Whole seconds of the open one that have been heard, each counted once."""
        return self._samples_heard // RATE

    @property
    def is_heard(self) -> bool:
        """Whether at least a second of it was, or all if it is shorter."""
        return self.opened is not None and self._samples_heard >= min(RATE, self.opened.length)

    @property
    def _samples_heard(self) -> int:
        return self._heard[self.opened.row.recording].samples if self.opened is not None else 0

    def forget(self, recordings: Collection[str]) -> None:
        """How much of each was heard."""
        for one in recordings:
            self._heard.pop(one, None)
            self._unwritten.pop(one, None)

    @property
    def keeps_any(self) -> bool:
        return bool(self._unwritten)

    def keeps(self, recording: str) -> bool:
        """Whether something that was being written of it waits for it to be opened again."""
        return recording in self._unwritten

    def when_stored(self, action: Callable[[], object]) -> None:
        """At once, or after the comment's line is stored; never if it cannot be."""
        comments = self._window.detail.comments
        if self.opened is None or not comments.unsaved:
            action()
            return
        self._then = action
        comments.write()

    def let_go(self, then: Callable[[], None] | None = None, *, for_now: bool = False) -> None:
        """Nothing of the open one stays, but with `for_now` what is being written. `then` runs instead of closing it, once
        nothing reads it any more."""
        opened, self.opened = self.opened, None
        self._was_playing, self._then = False, None
        detail = self._window.detail
        if for_now and opened is not None and detail.comments.unsaved:
            self._unwritten[opened.row.recording] = detail.comments.written_so_far
        detail.comments.leave()
        detail.comments.show_comments(())
        detail.waveform.forget()
        detail.forget()
        detail.scores.forget()
        self._window.list.show_open("")
        shelf = self._shelf
        if opened is not None and shelf is not None:
            self.sound.let_go(then or (lambda: shelf.close(opened.number)))

    def render_view(self, view: View) -> None:
        speed = SPEEDS[self._speed]
        detail = self._window.detail
        detail.transport.render_view(
            view, plays=self.sound.playing, speed=speed, skips=self._skips, comments=detail.comments.may_write
        )
        self.count()

    def count(self) -> None:
        """The playhead, and how far it has come."""
        waits = self.sound.waits
        self._dry_since = (self._dry_since or time.monotonic()) if waits else None
        wanted = _PLAYING if self.sound.playing or waits else _IDLE
        if self._tick.isActive() and self._tick.interval() != wanted:
            self._tick.start(wanted)
        if self.opened is not None:
            at = self.sound.position
            self._window.detail.waveform.show_position(at)
            dry = self._dry_since is not None and time.monotonic() - self._dry_since > _DRY
            self._window.detail.transport.show_time(at / RATE, self.opened.length / RATE, fetches=dry)

    def key(self, what: str) -> None:
        """For keys and buttons that need an open recording; others are ignored."""
        if self.opened is None:
            return
        if what == "play":
            if self.sound.playing:
                self.sound.pause()
            else:
                self._window.detail.tell_fault("")
                self.sound.play()
                self.count()
        elif what in ("back", "on"):
            self._seek(self.sound.position + (SEEK if what == "on" else -SEEK))
        elif what == "speed":
            self._speed = (self._speed + 1) % len(SPEEDS)
            self.sound.set_speed(SPEEDS[self._speed])
            texts = self._view().texts
            self.announced.emit(texts("review.speed", speed=speed_words(texts, SPEEDS[self._speed])))
        elif what == "skip":
            self._skips = not self._skips
            self.sound.set_skips_silence(on=self._skips)
            self.announced.emit(self._view().texts("review.skip.is_on" if self._skips else "review.skip.is_off"))
        elif what == "comment" and self._window.detail.comments.may_write:
            if not self._window.detail.comments.writing:
                self._was_playing = self.sound.playing
                self.sound.pause()
            self._window.detail.comments.write_at(self.sound.position)
        elif what in ("comment_before", "comment_after"):
            self._to_comment(after=what == "comment_after")
        elif what == "share":
            self.announced.emit(self._window.detail.scores.press_share())

    def _to_comment(self, *, after: bool) -> None:
        """While it plays, the recording that has just begun to sound is not the one before."""
        at = self.sound.position - (_BEGUN if self.sound.playing and not after else 0)
        if (found := self._window.detail.comments.next_to(at, after=after)) is not None:
            number, comment = found
            self._seek(comment.sample)
            moment = words.length(comment.sample / RATE)
            texts = self._view().texts
            text = words.said(texts, comment)
            self.announced.emit(texts("review.comment.reached", number=number, at=moment, text=text))

    def _digit(self, number: int) -> None:
        """Said aloud: the question that gets it need not have the focus."""
        if self.opened is not None and (text := self._window.detail.scores.give_next(number)):
            self.announced.emit(text)

    # --- the sound ------------------------------------------------------------------------------

    def _take_wave(self, turn: int, first: int, loud: NDArray[np.float32]) -> None:
        if turn == self.sound.turn:
            self._window.detail.waveform.take(first, loud)

    def _take_marks(self, turn: int, marks: Sequence[Mark]) -> None:
        if turn == self.sound.turn:
            self._window.detail.waveform.show_marks(marks)
            self.changed.emit()

    def _sound_failed(self, error: KlartoneError) -> None:
        texts = self._view().texts
        known = f"review.sound.{error.code.removeprefix('error.')}"
        text = texts(known, **error.params) if known in texts else texts.error(error)
        self._window.detail.tell_fault(text)
        self.announced.emit(text)

    def _seek(self, at: int) -> None:
        self.sound.seek(at)
        self.count()

    # --- what is said of it ---------------------------------------------------------------------

    def _comment(self, sample: int, text: str) -> None:
        if self.opened is not None and self._shelf is not None:
            self._storing += 1
            self._shelf.comment(self.opened.number, sample, text)

    def _remove(self, comment: Comment) -> None:
        if self.opened is not None and self._shelf is not None:
            self._storing += 1
            self._shelf.remove(self.opened.number, comment)

    def _written(self) -> None:
        """The line is closed, whatever became of it; interrupted sound goes on."""
        self._to_list()
        if self._was_playing:
            self._was_playing = False
            self.sound.play()

    def _to_list(self) -> None:
        self._window.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _take_stored(self, number: int, stored: Stored) -> None:
        """Once nothing more is on its way, show what is stored."""
        if self.opened is None or self.opened.number != number:
            return
        self._storing -= 1
        if self._storing:
            self._show_comments(stored.comments)
        else:
            self._show_said(stored)

    def _take_reread(self, number: int, stored: Stored) -> None:
        """What others have said. While something of one's own is on its way, that brings it."""
        if self.opened is None or self.opened.number != number or self._storing:
            return
        if set(stored.others) - set(self.opened.others):
            names = ", ".join(one or self._view().texts("review.someone") for one in stored.others)
            self.announced.emit(self._view().texts("review.others", who=names))
        self._show_said(stored)

    def _show_said(self, stored: Stored) -> None:
        assert self.opened is not None
        self.opened = replace(self.opened, others=stored.others)
        self._show_comments(stored.comments)
        self._window.detail.scores.show_stored(stored.scores, shared=stored.shared)
        self.changed.emit()

    def _commented(self, number: int, done: bool) -> None:
        if self.opened is None or self.opened.number != number:
            return
        then, self._then = self._then, None
        if then is not None:
            self._was_playing = False
        if done:
            self.announced.emit(self._view().texts("review.comment.stored"))
        self._window.detail.comments.stored(done=done)
        if then is not None and done:
            then()

    def _show_comments(self, comments: tuple[Comment, ...]) -> None:
        detail = self._window.detail
        detail.comments.show_comments(comments)
        detail.waveform.show_moments([one.sample for one in detail.comments.comments])
        detail.order_tabs()

    def _score(self, item: str, points: int) -> None:
        if self.opened is not None and self._shelf is not None:
            self._storing += 1
            self._shelf.score(self.opened.number, item, points)

    def _share(self, on: bool) -> None:
        if self.opened is not None and self._shelf is not None:
            self._storing += 1
            self._shelf.share(self.opened.number, on=on)
