"""The policy, read beside the loop: when asked for, and again whenever its file changes. A disk that hangs holds up nobody.

The loop gets the result; whether it is taken up is not decided here.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from softphone.calls.turns import Post, seconds
from softphone.domain.policy import LoadedPolicy, PolicyError, PolicyUnsigned
from softphone.plugin.notices import NoticeBook, NoticeMaker, RulebookFailed
from softphone.system.logbook import log, log_bug
from softphone.system.policy_file import load_policy
from softphone.system.signature import signature_path
from softphone.wire.snapshot import CodedText

EVERY = 2.0
"""seconds between two looks at the file"""
ANEW = 60.0
"""seconds until a missing exchange is looked up again (the network may not have been up), and until a rulebook that failed
is asked again for the notices"""
AGAIN = 600.0
"""seconds until the exchanges are looked up again: a name may lead elsewhere by then"""

_log = log.getChild("engine")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Exchanges:
    """The exchanges that the policy believes: their addresses, and the names that lead nowhere."""

    addresses: frozenset[str] = frozenset()
    unresolved: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """A policy that can be used, its notices, and the exchanges given by address; those with a name follow."""

    loaded: LoadedPolicy
    book: NoticeBook
    exchanges: Exchanges


@dataclass(frozen=True, slots=True)
class NotLoaded:
    """What is wrong with it. `unsigned`: it may not even be read."""

    path: str
    faults: tuple[CodedText, ...]
    unsigned: bool = False


Answer = Callable[[Loaded | NotLoaded | Exchanges], None]


class PolicyReader:
    """`answer` is called on the loop's thread, for the file last asked for and no other."""

    def __init__(self, maker: NoticeMaker | None, post: Post, answer: Answer) -> None:
        self._maker = maker
        self._post = post
        self._answer = answer
        self._over = threading.Event()
        self._guarded = False

    def look_after(self, path: Path, *signers: str, guarded: bool = False) -> None:
        """Read it, and keep watching it. `signers`: whose signatures it must have; empty: nobody's. `guarded`: as
        `load_policy` has it."""
        self.stop()
        self._guarded = guarded
        self._over = over = threading.Event()
        threading.Thread(target=self._look, args=(path, signers, over), name="policy", daemon=True).start()

    def stop(self) -> None:
        """No answer comes any more."""
        self._over.set()

    def _look(self, path: Path, signers: Sequence[str], over: threading.Event) -> None:
        def tell(got: Loaded | NotLoaded | Exchanges) -> None:
            self._post(lambda: None if over.is_set() else self._answer(got))

        files = [path, signature_path(path)]
        seen: tuple[object, ...] = ()
        hosts: tuple[str, ...] = ()
        look_up_at = make_at = 0.0
        unmade: LoadedPolicy | None = None
        while not over.is_set():
            # Watched from before the reading, as the sounds are: a change meanwhile means another reading.
            if (mark := _mark(files)) != seen:
                got = self._read(path, signers)
                if isinstance(got, LoadedPolicy):
                    files = [path, signature_path(path), *_sounds(got)]
                    mark = mark[:2] + _mark(files[2:])
                    got = self._made(got, signed=any(signers))
                seen = mark
                unmade, make_at = _unmade(got), seconds() + ANEW
                tell(got)
                if isinstance(got, Loaded):
                    hosts, look_up_at = got.loaded.policy.upstream.hosts, 0.0
                elif got.unsigned:
                    hosts = ()
            elif unmade is not None and seconds() >= make_at:
                got = self._made(unmade, signed=any(signers))
                if _unmade(got) is None:
                    unmade = None
                    tell(got)
                    look_up_at = 0.0
                make_at = seconds() + ANEW
            if hosts and seconds() >= look_up_at:
                # A slow name server does not keep a policy from being taken up.
                tell(found := resolved(hosts))
                look_up_at = seconds() + (ANEW if found.unresolved else AGAIN)
            over.wait(EVERY)

    def _read(self, path: Path, signers: Sequence[str]) -> LoadedPolicy | NotLoaded:
        return _tried(path, lambda: load_policy(path, *signers, guarded=self._guarded))

    def _made(self, loaded: LoadedPolicy, *, signed: bool) -> Loaded | NotLoaded:
        def made() -> Loaded:
            try:
                book = self._maker.prepare(loaded, signed=signed) if self._maker else NoticeBook()
            except RulebookFailed:
                book = NoticeBook(failed=True)
            return Loaded(loaded, book, by_address(loaded.policy.upstream.hosts))

        return _tried(Path(loaded.path), made)


def _tried(path: Path, action: Callable[[], T]) -> T | NotLoaded:
    """The policy and its notices, or what is wrong with it."""
    try:
        return action()
    except PolicyError as error:
        faults = tuple(CodedText(one.code, {**one.params, "rule": one.rule}, one.line, one.key) for one in error.faults)
        return NotLoaded(str(path), faults, isinstance(error, PolicyUnsigned))
    except Exception as error:  # noqa: BLE001 - a path that no system takes, a library's own error: said, never silent
        log_bug(_log, error)
        unknown = CodedText("policy.fault.unreadable", {"path": str(path), "detail": type(error).__name__})
        return NotLoaded(str(path), (unknown,))


def _unmade(got: Loaded | NotLoaded) -> LoadedPolicy | None:
    """The policy whose notices are still to be made, because the rulebook failed."""
    return got.loaded if isinstance(got, Loaded) and got.book.failed else None


def by_address(hosts: Iterable[str]) -> Exchanges:
    """The hosts that need no look-up."""
    return Exchanges(frozenset(plain_address(host) for host in hosts if _is_address(host)))


def resolved(hosts: Iterable[str]) -> Exchanges:
    """The hosts' addresses now. It may take its time: never in a call."""
    addresses: set[str] = set()
    unresolved: list[str] = []
    for host in hosts:
        try:
            addresses |= {plain_address(str(found[4][0])) for found in socket.getaddrinfo(host, None)}
        except (OSError, UnicodeError):
            unresolved.append(host)
    return Exchanges(frozenset(addresses), tuple(unresolved))


def plain_address(address: str) -> str:
    """An IP address in its one spelling, without the zone of a link; anything else stays as it is."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _mark(files: Iterable[Path]) -> tuple[object, ...]:
    """What changes when a file does, for each of them."""
    marks: list[object] = []
    for file in files:
        try:
            found = file.stat()
            marks.append((found.st_mtime_ns, found.st_size, found.st_ino))
        except (OSError, ValueError):
            marks.append(None)
    return tuple(marks)


def _sounds(loaded: LoadedPolicy) -> list[Path]:
    """The lines' own sound files: another recording under the same name is another notice."""
    folder = Path(loaded.path).parent
    sounds = (one for line in loaded.policy.line for files in line.sound.values() for one in files.values())
    return [folder / one.file for one in sounds]
