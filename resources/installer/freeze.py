"""Freezes the Klartone that this Python has installed (a wheel, not a checkout) into one folder: freeze.py FOLDER

Needs PyInstaller in the same environment. FOLDER then holds `klartone/` with the program, and what the build left.
"""

import ast
import sys
from pathlib import Path

import PyInstaller.__main__

import softphone

package = Path(softphone.__file__).parent
target = Path(sys.argv[1]).resolve()


def imported_by(plugins: Path) -> set[str]:
    """Plugins travel as data, so their imports are told by hand."""
    names: set[str] = set()
    for source in plugins.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {one.name for one in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module)
    return names - {"__future__"}


hidden = {
    "pjsua2.pjsua2",
    "pjsua2._pjsua2",
    "sqlcipher3.dbapi2",
    "logging.config",
    *imported_by(package / "_data" / "plugins"),
}
arguments = ["--noconfirm", "--clean", "--onedir", "--log-level=WARN", "--name=klartone"]
arguments += [f"--distpath={target}", f"--workpath={target / 'build'}", f"--specpath={target / 'build'}"]
arguments += [f"--hidden-import={name}" for name in sorted(hidden)]
arguments += [f"--collect-submodules={name}" for name in ("softphone", "keyring.backends", "dns")]
arguments += [
    "--collect-all=espeakng_loader",
    "--collect-data=alembic",
    "--copy-metadata=keyring",
    "--copy-metadata=pjsua2-python",
]
# Alembic reads its steps as files, and plugins are run from their folders.
arguments += [f"--add-data={package / 'archive' / 'schema' / 'migrations'}:softphone/archive/schema/migrations"]
arguments += [f"--add-data={package / '_data'}:softphone/_data"]
arguments += ["--exclude-module=tkinter", "--exclude-module=PySide6.QtQml", "--exclude-module=PySide6.QtQuick"]
PyInstaller.__main__.run([*arguments, str(Path(__file__).with_name("klartone.py"))])
