"""One folder for many demos, as of somebody who plays them again and again: all is spoken once. And each notice of its policy is
a second of sound."""

from __future__ import annotations

from pathlib import Path

import pytest

from softphone.bootstrap.home import DEMO_POLICY
from softphone.demo.stage import set_stage
from tests.policies import write_notice


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demos") / "demo"
    set_stage(folder, "none", listen=False).turn.close()
    policy = folder / DEMO_POLICY
    write_notice(policy.with_name("notice.wav"))
    files = '{ da = "notice.wav", en = "notice.wav" }'
    short = f"repeat = 0\nsound = {{ N1 = {files}, N3 = {files}, N6 = {files}, N7 = {files} }}"
    policy.write_text(policy.read_text("utf-8").replace("repeat = 0", short), "utf-8")
    return folder
