"""A link to call somebody, opened while the desk runs: it comes into the field, and nobody is called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLineEdit

from softphone.bootstrap.home import Home
from softphone.calls.numbers import linked
from softphone.domain.errors import KlartoneError
from softphone.wire.to_engine import Dial
from tests.ui.conftest import Scene
from tests.ui.states import snapshot


def test_a_link_fills_the_running_desks_field_and_calls_nobody(scene: Scene, tmp_path: Path) -> None:
    folders = Home.within(tmp_path).folders
    folders.create()
    desk = scene.open(snapshot(), links=folders.runtime)
    field = scene.widget("dialTarget")
    assert isinstance(field, QLineEdit)

    def second(link: str) -> int:
        """What the system does with a link. That process ends at once."""
        command = [sys.executable, "-m", "softphone", "--home", str(tmp_path), "desk", link]
        with subprocess.Popen(command, env={**os.environ, "DISPLAY": ":none"}, stderr=subprocess.DEVNULL) as other:
            try:
                scene.qtbot.waitUntil(lambda: other.poll() is not None, timeout=15000)
            finally:
                other.kill()
        return other.returncode

    for link, filled in {
        "tel:%2B45%2070-10-20-30;phone-context=x": "+4570102030",
        "sip:anna@nordlys.example?subject=hi": "sip:anna@nordlys.example",
    }.items():
        assert second(link) == 0
        assert field.text() == filled
    assert desk.window.isVisible()
    assert [command for command in scene.commands() if isinstance(command, Dial)] == []

    assert second("javascript:alert(1)") == 1
    assert field.text() == "sip:anna@nordlys.example"


@pytest.mark.parametrize("hostile", ["tel:", "javascript:alert(1)", "sip:a@b;x y", "tel:12%0a34@", "x" * 5000])
def test_a_link_that_names_nobody_to_call_is_refused(hostile: str) -> None:
    with pytest.raises(KlartoneError, match=r"error\.dial\.target"):
        linked(hostile)
