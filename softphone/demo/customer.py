"""The demo's customer: a second phone in a process of its own, which really calls over SIP and speaks.

It obeys words on stdin (`call <address>`, `talk`, `press <digits>`, `hang up`) and reports on stdout, one JSON object a
line. It knows nothing of recording.
"""

from __future__ import annotations

import json
import queue
import secrets
import sys
import threading
from pathlib import Path

from softphone.audio.bridge import LiveBridge
from softphone.audio.files import FileSound, read_wav
from softphone.engine.sip import events
from softphone.engine.sip.phone import Phone
from softphone.engine.sip.settings import AccountSettings, PhoneSettings

ACCOUNT = "customer"
NAME = "Mette Holm"


class _Ears:
    """Hears by a loudspeaker, if there is one, and only once the conversation is on."""

    def __init__(self, mouth: FileSound) -> None:
        self._mouth = mouth
        self.loudspeaker: LiveBridge | None = None

    def pull(self, n_bytes: int, /) -> bytes:
        return self._mouth.pull(n_bytes)

    def push(self, data: bytes, /) -> None:
        if self.loudspeaker:
            self.loudspeaker.push(data)


def invented_address() -> str:
    """A number of her own for each demo: after a no in one of them she would be in no later sample."""
    return f"+4520{secrets.randbelow(10**6):06d}@127.0.0.1"


def run_customer(voice: Path, *, listen: bool) -> int:
    """`voice`: a WAV file with what the customer says; `listen`: hear the other side on this machine's speakers."""
    words: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read() -> None:
        for line in sys.stdin:
            words.put(line.strip())
        words.put("hang up")

    threading.Thread(target=read, daemon=True).start()
    mouth = FileSound()
    ears = _Ears(mouth)
    over = False
    call = ""

    def report(event: events.PhoneEvent) -> None:
        nonlocal over
        match event:
            case events.CallEstablished():
                say(event="connected")
            case events.CallEnded(code=code):
                over = True
                say(event="ended", code=code)
            case _:
                pass

    phone = Phone(PhoneSettings(address="127.0.0.1"), report, ears)
    phone.start()
    phone.add_account(ACCOUNT, AccountSettings(invented_address(), display_name=NAME, register=False))
    say(event="ready")
    while not over:
        phone.poll(10)
        while not words.empty():
            word, _, rest = words.get().partition(" ")
            if word == "call":
                call = phone.dial(ACCOUNT, rest)
            elif word == "talk":
                mouth.say(read_wav(voice), loop=True)
                if listen:
                    ears.loudspeaker = LiveBridge(None, "", tell=lambda _: None)
                    ears.loudspeaker.open()
            elif word == "press" and call:
                phone.send_digits(call, rest)
            elif word == "hang":
                if not call:
                    over = True
                else:
                    phone.hang_up(call)
    if ears.loudspeaker:
        ears.loudspeaker.close()
    phone.close()
    return 0


def say(**event: object) -> None:
    print(json.dumps(event), flush=True)  # noqa: T201
