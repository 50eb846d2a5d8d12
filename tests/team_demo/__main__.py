"""`make team-demo`: a house with its servers, three desks with callers, a lead, data protection and IT; its day line by line.

Everything lies in a folder of its own and goes with it. Without a screen the windows are shown nowhere.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory

from softphone.bootstrap.home import system_language
from softphone.bootstrap.screen import has_screen
from softphone.domain.purpose import Language, Purpose
from softphone.ui.application import make_application
from tests.days import house_day
from tests.peers import postgres, seaweedfs
from tests.peers.processes import free_port, until
from tests.team.served import Team
from tests.team_demo.house import LINE, House, NotMadeError
from tests.team_demo.people import AgentsDesk, CommandRefusedError, desk_of, rows
from tests.team_demo.review import reviewing
from tests.team_demo.words import words

CALLERS = {"anna": "+4520304050", "bo": "+4520304050", "carl": "+4520607080"}
"""who calls whom: one of them reaches two desks"""
DISPUTES = "bo"
SECONDS = 3.0
DATABASE = "klartone"
HEARD = ("recording_opened", "recording_exported", "review_opened")


class Story:
    def __init__(self, language: Language) -> None:
        self.language = language
        self._began = time.monotonic()

    def __call__(self, code: str, **params: object) -> None:
        line = words(self.language, code, **params)
        print(f"{time.monotonic() - self._began:6.1f} s  {line}", flush=True)


@contextmanager
def servers(folder: Path) -> Generator[Team]:
    """The database is made as an administrator makes it; the service serves nothing yet."""
    with ExitStack() as ending:
        server = ending.enter_context(postgres.started())
        process, address = seaweedfs.start(folder / "s3")
        ending.callback(seaweedfs.forget_sockets, folder / "s3")
        ending.callback(_end, process)
        server.make(DATABASE)
        home = folder / "service"
        home.mkdir()
        at = f"https://localhost:{free_port()}"
        team = Team(home, server, DATABASE, seaweedfs.bucket(address), address=at)
        made = team.command("init", "--user", server.user)
        assert made.status == 0, made.errors
        ending.callback(team.end)
        yield team


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGKILL)  # its own ending waits ten seconds for other servers
    process.wait()


def goes_on(desk: AgentsDesk, call: str, tell: Story) -> tuple[str, bool]:
    """A call that was answered, to its end: its recording, and whether that is for training too."""
    name = desk.agent.name
    recording = desk.records(call, SECONDS, Purpose.DOCUMENTATION)
    trains = desk.trains(call)
    tell("recording", who=name.title())
    if not trains:
        tell("untrained", who=name.title())
    if name == DISPUTES:
        desk.window.press("dispute")
        tell("dispute", who=name.title())
    desk.ends(call)
    desk.has_shipped(60)
    tell("shipped", who=name.title())
    return recording, trains


def day(house: House, shown: dict[str, str], tell: Story) -> None:
    with ExitStack() as ending:
        at_once = ending.enter_context(ThreadPoolExecutor(len(house.agents)))
        theirs = [ExitStack() for _ in house.agents]
        ending.callback(lambda: list(at_once.map(ExitStack.close, theirs)))
        made = [desk_of(one, shown) for one in house.agents.values()]
        desks = list(at_once.map(ExitStack.enter_context, theirs, made))
        tell("desks")
        tell("calls")
        calls = [desk.is_called(CALLERS[desk.agent.name], LINE) for desk in desks]
        done = list(at_once.map(goes_on, desks, calls, repeat(tell)))
        recorded = {name: recording for name, (recording, _) in zip(house.agents, done, strict=True)}
        trained = {recording for recording, trains in done if trains}
        until(lambda: len(house.team.kept()) == len(desks), 30, "all of it in the house")
        _afterwards(house, recorded, trained, tell)


def _afterwards(house: House, recorded: dict[str, str], trained: set[str], tell: Story) -> None:
    number, disputed = CALLERS[DISPUTES], recorded[DISPUTES]
    lead, dpo = house.lead, house.data_protection
    seen = lead.lists("archive", "list")
    assert rows(seen) == trained - {disputed}
    assert not any(one["number"] for one in seen)
    tell("lead", count=len(seen))
    if seen:
        with reviewing(lead) as review:
            review.opens_next()
            review.scores(4)
            review.says(words(tell.language, "said"))
            tell("reviewed", seconds=round(review.seconds))

    found = rows(dpo.lists("archive", "list", "--number", number))
    desks = [name for name, one in recorded.items() if one in found]
    assert desks == [name for name, one in CALLERS.items() if one == number]
    tell("found", count=len(found), desks=len(desks))
    (held,) = dpo.lists("holds", "list")
    asked = dpo.lists("holds", "raise", "--number", number, "--for", "access", "--why", "117")
    copy = house.folder / "copy.wav"
    dpo.does("archive", "export", recorded[desks[0]], "--wav", str(copy), "--case", "117")
    copy.unlink()  # it is not encrypted
    for one in asked:
        dpo.does("holds", "close", one["hold"], "--answered", str(house_day(datetime.now(UTC))))
    tell("answered")
    dpo.does("holds", "lift", held["hold"], "--reason", "settled")
    tell("released", count=len(lead.lists("archive", "list")))

    (shown,) = dpo.lists("archive", "show", recorded[desks[0]])
    tell("heard", count=sum(one["event"] in HEARD for one in shown["audit"]))
    objects, erases = recorded[desks[0]], next(one for name, one in recorded.items() if name not in desks)
    dpo.does("cases", "new", objects)
    dpo.does("cases", "decide", objects, "--reject", "--reason", "The agreement has to be documented.")
    tell("objected")
    dpo.does("cases", "new", erases, "--for", "erasure")
    dpo.does("cases", "decide", erases, "--uphold", "--reason", "Nothing has to be kept.")
    house.command("sweep")
    assert erases not in {name for name, _ in house.team.kept()}
    tell("erased")

    people = house.command("people")
    tell("it", count=len(people.splitlines()) - 1)
    refused = house.it.does("archive", "list", status=1)
    print(f"          {refused.strip().partition('. ')[0]}.", flush=True)
    house.command("sweep", "--head")
    house.command("verify", "--digests", "all")
    tell("verified")


def stays(house: House, tell: Story) -> None:
    """Whoever sits here types for each of them, until an empty line."""
    people = {**house.agents, **house.others}
    tell("stays", who=", ".join(people))
    with suppress(EOFError, KeyboardInterrupt):
        while line := shlex.split(input("> ")):
            who, *what = line
            try:
                print(house.command(*what) if who == "team" else people[who].does(*what), end="", flush=True)
            except (KeyError, TypeError):
                tell("nobody", who=", ".join(people))
            except (CommandRefusedError, NotMadeError, SystemExit) as error:
                print(error, flush=True)


def main() -> int:
    stay = argparse.ArgumentParser(prog="team_demo", description="a house on this machine")
    stay.add_argument("--stay", action="store_true", help="keep it standing, and type commands for its people")
    wanted = stay.parse_args()
    tell = Story(system_language())
    shown = {} if has_screen() else {"QT_QPA_PLATFORM": "offscreen"}
    os.environ.update(shown)
    app = make_application()
    with TemporaryDirectory(prefix="klartone-team-demo-") as name:
        folder = Path(name)
        with servers(folder) as team:
            house = House(team, folder)
            agents = list(CALLERS)
            house.publish(agents, spoken=True, language=tell.language.value)
            team.start()
            tell("servers", address=team.address)
            tell("policy")
            house.everybody_joins(agents)
            tell("joined", who=", ".join(one.title() for one in (*house.agents, *house.others)))
            day(house, shown, tell)
            if wanted.stay:
                stays(house, tell)
    tell("done")
    del app
    return 0


if __name__ == "__main__":
    sys.exit(main())
