"""pjmedia's clock keeps Python's record of it from tick to tick in a call, and leaves none behind. A process of its own."""

from __future__ import annotations

import subprocess
import sys

from tests.peers.second_phone import ROOT, second_phone, talk

ANSWERING = """
import ctypes, threading, time
from softphone.audio.files import Silence
from softphone.engine.sip import events
from softphone.engine.sip.phone import Phone
from softphone.engine.sip.settings import AccountSettings, PhoneSettings

here = threading.local()  # lies in the record
ticks = fresh = over = 0

class Microphone(Silence):
    def pull(self, n_bytes):
        global ticks, fresh
        ticks += 1
        fresh += not hasattr(here, "seen")
        here.seen = True
        return super().pull(n_bytes)

first = ctypes.pythonapi["PyInterpreterState_ThreadHead"]
first.restype = ctypes.c_void_p
after = ctypes.pythonapi["PyThreadState_Next"]
after.argtypes, after.restype = (ctypes.c_void_p,), ctypes.c_void_p
main = ctypes.pythonapi["PyInterpreterState_Main"]
main.restype = ctypes.c_void_p

def records():
    count, one = 0, first(ctypes.c_void_p(main()))
    while one:
        count, one = count + 1, after(one)
    return count

def heard(event):
    global over
    if isinstance(event, events.CallArrived):
        phone.answer(event.call)
    over += isinstance(event, events.CallEnded)

phone = Phone(PhoneSettings("127.0.0.1"), heard, Microphone())
phone.start()
phone.add_account("own", AccountSettings("own@127.0.0.1", register=False))
before = records()
print(phone.ports[0], flush=True)
while not over:
    phone.poll(10)
ends = time.monotonic() + 10
while records() > before and time.monotonic() < ends:
    phone.poll(10)
print(ticks, fresh, records() - before)
phone.close()
"""


def test_the_clocks_thread_keeps_its_record_through_a_call_and_leaves_none_behind() -> None:
    with (
        second_phone() as caller,
        subprocess.Popen([sys.executable, "-c", ANSWERING], cwd=ROOT, stdout=subprocess.PIPE, text=True) as phone,
    ):
        assert phone.stdout is not None
        port = int(phone.stdout.readline())
        caller.do("dial", target=f"sip:own@127.0.0.1:{port}")
        caller.wait_for("CallEstablished")
        talk(caller, 50)
        caller.do("hang_up")
        ticks, fresh, left = map(int, phone.stdout.readline().split())
        assert ticks > 30
        assert fresh <= 5, f"{fresh} records in {ticks} ticks"
        assert not left
        assert phone.wait(10) == 0
