"""`klartone session --stdio`: this program's rules for another phone's calls, over lines on stdin and stdout."""

from __future__ import annotations

import argparse
import contextlib
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack
from functools import cache
from typing import IO

from softphone.bootstrap.desk_seal import DeskSeal
from softphone.bootstrap.home import Home, texts
from softphone.bootstrap.plugins import rule_plugins
from softphone.bootstrap.program import take_stdio
from softphone.calls.policy.in_force import PolicyInForce
from softphone.calls.turns import Inbox, clock, guarded, seconds
from softphone.domain.errors import KlartoneError
from softphone.embed.sessions import Sessions
from softphone.system.logbook import start_log
from softphone.wire.codec import LINE_LIMIT
from softphone.wire.snapshot import CodedText

LONGEST_WAIT = 5.0
"""seconds; a clock that is set is never waited past"""
SHORTEST_WAIT = 0.002


def run_session(arguments: argparse.Namespace) -> int:
    """Until the end of input, or until nobody reads its output. Raises KlartoneError if there is no room for it."""
    reader, writer = take_stdio()
    home = Home.of(arguments)
    log = start_log(home.folders.log, "session")
    held, _ = home.settings_in_force(only_look=True)
    settings = held.settings
    if arguments.policy and str(arguments.policy.resolve()) != settings.policy:
        held.machine.refuse("policy")
    # A reader that is gone ends it.
    inbox = Inbox(passes=(OSError,))
    over = threading.Event()

    def turn(wait: float) -> None:
        inbox.drain(wait)
        guarded(sessions.run_due, passes=(OSError,))
        sessions.publish()
        writer.flush()

    def tell(line: bytes) -> None:
        writer.write(line)

    def fault(_name: str, said: CodedText | None) -> None:
        sessions.fault(said)

    plugins = rule_plugins(home, lambda word: rules.word(word))
    rules = PolicyInForce(
        plugins.maker,
        plugins.desk,
        inbox.post,
        lambda: sessions.policy_changed(),
        fault,
        lambda entries: sessions.note(entries),
    )
    sessions = Sessions(rules, cache(texts), clock, tell, inbox.post)
    with ExitStack() as ending, _read_on(writer):
        plugins.host.start()
        ending.callback(plugins.host.stop)
        for one in plugins.faults:
            sessions.fault(CodedText(one.code, one.params))
        policy = str(arguments.policy.resolve()) if arguments.policy else settings.policy
        rules.load(policy, settings.policy_signer, guarded=settings.policy_guarded)
        ending.callback(rules.close)
        seal = DeskSeal(home.folders.config, home.archive(settings), inbox.post, sessions.sign_with)
        sessions.look_for_seal = seal.look
        seal.look()
        threading.Thread(target=_read, args=(reader, sessions, inbox.post, over.set), name="stdio", daemon=True).start()
        log.info("started")
        turn(0)
        while not over.is_set():
            due = sessions.next_due()
            turn(LONGEST_WAIT if due is None else max(SHORTEST_WAIT, min(LONGEST_WAIT, due - seconds())))
        inbox.post(sessions.end)
        turn(0)
        log.info("ending")
    return 0


@contextlib.contextmanager
def _read_on(writer: IO[bytes]) -> Generator[None]:
    """It still holds what `writer` refused, and would refuse it again."""
    try:
        yield
    except BrokenPipeError:
        return
    except OSError as error:
        try:
            writer.flush()
        except OSError:
            raise KlartoneError("error.output", detail=error.strerror or str(error)) from None
        raise


def _read(
    reader: IO[bytes], sessions: Sessions, post: Callable[[Callable[[], None]], None], over: Callable[[], None]
) -> None:
    """On a thread of its own. Of a line longer than any message it takes the beginning, which is refused."""
    while line := reader.readline(LINE_LIMIT):
        rest = line
        while len(rest) == LINE_LIMIT and not rest.endswith(b"\n"):
            rest = reader.readline(LINE_LIMIT)
        if line.strip():
            post(lambda line=line: sessions.take(line))
    post(over)
