"""The calls of the pictures: each scene plays one through a real engine and takes the snapshots it came for.

A row that no scene reaches is told by its name, never drawn from anything made up.
"""

from __future__ import annotations

import base64
import inspect
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psutil

from softphone.domain.purpose import Headline, Purpose, Reason
from softphone.domain.status import DisputeKind, HoldPhase, InformedPhase, PurposePhase
from softphone.ui.pictures import Picture
from softphone.wire.snapshot import CallPhase, PolicyPhase
from softphone.wire.to_engine import (
    Activate,
    Answer,
    BackToParty,
    Consult,
    Dial,
    EndWrapUp,
    HangUp,
    HoldCall,
    Mute,
    Reopen,
    SaveNote,
    SaveSettings,
)
from tests.journeys.stage import LOOPBACK, build
from tests.peers.plain_phone import plain_phone
from tests.peers.second_phone import SecondPhone, second_phone
from tests.pictures.studio import NUMBERS, Studio


def incoming_and_notice(s: Studio) -> None:
    s.ring("spoken")
    s.on.desk.wait_call(lambda one: one.phase is CallPhase.INCOMING and one.status, "ringing")
    s.take("incoming")
    s.take("incoming-corner", corner=True)
    call = s.on.desk.answer().id
    s.on.customer.wait_for("CallEstablished")
    s.on.desk.wait_status(lambda status: status.notice and status.notice.told is InformedPhase.PLAYING, "playing", call)
    time.sleep(6)
    s.take("notice-playing")
    s.over(call)


def recorded(s: Studio) -> None:
    call = s.call("sales")
    s.recording(call)
    s.take("recording")
    s.take("call-corner", corner=True)
    s.take("why-recorded", pressed="noticeFold")
    s.on.desk.dispute(call)
    s.when("locked", call, lambda status: status.hold and status.hold.phase is HoldPhase.LOCKED)
    s.on.hang_up(call)
    s.take("wrap-up")
    s.forget(call)


def declined(s: Studio) -> None:
    call = s.call("sales", "+4520123457")
    s.recording(call)
    s.on.desk.opt_out(call)
    ended = PurposePhase.ENDED
    s.when(
        "training-declined", call, lambda status: status.purposes[Purpose.TRAINING].phase is ended and status.recording
    )
    s.take("asks-first", pressed="optOut")
    s.take("asks-first-corner", corner=True)
    s.over(call)


def obliged(s: Studio) -> None:
    call = s.call("law")
    s.recording(call)
    s.take("obligation")
    s.over(call)


def objected(s: Studio) -> None:
    call = s.call("objection", "+4520123458")  # a no is remembered: not the number of the calls that ask
    s.recording(call)
    s.on.desk.opt_out(call)
    s.when("objection", call, lambda status: "objection_received" in status.notes)
    s.over(call)


def paused(s: Studio) -> None:
    call = s.call("health")
    s.recording(call)
    s.on.desk.act(call, "pause_sensitive")
    s.on.desk.wait_status(lambda status: Reason.SENSITIVE in status.pauses and status.until, "paused", call)
    s.take("paused-sensitive")
    s.on.desk.do(HoldCall, call=call, on=True)
    s.when("held-and-sensitive", call, lambda status: {Reason.HELD, Reason.SENSITIVE} <= set(status.pauses))
    s.on.desk.do(HoldCall, call=call, on=False)
    s.on.desk.wait_status(lambda status: Reason.HELD not in status.pauses, "off hold", call)
    s.on.desk.act(call, "resume")
    s.recording(call)
    s.on.desk.act(call, "new_person")
    s.on.desk.wait_status(lambda status: Reason.NOT_TOLD in status.pauses, "a newcomer", call)
    time.sleep(1)
    s.take("paused-newcomer")
    s.over(call)


def pause_ends(s: Studio) -> None:
    call = s.call("short_pause")
    s.recording(call)
    s.on.desk.act(call, "pause_sensitive")
    s.on.desk.wait_status(lambda status: "more_time" in status.actions, "the warning", call)
    time.sleep(2)
    s.take("paused-warning")
    s.over(call)
    call = s.call("service", "+4520123462")
    s.recording(call)
    s.on.desk.act(call, "pause_sensitive")
    s.when("paused-by-hand", call, lambda status: Reason.SENSITIVE in status.pauses)
    s.over(call)


def on_hold(s: Studio) -> None:
    call = s.call("service")
    s.recording(call)
    s.on.customer.do("hold")
    s.when("on-hold", call, lambda status: Reason.HELD in status.pauses)
    s.over(call)


def asked(s: Studio) -> None:
    call = s.call("advice")
    s.when("consent-awaited", call, lambda status: status.headline is Headline.ASKED)
    no_answer = Reason.NO_ANSWER
    s.when("no-answer", call, lambda status: status.reasons[0].reason is no_answer, 15)
    s.over(call)


def deleted(s: Studio) -> None:
    call = s.call("training", "+4520123460")
    s.recording(call)
    s.on.desk.opt_out(call)
    s.when("deleted", call, lambda status: status.headline is Headline.NOT_RECORDING and not status.kept)
    s.over(call)


def complained(s: Studio) -> None:
    call = s.call("training", "+4520123461")
    s.recording(call)
    s.on.desk.dispute(call, by="party")
    s.on.desk.wait_status(lambda status: status.hold and status.hold.phase is HoldPhase.LOCKED, "locked", call)
    s.on.desk.opt_out(call)
    s.when("keep-for-complaint", call, lambda status: status.choices and not status.recording)
    s.over(call)


def asked_while_recording(s: Studio) -> None:
    call = s.call("asked")
    asked = PurposePhase.ASKED
    s.when("training-asked", call, lambda status: status.recording and status.purposes[Purpose.TRAINING].phase is asked)
    s.over(call)


def not_drawn(s: Studio) -> None:
    call = s.call("none")
    s.when("not-in-sample", call, lambda status: status.reasons[0].reason is Reason.NOT_IN_SAMPLE)
    s.over(call)


def outgoing(s: Studio) -> None:
    with second_phone(auto_answer=True) as other:
        call = _dialled(s, other)
        s.when("nobody-confirmed", call, lambda status: "person_answered" in status.actions)
        s.on.desk.act(call, "person_answered")
        s.on.desk.wait_status(
            lambda status: status.notice and status.notice.told is InformedPhase.READING, "reading", call
        )
        time.sleep(2)
        s.take("read-aloud")
        other.do("hang_up")
        s.on.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)
        s.forget(call)


def _dialled(s: Studio, other: SecondPhone) -> str:
    target = f"sip:+4523456789@{LOOPBACK}:{other.udp}"
    call = s.on.desk.do(Dial, account="agent", target=target, line="spoken").result["call"]
    s.on.desk.wait_call(lambda one: one.phase is CallPhase.CONNECTED, "connected", call)
    return call


def several(s: Studio) -> None:
    call = s.call("sales", "+4520123492")
    s.recording(call)
    s.take("call-compact", pressed="toggleCompact")
    s.take("keypad", pressed="keypad")
    s.take("transfer", pressed="transfer")
    with second_phone(auto_answer=True) as other:
        other.do("dial", target=f"sip:{NUMBERS['service']}@{LOOPBACK}:{s.on.sip_port}")
        waits = s.on.desk.wait_call(lambda one: one.phase is CallPhase.INCOMING and one.status, "a call that waits").id
        s.take("call-waiting")
        s.take("call-waiting-corner", corner=True)
        s.on.desk.do(Answer, call=waits)
        s.recording(waits)
        s.take("two-calls")
        s.on.desk.do(HangUp, call=waits)
        s.on.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", waits)
        s.on.desk.do(EndWrapUp, call=waits)
        s.on.desk.do(Activate, call=call)
        s.recording(call)
        target = f"sip:+4523456789@{LOOPBACK}:{other.udp}"
        colleague = s.on.desk.do(Consult, call=call, target=target).result["call"]
        s.on.desk.wait_call(lambda one: one.phase is CallPhase.CONNECTED, "the colleague", colleague)
        time.sleep(1)
        s.take("consultation")
        other.do("hang_up")
        s.on.desk.wait_call(lambda one: one.consult_ended, "alone", call)
        s.take("colleague-gone")
        s.on.desk.do(EndWrapUp, call=colleague)
        s.on.desk.do(BackToParty, call=call)
    s.over(call)


def two_asked(s: Studio) -> None:
    call = s.call("both", "+4520123463")
    s.when("two-consents", call, lambda status: status.headline is Headline.ASKED and status.until)
    s.on.desk.act(call, "digits_wanted")
    s.when("digits-wanted", call, lambda status: "digits_over" in status.actions)
    s.on.desk.act(call, "digits_over")
    s.when("two-consents-repeated", call, lambda status: status.headline is Headline.ASKED and not status.until, 15)
    s.over(call)
    call = s.call("both", "+4520123464")
    s.on.desk.wait_status(lambda status: status.headline is Headline.ASKED, "asked", call)
    s.answers(call, "said_yes", Purpose.DOCUMENTATION)
    s.answers(call, "said_no", Purpose.TRAINING)
    s.recording(call)
    s.take("answered-one")
    s.on.desk.act(call, "new_person")
    s.on.desk.wait_status(lambda status: Reason.NOT_TOLD in status.pauses, "a newcomer", call)
    time.sleep(1)
    s.take("newcomer-consent")
    s.on.hang_up(call)
    s.take("wrap-up-consent")
    s.forget(call)
    call = s.call("mixed", "+4520123465")
    asked = PurposePhase.ASKED
    s.when(
        "documentation-asked",
        call,
        lambda status: status.recording and status.purposes[Purpose.DOCUMENTATION].phase is asked,
    )
    s.over(call)


def special(s: Studio) -> None:
    call = s.call("watch", "+4520123466")
    s.recording(call)
    s.take("special")
    s.on.desk.opt_out(call)
    grounds = Reason.GROUNDS_GIVEN
    s.when(
        "grounds-given", call, lambda status: status.purposes[Purpose.TRAINING].reason is grounds and status.recording
    )
    s.over(call)
    call = s.call("watch", "+4520123467")
    s.recording(call)
    s.on.desk.act(call, "note_request")
    s.when("grounds-not-given", call, lambda status: "request_noted" in status.notes)
    s.over(call)


def obliged_noted(s: Studio) -> None:
    call = s.call("law", "+4520123468")
    s.recording(call)
    s.on.desk.opt_out(call)
    s.when("obligation-noted", call, lambda status: "request_noted" in status.notes)
    s.take("menu", menu=True)
    s.over(call)


def unclear(s: Studio) -> None:
    """The party's keys for a no, and nobody knows to what."""
    call = s.call("watch", "+4520123469")
    s.recording(call)
    s.on.customer.do("digits", digits="*9")
    s.when("unclear", call, lambda status: "objection_received" in status.notes)
    s.over(call)
    call = s.call("sales", "+4520123481")
    s.recording(call)
    s.on.customer.do("prefer", wanted=False)
    s.when("unclear-signal", call, lambda status: "unclear_signal" in status.notes)
    s.over(call)
    call = s.call("service", "+4520123470")
    s.recording(call)
    s.on.desk.opt_out(call)
    s.when("objection-paused", call, lambda status: Reason.OBJECTION in status.pauses)
    s.over(call)


def unheard(s: Studio) -> None:
    """The party's machine stands still, and is there again."""
    call = s.call("service", "+4520123482")
    s.recording(call)
    gone = psutil.Process(s.on.customer.pid)
    gone.send_signal(signal.SIGSTOP)
    try:
        s.when("no-sound", call, lambda status: Reason.NO_SOUND in status.pauses, 20)
        s.when("still-no-sound", call, lambda status: "still_no_sound" in status.notes, 60)
    finally:
        gone.send_signal(signal.SIGCONT)
    s.over(call)


def from_elsewhere(s: Studio) -> None:
    """What only a phone does that is told each message: it puts through, holds as it calls, refuses to be held."""
    with plain_phone(number="+4520123483") as phone:
        phone.call(LOOPBACK, s.on.sip_port, NUMBERS["service"])
        call = s.on.desk.answer().id
        s.recording(call)
        phone.refuses = "488 Not Acceptable Here"
        s.on.desk.do(HoldCall, call=call, on=True)
        s.on.desk.wait_status(lambda status: Reason.HELD in status.pauses, "held", call)
        s.take("hold-refused", said="fault.hold.refused")
        s.on.desk.do(HoldCall, call=call, on=False)
        s.recording(call)
        phone.refuses = ""
        phone.offer(headers={"P-Asserted-Identity": "<sip:+4530405060@exchange.example>"})
        s.when("put-through", call, lambda status: Reason.NOT_TOLD in status.pauses)
        phone.hang_up()
        s.on.desk.wait_event("ended", call=call)
        s.forget(call)
    with plain_phone(number="+4520123484") as phone:
        phone.direction = "sendonly"
        phone.call(LOOPBACK, s.on.sip_port, NUMBERS["service"])
        call = s.on.desk.answer().id
        s.when("held-at-answer", call, lambda status: status.headline is Headline.PAUSED)
        phone.hang_up()
        s.on.desk.wait_event("ended", call=call)
        s.forget(call)


def stood_still(s: Studio) -> None:
    call = s.call("service", "+4520123485")
    s.recording(call)
    s.on.engine.send_signal(signal.SIGSTOP)
    time.sleep(3)
    s.on.engine.send_signal(signal.SIGCONT)
    s.when("stood-still", call, lambda status: "stood_still" in status.notes)
    s.recording(call)
    s.on.hang_up(call)
    s.take("wrap-up-missing")
    s.forget(call)
    s.take("edge-stopped", said="fault.edge")


def not_understood(s: Studio) -> None:
    call = s.call("spoken", "+4520123471")
    s.on.desk.wait_status(lambda status: status.notice and status.notice.told is InformedPhase.PLAYING, "playing", call)
    s.on.desk.wait_event("notice_essentials", 20, call=call)
    s.on.desk.act(call, "stop_notice")
    s.when("notice-stopped", call, lambda status: "finish_orally" in status.actions)
    s.on.desk.act(call, "finish_orally")
    s.recording(call)
    s.take("finished-orally")
    s.on.desk.act(call, "not_understood")
    s.when("not-understood", call, lambda status: "play_again" in status.actions)
    other = s.on.desk.call(call).other_languages[0]
    s.act(call, "play_again", language=other)
    s.on.desk.wait_status(lambda status: status.notice and status.notice.told is InformedPhase.PLAYING, "playing", call)
    time.sleep(4)
    s.take("in-english")
    s.over(call)


def read_in_call(s: Studio) -> None:
    call = s.call("service", "+4520123472")
    s.recording(call)
    s.on.desk.act(call, "new_person")
    s.on.desk.wait_status(lambda status: "notice_read" in status.actions, "time to have read it", call, 20)
    s.on.desk.act(call, "notice_read")
    s.recording(call)
    s.take("read-in-call")
    s.over(call)


def told_upstream(s: Studio) -> None:
    with plain_phone(LOOPBACK, "+4520123473") as phone:
        phone.call(LOOPBACK, s.on.sip_port, NUMBERS["sales"], headers={"Klartone-Told": "N7"})
        call = s.on.desk.answer().id
        s.on.desk.wait_status(lambda status: status.recording, "recording", call)
        time.sleep(1)
        s.take("upstream")
        phone.hang_up()
        s.on.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)
        s.forget(call)


def locked_and_muted(s: Studio) -> None:
    call = s.call("sales", "+4520123474")
    s.recording(call)
    s.on.desk.do(Mute, call=call, on=True)
    s.on.desk.wait_call(lambda one: one.muted, "muted", call)
    s.take("muted")
    s.on.desk.do(Mute, call=call, on=False)
    s.on.desk.dispute(call)
    s.when("held-from-training", call, lambda status: status.hold and status.hold.phase is HoldPhase.LOCKED)
    s.over(call)
    call = s.call("sales", "+4520123475")
    s.recording(call)
    s.on.desk.act(call, "keep_out_of_training")
    s.when("kept-out", call, lambda status: status.recording == (Purpose.DOCUMENTATION,))
    s.on.desk.act(call, "private_call")
    s.when("private", call, lambda status: status.headline is Headline.NOT_RECORDING and not status.kept)
    s.over(call)


def refused_and_back(s: Studio) -> None:
    call = s.call("call_back", "+4520123476")
    s.recording(call)
    s.on.desk.opt_out(call)
    s.when("call-back", call, lambda status: "call_back_listed" in status.notes and not status.kept)
    s.over(call)
    s.on.desk.wait(lambda snapshot: snapshot.call_backs, "the list")
    s.take("call-backs")
    call = s.call("advice", "+4520123477")
    s.on.desk.wait_status(lambda status: status.headline is Headline.ASKED, "asked", call)
    s.on.desk.opt_out(call)
    s.when("asks-for-recording", call, lambda status: "party_asks_for_recording" in status.actions)
    s.over(call)


def machine(s: Studio) -> None:
    with second_phone(auto_answer=True) as other:
        call = _dialled(s, other)
        s.on.desk.wait_status(lambda status: "voicemail" in status.actions, "answered", call)
        s.on.desk.act(call, "voicemail")
        s.when("voicemail", call, lambda status: status.reasons[0].reason is Reason.VOICEMAIL)
        other.do("hang_up")
        s.on.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)
        s.forget(call)


def ready(s: Studio) -> None:
    for line in ("sales", "service", "none"):
        call = s.call(line)
        s.on.desk.wait_status(lambda status: status.headline is not Headline.NOTICE, "decided", call)
        s.over(call)
    s.on.desk.wait(lambda snapshot: not snapshot.calls and len(snapshot.history) > 2, "today's calls")
    s.take("ready")


def earlier(s: Studio) -> None:
    call = s.call("sales", "+4520123490")
    s.recording(call)
    s.over(call)
    s.on.desk.do(Reopen, call=call)
    s.on.desk.wait_call(lambda one: one.reopened, "taken up again", call)
    s.take("earlier")
    s.on.desk.dispute(call)
    s.when("earlier-locked", call, lambda status: status.dispute.kind == DisputeKind.UNDO)
    s.forget(call)
    s.on.desk.do(SaveNote, call=call, text="Flytning aftalt")
    call = s.call("sales", "+4520123490")
    s.recording(call)
    s.on.desk.do(SaveNote, call=call, text="Spurgte til bindingsperioden.\nRing igen mandag.")
    s.on.desk.wait_call(lambda one: one.note, "the note", call)
    s.take("note")
    s.over(call)
    call = s.call("training", "+4520123491")
    s.recording(call)
    s.over(call)
    s.on.desk.do(Reopen, call=call)
    s.on.desk.wait_call(lambda one: one.reopened, "taken up again", call)
    s.on.desk.dispute(call, "party")
    s.on.desk.wait_status(lambda one: one.hold and one.hold.phase is HoldPhase.LOCKED, "locked", call)
    s.on.desk.opt_out(call)
    s.when("earlier-complaint", call, lambda status: status.choices)
    s.forget(call)


def storage(s: Studio) -> None:
    """The folder of the recordings has become a file: the next recording cannot be written."""
    s.on.expects("storage fails:", "a call is not recorded: storage_failed", reason="the folder is a file")
    for folder in s.on.archive_folder.iterdir():
        if folder.is_dir():
            shutil.rmtree(folder)
            folder.write_bytes(b"")
    call = s.call("service")
    s.when("storage-failed", call, lambda status: status.headline is Headline.FAILED, 20)
    s.over(call)
    call = s.call("law", "+4520123478")
    s.when("end-politely", call, lambda status: "end_politely" in status.actions, 20)
    s.over(call)


def policies(s: Studio) -> None:
    """What holds, with what is worth a look in it; a faulty one that is refused; one that must be signed and is not."""
    s.take("policy-remarks", policy=True)
    file = s.on.home.folders.config / "policy.toml"
    good = file.read_text(encoding="utf-8")
    faulty = good.replace('retention = "P5Y"', 'retention = "five years"', 1).replace(
        'basis = "consent"', 'basis = "yes"', 1
    )
    file.write_text(faulty, encoding="utf-8")
    s.on.desk.wait(lambda snapshot: snapshot.policy.phase is PolicyPhase.FAULTY, "the faults", 40)
    s.take("policy-refused")
    s.take("policy-refused-settings", policy=True)
    file.write_text(good, encoding="utf-8")
    s.on.ready()
    assert s.on.desk.snapshot is not None
    key = base64.b64encode(bytes(32)).decode()
    s.on.desk.do(SaveSettings, settings=replace(s.on.desk.snapshot.settings, policy_signer=key))
    s.on.desk.wait(lambda snapshot: snapshot.policy.phase is PolicyPhase.UNSIGNED, "not signed", 40)
    s.take("unsigned")
    s.take("unsigned-settings", policy=True)
    call = s.call("sales", "+4520123479")
    s.when("unsigned-call", call, lambda status: status.headline is Headline.FAILED)
    s.over(call)
    s.on.desk.do(SaveSettings, settings=replace(s.on.desk.snapshot.settings, policy_signer=""))
    s.on.desk.wait(lambda snapshot: snapshot.policy.phase is PolicyPhase.READY, "ready", 40)


def engine_gone(s: Studio) -> None:
    call = s.call("sales", "+4520123480")
    s.recording(call)
    s.take("no-engine", connected=False)
    # It really goes, in the midst of it. The next one tells what is there of that recording.
    s.on.engine.kill()
    s.on.engine.wait()
    s.on.customer.do("hang_up")
    s.on.start_engine()
    s.on.ready()
    s.on.desk.do(Reopen, call=call)
    s.on.desk.wait_call(lambda one: one.reopened, "taken up again", call)
    s.take("earlier-broke-off")
    s.forget(call)


SCENES: tuple[Callable[[Studio], None], ...] = (
    incoming_and_notice,
    recorded,
    declined,
    obliged,
    objected,
    paused,
    on_hold,
    asked,
    asked_while_recording,
    deleted,
    complained,
    not_drawn,
    outgoing,
    ready,
    pause_ends,
    several,
    two_asked,
    special,
    obliged_noted,
    unclear,
    unheard,
    from_elsewhere,
    stood_still,
    not_understood,
    read_in_call,
    told_upstream,
    locked_and_muted,
    refused_and_back,
    machine,
    earlier,
    policies,
    engine_gone,
    storage,
)


WITHOUT_POLICY = ("no-policy", "first-start")
"""the states of `without_policy`"""


def scenes_of(state: str) -> tuple[Callable[[Studio], None], ...]:
    """Those that take it: each names what it takes."""
    return tuple(scene for scene in SCENES if f'"{state}"' in inspect.getsource(scene))


def without_policy(folder: Path) -> dict[str, Picture]:
    """An engine that has none: a call comes and goes as always. Then one of a new user, who has no account either."""
    taken: dict[str, Picture] = {}
    on = build(folder / "a", lines=("n1",))
    settings = on.home.folders.config / "settings.toml"
    kept = [line for line in settings.read_text(encoding="utf-8").splitlines() if not line.startswith("policy =")]
    settings.write_text("\n".join(kept) + "\n", encoding="utf-8")
    with ExitStack() as ending:
        ending.callback(on.end)
        on.start_engine()
        on.customer = ending.enter_context(second_phone())
        on.sip_port = on.desk.wait(lambda snapshot: snapshot.sip_port, "a port")
        studio = Studio(on, taken)
        call = studio.call("sales")
        studio.when("no-policy", call, lambda status: status.headline is Headline.FAILED)
        studio.over(call)
    new = build(folder / "b", lines=("n1",))
    (new.home.folders.config / "settings.toml").unlink()
    with ExitStack() as ending:
        ending.callback(new.end)
        new.start_engine()
        new.desk.wait(lambda snapshot: snapshot.sip_port, "a port")
        Studio(new, taken).take("first-start", settings=True)
    return taken
