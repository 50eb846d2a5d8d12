"""`klartone archive reviewed` as a team lead meets it, on a demo's archive, whose keys lie in a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from softphone import cli
from softphone.archive.changes import PurposeEnd
from softphone.archive.review.session import reviewed_on
from softphone.bootstrap.home import DEMO_KEYS, texts
from softphone.domain.changes import CloseRecording
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole, Language
from softphone.system.secrets import DemoKeyFile
from tests.archive.scene import AT, DOCUMENTATION, TRAINING, Scene


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Scene]:
    folder = tmp_path / "archive"
    made = Scene(folder, demo=True, store=DemoKeyFile(folder / DEMO_KEYS))
    yield made
    made.close()


@pytest.mark.rule("G33")
@pytest.mark.rule("G38")
def test_what_was_reviewed_is_said_so_once_and_is_used_for_training_no_more(
    desk: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", "en.UTF-8")
    # Recorded for what still stands today, whichever day that is.
    ends = {TRAINING: PurposeEnd(keep_reviewed=Period(days=30))}
    recording = desk.recorded(1, DOCUMENTATION, TRAINING, call=desk.call(retention="P90Y", ends=ends))
    desk.commit(CloseRecording(recording, AT, (DOCUMENTATION, TRAINING)), recording=recording)

    def reviewed(*words: str) -> tuple[int, str]:
        home = ["--home", str(tmp_path / "home"), "archive", "reviewed", recording, "--archive", str(desk.folder)]
        status = cli.main([*home, *words])
        said = capsys.readouterr()
        return status, said.out + said.err

    assert reviewed("--keep", "P7D") == (0, f"{recording} has been reviewed.\n")
    status, said = reviewed()
    assert (status, "has already been reviewed (" in said) == (0, True)
    with pytest.raises(SystemExit):
        reviewed("--keep", "a week")
    with pytest.raises(SystemExit):
        reviewed("--by", "Jens Hansen")
    told = next(row.params for row in desk.archive.audit_of(recording) if row.event == "recording_reviewed")
    assert (told["by"], told["heard"]) == (desk.recipients[KeyRole.TRAINING].key_id, 0)
    assert (
        cli.main(["--home", str(tmp_path / "home"), "archive", "show", recording, "--archive", str(desk.folder)]) == 0
    )
    assert "(heard: 0 s)" in capsys.readouterr().out


@pytest.mark.rule("G38")
def test_of_what_was_reviewed_and_is_used_for_training_no_more_the_day_is_said_and_nothing_is_refused(
    desk: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", "en.UTF-8")
    recording = desk.recorded(1, DOCUMENTATION, TRAINING, call=desk.call(retention="P90Y"))
    desk.commit(CloseRecording(recording, AT, (DOCUMENTATION, TRAINING)), recording=recording)
    reviewed = ["--home", str(tmp_path / "home"), "archive", "reviewed", recording, "--archive", str(desk.folder)]
    assert cli.main(reviewed) == 0
    log = len(desk.archive.audit_of())
    capsys.readouterr()
    assert cli.main(reviewed) == 0
    day = reviewed_on(desk.archive, recording)
    assert day is not None
    told = texts(Language.EN).day(day)
    assert capsys.readouterr().out == f"{recording} has already been reviewed ({told}). Nothing was changed.\n"
    assert len(desk.archive.audit_of()) == log
