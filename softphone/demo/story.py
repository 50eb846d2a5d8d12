"""`klartone demo`: one whole call on this machine, as a story or as JSON lines, with its summary read back at the end."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from softphone.bootstrap.desk import desk_dependencies
from softphone.bootstrap.home import DEMO_KEYS, DEMO_POLICY, Home, texts
from softphone.bootstrap.program import as_typed
from softphone.bootstrap.screen import has_screen
from softphone.demo.signals import InterruptedDemo, Signals
from softphone.demo.stage import Stage, refuse_foreign, set_stage
from softphone.domain.decision import NoticeId
from softphone.domain.errors import EngineError, KlartoneError
from softphone.domain.purpose import Reason
from softphone.texts import Texts

if TYPE_CHECKING:
    from softphone.demo.director import Options

SIGNALLED = 128
"""with the signal's number added: the status of a program that a signal ended"""
ENGINE_ENDS_WITHIN = 8.0


class Teller:
    """Says each thing as it happens: a line of the story, or an object."""

    def __init__(self, texts: Texts, *, as_json: bool) -> None:
        self.texts = texts
        self.as_json = as_json
        self._began = time.monotonic()

    def __call__(self, event: str, params: Mapping[str, object]) -> None:
        at = time.monotonic() - self._began
        if self.as_json:
            fields = {name: round(one, 3) if isinstance(one, float) else one for name, one in params.items()}
            line = json.dumps({"t": round(at, 3), "event": event, **fields}, ensure_ascii=False, default=str)
            print(line, flush=True)  # noqa: T201
            return
        if event == "fault":
            params = {"sentence": self.texts(str(params["code"]), **params)}
        code = f"story.{event}"
        kinds = ("reason", "button", "command", "segment", "goes_on")
        kind = next((params[name] for name in kinds if params.get(name) not in (None, "")), "")
        specific = f"{code}.{str(kind).lower() if isinstance(kind, bool) else kind}"
        code = specific if specific in self.texts else code
        if code in self.texts:
            print(f"{at:6.1f} s  {self.texts(code, **params)}", flush=True)  # noqa: T201

    def say(self, code: str, **params: object) -> None:
        if not self.as_json:
            print(self.texts(code, **params), flush=True)  # noqa: T201


def run_demo(arguments: argparse.Namespace) -> int:
    """Status 0 if the call came about and its audit log is proved, 128 and the signal's number if one ended it.

    Raises KlartoneError, and OSError if its output cannot be written: then the call is ended.
    """
    teller = Teller(texts(), as_json=arguments.json)
    try:
        with Signals() as signals:
            return _run(arguments, signals, teller)
    except InterruptedDemo as interrupted:
        teller("interrupted", {"signal": interrupted.number})
        return SIGNALLED + interrupted.number


def _run(arguments: argparse.Namespace, signals: Signals, teller: Teller) -> int:
    headless: bool = arguments.headless or not has_screen()
    if headless and not arguments.headless:
        teller.say("story.no_screen")
    listen = arguments.listen and _can_be_heard(teller)
    folder: Path = arguments.archive or Home.of(arguments).folders.data / "demo"
    refuse_foreign(folder)
    pictures = _pictures(arguments.screenshots)
    from softphone.demo.director import Options

    options = Options(
        notice=None if arguments.notice == "none" else NoticeId(arguments.notice),
        party=arguments.party,
        agent=arguments.agent,
        seconds=arguments.seconds,
        listen=listen,
        screenshots=pictures,
    )
    stage = set_stage(folder, arguments.notice, listen=options.listen)
    teller.say("story.stage", folder=stage.archive)
    if headless:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    return _play(stage, options, signals, teller)


def _play(stage: Stage, options: Options, signals: Signals, teller: Teller) -> int:
    from softphone.demo.director import Director
    from softphone.demo.engines import DemoEngines
    from softphone.demo.summary import summarise
    from softphone.ui.app import run_desk
    from softphone.ui.driver import end_program

    refused: list[OSError] = []

    def tell(event: str, params: Mapping[str, object]) -> None:
        try:
            teller(event, params)
        except OSError as error:
            # In Qt's slots it would be lost, and the call go on for nobody.
            refused.append(error)
            end_program()

    director = Director(stage, options, tell)

    engines = DemoEngines(stage.home, director.played, lambda: bool(signals.came))
    signals.wait()
    try:
        code = run_desk(desk_dependencies(stage.home, on_ready=director.start, start=engines))
    finally:
        director.close()
        for engine in engines.engines:
            _end(engine, director.told_to_quit)
        signals.go_on()
    if code > SIGNALLED:
        raise InterruptedDemo(code - SIGNALLED)
    if refused:
        raise refused[0]
    played = director.played
    if played.fault:
        raise KlartoneError(played.fault.code, **played.fault.params)
    if played.failed or played.last is None:
        why = teller.texts(f"demo.why.{played.failed or 'no_answer'}")
        raise KlartoneError("error.demo.no_call", detail=why, folder=str(stage.home.folders.log))
    archive = stage.open_archive()
    try:
        summary = summarise(played, archive)
    finally:
        archive.close()
    if teller.as_json:
        print(json.dumps({"summary": summary}, ensure_ascii=False), flush=True)  # noqa: T201
    else:
        _tell_ending(summary, stage, teller)
    if played.unsaved:
        raise played.unsaved
    return 0 if summary["audit_ok"] else 1


def _can_be_heard(teller: Teller) -> bool:
    there = _has_speaker()
    if not there:
        teller.say("story.no_speaker")
    return there


def _has_speaker() -> bool:
    from softphone.audio.devices import Device, list_devices

    return isinstance(list_devices().find("speaker", ""), Device)


def _pictures(folder: Path | None) -> Path | None:
    """Make the folder before anything else: a call whose pictures cannot be kept does not begin. Raises EngineError."""
    if folder:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=folder):
                pass
        except OSError:
            raise EngineError("error.pictures.unwritable", path=str(folder)) from None
    return folder


def _tell_ending(summary: Mapping[str, object], stage: Stage, teller: Teller) -> None:
    recording, kept = summary["recording_id"], summary["kept"]
    teller.say("")
    if not recording:
        code = "story.end.nothing.no_key" if summary["reason"] == Reason.NO_KEY else "story.end.nothing"
        teller.say(code, archive=stage.archive, file=stage.archive / DEMO_POLICY)
    elif not kept:
        teller.say("story.end.deleted", seconds=summary["recorded_seconds"])
    else:
        teller.say("story.end.kept", seconds=summary["recorded_seconds"])
        if summary["on_hold"]:
            teller.say("story.end.held")
        where = ("archive", "--archive", str(stage.archive))
        if not summary["purposes"]:
            teller.say("kept.custody_only")
            teller.say("story.end.custody")
        if _has_speaker():
            teller.say("story.end.listen", command=as_typed(*where, "play", str(recording)))
        else:
            teller.say("story.end.export", command=as_typed(*where, "export", str(recording), "--wav", "klartone.wav"))
        teller.say("story.end.show", command=as_typed(*where, "show", str(recording)))
    teller.say("story.end.audit" if summary["audit_ok"] else "story.end.audit_bad", count=summary["audit_entries"])
    teller.say("story.end.keys", file=stage.archive / DEMO_KEYS)


def _end(engine: subprocess.Popen[bytes], told_to_quit: bool) -> None:
    """`told_to_quit`: it has some time to do it."""
    try:
        engine.wait(ENGINE_ENDS_WITHIN if told_to_quit else 0)
    except subprocess.TimeoutExpired:
        engine.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            engine.wait(ENGINE_ENDS_WITHIN)
        engine.kill()
        engine.wait()
