"""`klartone demo`: one whole call on this machine, told as a story or as JSON lines, with its summary read back at the end."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from softphone.bootstrap.desk import desk_dependencies, start_engine
from softphone.bootstrap.home import texts
from softphone.demo.stage import Stage, set_stage
from softphone.domain.decision import NoticeId
from softphone.domain.errors import KlartoneError
from softphone.system.paths import UserFolders
from softphone.texts import Texts

ENGINE_ENDS_WITHIN = 8.0
MOST_STARTS = 2
"""engines that may be started before the demo says that it cannot be done"""


class Teller:
    """Says each thing as it happens: a line of the story, or an object."""

    def __init__(self, texts: Texts, *, as_json: bool) -> None:
        self._texts = texts
        self._json = as_json
        self._began = time.monotonic()

    def __call__(self, event: str, params: Mapping[str, object]) -> None:
        at = time.monotonic() - self._began
        if self._json:
            line = json.dumps({"t": round(at, 3), "event": event, **params}, ensure_ascii=False, default=str)
            print(line, flush=True)  # noqa: T201
            return
        code = f"story.{event}"
        specific = f"{code}.{params.get('reason') or params.get('button') or params.get('command') or ''}"
        code = specific if specific in self._texts else code
        if code in self._texts:
            print(f"{at:6.1f} s  {self._texts(code, **params)}", flush=True)  # noqa: T201

    def say(self, code: str, **params: object) -> None:
        if not self._json:
            print(self._texts(code, **params), flush=True)  # noqa: T201


def run_demo(arguments: argparse.Namespace) -> int:
    """Status 0 when the call came about and its audit log is proved. Raises KlartoneError."""
    headless: bool = arguments.headless or not has_screen()
    tell = texts()
    teller = Teller(tell, as_json=arguments.json)
    if headless and not arguments.headless:
        teller.say("story.no_screen")
    folder: Path = arguments.archive or UserFolders.standard().data / "demo"
    stage = set_stage(folder, arguments.notice, listen=arguments.listen)
    teller.say("story.stage", folder=stage.archive)
    if headless:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    return _play(arguments, stage, teller)


def _play(arguments: argparse.Namespace, stage: Stage, teller: Teller) -> int:
    from softphone.demo.director import Director, Options
    from softphone.demo.summary import summarise
    from softphone.ui.app import run_desk
    from softphone.ui.driver import end_program

    options = Options(
        notice=None if arguments.notice == "none" else NoticeId(arguments.notice),
        party=arguments.party,
        agent=arguments.agent,
        seconds=arguments.seconds,
        listen=arguments.listen,
        screenshots=arguments.screenshots,
    )
    engines: list[subprocess.Popen[bytes]] = []
    director = Director(stage, options, teller)

    def start() -> None:
        if len(engines) == MOST_STARTS:
            director.played.failed = "engine"
            end_program()
        else:
            engines.append(start_engine(stage.home))

    try:
        run_desk(desk_dependencies(stage.home, on_ready=director.start, start=start))
    finally:
        director.close()
        for engine in engines:
            _end(engine)
    played = director.played
    if played.failed or played.last is None:
        raise KlartoneError(
            "error.demo.no_call", detail=played.failed or "no_answer", folder=str(stage.home.folders.log)
        )
    archive = stage.open_archive()
    try:
        summary = summarise(played, archive)
    finally:
        archive.close()
    if arguments.json:
        print(json.dumps({"summary": summary}, ensure_ascii=False), flush=True)  # noqa: T201
    else:
        _tell_ending(summary, stage, teller)
    return 0 if summary["audit_ok"] else 1


def _tell_ending(summary: Mapping[str, object], stage: Stage, teller: Teller) -> None:
    recording, kept = summary["recording_id"], summary["kept"]
    teller.say("")
    if not recording:
        teller.say("story.end.nothing")
    elif not kept:
        teller.say("story.end.deleted", seconds=summary["recorded_seconds"])
    else:
        teller.say("story.end.kept", seconds=summary["recorded_seconds"])
        if summary["on_hold"]:
            teller.say("story.end.held")
        where = f"klartone archive --archive {stage.archive}"
        teller.say("story.end.listen", command=f"{where} play {recording}")
        teller.say("story.end.show", command=f"{where} show {recording}")
    teller.say("story.end.audit" if summary["audit_ok"] else "story.end.audit_bad", count=summary["audit_entries"])
    teller.say("story.end.keys", file=stage.archive / "demo-keys.json")


def has_screen() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _end(engine: subprocess.Popen[bytes]) -> None:
    try:
        engine.wait(ENGINE_ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        engine.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            engine.wait(2)
        engine.kill()
        engine.wait()
