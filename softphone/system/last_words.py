"""Why an engine could not start: its last words, from its stderr to the desk that started it. A code, so that the desk says it in
its own language."""

from __future__ import annotations

import json
import os
import sys

from softphone.domain.errors import EngineError, KlartoneError

ASKED = "KLARTONE_LAST_WORDS"
"""set for an engine whose starter reads them. Anywhere else the sentence on stderr is enough"""
CRASHED, SLOW = "error.engine.crashed", "error.engine.slow"
_LONGEST = 300


def leave(error: KlartoneError) -> None:
    if os.environ.get(ASKED) and sys.stderr:
        print(json.dumps({"code": error.code, "params": dict(error.params)}), file=sys.stderr, flush=True)  # noqa: T201


def read(said: str, status: int, log: str) -> KlartoneError:
    """`said`: all that it wrote. One that left no code crashed: then its last line is all there is."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    for line in reversed(lines):
        try:
            told = json.loads(line)
            return EngineError(str(told["code"]), **dict(told["params"]))
        except (ValueError, TypeError, KeyError):
            continue
    detail = lines[-1][:_LONGEST] if lines else f"status {status}"
    return EngineError(CRASHED, detail=detail, log=log)
