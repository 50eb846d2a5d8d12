"""What is said of an ended call: what is kept of it, until when, and what no longer is."""

from __future__ import annotations

from datetime import datetime

from softphone.domain.purpose import Reason
from softphone.domain.status import HoldPhase, PurposePhase, Status
from softphone.ui.view import View, duration, lower_first
from softphone.ui.words.speech import DOCUMENTATION, TRAINING, Speech, party_params, reason_words
from softphone.wire.snapshot import CallState, PastCall


def recorded_words(view: View, call: CallState, seconds: float) -> str:
    """What an earlier call was recorded for, its line and how long it took."""
    purposes = call.status.purposes.items() if call.status else ()
    made_for = [purpose for purpose, it in purposes if it.phase is not PurposePhase.OFF]
    what = view.texts(f"past.recorded.{'both' if len(made_for) > 1 else made_for[0]}") if made_for else ""
    return _with_line(view, call, seconds, what)


def nothing_words(view: View, past: PastCall) -> str:
    """That nothing is kept of an earlier call, and why; its line and how long it took."""
    texts, code = view.texts, f"past.nothing.{past.outcome}"
    why = reason_words(texts, past.why, party_params(view, past)) if past.why else texts(code) if code in texts else ""
    deleted = past.outcome == "deleted"
    what = texts("kept.deleted" if deleted else "kept.nothing")
    if why:
        what = f"{what} {why}." if deleted else f"{what} · {lower_first(why)}"
    return _with_line(view, past, past.seconds, what)


def _with_line(view: View, call: CallState | PastCall, seconds: float, what: str) -> str:
    # Two lines: a line that breaks when it is full may leave a dot at its end.
    below = " · ".join(part for part in (view.name_of_line(call), duration(seconds) if seconds else "") if part)
    return "\n".join(part for part in (what, below) if part)


def kept_words(view: View, call: CallState) -> str:
    """What is kept of an ended call, until when, and what no longer is."""
    texts, status = view.texts, call.status
    if status is None:
        return texts("kept.nothing")
    if not (status.recordings or status.kept):
        return f"{texts('kept.nothing')} · {Speech(view, call, status).sub_lower(status.reasons[0])}"
    if not status.kept:
        return texts("kept.deleted")
    kept = _kept_until(view, call, status)
    if not any(one.reason is Reason.BROKE_OFF for one in status.reasons):
        return kept
    if status.missing_seconds:
        return f"{kept} {texts('kept.missing', count=status.missing_seconds)}"
    return f"{kept} {texts('reason.broke_off.sub')}. {texts('reason.broke_off.body')}"


def _kept_until(view: View, call: CallState, status: Status) -> str:
    texts = view.texts
    said: list[str] = []
    days = dict(call.expires)
    reasons = {one.reason for one in status.reasons}
    grounds = Reason.GROUNDS_GIVEN in reasons and DOCUMENTATION in days
    if not grounds and ("objection_received" in status.notes or Reason.CASE_OPEN in reasons):
        return texts("kept.custody_only")  # whatever its date, nobody else can open it any more
    if days and status.hold and status.hold.phase in (HoldPhase.LOCKED, HoldPhase.LOCKING):
        return texts("kept.while_locked", day=max(days.values()))
    if len(set(days.values())) == 1 and len(days) > 1:
        said.append(texts("kept.both", day=next(iter(days.values()))))
    else:
        said += [texts(f"kept.{purpose}", day=day) for purpose, day in sorted(days.items())]
    training = status.purposes.get(TRAINING)
    if training and training.phase is PurposePhase.ENDED and TRAINING not in days:
        said.append(texts("kept.training_in_custody" if grounds else "kept.not_training"))
    if not days and status.hold:
        return texts("kept.locked_only")
    if not said:
        said.append(texts("kept.something"))
    return " ".join(said)


def lock_words(view: View, call: CallState) -> str:
    """The lock of a hold, for the wrap-up's own line."""
    return Speech(view, call, call.status).lock() if call.status else ""


def duration_of(call: CallState, now: datetime) -> float | None:
    """Seconds talked so far, or in all; None before it was answered."""
    if call.answered_at is None:
        return None
    return ((call.ended_at or now) - call.answered_at).total_seconds()
