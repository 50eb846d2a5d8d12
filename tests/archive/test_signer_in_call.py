"""Custody chooses another signer while a call is on: the call goes on as it began, with all that it may yet ask of the store.

The session and the ledger are the real ones; each answers the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from softphone.archive.access import choose_signer
from softphone.archive.proof.verify import verify
from softphone.domain import changes as c
from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.purpose import KeyRole, Reason
from softphone.system.signature import new_signing_key, public_half
from tests.archive.scene import AT, DOCUMENTATION, TRAINING, CommitFailedError, Scene, scene
from tests.domain.walk_call import Call


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "archive") as made:
        yield made


class Stored(Call):
    """A call whose commits are an archive's ledger's to answer."""

    def __init__(self, desk: Scene, scene: str, **terms: object) -> None:
        self._desk = desk
        self.failed: list[Reason] = []
        super().__init__(scene, **terms)
        self.store_answers = False

    def _step(self, event: e.Event) -> None:
        before = len(self.last)
        super()._step(event)
        for effect in self.last[before:]:
            match effect:
                case c.Commit():
                    self._step(self._stored(effect))
                case f.StartRecorder(recording, segment):
                    self._step(e.FirstSample(recording, segment))
                case _:
                    pass

    def _stored(self, commit: c.Commit) -> e.Event:
        if not self._desk.ledger.knows(self.state.call):
            self._desk.call(self.state.call)
        try:
            self._desk.commit(*commit.changes, call=self.state.call, entries=commit.entries)
        except CommitFailedError as error:
            self.failed.append(error.reason)
            return e.CommitFailed(commit.ticket, error.reason)
        return e.Committed(commit.ticket)


def another_signs(desk: Scene) -> None:
    choose_signer(desk.archive, public_half(new_signing_key()), AT)


def opens_for(desk: Scene) -> set[KeyRole]:
    (row,) = desk.archive.list()
    return set(row.opens_for)


@pytest.mark.rule("G10")
@pytest.mark.rule("N7")
@pytest.mark.parametrize("scene", ["N7", "N7 obligation", "N8"])
@pytest.mark.parametrize("on_failure", ["continue", "end"])
def test_an_opt_out_of_training_leaves_the_documentation_running_and_hangs_up_on_nobody(
    desk: Scene, scene: str, on_failure: str
) -> None:
    call = Stored(desk, scene, on_failure=on_failure)
    call.hear()
    assert call.recorded == {DOCUMENTATION, TRAINING}
    another_signs(desk)
    call.opt_out()
    assert (call.recorded, call.failed) == ({DOCUMENTATION}, [])
    assert not [one for one in call.log if isinstance(one, f.EndCall)]
    assert opens_for(desk) == {KeyRole.DOCUMENTATION, KeyRole.CUSTODY}
    assert verify(desk.archive).ok


@pytest.mark.rule("G10")
def test_a_lock_that_is_undone_gives_training_back_and_stops_no_recorder(desk: Scene) -> None:
    call = Stored(desk, "N7")
    call.hear().dispute()
    assert KeyRole.TRAINING not in opens_for(desk)
    recorded = call.recorded
    another_signs(desk)
    call(e.DisputeUndone("anna"))
    assert (call.recorded, call.failed) == (recorded | {TRAINING}, [])
    assert opens_for(desk) == {*KeyRole}


@pytest.mark.rule("N6")
def test_a_late_yes_covers_the_call_from_its_start(desk: Scene) -> None:
    call = Stored(desk, "N6")
    call.hear()
    assert call.recorded
    another_signs(desk)
    call.say_yes("2")
    assert (TRAINING in call.recorded, call.failed) == (True, [])
    assert KeyRole.TRAINING in opens_for(desk)
