"""The engine's calls with phone, recorder, store and rules written by hand, and a clock turned by hand.

The journeys drive the real ones. Nothing here knows what a test proves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from softphone.archive.catalog.own_calls import OwnCall
from softphone.calls.live import LiveCall
from softphone.calls.upstream import HEADER
from softphone.domain.changes import AuditEntry, Commit, OpenSegment
from softphone.domain.decision import Decision, Facts, LookupResult, NoticeDelivery, NoticeId, PlanState, PurposePlan
from softphone.domain.events import Now
from softphone.domain.notice import NoticeFile, NoticeSound, NoticeText, Piece
from softphone.domain.passport import HEADER as PASSPORT
from softphone.domain.policy import Policy
from softphone.domain.purpose import Basis, Headline, Language, Reason
from softphone.domain.status import Action
from softphone.engine.call.earlier import Answer, LockRequest
from softphone.engine.call.phone_calls import PhoneCalls
from softphone.engine.sip import events as sip
from softphone.plugin.notices import NoticeBook, Place
from softphone.wire.from_engine import Occurred
from softphone.wire.snapshot import CallState, CodedText
from softphone.wire.to_engine import Act
from tests.policies import POLICY, policy_of

CALL = "01a20000-0000-7000-8000-000000000001"
SECOND = "01a20000-0000-7000-8000-000000000002"
THIRD = "01a20000-0000-7000-8000-000000000003"
NUMBER = "+4570102030"
PARTY = "+4520123456"
TEXT = NoticeText(Language.DA, (Piece("Vi optager.", "Vi optager."),), 11, 11, None)
ENGLISH = NoticeText(Language.EN, (Piece("We record.", "We record."),), 10, 10, None)
SHORT = NoticeText(Language.DA, (Piece("Vi optager!", "Vi optager!"),), 11, 11, None)
SOUND = NoticeSound(TEXT, "notice.wav", 2.0, 1.0, None, ())
LINES = ("salg", "support")
OFF = PurposePlan(PlanState.OFF, None, Reason.NOT_IN_SAMPLE)
N1 = Decision(
    PurposePlan(PlanState.PLANNED, Basis.LEGITIMATE_INTEREST, Reason.ASSESSMENT),
    OFF,
    NoticeId.N1,
    NoticeDelivery.PLAY,
    (Reason.ASSESSMENT,),
)

N3 = Decision(
    OFF,
    PurposePlan(PlanState.ASKED, Basis.CONSENT, Reason.CONSENT),
    NoticeId.N3,
    NoticeDelivery.PLAY,
    (Reason.CONSENT,),
)


@dataclass
class FakePhone:
    done: list[str] = field(default_factory=list[str])
    passports: list[str] = field(default_factory=list[str])
    """what went along with each transfer"""
    dialled_with: list[str] = field(default_factory=list[str])
    """the passport of each call that was made"""
    notice_fails: bool = False
    attended: frozenset[str] = frozenset()

    def dial(self, account: str, target: str, *, replaces: str = "", passport: str = "") -> str:
        self.done.append(f"dial {target}")
        self.dialled_with.append(passport)
        call = CALL if not self.attended else SECOND if CALL in self.attended else THIRD
        self.attended = frozenset({call})
        return call

    def transfer(self, call: str, target: str, *, passport: str = "", consultation: str = "") -> None:
        self.done.append(f"transfer {target}")
        self.passports.append(passport)

    def tell_referrer(self, call: str, code: int) -> None:
        self.done.append(f"tell {code}")

    def ring(self, call: str) -> None:
        self.done.append("ring")

    def answer(self, call: str) -> None:
        self.done.append("answer")
        self.attended = frozenset({call})

    def decline(self, call: str, code: int = 603) -> None:
        self.done.append(f"decline {code}")

    def hang_up(self, call: str) -> None:
        self.done.append("hang up")

    def hold(self, call: str) -> None:
        self.done.append("hold")

    def resume(self, call: str) -> None:
        self.done.append("resume")
        self.attended = frozenset({call})

    def join(self, call: str, other: str) -> None:
        self.done.append("join")
        self.attended = frozenset({call, other})

    def send_digits(self, call: str, digits: str) -> None:
        self.done.append(f"digits {digits}")

    def set_muted(self, call: str, muted: bool) -> None:
        self.done.append(f"muted {muted}")

    def open_microphone(self, call: str, opened: bool) -> None:
        self.done.append("microphone open" if opened else "microphone shut")

    def play_notice(self, call: str, file: NoticeFile, lead_in_seconds: float) -> None:
        if self.notice_fails:
            raise RuntimeError("a bug")
        self.done.append(f"play {file.path}")

    def stop_notice(self, call: str) -> None:
        self.done.append("stop notice")

    def set_recording(self, call: str, state: sip.PeerRecordingState) -> None:
        self.done.append(f"record {state}")

    def sound_warning(self, call: str) -> None:
        self.done.append("warning tone")

    def follow_source(self, call: str) -> None:
        self.done.append("follow source")


@dataclass
class FakeRecorder:
    running: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    starts: int = 0
    fails: bool = False
    lost: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])

    def start(self, call: str, recording: str, segment: int, key: bytes) -> None:
        if self.fails:
            raise RuntimeError("a bug")
        self.starts += 1
        self.running.add((recording, segment))

    def stop(self, call: str, recording: str, segment: int, *, hold_frames: bool = False) -> None:
        self.running.discard((recording, segment))

    def drop_frames(self, recording: str) -> None: ...

    def mark_lost(self, call: str, seconds: float) -> None:
        self.lost.append((call, seconds))


@dataclass
class FakeStore:
    rung: list[NoticeId | None] = field(default_factory=list[NoticeId | None])
    """the notice of each call that was told of, each time"""
    noted: list[AuditEntry] = field(default_factory=list[AuditEntry])
    used_up: list[str] = field(default_factory=list[str])
    commits: list[Commit] = field(default_factory=list[Commit])
    of_calls: list[str] = field(default_factory=list[str])
    """the call of each transaction that there ever was"""
    looked_up: list[LiveCall] = field(default_factory=list[LiveCall])
    earlier: list[LockRequest] = field(default_factory=list[LockRequest])
    unopened: bool = False

    def look_up(self, call: LiveCall) -> None:
        self.looked_up.append(call)

    def ring(self, call: LiveCall) -> None:
        self.rung.append(call.notice_id)

    def commit(self, call: str, commit: Commit) -> None:
        self.commits.append(commit)
        self.of_calls.append(call)

    def forget_keys(self, recording: str) -> None: ...

    def unrecorded_call(self, call: str, why: Reason) -> None: ...

    def answered(self, call: str) -> None:
        self.used_up.append(call)

    def note(self, entries: Sequence[AuditEntry]) -> None:
        self.noted += entries

    def over(self, call: str) -> None: ...

    def look_back(self, agents: Sequence[str], since: datetime, now: datetime, *, again: bool = False) -> None: ...

    def list_own(self, call: OwnCall) -> None: ...

    def take_up(self, call: str, now: datetime) -> bool:
        return False

    def lock_earlier(self, asked: LockRequest, answer: Answer) -> None:
        self.earlier.append(asked)

    def cause(self) -> str | None:
        return "disk_full"


@dataclass
class FakeRules:
    policy: Policy | None
    trouble: Reason = Reason.POLICY_MISSING
    exchanges: frozenset[str] = frozenset()
    asked: list[tuple[Facts, bool]] = field(default_factory=list[tuple[Facts, bool]])
    """what the rulebook was asked, and whether the call is in the sample"""
    book: NoticeBook = field(default_factory=lambda: book_of(TEXT, ENGLISH))

    def make_anew(self) -> None: ...

    def ask(self, call: str, policy: Policy, facts: Facts, *, drawn: bool) -> None:
        self.asked.append((facts, drawn))


def book_of(
    *texts: NoticeText,
    short: NoticeText | None = None,
    law: str = "law",
    path: str = "notice",
    notices: Sequence[NoticeId] = tuple(NoticeId),
) -> NoticeBook:
    """A policy's book: the same `texts` for each of its lines and `notices`, `short` for newcomers, `law` in answer to an
    objection."""

    def everywhere(told: Sequence[NoticeText]) -> dict[Place, NoticeText]:
        return {(line, notice, text.language): text for line in LINES for notice in notices for text in told}

    def sounds(told: Mapping[Place, NoticeText], name: str) -> dict[Place, NoticeSound]:
        ends = {Language.DA: ".wav", Language.EN: "-en.wav"}
        return {
            place: NoticeSound(text, name + ends[text.language], 2.0, 1.0, None, ()) for place, text in told.items()
        }

    whole, newcomers = everywhere(texts), everywhere((short,) if short else ())
    answers = {one: Piece(f"{law}-{one}", f"{law}-{one}") for one in Language}
    return NoticeBook(
        texts=whole,
        newcomers=newcomers,
        objections={
            (line, one): NoticeText(one, (said,), 1, 1, None) for line in LINES for one, said in answers.items()
        },
        sounds=sounds(whole, path),
        newcomer_sounds=sounds(newcomers, "short"),
    )


class Scene:
    """A phone whose clock is turned by hand."""

    def __init__(self, policy: str | None = POLICY, *, account: str = NUMBER) -> None:
        self.phone, self.recorder, self.store = FakePhone(), FakeRecorder(), FakeStore()
        self.rules = FakeRules(policy_of(policy).policy if policy else None)
        self.told: list[object] = []
        self.accounts: dict[str, str] = {}
        self.seconds = 0.0
        self.set_by = timedelta()
        """how far somebody has set the wall clock"""
        self.calls = PhoneCalls(
            self.phone,
            self.recorder,
            self.store,
            self.rules,
            clock=self.now,
            tell=self.told.append,
            changed=lambda: None,
            account_address=lambda _: f"{account}@pbx.example",
            own_accounts=lambda: self.accounts,
            microphone_opened=lambda: None,
            tone=lambda _: None,
        )
        self.calls.desk(present=True)

    def now(self) -> Now:
        return Now(datetime(2026, 11, 25, 9, tzinfo=UTC) + self.set_by + timedelta(seconds=self.seconds), self.seconds)

    def later(self, seconds: float) -> None:
        self.seconds += seconds
        self.calls.run_due()

    def ring(
        self,
        call: str = CALL,
        *,
        number: str = PARTY,
        called: str = NUMBER,
        called_as: str = "",
        told: tuple[str, ...] = (),
        passports: tuple[str, ...] = (),
        host: str = "127.0.0.1",
        proved: str = "",
    ) -> None:
        headers = sip.Headers({HEADER: told, PASSPORT: passports})
        self.calls.arrived(
            sip.CallArrived(
                call, "a", "Mette", number, "pbx.example", called, headers, host, False, proved, "", called_as
            )
        )

    def decide(self, decision: Decision = N1, known: LookupResult | None = None) -> None:
        """The archive answers, then the rulebook."""
        self.calls.looked_up(CALL, known or LookupResult())
        self.calls.decided(CALL, decision)

    def press(self, action: Action, language: Language | None = None) -> CodedText | None:
        status = self.call.status
        assert status is not None
        return self.calls.recording_command(Act("1", CALL, status.version, action, None, language))

    def answer(self) -> None:
        self.calls.established(sip.CallEstablished(CALL, record_aware=False))

    def hear_notice(self) -> None:
        self.calls.notice_started(sip.NoticeStarted(CALL, self.seconds))
        self.later(2.2)
        self.calls.notice_played(sip.NoticePlayed(CALL))

    def acknowledge(self) -> None:
        for commit in [*self.store.commits]:
            self.store.commits.remove(commit)
            keys: Mapping[tuple[str, int], bytes] = {
                (one.recording, one.segment): bytes(32) for one in commit.changes if isinstance(one, OpenSegment)
            }
            self.calls.committed(CALL, commit.ticket, keys)

    @property
    def call(self) -> CallState:
        return self.calls.shown()[0]

    @property
    def reason(self) -> Reason:
        assert self.call.status is not None
        return self.call.status.reasons[0].reason

    @property
    def headline(self) -> Headline:
        assert self.call.status is not None
        return self.call.status.headline

    def told_of(self, event: str) -> list[Occurred]:
        return [one for one in self.told if isinstance(one, Occurred) and one.event == event]
