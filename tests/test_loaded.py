"""What a process does not need, it does not load: each of these was some tenths of a second and some ten megabytes, in every one.
Each module in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest

DATABASE = {"sqlalchemy", "sqlcipher3"}
SOUND = {"av", "numpy", "sounddevice"}
CALL = {"softphone.domain.events", "softphone.domain.session"}
EDGE = {"softphone.edge.sip", "softphone.edge.transports"}
HOUSE = {"urllib3", "joserfc", "softphone.house.courier"}
LATER = {"softphone.domain.policy", "phonenumbers"}


@pytest.mark.parametrize(
    ("module", "unneeded"),
    [
        pytest.param(
            "softphone.cli", DATABASE | SOUND | CALL | {"softphone.domain.policy", "tomlkit"}, id="any command"
        ),
        pytest.param("softphone.cli.policy.check", DATABASE, id="policy check"),
        pytest.param("softphone.plugin.host", DATABASE | SOUND | CALL | {"softphone.wire"}, id="a plugin host"),
        pytest.param("softphone.bootstrap.engine_parts", EDGE | HOUSE, id="the engine of a desk on its own"),
        pytest.param(
            "softphone.bootstrap.engine", EDGE | DATABASE | SOUND | CALL | {"pjsua2"}, id="until the edge starts"
        ),
        pytest.param(
            "softphone.engine.sip.phone", EDGE | DATABASE | SOUND | CALL | LATER, id="the engine, until it registers"
        ),
        pytest.param("softphone.engine.accounts", DATABASE | SOUND | CALL | LATER, id="the engine's accounts"),
        pytest.param("softphone.ui.app", DATABASE | SOUND | CALL | LATER, id="the desk"),
        pytest.param(
            "softphone.bootstrap.reviewing", DATABASE | SOUND | CALL, id="the desk, once it offers the review"
        ),
    ],
)
def test_what_a_process_does_not_need_it_does_not_load(module: str, unneeded: set[str]) -> None:
    told = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    assert sorted(unneeded.intersection(told.stdout.split())) == []
