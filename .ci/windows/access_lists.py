"""Which access lists Windows' half of `softphone.system.guarded` takes as the administrators' own. Run by `check.py`, by
Python for Windows; the lists are made byte by byte, since Wine keeps none of them on its disk.
"""

import ctypes
import sys

from softphone.system.guarded_windows import lets_others

ALLOWED, DENIED, BY_OBJECT, ALLOWED_IF, DENIED_IF = 0, 1, 5, 9, 10
INHERITED_ONLY = 0x8 | 0x3
READS, ADDS, ALL = 0x120089, 0x2, 0x1F01FF
CONDITION = b"artx" + bytes(4)
api = ctypes.WinDLL("advapi32", use_last_error=True)


def sid(text: str) -> bytes:
    found = ctypes.c_void_p()
    if not api.ConvertStringSidToSidW(ctypes.c_wchar_p(text), ctypes.byref(found)):
        raise ctypes.WinError(ctypes.get_last_error())
    return ctypes.string_at(found, api.GetLengthSid(found))


def lets(kind: int, rights: int, rest: bytes, flags: int = 0) -> bool:
    entry = rights.to_bytes(4, "little") + rest + bytes(-len(rest) % 4)
    entry = bytes([kind, flags]) + (len(entry) + 4).to_bytes(2, "little") + entry
    listed = bytes([4, 0]) + (8 + len(entry)).to_bytes(2, "little") + bytes([1, 0, 0, 0]) + entry
    return lets_others(api, ctypes.cast(ctypes.create_string_buffer(listed, len(listed)), ctypes.c_void_p))


users, administrators = sid("S-1-5-32-545"), sid("S-1-5-32-544")
wrong = [
    what
    for what, got, wanted in (
        ("users read", lets(ALLOWED, READS, users), False),
        ("users add", lets(ALLOWED, ADDS, users), True),
        ("administrators", lets(ALLOWED, ALL, administrators), False),
        ("users, on a condition", lets(ALLOWED_IF, ALL, users + CONDITION), True),
        ("administrators, on a condition", lets(ALLOWED_IF, ALL, administrators + CONDITION), False),
        ("by object", lets(BY_OBJECT, ADDS, bytes(4) + users), True),
        ("denied", lets(DENIED, ALL, users) or lets(DENIED_IF, ALL, users + CONDITION), False),
        ("below it alone", lets(ALLOWED, ALL, users, INHERITED_ONLY), False),
    )
    if got is not wanted
]
if wrong:
    sys.exit("; ".join(wrong))
