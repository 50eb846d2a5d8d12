"""The agent's note about a call, over a real archive: seen at the next call with that number, and gone with what it was about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.catalog import own_calls
from softphone.archive.catalog.own_calls import Note
from softphone.archive.retention import notes
from softphone.archive.retention.sweep import sweep
from softphone.domain.changes import AuditEntry
from softphone.domain.decision import NoticeId
from softphone.domain.purpose import Basis
from softphone.engine.call.recent_calls import LOOK_BACK
from softphone.engine.sip import events as sip
from softphone.wire.snapshot import EARLIER, NOTE_LENGTH, CallPhase, CallState, CodedText
from tests.archive.scene import DOCUMENTATION, NUMBER, TRAINING
from tests.engine.test_later import AT, Later

NOTE = "Vil have den blå.\nRing igen mandag – æøå."
ANOTHER = "+4520999999"


class Noted(Later):
    def rings(self, call: str, number: str = NUMBER) -> CallState:
        self.calls.arrived(
            sip.CallArrived(call, "account", "Mette", number, "pbx.example", "0", sip.Headers({}), "192.0.2.1", False)
        )
        return self.shown(call)

    def answer(self, call: str) -> None:
        self.calls.established(sip.CallEstablished(call, record_aware=False))

    def ends(self, call: str) -> None:
        self.calls.ended(sip.CallEnded(call, 200, "OK", by_us=False))

    def shown(self, call: str) -> CallState:
        return next(one for one in self.calls.shown() if one.id == call)

    def again(self) -> None:
        """The engine is killed, and started anew."""
        assert self.store.close()
        self.start()

    def stored(self, number: str = NUMBER) -> list[Note]:
        """What custody would find of it."""
        with closing(Archive.open(self.folder, self.before.memory)) as archive, archive.catalog.reading() as connection:
            return own_calls.notes_of(connection, archive.secrets, number, AT.date())

    def written(self, *texts: str) -> None:
        """What the ledger has written, in its sequence, is this."""
        self.store.note([AuditEntry("changed", "G10", AT, "")])
        self.until(lambda: not self.store.has_unwritten)
        assert [one.text for one in self.stored()] == [*texts]


@pytest.fixture
def later(tmp_path: Path) -> Iterator[Noted]:
    made = Noted(tmp_path / "archive")
    yield made
    made.calls.close_all()
    assert made.store.close()


@pytest.mark.rule("G10")
def test_a_note_is_seen_at_the_next_call_with_the_number_and_outlives_the_engine(later: Noted) -> None:
    later.kept(DOCUMENTATION, number=ANOTHER)
    later.start()
    assert later.rings("first").earlier == ()
    later.answer("first")
    assert later.calls.save_note("first", f"  {NOTE}\r\n\x1b\x00\u202e ") is None
    assert later.shown("first").note == NOTE
    later.written(NOTE)
    later.again()

    shown = later.rings("second")
    assert [(one.id, one.note, one.outcome) for one in shown.earlier] == [("first", NOTE, "not_recorded")]
    assert (shown.note, later.rings("other", ANOTHER).earlier[0].note) == ("", "")
    assert later.rings("hidden", "unavailable").earlier == ()
    assert later.calls.save_note("hidden", "Uden nummer.") is None
    later.ends("hidden")
    later.calls.end_wrap_up("hidden")
    assert later.rings("hidden, too", "unavailable").earlier == ()
    for call in ("second", "other", "hidden, too"):
        later.ends(call)
    assert later.calls.save_note("first", "Har fået den.") is None
    assert [one.note for one in later.rings("third").earlier if one.id == "first"] == ["Har fået den."]
    later.written("Har fået den.")
    # What the catalog and the log have of it, nobody reads without the keys; and the log has nothing.
    assert not any(part.encode() in later.before.pages() for part in (*NOTE.split("\n"), "Har fået"))


def test_earlier_calls_are_the_last_five_newest_first_also_one_in_its_wrap_up(later: Noted) -> None:
    for minutes in range(EARLIER + 1):
        later.kept(DOCUMENTATION, at=AT + timedelta(minutes=minutes))
    later.start()
    later.rings("first")
    later.answer("first")
    assert [one.at for one in later.shown("first").earlier] == [AT + timedelta(minutes=one) for one in (5, 4, 3, 2, 1)]
    later.seconds += 10
    later.ends("first")
    assert later.calls.save_note("first", NOTE) is None
    assert later.shown("first").phase is CallPhase.ENDED
    later.seconds += 1
    assert [one.note for one in later.rings("second").earlier][:2] == [NOTE, ""]
    assert len(later.shown("second").earlier) == EARLIER
    # The wrap-up does not take the call that came after it for an earlier one.
    later.ends("second")
    assert later.row("second").outcome == "missed"
    assert "second" not in {one.id for one in later.shown("first").earlier}


def test_a_note_that_is_too_long_or_of_no_call_is_refused_and_changes_nothing(later: Noted) -> None:
    call = later.kept(DOCUMENTATION)
    later.start()
    assert later.calls.save_note(call, "x" * NOTE_LENGTH) is None
    most = {"length": NOTE_LENGTH + 1, "most": NOTE_LENGTH}
    assert later.calls.save_note(call, "y" * (NOTE_LENGTH + 1)) == CodedText("refused.note.long", most)
    assert later.calls.save_note("none", NOTE) == CodedText("refused.no_such_call")
    assert later.row(call).note == "x" * NOTE_LENGTH
    # One that is emptied is gone from the disk, too.
    later.written("x" * NOTE_LENGTH)
    assert later.calls.save_note(call, "") is None
    later.written()


def test_a_note_keeps_its_emojis_whole_and_waits_for_an_archive_that_is_not_open_yet(
    later: Noted,
) -> None:
    later.kept(DOCUMENTATION, number=ANOTHER)
    later.start(opened=False)
    later.rings("first")
    later.answer("first")
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    joined = f"{family} \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \U0001f3f4\U000e0067\U000e007f"
    assert later.calls.save_note("first", f"\u2066{joined}\u200b\u2069") is None
    assert later.shown("first").note == joined
    later.ends("first")
    later.calls.end_wrap_up("first")
    later.until(later.calls.history)
    later.until(lambda: later.store.opened)
    later.settle()
    later.written(joined)


@pytest.mark.rule("G04")
@pytest.mark.rule("G37")
def test_a_note_goes_with_the_last_recording_of_its_call_and_does_not_come_back(later: Noted) -> None:
    consent = later.kept(TRAINING, basis=Basis.CONSENT, notice=NoticeId.N3)
    documented = later.kept(DOCUMENTATION, at=AT + timedelta(minutes=1))
    later.start()
    assert later.calls.save_note(consent, NOTE) is later.calls.save_note(documented, "Aftalt 3 stk.") is None
    later.written("Aftalt 3 stk.", NOTE)

    later.open(consent)
    assert later.call.note == NOTE
    later.opt_out()
    later.settle()
    assert (later.row(consent).note, later.call.note) == ("", "")
    assert later.calls.save_note(consent, "Ville ikke optages.") is None
    assert later.row(consent).note == "Ville ikke optages.", "it is a new one"
    later.written("Aftalt 3 stk.", "Ville ikke optages.")
    assert later.calls.save_note(consent, "") is None
    later.close(consent)
    assert (later.row(consent).outcome, later.row(consent).note) == ("deleted", "")
    assert later.row(documented).note == "Aftalt 3 stk."
    later.written("Aftalt 3 stk.")

    # On a day on which nothing of it is left, the sweep takes the row and all.
    later.again()
    assert {one.note for one in later.calls.history()} == {"Aftalt 3 stk.", ""}
    with closing(Archive.open(later.folder, later.before.memory)) as archive:
        day = datetime.now(UTC) + timedelta(days=8)  # the store has shown the archive the real clock
        assert "past_calls_forgotten" in [one.what.value for one in sweep(archive, day, clock=day)]
    assert later.stored() == []


@pytest.mark.rule("G37")
@pytest.mark.parametrize("in_wrap_up", [False, True], ids=["in the call", "in its wrap-up"])
def test_a_note_that_custody_erases_of_a_call_that_is_not_over_stays_erased(later: Noted, in_wrap_up: bool) -> None:
    later.kept(DOCUMENTATION)
    later.start()
    later.rings("first")
    later.answer("first")
    later.calls.save_note("first", NOTE)
    if in_wrap_up:
        later.ends("first")
    later.written(NOTE)
    with closing(Archive.open(later.folder, later.before.memory)) as archive:
        assert notes.erase_of_number(archive, NUMBER, "sag 117", AT, "") == 1
    if not in_wrap_up:
        later.seconds += LOOK_BACK + 1
        later.calls.run_due()
        later.until(lambda: not later.shown("first").note)
        later.ends("first")
    later.calls.end_wrap_up("first")
    later.settle()
    later.written()


@pytest.mark.rule("G37")
def test_a_note_that_custody_erased_is_not_shown_again_and_no_later_row_brings_it_back(later: Noted) -> None:
    later.kept(DOCUMENTATION)
    later.start()
    later.rings("first")
    later.answer("first")
    later.calls.save_note("first", NOTE)
    later.ends("first")
    later.calls.end_wrap_up("first")
    later.written(NOTE)
    with closing(Archive.open(later.folder, later.before.memory)) as archive:
        assert notes.erase_of_number(archive, NUMBER, "sag 117", AT, "") == 1

    later.rings("second")
    later.until(lambda: not any(one.note for one in later.shown("second").earlier))
    later.calls.save_note("second", "Ny sag.")
    later.ends("second")
    later.calls.end_wrap_up("second")
    later.settle()
    later.written("Ny sag.")
