"""A phone that is closed while frames are under way: each in a process of its own, with Python busy beside it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.peers.second_phone import ROOT

_BRIEFLY = """
import sys, threading, time
from softphone.audio.files import Silence
from softphone.engine.sip.phone import Phone
from softphone.engine.sip.settings import PhoneSettings

sys.setswitchinterval(0.0005)
over = threading.Event()

def busy():
    while not over.is_set():
        sum(range(1000))

for _ in range(2):
    threading.Thread(target=busy, daemon=True).start()
phone = Phone(PhoneSettings(address="127.0.0.1"), lambda _: None, Silence())
phone.start()
ends = time.monotonic() + 0.15
while time.monotonic() < ends:
    phone.poll(5)
phone.close()
over.set()
"""


_LATE = """
import time
from softphone.engine.sip.media import ports

class Late(ports.CallTone):
    def __init__(self):
        time.sleep(0.1)
        super().__init__()

ports.CallTone = Late
"""
"""the clock has ticked some times before all of the ports are there"""


def _phones_that_ended_badly(times: int, before: str = "") -> list[str]:
    bad: list[str] = []
    for _ in range(times):
        done = subprocess.run(
            [sys.executable, "-c", before + _BRIEFLY], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
        )
        if done.returncode or done.stderr:
            bad.append(f"{done.returncode} {done.stderr[-300:]}")
    return bad


def test_a_phone_ends_in_silence() -> None:
    assert _phones_that_ended_badly(2) + _phones_that_ended_badly(1, _LATE) == []


@pytest.mark.torture
@pytest.mark.timeout(600)
def test_a_hundred_phones_end_in_silence() -> None:
    assert _phones_that_ended_badly(100) == []
