"""The words of the status card: the rows of the window's table. The whole card as a sentence is also the window's title, the
tray's tooltip and what a screen reader says."""

from __future__ import annotations

from dataclasses import dataclass, replace

from softphone.domain.purpose import Basis, Headline, Purpose, Reason
from softphone.domain.status import Action, InformedPhase, PurposePhase
from softphone.ui.view import View, duration, lower_first
from softphone.ui.words.moment import UNCLEAR
from softphone.ui.words.speech import DOCUMENTATION, TRAINING, Speech
from softphone.wire.snapshot import CallPhase, CallState, TransferPhase

_ICONS = {
    Headline.NOT_RECORDING: ("neutral", "not_recording"),
    Headline.NOTICE: ("amber", "speaker"),
    Headline.ASKED: ("amber", "clock"),
    Headline.RECORDING: ("red", "record"),
    Headline.PAUSED: ("blue", "paused"),
    Headline.FAILED: ("fault", "warning"),
}


@dataclass(frozen=True, slots=True)
class CardWords:
    """What the status card says. `tone` is a name of `Theme.tone`, `progress` 0..1 or None, `key` changes with the headline."""

    tone: str
    icon: str
    title: str
    sub: str
    body: str
    lock: str
    sentence: str
    progress: float | None
    key: str
    clock: str = ""
    """how long the recording is by now, while it runs"""
    voices: tuple[str, ...] = ()
    """whose two levels are shown"""


def no_engine_card(view: View) -> CardWords:
    """While the engine is gone nobody knows whether it records, so nothing else is said."""
    texts = view.texts
    title = texts("card.no_engine.title")
    sub = texts("card.no_engine.sub")
    body = view.trouble or texts("card.no_engine.body")
    return CardWords("fault", "warning", title, sub, body, "", f"{title} · {sub}", None, "gone")


def card_words(view: View, call: CallState) -> CardWords:
    """The card of a call, whatever its state."""
    if not view.connected:
        return no_engine_card(view)
    if call.phase in (CallPhase.INCOMING, CallPhase.DIALLING, CallPhase.RINGING):
        return _before(view, call)
    if call.status is None:
        title, sub = view.texts("card.title.not_recording"), view.texts("card.deciding")
        sentence = f"{title} · {lower_first(sub)}"
        return CardWords("neutral", "not_recording", title, sub, "", "", sentence, None, "deciding")
    return _Card(view, call, call.status).words()


class _Card(Speech):
    """One card being worded."""

    def words(self) -> CardWords:
        headline = self.status.headline
        tone, icon = _ICONS[headline]
        title = self.say(f"card.title.{headline}")
        match headline:
            case Headline.RECORDING:
                sub, body, sentence = self._recording(title)
            case Headline.NOTICE if self._told is InformedPhase.READING:
                icon, title = "read", self.say("card.title.read")
                sub, body, sentence = self._reading()
            case Headline.NOTICE if self._told is InformedPhase.PLAYING:
                sub, body, sentence = self._notice()
            case Headline.NOTICE:
                tone, icon, title = "neutral", "not_recording", self.say("card.title.not_yet")
                sub, body, sentence = self._before_notice(title)
            case Headline.ASKED:
                sub, body, sentence = self._asked()
            case Headline.PAUSED if Reason.OBJECTION in self.status.pauses:
                # It does not pass: in this call nothing more is recorded.
                tone, icon = _ICONS[Headline.NOT_RECORDING]
                title = self.say("card.title.not_recording")
                sub, body, sentence = self._objected(title)
            case Headline.PAUSED:
                sub, body, sentence = self._paused(title)
            case Headline.NOT_RECORDING | Headline.FAILED:
                sub, body, sentence = self._not_recording(title)
        words = CardWords(tone, icon, title, sub, body, self.lock(), sentence, self._progress(), self._key())
        if headline is not Headline.RECORDING:
            return words
        return replace(words, clock=self._recorded(), voices=(self.say("card.you"), self.say("card.other")))

    # --- one headline each ----------------------------------------------------------------------

    def _recording(self, title: str) -> tuple[str, str, str]:
        if self.has(Reason.OBJECTION) or "objection_received" in self.status.notes:
            sub, body = self.say("card.objection.sub"), self.say("card.objection.body")
            return sub, body, f"{title}. {sub}, {lower_first(body)}"
        asked = next((purpose for purpose in self.asked() if purpose not in self.status.recording), None)
        refused = self._refused()
        sub = self._purposes(only=asked is not None or bool(refused))
        if asked is not None:
            suffix = ".digits" if self._digits_wanted else "" if self.status.until else ".again"
            body = self.say(f"card.{asked}_asked{suffix}", key=self.key_for(asked))
            return sub, body, f"{title} {sub}. {body}"
        if self.held_from_training and TRAINING in self.status.recording:
            return sub, self.say("card.held_from_training"), f"{title} {sub}"
        if refused:
            return sub, f"{self._why()} · {self._refused(short=True)}", f"{title} {sub}. {refused}"
        if self.first.reason is Reason.OBLIGATION:
            return sub, self._why(), self.say("card.obligation.sentence")
        return sub, self._why(), f"{title} {sub}"

    def _reading(self) -> tuple[str, str, str]:
        code = "card.read.starts" if self._starts_after_notice() else "card.read.asks"
        sub = self.say("card.not_yet")
        return sub, self.say(code), self.say("card.read.sentence")

    def _notice(self) -> tuple[str, str, str]:
        code = "card.notice.starts" if self._starts_after_notice() else "card.notice.asks"
        return self.say("card.not_yet"), self.say(code) if self.status.until else "", self.say("card.notice.sentence")

    def _before_notice(self, title: str) -> tuple[str, str, str]:
        """The notice is still to come, or has been heard and the recorder is about to start."""
        if self._told is InformedPhase.INFORMED and self.first.reason is Reason.WAITING_FOR_NOTICE:
            sub, body = self.say("card.starting.sub"), ""
        else:
            sub, body = self.sub(self.first), self.body(self.first.reason)
        return sub, body, f"{title} · {lower_first(sub)}"

    def _asked(self) -> tuple[str, str, str]:
        keys = [self.key_for(purpose) for purpose in self.asked()]
        suffix = ".two" if len(keys) > 1 else ""
        key = {"key": keys[0] if keys else "1", "other": keys[-1] if keys else "2"}
        sub = self.say("card.title.not_recording")
        if self._digits_wanted:
            body = self.say("card.asked.digits")
            return sub, body, f"{sub} · {lower_first(self.say('card.title.asked'))}. {body}"
        if self.status.until is None:  # the question is being repeated, and its time has not begun
            body = self.say("card.asked.again")
            return sub, body, f"{sub} · {lower_first(body)}"
        return sub, self.say(f"card.asked.body{suffix}", **key), self.say(f"card.asked.sentence{suffix}", **key)

    def _paused(self, title: str) -> tuple[str, str, str]:
        reason = self.first.reason
        if reason is Reason.HELD and len(self.status.pauses) == 1 and (what := self._to_a_colleague()):
            sub = self.say(f"card.{what}.sub")
            return sub, self.say(f"card.{what}.body"), f"{title} · {lower_first(sub)}"
        # Two pauses at once: one does not end with the other.
        unsaid = (reason, Reason.NO_SOUND) if Reason.HELD in self.status.pauses else (reason,)
        others = [self.say(f"reason.{one}.sub") for one in self.status.pauses if one not in unsaid]
        sub = " · ".join([self.say(f"reason.{reason}.sub"), *(lower_first(other) for other in others)])
        if others:
            body = self.say(
                f"card.paused.until.{next(one for one in self.status.pauses if one is not Reason.SENSITIVE)}"
            )
            return sub, body, f"{title} · {lower_first(sub)}. {body}"
        if reason is Reason.SENSITIVE:
            body = self._sensitive()
            return sub, body, f"{title} ({lower_first(sub)}). {body}"
        body = self._newcomer() if reason is Reason.NOT_TOLD else self.body(reason)
        return sub, body, f"{title} · {lower_first(sub)}"

    def _to_a_colleague(self) -> str:
        """The code of what holds the call: a talk with a colleague, a transfer to one, or neither."""
        consults, transfer = self.view.consultation(self.call) is not None, self.call.transfer
        if transfer is not None and transfer.phase is not TransferPhase.FAILED and not transfer.taken_back:
            return "transferring" if consults else "transferring_blind"
        return "consulting" if consults else ""

    def _objected(self, title: str) -> tuple[str, str, str]:
        reason = next((one for one in self.status.reasons if one.reason is Reason.OBJECTION), self.first)
        sub, body = self.sub(reason), self.body(Reason.OBJECTION)
        if how := next((note for note in UNCLEAR if note in self.status.notes), ""):
            sub = self.say(f"card.{how}", time=self.clock(reason.at or self.status.since))
            body = self.say("card.unclear.body")
        return sub, body, f"{title} · {lower_first(sub)}"

    def _sensitive(self) -> str:
        warned = Action.MORE_TIME in self.status.actions
        if self.status.until is not None:
            return self.say("card.paused.soon" if warned else "card.paused.resumes")
        return self.say("card.paused.still" if warned else "card.paused.by_hand")

    def _newcomer(self) -> str:
        if self._told is InformedPhase.PLAYING and self.status.until is not None:
            return self.say("card.newcomer.hears")
        if self._told is InformedPhase.READING:
            asks = any(state.phase is PurposePhase.PLANNED for state in self.status.purposes.values())
            return self.say("card.newcomer.asks" if asks else "card.newcomer.read")
        return self.body(Reason.NOT_TOLD)

    def _not_recording(self, title: str) -> tuple[str, str, str]:
        reason = self.first.reason
        sub = self.sub(self.first)
        body = self.body(reason)
        sentence = f"{title} · {lower_first(sub)}"
        if self.status.recordings and self.status.headline is Headline.NOT_RECORDING and not self._ended_kept():
            kept = "card.custody_only" if reason is Reason.GROUNDS_GIVEN else "card.kept_so_far"
            body = self.say("card.deleted" if not self.status.kept else kept)
            sentence = f"{sentence}. {body}"
            if "call_back_listed" in self.status.notes:
                body = f"{body}. {self._call_back()}"
        elif "obligation_unrecorded" in self.status.notes:
            obliged = self.say(
                "card.failed.obligation" if Action.END_POLITELY in self.status.actions else "card.failed.goes_on"
            )
            body = f"{body} {obliged}" if reason is Reason.NOTICE_FAILED else obliged
        elif "call_back_listed" in self.status.notes:
            body = self._call_back()
        return sub, body, sentence

    def _call_back(self) -> str:
        return self.say("card.call_back.ask" if "ask_for_number" in self.status.notes else "card.call_back")

    # --- parts ----------------------------------------------------------------------------------

    @property
    def _told(self) -> InformedPhase:
        return self.status.notice.told if self.status.notice else InformedPhase.NOTHING

    @property
    def _digits_wanted(self) -> bool:
        return Action.DIGITS_OVER in self.status.actions

    def _ended_kept(self) -> bool:
        return self.call.phase is CallPhase.ENDED and self.status.kept

    def _purposes(self, *, only: bool) -> str:
        recording = set(self.status.recording)
        if self.held_from_training and DOCUMENTATION in recording:
            recording.discard(TRAINING)  # recorded for it too, but a lock keeps that use away
        if len(recording) > 1:
            return self.say("purposes.both")
        purpose = next(iter(recording), DOCUMENTATION)
        return self.say(f"purposes.only.{purpose}" if only else f"purposes.{purpose}")

    def _refused(self, *, short: bool = False) -> str:
        """The other purpose has ended: by what, and when. `short`: beside the reason, in the narrowest window too."""
        for purpose in (TRAINING, DOCUMENTATION):
            state = self.status.purposes.get(purpose)
            if state is None or state.phase is not PurposePhase.ENDED or purpose in self.status.recording:
                continue
            code = f"{purpose}.{state.reason}"
            if code not in self.texts or state.at is None:
                code = f"{purpose}.ended"
            code = f"{code}.short" if short and f"{code}.short" in self.texts else code
            return self.say(code, time=self.clock(state.at))
        return ""

    def _why(self) -> str:
        reason = self.first.reason
        line = self.view.line_of_call(self.call)
        purpose = self.first.purpose or next(iter(self.status.recording), DOCUMENTATION)
        why = line.why.get(purpose, {}).get(self.texts.language, "") if line else ""
        if reason is Reason.CONSENT:
            return self.say("why.consent")
        if why and reason is not Reason.OBLIGATION:
            return self.say("why.line", why=lower_first(why.strip().rstrip(".")))
        return self.say(f"why.{reason}" if f"why.{reason}" in self.texts else "why.training_sample")

    def _starts_after_notice(self) -> bool:
        return any(
            state.phase is PurposePhase.PLANNED and state.basis is not Basis.CONSENT
            for state in self.status.purposes.values()
        )

    def _recorded(self) -> str:
        """What is stored, not how long the call is: pauses are left out."""
        since, now = self.status.recorded_from, self.view.now
        return duration(self.status.recorded + (max(0.0, (now - since).total_seconds()) if since else 0.0))

    def _progress(self) -> float | None:
        if len(self.status.pauses) > 1 or Reason.OBJECTION in self.status.pauses:
            return None  # the countdown is not about when recording goes on
        start, until = self.status.since, self.status.until
        if self.status.notice and self.status.headline is Headline.NOTICE:
            start = self.status.notice.started_at or start
        if start is None or until is None or until <= start:
            return None
        return min(1.0, max(0.0, (self.view.now - start) / (until - start)))

    def _key(self) -> str:
        status = self.status
        hold = status.hold.phase if status.hold else ""
        warned = "warned" if Action.MORE_TIME in status.actions else ""
        again = "again" if status.headline is Headline.ASKED and status.until is None else ""
        phases = f"{self.phase(TRAINING)}{','.join(self.asked())}{'digits' if self._digits_wanted else ''}"
        recording = ",".join(status.recording)
        return "|".join(
            (status.headline, self.first.reason, recording, hold, self._told, phases, warned, again, *status.pauses)
        )


def _before(view: View, call: CallState) -> CardWords:
    """While it rings: what will happen when it is answered."""
    texts = view.texts
    waited = duration((view.now - call.arrived_at).total_seconds())
    title = texts(f"card.title.{call.phase}")
    sub = texts("card.waited" if call.phase is CallPhase.INCOMING else "card.ringing_for", time=waited)
    body = ""
    if call.status is not None:
        phases = (PurposePhase.PLANNED, PurposePhase.ASKED)
        coming = [purpose for purpose in Purpose if _phase(call, purpose) in phases]
        asked = [purpose for purpose in coming if call.status.purposes[purpose].basis is Basis.CONSENT]
        planned = [purpose for purpose in coming if purpose not in asked]
        if planned:
            body = texts(f"card.before.{_one_or_both(planned)}")
        if asked:
            question = texts(f"card.before.{_one_or_both(asked)}.asked{'.too' if planned else ''}")
            body = f"{body}. {question}" if planned else question
        if not coming:
            why = Speech(view, call, call.status).sub_lower(call.status.reasons[0])
            body = f"{texts('card.before.none')} · {why}"
    icon = "phone_in" if call.phase is CallPhase.INCOMING else "phone_out"
    return CardWords("neutral", icon, title, sub, body, "", title, None, f"{call.phase}")


def _one_or_both(purposes: list[Purpose]) -> str:
    return "both" if len(purposes) > 1 else purposes[0].value


def _phase(call: CallState, purpose: Purpose) -> PurposePhase:
    state = call.status.purposes.get(purpose) if call.status else None
    return state.phase if state else PurposePhase.OFF
