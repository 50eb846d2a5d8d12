"""A SIP message as `reading` gives it, and as `write` makes it for pjsua2 or a peer. It knows nothing of what may be in one."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class SipMessage:
    """`headers` have spelt-out names, and one value each of Via, Route, Record-Route, Service-Route, Path and Contact.

    Content-Length is not among them: `write` counts the body. A response has its CSeq's method and the URI ""; a request has
    the code 0.
    """

    method: str
    uri: str = ""
    code: int = 0
    phrase: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    body: bytes = b""

    @property
    def is_request(self) -> bool:
        return self.code == 0

    def get(self, name: str) -> str | None:
        """The first value; names are given as `headers.canonical` spells them."""
        return next((value for key, value in self.headers if key == name), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def set_first(self, name: str, value: str) -> None:
        """In place of the first, or else as the last header."""
        for at, (key, _) in enumerate(self.headers):
            if key == name:
                self.headers[at] = (name, value)
                return
        self.headers.append((name, value))

    def insert_before(self, name: str, value: str) -> None:
        """Before the first of that name, else after the last Via."""
        at = next((at for at, (key, _) in enumerate(self.headers) if key == name), None)
        self.headers.insert(self._after("Via") if at is None else at, (name, value))

    def insert_after(self, name: str, value: str) -> None:
        """After the last of that name, else after the last Via."""
        present = any(key == name for key, _ in self.headers)
        self.headers.insert(self._after(name if present else "Via"), (name, value))

    def remove(self, name: str) -> None:
        """Remove all of that name."""
        self.headers = [one for one in self.headers if one[0] != name]

    def remove_first(self, name: str) -> None:
        at = next((at for at, (key, _) in enumerate(self.headers) if key == name), None)
        if at is not None:
            del self.headers[at]

    def _after(self, name: str) -> int:
        return max((at + 1 for at, (key, _) in enumerate(self.headers) if key == name), default=0)


def write(message: SipMessage) -> bytes:
    """Raises ValueError if a value would break out of its line, which is a bug of the caller."""
    start = (
        f"{message.method} {message.uri} SIP/2.0" if message.is_request else f"SIP/2.0 {message.code} {message.phrase}"
    )
    lines = [start, *(f"{name}: {value}" for name, value in message.headers), f"Content-Length: {len(message.body)}"]
    head = "\r\n".join(lines)
    if not head.count("\r") == head.count("\n") == len(lines) - 1 or "\0" in head:
        raise ValueError("a header holds a line end")
    return head.encode() + b"\r\n\r\n" + message.body
