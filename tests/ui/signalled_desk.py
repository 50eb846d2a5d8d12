"""A desk in a process of its own, in a call, for the signals' test: says `in a call` once that is drawn."""

from __future__ import annotations

import sys
from pathlib import Path

from softphone.ui.app import DeskDependencies, run_desk
from tests.ui.fake_engine import FakeEngine
from tests.ui.states import ROWS, snapshot


def main(resources: Path) -> int:
    engine = FakeEngine(snapshot(ROWS["recording"][0]))
    try:
        return run_desk(
            DeskDependencies(
                find_endpoint=lambda: engine.endpoint,
                start_engine=engine.start,
                store_password=lambda _account, _password: None,
                texts=resources / "translations",
                icons=resources / "icons",
                themes=resources / "themes",
                on_ready=lambda _desk: print("in a call", flush=True),
            )
        )
    finally:
        engine.close()


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
