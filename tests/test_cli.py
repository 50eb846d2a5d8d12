"""The command line as a person meets it: wrong words, an archive that is shown and played, and what the doctor sees."""

from __future__ import annotations

import argparse
import ast
import inspect
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from softphone import cli
from softphone.archive.archive import Archive, AuditRow
from softphone.archive.files.container import Chunk, read_header, scan
from softphone.audio import devices
from softphone.audio.devices import Device, Devices, SoundFault
from softphone.audio.files import write_wav
from softphone.bootstrap.home import DEMO_KEYS, Home, key_store, texts
from softphone.cli.audit import in_words
from softphone.cli.doctor.archive import folder_of, policy_of
from softphone.cli.doctor.finding import Below, Finding
from softphone.cli.doctor.folders import why_unwritable
from softphone.cli.doctor.run import CHECKS, look
from softphone.cli.doctor.telling import lines
from softphone.cli.registering import Command
from softphone.domain.archive.decisions import Right
from softphone.domain.changes import AuditEntry, CloseRecording, HoldBy, PlaceHold, Restrict
from softphone.domain.policy import PolicyError
from softphone.domain.purpose import KeyRole, Language, Purpose
from softphone.system import guarded, last_words, settings_machine, strangers
from softphone.system.policy_file import load_policy
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings import save_settings
from softphone.wire.snapshot import Account, Settings
from tests.archive.scene import AT, DOCUMENTATION, Scene
from tests.policies import POLICY

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = pytest.mark.parametrize("language", list(Language))


@pytest.fixture
def language() -> Language:
    return Language.EN


@pytest.fixture(autouse=True)
def spoken(monkeypatch: pytest.MonkeyPatch, language: Language, forked_hosts: None) -> None:
    monkeypatch.setenv("LC_ALL", f"{language}.UTF-8")


@pytest.fixture
def recorded(tmp_path: Path) -> tuple[Path, str]:
    """A demo's archive, for its keys lie in a file, and its one recording."""
    folder = tmp_path / "archive"
    desk = Scene(folder, demo=True, store=DemoKeyFile(folder / DEMO_KEYS))
    try:
        return folder, desk.recorded(2, DOCUMENTATION)
    finally:
        desk.close()


def refusal(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a wrong command line is told, without its usage."""
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


# --- wrong command lines --------------------------------------------------------------------------


@pytest.mark.parametrize("words", [["keys"], ["archive"]])
def test_a_command_without_its_own_command_says_what_is_missing(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert refusal(words, capsys).endswith("the following arguments are required: COMMAND")


def test_a_wrong_command_line_is_refused_in_danish_where_the_system_speaks_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LANGUAGE", raising=False)
    monkeypatch.setenv("LC_ALL", "da_DK.UTF-8")
    with pytest.raises(SystemExit):
        cli.main(["keys", "export", "--private"])
    told = capsys.readouterr().err
    assert told.startswith("brug: klartone keys export")
    assert told.endswith("klartone keys export: --private: her mangler en værdi\n")


def test_what_is_translated_of_argparse_is_what_it_says() -> None:
    catalog = ROOT / "resources" / "translations" / "argparse" / "da" / "LC_MESSAGES" / "argparse.po"
    source = inspect.getsource(argparse)
    with catalog.open("rb") as file:
        said = [one.id[0] if isinstance(one.id, tuple) else one.id for one in read_po(file) if one.id]
    assert [one for one in said if repr(one)[1:-1] not in source] == []


@LANGUAGES
@pytest.mark.parametrize("words", [["bogus"], ["archive", "bogus"]])
def test_a_word_that_is_no_command_is_refused_without_the_programs_inner_ones(
    words: list[str], capsys: pytest.CaptureFixture[str], language: Language
) -> None:
    said = refusal(words, capsys)
    assert texts(language)("cli.no_command", word="bogus", help=" ".join(["klartone", *words[:-1], "--help"])) in said
    assert "plugin-host" not in said


@LANGUAGES
@pytest.mark.parametrize("words", [["doctor"], ["keys", "escrow", "make", "FILE"], []])
def test_a_word_too_many_is_told_where_what_can_stand_is_shown(
    words: list[str], capsys: pytest.CaptureFixture[str], language: Language
) -> None:
    said = refusal([*words, "--bogus", "--more"], capsys)
    asked = " ".join(["klartone", *(word for word in words if word != "FILE"), "--help"])
    assert said.endswith(texts(language)("cli.unknown", words="--bogus --more", help=asked))
    assert asked in said


@pytest.mark.parametrize("words", [["--home", "{home}", "archive", "list"], ["archive", "list", "--home", "{home}"]])
def test_a_home_is_named_before_a_command_or_behind_it(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([word.format(home=tmp_path) for word in words]) == 1
    assert str(tmp_path) in capsys.readouterr().err


@LANGUAGES
@pytest.mark.parametrize("word", ["foo", "27-02-2027", "2027-02-30", ""])
def test_a_date_that_is_none_is_told_how_to_write_one(
    word: str, capsys: pytest.CaptureFixture[str], language: Language
) -> None:
    said = refusal(["archive", "sweep", "--now", word], capsys)
    assert said.endswith(f": {texts(language)('cli.no_date')}")
    assert "2027-02-25" in said


@LANGUAGES
@pytest.mark.parametrize("word", ["9999-12-31", "0001-01-01", "3000-01-01", "1899-12-31"])
def test_a_day_that_lies_too_far_away_is_refused_as_that(
    word: str, capsys: pytest.CaptureFixture[str], language: Language
) -> None:
    for words in (["sweep", "--dry-run", "--now"], ["list", "--from"]):
        said = refusal(["archive", *words, word], capsys)
        assert said.endswith(f": {texts(language)('cli.far_date', first=1900, last=2999)}")


@pytest.mark.parametrize("word", ["2999-12-31", "1900-01-01"])
def test_the_farthest_days_can_be_reckoned_with(recorded: tuple[Path, str], word: str) -> None:
    archive = ["--archive", str(recorded[0])]
    assert cli.main(["archive", "sweep", "--dry-run", "--now", word, *archive]) == 0
    for option in ("--from", "--to"):
        assert cli.main(["archive", "list", option, word, *archive]) == 0


@pytest.mark.parametrize("word", ["x", "0.5", "0", "-1", "3601", "nan", "inf"])
def test_seconds_that_cannot_be_are_told_from_what_to_what(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(["demo", f"--seconds={word}"], capsys).endswith(": write seconds from 1 to 3600")


@LANGUAGES
@pytest.mark.parametrize(
    ("words", "choices"),
    [
        (["archive", "export", "ID", "--wav", "FILE", "--as", "foo"], list(KeyRole)),
        (["archive", "judge", "ID", "--purpose", "foo"], list(Purpose)),
    ],
)
def test_a_word_that_is_no_choice_is_told_what_there_is(
    words: list[str], choices: list[str], capsys: pytest.CaptureFixture[str], language: Language
) -> None:
    said = refusal(words, capsys)
    assert "'foo'" in said
    assert ", ".join(f"'{one}'" for one in choices) in said
    assert not re.search(r"KeyRole|Purpose|ventet", said)


@LANGUAGES
@pytest.mark.parametrize(
    "words",
    [
        ["archive", "show", ""],
        ["keys", "export", ""],
        ["archive", "list", "--archive", " "],
        ["archive", "restore", "/backup", "--to", ""],
        ["archive", "log", "--recording", ""],
        ["holds", "confirm", "", "--look-again", "2027-02-25"],
        ["doctor", "--home", ""],
    ],
)
def test_an_empty_word_means_neither_the_current_folder_nor_all(
    words: list[str], capsys: pytest.CaptureFixture[str], language: Language
) -> None:
    assert refusal(words, capsys).endswith(texts(language)("cli.empty"))


@pytest.mark.parametrize("words", [["archive", "export", "ID"], ["policy", "notice", "LINE"]])
def test_sound_is_not_written_to_a_file_that_is_called_like_standard_output(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    said = refusal([*words, "--wav", "-"], capsys)
    assert said.endswith("--wav: sound goes into a file and not to standard output; write the file's name")


# --- the archive ----------------------------------------------------------------------------------


def test_a_recordings_log_holds_what_happened_to_its_call_and_nothing_of_its_calls_other_recordings(
    recorded: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, recording = recorded
    archive = Archive.open(folder, key_store(folder))
    archive.clock = lambda: AT
    call = archive.find(recording).call
    entries = [
        AuditEntry("consent_given", "G03", AT, call, None, {"purpose": "training", "how": "key 5"}),
        AuditEntry("purpose_ended", "G04", AT, call, None, {"purpose": "training", "reason": "declined_by_voice"}),
        AuditEntry("recording_discarded", "G04", AT, call, "another", {"why": "empty"}),
        AuditEntry("dispute_raised", "G10", AT, "another call", None, {"by": "party"}),
    ]
    with archive.catalog.writing() as tx:
        tx.log(*entries)
    own = [f"{entry.number:>5}" for entry in archive.audit_of(recording)]
    archive.close()
    assert cli.main(["archive", "--archive", str(folder), "show", recording]) == 0
    shown = capsys.readouterr().out.partition("Audit log\n")[2].splitlines()
    assert own
    assert [line[:5] for line in shown[:-2]] == own
    assert shown[-2].endswith("G03  Yes to training: key 5")
    assert shown[-1].endswith("G04  The purpose has ended: training – the other party said no")


def audited() -> set[str]:
    """Every event that the session, the sweep and the archive put into the log, as their source names them."""
    found: set[str] = {f"sweep_{name}" for name in ("purpose_expired", "discarded", "hold_void", "hold_overdue")}
    found |= {"recording_opened", "recording_exported"}
    for path in (ROOT / "softphone" / "domain" / "session").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                called = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
                if called in ("note", "entry"):
                    named = node.args[0]
                elif called == "_pause":
                    named = node.args[2]
                else:
                    continue
                found |= {str(one.value) for one in ast.walk(named) if isinstance(one, ast.Constant) and one.value}
    return found


def audited_by_the_house() -> set[str]:
    """Every event that the service puts into its log, as its SQL and its source name them."""
    found, team = {f"{right.value}_sought" for right in Right}, ROOT / "softphone" / "team"
    for path in team.rglob("*.sql"):
        for first in re.findall(
            r"\bPERFORM note(?:_rated)?\(\s*(CASE.*?END|[^,]*)", path.read_text("utf-8"), re.DOTALL
        ):
            named = re.findall(r"(?:THEN|ELSE|^) ?'(\w+)'", first)
            assert named or first in ("of_event", "of_right || '_sought'"), first
            found |= set(named)
    for path in team.rglob("*.py"):
        source = path.read_text("utf-8")
        found |= set(re.findall(r"audit_note\('(\w+)'", source))
        found |= set(re.findall(r'(?:RefusedError|_closed)\(.*?"(\w+_refused)"', source))
    return found


@LANGUAGES
def test_every_entry_of_the_log_has_its_words(language: Language) -> None:
    house = audited_by_the_house()
    assert {"signed_in", "refused", "hold_refused", "access_not_answered", "case_opened", "clock_off"} < house
    events = audited() | house
    assert len(events) > 110
    tell = texts(language)
    assert sorted(event for event in events if f"audit.{event}" not in tell) == []


@LANGUAGES
def test_the_values_of_an_entry_are_words_too(language: Language) -> None:
    tell = texts(language)

    def said(event: str, **params: object) -> str:
        return in_words(AuditRow(1, AT, event, "G10", params), tell)

    opened = said("segment_opened", segment=0, purposes="documentation training")
    assert opened.endswith(f"{tell('purpose.documentation')}, {tell('purpose.training')}")
    assert "custody" not in said("recording_opened", role="custody", segments=1)
    assert "_" not in said("notice_cut_short", why="paused_sensitive")
    assert said("decided", notice=None).endswith(": –")
    assert "True" not in said("wrap_up_ended", kept=True)
    assert "12" in said("resumed", gap_seconds=12)
    assert said("consent_given", purpose="training", how="key 5", seconds_ago=3).endswith(tell("audit.ago", seconds=3))
    assert said("of_tomorrow", how="play") == f"of_tomorrow how={tell('audit.how.play')}"
    assert said("resumed", gap_seconds=None) == tell("audit.resumed")
    # What a call wrote is a code, what data protection wrote is not.
    undone = tell("audit.why.undone")
    assert undone in said("hold_lifted", why="undone")
    assert undone not in said("hold_lifted", why="undone", key="0" * 16)
    for typed in ("access_not_answered", "judged_kept", "orphan_deleted"):
        assert "withdrawn" in said(typed, why="withdrawn", purpose="training", key="0" * 16, until="2027-02-20")
    # In a house the person is named, once.
    assert undone in said("hold_lifted", why="undone", person="mette")
    assert "undone" in said("hold_lifted", why="undone or not", person="mette")
    assert "hold it" in said("case_upheld", why="hold it", purpose="training", person="mette")
    signed_in = said("signed_in", of="mette@nordlys.example", roles=["it", "agent"])
    assert signed_in == tell("audit.signed_in", of="mette@nordlys.example", roles=f"IT, {tell('audit.roles.agent')}")
    assert said("case_opened", kind="objection", person="mette").endswith(tell("audit.given.person", text="mette"))
    assert said("review_shared", person="mette").count("mette") == 1
    no_key = tell("audit.refusal.no_private_key", role=tell("purpose.training"))
    assert said("opening_refused", why="no_private_key", role="training").endswith(f": {no_key}")
    assert "–" not in said("opening_refused", why="no_private_key", role=None)
    assert "marks_living" not in said("refused", deed="marks_living")
    assert said("opening_refused", why="of_tomorrow", role=None).endswith(": of_tomorrow")
    assert said("opening_refused") == tell("audit.opening_refused")


@LANGUAGES
def test_the_days_of_an_entry_are_written_as_others_are(language: Language) -> None:
    tell, day = texts(language), {Language.DA: "20. feb. 2027", Language.EN: "20 Feb 2027"}[language]
    for event, name in (
        ("hold_confirmed", "look_again"),
        ("access_answered", "answered"),
        ("judged_kept", "until"),
        ("sweep_to_judge", "judge_by"),
        ("sweep_clock_doubtful", "since"),
        ("notice_confirmed", "on"),
    ):
        assert day in in_words(AuditRow(1, AT, event, "G10", {name: "2027-02-20"}), tell)
        assert "in May" in in_words(AuditRow(1, AT, event, "G10", {name: "in May"}), tell)


@LANGUAGES
def test_without_a_speaker_a_recording_is_not_opened_and_its_log_says_nothing_of_it(
    recorded: tuple[Path, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    language: Language,
) -> None:
    """The one part that is not real here is the machine's list of devices."""
    folder, recording = recorded
    monkeypatch.setattr(devices, "list_devices", lambda: Devices((), (SoundFault("no_speaker"),)))
    assert cli.main(["archive", "--archive", str(folder), "play", recording]) == 1
    assert capsys.readouterr().err.strip() == texts(language)("error.play.no_speaker")
    archive = Archive.open(folder, key_store(folder))
    assert "recording_opened" not in [entry.event for entry in archive.audit_of(recording)]
    archive.close()


@LANGUAGES
def test_what_is_proved_is_counted_in_the_singular_where_there_is_one(
    recorded: tuple[Path, str], capsys: pytest.CaptureFixture[str], language: Language
) -> None:
    folder, _ = recorded
    assert cli.main(["archive", "--archive", str(folder), "verify"]) == 0
    said = capsys.readouterr().out
    assert {Language.DA: " 1 optagelse,", Language.EN: " 1 recording,"}[language] in said


@pytest.mark.parametrize("before", [True, False])
def test_the_archives_folder_may_be_named_before_or_behind_the_command(
    recorded: tuple[Path, str], capsys: pytest.CaptureFixture[str], before: bool
) -> None:
    folder, recording = recorded
    option = ["--archive", str(folder)]
    assert cli.main(["archive", *option, "list"] if before else ["archive", "list", *option]) == 0
    assert recording in capsys.readouterr().out


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a running process cannot be set here")
def test_a_list_and_a_recording_tell_the_time_of_the_policy_and_without_one_that_of_the_machine(
    recorded: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, recording = recorded
    home, policy = ("--home", str(tmp_path / "home")), tmp_path / "p.toml"
    policy.write_text(POLICY, encoding="utf-8")
    try:
        with pytest.MonkeyPatch.context() as patch:
            for zone in ("Europe/Copenhagen", "Asia/Tokyo"):
                patch.setenv("TZ", zone)
                time.tzset()
                for words in (["list"], ["show", recording]):
                    assert cli.main([*home, "archive", "--archive", str(folder), *words]) == 0
                    assert "2026-11-25 11:41:00 +0100" in capsys.readouterr().out
                assert cli.main([*home, "settings", "set", "policy", str(policy)]) == 0
    finally:
        time.tzset()


def test_what_an_objection_has_closed_tells_what_it_is_kept_for_and_who_opens_and_decides(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "archive"
    desk = Scene(folder, demo=True, store=DemoKeyFile(folder / DEMO_KEYS))
    try:
        recording = desk.recorded(1, DOCUMENTATION, call=desk.call(retention="P90Y"))
        closed = CloseRecording(recording, AT, (DOCUMENTATION,))
        desk.commit(Restrict(recording, "objection"), closed, recording=recording)
    finally:
        desk.close()
    archive = ["archive", "--archive", str(folder)]
    assert cli.main([*archive, "show", recording]) == 0
    told = (
        "kept for      documentation until 25 Nov 2116, only data protection can open it and decides whether it stays"
    )
    assert told in capsys.readouterr().out
    assert cli.main([*archive, "export", recording, "--wav", str(tmp_path / "out.wav")]) == 0
    assert capsys.readouterr().out.splitlines()[-2:][0] == "Opened with data protection's key."


def test_an_export_with_a_purposes_own_key_says_nothing_of_custody(
    recorded: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, recording = recorded
    wav = str(tmp_path / "out.wav")
    assert cli.main(["archive", "--archive", str(folder), "export", recording, "--wav", wav]) == 0
    assert "custody" not in capsys.readouterr().out


@pytest.mark.parametrize("dry", [["--dry-run"], []])
def test_a_sweep_with_nothing_to_do_is_one_plain_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], dry: list[str]
) -> None:
    folder = tmp_path / "archive"
    Archive.create(folder, DemoKeyFile(folder / DEMO_KEYS), demo=True).close()
    assert cli.main(["archive", "--archive", str(folder), "sweep", *dry]) == 0
    assert capsys.readouterr().out == "There is nothing to delete.\n"


@pytest.mark.parametrize("words", [["holds", "list"], ["keys", "list"]])
def test_holds_and_keys_take_the_archives_folder_before_and_behind_too(
    recorded: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    option, home = ["--archive", str(recorded[0])], ["--home", str(tmp_path / "home")]
    said: list[str] = []
    for line in ([*words, *option], [words[0], *option, words[1]]):
        assert cli.main([*home, *line]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] != ""


def records(path: Path) -> tuple[bytes, list[int]]:
    """A recording's file, and where each of its sealed chunks lies."""
    data = path.read_bytes()
    return data, [one.offset for one in scan(data, read_header(data)[1]) if isinstance(one, Chunk)]


@LANGUAGES
def test_a_changed_second_of_a_recording_is_told_when_it_is_exported(
    recorded: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str], language: Language
) -> None:
    folder, recording = recorded
    export = ["archive", "--archive", str(folder), "export", recording, "--wav"]
    assert cli.main([*export, str(tmp_path / "whole.wav")]) == 0
    whole = capsys.readouterr()
    assert (whole.err, re.findall(r"^\d+(.)\d\d ", whole.out)) == ("", ["," if language is Language.DA else "."])
    path = folder / "recordings" / f"{recording}.ktr"
    data, offsets = records(path)
    at = offsets[1] + 100
    path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])

    assert cli.main([*export, str(tmp_path / "changed.wav")]) == 1

    tell = texts(language)
    said = capsys.readouterr().err.strip()
    assert said == f"{tell('archive.silent', seconds=tell.decimal(1, '.2f'))} {tell('archive.not_whole')}"


def test_a_recording_whose_end_was_cut_off_is_exported_and_said_to_break_off(
    recorded: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, recording = recorded
    path = folder / "recordings" / f"{recording}.ktr"
    data, offsets = records(path)
    path.write_bytes(data[: offsets[1] + 100])
    out = tmp_path / "cut.wav"

    assert cli.main(["archive", "--archive", str(folder), "export", recording, "--wav", str(out)]) == 1

    said = capsys.readouterr()
    assert out.exists()
    assert "After 1.00 seconds it breaks off" in said.err
    assert "klartone archive verify" in said.err


def test_what_a_sweep_did_and_what_it_only_reports_are_counted_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "archive"
    desk = Scene(folder, demo=True, store=DemoKeyFile(folder / DEMO_KEYS))
    try:
        recording = desk.recorded(1, DOCUMENTATION)
        desk.commit(
            CloseRecording(recording, AT, (DOCUMENTATION,)),
            PlaceHold("h", recording, HoldBy.PARTY, "desk-1", AT, None, confirm_by=AT),
        )
    finally:
        desk.close()
    sweep = ["archive", "sweep", "--archive", str(folder), "--now", "2028-01-01"]
    stays = "the recording stays because of its hold or open case, for data protection only"
    for dry, deed in ((["--dry-run"], "Nothing was deleted."), ([], "Recordings deleted: 0.")):
        assert cli.main([*sweep, *dry]) == 0
        first, second, last = capsys.readouterr().out.splitlines()
        if not dry:
            first, second = second, first
        assert first == f"{recording}  past its retention date: documentation ends; {stays}"
        assert "nobody has confirmed" in second
        assert deed in last
        assert last.endswith("One more thing was only reported.")


def test_a_recording_that_cannot_be_read_is_told_in_words_without_its_code(
    recorded: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, recording = recorded
    (folder / "recordings" / f"{recording}.ktr").unlink()
    assert cli.main(["archive", "--archive", str(folder), "verify"]) == 1
    said = capsys.readouterr().out
    assert f"The file of {recording} is missing" in said
    assert "error." not in said


@pytest.mark.parametrize("asked", ['a b"', "", "Leder", "-x", "x" * 41])
def test_a_key_that_no_policy_could_name_is_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: str
) -> None:
    assert cli.main(["--home", str(tmp_path), "keys", "create", "training", f"--id={asked}"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.strip() == texts()("error.archive.recipient_id", id=asked)


# --- the doctor -----------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [None, "policy = [\n", "port = 'many'\n"])
def test_the_doctor_changes_nothing_not_even_settings_that_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    home = tmp_path / "home"
    path = home / "config" / "settings.toml"
    if content is not None:
        path.parent.mkdir(parents=True)
        path.write_text(content, encoding="utf-8")
    before = {one: one.is_dir() or one.read_bytes() for one in tmp_path.rglob("*")}

    status = cli.main(["--home", str(home), "doctor"])

    assert {one: one.is_dir() or one.read_bytes() for one in tmp_path.rglob("*")} == before
    said = capsys.readouterr().out
    assert (f"✗ The settings in {path} have faults" in said) == (content is not None)
    # Neither a server nor a device nor a policy is here: a script that looks at the status knows, and a person reads it last.
    assert status == 1
    *_, last = said.splitlines()
    assert last.startswith("Calls do not work. Nothing is recorded. ")
    marks = [line[0] for line in said.splitlines()[:-1] if line and line[0] != " "]
    assert last.endswith(f" {marks.count('✗')} faults, {marks.count('·')} warnings.")
    assert "doctor.backup.unset" in [one.code for _, one in look(Home.within(home))]


def test_the_archives_commands_leave_settings_that_cannot_be_used_where_they_are(
    recorded: tuple[Path, str], tmp_path: Path
) -> None:
    path = tmp_path / "home" / "config" / "settings.toml"
    path.parent.mkdir(parents=True)
    path.write_text("port = 'many'\n", encoding="utf-8")
    assert cli.main(["--home", str(tmp_path / "home"), "archive", "--archive", str(recorded[0]), "list"]) == 0
    assert path.exists()


def test_the_doctor_tells_each_fault_of_a_policy_with_its_line_and_key(tmp_path: Path) -> None:
    policy = tmp_path / "p.toml"
    policy.write_text('controler = "Nordlys"\n\n[[line]]\nid = "Salg!"\n', encoding="utf-8")
    with pytest.raises(PolicyError) as faulty:
        load_policy(policy)
    found = policy_of(Settings(policy=str(policy)))
    assert len(found.below) == found.params["count"] == len(faulty.value.faults) > 2
    for fault, below in zip(faulty.value.faults, found.below, strict=True):
        line = below.text
        assert below.code == fault.code
        assert fault.key in line
        assert texts()(fault.code, **fault.params) in line
        assert fault.line is None or f"Line {fault.line}" in line


def test_the_doctor_says_how_many_doubts_of_the_policy_nobody_has_confirmed_and_where_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en.UTF-8")
    policy = tmp_path / "p.toml"
    policy.write_text(POLICY.replace('conclusion = "Behovet er der."', 'conclusion = "OK"'), encoding="utf-8")
    found = policy_of(Settings(policy=str(policy)))
    assert (
        texts()(found.code, **found.params)
        == f"One point of the policy {policy} is worth a look. “klartone policy check {policy}” says what to think about."
    )
    policy.write_text(POLICY, encoding="utf-8")
    assert policy_of(Settings(policy=str(policy))).code == "doctor.policy"


def doctor(home: Home, *names: str) -> str:
    """What the command prints of these checks."""
    found = look(home, [one for one in CHECKS if one.name in names])
    return "\n".join(line for _, one in found for line in lines(one, texts()))


def test_where_the_organisation_decides_the_doctor_sends_nobody_to_the_users_own_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, home = tmp_path / "etc" / "settings.toml", Home.within(tmp_path / "home")
    place.parent.mkdir()
    monkeypatch.setattr(settings_machine, "FOLDER", place.parent)
    monkeypatch.setattr(guarded, "ADMINISTRATORS", {0, os.getuid()})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("0.0.0.0", 0))
        folder = tmp_path / "none"
        place.write_text(f'[locked]\nport = {other.getsockname()[1]}\nplugin_folder = "{folder}"\n', encoding="utf-8")
        said = doctor(home, "network", "plugins")
        # So does the window, of an engine that cannot start.
        program = """if True:
            import os, sys
            from pathlib import Path
            from softphone import cli
            from softphone.system import guarded, settings_machine
            settings_machine.FOLDER, guarded.ADMINISTRATORS = Path(sys.argv[1]), {0, os.getuid()}
            sys.exit(cli.main(["--home", sys.argv[2], "engine"]))
        """
        ended = subprocess.run(
            [sys.executable, "-c", program, str(place.parent), str(home.root)],
            cwd=ROOT,
            env={**os.environ, last_words.ASKED: "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    window = texts().error(last_words.read(ended.stderr, ended.returncode, "engine.log"))
    assert window.endswith(f"“port” is locked in {place}: correct it there."), ended.stderr
    assert "in use by another program" in window
    assert "in use by another program" in said
    assert f"IT: “port” is locked in {place}: correct it there." in said
    assert f"The folder of the organisation's plugins, {folder}, is not there." in said
    # Its file is broken: what it may have named is not missed in the user's own.
    place.write_text('[locked\npolicy = "/p"\n', encoding="utf-8")
    said = doctor(home, "managed", "accounts", "archive")
    assert "No account holds without the organisation's settings" in said
    assert "IT: Put right what is named above." in said
    assert "in Settings" not in said
    assert "Calls go on" not in said


def test_on_a_terminal_a_finding_is_folded_at_its_indent_and_a_path_stays_whole() -> None:
    path = "/etc/klartone/settings.d/10-" + "the-company-of-all" * 3 + ".toml"
    told = [*lines(Finding("error.settings.machine_shut", {"places": path}, (Below("x " * 60),)), texts(), 60)]
    assert len(told) > 5
    assert [line.strip(" .") for line in told if len(line) > 60] == [path]
    assert all(line[:2] in ("✗ ", "  ") for line in told)
    assert sum(line.startswith("    ") for line in told) >= 4


def test_folders_that_are_not_there_yet_can_be_made_and_are_not_made_by_looking(tmp_path: Path) -> None:
    for folder in (tmp_path / "new" / "one", tmp_path):
        assert why_unwritable(folder) == ""
        assert next(one.code for one in folder_of(folder)) == "doctor.archive"
    assert list(tmp_path.iterdir()) == []


@LANGUAGES
def test_one_fault_and_one_notice_are_told_in_the_singular(language: Language) -> None:
    tell = texts(language)
    one = {Language.DA: "en fejl", Language.EN: "a fault "}[language]
    assert one in tell("ready.policy.faulty", count=1, path="p.toml")
    assert {Language.DA: "Én besked ", Language.EN: "One notice "}[language] in tell("fault.notice.unspoken", count=1)


@LANGUAGES
@pytest.mark.parametrize("code", ["error.engine.sip", "error.port_taken"])
def test_a_port_is_looked_for_where_it_can_be_set(code: str, language: Language) -> None:
    said = texts(language)(code, port=5060, detail="…")
    assert "settings.toml" in said
    assert not re.search(r"Settings|Indstillinger", said)


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cli", "demo", "phone", "archive", "roles", "backup", "doctor"])
def test_one_thing_has_one_danish_word(name: str) -> None:
    """As the window says them: telefonen, beskeden, på hold, fortegnelsen, tilføjelsen, Besvar."""
    other = r"\bmotor|meddelelse|parker|efterpr|katalog|udvidelse|indpakke|trykker Svar\b|[“”]"
    with (ROOT / "resources" / "translations" / "da" / f"{name}.po").open("rb") as file:
        sentences = [str(one.string) for one in read_po(file) if one.id]
    assert sentences
    assert [said for said in sentences if re.search(other, said, re.IGNORECASE)] == []


@LANGUAGES
def test_the_doctor_tells_each_fault_of_the_settings_also_of_a_file_that_was_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: Language
) -> None:
    monkeypatch.setenv("LC_ALL", f"{language}.UTF-8")
    home = Home.within(tmp_path)
    home.folders.create()
    file = home.folders.config / "settings.toml"
    tell = texts(language)
    for content, below in (
        ('policyy = ""\n', tell("policy.fault.unknown_key_near", name="policyy", near="policy")),
        ('bind = "nonsense"\n', tell("error.settings.bind", bind="nonsense")),
        (
            'port = 0\npolicy_signer = "abc"\n',
            tell("policy.at", line=2, key="policy_signer", sentence=tell("policy.fault.signer_malformed")),
        ),
    ):
        file.write_text(content, encoding="utf-8")
        assert below in doctor(home, "settings")
    file.write_text('policyy = ""\n', encoding="utf-8")
    home.settings()
    assert not file.exists()
    said = doctor(home, "settings")
    assert str(home.folders.config / "settings.faulty.toml") in said
    assert tell("policy.fault.unknown_key_near", name="policyy", near="policy") in said


@pytest.mark.parametrize("words", [("explain", "--language"), ("notice", "salg", "--language")])
def test_a_language_that_is_none_is_told_which_there_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("LC_ALL", "da.UTF-8")
    with pytest.raises(SystemExit) as ended:
        cli.main(["policy", *words, "sv"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.strip().endswith("--language: skriv da, en")


def test_the_doctor_names_addresses_whose_calls_were_refused(
    tmp_path: Path,
) -> None:
    home = Home.within(tmp_path / "home")
    home.folders.create()
    for number in range(40):
        strangers.note(home.folders.runtime, f"192.0.2.{number}", 2, 1_700_000_000 + number)
    strangers.note(home.folders.runtime, "192.0.2.39", 3, 1_700_000_100)
    said = doctor(home, "strangers")
    assert "· Calls were refused from 32 addresses" in said
    assert "192.0.2.39: 5 calls" in said
    assert "192.0.2.7:" not in said, "the one that called longest ago makes room"


def test_the_doctor_names_a_device_that_the_settings_name_and_that_is_not_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    headset = Device("PulseAudio: jabra", "Evolve2", "PulseAudio", 0, 1, 1, 48_000, True, True, "jabra")
    monkeypatch.setattr("softphone.audio.devices.list_devices", lambda: Devices((headset,), ()))
    home = Home.within(tmp_path / "home")
    home.folders.create()
    ring = tmp_path / "nope.wav"
    wanted = Settings(
        microphone=headset.id,
        ring_device="PulseAudio: alsa_output.usb-GN_Netcom_A_S_Jabra_Evolve2_65_MS_000123A4B5C6-00.analog-stereo",
        notice_device="PulseAudio: bluez_output.AC_12_2F_50_61_72.1",
        noise=True,
        ring_sound=f"file:{ring}",
        bind="192.0.2.1",
    )
    save_settings(home.folders.config, wanted)
    said = doctor(home, "sound", "network")
    assert "· GN Netcom A S Jabra Evolve2 65 MS is not connected" in said
    assert "· Bluetooth AC:12:2F:50:61:72 is not connected" in said
    assert "jabra is not connected" not in said
    assert f"· The ringtone {ring} cannot be read" in said
    assert f"✗ {texts(Language.EN).halves('error.bind', bind='192.0.2.1')[0]}" in said
    write_wav(ring, bytes(320))
    save_settings(home.folders.config, replace(wanted, bind="127.0.0.1"))
    monkeypatch.setitem(sys.modules, "pywebrtc_audio", None)
    said = doctor(home, "sound", "network")
    assert "· " in next(line for line in said.splitlines() if "pywebrtc-audio is missing" in line)
    assert "ringtone" not in said
    assert "192.0.2.1" not in said


@pytest.mark.parametrize("where", ["", "accounts"])
def test_the_doctor_doubts_an_address_that_is_none(tmp_path: Path, where: str) -> None:
    home = Home.within(tmp_path / "home")
    home.folders.create()
    odd = ("10.0.0.0/24", "pbx.example")
    accounts = (Account("a", "a@pbx.example", accept_from=odd),) if where else ()
    save_settings(home.folders.config, Settings(accounts=accounts, accept_from=() if where else odd))
    said = doctor(home, "settings")
    assert "pbx.example" in said
    assert "“10.0.0.0/24”" not in said


def test_the_doctor_names_faulty_settings_in_the_files_order_and_asks_no_server_by_them(
    tmp_path: Path,
) -> None:
    home = Home.within(tmp_path / "home")
    home.folders.create()
    (home.folders.config / "settings.toml").write_text(
        'speaker_volume = 999\nstun = "stun example"\nkeep_alive = 9999\nport = 7\n'
        '[[accounts]]\nid = "a"\naddress = "nobody"\n',
        encoding="utf-8",
    )
    said = doctor(home, "settings", "accounts", "stun")
    assert re.findall(r"^    Line (\d)", said, re.MULTILINE) == ["1", "2", "3", "4", "7"]
    assert "✗ The STUN server" not in said
    assert "nobody" not in said.partition("nobody")[2], "the account is named as faulty and never asked about"


def test_each_command_is_a_function_that_is_there() -> None:
    def registered(parser: argparse.ArgumentParser) -> Iterator[Command]:
        if isinstance(run := parser.get_default("run"), Command):
            yield run
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for under in action.choices.values():
                    yield from registered(under)

    whole = cli.build_parser(texts())
    for command in registered(whole):
        module, _, function = command.function.partition(":")
        assert callable(getattr(import_module(module), function)), command
    (named,) = (action.choices for action in whole._actions if isinstance(action, argparse._SubParsersAction))
    for name in named:  # and is there also where it alone is wanted
        for typed in ([name], ["--home", "archive", name], [name, "--help"]):
            assert {*registered(named[name])} <= {*registered(cli.build_parser(texts(), typed))}, typed
