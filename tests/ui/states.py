"""Snapshots made by hand: one for each row of the window's table, and the pages between calls. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from softphone.domain.decision import NoticeId
from softphone.domain.notice import SpokenWord
from softphone.domain.purpose import Basis, Direction, Headline, Language, Purpose, Reason
from softphone.domain.status import (
    Action,
    Choice,
    DisputeButton,
    DisputeKind,
    HoldPhase,
    HoldStatus,
    InformedBy,
    InformedPhase,
    NoticeStatus,
    OptOutButton,
    OptOutKind,
    PurposePhase,
    PurposeStatus,
    ReasonStatus,
    Status,
)
from softphone.wire.from_engine import Snapshot
from softphone.wire.snapshot import (
    Account,
    AccountState,
    CallPhase,
    CallState,
    CodedText,
    LineState,
    NoticeText,
    PastCall,
    PolicyPhase,
    PolicyState,
    Registration,
    Settings,
    SoundDevice,
    SoundState,
    StoreState,
)

DOC, TRAIN = Purpose.DOCUMENTATION, Purpose.TRAINING
DA, EN = Language.DA, Language.EN


def at(clock: str) -> datetime:
    """A time of 25 November 2026 in Copenhagen (one hour ahead of UTC), as UTC."""
    hours, minutes, seconds = (int(part) for part in f"{clock}:00".split(":")[:3])
    return datetime(2026, 11, 25, hours - 1, minutes, seconds, tzinfo=UTC)


NOW = at("10:43:14")
ACCOUNT = Account("acc-1", "salg@nordlys.example")
SALES = LineState(
    "salg",
    {DA: "Salgslinjen", EN: "Sales line"},
    ("+4570102030",),
    {DA: "kunden", EN: "the caller"},
    {
        DOC: {
            DA: "Aftaler på salgslinjen skal kunne dokumenteres",
            EN: "Agreements on the sales line must be documented",
        },
        TRAIN: {DA: "Vi uddanner nye kolleger på salgslinjen", EN: "We train new colleagues on the sales line"},
    },
    "10 %",
)
SERVICE = replace(SALES, id="service", name={DA: "Kundeservice", EN: "Customer service"}, numbers=("+4570102031",))
TEXT = (
    "Vi optager og gemmer samtalen for at dokumentere, hvad der sker, og hvad vi siger og aftaler. Vi bruger den også til "
    "at uddanne vores medarbejdere. Hvis du ikke vil have, at den bliver brugt til uddannelse, så sig bare til, så lader "
    "vi være. Læs om din ret til indsigelse og indsigt på nordlys.dk/telefonsamtaler."
)


def spoken(text: str, seconds: float) -> tuple[SpokenWord, ...]:
    words: list[SpokenWord] = []
    start, each = 0, seconds / len(text.split())
    for i, word in enumerate(text.split()):
        begin = text.index(word, start)
        start = begin + len(word)
        words.append(SpokenWord(begin, start, i * each, (i + 1) * each))
    return tuple(words)


NOTICE = NoticeText(DA, TEXT, 18.0, None, spoken(TEXT, 18.0))
SOUND = SoundState(
    (SoundDevice("m1", "Jabra Evolve2 65", True, True), SoundDevice("s1", "Højttalere", False, True)), "m1", "m1"
)
HISTORY = (
    PastCall(
        "h1", Direction.INBOUND, "Mette Holm", "+4520123456", "salg", at("10:41"), 372, "documentation", kept=True
    ),
    PastCall("h2", Direction.INBOUND, "Jens Bo Krogh", "+4531221009", "service", at("10:22"), 201, "not_recorded"),
    PastCall("h3", Direction.INBOUND, "", "+4540119017", "salg", at("10:05"), 0, "missed"),
    PastCall("h4", Direction.OUTBOUND, "Nordkyst Byg ApS", "+4598120040", "salg", at("09:48"), 95, "locked", kept=True),
    PastCall("h5", Direction.INBOUND, "Alma Friis", "+4526371188", "salg", at("09:31"), 44, "call_back"),
)


def snapshot(*calls: CallState, history: tuple[PastCall, ...] = HISTORY, version: int = 7) -> Snapshot:
    return Snapshot(
        version,
        NOW,
        (AccountState(ACCOUNT, Registration.REGISTERED, NOW + timedelta(minutes=4)),),
        (SALES, SERVICE),
        calls,
        history,
        PolicyState(PolicyPhase.READY, "/etc/klartone/policy.toml", "Nordlys El A/S", "Europe/Copenhagen"),
        SOUND,
        StoreState(works=True),
        Settings(accounts=(ACCOUNT,), policy="/etc/klartone/policy.toml", line="salg"),
        sip_port=5060,
    )


def purpose(
    phase: PurposePhase,
    basis: Basis | None = Basis.LEGITIMATE_INTEREST,
    reason: Reason = Reason.ASSESSMENT,
    when: str | None = None,
) -> PurposeStatus:
    return PurposeStatus(phase, basis, reason, at(when) if when else None)


def reason(
    code: Reason, purpose: Purpose | None = None, when: str | None = None, params: Mapping[str, str | int] | None = None
) -> ReasonStatus:
    return ReasonStatus(code, code.rule, purpose, at(when) if when else None, params or {})


OFF = purpose(PurposePhase.OFF, None, Reason.LINE_NOT_RECORDED)
TOLD = NoticeStatus(NoticeId.N7, DA, InformedPhase.INFORMED, InformedBy.PLAY, at("10:41:02"), at("10:41:20"), None, ())
DIM = "nothing_recorded"


def status(
    headline: Headline,
    *reasons: ReasonStatus,
    recording: tuple[Purpose, ...] = (),
    purposes: Mapping[Purpose, PurposeStatus] | None = None,
    since: str | None = None,
    left: float | None = None,
    notice: NoticeStatus | None = TOLD,
    opt_out: OptOutButton | None = None,
    dispute: DisputeButton | None = None,
    hold: HoldStatus | None = None,
    choices: tuple[Choice, ...] = (),
    actions: tuple[Action, ...] = (),
    pauses: tuple[Reason, ...] = (),
    kept: bool = True,
    recordings: tuple[str, ...] = ("rec-1",),
    notes: tuple[str, ...] = (),
) -> Status:
    return Status(
        11,
        headline,
        recording,
        purposes or {DOC: OFF, TRAIN: OFF},
        reasons,
        at(since) if since else None,
        NOW + timedelta(seconds=left) if left is not None else None,
        pauses,
        notice,
        opt_out or OptOutButton(OptOutKind.NONE, enabled=False, why_not=DIM),
        dispute or DisputeButton(DisputeKind.NONE, enabled=False, why_not="nothing_kept"),
        hold,
        choices,
        actions,
        kept,
        recordings,
        notes,
        recorded_from=at(since) if since and headline is Headline.RECORDING else None,
    )


def call(
    state: Status | None = None,
    phase: CallPhase = CallPhase.CONNECTED,
    *,
    direction: Direction = Direction.INBOUND,
    name: str = "Mette Holm",
    number: str = "+45 20 12 34 56",
    line: str | None = "salg",
    answered: str | None = "10:41",
) -> CallState:
    return CallState(
        "call-1",
        ACCOUNT.id,
        line,
        direction,
        name,
        number,
        phase,
        at("10:40:50"),
        at(answered) if answered else None,
        status=state,
        notice=NOTICE,
    )


ACTIVE = purpose(PurposePhase.ACTIVE, when="10:42")
TRAINING_ON = purpose(PurposePhase.ACTIVE, reason=Reason.TRAINING_SAMPLE, when="10:42")
DECLINED = purpose(PurposePhase.ENDED, reason=Reason.DECLINED_BY_VOICE, when="10:44")
PLANNED = purpose(PurposePhase.PLANNED)
ASKED = purpose(PurposePhase.ASKED, Basis.CONSENT, Reason.WAITING_FOR_ANSWER)
OBLIGED = purpose(PurposePhase.ACTIVE, Basis.LEGAL_OBLIGATION, Reason.OBLIGATION, "10:42")
LOCK = DisputeButton(DisputeKind.LOCK, enabled=True)
ARM = DisputeButton(DisputeKind.ARM, enabled=True)
ENDS = OptOutButton(OptOutKind.TRAINING_ENDS, enabled=True)
TALK = (
    Action.PAUSE_SENSITIVE,
    Action.NEW_PERSON,
    Action.NOT_UNDERSTOOD,
    Action.KEEP_OUT_OF_TRAINING,
    Action.PRIVATE_CALL,
)
ON = "10:42"

RECORDING = status(
    Headline.RECORDING,
    reason(Reason.ASSESSMENT, DOC),
    reason(Reason.TRAINING_SAMPLE, TRAIN),
    recording=(DOC, TRAIN),
    purposes={DOC: ACTIVE, TRAIN: TRAINING_ON},
    since=ON,
    opt_out=ENDS,
    dispute=LOCK,
    actions=TALK,
)
PLAYING = status(
    Headline.NOTICE,
    reason(Reason.WAITING_FOR_NOTICE),
    purposes={DOC: PLANNED, TRAIN: PLANNED},
    since="10:43:05",
    left=9,
    notice=replace(TOLD, told=InformedPhase.PLAYING, started_at=NOW - timedelta(seconds=9), heard_at=None),
    opt_out=ENDS,
    dispute=ARM,
    actions=(Action.STOP_NOTICE, Action.NOT_UNDERSTOOD),
    kept=False,
    recordings=(),
)
READING_NOTICE = replace(
    TOLD,
    notice=NoticeId.N1,
    told=InformedPhase.READING,
    how=InformedBy.READ,
    started_at=NOW - timedelta(seconds=4),
    heard_at=None,
    readable_at=NOW + timedelta(seconds=4),
)
READING = status(
    Headline.NOTICE,
    reason(Reason.WAITING_FOR_NOTICE),
    purposes={DOC: PLANNED, TRAIN: OFF},
    since="10:43:10",
    notice=READING_NOTICE,
    opt_out=OptOutButton(OptOutKind.OBJECTION, enabled=True),
    dispute=ARM,
    actions=(Action.VOICEMAIL, Action.NOT_UNDERSTOOD),
    kept=False,
    recordings=(),
)
NOBODY_YET = status(
    Headline.NOTICE,
    reason(Reason.NO_PERSON_CONFIRMED),
    purposes={DOC: PLANNED, TRAIN: OFF},
    since="10:43",
    notice=None,
    opt_out=OptOutButton(OptOutKind.OBJECTION, enabled=True),
    dispute=ARM,
    actions=(Action.PERSON_ANSWERED, Action.VOICEMAIL),
    kept=False,
    recordings=(),
)
CONSENT = status(
    Headline.ASKED,
    reason(Reason.WAITING_FOR_ANSWER, TRAIN),
    purposes={DOC: OFF, TRAIN: ASKED},
    since="10:43:10",
    left=8,
    notice=replace(TOLD, notice=NoticeId.N3, asks=(TRAIN,)),
    opt_out=OptOutButton(OptOutKind.SAID_NO, enabled=True),
    dispute=ARM,
    actions=(Action.SAID_YES, Action.ASK_AGAIN, Action.NOT_UNDERSTOOD),
    kept=False,
    recordings=(),
)
TRAINING_ASKED = status(
    Headline.RECORDING,
    reason(Reason.ASSESSMENT, DOC),
    reason(Reason.WAITING_FOR_ANSWER, TRAIN),
    recording=(DOC,),
    purposes={DOC: ACTIVE, TRAIN: ASKED},
    since=ON,
    left=8,
    notice=replace(TOLD, notice=NoticeId.N6, asks=(TRAIN,)),
    opt_out=OptOutButton(OptOutKind.SAID_NO, enabled=True),
    dispute=LOCK,
    actions=(Action.SAID_YES, *TALK),
)
DOCUMENTED = status(
    Headline.RECORDING,
    reason(Reason.ASSESSMENT, DOC),
    recording=(DOC,),
    purposes={DOC: ACTIVE, TRAIN: OFF},
    since=ON,
    opt_out=OptOutButton(OptOutKind.OBJECTION, enabled=True),
    dispute=LOCK,
    actions=TALK,
)
ON_OBLIGATION = status(
    Headline.RECORDING,
    reason(Reason.OBLIGATION, DOC),
    recording=(DOC,),
    purposes={DOC: OBLIGED, TRAIN: OFF},
    since=ON,
    opt_out=OptOutButton(OptOutKind.NOTE_REQUEST, enabled=True),
    dispute=LOCK,
    actions=TALK,
)
TRAINING_DECLINED = status(
    Headline.RECORDING,
    reason(Reason.ASSESSMENT, DOC),
    reason(Reason.DECLINED_BY_VOICE, TRAIN, "10:44"),
    recording=(DOC,),
    purposes={DOC: ACTIVE, TRAIN: DECLINED},
    since="10:44",
    opt_out=OptOutButton(OptOutKind.OBJECTION, enabled=True, asks=True),
    dispute=LOCK,
    actions=TALK,
)
OBJECTED = status(
    Headline.RECORDING,
    reason(Reason.ASSESSMENT, DOC),
    reason(Reason.OBJECTION, DOC, "10:44"),
    recording=(DOC,),
    purposes={DOC: ACTIVE, TRAIN: OFF},
    since=ON,
    opt_out=OptOutButton(OptOutKind.NONE, enabled=False, why_not="objection_received"),
    dispute=LOCK,
    actions=TALK,
)
NOT_DRAWN = status(
    Headline.NOT_RECORDING, reason(Reason.NOT_IN_SAMPLE), since="10:43", notice=None, kept=False, recordings=()
)
NO_ANSWER = status(
    Headline.NOT_RECORDING,
    reason(Reason.NO_ANSWER, TRAIN),
    since="10:43",
    actions=(Action.ASK_AGAIN,),
    kept=False,
    recordings=(),
)
DELETED = status(
    Headline.NOT_RECORDING,
    reason(Reason.DECLINED_BY_VOICE, TRAIN, "10:44"),
    purposes={DOC: OFF, TRAIN: DECLINED},
    since="10:44",
    kept=False,
)
SENSITIVE = status(
    Headline.PAUSED,
    reason(Reason.SENSITIVE),
    purposes={DOC: ACTIVE, TRAIN: TRAINING_ON},
    since="10:42:59",
    left=45,
    pauses=(Reason.SENSITIVE,),
    opt_out=ENDS,
    dispute=LOCK,
    actions=(Action.RESUME, Action.KEEP_OUT_OF_TRAINING),
)
NEWCOMER = status(
    Headline.PAUSED,
    reason(Reason.NOT_TOLD),
    purposes={DOC: ACTIVE, TRAIN: TRAINING_ON},
    since="10:43",
    pauses=(Reason.NOT_TOLD,),
    opt_out=ENDS,
    dispute=LOCK,
    actions=(Action.PLAY_AGAIN, Action.FINISH_ORALLY),
)
HOLD = HoldStatus(HoldPhase.LOCKED, "controller", at("10:45"), NOW + timedelta(seconds=48))
LOCKED = replace(
    TRAINING_DECLINED,
    hold=HOLD,
    dispute=DisputeButton(DisputeKind.UNDO, enabled=True, until=NOW + timedelta(seconds=48)),
    choices=(Choice("dispute_by", ("party", "controller"), "controller"),),
)
STORAGE_FAILED = status(
    Headline.FAILED,
    reason(Reason.STORAGE_FAILED, params={"cause": "disk_full"}),
    purposes={DOC: replace(OBLIGED, reason=Reason.STORAGE_FAILED), TRAIN: OFF},
    since="10:43",
    kept=False,
    recordings=(),
    actions=(Action.END_POLITELY,),
    notes=("obligation_unrecorded",),
)
OBLIGATION_GOES_ON = replace(STORAGE_FAILED, actions=TALK[:3])
"""`on_failure = "go_on"`: nothing is offered"""
NO_POLICY = status(
    Headline.FAILED, reason(Reason.POLICY_MISSING), since="10:43", notice=None, kept=False, recordings=()
)

ROWS: dict[str, tuple[CallState, str, str]] = {
    # name: the call, and its sentence in Danish and English, word for word as the table has them
    "notice_playing": (
        call(PLAYING, answered="10:43:05"),
        "Beskeden afspilles – optages ikke endnu",
        "Notice playing – not recording yet",
    ),
    "read_aloud": (
        call(READING, direction=Direction.OUTBOUND, name="Nordkyst Byg ApS", number="+45 98 12 00 40"),
        "Læs teksten op – optages ikke endnu",
        "Read this aloud – not recording yet",
    ),
    "nobody_confirmed": (
        call(NOBODY_YET, direction=Direction.OUTBOUND, name="Nordkyst Byg ApS", number="+45 98 12 00 40"),
        "Optages ikke endnu · svarede en person?",
        "Not recording yet · did a person answer?",
    ),
    "consent_awaited": (
        call(CONSENT),
        "Optages ikke · venter på svar. Kunden kan trykke 1 (8 sek.)",
        "Not recording · waiting for an answer. The caller can press 1 (8 s)",
    ),
    "training_asked": (
        call(TRAINING_ASKED),
        "Optages kun til dokumentation. Venter på svar om uddannelse: kunden kan trykke 1 (8 sek.)",
        "Recording for documentation only. Waiting for an answer on training: the caller can press 1 (8 s)",
    ),
    "recording": (call(DOCUMENTED), "Optages til dokumentation", "Recording for documentation"),
    "recording_both": (
        call(RECORDING),
        "Optages til dokumentation og uddannelse",
        "Recording for documentation and training",
    ),
    "obligation": (
        call(ON_OBLIGATION),
        "Optages, fordi loven kræver det",
        "Recording because the law requires it",
    ),
    "training_declined": (
        call(TRAINING_DECLINED),
        "Optages kun til dokumentation. Kunden sagde nej til uddannelse kl. 10.44",
        "Recording for documentation only. The caller said no to training at 10:44",
    ),
    "objection": (
        call(OBJECTED),
        "Optages. Indsigelse modtaget, kun databeskyttelsesfunktionen kan åbne optagelsen",
        "Recording. Objection received, only data protection can open the recording",
    ),
    "not_in_sample": (
        call(NOT_DRAWN, name="Jens Bo Krogh", line="service", number="+45 31 22 10 09"),
        "Optages ikke · samtalen er ikke med i stikprøven",
        "Not recording · this call is not in the sample",
    ),
    "no_answer": (
        call(NO_ANSWER),
        "Optages ikke · kunden har ikke sagt ja (intet svar)",
        "Not recording · the caller has not said yes (no answer)",
    ),
    "deleted": (
        call(DELETED),
        "Optages ikke · kunden sagde nej kl. 10.44. Optagelsen er slettet",
        "Not recording · the caller said no at 10:44. The recording is deleted",
    ),
    "paused_sensitive": (
        call(SENSITIVE),
        "På pause (følsomme oplysninger). Optagelsen fortsætter om 45 sek.",
        "Paused (sensitive information). Recording resumes in 45 s",
    ),
    "paused_newcomer": (
        call(NEWCOMER),
        "På pause · den nye person har ikke fået besked",
        "Paused · the new person has not been told",
    ),
    "storage_failed": (
        call(STORAGE_FAILED),
        "Optages ikke · optagelsen kan ikke gemmes (disken er fuld)",
        "Not recording · the recording cannot be stored (disk full)",
    ),
    "no_policy": (
        call(NO_POLICY),
        "Optages ikke · reglerne for linjen mangler eller er ikke godkendt",
        "Not recording · the line's policy is missing or not approved",
    ),
}
LOCKED_CALL = call(LOCKED)
INCOMING = call(
    replace(PLAYING, headline=Headline.NOT_RECORDING, notice=None, until=None),
    CallPhase.INCOMING,
    answered=None,
)
ENDED = replace(
    call(
        replace(
            TRAINING_DECLINED,
            headline=Headline.NOT_RECORDING,
            recording=(),
            opt_out=OptOutButton(OptOutKind.OBJECTION, enabled=True, asks=True),
            actions=(Action.WITHDRAW_TRAINING,),
        ),
        CallPhase.ENDED,
    ),
    ended_at=at("10:47:12"),
    expires={DOC: date(2027, 2, 25)},
)
READY = snapshot(ENDED)
REOPENED = replace(
    call(
        replace(
            RECORDING,
            headline=Headline.NOT_RECORDING,
            recording=(),
            opt_out=OptOutButton(OptOutKind.TRAINING_ENDS, enabled=True),
            actions=(Action.KEEP_OUT_OF_TRAINING, Action.OBJECT),
        ),
        CallPhase.ENDED,
    ),
    id="h1",
    reopened=True,
    ended_at=at("10:47:12"),
    expires={DOC: date(2027, 2, 25), TRAIN: date(2027, 2, 25)},
)
"""the newest of today's calls, taken up again"""
FIRST_START = replace(
    snapshot(history=()),
    accounts=(),
    settings=Settings(),
    policy=PolicyState(
        PolicyPhase.FAULTY,
        "/etc/klartone/policy.toml",
        faults=(
            CodedText("settings.policy.none", {}, 12, "line[0].retention"),
            CodedText("settings.policy.none", {}, 3, "zone"),
        ),
    ),
)
