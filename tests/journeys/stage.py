"""A stage for one journey: a folder with a demo's archive, fresh keys and a policy, a real engine in a process of its own, and
a desk on its socket. A customer calls over SIP from another process.

    with stage(tmp_path) as on:
        call = on.call("n7")                      # the customer dials the line, the desk answers
        on.desk.wait_event("first_sample", call=call)
        on.hang_up(call)
        on.end()                                  # everything is written
        with on.archive() as archive: …

Every journey has free ports and folders of its own, so that several run at once. Where a module's journeys are all made with the
same policy and settings, `on = shared(…)` gives them one stage, and each calls on it with a number of its own. Nothing here
knows what a journey proves.
"""

from __future__ import annotations

import base64
import io
import itertools
import json
import signal
import subprocess
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from softphone import cli
from softphone.archive.archive import Archive, RecordingRow
from softphone.archive.crypto.wraps import create_key_pair, fingerprint, signer_name
from softphone.archive.folder.marker import read_marker
from softphone.audio.files import write_wav
from softphone.bootstrap.home import DEMO_KEYS, Home, key_store
from softphone.domain.archive.recordings import RATE
from softphone.domain.purpose import KeyRole
from softphone.domain.status import PurposePhase
from softphone.system.passports import certify
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings import save_settings
from softphone.system.signature import public_half
from softphone.wire.from_engine import Snapshot
from softphone.wire.snapshot import Account, CallPhase, PolicyPhase, Settings
from softphone.wire.to_engine import EndWrapUp, Quit
from tests.archive.scene import opened
from tests.journeys.desk import Desk, wait_for_engine
from tests.journeys.lines import LINES, NOTICE_FILE, NUMBERS, policy_text
from tests.logged import raised_in, unexpected
from tests.peers.counter import CYCLE, counter_sound
from tests.peers.forked import Process, forked
from tests.peers.network import Cable
from tests.peers.second_phone import SecondPhone, second_phone
from tests.policies import write_notice

LOOPBACK = "127.0.0.1"
CUSTOMER = "+4520123456"
AGENT_FIRST = 512
"""the agent's own counter begins here, so that the two voices are told apart"""
ENDS_WITHIN = 30.0

ENGINE = ("-m", "softphone.cli")
"""how the real engine is started; a test may put a watched one in its place"""

_SAID: dict[str, bytes] = {}
"""by file name: what a real voice has said for an earlier stage of this process, where its sound is not what is proved"""


@dataclass
class Stage:
    """`engine` is the process that runs now; `customer` the phone that calls."""

    folder: Path
    home: Home
    public: Mapping[KeyRole, str]
    """each role's public key, base64"""
    program: Sequence[str] = ENGINE
    engine: Process = field(init=False)
    desk: Desk = field(init=False)
    customer: SecondPhone = field(init=False)
    sip_port: int = 0
    expected: dict[str, str] = field(default_factory=dict)
    """what is logged as warning or error in this journey, and why; nothing else may be"""
    possible: set[str] = field(default_factory=lambda: {"a turn took"})
    """what may be logged: how long a turn takes depends on what else this machine does"""
    network: Cable | None = None
    """where the engine is at one end, and the customer at the other"""
    _desks: ExitStack = field(default_factory=ExitStack)
    _number: str = ""
    _strangers: Iterator[int] = field(default_factory=lambda: itertools.count(20_200_000))

    @property
    def runtime(self) -> Path:
        return self.home.folders.runtime

    @property
    def archive_folder(self) -> Path:
        return self.folder / "archive"

    @property
    def host(self) -> str:
        """Where the customer finds the engine."""
        return self.network.address if self.network else LOOPBACK

    # --- the engine ------------------------------------------------------------------------------

    def start_engine(self) -> None:
        """A real engine, and a desk on its socket."""
        self.launch_engine()
        self.meet_engine()

    def launch_engine(self) -> None:
        """Its process, which needs a while."""
        with (self.folder / "engine.stderr").open("ab") as complaints:
            _, module, *words = self.program
            self.engine = forked(
                module,
                *words,
                "--home",
                str(self.home.root),
                "engine",
                stderr=complaints,
                inside=self.network.here if self.network else (),
            )

    def meet_engine(self) -> None:
        """A desk on its socket, as soon as there is one."""
        wait_for_engine(self.runtime, self.engine.pid, lambda: self.engine.poll() is None)
        self.desk = self.attach()

    def attach(self) -> Desk:
        """One more desk; closed with the stage."""
        return self._desks.enter_context(Desk.attached(self.runtime))

    def ready(self) -> None:
        """Policy and archive are in use, with its notices, which a busy machine may have to make again; the phone can be
        called."""

        def port(now: Snapshot) -> int | None:
            made = all(fault.code != "error.notice.rulebook_failed" for fault in now.faults)
            return now.sip_port if now.policy.phase is PolicyPhase.READY and now.store.works and made else None

        self.sip_port = self.desk.wait(port, "ready", 90)
        _remember_said(self.home)

    def end(self) -> None:
        """The engine quits politely: everything is written, and it ends with status 0."""
        if self.engine.poll() is None:
            self.desk.send(Quit("quit"))
            assert (status := self.engine.wait(ENDS_WITHIN)) == 0, f"ended with {status}"
        self._desks.close()
        self.nothing_swallowed()

    def expects(self, *texts: str, reason: str, maybe: Sequence[str] = ()) -> None:
        """The processes log lines with these texts, each at least once by the end of the stage. `maybe`: or not at all."""
        self.expected |= dict.fromkeys(texts, reason)
        self.possible |= {*maybe}

    def nothing_swallowed(self, *, over: bool = False) -> None:
        """The processes on this home have logged no warning, no bug and no traceback but those that are expected."""
        lines = raised_in(self.folder / "engine.stderr", *sorted(self.home.folders.log.glob("*")))
        found = unexpected(lines, [*self.expected, *self.possible])
        assert not found, "logged and not expected:\n  " + "\n  ".join(found)
        missing = [text for text in self.expected if not any(text in line for line in lines)]
        assert not (over and missing), f"expected and not logged: {missing}"

    # --- the call --------------------------------------------------------------------------------

    def ring(self, line: str, number: str = "", **dial: Any) -> None:
        """A customer with that number dials the line; else somebody who never called. Who declined training once is remembered
        by number. A call that a failed test left is ended first."""
        if any(one.phase is not CallPhase.ENDED for one in self.desk.wait(lambda s: s, "a state").calls):
            self.customer.do("end_calls")
            self.customer.wait_for("Idle")
            self.desk.wait(lambda s: all(one.phase is CallPhase.ENDED for one in s.calls), "no call")
        number = number or f"+45{next(self._strangers)}"
        if number != self._number:
            # One at a time: PJSIP has room for eight accounts.
            if self._number:
                self.customer.do("remove_account", id=self._number)
            self.customer.do("account", id=number, address=f"{number}@{LOOPBACK}", register=False)
            self._number = number
        self.customer.do("dial", account=number, target=f"sip:{NUMBERS[line]}@{self.host}:{self.sip_port}", **dial)

    def call(self, line: str, number: str = "", **dial: Any) -> str:
        """The customer dials the line and the desk answers; the engine's id of the call."""
        self.ring(line, number, **dial)
        call = self.desk.answer()
        self.customer.wait_for("CallEstablished")
        return call.id

    def press_when_asked(self, call: str, digit: str = "1") -> None:
        """The customer presses as soon as the question begins, while the notice still plays."""
        self.desk.wait_event("notice_question", call=call)
        self.customer.do("digits", digits=digit)

    def consent(self, call: str) -> None:
        """The customer says yes with a key; recording runs when this returns."""
        self.press_when_asked(call)
        self.desk.wait_event("first_sample", call=call)
        self.desk.wait_status(
            lambda status: any(one.phase is PurposePhase.ACTIVE for one in status.purposes.values()), "a yes", call
        )

    def sealed(self, call: str, seconds: float, within: float = 30) -> None:
        """So many seconds more of the call have been sealed on the disk."""
        before = self.sealed_seconds(call)
        self.desk.wait_until(
            lambda: self.sealed_seconds(call) >= before + seconds, f"{seconds} s sealed", seconds + within
        )

    def sealed_seconds(self, call: str) -> float:
        samples: dict[tuple[object, object], int] = {}
        for event in self.desk.told("sealed", call=call):
            samples[event.params["recording"], event.params["segment"]] = int(event.params["samples"] or 0)
        return sum(samples.values()) / RATE

    def hang_up(self, call: str) -> None:
        """The customer hangs up; the desk is in wrap-up when this returns."""
        self.customer.do("hang_up")
        self.customer.wait_for("CallEnded")
        self.desk.wait_call(lambda one: one.phase is CallPhase.ENDED, "ended", call)

    def over(self, call: str) -> None:
        """The customer hangs up, the desk is done with the call, and what is kept of it has been written."""
        self.hang_up(call)
        self.desk.do(EndWrapUp, call=call)
        self.desk.wait_event("audit.wrap_up_ended", call=call)

    # --- what is kept ----------------------------------------------------------------------------

    @contextmanager
    def archive(self) -> Generator[Archive]:
        archive = Archive.open(self.archive_folder, key_store(self.archive_folder))
        try:
            yield archive
        finally:
            archive.close()

    def private_key(self, archive: Archive, role: KeyRole) -> bytes:
        """The key that this role's people hold: here it lies in the demo's file."""
        held = archive.private_key(fingerprint(base64.b64decode(self.public[role])))
        assert held is not None
        return held

    def row(self, call: str) -> RecordingRow | None:
        """What is kept of the call."""
        with self.archive() as archive:
            return next((one for one in archive.list() if one.call == call), None)

    def klartone(self, *words: str, status: int = 0) -> str:
        """A command of the program on this archive, as a person types it; its stdout."""
        with redirect_stdout(io.StringIO()) as told, redirect_stderr(io.StringIO()) as complained:
            done = cli.main(["archive", "--archive", str(self.archive_folder), *words])
        assert done == status, complained.getvalue()
        return told.getvalue()

    def exported(self, recording: str, role: KeyRole | None = None, *, whole: bool = True) -> npt.NDArray[np.int16]:
        """The recording as (samples, 2): agent, party. By the command, which says so where it is not `whole`; with `role`,
        by that role's key alone."""
        wav = self.folder / f"{recording}-{role}.wav"
        if role is None:
            self.klartone("export", recording, "--wav", str(wav), status=0 if whole else 1)
        else:
            with self.archive() as archive:
                opened(archive, recording, datetime.now(UTC), role).export(str(wav), lambda _done, _samples: None)
        return read_stereo(wav)

    def verified(self) -> dict[str, Any]:
        """`archive verify --json`, which must find nothing wrong."""
        return json.loads(self.klartone("verify", "--json"))


def read_stereo(wav: Path) -> npt.NDArray[np.int16]:
    import wave

    with wave.open(str(wav), "rb") as sound:
        assert (sound.getnchannels(), sound.getframerate(), sound.getsampwidth()) == (2, RATE, 2)
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2").reshape(-1, 2)


def build(
    folder: Path,
    *,
    lines: Sequence[str] = tuple(LINES),
    spoken: bool = False,
    language: str = "da",
    program: Sequence[str] = ENGINE,
    top: str = "",
    each: str = "",
    notice_seconds: float = 1.0,
    house: bytes | None = None,
    network: Cable | None = None,
) -> Stage:
    """The folder with archive, keys, policy and settings; nothing runs yet. `top` and `each` as for `policy_text`. `house`: the
    private key that certifies the desk."""
    archive = folder / "archive"
    keys = DemoKeyFile(archive / DEMO_KEYS)
    Archive.create(archive, keys, demo=True).close()
    home = Home.within(folder / "home")
    home.folders.create()
    if not spoken:
        _say_again(home)
    config = home.folders.config
    public = {role: base64.b64encode(create_key_pair(keys)).decode() for role in KeyRole}
    policy = config / "policy.toml"
    text = policy_text(
        {role.value: key for role, key in public.items()},
        lines=tuple(lines),
        spoken=spoken,
        language=language,
        top=top,
        each=each,
    )
    policy.write_text(text, encoding="utf-8")
    write_notice(config / NOTICE_FILE, notice_seconds)
    voice = config / "agent.wav"
    write_wav(voice, counter_sound(CYCLE, AGENT_FIRST))
    save_settings(
        config,
        Settings(
            accounts=(Account("agent", f"agent@{LOOPBACK}", register=False),),
            policy=str(policy),
            archive=str(archive),
            microphone=f"file:{voice}",
            speaker="none",
            bind="0.0.0.0" if network else LOOPBACK,
            accept_from=("10.77.0.0/24",) if network else ("127.0.0.0/8",),
            desk_certificate=_certificate(archive, keys, house) if house else "",
        ),
    )
    return Stage(folder, home, public, program, network=network)


def _certificate(archive: Path, keys: DemoKeyFile, house: bytes) -> str:
    own = keys.get(signer_name(read_marker(archive).desk))
    assert own is not None
    return certify(public_half(own), house, datetime.now(UTC) + timedelta(days=1))


@contextmanager
def stage(
    folder: Path,
    *,
    lines: Sequence[str] = tuple(LINES),
    spoken: bool = False,
    language: str = "da",
    codec: str = "",
    record_aware: bool = False,
    program: Sequence[str] = ENGINE,
    top: str = "",
    each: str = "",
    notice_seconds: float = 1.0,
    house: bytes | None = None,
    edge: bool = False,
    network: Cable | None = None,
    expects: Mapping[str, str] | None = None,
) -> Generator[Stage]:
    """Everything runs and is ready to be called. `lines` of `lines.LINES`; `spoken`: by the voice, else so many seconds of sound.

    The customer says the frame counter all along; `edge`: it stands behind one, so that it can be transferred. `house`: the
    private key that certifies this desk. `network`: engine and customer are at its two ends. `expects`: what is logged, with
    the reason, as by `Stage.expects`.
    """
    on = build(
        folder,
        lines=lines,
        spoken=spoken,
        language=language,
        program=program,
        top=top,
        each=each,
        notice_seconds=notice_seconds,
        house=house,
        network=network,
    )
    on.expected |= expects or {}
    with ExitStack() as ending:
        ending.callback(on._desks.close)
        on.launch_engine()
        ending.callback(_stop, on)
        # The customer's phone starts beside it.
        customer = second_phone(
            counter=True,
            record_aware=record_aware,
            codec=codec,
            edge=edge or network is not None,
            bind="" if network else LOOPBACK,
            inside=network.there if network else (),
        )
        on.customer = ending.enter_context(customer)
        on.meet_engine()
        on.ready()
        yield on
    on.nothing_swallowed(over=True)


def _remember_said(home: Home) -> None:
    """Short notices and changes, which are spoken on every line."""
    for one in (home.folders.cache / "notices").glob("*"):
        if one.suffix in {".json", ".sha256"} and one.name not in _SAID:
            _SAID[one.name] = one.read_bytes()


def _say_again(home: Home) -> None:
    """The engine finds it spoken, as on its second start: that saves half a second of a core."""
    notices = home.folders.cache / "notices"
    notices.mkdir(parents=True, exist_ok=True)
    for name, said in _SAID.items():
        (notices / name).write_bytes(said)


def shared(**setting: Any) -> Callable[..., Generator[Stage]]:
    """A fixture: one `stage` for a module. At its end the engine quits politely, and what was kept is proved."""

    @pytest.fixture(scope="module")
    def on(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
        with stage(tmp_path_factory.mktemp("stage"), **setting) as one:
            yield one
            one.end()
        assert one.verified()["ok"]

    return on


def _stop(on: Stage) -> None:
    """Whatever the journey came to, no engine is left."""
    process = on.engine
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdin:
        process.stdin.close()
