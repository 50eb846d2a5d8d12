"""What goes wrong inside: a fault of ours never ends a call, and the process ends cleanly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers.processes import free_port
from tests.peers.second_phone import ROOT, second_phone

FAILING = """
import sys
from softphone.engine.sip.phone import Phone
from softphone.engine.sip.settings import AccountSettings, PhoneSettings

class BadSound:
    def pull(self, n, /):
        if sys.argv[2] == "pull":
            raise ValueError("no microphone")
        return b"\\0" * (n - 7 if sys.argv[2] == "short" else n)
    def push(self, data, /):
        if sys.argv[2] == "push":
            raise ValueError("no speaker")

if sys.argv[2] == "log":
    from softphone.engine.sip import endpoint

    def unreadable(*_):
        raise ValueError("a planted +4520123456")

    endpoint.mended = unreadable

told = []
count = 0

def frames(call, index, agent, party):
    global count
    count += 1
    assert len(agent) == len(party) == 640
    if sys.argv[2] == "frames":
        raise KeyError("a planted +4520123456")

phone = Phone(PhoneSettings("127.0.0.1"), told.append, BadSound(), frames)
phone.start()
phone.add_account("own", AccountSettings("a@127.0.0.1", register=False))
phone.dial("own", f"sip:b@127.0.0.1:{sys.argv[1]}")
while count < 50:
    phone.poll(10)
phone.close()
print(*(f"{type(event).__name__}:{getattr(event, 'detail', '')}" for event in told))
"""


@pytest.mark.parametrize(
    ("what", "fault"),
    [
        ("frames", "FrameFault:KeyError"),
        ("pull", "FrameFault:ValueError"),
        ("push", "FrameFault:ValueError"),
        ("short", ""),
        ("log", "PhoneFault:_Log.write:"),
    ],
)
def test_a_failing_consumer_or_sound_device_is_reported_once_and_the_call_goes_on(what: str, fault: str) -> None:
    with second_phone(auto_answer=True, counter=True) as other:
        done = subprocess.run(
            [sys.executable, "-c", FAILING, str(other.udp), what],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        other.wait_for("CallEnded")
    assert (done.returncode, done.stderr) == (0, "")
    told = done.stdout.split()
    assert [event for event in told if "Fault" in event] == ([fault] if fault else [])
    assert "CallEnded:" in told


TAKEN = """
import sys
from softphone.domain.errors import EngineError
from softphone.audio.files import Silence
from softphone.engine.sip.phone import Phone
from softphone.engine.sip.settings import PhoneSettings
phone = Phone(PhoneSettings("127.0.0.1", int(sys.argv[1])), print, Silence())
try:
    phone.start()
except EngineError as error:
    print(error.code, error.params["port"])
"""


def test_a_port_that_is_taken_is_said_and_the_process_ends_cleanly() -> None:
    with second_phone() as other:
        done = subprocess.run(
            [sys.executable, "-c", TAKEN, str(other.udp)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        taken = str(other.udp)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["port_taken", taken], "")


THREADS = """
import sys, threading
from softphone.audio.files import Silence
from softphone.engine.sip.phone import Phone
from softphone.engine.sip.settings import PhoneSettings
phone = Phone(PhoneSettings("127.0.0.1", int(sys.argv[1])), print, Silence())
phone.start()
assert phone.ports == (int(sys.argv[1]),) * 2
def other():
    try:
        phone.poll(0)
    except AssertionError as error:
        print("refused")
thread = threading.Thread(target=other)
thread.start()
thread.join()
phone.close()
phone.close()
"""


def test_another_thread_is_refused_and_nothing_but_our_own_words_is_printed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", THREADS, str(free_port())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "refused\n", "")


PLANTED = ("20123456", "Plantede", "hemmelig-kode")

LOGGED = """
import logging, sys, time
from softphone.audio.files import Silence
from softphone.engine.sip.phone import Phone
from softphone.engine.sip.settings import AccountSettings, PhoneSettings
logging.basicConfig(level=logging.DEBUG)
over = []
phone = Phone(PhoneSettings("127.0.0.1"), over.append, Silence())
phone.start()
settings = AccountSettings("+4520123456@127.0.0.1:" + sys.argv[1], password="hemmelig-kode",
                           display_name="Plantede Navn", transport="tcp")
phone.add_account("own", settings)
print(settings)
phone.dial("own", "+4520123456")
while not any(type(event).__name__ == "CallEnded" for event in over):
    phone.poll(10)
phone.close()
print(*over)
"""


def test_no_number_name_or_password_is_in_the_log_or_in_any_events_text() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOGGED, str(free_port())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0
    assert "softphone.engine.sip" in done.stderr  # something was logged at all
    assert "CallEnded" in done.stdout
    for planted in PLANTED[1:]:
        assert planted not in done.stdout.replace("display_name='Plantede Navn'", "")
    for planted in PLANTED:
        assert planted not in done.stderr


def test_the_wheels_own_recorder_is_used_nowhere_because_it_writes_plain_files() -> None:
    sources = Path(ROOT / "softphone").rglob("*.py")
    assert not [path for path in sources if "AudioMediaRecorder" in path.read_text("utf-8")]
