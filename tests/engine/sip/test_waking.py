"""What threads want of the phone's own thread ends its wait at once. A process of its own: there is one phone in each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent.parent
LONGER = 30_000
"""milliseconds; a test that waits so long has failed"""

WAITING = """
import sys, threading, time
from softphone.audio.files import Silence
from softphone.engine.sip.phone import Phone
from softphone.engine.sip.settings import PhoneSettings
from softphone.calls.turns import Inbox

phone = Phone(PhoneSettings(sys.argv[1]), print, Silence())
phone.wake()  # nobody waits yet
phone.start()
inbox = Inbox(wake=phone.wake)
done = []

def others():
    for number in range(20):
        waiting.wait()
        waiting.clear()
        time.sleep(0.005)  # most of them come while it waits, some before: both must count
        inbox.post(lambda number=number: done.append(number))

waiting = threading.Event()
threading.Thread(target=others, daemon=True).start()
began = time.monotonic()
while len(done) < 20:
    if not inbox.waiting:
        waiting.set()
    assert not phone.poll(int(sys.argv[2])), "nothing happened but that"
    inbox.drain()
print(*done, time.monotonic() - began < int(sys.argv[2]) / 1000)
phone.close()
phone.wake()  # nor now
"""


@pytest.mark.parametrize("address", ["", "127.0.0.1", *(["127.0.0.2"] if sys.platform == "linux" else [])])
def test_a_phone_that_waits_is_woken_wherever_it_listens(address: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", WAITING, address, str(LONGER)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.split() == [*map(str, range(20)), "True"]


DEAF = """
import threading
from softphone.audio.files import Silence
from softphone.engine.sip.endpoint import SipEndpoint
from softphone.engine.sip.phone import Phone
from softphone.engine.sip.settings import PhoneSettings

phone = Phone(PhoneSettings("127.0.0.1"), print, Silence())
phone.start()
wakes = SipEndpoint.wake

def woken_in(milliseconds):
    threading.Timer(0.05, phone.wake).start()
    phone.poll(milliseconds)
    return phone.can_wake

print(woken_in(20_000))
SipEndpoint.wake = lambda _: None  # a firewall that knows no loopback
print(woken_in(300))
SipEndpoint.wake = wakes
print(woken_in(20_000))
phone.close()
"""


def test_a_phone_that_cannot_be_woken_notices_it() -> None:
    """The loop then looks by itself once a frame, so that a press still stops a recording with the next one."""
    run = subprocess.run(
        [sys.executable, "-c", DEAF], capture_output=True, text=True, timeout=60, cwd=ROOT, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.split() == ["True", "False", "True"]
