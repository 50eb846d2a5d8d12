"""An opt-out of training, a consent taken back, an objection or a request for erasure by letter, on any day after the call: at
once and in the whole call (G04, G23, G31, G37).

Nothing is decided: the session's own rules end the purpose or make it a case, and say what a hold keeps. A call that is still
on is left to its agent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from softphone.archive.archive import KEY_SHOWN, Archive
from softphone.archive.changes.call import CallFacts
from softphone.archive.changes.execution import Execution, Memory, OvertakenError
from softphone.archive.changes.party import remember_refusal
from softphone.archive.changes.table import carry_out
from softphone.archive.finding.history import History, PastRow
from softphone.archive.finding.rows import RecordingRow
from softphone.archive.retention.cases import OPENED
from softphone.archive.retention.holding import with_number
from softphone.archive.retention.sweep import finish
from softphone.domain.archive.decisions import PurposesEnded, Right, WithdrawalResult
from softphone.domain.changes import AuditEntry, Commit
from softphone.domain.errors import ArchiveError
from softphone.domain.events import Event, Now, Objected, OptedOut, Terms, Withdrawn, WrapUpEnded
from softphone.domain.purpose import Basis, Direction, Language, Purpose
from softphone.domain.session import describe, reopened, step
from softphone.domain.session.state import State

_TRIES = 3
"""others may change a call between the look and the transaction"""


@dataclass(frozen=True, slots=True)
class WithdrawalRequest:
    """`purpose`: of a withdrawal, that one alone. `terms`: how long a hold may stand that a refusal meets. `key`: of the
    person who takes it. `received`: the day of the letter; None: today."""

    right: Right
    now: datetime
    terms: Terms
    purpose: Purpose | None = None
    key: str = ""
    received: date | None = None


def of_recording(archive: Archive, row: RecordingRow, asked: WithdrawalRequest) -> WithdrawalResult:
    """In all recordings of its call. Raises ArchiveError, as does the other."""
    past = History(archive.catalog, archive.secrets).call(row.call, asked.now)
    done = _of_calls(archive, [row.call], asked, 1)
    if not done.ended:  # what ends is remembered with it
        _remember(archive, past.facts.number if past else None, asked)
    return done


def of_number(archive: Archive, number: str, asked: WithdrawalRequest) -> WithdrawalResult:
    """In all calls with a party's number (E.164)."""
    unreadable: set[str] = set()
    now = asked.now
    rows = with_number(archive, number, now, unreadable)
    calls = list(dict.fromkeys(row.call for row in rows))
    done = _of_calls(archive, calls, asked, len(rows))
    _remember(archive, number, asked)
    return WithdrawalResult(done.ended, done.running, len(unreadable))


def _remember(archive: Archive, number: str | None, asked: WithdrawalRequest) -> None:
    """Who wants more than a consent back is in no later sample either, even if nothing was recorded."""
    if number is None or asked.right is Right.WITHDRAW:
        return
    facts = CallFacts("", None, Direction.INBOUND, number, asked.now, Language.DA, "UTC", {})
    with archive.catalog.writing() as tx:
        remember_refusal(tx, archive.secrets, facts, asked.now)
        tx.log(AuditEntry("refusal_remembered", "G31", asked.now, ""))


def _of_calls(archive: Archive, calls: Iterable[str], asked: WithdrawalRequest, count: int) -> WithdrawalResult:
    """The log first notes who asked, by a key of theirs, without the number; then what ended, or that no consent was there."""
    told: dict[str, str | int | bool | None] = {"count": count, **({"key": asked.key[:KEY_SHOWN]} if asked.key else {})}
    archive.note(AuditEntry(f"{asked.right.value}_sought", asked.right.rule, asked.now, "", params=told))
    ended: list[PurposesEnded] = []
    running = 0
    for call in calls:
        done = _of_call(archive, call, asked)
        if done is None:
            running += 1
        else:
            ended += done
    if asked.right is Right.WITHDRAW and not ended:
        archive.note(AuditEntry("no_consent_found", asked.right.rule, asked.now, ""))
    finish(archive)
    return WithdrawalResult(tuple(ended), running)


def _of_call(archive: Archive, call: str, asked: WithdrawalRequest) -> list[PurposesEnded] | None:
    history = History(archive.catalog, archive.secrets)
    for _ in range(_TRIES):
        past = history.call(call, asked.now)
        if past is None:
            return []
        if not past.closed:
            return None
        state, commits = _as_the_session_does(past, asked)
        if not commits:
            return []
        try:
            _carry_out(archive, past.facts, [_dated(one, asked.received) for one in commits])
        except OvertakenError:
            continue
        return _what_ended(past, state)
    raise ArchiveError("error.rights.changed")


def _as_the_session_does(past: PastRow, asked: WithdrawalRequest) -> tuple[State, Sequence[Commit]]:
    """The call as in its wrap-up, with what the agent's button would do there, and the defaults at its end."""
    state, at = reopened(past.kept, asked.terms), Now(asked.now, 0.0)
    events: list[Event] = []
    agreed = {purpose for purpose, it in state.purposes if it.basis is Basis.CONSENT}
    # Training first: the button shows what it does to the call as it is.
    if asked.right in (Right.OPT_OUT, Right.ERASE) and state.training.live:
        events.append(OptedOut(describe(state, at).opt_out.kind))
    if asked.right in (Right.WITHDRAW, Right.ERASE):
        events += [Withdrawn(purpose) for purpose in Purpose if purpose in agreed & {asked.purpose or purpose}]
    if asked.right in (Right.OBJECT, Right.ERASE):
        events.append(Objected())
    commits: list[Commit] = []
    for event in (*events, WrapUpEnded()):
        state, effects = step(state, event, at)
        commits += [one for one in effects if isinstance(one, Commit)]
    return state, commits if events else []


def _dated(commit: Commit, received: date | None) -> Commit:
    """A case is as old as its letter."""
    if received is None:
        return commit
    day = {"received": received.isoformat()}
    entries = (replace(it, params={**it.params, **day}) if it.event in OPENED else it for it in commit.entries)
    return replace(commit, entries=tuple(entries))


def _carry_out(archive: Archive, facts: CallFacts, commits: Sequence[Commit]) -> None:
    memory = Memory()
    memory.register(facts)
    with archive.catalog.writing() as tx:
        for commit in commits:
            carry_out(Execution(tx, memory, archive.vault, archive.secrets, archive.lookups.places), commit)


def _what_ended(past: PastRow, state: State) -> list[PurposesEnded]:
    after = {it.id: it for it in state.recordings}
    found: list[PurposesEnded] = []
    for it in past.kept.recordings:
        now, had = after[it.id], {purpose for purpose, one in it.purposes.items() if one.keeps}
        left = set[Purpose]() if now.discarded else set(now.keeps)
        if had - left or now.discarded or (now.restricted and it.restricted is None):
            restricted = "hold_only" if now.hold_only else "case" if now.restricted or now.undecided else None
            found.append(PurposesEnded(it.id, tuple(sorted(had - left)), now.discarded, restricted))
    return found
