"""An end that was asked for: a request that stands is not weakened, and an hour is an hour."""

from __future__ import annotations

from softphone.engine.leaving import Leaving
from softphone.wire.snapshot import QuitAsked, QuitPhase


def test_a_request_that_stands_is_not_weakened_and_an_hour_is_an_hour() -> None:
    at = [0.0]
    leaving = Leaving(lambda: at[0])

    def phase() -> QuitPhase | None:
        shown: QuitAsked | None = leaving.shown(idle=True)
        return shown.phase if shown else None

    assert not leaving.postpone()
    leaving.ask(5)
    at[0] = 4.9
    assert phase() is QuitPhase.DUE
    at[0] = 5.0
    assert phase() is None
    leaving.ask(0)
    leaving.ask(5)
    at[0] = 100.0
    assert phase() is QuitPhase.DUE
    assert leaving.postpone()
    leaving.ask(0)
    at[0] = 100.0 + 3599
    assert phase() is QuitPhase.POSTPONED
    at[0] = 100.0 + 3601
    assert phase() is QuitPhase.DUE
