"""The demo with one button unplugged: its `clicked` reaches nothing, while the director presses it as ever.

    python -m tests.journeys.unplugged_demo optOut demo --headless --json …

It shows that the demo's agent acts through that widget and in no other way.
"""

from __future__ import annotations

import sys

from PySide6.QtWidgets import QAbstractButton

from softphone import cli
from softphone.demo import director
from softphone.demo.director import Director
from softphone.ui.app import Desk


class _Unplugged(Director):
    button = ""

    def start(self, desk: Desk) -> None:
        for top in (desk.window, desk.incoming):
            for button in top.findChildren(QAbstractButton, self.button):
                button.clicked.disconnect()
        super().start(desk)


def main() -> int:
    _Unplugged.button = sys.argv.pop(1)
    director.Director = _Unplugged
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
