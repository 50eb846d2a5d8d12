"""What stands below the two buttons: presses of the moment, answers, what happened, what to say, the notice."""

from __future__ import annotations

from dataclasses import dataclass

from softphone.domain.purpose import Basis, Language, Purpose, Reason
from softphone.domain.status import Action, InformedPhase, OptOutKind, PurposePhase, Status
from softphone.ui.view import View, readable, readable_target, upper_first
from softphone.ui.words.speech import DOCUMENTATION, TRAINING, Speech
from softphone.wire.snapshot import CallPhase, CallState, ConsultEnd

NO_BREAK = "\N{NO-BREAK SPACE}"
_BY_PHONE = (Reason.DECLINED_BY_KEY, Reason.DECLINED_BY_SIP)
UNCLEAR = ("unclear_key", "unclear_signal")
"""notes: a no of unknown scope, by keys or by the party's phone"""


@dataclass(frozen=True, slots=True)
class PressWords:
    """A press of the moment. `why` says why it is off."""

    title: str
    sub: str
    why: str = ""
    enabled: bool = True


def press_words(view: View, call: CallState, status: Status, action: Action, language: Language | None) -> PressWords:
    """What the press does now; `language` if it gives the notice in another one."""
    texts, party = view.texts, view.party(call)
    words: dict[str, object] = {"party": party, "Party": upper_first(party)}
    if language is not None:
        words["language"] = texts(f"language.{language}")
        return PressWords(texts(f"press.{action}.language", **words), texts(f"press.{action}.sub", **words))
    if action not in status.actions:
        sub, why = _not_yet(view, status, action)
        return PressWords(texts(f"press.{action}"), sub, why, enabled=False)
    title, sub = f"press.{action}", f"press.{action}.sub"
    if action == Action.NOTICE_READ and status.notice and status.notice.asks:
        sub = "press.notice_read.asks"
    if action == Action.RESUME and len(status.pauses) > 1:
        title, sub = "press.resume.also", "press.resume.also.sub"
    why = ""
    if action == Action.END_POLITELY:
        unheard = ".unheard" if "still_no_sound" in status.notes else ""
        title, sub = f"press.end_politely{unheard}", f"press.end_politely{unheard}.sub"
        why = texts(f"press.end_politely{unheard}.why")
    return PressWords(texts(title, **words), texts(sub, **words), why)


def _not_yet(view: View, status: Status, action: Action) -> tuple[str, str]:
    """For a button that stands there before it can be pressed: its second line, and why it is off."""
    texts, notice = view.texts, status.notice
    if action == Action.NOTICE_READ and notice is not None and all(pause is Reason.NOT_TOLD for pause in status.pauses):
        left = max(1, view.seconds_to(notice.readable_at))
        return texts("press.notice_read.wait", seconds=left, count=left), texts("press.notice_read.why")
    why = texts("press.more_time.wait" if action == Action.MORE_TIME else "press.notice_read.paused")
    return why, why


# --- the answers to a question ----------------------------------------------------------------------


def answers_wanted(call: CallState) -> tuple[Purpose, ...]:
    """The purposes with an open question that the agent can answer for the party."""
    status = call.status
    if (
        status is None
        or call.phase is not CallPhase.CONNECTED
        or not {Action.SAID_YES, Action.SAID_NO} & set(status.actions)
    ):
        return ()
    return tuple(
        purpose
        for purpose in Purpose
        if purpose in status.purposes and status.purposes[purpose].phase is PurposePhase.ASKED
    )


def answer_label(view: View, call: CallState, purpose: Purpose) -> str:
    """*Documentation · key 1*."""
    assert call.status is not None
    key = Speech(view, call, call.status).key_for(purpose)
    return view.texts(f"answer.{purpose}", key=key)


# --- beside it ----------------------------------------------------------------------------------------


def aside_lines(view: View, call: CallState) -> tuple[str, ...]:
    """What an agent should know beside the card: each a sentence, the newest first."""
    status = call.status
    if status is None or call.phase is not CallPhase.CONNECTED or not view.connected:
        return ()
    speech = Speech(view, call, status)
    said = (
        consultation_over(view, call),
        _second_caller(view, call),
        speech.say("aside.still_no_sound") if "still_no_sound" in status.notes else "",
        speech.say("aside.stood_still", count=status.missing_seconds) if "stood_still" in status.notes else "",
        _unclear_refusal(speech),
        _grounds(speech),
        _noted(speech),
        _no_assessment(speech),
        speech.say("aside.muted") if call.muted and status.recording else "",
    )
    return tuple(line for line in said if line)


def consultation_over(view: View, call: CallState) -> str:
    """How the call to a colleague ended, if the party still waits; or nothing."""
    if call.status is None or call.consult_ended is None:
        return ""
    to = ".to" if call.consult_ended is ConsultEnd.MOVED and call.redirected_to else ""
    speech = Speech(view, call, call.status)
    return speech.say(f"aside.consult.{call.consult_ended}{to}", target=readable_target(call.redirected_to))


def _second_caller(view: View, call: CallState) -> str:
    """The newest caller who heard busy during this call."""
    past = view.snapshot.history if view.snapshot else ()
    missed = [one for one in past if one.outcome == "missed" and one.at >= call.arrived_at and one.id != call.id]
    if not missed:
        return ""
    newest = max(missed, key=lambda one: one.at)
    who = newest.name or readable(newest.number) or view.texts("party.unknown")
    return view.texts("aside.second_caller", who=who, time=view.texts.clock(newest.at), count=len(missed))


def _unclear_refusal(speech: Speech) -> str:
    """A key or the party's phone said no, of unknown scope: everything ended that could."""
    status = speech.status
    how = next((note for note in UNCLEAR if note in status.notes), "")
    if not how:
        return ""
    refused = [p for p in Purpose if speech.phase(p) is PurposePhase.ENDED and status.purposes[p].reason in _BY_PHONE]
    objected, noted = "objection_received" in status.notes, "request_noted" in status.notes
    ended = speech.say(f"aside.ended.{'both' if len(refused) > 1 else refused[0]}") if refused else ""
    more = "aside.ended.objection" if objected else "aside.ended.noted" if noted and _obliged(status) else ""
    more = speech.say(more) if more else ""
    return " ".join(one for one in (speech.say(f"aside.{how}"), ended, more) if one)


def _grounds(speech: Speech) -> str:
    return speech.say("aside.grounds") if _grounds_given(speech.status) else ""


def _grounds_given(status: Status) -> bool:
    """And something has been recorded for training that data protection decides about (G32)."""
    state = status.purposes.get(TRAINING)
    given = state is not None and state.phase is PurposePhase.ENDED and state.reason is Reason.GROUNDS_GIVEN
    return given and status.kept and bool(status.recording)


def _noted(speech: Speech) -> str:
    """A wish that could not be met: on obligation, or under special circumstances without grounds.

    Not beside an objection, which may have stopped the recording. A key on a line whose notice ties it to nothing brings
    both.
    """
    status = speech.status
    if "request_noted" not in status.notes or "objection_received" in status.notes:
        return ""
    if any(note in status.notes for note in UNCLEAR) and _obliged(status):
        return ""  # said with the key
    return speech.say("aside.noted.obligation" if _obliged(status) else "aside.noted.special")


def _no_assessment(speech: Speech) -> str:
    """Why the line asks at all, if its policy meant to record without asking (G22)."""
    return f"{speech.say('reason.no_assessment.sub')}." if speech.has(Reason.NO_ASSESSMENT) else ""


def _obliged(status: Status) -> bool:
    documentation = status.purposes.get(DOCUMENTATION)
    return documentation is not None and documentation.basis is Basis.LEGAL_OBLIGATION


def to_say(view: View, call: CallState) -> str:
    """A sentence for an agent whose party objects or asks for what cannot be done, or whose call cannot go on. The
    rulebook's own are in the call's language."""
    status = call.status
    if status is None or call.phase is not CallPhase.CONNECTED or not view.connected:
        return ""
    if "still_no_sound" in status.notes:
        return ""  # nobody would hear it
    if Action.END_POLITELY in status.actions:
        return view.texts("say.end_politely")
    if asked := _to_ask(view, status):
        return asked
    if "objection_received" in status.notes:
        return view.texts("say.objection")
    if _grounds_given(status):
        return view.texts("say.grounds")
    if "request_noted" not in status.notes:
        return ""
    return (call.objection_answer if _obliged(status) else "") or view.texts("say.noted")


def _to_ask(view: View, status: Status) -> str:
    """What was meant by a key or a signal, if the answer would change something."""
    how = next((note for note in UNCLEAR if note in status.notes), "")
    if not how:
        return ""
    if unclear_presses(status):
        return f"{view.texts(f'say.{how}')} {view.texts('say.unclear.recording')}"
    if status.opt_out.kind == OptOutKind.GROUNDS:
        return f"{view.texts(f'say.{how}')} {view.texts('say.unclear.training')}"
    return ""


def unclear_presses(status: Status) -> tuple[str, ...]:
    """The answers to what was meant, as presses."""
    if not any(note in status.notes for note in UNCLEAR):
        return ()
    return tuple(action for action in (Action.OBJECT, Action.PARTY_ASKS_FOR_RECORDING) if action in status.actions)


# --- the notice ---------------------------------------------------------------------------------------


def rests_on(view: View, call: CallState) -> str:
    """What the planned purposes rest on, in a word each."""
    if call.status is None:
        return ""
    on = dict.fromkeys(state.basis for state in call.status.purposes.values() if state.basis is not None)
    return ", ".join(view.texts(f"notice.on.{basis}") for basis in on)


def notice_told(view: View, call: CallState, *, short: bool = False) -> str:
    """For a folded notice: who told the party, and when; or that it has not been told in full. `short`: for a narrow window."""
    assert call.status is not None
    notice = call.status.notice
    assert notice is not None
    words = {"party": view.party(call), "Party": upper_first(view.party(call))}
    if notice.heard_at is None:
        return view.texts("notice.not_told", **words)
    code = f"notice.told.{notice.how}"
    code = code if code in view.texts else "notice.told"
    code = f"{code}.short" if short and f"{code}.short" in view.texts else code
    return view.texts(code, time=view.texts.clock(notice.heard_at), **words)


def notice_caption(view: View, call: CallState) -> str:
    """Above the text: who hears it, in which language if not the desk's, or for whom it is to be read."""
    assert call.status is not None
    notice = call.status.notice
    assert notice is not None
    texts = view.texts
    words = {"party": view.party(call), "Party": upper_first(view.party(call))}
    if notice.told is InformedPhase.PLAYING:
        said = texts("notice.playing.newcomer" if notice.newcomer else "notice.playing", **words)
    elif notice.told is InformedPhase.READING:
        return texts("notice.reading.newcomer") if notice.newcomer else ""
    else:
        said = texts("notice.caption")
    language = call.notice.language if call.notice else notice.language
    if language is texts.language:
        return said
    text = texts("notice.in_language", language=texts(f"language.{language}"))
    return f"{said} · {text.replace(' ', NO_BREAK)}"


def bases(view: View, call: CallState) -> str:
    """A line for each planned purpose: what it rests on, and why, as its line's assessment says."""
    status, line = call.status, view.line_of_call(call)
    lines: list[str] = []
    for purpose in Purpose:
        state = status.purposes.get(purpose) if status else None
        if state is None or state.basis is None:
            continue
        why = line.why.get(purpose, {}).get(view.texts.language, "") if line else ""
        words = {"purpose": view.texts(f"notice.purpose.{purpose}"), "basis": view.texts(f"notice.on.{state.basis}")}
        lines.append(view.texts("notice.basis.why" if why else "notice.basis", why=why.strip().rstrip("."), **words))
    return "\n".join(lines)
