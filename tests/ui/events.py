"""Snapshots made by hand of what happens in a call, beyond the window's table: questions, newcomers, languages, refusals.
Data only."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from softphone.domain.decision import NoticeId
from softphone.domain.purpose import Direction, Headline, Language, Reason
from softphone.domain.status import Action, InformedBy, InformedPhase, OptOutButton, OptOutKind, PurposePhase
from softphone.wire.snapshot import CallBack, CallState, CodedText, PolicyPhase, PolicyState
from tests.ui import states as s

SAID_NO = OptOutButton(OptOutKind.SAID_NO, enabled=True)
TWO_ASKED = replace(
    s.CONSENT,
    reasons=(s.reason(Reason.WAITING_FOR_ANSWER, s.DOC), s.reason(Reason.WAITING_FOR_ANSWER, s.TRAIN)),
    purposes={s.DOC: s.ASKED, s.TRAIN: s.ASKED},
    notice=replace(s.TOLD, notice=NoticeId.N2_N3, asks=(s.DOC, s.TRAIN)),
    opt_out=SAID_NO,
    actions=(
        Action.SAID_YES,
        Action.SAID_NO,
        Action.DIGITS_WANTED,
        Action.PAUSE_SENSITIVE,
        Action.NEW_PERSON,
        Action.NOT_UNDERSTOOD,
        Action.PRIVATE_CALL,
    ),
)
BY_KEY_ALONE = replace(TWO_ASKED, actions=(Action.SAID_NO, Action.NOT_UNDERSTOOD))
DOCUMENTATION_ASKED = s.status(
    Headline.RECORDING,
    s.reason(Reason.TRAINING_SAMPLE, s.TRAIN),
    s.reason(Reason.WAITING_FOR_ANSWER, s.DOC),
    recording=(s.TRAIN,),
    purposes={s.DOC: s.ASKED, s.TRAIN: s.TRAINING_ON},
    since=s.ON,
    left=8,
    notice=replace(s.TOLD, notice=NoticeId.N2_N4, asks=(s.DOC,)),
    opt_out=s.ENDS,
    dispute=s.LOCK,
    actions=(Action.SAID_YES, Action.SAID_NO, *s.TALK),
)
UNASSESSED = s.status(
    Headline.ASKED,
    s.reason(Reason.WAITING_FOR_ANSWER, s.DOC),
    s.reason(Reason.NO_ASSESSMENT),
    purposes={s.DOC: s.ASKED, s.TRAIN: s.OFF},
    left=8,
    notice=replace(s.TOLD, notice=NoticeId.N2, asks=(s.DOC,)),
    opt_out=SAID_NO,
    actions=(Action.SAID_YES, Action.SAID_NO, Action.DIGITS_WANTED, Action.NOT_UNDERSTOOD),
)
REPEATED = replace(s.CONSENT, until=None, actions=(Action.SAID_YES, Action.SAID_NO))
DIGITS = replace(s.CONSENT, actions=(Action.SAID_YES, Action.SAID_NO, Action.DIGITS_OVER))
WARNED = replace(s.SENSITIVE, until=s.NOW + timedelta(seconds=8), actions=(Action.RESUME, Action.MORE_TIME))
WARNED_BY_HAND = replace(WARNED, until=None)
BY_HAND = replace(s.SENSITIVE, until=None, actions=(Action.RESUME, Action.KEEP_OUT_OF_TRAINING))
HELD_TOO = replace(s.SENSITIVE, pauses=(Reason.SENSITIVE, Reason.HELD))
SPECIAL = replace(
    s.RECORDING,
    reasons=(s.reason(Reason.ASSESSMENT, s.DOC), s.reason(Reason.SPECIAL_CIRCUMSTANCES, s.TRAIN)),
    notice=replace(s.TOLD, notice=NoticeId.N8),
    opt_out=OptOutButton(OptOutKind.GROUNDS, enabled=True),
    actions=(*s.TALK, Action.NOTE_REQUEST),
)
GROUNDS_GIVEN = replace(
    s.TRAINING_DECLINED,
    reasons=(s.reason(Reason.ASSESSMENT, s.DOC), s.reason(Reason.GROUNDS_GIVEN, s.TRAIN, "10:44")),
    purposes={s.DOC: s.ACTIVE, s.TRAIN: replace(s.DECLINED, reason=Reason.GROUNDS_GIVEN)},
)
NOT_GIVEN = replace(SPECIAL, notes=("request_noted",), actions=s.TALK)
OBLIGED_NOTED = replace(
    s.ON_OBLIGATION,
    opt_out=OptOutButton(OptOutKind.NONE, enabled=False, why_not="request_noted"),
    notes=("request_noted",),
    actions=(Action.PAUSE_SENSITIVE, Action.NEW_PERSON, Action.NOT_UNDERSTOOD),
)
BY_KEY = replace(s.DECLINED, reason=Reason.DECLINED_BY_KEY)
UNCLEAR = s.status(
    Headline.PAUSED,
    s.reason(Reason.OBJECTION, None, "10:44"),
    s.reason(Reason.DECLINED_BY_KEY, s.TRAIN, "10:44"),
    purposes={s.DOC: s.ACTIVE, s.TRAIN: BY_KEY},
    since="10:44",
    pauses=(Reason.OBJECTION,),
    opt_out=OptOutButton(OptOutKind.NONE, enabled=False, why_not="objection_received"),
    dispute=s.LOCK,
    notes=("objection_received", "unclear_key"),
    actions=(Action.NEW_PERSON, Action.PRIVATE_CALL, Action.OBJECT, Action.PARTY_ASKS_FOR_RECORDING),
)
BOTH_ENDED = replace(
    s.DELETED,
    reasons=(s.reason(Reason.DECLINED_BY_SIP, s.DOC, "10:44"), s.reason(Reason.DECLINED_BY_SIP, s.TRAIN, "10:44")),
    purposes={purpose: replace(BY_KEY, reason=Reason.DECLINED_BY_SIP) for purpose in (s.DOC, s.TRAIN)},
    notes=("unclear_signal",),
    actions=(Action.PARTY_ASKS_FOR_RECORDING,),
)
NOT_UNDERSTOOD = s.status(
    Headline.NOTICE,
    s.reason(Reason.NOT_UNDERSTOOD),
    purposes={s.DOC: s.PLANNED, s.TRAIN: s.PLANNED},
    since="10:43",
    notice=replace(s.TOLD, told=InformedPhase.NOTHING, started_at=None, heard_at=None),
    opt_out=s.ENDS,
    dispute=s.ARM,
    actions=(Action.PLAY_AGAIN, Action.READ_INSTEAD, Action.KEEP_OUT_OF_TRAINING, Action.PRIVATE_CALL),
    kept=False,
    recordings=(),
)
NEWCOMER = replace(
    s.NEWCOMER,
    notice=replace(s.READING_NOTICE, newcomer=True),
    actions=(Action.PLAY_AGAIN, Action.NOT_UNDERSTOOD, Action.KEEP_OUT_OF_TRAINING, Action.PRIVATE_CALL),
)
UPSTREAM = replace(s.DOCUMENTED, notice=replace(s.TOLD, how=InformedBy.UPSTREAM, started_at=None))
FINISHED = replace(s.DOCUMENTED, notice=replace(s.TOLD, how=InformedBy.FINISHED_ORALLY))
NOTICE_FAILED = s.status(
    Headline.FAILED,
    s.reason(Reason.NOTICE_FAILED),
    purposes={s.DOC: s.PLANNED, s.TRAIN: s.OFF},
    since="10:43",
    notice=replace(s.TOLD, told=InformedPhase.FAILED, heard_at=None),
    opt_out=OptOutButton(OptOutKind.OBJECTION, enabled=True),
    dispute=s.ARM,
    actions=(Action.PLAY_AGAIN, Action.READ_INSTEAD, Action.FINISH_ORALLY, Action.NOT_UNDERSTOOD),
    kept=False,
    recordings=(),
)
HELD_FROM_TRAINING = replace(s.RECORDING, hold=s.HOLD, dispute=s.LOCKED.dispute, notes=("held_from_training",))
OBLIGATION_FAILED = replace(s.STORAGE_FAILED, actions=(Action.END_POLITELY, Action.NEW_PERSON))
OBLIGATION_UNTOLD = replace(
    NOTICE_FAILED,
    purposes={s.DOC: replace(s.OBLIGED, phase=PurposePhase.PLANNED, reason=Reason.WAITING_FOR_NOTICE), s.TRAIN: s.OFF},
    opt_out=OptOutButton(OptOutKind.NOTE_REQUEST, enabled=True),
    actions=(*NOTICE_FAILED.actions, Action.END_POLITELY),
    notes=("obligation_unrecorded",),
)
VOICEMAIL = s.status(
    Headline.NOT_RECORDING, s.reason(Reason.VOICEMAIL), since="10:43", notice=None, kept=False, recordings=()
)
PRIVATE = s.status(Headline.NOT_RECORDING, s.reason(Reason.PRIVATE), since="10:43", kept=False)
CALL_BACK = replace(s.DELETED, notes=("call_back_listed",))
CALL_BACK_WITHHELD = replace(s.DELETED, notes=("call_back_listed", "ask_for_number"))

NO_SOUND = s.status(
    Headline.PAUSED,
    s.reason(Reason.NO_SOUND),
    purposes={s.DOC: s.ACTIVE, s.TRAIN: s.TRAINING_ON},
    since="10:43",
    pauses=(Reason.NO_SOUND,),
    opt_out=s.ENDS,
    dispute=s.LOCK,
    actions=(Action.NEW_PERSON, Action.NOT_UNDERSTOOD, Action.PRIVATE_CALL),
)
STILL_NO_SOUND = replace(NO_SOUND, notes=("still_no_sound",), actions=(*NO_SOUND.actions, Action.END_POLITELY))
SOURCE_CHANGED = replace(
    NO_SOUND,
    reasons=(s.reason(Reason.SOURCE_CHANGED),),
    pauses=(Reason.SOURCE_CHANGED,),
    actions=(Action.SAME_CALLER, *NO_SOUND.actions),
)
STOOD_STILL = replace(s.RECORDING, notes=("stood_still",), missing_seconds=4)

SHORT = replace(
    s.NOTICE,
    text="Samtalen bliver optaget for at dokumentere, hvad der sker, siges og aftales. Læs mere på nordlys.dk/telefonsamtaler.",
    words=(),
)


def _in_english(call: CallState) -> CallState:
    return replace(call, notice=replace(s.NOTICE, language=Language.EN, words=()))


CALLS: dict[str, CallState] = {
    "two_asked": s.call(TWO_ASKED),
    "by_key_alone": s.call(BY_KEY_ALONE),
    "documentation_asked": s.call(DOCUMENTATION_ASKED),
    "unassessed": s.call(UNASSESSED),
    "repeated": s.call(REPEATED),
    "digits": s.call(DIGITS),
    "warned": s.call(WARNED),
    "warned_by_hand": s.call(WARNED_BY_HAND),
    "by_hand": s.call(BY_HAND),
    "held_too": s.call(HELD_TOO),
    "special": s.call(SPECIAL),
    "grounds_given": s.call(GROUNDS_GIVEN),
    "not_given": s.call(NOT_GIVEN),
    "obliged_noted": replace(
        s.call(OBLIGED_NOTED), objection_answer="Loven kræver, at vi optager den her slags samtaler."
    ),
    "unclear": s.call(UNCLEAR),
    "both_ended": s.call(BOTH_ENDED),
    "not_understood": replace(s.call(NOT_UNDERSTOOD), other_languages=(Language.EN,)),
    "in_english": _in_english(s.call(s.PLAYING)),
    "newcomer": replace(s.call(NEWCOMER), notice=SHORT, other_languages=(Language.EN,)),
    "upstream": s.call(UPSTREAM),
    "finished": s.call(FINISHED),
    "notice_failed": replace(s.call(NOTICE_FAILED), other_languages=(Language.EN,)),
    "held_from_training": s.call(HELD_FROM_TRAINING),
    "obligation_failed": s.call(OBLIGATION_FAILED),
    "obligation_goes_on": s.call(s.OBLIGATION_GOES_ON),
    "obligation_untold": s.call(OBLIGATION_UNTOLD),
    "voicemail": s.call(VOICEMAIL, direction=Direction.OUTBOUND),
    "private": s.call(PRIVATE),
    "call_back": s.call(CALL_BACK),
    "call_back_withheld": s.call(CALL_BACK_WITHHELD),
    "muted": replace(s.call(s.RECORDING), muted=True),
    "no_sound": s.call(NO_SOUND),
    "still_no_sound": s.call(STILL_NO_SOUND),
    "source_changed": s.call(SOURCE_CHANGED),
    "stood_still": s.call(STOOD_STILL),
}
EVERY: dict[str, CallState] = {
    **{name: row[0] for name, row in s.ROWS.items()},
    "locked": s.LOCKED_CALL,
    "incoming": s.INCOMING,
    **CALLS,
}
"""every state of a call that the desk's tests know, by name"""
CALL_BACKS = (
    CallBack("cb1", "+4526371188", "salg", s.at("09:31")),
    CallBack("cb2", "+4540119017", None, datetime(2026, 11, 24, 13, 5, tzinfo=UTC)),
)
TO_CALL_BACK = replace(s.snapshot(), call_backs=CALL_BACKS)
FAULTS = (
    CodedText("settings.policy.none", {"rule": "G10"}, 12, "line[1].training.retention"),
    CodedText("settings.policy.missing", {}, 3, "time_zone"),
)
LAST_GOOD = replace(
    s.snapshot(), policy=PolicyState(PolicyPhase.FAULTY, "p.toml", "Nordlys El A/S", "Europe/Copenhagen", FAULTS)
)
UNSIGNED = replace(s.snapshot(), policy=PolicyState(PolicyPhase.UNSIGNED, "p.toml"))
WITH_REMARKS = replace(
    s.snapshot(), policy=PolicyState(PolicyPhase.READY, "p.toml", "Nordlys El A/S", "Europe/Copenhagen", FAULTS[:1])
)
