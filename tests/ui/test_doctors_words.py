"""docs/it/fault-codes.md promises that what `doctor` calls a fault stands in the window in the same words: each code, drawn."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from softphone.cli.doctor.faults import FAULTS
from softphone.cli.doctor.finding import Finding
from softphone.cli.doctor.telling import lines
from softphone.domain.errors import EngineError
from softphone.wire.from_engine import Snapshot
from softphone.wire.snapshot import CodedText, PolicyPhase, PolicyState, Registration
from tests.ui import states as s
from tests.ui.conftest import RESOURCES, Scene

LAST_WORDS = (
    "error.bind",
    "error.port_taken",
    "error.sound_missing",
    "error.engine.running",
    "error.engine.cannot_listen",
)
"""of an engine that cannot start: then there is no snapshot"""
ITS_OWN_BUTTON = {"ready.policy.last_good"}
"""stands below it, in place of what to do"""


def shown(code: str, params: dict[str, str | int | float]) -> Snapshot:
    """A phone that has this fault, told where it really tells it."""
    now = s.snapshot()
    account = replace(now.accounts[0], account=replace(s.ACCOUNT, address=str(params["address"])))
    theme, _, what = code.rpartition(".")
    if theme == "connection":
        away = replace(account, registration=Registration.UNREACHABLE, trouble=CodedText(code, params))
        return replace(now, accounts=(away,))
    if theme == "ready.registration":
        return replace(now, accounts=(replace(account, registration=Registration(what)),))
    if theme == "ready.policy":
        known = "Nordlys" if what == "last_good" else ""
        phase = PolicyPhase.FAULTY if known else PolicyPhase(what)
        return replace(now, policy=PolicyState(phase, "/p.toml", known, faults=(CodedText("a"), CodedText("b"))))
    return replace(now, faults=(CodedText(code, params),))


def test_every_fault_of_the_doctors_list_stands_in_the_window_in_the_doctors_words(scene: Scene) -> None:
    po = "".join(one.read_text("utf-8") for one in (Path(RESOURCES) / "translations" / "da").glob("*.po"))
    params: dict[str, str | int | float] = {one: f"‹{one}›" for one in re.findall(r"\{(\w+)\}", po)}
    params["count"] = 2
    del params["locked_in"]
    codes = [code for code in FAULTS if not code.startswith("doctor.")]
    assert len(codes) > 100
    desk = scene.open(s.snapshot())
    page, texts = desk.window.ready, desk.view().texts
    for code in codes:
        if code not in LAST_WORDS:
            scene.show(shown(code, params))
            said = f"{page.fault_text.text()} {page.policy_text.text()}"
            what, remedy = texts.halves(code, **params)
            assert what in said, code
            assert remedy in said or code in ITS_OWN_BUTTON, code
    scene.engine.die()
    scene.qtbot.waitUntil(lambda: not desk.bridge.attached, timeout=10_000)
    for code in LAST_WORDS:
        desk.bridge.starting_failed.emit(EngineError(code, **params))
        assert page.fault_text.text() == texts.error(EngineError(code, **params)), code
    # And these are the doctor's words: it has no others.
    told = " ".join(" ".join(lines(Finding("error.port_taken", params), texts)).split())
    assert all(half in told for half in texts.halves("error.port_taken", **params))
