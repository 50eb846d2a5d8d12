"""The files whose types can differ on another system, one a line. All others are right there if they are right here.

They ask which system this is, use what does (in the standard library or another's package), or import one of ours that asks.
"""

import re
import sys
from pathlib import Path

ASKS = re.compile(r"sys\.platform|os\.name")
DIFFERS = re.compile(
    r"^\s*(?:import|from) (?:asyncio|ctypes|errno|faulthandler|fcntl|filelock|grp|keyring|locale|mmap|msvcrt|multiprocessing|os"
    r"|platformdirs|psutil|pwd|resource|select|selectors|shutil|signal|socket|socketserver|ssl|stat|subprocess|tempfile|termios"
    r"|urllib\.request|webbrowser|winreg)\b"
    # All else in `time`, `pathlib` and the errors is the same everywhere.
    r"|CLOCK_|clock_get|tzset|winerror|WindowsError|\.owner\(|\.is_mount\(",
    re.MULTILINE,
)


def importing(module: str) -> str:
    """`from package.module import name`, and `from package import module`."""
    package, _, name = module.rpartition(".")
    return rf"from {re.escape(module)} import|from {re.escape(package)} import .*\b{name}\b"


def main(folders: list[str]) -> None:
    sources = {path: path.read_text("utf-8") for one in folders for path in sorted(Path(one).rglob("*.py"))}
    asking = [".".join(path.with_suffix("").parts) for path, source in sources.items() if ASKS.search(source)]
    imports = re.compile(rf"^\s*(?:{'|'.join(map(importing, asking))})", re.MULTILINE)
    for path, source in sources.items():
        if any(one.search(source) for one in (ASKS, DIFFERS, imports)):
            sys.stdout.write(f"{path}\n")


main(sys.argv[1:])
