"""For journeys with something broken: an engine in a folder that a test has spoiled first, and what people get to read of it."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from softphone.domain.purpose import Language
from softphone.system.paths import program_folder
from softphone.system.settings import load_settings, save_settings
from softphone.texts import Texts
from softphone.wire.snapshot import CodedText
from softphone.wire.to_engine import SaveSettings
from tests.journeys.stage import Stage, _stop
from tests.peers.second_phone import second_phone

_CLAUSE = re.compile(r"\w[^.;:]*[.;:](?=\s|$)")


def change_settings(on: Stage, **changes: Any) -> None:
    """In the file, before an engine reads it."""
    folder = on.home.folders.config
    save_settings(folder, replace(load_settings(folder), **changes))


def save(on: Stage, **changes: Any) -> None:
    """In the running engine, as the desk does."""
    now = on.desk.wait(lambda snapshot: snapshot.settings, "settings")
    on.desk.do(SaveSettings, settings=replace(now, **changes))


@contextmanager
def begun(on: Stage, *, edge: bool = False) -> Generator[Stage]:
    """Engine, desk and customer, without waiting for a policy or an archive that never come. `edge`: the customer's phone has
    one too, and with it TLS."""
    try:
        on.launch_engine()
        with second_phone(counter=True, edge=edge) as customer:
            on.customer = customer
            on.meet_engine()
            on.sip_port = on.desk.wait(lambda snapshot: snapshot.sip_port, "a SIP port")
            yield on
    finally:
        _stop(on)
        on._desks.close()
    told_plainly(words(on))
    on.nothing_swallowed(over=True)


def words(on: Stage) -> str:
    """All that the processes have left for people to read: their logs and their stderr."""
    files = [on.folder / "engine.stderr", *sorted(on.home.folders.log.glob("*"))]
    return "\n".join(file.read_text("utf-8", "replace") for file in files if file.is_file())


def sentence(said: CodedText, language: Language = Language.EN) -> str:
    """What the desk shows for it. Both languages must say what happened and what to do, with nothing left to fill in."""
    told: dict[Language, str] = {}
    for one in Language:
        texts = Texts(program_folder("resources") / "translations", one)
        assert said.code in texts, f"{one} has no {said.code}"
        told[one] = texts(said.code, **said.params)
        assert "{" not in told[one]
        assert len(_CLAUSE.findall(told[one])) >= 2, f"nothing to do about it: {told[one]}"
    return told[language]


def told_plainly(text: str) -> None:
    """Nothing that only a programmer reads."""
    for mark in ("Traceback", 'File "', "Exception", " bug "):
        assert mark not in text, text
