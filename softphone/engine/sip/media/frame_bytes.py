"""Bytes in and out of a pjsua2 frame, the fast way if that is proved to work.

`bytes(frame.buf)` goes through a Python integer for every byte. The vector's own memory can be copied instead, but that
relies on the layout of `std::vector`. The phone's start proves the layout; if that fails, the slow way is used. No sound is
understood here.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import pjsua2 as pj

Reader = Callable[[pj.ByteVector, int], bytes]
Writer = Callable[[pj.ByteVector, bytes], None]

_WORD = ctypes.sizeof(ctypes.c_void_p)


def _bounds(vector: pj.ByteVector) -> tuple[int, int]:
    address = int(vector.this)
    begin = ctypes.c_void_p.from_address(address).value or 0
    end = ctypes.c_void_p.from_address(address + _WORD).value or 0
    return begin, end


def read_fast(vector: pj.ByteVector, size: int) -> bytes:
    begin = ctypes.c_void_p.from_address(int(vector.this)).value
    return ctypes.string_at(begin, size) if begin else b""


def read_slow(vector: pj.ByteVector, size: int) -> bytes:
    return bytes(vector)[:size]


def write_fast(vector: pj.ByteVector, data: bytes) -> None:
    vector.resize(len(data))
    begin = ctypes.c_void_p.from_address(int(vector.this)).value
    if begin:
        ctypes.memmove(begin, data, len(data))


def write_slow(vector: pj.ByteVector, data: bytes) -> None:
    vector.resize(len(data))
    for index, value in enumerate(data):
        vector[index] = value


def fast_copy_works() -> bool:
    """Whether a vector's first two words are its begin and end, tried on patterns of three sizes."""
    for size in (1, 320, 640):
        pattern = bytes((index * 37 + size) % 256 for index in range(size))
        vector = pj.ByteVector(list(pattern))
        begin, end = _bounds(vector)
        # Only a pair of pointers exactly `size` apart is followed; anything else might not be memory.
        if not begin or end - begin != size or len(vector) != size:
            return False
        if read_fast(vector, size) != pattern:
            return False
        reverse = pattern[::-1]
        ctypes.memmove(begin, reverse, size)
        if bytes(vector) != reverse:
            return False
        grown = pj.ByteVector()
        write_fast(grown, pattern)
        if bytes(grown) != pattern:
            return False
    return True


def frame_copiers() -> tuple[Reader, Writer]:
    return (read_fast, write_fast) if fast_copy_works() else (read_slow, write_slow)
