"""The plugin host: a process that runs plugins and nothing else. JSON lines: requests on stdin, answers on stdout.

It holds no policy, no key and no audio device, and may be killed at any time. It never talks to a person: its answers are
codes. No exception's text leaves it, since that could hold a number.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, cast

from softphone.plugin.contract import HOOKS, LINE_LIMIT, LOAD, SPEAK
from softphone.plugin.spec import plugin_manager

_GRACE = 3.0
"""seconds after a request's time-out in which the engine should have killed us; then we end ourselves"""


def main(folders: Sequence[str]) -> int:
    """Serve until stdin ends. `folders`: the allowed plugins' folders; their names are the plugins' ids."""
    answers = _take_stdout()
    Host({Path(folder).name: Path(folder) for folder in folders}, answers).serve(sys.stdin.buffer)
    return 0


class Host:
    """Answers one request at a time. A plugin's code is first run by its `load`."""

    def __init__(self, folders: dict[str, Path], answers: BinaryIO) -> None:
        self._folders = folders
        self._answers = answers
        self._manager = plugin_manager()
        self._devnull = Path(os.devnull).open("w")  # noqa: SIM115 - for as long as the process lives
        self._speaks = False

    def serve(self, requests: BinaryIO) -> None:
        self._say({"ready": os.getpid()})
        while line := requests.readline(LINE_LIMIT):
            request = json.loads(line)
            # Its watchdog needs no interpreter lock, so a plugin that holds it for ever does not outlive the engine.
            faulthandler.dump_traceback_later(float(request["timeout"]) + _GRACE, exit=True, file=self._devnull)
            try:
                self._say({"id": request["id"], "result": self._answer(request)})
            except Exception as error:  # noqa: BLE001 - whatever a plugin throws is an answer
                self._say({"id": request["id"], "threw": type(error).__name__})
            finally:
                faulthandler.cancel_dump_traceback_later()

    def _answer(self, request: dict[str, Any]) -> Any:
        plugin, name = str(request["plugin"]), str(request["hook"])
        if name == LOAD.name:
            self._load(plugin)
            return None
        if name == SPEAK.name and not self._speaks:
            self._speaks = True
            if sys.platform != "win32":
                os.nice(5)  # notices are spoken ahead; a caller waits for the rulebook
        hook = HOOKS[name]
        params: Any = cast("Any", hook.params).validate_python(request["params"])
        others = [one for other, one in self._manager.list_name_plugin() if other != plugin]
        caller = self._manager.subset_hook_caller(name, remove_plugins=others)
        result = caller(**{field: getattr(params, field) for field in params.__dataclass_fields__})
        # The plugin's result is checked here for its own sake, and again by the engine, which trusts nobody.
        return cast("Any", hook.result).dump_python(cast("Any", hook.result).validate_python(result), mode="json")

    def _load(self, plugin: str) -> None:
        if not self._manager.has_plugin(plugin):
            self._manager.register(load_module(plugin, self._folders[plugin]), name=plugin)

    def _say(self, message: dict[str, Any]) -> None:
        self._answers.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")
        self._answers.flush()


def load_module(plugin: str, folder: Path) -> ModuleType:
    """Import a plugin's folder as a package of its own name. Raises what its code raises."""
    name = f"klartone_plugin_{plugin}"
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _take_stdout() -> BinaryIO:
    """Stdout for our answers alone: output of a plugin or a C library goes to stderr."""
    sys.stdout.flush()
    wire = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(wire, "wb")


if __name__ == "__main__":
    gc.freeze()  # what is loaded stays
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        sys.exit(main(sys.argv[1:]))
