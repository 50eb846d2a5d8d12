"""Whether there is a screen, found out before anything is started: without one, Qt ends the whole program.

A variable may name a screen that is gone, or that lets nobody in, so it is tried. Qt itself takes a tenth of a second. So
this tries what Qt will use: its plugin with the libraries it needs, and the connection in one of them.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from ctypes import CDLL, POINTER, c_char_p, c_int, c_void_p
from importlib.util import find_spec
from pathlib import Path

ANSWERS_WITHIN = 5.0
"""seconds; the near end of a dead tunnel listens and says nothing"""


def has_screen() -> bool:
    """Whether a window can be shown. Another platform for Qt than these two answers that by itself."""
    if sys.platform in ("win32", "darwin"):
        return True
    tried: dict[str, Callable[[], Callable[[], bool] | None]] = {"wayland": _wayland, "xcb": _x11}
    named = os.environ.get("QT_QPA_PLATFORM")
    platforms = [one.partition(":")[0] for one in named.split(";")] if named else tried
    return any(name not in tried or _answers(tried[name]) for name in platforms)


def _x11() -> Callable[[], bool] | None:
    if not os.environ.get("DISPLAY"):
        return None
    xcb = _plugin("xcb", "libxcb.so.1")
    xcb.xcb_connect.argtypes, xcb.xcb_connect.restype = (c_char_p, POINTER(c_int)), c_void_p
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = (c_void_p,)

    def connects() -> bool:
        connection = xcb.xcb_connect(None, None)
        refused = xcb.xcb_connection_has_error(connection)
        xcb.xcb_disconnect(connection)
        return not refused

    return connects


def _wayland() -> Callable[[], bool] | None:
    if not os.environ.get("WAYLAND_DISPLAY"):
        return None
    wayland = _plugin("wayland", "libwayland-client.so.0")
    wayland.wl_display_connect.argtypes, wayland.wl_display_connect.restype = (c_char_p,), c_void_p
    wayland.wl_display_disconnect.argtypes = (c_void_p,)

    def connects() -> bool:
        connection = wayland.wl_display_connect(None)
        if connection:
            wayland.wl_display_disconnect(connection)
        return bool(connection)

    return connects


def _plugin(name: str, library: str) -> CDLL:
    """Qt's plugin from PySide6's wheel, or the library alone. Raises OSError if anything that it needs is missing."""
    qt = find_spec("PySide6")
    for folder in (qt and qt.submodule_search_locations) or ():
        plugin = Path(folder) / "Qt" / "plugins" / "platforms" / f"libq{name}.so"
        if plugin.exists():
            return CDLL(str(plugin))
    return CDLL(library)


def _answers(load: Callable[[], Callable[[], bool] | None]) -> bool:
    """In time, once the libraries are there: after a log-in a busy disk may need longer for these."""
    with _unheard(), suppress(OSError):
        connects = load()
        return connects is not None and _in_time(connects)
    return False


def _in_time(connects: Callable[[], bool]) -> bool:
    came = False

    def attempt() -> None:
        nonlocal came
        came = connects()

    attempting = threading.Thread(target=attempt, name="screen", daemon=True)
    attempting.start()
    attempting.join(ANSWERS_WITHIN)
    return came


@contextmanager
def _unheard() -> Generator[None]:
    """The libraries print messages of their own on stderr, where this gives a sentence."""
    try:
        stderr = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
