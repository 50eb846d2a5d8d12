"""Feeds each call's session one event after another, carries out its effects, and runs its clocks.

A call's state changes nowhere else. `domain.session` decides; the effect runner does what it wants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from softphone.calls.effect_runner import EffectRunner
from softphone.calls.live import LiveCall
from softphone.calls.notices import CallNotices
from softphone.calls.ports import RecorderPort
from softphone.domain import effects as do
from softphone.domain import events as ev
from softphone.domain.errors import KlartoneError
from softphone.domain.purpose import Reason
from softphone.domain.session import step
from softphone.system.logbook import log, log_bug

_log = log.getChild("engine")


class SessionRunner:
    """One for all calls. `changed` says that a snapshot is due."""

    def __init__(
        self,
        hands: EffectRunner,
        recorder: RecorderPort,
        notices: CallNotices,
        clock: Callable[[], ev.Now],
        changed: Callable[[], None],
    ) -> None:
        self._hands = hands
        self._recorder = recorder
        self._notices = notices
        self._clock = clock
        self._changed = changed
        self.occurred = hands.occurred

    def feed(self, call: LiveCall, event: ev.Event) -> bool:
        """Events wait until the rulebook has answered. False if a bug kept it from being done."""
        if not (call.decided or isinstance(event, ev.Rang)):
            call.waiting.append(event)
            return True
        call.queue.append(event)
        if len(call.queue) > 1:
            return True  # an effect of the first event led to this one: it is next
        done = True
        while call.queue:
            effects: Sequence[do.Effect] = ()
            try:
                call.state, effects = step(call.state, call.queue[0], self._clock())
            except Exception as error:  # noqa: BLE001 - whatever it is: its state is as it was
                done, call.in_doubt = False, True
                self._stop_in_doubt(call, error)
            try:
                self._notices.follow(call)
            except Exception as error:  # noqa: BLE001
                self._stop_in_doubt(call, error)
            for effect in effects:
                try:
                    if (follows := self._hands.carry_out(call, effect)) is not None:
                        call.queue.append(follows)
                except KlartoneError as error:
                    # The call is gone from SIP, or has no media now; an event of its own says what that means.
                    _log.info("effect %s: %s", type(effect).__name__, error.code)
                except Exception as error:  # noqa: BLE001
                    self._stop_in_doubt(
                        call, error, *([ev.NoticeFailed()] if isinstance(effect, do.PlayNotice) else [])
                    )
            call.queue.popleft()
        self._hands.look_at(call)
        self._changed()
        return done

    def run_due(self, call: LiveCall) -> None:
        now = self._clock().mono
        self._pass_marks(call, now)
        if call.notice_by is not None and call.notice_by <= now:
            self.notice_failed(call, "overdue")
        self._look_for_hung(call, now)
        for timer, due in [*call.timers.items()]:
            if due <= now and call.timers.get(timer) == due:
                del call.timers[timer]
                self.feed(call, ev.TimedOut(timer))

    def _look_for_hung(self, call: LiveCall, now: float) -> None:
        late = [ticket for ticket, by in call.opening.items() if by <= now]
        for ticket in late:
            del call.opening[ticket]
        if late:
            call.hung = True
            self.occurred(call, "recorder_failed", {"reason": Reason.STORAGE_FAILED.value})
            self.feed(call, ev.RecorderFailed(Reason.STORAGE_FAILED))

    def written(self, call: LiveCall, ticket: int) -> None:
        """Nothing waits any more for a transaction that hung: its segment is too late, and another can begin."""
        call.opening.pop(ticket, None)
        self.feed(call, ev.Committed(ticket))
        if call.hung:
            call.hung = False
            self.feed(call, ev.StorageWorks())

    def notice_started(self, call: LiveCall, at: float) -> None:
        """`at`: the monotonic time of its first sample."""
        if call.notice is None:
            return
        call.marks = [(at + call.notice.essentials, ev.Mark.ESSENTIALS)]
        if call.notice.question is not None:
            call.marks.append((at + call.notice.question, ev.Mark.QUESTION))
        self.occurred(call, "notice_started", {"seconds": call.notice.seconds})
        self.feed(call, ev.NoticeStarted(call.notice.seconds))

    def notice_heard(self, call: LiveCall) -> None:
        self._pass_marks(call, None)
        call.notice_by = None
        self.occurred(call, "notice_ended")
        self.feed(call, ev.NoticeHeard())

    def notice_failed(self, call: LiveCall, reason: str) -> None:
        call.marks.clear()
        call.notice_by = None
        self.occurred(call, "notice_cut", {"reason": reason})
        self.feed(call, ev.NoticeFailed())

    def _pass_marks(self, call: LiveCall, now: float | None) -> None:
        """Feed the marks that the notice has reached; all that are left if it has been heard whole (`now` None)."""
        while call.marks and (now is None or call.marks[0][0] <= now):
            _, mark = call.marks.pop(0)
            self.occurred(call, f"notice_{mark.value}")
            self.feed(call, ev.NoticeReached(mark))

    def _stop_in_doubt(self, call: LiveCall, error: Exception, *follows: ev.Event) -> None:
        """A bug. The call goes on; recording stops, and the agent sees it."""
        log_bug(_log, error)
        if call.running:
            self._recorder.stop(call.id, *call.running)
            call.running = None
        for event in (ev.RecorderFailed(Reason.RECORDER_FAILED), *follows):
            if event not in call.queue:
                call.queue.append(event)
