"""A desk in a process of its own, for the screen reader's test: draws what standard input asks for, one word a line."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QSocketNotifier

from softphone.domain.purpose import Language
from softphone.texts import Texts
from softphone.ui.application import dress, make_application
from softphone.ui.theme.icons import Icons
from softphone.ui.theme.tokens import load_themes
from softphone.ui.view import View
from softphone.ui.window import DeskWindow
from tests.ui.states import NOW, ROWS, snapshot


def main(resources: Path) -> int:
    app = make_application()
    theme = load_themes(resources / "themes")[0]
    dress(theme)
    window = DeskWindow()
    texts = Texts(resources / "translations", Language.DA, "Europe/Copenhagen")
    icons = Icons(resources / "icons")

    def draw() -> None:
        word = sys.stdin.readline().strip()
        if not word:
            app.quit()
            return
        if word == "link":
            window.ready.dial.offer("+4590000000")
        state = snapshot() if word == "link" else snapshot(ROWS[word][0])
        window.render_view(View(state, texts, theme, icons, NOW, connected=True))
        print(f"drawn {word}", flush=True)

    notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read)
    notifier.activated.connect(draw)
    window.show()
    print("ready", flush=True)
    return app.exec()


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
