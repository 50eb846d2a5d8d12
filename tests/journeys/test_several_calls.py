"""Two recorded calls at once, a consultation, a conference: what is kept holds its own party and the agent, and nobody else.

Each voice says numbers of its own, so that a frame in the wrong recording would name who said it.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import pytest

from softphone.audio.files import write_wav
from softphone.domain.archive.recordings import RATE
from softphone.domain.purpose import Headline, Reason
from softphone.domain.status import InformedPhase
from softphone.wire.snapshot import CallPhase, CallRole, ConsultEnd
from softphone.wire.to_engine import Activate, BackToParty, Consult, Dial, EndWrapUp, HangUp, HoldCall, Join
from tests.journeys.lines import NUMBERS
from tests.journeys.listening import Sound, numbers
from tests.journeys.stage import LOOPBACK, Stage, stage
from tests.peers.counter import counter_sound
from tests.peers.plain_phone import PlainPhone, plain_phone
from tests.peers.second_phone import SecondPhone, second_phone, talk

pytestmark = pytest.mark.journey

EACH = 200
FIRST, SECOND = range(EACH), range(300, 300 + EACH)
"""the numbers that the two parties say"""


def say(phone: SecondPhone, said: range, folder: Path) -> None:
    wav = folder / f"{said.start}.wav"
    write_wav(wav, counter_sound(len(said), said.start))
    phone.do("say", wav=str(wav), loop=True)


@contextmanager
def two(folder: Path, *, automatic: bool = False) -> Generator[tuple[Stage, SecondPhone]]:
    """A stage whose customer says the first numbers, and another phone that says the second."""
    with stage(folder, lines=("n1",)) as on, second_phone(auto_answer=automatic) as other:
        say(on.customer, FIRST, folder)
        say(other, SECOND, folder)
        yield on, other


def recorded(on: Stage, call: str) -> None:
    on.desk.wait_status(lambda one: one.headline is Headline.RECORDING, "recording", call)
    on.sealed(call, 1.0)


def paused(on: Stage, call: str, why: Reason = Reason.HELD) -> None:
    status = on.desk.wait_status(lambda one: one.headline is Headline.PAUSED, "paused", call)
    assert why in [one.reason for one in status.reasons]


CAUGHT_UP = 0.5
"""seconds that a segment may have more, now and then: pjmedia catches up with a machine that held it back"""


def stored_beyond(on: Stage, call: str) -> float:
    """Seconds that its last segment has more than passed between its recorder's start and stop, and than the process stood still
    before them. What another call has on the disk came to it later, so all of this one is there."""
    over = on.desk.told("recorder_stopped", call=call)[-1]
    which = {name: over.params[name] for name in ("recording", "segment")}
    begun = on.desk.told("recorder_started", call=call, **which)[-1]
    samples = max(int(one.params["samples"] or 0) for one in on.desk.told("sealed", call=call, **which))
    still = [one for one in on.desk.told("stood_still", call=call) if begun.at <= one.at]
    return (
        samples / RATE - (over.at - begun.at).total_seconds() - sum(float(one.params["seconds"] or 0) for one in still)
    )


def ring_in(on: Stage, other: SecondPhone) -> str:
    """Another caller, whom the agent answers."""
    other.do("dial", target=f"sip:{NUMBERS['n1']}@{LOOPBACK}:{on.sip_port}")
    call = on.desk.answer().id
    other.wait_for("CallEstablished")
    return call


def party_of(on: Stage, call: str, *, whole: bool = True) -> Sound:
    row = on.row(call)
    assert row is not None
    return on.exported(row.recording, whole=whole)[:, 1].copy()


def told(sound: Sound) -> list[int]:
    """The numbers that are said there, three or more in a row: where sound sets in or is lost, a torn frame may read as any."""
    # Each segment may lie otherwise in its frames: second by second.
    said = [one for at in range(0, len(sound), RATE) for one in numbers(sound[at : at + RATE])]
    return [
        one
        for before, one, after in zip(said, said[1:], said[2:], strict=False)
        if one is not None and (before, after) == (one - 1, one + 1)
    ]


@pytest.mark.rule("L5")
@pytest.mark.rule("G05")
@pytest.mark.parametrize(
    "times", [3, pytest.param(200, marks=[pytest.mark.torture, pytest.mark.timeout(1800)], id="ten minutes")]
)
def test_two_recorded_calls_keep_to_themselves_however_often_the_agent_switches(times: int, tmp_path: Path) -> None:
    with two(tmp_path) as (on, other):
        desk = on.desk
        first = on.call("n1")
        recorded(on, first)
        other.do("dial", target=f"sip:{NUMBERS['n1']}@{LOOPBACK}:{on.sip_port}")
        waits = desk.wait_call(lambda one: one.phase is CallPhase.INCOMING, "a call that waits")
        assert not waits.active
        assert desk.call(first).active
        second = desk.answer().id
        beyond: list[float] = []
        for number in range(times):
            active, held = (second, first) if number % 2 == 0 else (first, second)
            if not desk.call(active).active:
                desk.do(Activate, call=active)
            paused(on, held)
            desk.wait_call(lambda one: one.active, "active", active)
            assert not desk.call(held).active
            recorded(on, active)
            beyond.append(stored_beyond(on, held))
            assert beyond[-1] < CAUGHT_UP, "from the hold on"
            held_now = on.sealed_seconds(held)
            on.sealed(active, 1.0)
            assert on.sealed_seconds(held) == held_now, "nothing is stored while held"
        assert median(beyond) < 0.1, beyond
        if not desk.call(second).active:
            desk.do(Activate, call=second)
        # The active one ends: the agent is in no call, and takes up the other by a press.
        other.do("hang_up")
        desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", second)
        talk(on.customer, 25)
        assert not desk.call(first).active
        assert desk.call(first).held_by_us
        desk.do(Activate, call=first)
        recorded(on, first)
        # Who hangs up while held has a wrap-up, with all of its buttons, beside the call that goes on.
        third = ring_in(on, other)
        paused(on, first)
        on.customer.do("hang_up")
        desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", first)
        recorded(on, third)
        desk.dispute(first)
        desk.do(EndWrapUp, call=first)
        desk.wait_event("audit.wrap_up_ended", call=first)
        other.do("hang_up")
        desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", third)
        on.end()
        for call, said in ((first, FIRST), (second, SECOND), (third, SECOND)):
            heard = told(party_of(on, call))
            assert len(heard) > 25
            assert set(heard) <= set(said)
        row = on.row(first)
        assert row is not None
        assert row.holds
        assert on.verified()["ok"]


@pytest.mark.rule("L5")
def test_of_four_calls_at_once_each_is_recorded_alone_and_a_fifth_caller_hears_busy(tmp_path: Path) -> None:
    with stage(tmp_path, lines=("n1",), notice_seconds=0.5) as on, ExitStack() as phones:
        desk, parties = on.desk, list[tuple[str, PlainPhone, range]]()
        for number in range(4):
            phone = phones.enter_context(plain_phone(number=f"+452012345{number}"))
            said = range(120 * number, 120 * number + 100)
            phone.say(counter_sound(len(said), said.start) * 20)
            phone.call(LOOPBACK, on.sip_port, NUMBERS["n1"])
            call = desk.answer().id
            recorded(on, call)
            parties.append((call, phone, said))
        fifth = phones.enter_context(plain_phone(number="+4520123459"))
        fifth.call(LOOPBACK, on.sip_port, NUMBERS["n1"])
        fifth.wait_for("SIP/2.0 486")
        desk.wait(lambda s: any((one.number, one.outcome) == ("+4520123459", "missed") for one in s.history), "missed")
        desk.do(Activate, call=parties[0][0])
        recorded(on, parties[0][0])
        for call, _, _ in parties[1:]:
            assert desk.call(call).held_by_us
        for call, phone, _ in parties:
            phone.hang_up()
            desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)
        on.end()
        for call, _, said in parties:
            heard = told(party_of(on, call))
            # A plain phone's packets come unevenly on a busy machine: some numbers are torn, and none is another's.
            assert len(heard) > 5
            assert set(heard) <= set(said)
        assert on.verified()["ok"]


def test_an_engine_killed_with_two_recorded_calls_leaves_both_recordings_as_far_as_they_were_sealed(
    tmp_path: Path,
) -> None:
    with two(tmp_path) as (on, other):
        first = on.call("n1")
        recorded(on, first)
        second = ring_in(on, other)
        recorded(on, second)
        kept = {call: on.sealed_seconds(call) for call in (first, second)}
        on.engine.kill()
        on.engine.wait(10)
        for call, said, whole in ((first, FIRST, True), (second, SECOND, False)):
            sound = party_of(on, call, whole=whole)
            assert set(told(sound)) <= set(said)
            # The codec looks 2.5 ms ahead, which nobody could flush.
            assert len(sound) / RATE >= kept[call] - 0.02
        assert on.verified()["ok"]


def conference(on: Stage, other: SecondPhone, party: str, target: str) -> str:
    """A third is called, and joins the party: nobody has told them anything."""
    made = on.desk.do(Dial, account="agent", target=target).result["call"]
    other.wait_for("CallArrived")
    other.do("answer")
    on.desk.wait_call(lambda one: one.phase is CallPhase.CONNECTED, "a third", made)
    paused(on, party)
    on.desk.do(Join, call=party)
    on.desk.wait_status(lambda one: one.pauses == (Reason.NOT_TOLD,), "paused for the newcomer", party)
    return made


@pytest.mark.rule("L5")
@pytest.mark.rule("G05")
def test_two_parties_in_a_conference_are_told_of_each_other_and_recorded_each_alone(tmp_path: Path) -> None:
    with two(tmp_path) as (on, other):
        desk = on.desk
        first = on.call("n1")
        recorded(on, first)
        second = ring_in(on, other)
        recorded(on, second)
        desk.do(Join, call=first)
        for call in (first, second):
            desk.wait_status(lambda one: one.pauses == (Reason.NOT_TOLD,), "paused for the other", call)
        kept = {call: on.sealed_seconds(call) for call in (first, second)}
        talk(other, 50)
        assert {call: on.sealed_seconds(call) for call in kept} == kept, "until both have been told"
        for call in (first, second):
            desk.wait_status(lambda one: "notice_read" in one.actions, "read aloud", call)
            desk.act(call, "notice_read")
        for call in (first, second):
            recorded(on, call)
        # One leaves, who had been told: the other is recorded on.
        other.do("hang_up")
        desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", second)
        recorded(on, first)
        on.hang_up(first)
        on.end()
        for call, said in ((first, FIRST), (second, SECOND)):
            heard = told(party_of(on, call))
            assert len(heard) > 60
            assert set(heard) <= set(said), "and not the voice of the third"
        assert on.verified()["ok"]


@pytest.mark.rule("L5")
@pytest.mark.rule("G05")
def test_a_colleague_is_consulted_unrecorded_and_joins_once_all_have_been_told(tmp_path: Path) -> None:
    with two(tmp_path) as (on, other):
        desk = on.desk
        party = on.call("n1")
        recorded(on, party)
        colleague = f"sip:204@{LOOPBACK}:{other.udp}"
        made = desk.do(Consult, call=party, target=colleague).result["call"]
        paused(on, party)
        other.wait_for("CallArrived")
        other.do("decline", code=486)
        after = desk.wait_call(lambda one: one.consult_ended, "the colleague's no", party)
        assert after.consult_ended is ConsultEnd.BUSY
        assert not after.active
        assert after.held_by_us
        assert not [one for one in desk.wait(lambda s: s, "a state").calls if one.id == made]
        desk.do(BackToParty, call=party)
        recorded(on, party)
        assert desk.call(party).consult_ended is None

        made = desk.do(Consult, call=party, target=colleague).result["call"]
        other.wait_for("CallArrived")
        other.do("answer")
        consultation = desk.wait_call(lambda one: one.phase is CallPhase.CONNECTED, "a consultation", made)
        assert (consultation.role, consultation.consults_for) == (CallRole.CONSULTATION, party)
        assert consultation.active
        assert consultation.status is not None
        assert consultation.status.headline is Headline.NOT_RECORDING
        assert consultation.status.reasons[0].reason is Reason.INTERNAL
        kept = on.sealed_seconds(party)
        talk(other, 50)
        assert on.sealed_seconds(party) == kept

        desk.do(Join, call=made)
        status = desk.wait_status(lambda one: one.pauses == (Reason.NOT_TOLD,), "paused for the newcomer", party)
        assert status.headline is Headline.PAUSED
        assert desk.call(party).conference
        assert desk.call(made).conference
        talk(other, 50)
        assert on.sealed_seconds(party) == kept, "nothing before the newcomer has been told"
        desk.wait_status(lambda one: "notice_read" in one.actions, "read aloud", party)
        desk.act(party, "notice_read")
        status = desk.wait_status(lambda one: one.headline is Headline.RECORDING, "recording again", party)
        assert status.notice is None or status.notice.told is InformedPhase.INFORMED
        recorded(on, party)
        # Whoever leaves takes no more part.
        other.do("hang_up")
        left = desk.wait_call(lambda one: not one.conference, "two again", party)
        assert left.active
        recorded(on, party)
        # Another one joins and leaves before anybody has told them: only the party hears now, who has been told.
        kept = on.sealed_seconds(party)
        joined = conference(on, other, party, colleague)
        assert on.sealed_seconds(party) - kept < 1.0, "no more than the chunk that was open"
        other.do("hang_up")
        recorded(on, party)
        assert desk.told("audit.person_left", call=party)
        # Whoever is held leaves it: the colleague's call is the agent's alone, and its end ends no other.
        joined = conference(on, other, party, colleague)
        desk.do(HoldCall, call=party, on=True)
        alone = desk.wait_call(lambda one: not one.conference, "two again", joined)
        assert alone.active
        assert not desk.call(party).active
        desk.do(HangUp, call=joined)
        other.wait_for("CallEnded")
        desk.do(Activate, call=party)
        recorded(on, party)
        # The agent leaves a conference, and all of it ends.
        joined = conference(on, other, party, colleague)
        desk.do(HangUp, call=joined)
        on.customer.wait_for("CallEnded")
        other.wait_for("CallEnded")
        desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", party)
        on.end()
        heard = told(party_of(on, party))
        assert len(heard) > 100
        assert set(heard) <= set(FIRST)
        assert on.row(made) is None
        assert on.verified()["ok"]
