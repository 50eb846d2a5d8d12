"""Who can write a file, by its access list on Windows."""

from __future__ import annotations

import ctypes
import sys
from ctypes import wintypes
from pathlib import Path

assert sys.platform == "win32"

_FILE = 1
_OWNER_AND_LIST = 0x1 | 0x4
_READ_CONTROL = 0x20000
_ALL_MAY_SHARE = 0x1 | 0x2 | 0x4
_OPEN_EXISTING = 3
_FOLDERS_TOO_AND_NO_LINK_FOLLOWED = 0x2000000 | 0x200000
_NO_HANDLE = ctypes.c_void_p(-1).value
_ALLOWED, _ALLOWED_IF = 0, 9
_DENIED = (1, 6, 10, 12)
_INHERIT_ONLY = 0x8
_WRITES = 0x2 | 0x4 | 0x40 | 0x10000 | 0x40000 | 0x80000 | 0x10000000 | 0x40000000
"""write, append, delete a child, delete, change the list or the owner, and the generic rights for all and for writing"""
_ADDS = 0x4 | 0x2
"""makes a new file or folder in a folder, as users may on a disk's root and below ProgramData"""
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


def others_can_write(path: Path, *, above: bool = False) -> bool:
    """`above`: a folder on the way to what is asked about; others may add files beside it. Of a link, whether others can turn
    it. Raises OSError."""
    api, kernel = ctypes.WinDLL("advapi32", use_last_error=True), ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.CreateFileW.restype = ctypes.c_void_p
    handle = kernel.CreateFileW(
        ctypes.c_wchar_p(str(path)),
        _READ_CONTROL,
        _ALL_MAY_SHARE,
        None,
        _OPEN_EXISTING,
        _FOLDERS_TOO_AND_NO_LINK_FOLLOWED,
        None,
    )
    if handle == _NO_HANDLE:
        raise ctypes.WinError(ctypes.get_last_error())
    try:
        return _others_can_write(api, ctypes.c_void_p(handle), _WRITES & ~_ADDS if above else _WRITES)
    finally:
        kernel.CloseHandle(ctypes.c_void_p(handle))


def _others_can_write(api: ctypes.WinDLL, handle: ctypes.c_void_p, writes: int) -> bool:
    owner, listed, descriptor = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    refused = api.GetSecurityInfo(
        handle,
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
        # Without a list everybody may do everything.
        return not _is_administrator(api, owner) or not listed or lets_others(api, listed, writes)
    finally:
        ctypes.windll.kernel32.LocalFree(descriptor)


def lets_others(api: ctypes.WinDLL, listed: ctypes.c_void_p, writes: int = _WRITES) -> bool:
    """Whether an access list gives one of these rights to others than administrators. A condition counts as fulfilled, and
    what is of a kind unknown here as for everybody. Raises OSError."""
    sizes = _Sizes()
    if not api.GetAclInformation(listed, ctypes.byref(sizes), ctypes.sizeof(sizes), 2):
        raise ctypes.WinError(ctypes.get_last_error())
    for n in range(sizes.count):
        at = ctypes.c_void_p()
        if not api.GetAce(listed, n, ctypes.byref(at)):
            raise ctypes.WinError(ctypes.get_last_error())
        entry = ctypes.cast(at, ctypes.POINTER(_Entry)).contents
        if entry.type in _DENIED or entry.flags & _INHERIT_ONLY or not entry.mask & writes:
            continue
        sid = ctypes.c_void_p((at.value or 0) + _Entry.sid.offset)
        if entry.type not in (_ALLOWED, _ALLOWED_IF) or not _is_administrator(api, sid):
            return True
    return False


def _is_administrator(api: ctypes.WinDLL, sid: ctypes.c_void_p) -> bool:
    text = wintypes.LPWSTR()
    if not api.ConvertSidToStringSidW(sid, ctypes.byref(text)):
        raise ctypes.WinError(ctypes.get_last_error())
    name = text.value or ""
    ctypes.windll.kernel32.LocalFree(text)
    return name in _SYSTEM or (name.startswith("S-1-5-21-") and name.endswith(_DOMAINS))
