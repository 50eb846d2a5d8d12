"""The user's settings: they survive, and a faulty file loses nothing."""

from pathlib import Path

import pytest

from softphone.domain.errors import SettingsError
from softphone.domain.purpose import Language
from softphone.system.settings import FILE, load_settings, save_settings, set_aside
from softphone.wire import Account, Look, Settings


def test_settings_come_back_as_they_were(tmp_path: Path) -> None:
    settings = Settings(
        accounts=(Account("a", "salg@nordlys.example", user="salg", transport="tcp"),),
        language=Language.DA,
        look=Look.DARK,
        port=5060,
    )
    save_settings(tmp_path / "new", settings)
    assert load_settings(tmp_path / "new") == settings


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_settings(tmp_path) == Settings()


@pytest.mark.parametrize("content", [b"look = ", b"\xff\xfe\x00", b'look = "pink"', b"nonsense = 1", b"accounts = 7"])
def test_a_faulty_file_is_reported_and_set_aside_whole(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(SettingsError):
        load_settings(tmp_path)
    assert set_aside(tmp_path).read_bytes() == content
    assert load_settings(tmp_path) == Settings()


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError):
        save_settings(tmp_path / "file", Settings())
