"""Faults to plant, lines 3 and 4: what is kept, and who can open it. How they are planted is in `walk_faults`."""

# pyright: reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any

import pytest

from softphone.domain import changes as c
from softphone.domain import events as e
from softphone.domain.purpose import Purpose, Reason
from softphone.domain.session import consent, disputing, keeping, refusal, segments, stepping
from softphone.domain.session.state import Recording
from softphone.domain.session.turn import Turn
from tests.domain.walk_faults import changes_without, fault, ignored
from tests.domain.walk_scenes import Start

DOC, TRAIN = Purpose.DOCUMENTATION, Purpose.TRAINING


# --- 3: training usable after a no, or while held ----------------------------------------------------------


@fault(3, "an opt-out leaves training its wraps", "N7")
def _(mp: pytest.MonkeyPatch) -> None:
    changes_without(mp, lambda it: isinstance(it, c.DropWraps) and it.reason != "hold")


@fault(3, "a hold leaves training its wraps", "N7")
def _(mp: pytest.MonkeyPatch) -> None:
    changes_without(mp, lambda it: isinstance(it, c.DropWraps) and it.reason == "hold")


@fault(3, "a segment begun while held is wrapped for training", "N7", Start.HELD)
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(segments, "withheld", lambda state, it, purposes: frozenset())


@fault(3, "a yes to record opens what was said before it", "N2+N3", Start.HALF)
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(consent, "consent_is_to_use", lambda state: True)


@fault(3, "undoing a hold brings declined training back", "N7", Start.HELD)
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(disputing, "restores_training", lambda state, it: True)


@fault(3, "a late yes opens what is held", "N6", Start.HELD)
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(segments, "withheld", lambda state, it, purposes: frozenset())


# --- 4: deleted against a hold, kept by one that may not, opened by anyone but custody ---------------------


@fault(4, "our hold on training alone keeps it", "N4")
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(keeping, "DOCUMENTATION", TRAIN)


@fault(4, "a party's hold is overridden by its opt-out", "N4")
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(keeping, "keep_or_discard", lambda turn, it, why, rule, cause: keeping.discard(turn, it, why, rule))


@fault(4, "what only a hold keeps can still be opened", "N2")
def _(mp: pytest.MonkeyPatch) -> None:
    changes_without(mp, lambda it: isinstance(it, c.Restrict))


@fault(4, "what was objected to can still be opened", "N1 goes on")
def _(mp: pytest.MonkeyPatch) -> None:
    changes_without(mp, lambda it: isinstance(it, c.Restrict))


@fault(4, "nothing is ever discarded", "N4")
def _(mp: pytest.MonkeyPatch) -> None:
    changes_without(mp, lambda it: isinstance(it, c.Discard))


@fault(4, "a private call discards what is held", "N4")
def _(mp: pytest.MonkeyPatch) -> None:
    def row(turn: Turn, event: e.PrivateCall) -> None:
        refusal.private_call(turn, event)
        for it in turn.state.recordings:
            if it.hold_only:
                keeping.discard(turn, it, "private", "G01")

    mp.setitem(stepping.ROWS, e.PrivateCall, row)


@fault(4, "grounds given discard what custody was to decide on", "N5")
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(refusal, "restrict_to_case", lambda turn, it, _, why, rule: keeping.discard(turn, it, why, rule))


@fault(4, "keys that the notice ties to training object to documentation", "N7")
def _(mp: pytest.MonkeyPatch) -> None:
    mp.setattr(refusal, "REFUSE_TRAINING", frozenset[object]())


@fault(4, "a case keeps what nothing else does", "N1")
def _(mp: pytest.MonkeyPatch) -> None:
    is_kept = keeping.is_kept
    take = keeping.take_back_from

    def for_the_case(turn: Turn, it: Recording, *rest: Any) -> None:
        mp.setattr(
            keeping, "is_kept", lambda stands, holds, *, now: bool(it.undecided) or is_kept(stands, holds, now=now)
        )
        take(turn, it, *rest)

    mp.setattr(keeping, "take_back_from", for_the_case)


@fault(4, "a newcomer's no discards what others agreed to", "N3")
def _(mp: pytest.MonkeyPatch) -> None:
    def no(turn: Turn, purpose: Purpose) -> None:
        refusal.refuse(turn, purpose, Reason.DECLINED_BY_VOICE)

    mp.setattr(consent, "answer_no", no)


ignored(4, "the party's wish to have it deleted is not heard", "N4", e.Chosen)
ignored(4, "a dispute is not heard", "N4", e.DisputeRaised)
ignored(4, "a first sample does not arm what was armed", "N4", e.FirstSample)
