"""The parts of a SIP URI, a name-addr and a Via, for code that changes one. It takes values that `message.parse` let
through."""

from __future__ import annotations

import re
from typing import NamedTuple, Self

from softphone.edge.sip import grammar
from softphone.edge.sip.malformed import Malformed

Params = tuple[tuple[str, str | None], ...]
"""names as they came, each with its value; None if it has none"""

_SIP_URI = re.compile(
    rf"(sips?):(?:({grammar.USER}(?::{grammar.PASSWORD})?)@)?({grammar.HOST})(?::({grammar.PORT}))?"
    rf"({grammar.URI_PARAMS})({grammar.URI_HEADERS})?",
    re.IGNORECASE | re.ASCII,
)
_NAME_ADDR = re.compile(rf'(?:({grammar.QUOTED}|[^"<>]*?) ?)<([^<> ]*+)>({grammar.PARAMS})')
_VIA = re.compile(rf"SIP/2\.0/({grammar.TOKEN}) ({grammar.HOST})(?::({grammar.PORT}))?({grammar.VIA_PARAMS})")
_PARAM = re.compile(rf";([^;=]++)(?:=({grammar.QUOTED}|[^;]*+))?")
_ESCAPE = re.compile(r"\\(.)")
_TO_ESCAPE = re.compile(r'(["\\])')
_PLAIN = re.compile(rf"{grammar.TOKEN}(?: {grammar.TOKEN})*+")


def read_params(text: str) -> Params:
    """Of `;name=value;name`, a value in quotes with its quotes."""
    return tuple((one[1], one[2]) for one in _PARAM.finditer(text)) if text else ()


def param(params: Params, name: str) -> str | None:
    """Its value: empty if it has none, None if it is missing. Names are compared without case."""
    return next((value or "" for key, value in params if key.lower() == name), None)


def _with(params: Params, name: str, value: str | None) -> Params:
    """In its old place, if it had one."""
    key = name.lower()
    if param(params, key) is None:
        return (*params, (name, value))
    return tuple((name, value) if one[0].lower() == key else one for one in params)


def _without(params: Params, *names: str) -> Params:
    return tuple(one for one in params if one[0].lower() not in names)


def _written(params: Params) -> str:
    return "".join(f";{name}" if value is None else f";{name}={value}" for name, value in params)


def bracketed(host: str) -> str:
    """As SIP writes it: an IPv6 address stands in brackets."""
    return f"[{host}]" if ":" in host and host[0] != "[" else host


class SipUri(NamedTuple):
    """`port` is 0 if the URI names none; `user` holds a password too, escaped as it came; `headers` begins with `?`.

    An IPv6 `host` that was read has its brackets; one that is to be written need not.
    """

    scheme: str
    user: str
    host: str
    port: int = 0
    params: Params = ()
    headers: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises Malformed unless it is a sip or sips URI."""
        found = _SIP_URI.fullmatch(text)
        if not found or not grammar.brackets_hold_addresses(text):
            raise Malformed("uri")
        scheme, user, host, port, params, headers = found.groups()
        return cls(scheme.lower(), user or "", host, int(port or 0), read_params(params), headers or "")

    def param(self, name: str) -> str | None:
        return param(self.params, name)

    def with_param(self, name: str, value: str | None = None) -> Self:
        return self._replace(params=_with(self.params, name, value))

    def without_param(self, *names: str) -> Self:
        return self._replace(params=_without(self.params, *names))

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}:{user}{bracketed(self.host)}{port}{_written(self.params)}{self.headers}"


class NameAddr(NamedTuple):
    """`display` is the name without quotes; `uri` is text, since From and To may hold a tel URI."""

    display: str
    uri: str
    params: Params = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises Malformed, also for `*` in a Contact."""
        found = _NAME_ADDR.fullmatch(text)
        if not found:
            raise Malformed("name_addr")
        display, uri, params = found.groups()
        if display.startswith('"'):
            display = _ESCAPE.sub(r"\1", display[1:-1])
        return cls(display, uri, read_params(params))

    def param(self, name: str) -> str | None:
        return param(self.params, name)

    def with_param(self, name: str, value: str | None = None) -> Self:
        return self._replace(params=_with(self.params, name, value))

    def without_param(self, *names: str) -> Self:
        return self._replace(params=_without(self.params, *names))

    def with_uri(self, uri: SipUri | str) -> Self:
        return self._replace(uri=str(uri))

    def __str__(self) -> str:
        display = self.display
        if display and not _PLAIN.fullmatch(display):
            display = '"' + _TO_ESCAPE.sub(r"\\\1", display) + '"'
        return f"{display}{' ' if display else ''}<{self.uri}>{_written(self.params)}"


class Via(NamedTuple):
    """`transport` as it came, mostly in capitals; `port` is 0 if there is none."""

    transport: str
    host: str
    port: int = 0
    params: Params = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises Malformed."""
        found = _VIA.fullmatch(text)
        if not found:
            raise Malformed("via")
        transport, host, port, params = found.groups()
        return cls(transport, host, int(port or 0), read_params(params))

    @property
    def branch(self) -> str:
        return self.param("branch") or ""

    def param(self, name: str) -> str | None:
        return param(self.params, name)

    def with_param(self, name: str, value: str | None = None) -> Self:
        return self._replace(params=_with(self.params, name, value))

    def without_param(self, *names: str) -> Self:
        return self._replace(params=_without(self.params, *names))

    def __str__(self) -> str:
        port = f":{self.port}" if self.port else ""
        return f"SIP/2.0/{self.transport} {bracketed(self.host)}{port}{_written(self.params)}"
