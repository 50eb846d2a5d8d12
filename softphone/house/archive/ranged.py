"""A sealed file that lies in the house's storage, as a file: what is read of it is fetched in ranges, and no more than is heard.

The service looks at each range anew whether it may still be heard.
"""

from __future__ import annotations

import io
import os
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from softphone.domain.errors import ArchiveError

BLOCK = 64 << 10
"""bytes: about 13 seconds"""
_AHEAD = 16
"""blocks that are fetched at once where the file is read on and on"""
_KEPT = 128

Fetch = Callable[[int, int], bytes]
"""from a byte, up to and without another, in any thread. Raises ArchiveError"""


class RangedFile(io.RawIOBase):
    """For one thread. Whole blocks are fetched; reading on fetches ever more at once."""

    def __init__(self, fetch: Fetch, size: int) -> None:
        super().__init__()
        self._fetch, self._size = fetch, size
        self._at = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._next, self._ahead = -1, 1
        """the block behind those that were fetched last, and how many are fetched if that is what is read"""

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence] + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._at + size, self._size)
        parts = list[bytes]()
        while self._at < end:
            number, offset = divmod(self._at, BLOCK)
            part = self._block(number)[offset : offset + end - self._at]
            if not part:
                break
            parts.append(part)
            self._at += len(part)
        return b"".join(parts)

    def take(self, *offsets: int) -> None:
        """The blocks in which these lie, all at once: what is far away costs one wait."""
        numbers = sorted({min(max(one, 0), max(self._size - 1, 0)) // BLOCK for one in offsets} - self._blocks.keys())
        with ThreadPoolExecutor(max(len(numbers), 1)) as threads:
            for number, data in zip(numbers, threads.map(self._one, numbers), strict=True):
                self._blocks[number] = data

    def _one(self, number: int) -> bytes:
        start, end = number * BLOCK, min((number + 1) * BLOCK, self._size)
        return _whole(self._fetch(start, end), end - start)

    def _block(self, number: int) -> bytes:
        if (found := self._blocks.get(number)) is not None:
            self._blocks.move_to_end(number)
            return found
        self._ahead = min(2 * self._ahead, _AHEAD) if number == self._next else 1
        start = number * BLOCK
        end = min(start + self._ahead * BLOCK, self._size)
        data = _whole(self._fetch(start, end), end - start)
        for at in range(0, len(data), BLOCK):
            self._blocks[number + at // BLOCK] = data[at : at + BLOCK]
        self._next = number + -(-len(data) // BLOCK)
        while len(self._blocks) > _KEPT:
            self._blocks.popitem(last=False)
        return self._blocks[number]


def _whole(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise ArchiveError("error.archive.house_answer")
    return data
