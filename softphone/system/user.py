"""The name of who runs this, as the operating system tells it. It is not asked of the environment, which anybody can set."""

from __future__ import annotations

import os
import sys


def user_name() -> str:
    """Of the user whose process this is; `uid-1000` of one who is in no list of users."""
    if sys.platform == "win32":
        return os.getlogin()
    import pwd

    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"
