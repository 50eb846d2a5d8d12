"""Who can write a file, by its access list on Windows."""

from __future__ import annotations

import ctypes
import sys
from ctypes import wintypes
from pathlib import Path

assert sys.platform == "win32"

_FILE = 1
_OWNER_AND_LIST = 0x1 | 0x4
_ALLOWED = 0
_INHERIT_ONLY = 0x8
_WRITES = 0x2 | 0x4 | 0x40 | 0x10000 | 0x40000 | 0x80000 | 0x10000000 | 0x40000000
"""write, append, delete a child, delete, change the list or the owner, and the generic rights for all and for writing"""
_HARMLESS_IN_FOLDERS = 0x4 | 0x2
"""a new file or folder beside ours, as users may make on a disk's root"""
_SYSTEM = ("S-1-5-18", "S-1-5-32-544", "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464")
"""the system, administrators, and the service that owns Windows' own files"""
_DOMAINS = ("-512", "-519")
"""a domain's administrators, and the whole forest's"""


class _Entry(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_ubyte),
        ("flags", ctypes.c_ubyte),
        ("size", ctypes.c_ushort),
        ("mask", wintypes.DWORD),
        ("sid", wintypes.DWORD),
    )


class _Sizes(ctypes.Structure):
    _fields_ = (("count", wintypes.DWORD), ("used", wintypes.DWORD), ("free", wintypes.DWORD))


def others_can_write(path: Path) -> bool:
    """Raises OSError."""
    api = ctypes.WinDLL("advapi32", use_last_error=True)
    owner, listed, descriptor = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    refused = api.GetNamedSecurityInfoW(
        ctypes.c_wchar_p(str(path)),
        _FILE,
        _OWNER_AND_LIST,
        ctypes.byref(owner),
        None,
        ctypes.byref(listed),
        None,
        ctypes.byref(descriptor),
    )
    if refused:
        raise ctypes.WinError(refused)
    try:
        if not _is_administrator(api, owner) or not listed:  # without a list everybody may do everything
            return True
        sizes = _Sizes()
        if not api.GetAclInformation(listed, ctypes.byref(sizes), ctypes.sizeof(sizes), 2):
            raise ctypes.WinError(ctypes.get_last_error())
        writes = _WRITES & ~_HARMLESS_IN_FOLDERS if path.is_dir() else _WRITES
        for n in range(sizes.count):
            at = ctypes.c_void_p()
            if not api.GetAce(listed, n, ctypes.byref(at)):
                raise ctypes.WinError(ctypes.get_last_error())
            entry = ctypes.cast(at, ctypes.POINTER(_Entry)).contents
            if entry.type != _ALLOWED or entry.flags & _INHERIT_ONLY or not entry.mask & writes:
                continue
            if not _is_administrator(api, ctypes.c_void_p((at.value or 0) + _Entry.sid.offset)):
                return True
        return False
    finally:
        ctypes.windll.kernel32.LocalFree(descriptor)


def _is_administrator(api: ctypes.WinDLL, sid: ctypes.c_void_p) -> bool:
    text = wintypes.LPWSTR()
    if not api.ConvertSidToStringSidW(sid, ctypes.byref(text)):
        raise ctypes.WinError(ctypes.get_last_error())
    name = text.value or ""
    ctypes.windll.kernel32.LocalFree(text)
    return name in _SYSTEM or (name.startswith("S-1-5-21-") and name.endswith(_DOMAINS))
