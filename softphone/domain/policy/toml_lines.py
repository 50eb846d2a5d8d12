"""The line of each key of a TOML text, which the standard library's reader does not tell.

Not a validator: `tomllib` must have read the text before.
"""

from __future__ import annotations

import re
import tomllib

from softphone.domain.policy.faults import KeyPath

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE = re.compile(r"[^,\]}\n#]*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)


def key_lines(text: str) -> dict[KeyPath, int]:
    """Key path -> line, from 1. `text` is TOML that `tomllib` accepts.

    Where a key is given in parts (`a.b = 1`) each part has a line.
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self._entries: dict[KeyPath, int] = {}
        """arrays of tables: how many entries each has so far"""
        self._counted_to = 0
        self._line = 1

    def document(self) -> None:
        table: KeyPath = ()
        while self._skip(_BLANK) and self.at < len(self.text):
            if self.text.startswith("[[", self.at):
                self.at += 2
                table = self._header(entry=True)
                self.at += 2
            elif self.text[self.at] == "[":
                self.at += 1
                table = self._header(entry=False)
                self.at += 1
            else:
                self._pair(table)

    def _skip(self, what: re.Pattern[str]) -> bool:
        match = what.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
        return match is not None

    def _here(self) -> int:
        self._line += self.text.count("\n", self._counted_to, self.at)
        self._counted_to = self.at
        return self._line

    def _note(self, path: KeyPath) -> None:
        self.lines.setdefault(path, self._here())

    def _key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            start = self.at
            if self._skip(_STRING):
                parts.append(tomllib.loads("k = " + self.text[start : self.at])["k"])
            elif self._skip(_BARE_KEY):
                parts.append(self.text[start : self.at])
            self._skip(_SPACE)
            if self.text[self.at : self.at + 1] != ".":
                return parts
            self.at += 1

    def _header(self, *, entry: bool) -> KeyPath:
        parts = self._key()
        path: KeyPath = ()
        for n, part in enumerate(parts):
            path = (*path, part)
            self._note(path)
            last = n == len(parts) - 1
            if last and entry:
                self._entries[path] = self._entries.get(path, 0) + 1
            if path in self._entries:
                path = (*path, self._entries[path] - 1)
                self._note(path)
        return path

    def _pair(self, table: KeyPath) -> None:
        path = table
        for part in self._key():
            path = (*path, part)
            self._note(path)
        self.at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        opening = self.text[self.at : self.at + 1]
        if opening in ('"', "'"):
            self._skip(_STRING)
        elif opening == "[":
            self.at += 1
            count = 0
            while self._skip(_BLANK) and self.text[self.at : self.at + 1] not in ("]", ""):
                self._note((*path, count))
                self._value((*path, count))
                count += 1
                self._comma()
            self.at += 1
        elif opening == "{":
            self.at += 1
            while self._skip(_BLANK) and self.text[self.at : self.at + 1] not in ("}", ""):
                self._pair(path)
                self._comma()
            self.at += 1
        else:
            self._skip(_BARE_VALUE)

    def _comma(self) -> None:
        self._skip(_BLANK)
        if self.text[self.at : self.at + 1] == ",":
            self.at += 1
