"""Which line a called party or an account belongs to, by the names that a policy may give it.

It reads no SIP and knows no numbering plan: the caller says what a user part is in E.164. In doubt it says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

EXTENSION = re.compile(r"\d{2,5}", re.ASCII)
"""two to five digits: the exchange's own"""
_HOST = re.compile(r"\[[^\]]*\]|[^:;?]*")

L = TypeVar("L")


@dataclass(frozen=True, slots=True)
class Names:
    """How a policy may name one party: in E.164, by its extension, by `user@exchange`.

    `doubtful`: those that could be somebody else's as well, since the phone has accounts at several exchanges.
    """

    sure: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found(Generic[L]):
    line: L | None = None
    unclear: bool = False
    """several lines could be meant"""


def names(user: str, number: str | None, exchange: str, exchanges: Collection[str] = ()) -> Names:
    """`number`: what `user` is in E.164. `exchange`: host of the account's address, with its port if it has one; `exchanges`: of
    all accounts."""
    exchange = exchange.lower()
    every = {exchange, *(one.lower() for one in exchanges)} - {""}
    sure, doubtful = [number] if number else [], list[str]()
    if not number and EXTENSION.fullmatch(user):
        (sure if len(every) < 2 else doubtful).append(user)
    if user and exchange:
        host = host_of(exchange)
        alone = all(one == exchange for one in every if host_of(one) == host)
        (sure if alone else doubtful).append(f"{user}@{host}")
        if exchange != host:
            sure.append(f"{user}@{exchange}")
    return Names(tuple(sure), tuple(doubtful))


def find(named: Names, lines: Iterable[L], numbers: Callable[[L], Collection[str]]) -> Found[L]:
    """The one line that names the party surely; unclear where that is not the only one that could be meant."""
    every = (*named.sure, *named.doubtful)
    found = [line for line in lines if any(name in numbers(line) for name in every)]
    if not found:
        return Found()
    if len(found) > 1 or not any(name in numbers(found[0]) for name in named.sure):
        return Found(unclear=True)
    return Found(found[0])


def overlap(one: str, other: str) -> bool:
    """Whether two entries of a policy could mean the same party: a name without an exchange stands at each."""
    user, _, at = one.partition("@")
    others, _, elsewhere = other.partition("@")
    return user == others and (not at or not elsewhere or at == elsewhere)


def host_of(exchange: str) -> str:
    """Without port and parameters."""
    found = _HOST.match(exchange)
    return found[0] if found else ""
