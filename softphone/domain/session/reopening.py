"""An earlier call, taken up again from what the archive still has of it: its rights are then what they were in wrap-up.

No rule of what a right does is here: `step` goes on from the state that is made. Pure; nothing is read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from softphone.domain.changes import HoldBy
from softphone.domain.decision import Decision, NoticeDelivery, NoticeId, PlanState, PurposePlan
from softphone.domain.events import Terms
from softphone.domain.purpose import Basis, Direction, Language, Purpose, Reason
from softphone.domain.session.planning import ground_of
from softphone.domain.session.reasoning import DECLINED
from softphone.domain.session.state import (
    DOCUMENTATION,
    NONE,
    TRAINING,
    Informing,
    LegalHold,
    PurposeState,
    Recording,
    Stage,
    State,
)
from softphone.domain.status import InformedPhase, PurposePhase

GROUNDS = Reason.GROUNDS_GIVEN.value
_CASES = {Reason.OBJECTION.value: DOCUMENTATION, GROUNDS: TRAINING}
"""the subject of a case, by the reason of its restriction"""
_ENDED = {
    **dict.fromkeys(("expired", "not_judged", "judged", "reviewed"), Reason.PAST_ITS_DATE),
    "upheld": Reason.OBJECTION,
}
"""why a store let a purpose end, where no call ever says so"""


@dataclass(frozen=True, slots=True)
class KeptPurpose:
    """What a recording was made for. `keeps`: neither taken back nor ended nor past its day."""

    basis: Basis | None
    keeps: bool
    wrapped: bool
    """whether the key for this purpose still opens the recording"""
    reason: str = ""
    """why it ended, as the store has it"""
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class KeptHold:
    """A hold that has not been lifted. Only custody lifts one that was raised elsewhere (its id tells) or confirmed."""

    id: str
    by: HoldBy
    agent: str
    at: datetime
    why: str = ""
    provisional_until: datetime | None = None
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class KeptRecording:
    id: str
    purposes: Mapping[Purpose, KeptPurpose]
    holds: tuple[KeptHold, ...] = ()
    restricted: str | None = None
    """why only custody opens it: `hold_only`, or the case that it waits for"""
    broke_off: bool = False


@dataclass(frozen=True, slots=True)
class KeptCall:
    """All that the archive has of a call. Without a recording it has nothing."""

    call: str
    direction: Direction
    language: Language
    notice: NoticeId | None
    recordings: tuple[KeptRecording, ...] = ()

    def expires(self) -> dict[Purpose, date]:
        """Until when each purpose keeps something of it."""
        days = {
            purpose: [
                it.expires_on
                for recording in self.recordings
                if (it := recording.purposes.get(purpose)) and it.keeps and it.expires_on
            ]
            for purpose in Purpose
        }
        return {purpose: max(its) for purpose, its in days.items() if its}


def reopened(kept: KeptCall, terms: Terms) -> State:
    """The call as it would be in wrap-up. `terms`: how long a hold may stand is the policy's today; the rest was the call's."""
    recordings = tuple(_recording(it) for it in kept.recordings)
    documentation = _purpose(kept, DOCUMENTATION, recordings)
    training = _purpose(kept, TRAINING, recordings)
    over = PurposePlan(PlanState.OFF, documentation.basis, documentation.reason)
    return State(
        call=kept.call,
        stage=Stage.ENDED,
        reopened_later=True,
        ours=kept.direction is Direction.OUTBOUND,
        language=kept.language,
        decision=Decision(
            over, replace(over, basis=training.basis), kept.notice, NoticeDelivery.NONE, (documentation.reason,)
        ),
        terms=terms,
        informing=Informing(InformedPhase.INFORMED),
        documentation=documentation,
        training=training,
        recordings=recordings,
        holds=_holds(kept.recordings),
        objected=_objected(kept),
        broke_off=any(it.broke_off for it in kept.recordings),
    )


def _objected(kept: KeptCall) -> bool:
    """An objection is open on every recording. Otherwise a recording may have followed one that was taken back."""
    restricted = [it.restricted for it in kept.recordings]
    return Reason.OBJECTION.value in restricted and all(restricted)


def same(state: State, other: State) -> bool:
    """Whether both agree on what is kept and on what holds it."""
    return _kept(state) == _kept(other)


def _kept(state: State) -> frozenset[object]:
    return frozenset(
        (
            it.id,
            it.keeps,
            it.restricted,
            it.hold_only,
            frozenset((hold.id_on(it.id), hold.by, hold.confirmed) for hold in state.holds_on(it)),
        )
        for it in state.kept
    )


def brought_up_to_date(state: State, fresh: State) -> State:
    """`fresh`, in place of what stood open: a press meant for that is stale."""
    return replace(fresh, version=state.version + 1, next_ticket=state.next_ticket)


def _recording(it: KeptRecording) -> Recording:
    grounds = _grounds_given(it)
    hold_only = it.restricted == Reason.HOLD_ONLY.value
    keeps = frozenset(purpose for purpose, one in it.purposes.items() if one.keeps and not hold_only)
    if grounds:
        keeps -= {TRAINING}
    wrapped = frozenset(purpose for purpose, one in it.purposes.items() if one.wrapped)
    return Recording(
        it.id,
        announced=True,
        began=True,
        sampled=True,
        made_for=frozenset(it.purposes),
        keeps=keeps,
        wrapped=wrapped if it.restricted is None else NONE,
        undecided=frozenset(_CASES[why] for why in (it.restricted, *([GROUNDS] if grounds else [])) if why in _CASES),
        restricted=it.restricted is not None,
        hold_only=hold_only,
        keys_kept=TRAINING in wrapped,
        closed=True,
    )


def _grounds_given(it: KeptRecording) -> bool:
    """Training waits for custody's judgement of the party's grounds (G32), whether documentation goes on beside it or not."""
    training = it.purposes.get(TRAINING)
    return it.restricted == GROUNDS or (training is not None and training.reason == GROUNDS)


def _purpose(kept: KeptCall, purpose: Purpose, recordings: tuple[Recording, ...]) -> PurposeState:
    of_it = [one for it in kept.recordings if (one := it.purposes.get(purpose))]
    basis = next((one.basis for one in of_it if one.basis is not None), None)
    if not of_it or basis is None:
        off = Reason.LINE_NOT_RECORDED
        return PurposeState(PurposePhase.OFF, None, off, off)
    ground = ground_of(purpose, basis, kept.notice)
    if any(purpose in it.keeps for it in recordings):
        return PurposeState(PurposePhase.ACTIVE, basis, ground, ground)
    if purpose is TRAINING and any(_grounds_given(it) for it in kept.recordings):
        return PurposeState(PurposePhase.ENDED, basis, Reason.GROUNDS_GIVEN, ground)
    why = next((one.reason for one in reversed(of_it) if one.reason), "")
    reason = Reason(why) if why in set(Reason) else _ENDED.get(why, Reason.LINE_NOT_RECORDED)
    if basis is Basis.CONSENT and reason in DECLINED:
        reason = Reason.WITHDRAWN  # it was recorded for, so a yes had been given
    return PurposeState(PurposePhase.ENDED, basis, reason, ground)


def _holds(recordings: tuple[KeptRecording, ...]) -> tuple[LegalHold, ...]:
    """One hold of a call reaches several of its recordings; one raised elsewhere stands alone."""
    own: dict[int, LegalHold] = {}
    others: list[tuple[str, KeptHold]] = []
    for recording in recordings:
        for it in recording.holds:
            number = LegalHold.number_in(it.id, recording.id)
            if number is None:
                others.append((recording.id, it))
            else:
                placed = own[number].placed if number in own else frozenset[str]()
                own[number] = _hold(number, it, placed | {recording.id})
    last = max(own, default=0)
    foreign = (
        _hold(last + count, it, frozenset({recording}), foreign=it.id)
        for count, (recording, it) in enumerate(others, start=1)
    )
    return (*(own[number] for number in sorted(own)), *foreign)


def _hold(number: int, it: KeptHold, placed: frozenset[str], foreign: str = "") -> LegalHold:
    return LegalHold(
        number,
        it.by,
        it.agent,
        placed,
        provisional=it.provisional_until is not None,
        foreign=foreign,
        confirmed=it.confirmed,
        why=it.why,
        at=it.at,
        provisional_until=it.provisional_until,
    )
