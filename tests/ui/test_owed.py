"""A press that the engine's end overtook: done is said of it only when the next engine has answered that it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from softphone.domain.status import OptOutButton, OptOutKind
from softphone.ui.owed import Owed
from softphone.wire.to_engine import OptOut
from tests.ui import states as s


@pytest.mark.rule("G31")
@pytest.mark.parametrize("taken", [True, False])
def test_a_press_made_again_is_done_when_it_is_answered_and_not_before(taken: bool) -> None:
    said: list[str] = []
    owed = Owed(said.append)
    assert s.REOPENED.status is not None
    button = OptOutButton(OptOutKind.STOP_AND_DELETE, enabled=True)
    call = replace(s.REOPENED, status=replace(s.REOPENED.status, opt_out=button))
    owed.sent(OptOut("1", call.id, 1, button.kind, button.stays))
    owed.broke_off()
    again = owed.next(s.snapshot(call))
    assert isinstance(again, OptOut)
    assert said == ["owed.waits"]
    if not taken:
        owed.refused(again.id)
    assert owed.done(again.id) is taken
    assert not owed.done(again.id)
