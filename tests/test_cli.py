"""The command line as a person meets it: wrong words, an archive that is shown and played, and what the doctor sees."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from softphone import cli
from softphone.archive import audit
from softphone.archive.archive import Archive, AuditRow
from softphone.audio import devices
from softphone.audio.devices import Devices, SoundFault
from softphone.bootstrap.audit import in_words
from softphone.bootstrap.doctor import _archive, _settings
from softphone.bootstrap.home import DEMO_KEYS, key_store, texts
from softphone.domain.changes import AuditEntry
from softphone.domain.purpose import Language
from softphone.system.secrets import DemoKeyFile
from tests.archive.scene import AT, DOCUMENTATION, Scene

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = pytest.mark.parametrize("language", list(Language))


@pytest.fixture
def language() -> Language:
    return Language.EN


@pytest.fixture(autouse=True)
def spoken(monkeypatch: pytest.MonkeyPatch, language: Language) -> None:
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


@LANGUAGES
@pytest.mark.parametrize("words", [["bogus"], ["archive", "bogus"]])
def test_a_word_that_is_no_command_is_refused_without_the_programs_inner_ones(
    words: list[str], capsys: pytest.CaptureFixture[str], language: Language
) -> None:
    said = refusal(words, capsys)
    assert texts(language)("cli.no_command", word="bogus", help=" ".join(["klartone", *words[:-1], "--help"])) in said
    assert "plugin-host" not in said


@LANGUAGES
@pytest.mark.parametrize("word", ["foo", "27-02-2027", "2027-02-30", ""])
def test_a_date_that_is_none_is_told_how_to_write_one(
    word: str, capsys: pytest.CaptureFixture[str], language: Language
) -> None:
    said = refusal(["archive", "sweep", "--now", word], capsys)
    assert said.endswith(f": {texts(language)('cli.no_date')}")
    assert "2027-02-25" in said


@pytest.mark.parametrize("word", ["x", "0.5", "0", "-1", "3601", "nan", "inf"])
def test_seconds_that_cannot_be_are_told_from_what_to_what(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(["demo", f"--seconds={word}"], capsys).endswith(": write seconds from 1 to 3600")


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
    with archive.catalog.writing() as connection:
        audit.append(connection, archive.desk, entries)
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


@LANGUAGES
def test_every_entry_of_the_log_has_its_words(language: Language) -> None:
    events = audited()
    assert len(events) > 45
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


# --- the doctor -----------------------------------------------------------------------------------


def test_folders_that_cannot_be_written_are_what_the_doctor_calls_bad(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    for look, code in ((_archive, "doctor.archive.none"), (_settings, "doctor.settings.none")):
        found = look(file / "below")
        assert (found.code, found.bad) == (code, True)
        assert str(file / "below") in texts()(found.code, **found.params)


def test_folders_that_are_not_there_yet_can_be_made_and_are_not_made_by_looking(tmp_path: Path) -> None:
    for look in (_archive, _settings):
        assert not look(tmp_path / "new" / "one").bad
        assert not look(tmp_path).bad
    assert list(tmp_path.iterdir()) == []


@LANGUAGES
def test_one_fault_and_one_notice_are_told_in_the_singular(language: Language) -> None:
    tell = texts(language)
    one = {Language.DA: "én fejl", Language.EN: "one fault "}[language]
    assert one in tell("doctor.policy.faulty", count=1, path="p.toml")
    assert {Language.DA: "Én besked ", Language.EN: "One notice "}[language] in tell("fault.notice.unspoken", count=1)


@LANGUAGES
@pytest.mark.parametrize("code", ["error.engine.sip", "error.port_taken"])
def test_a_port_is_looked_for_where_it_can_be_set(code: str, language: Language) -> None:
    said = texts(language)(code, port=5060, detail="…")
    assert "settings.toml" in said
    assert not re.search(r"Settings|Indstillinger", said)


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cli", "demo", "phone", "archive"])
def test_one_thing_has_one_danish_word(name: str) -> None:
    """As the window says them: telefonen, beskeden, parkeret, fortegnelsen, tilføjelsen, Besvar."""
    other = r"\bmotor|meddelelse|sat på hold|katalog|udvidelse|trykker Svar\b"
    with (ROOT / "resources" / "translations" / "da" / f"{name}.po").open("rb") as file:
        sentences = [str(one.string) for one in read_po(file) if one.id]
    assert sentences
    assert [said for said in sentences if re.search(other, said, re.IGNORECASE)] == []
