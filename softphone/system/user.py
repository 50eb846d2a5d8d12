"""The name of the user who runs this, from the operating system. Not from the environment, which anybody can set."""

from __future__ import annotations

import os
import sys


def user_name() -> str:
    """Of the user whose process this is; `uid-1000` if no list of users has them."""
    if sys.platform == "win32":
        return os.getlogin()
    import pwd

    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"
