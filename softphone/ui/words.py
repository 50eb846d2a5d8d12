"""From the engine's codes to the words on the status card and its two buttons. No Qt, no decision: only how it is said.

The sentence of the whole card is the window's title, the tray's tooltip and what a screen reader hears (desk.md's table).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from softphone.domain.purpose import Basis, Headline, Purpose, Reason
from softphone.domain.status import (
    Button,
    DisputeKind,
    HoldPhase,
    OptOutKind,
    PurposePhase,
    ReasonStatus,
    Status,
    Told,
)
from softphone.texts import Texts
from softphone.ui.view import View, duration, lower_first, upper_first
from softphone.wire import CallPhase, CallState

_LONGEST_ON_A_BUTTON = 11
"""letters of one word"""
DOCUMENTATION, TRAINING = Purpose.DOCUMENTATION, Purpose.TRAINING
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


@dataclass(frozen=True, slots=True)
class ButtonWords:
    icon: str
    title: str
    sub: str
    enabled: bool
    why: str


def no_engine_card(texts: Texts) -> CardWords:
    """While the engine is gone nobody knows whether it records, so nothing else is said."""
    title = texts("card.no_engine.title")
    sub = texts("card.no_engine.sub")
    return CardWords("fault", "warning", title, sub, texts("card.no_engine.body"), "", f"{title} · {sub}", None, "gone")


def card_words(view: View, call: CallState) -> CardWords:
    """The card of a call, whatever its state."""
    if not view.connected:
        return no_engine_card(view.texts)
    if call.phase in (CallPhase.INCOMING, CallPhase.DIALLING, CallPhase.RINGING):
        return _before(view, call)
    if call.status is None:
        title, sub = view.texts("card.title.not_recording"), view.texts("card.deciding")
        return CardWords(
            "neutral", "not_recording", title, sub, "", "", f"{title} · {lower_first(sub)}", None, "deciding"
        )
    return _Card(view, call, call.status).words()


class _Card:
    """One card being worded: the parts share the call's parameters."""

    def __init__(self, view: View, call: CallState, status: Status) -> None:
        self.view, self.texts, self.call, self.status = view, view.texts, call, status
        self.first: ReasonStatus = status.reasons[0]
        party = view.party(call)
        left = view.seconds_to(status.until)
        self.params: dict[str, object] = {"party": party, "Party": upper_first(party), "seconds": left, "count": left}
        self.params |= {"line": view.line_name(call.line)}
        state = view.line(call.line)
        self.params |= {"sample": state.sample if state else ""}

    def say(self, code: str, **more: object) -> str:
        return self.texts(code, **(self.params | more))

    def words(self) -> CardWords:
        headline = self.status.headline
        tone, icon = _ICONS[headline]
        title = self.say(f"card.title.{headline}")
        match headline:
            case Headline.RECORDING:
                sub, body, sentence = self._recording(title)
            case Headline.NOTICE if self.status.notice and self.status.notice.told is Told.READING:
                icon, title = "read", self.say("card.title.read")
                sub, body, sentence = self._reading()
            case Headline.NOTICE if self.status.notice and self.status.notice.told is Told.PLAYING:
                sub, body, sentence = self._notice()
            case Headline.NOTICE:
                tone, icon, title = "neutral", "not_recording", self.say("card.title.not_yet")
                sub, body, sentence = self._before_notice(title)
            case Headline.ASKED:
                sub, body, sentence = self._asked()
            case Headline.PAUSED:
                sub, body, sentence = self._paused(title)
            case Headline.NOT_RECORDING | Headline.FAILED:
                sub, body, sentence = self._not_recording(title)
        return CardWords(tone, icon, title, sub, body, self._lock(), sentence, self._progress(), self._key())

    # --- one headline each ----------------------------------------------------------------------

    def _recording(self, title: str) -> tuple[str, str, str]:
        asked = self._phase(TRAINING) is PurposePhase.ASKED and TRAINING not in self.status.recording
        if self._has(Reason.OBJECTION) or "objection_received" in self.status.notes:
            sub, body = self.say("card.objection.sub"), self.say("card.objection.body")
            return sub, body, f"{title}. {sub}, {lower_first(body)}"
        refused = self._training_refused()
        sub = self._purposes(only=asked or bool(refused))
        if asked:
            body = self.say("card.training_asked", key=self._key_for(TRAINING))
            return sub, body, f"{title} {sub}. {body}"
        if refused:
            return sub, refused, f"{title} {sub}. {refused}"
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
        told = self.status.notice.told if self.status.notice else Told.NOTHING
        if told is Told.INFORMED and self.first.reason is Reason.WAITING_FOR_NOTICE:
            sub, body = self.say("card.starting.sub"), ""
        else:
            sub, body = self._sub(self.first), self._body(self.first.reason)
        return sub, body, f"{title} · {lower_first(sub)}"

    def _asked(self) -> tuple[str, str, str]:
        asked = [purpose for purpose in Purpose if self._phase(purpose) is PurposePhase.ASKED]
        keys = [self._key_for(purpose) for purpose in asked]
        suffix = ".two" if len(keys) > 1 else ""
        key = {"key": keys[0] if keys else "1", "other": keys[-1] if keys else "2"}
        return (
            self.say("card.title.not_recording"),
            self.say(f"card.asked.body{suffix}", **key),
            self.say(f"card.asked.sentence{suffix}", **key),
        )

    def _paused(self, title: str) -> tuple[str, str, str]:
        reason = self.first.reason
        sub = self.say(f"reason.{reason}.sub")
        if reason is not Reason.SENSITIVE:
            return sub, self._body(reason), f"{title} · {lower_first(sub)}"
        body = self.say("card.paused.resumes" if self.status.until else "card.paused.by_hand")
        return sub, body, f"{title} ({lower_first(sub)}). {body}"

    def _not_recording(self, title: str) -> tuple[str, str, str]:
        reason = self.first.reason
        sub = self._sub(self.first)
        body = self._body(reason)
        sentence = f"{title} · {lower_first(sub)}"
        if self.status.recordings and self.status.headline is Headline.NOT_RECORDING and not self._ended_kept():
            body = self.say("card.deleted") if not self.status.kept else self.say("card.kept_so_far")
            sentence = f"{sentence}. {body}"
        elif "obligation_unrecorded" in self.status.notes:
            body = self.say("card.failed.obligation")
        elif "call_back_listed" in self.status.notes:
            body = self.say("card.call_back")
        return sub, body, sentence

    # --- parts ----------------------------------------------------------------------------------

    def _ended_kept(self) -> bool:
        return self.call.phase is CallPhase.ENDED and self.status.kept

    def _sub(self, reason: ReasonStatus) -> str:
        cause = reason.params.get("cause") or reason.params.get("detail")
        code = f"reason.{reason.reason}.sub"
        if cause:
            told = self.texts(f"cause.{cause}") if f"cause.{cause}" in self.texts else str(cause)
            return f"{self.say(code, **self._at(reason))} ({told})"
        if reason.at is not None and f"{code}.at" in self.texts:
            code = f"{code}.at"
        return self.say(code, **self._at(reason))

    def _body(self, reason: Reason) -> str:
        return self.say(f"reason.{reason}.body") if f"reason.{reason}.body" in self.texts else ""

    def _at(self, reason: ReasonStatus) -> dict[str, object]:
        at = reason.at or self.status.since
        return {**reason.params, "time": self.texts.clock(at) if at else ""}

    def _phase(self, purpose: Purpose) -> PurposePhase:
        state = self.status.purposes.get(purpose)
        return state.phase if state else PurposePhase.OFF

    def _has(self, reason: Reason) -> bool:
        return any(status.reason is reason for status in self.status.reasons)

    def _purposes(self, *, only: bool) -> str:
        recording = set(self.status.recording)
        if len(recording) > 1:
            return self.say("purposes.both")
        purpose = next(iter(recording), DOCUMENTATION)
        return self.say(f"purposes.only.{purpose}" if only else f"purposes.{purpose}")

    def _training_refused(self) -> str:
        state = self.status.purposes.get(TRAINING)
        if state is None or state.phase is not PurposePhase.ENDED or TRAINING in self.status.recording:
            return ""
        at = {"time": self.texts.clock(state.at) if state.at else ""}
        code = f"training.{state.reason}"
        if code not in self.texts:
            code = "training.ended"
        return self.say(code if state.at or code == "training.ended" else f"{code}.untimed", **at)

    def _why(self) -> str:
        since = self.status.since
        reason = self.first.reason
        line = self.view.line(self.call.line)
        purpose = self.first.purpose or next(iter(self.status.recording), DOCUMENTATION)
        why = line.why.get(purpose, {}).get(self.texts.language, "") if line else ""
        if reason is Reason.CONSENT:
            because = self.say("why.consent")
        elif why and reason is not Reason.OBLIGATION:
            because = self.say("why.line", why=lower_first(why.strip().rstrip(".")))
        else:
            because = self.say(f"why.{reason}" if f"why.{reason}" in self.texts else "why.training_sample")
        return f"{because} · {self.say('card.since', time=self.texts.clock(since))}" if since else because

    def _starts_after_notice(self) -> bool:
        return any(
            state.phase is PurposePhase.PLANNED and state.basis is not Basis.CONSENT
            for state in self.status.purposes.values()
        )

    def _key_for(self, purpose: Purpose) -> str:
        """The key that says yes, as the notice asks: in its order, from 1 (N2, N3, N6; N2+N3 asks both)."""
        for reason in self.status.reasons:
            if reason.purpose is purpose and "key" in reason.params:
                return str(reason.params["key"])
        asks = self.status.notice.asks if self.status.notice else ()
        return str(asks.index(purpose) + 1) if purpose in asks else "1"

    def _lock(self) -> str:
        hold = self.status.hold
        if hold is None or hold.phase is HoldPhase.VOID:
            return ""
        return self.say(f"lock.{hold.phase}", time=self.texts.clock(hold.since))

    def _progress(self) -> float | None:
        start, until = self.status.since, self.status.until
        if self.status.notice and self.status.headline is Headline.NOTICE:
            start = self.status.notice.started_at or start
        if start is None or until is None or until <= start:
            return None
        return min(1.0, max(0.0, (self.view.now - start) / (until - start)))

    def _key(self) -> str:
        hold = self.status.hold.phase if self.status.hold else ""
        told = self.status.notice.told if self.status.notice else ""
        recording = ",".join(self.status.recording)
        return f"{self.status.headline}|{self.first.reason}|{recording}|{hold}|{told}|{self._phase(TRAINING)}"


def _before(view: View, call: CallState) -> CardWords:
    """While it rings: what will happen when it is answered."""
    texts = view.texts
    waited = duration((view.now - call.arrived_at).total_seconds())
    title = texts(f"card.title.{call.phase}")
    sub = texts("card.waited" if call.phase is CallPhase.INCOMING else "card.ringing_for", time=waited)
    body = ""
    if call.status is not None:
        planned = [p for p, s in call.status.purposes.items() if s.phase in (PurposePhase.PLANNED, PurposePhase.ASKED)]
        first = call.status.reasons[0]
        if planned:
            body = texts(f"card.before.{'both' if len(planned) > 1 else planned[0]}")
        else:
            card = _Card(view, call, call.status)
            body = f"{texts('card.before.none')} · {lower_first(card._sub(first))}"
    icon = "phone_in" if call.phase is CallPhase.INCOMING else "phone_out"
    return CardWords("neutral", icon, title, sub, body, "", title, None, f"{call.phase}")


# --- the two buttons ----------------------------------------------------------------------------

_OPT_OUT_ICONS = {OptOutKind.CALL_BACK: "call_back", OptOutKind.NOTE_REQUEST: "note"}


def opt_out_words(view: View, call: CallState | None) -> ButtonWords:
    """What the opt-out button would do to this call."""
    texts, status = view.texts, call.status if call else None
    if status is None or not view.connected:
        return ButtonWords(
            "hand", texts("opt_out.none"), _why_not(view, status, None), False, _why_not(view, status, None)
        )
    button, kind = status.opt_out, status.opt_out.kind
    icon = _OPT_OUT_ICONS.get(OptOutKind(kind), "hand") if kind in set(OptOutKind) else "hand"
    party = view.party(call) if call else ""
    code = f"opt_out.{kind}"
    if kind == OptOutKind.STOP_AND_DELETE and not status.recordings:
        code = "opt_out.not_at_all"  # nothing to delete yet
    title = texts(
        f"{code}.short" if kind == OptOutKind.SAID_NO and not fits_a_button(party) else code, Party=upper_first(party)
    )
    if not button.enabled:
        why = _why_not(view, status, button)
        return ButtonWords(icon, title, why, False, why)
    code = f"{code}.sub"
    if kind == OptOutKind.TRAINING_ENDS and not _told(status):
        code = "opt_out.training_ends.early"
    if kind == OptOutKind.SAID_NO and DOCUMENTATION in status.recording:
        code = "opt_out.said_no.documentation"
    return ButtonWords(icon, title, texts(code), True, "")


def dispute_words(view: View, call: CallState | None) -> ButtonWords:
    """What the dispute button would do to this call."""
    texts, status = view.texts, call.status if call else None
    if status is None or not view.connected:
        return ButtonWords(
            "lock", texts("dispute.none"), _why_not(view, status, None), False, _why_not(view, status, None)
        )
    button, kind = status.dispute, status.dispute.kind
    title = texts(f"dispute.{kind}")
    if not button.enabled:
        why = _why_not(view, status, button)
        return ButtonWords("lock", title, why, False, why)
    seconds = view.seconds_to(button.until)
    icon = "unlock" if kind == DisputeKind.UNDO else "lock"
    return ButtonWords(icon, title, texts(f"dispute.{kind}.sub", seconds=seconds, count=seconds), True, "")


def fits_a_button(party: str) -> bool:
    """Whether the policy's word for the party can stand on a button, in the narrowest window too."""
    return max((len(word) for word in party.split()), default=0) <= _LONGEST_ON_A_BUTTON


def _told(status: Status) -> bool:
    return status.notice is not None and status.notice.told is Told.INFORMED


def _why_not(view: View, status: Status | None, button: Button | None) -> str:
    if not view.connected:
        return view.texts("why_not.no_engine")
    if status is None or button is None:
        return view.texts("why_not.no_call_yet")
    code = f"why_not.{button.why_not}"
    return view.texts(code) if code in view.texts else view.texts("why_not.not_now")


# --- wrap-up and history ------------------------------------------------------------------------


def kept_words(view: View, call: CallState) -> str:
    """What is kept of a call that has ended, until when, and what no longer is."""
    texts, status = view.texts, call.status
    if status is None or not (status.recordings or status.kept):
        if status is None:
            return texts("kept.nothing")
        card = _Card(view, call, status)
        return f"{texts('kept.nothing')} · {lower_first(card._sub(status.reasons[0]))}"
    if not status.kept:
        return texts("kept.deleted")
    said: list[str] = []
    days = dict(call.expires)
    # Whatever date stands on it, nobody else can open it any more.
    if "objection_received" in status.notes or any(one.reason is Reason.CASE_OPEN for one in status.reasons):
        return texts("kept.custody_only")
    if days and status.hold and status.hold.phase in (HoldPhase.LOCKED, HoldPhase.LOCKING):
        return texts("kept.while_locked", day=max(days.values()))
    if len(set(days.values())) == 1 and len(days) > 1:
        said.append(texts("kept.both", day=next(iter(days.values()))))
    else:
        said += [texts(f"kept.{purpose}", day=day) for purpose, day in sorted(days.items())]
    training = status.purposes.get(TRAINING)
    if training and training.phase is PurposePhase.ENDED and TRAINING not in days:
        said.append(texts("kept.not_training"))
    if not said:
        said.append(texts("kept.locked_only" if status.hold else "kept.something"))
    return " ".join(said)


def lock_words(view: View, call: CallState) -> str:
    """The lock of a hold, for the wrap-up's own line."""
    return _Card(view, call, call.status)._lock() if call.status else ""


def duration_of(call: CallState, now: datetime) -> float | None:
    """Seconds talked so far, or in all; None before it was answered."""
    if call.answered_at is None:
        return None
    return ((call.ended_at or now) - call.answered_at).total_seconds()
