"""`klartone session --stdio`, spoken to as another phone would: a call's life, presses, transactions, and lines that are none."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from softphone.archive.archive import Archive
from softphone.archive.crypto.wraps import signer_name
from softphone.archive.folder.marker import read_marker
from softphone.audio.files import read_wav
from softphone.bootstrap.home import DEMO_KEYS
from softphone.domain.purpose import Language
from softphone.plugin.sounds import RATE
from softphone.system.passports import certify, present
from softphone.system.paths import UserFolders
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings import save_settings
from softphone.system.signature import new_signing_key, public_half
from softphone.wire.snapshot import CodedText, Settings
from tests.journeys.embedding import Talk, Told, policy_file, session_command, talk
from tests.journeys.fault_words import sentence
from tests.journeys.lines import NUMBERS
from tests.peers.second_phone import ROOT

pytestmark = pytest.mark.journey

LINES = ("n1-obligation", "n3", "n6", "n7", "not-drawn")
NUMBER = "+4520123456"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Generator[Talk]:
    """One for all of this file's calls; what is written counts as written when it has been told."""
    folder = tmp_path_factory.mktemp("session")
    with talk(session_command(folder, policy_file(folder / "policy", LINES)), folder) as session:
        session.say("hello", protocol=1, auto_commit=True)
        session.ready()
        yield session
        assert session.finish() == 0
    log = (folder / "home" / "log" / "session.log").read_text("utf-8")
    assert "started" in log
    assert NUMBER.removeprefix("+45") not in log


@pytest.mark.rule("G05")
@pytest.mark.rule("N7")
def test_a_call_is_told_of_recorded_opted_out_of_and_over(session: Talk) -> None:
    call = "whole"
    answer(session, call, "n7")
    status = session.status(call, lambda one: one["headline"] == "notice", "a notice")
    assert status["state"]["notice"]["text"] == session.effect("play_notice", call)["text"]
    hear(session, call)
    started = session.effect("start_recorder", call)
    status = session.status(call, lambda one: one["recording"], "recording")
    assert status["state"]["status"]["recording"] == ["documentation", "training"]
    for language, headline in (("da", "Optages"), ("en", "Recording")):
        words = status["words"][language]
        assert words["headline"] == headline
        assert len(words["reasons"]) == len(status["state"]["status"]["reasons"])
        assert words["opt_out"]["kind"] == status["state"]["status"]["opt_out"]["kind"] == "training_ends"
    assert press(session, call, "opt_out", kind="training_ends")["type"] == "done"
    stopped = session.effect("stop_recorder", call)
    assert stopped["hold_frames"] is True, "documentation goes on: what is said meanwhile is its"
    assert session.effect("start_recorder", call, segment=1)["recording"] == started["recording"]
    status = session.status(call, lambda one: one["recording"] == ["documentation"], "documentation alone")
    session.say("call_ended", call)
    session.effect("stop_recorder", call, segment=1)
    assert closed(session, call)["purposes"] == ["documentation"]
    session.say("end_wrap_up", call, id="end")
    session.effect("over", call)


@pytest.mark.rule("G03")
def test_a_question_without_an_answer_ends_by_the_sessions_own_clock(session: Talk) -> None:
    call = "silent"
    answer(session, call, "n3")
    hear(session, call)
    session.status(call, lambda one: one["headline"] == "asked", "the question")
    status = session.status(call, lambda one: one["reasons"][0]["reason"] == "no_answer", "no answer")
    assert status["words"]["da"]["reasons"][0] == "Kunden har ikke sagt ja (intet svar)"
    assert not session.told("start_recorder", call)


@pytest.mark.rule("N6")
def test_a_key_in_the_question_is_remembered_until_the_notice_has_been_heard(session: Talk) -> None:
    call = "key"
    answer(session, call, "n6")
    play = session.effect("play_notice", call)
    session.say("notice_started", call, play=play["play"], ago=play["seconds"])
    session.say("digit_pressed", call, digit="1")
    session.say("notice_heard", call, play=play["play"])
    status = session.status(call, lambda one: len(one["recording"]) == 2, "both")
    assert status["state"]["status"]["purposes"]["training"]["reason"] == "consent"


def test_the_notice_is_a_sound_that_is_there_and_as_long_as_is_said(session: Talk) -> None:
    call = "sound"
    answer(session, call, "n7")
    play = session.effect("play_notice", call)
    assert len(read_wav(Path(play["wav"]))) / 2 / RATE == pytest.approx(play["seconds"], abs=0.01)
    assert (play["notice"], play["language"], play["question_only"]) == ("N7", "da", False)


@pytest.mark.rule("G05")
def test_a_late_word_of_a_notice_that_was_stopped_is_not_taken_for_anothers(session: Talk) -> None:
    call = "late"
    answer(session, call, "n7")
    play = session.effect("play_notice", call)["play"]
    session.say("notice_started", call, play=play)
    assert press(session, call, "act", action="stop_notice")["type"] == "done"
    session.effect("stop_notice", call)
    # A press counts for what the status before it showed.
    session.status(call, lambda status: "play_again" in status["actions"], "the offer to play it again")
    assert press(session, call, "act", action="play_again")["type"] == "done"
    again = session.effect("play_notice", call, play=play + 1)
    refused = ask(session, "notice_heard", call, play=play)
    assert (refused["type"], refused["code"], refused["key"]) == ("refused", "error.embed.no_such_play", "play")
    session.say("notice_started", call, play=again["play"])
    session.say("notice_heard", call, play=again["play"])
    session.effect("start_recorder", call)


@pytest.mark.rule("G31")
def test_what_the_phones_archive_knows_decides_and_without_one_the_sample_is_drawn_here(session: Talk) -> None:
    known: tuple[tuple[str, str, dict[str, bool] | None, str], ...] = (
        ("drawn", "n3", {"drawn": True}, "waiting_for_notice"),
        ("not drawn", "n3", {"drawn": False}, "not_in_sample"),
        ("declined", "n3", {"drawn": True, "declined_earlier": True}, "declined_earlier"),
        ("enough", "n3", {"drawn": True, "reviewers_have_enough": True}, "reviewers_have_enough"),
        ("100 %", "n3", None, "waiting_for_notice"),
        ("0 %", "not-drawn", None, "not_in_sample"),
    )
    for call, line, what, reason in known:
        session.say("rang", call, line=line, number=NUMBER, **({} if what is None else {"known": what}))
        status = session.status(call, lambda _: True, f"{call} decided")
        assert status["state"]["status"]["purposes"]["training"]["reason"] == reason, call
        session.say("call_ended", call)
        session.effect("over", call)


def test_a_call_belongs_to_the_line_whose_number_was_called(session: Talk) -> None:
    session.say("rang", "called", called=NUMBERS["n1-obligation"], number=NUMBER)
    status = session.status("called", lambda _: True, "decided")
    assert status["state"]["line"] == "n1-obligation"


@pytest.mark.rule("G05")
def test_what_an_exchange_has_told_already_is_not_told_again(session: Talk) -> None:
    call = "upstream"
    session.say("rang", call, line="n7", number=NUMBER, told="N7;language=da")
    session.say("answered", call)
    session.effect("start_recorder", call)
    assert not session.told("play_notice", call)


def test_many_calls_at_once_are_kept_apart(session: Talk) -> None:
    calls = [f"many-{n}" for n in range(20)]
    for call in calls:
        session.say("rang", call, line="n7", number=NUMBER)
    for call in calls:
        session.say("answered", call)
    for call in calls:
        hear(session, call)
    recordings = {session.effect("start_recorder", call)["recording"] for call in calls}
    assert len(recordings) == len(calls)
    session.say("call_ended", calls[0])
    session.effect("stop_recorder", calls[0])
    assert not any(session.told("stop_recorder", call) for call in calls[1:])


def test_a_press_that_no_longer_fits_is_refused(session: Talk) -> None:
    call = "stale"
    answer(session, call, "n7")
    status = session.status(call, lambda one: one["opt_out"]["kind"] == "training_ends", "the button")
    version = status["state"]["status"]["version"]
    assert ask(session, "opt_out", call, version=version, kind="training_ends")["type"] == "done"
    refused = ask(session, "opt_out", call, version=version, kind="training_ends")
    assert (refused["type"], refused["code"]) == ("refused", "refused.stale")
    assert ask(session, "act", call, version=version, action="dance")["code"] == "error.embed.value"


@pytest.mark.parametrize(
    ("line", "code", "key"),
    [
        (b"\x00", "error.embed.not_json", ""),
        (b'{"type": "dance"}', "error.embed.type", "type"),
        (b'{"type": "hello", "protocol": 1}', "error.embed.hello_again", "type"),
        (b'{"type": "answered", "call": "nobody"}', "error.embed.no_such_call", "call"),
        (b'{"type": "rang", "call": "x", "line": "no such"}', "error.embed.no_such_line", "line"),
        (b'{"type": "rang", "call": "x", "told": "hello"}', "error.embed.told", "told"),
        (b'{"type": "rang", "call": "x", "number": ["+4520999999"]}', "error.embed.value", "number"),
        (b"x" * 1_200_000, "error.embed.not_json", ""),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_a_line_that_is_none_is_refused_with_a_sentence_and_changes_nothing(
    session: Talk, line: bytes, code: str, key: str
) -> None:
    since = len(session.lines)
    session.write(line)
    refused = session.wait(lambda one: one["type"] == "refused", "a refusal", since=since)
    assert (refused["code"], refused["key"]) == (code, key)
    assert set(refused["words"]) == {one.value for one in Language}
    for words in refused["words"].values():
        assert words.endswith(".")
        assert "error." not in words
        assert "20999999" not in words
    assert ask(session, "rang", f"after-{since}", line="n7")["type"] == "done"


@pytest.mark.rule("G05")
def test_recording_waits_until_the_phone_has_written_what_it_was_told(tmp_path: Path) -> None:
    with talk(session_command(tmp_path, policy_file(tmp_path / "policy", ("n7",))), tmp_path) as session:
        refused = ask(session, "rang", "early", line="n7")
        assert (refused["code"], refused["key"]) == ("error.embed.no_hello", "type")
        assert ask(session, "hello", "", protocol=2)["key"] == "protocol"
        session.say("hello", protocol=1)
        session.ready()
        answer(session, "one", "n7")
        hear(session, "one")
        ticket = opened(session, "one")
        for commit in session.told("commit", "one"):
            if commit["ticket"] != ticket:
                assert ask(session, "committed", "one", ticket=commit["ticket"])["type"] == "done"
        assert not session.told("start_recorder", "one")
        assert ask(session, "commit_failed", "one", ticket=ticket, reason="storage_failed")["type"] == "done"
        status = session.status("one", lambda one: one["headline"] == "failed", "failed")
        assert status["words"]["en"]["reasons"][0] == "The recording cannot be stored"
        session.say("storage_works", "one")
        again = session.wait(lambda one: opens(one, "one") and one["ticket"] > ticket, "a new attempt")["ticket"]
        assert not session.told("start_recorder", "one")
        assert ask(session, "committed", "one", ticket=again)["type"] == "done"
        session.effect("start_recorder", "one")
        assert ask(session, "committed", "one", ticket=again)["key"] == "ticket"
        # The end of input ends every call, and then the process.
        assert session.finish() == 0
        session.effect("stop_recorder", "one")
        closed(session, "one")


@pytest.mark.rule("G04")
@pytest.mark.rule("G31")
@pytest.mark.rule("G39")
@pytest.mark.parametrize("key", ["*9", ""])
def test_a_plain_phone_records_on_a_yes_that_keys_take_back_and_on_no_opt_out_that_is_only_said(
    tmp_path: Path, key: str
) -> None:
    policy = policy_file(tmp_path / "policy", ("n2", "n3", "n4", "n7"), each=f'opt_out_key = "{key}"')
    unrecorded = [("n4", "", "no_desk"), ("n4", "N4;language=da", "no_desk"), ("n7", "N7;language=da", "notice_failed")]
    by_key = ("n2", "n3")
    if not key:
        unrecorded += [(line, "", "no_desk") for line in by_key]
    with talk(session_command(tmp_path, policy), tmp_path) as session:
        session.say("hello", protocol=1, plain=True)
        session.ready()
        for line, told, reason in unrecorded:
            call = f"{line} {told}"
            session.say("rang", call, line=line, number=NUMBER, **({"told": told} if told else {}))
            session.effect("answer_call", call)
            session.say("answered", call)
            session.effect("set_microphone", call, open=True)
            status = session.status(call, lambda one: one["headline"], "decided")["state"]["status"]
            assert (status["recording"], status["reasons"][0]["reason"]) == ([], reason), call
            session.say("call_ended", call)
            session.effect("over", call)
            assert not session.told("play_notice", call)
            assert not session.told("start_recorder", call)
        for call in by_key if key else ():
            session.say("rang", call, line=call, number=NUMBER)
            session.effect("answer_call", call)
            session.say("answered", call)
            session.status(call, lambda one: one["headline"] == "asked", "the question")
            session.say("digit_pressed", call, digit="1")
            begun = session.effect("start_recorder", call)
            for digit in key:
                session.say("digit_pressed", call, digit=digit)
            session.effect("delete_segment", call, recording=begun["recording"], segment=begun["segment"])


def test_without_a_policy_that_can_be_used_calls_go_on_unrecorded_and_it_is_said_why(tmp_path: Path) -> None:
    policy = policy_file(tmp_path / "policy", ("n7",))
    policy.write_text(policy.read_text("utf-8").replace('retention = "P3M"', 'retention = "soon"'), "utf-8")
    with talk(session_command(tmp_path, policy), tmp_path) as session:
        session.say("hello", protocol=1, auto_commit=True)
        told = session.wait(lambda line: line["type"] == "policy" and line["faults"], "faults", 40)
        assert told["policy"]["phase"] == "faulty"
        for fault, words in zip(told["policy"]["faults"], told["faults"], strict=True):
            assert words["en"] == sentence(CodedText(fault["code"], fault["params"]), Language.EN)
        session.say("rang", "one", called=NUMBERS["n7"], number=NUMBER)
        session.say("answered", "one")
        status = session.status("one", lambda one: one["headline"] == "failed", "failed")
        assert status["state"]["status"]["reasons"][0]["reason"] == "policy_faulty"
        assert session.finish() == 0
        assert not session.told("play_notice", "one")


@pytest.mark.rule("G05")
def test_a_certificate_that_is_put_into_the_settings_while_it_runs_signs_the_next_calls_passport(
    tmp_path: Path,
) -> None:
    house, policy = new_signing_key(), policy_file(tmp_path / "policy", ("n7",))
    policy.write_text(f'{policy.read_text("utf-8")}\n[house]\nkeys = ["{public_half(house)}"]\n', "utf-8")
    folders = UserFolders.within(tmp_path / "home")
    keys = DemoKeyFile(folders.archive / DEMO_KEYS)
    Archive.create(folders.archive, keys, demo=True).close()
    private = keys.get(signer_name(read_marker(folders.archive).desk))
    assert private is not None
    with talk(session_command(tmp_path, policy), tmp_path) as session:
        session.say("hello", protocol=1, auto_commit=True)
        session.ready()
        now = datetime.now(UTC)
        save_settings(
            folders.config, Settings(desk_certificate=certify(public_half(private), house, now + timedelta(1)))
        )
        answer(session, "next", "n7")
        given, limit = "", time.monotonic() + 20
        while not given and time.monotonic() < limit:
            since = len(session.lines)
            session.say("transfer", "next", target=NUMBERS["n7"])
            given = session.wait(lambda line: line["type"] == "passport", "a passport", since=since)["passport"]
        assert present(given).proved_by([public_half(house)], now)
        assert session.finish() == 0


def test_neither_sip_nor_a_sound_device_nor_a_window_comes_with_it() -> None:
    code = "import sys, softphone.bootstrap.session; print(*{'pjsua2', 'sounddevice', 'PySide6'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_where_nobody_reads_any_more_it_ends_without_a_word(tmp_path: Path) -> None:
    command = session_command(tmp_path, policy_file(tmp_path / "policy", ("n7",)))
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        assert json.loads(process.stdout.readline())["type"] == "hello"
        process.stdout.close()
        process.stdin.write(b"{}\n")
        assert process.wait(30) == 0
        assert process.stderr.read() == b""


# --- what a phone says ------------------------------------------------------------------------------


def answer(session: Talk, call: str, line: str) -> None:
    session.say("rang", call, line=line, number=NUMBER)
    session.status(call, lambda _: True, "decided")
    session.say("answered", call)
    assert session.effect("set_microphone", call)["open"] is False


def hear(session: Talk, call: str) -> None:
    """The notice is played and heard, in no time."""
    play = session.effect("play_notice", call)["play"]
    session.say("notice_started", call, play=play)
    session.say("notice_heard", call, play=play)


def ask(session: Talk, type: str, call: str, **fields: Any) -> Told:
    """`done` or `refused`."""
    id = f"{type}-{len(session.lines)}"
    session.say(type, call, id=id, **fields)
    return session.wait(lambda line: line.get("id") == id, f"an answer to {type}")


def press(session: Talk, call: str, type: str, **fields: Any) -> Told:
    """A press of what the newest status shows."""
    version = session.told("status", call)[-1]["state"]["status"]["version"]
    return ask(session, type, call, version=version, **fields)


def opens(line: Told, call: str) -> bool:
    return (
        line["type"] == "commit"
        and line["call"] == call
        and any(one["type"] == "open_segment" for one in line["changes"])
    )


def opened(session: Talk, call: str) -> int:
    """The ticket of the transaction that opens the first segment."""
    return session.wait(lambda line: opens(line, call), "a segment")["ticket"]


def closed(session: Talk, call: str) -> Told:
    """The change that closes the call's recording."""

    def closes(line: Told) -> bool:
        return line["type"] == "commit" and line["call"] == call and bool(closing(line))

    def closing(line: Told) -> list[Told]:
        return [one for one in line["changes"] if one["type"] == "close_recording"]

    return closing(session.wait(closes, "closed"))[0]
