"""baresip records by Klartone's rules: its ctrl_tcp module's events to the session, the session's effects to baresip.

python docs/embed_client.py 4444 sales recordings klartone session --stdio --policy policy.toml
"""

import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

EVENTS = {"INCOMING": "rang", "ESTABLISHED": "answered", "DTMF_START": "digit_pressed", "CLOSED": "call_ended"}
ORDERS = {
    "play_notice": "mixausrc_enc_start aufile {wav} 0 100",
    "stop_notice": "mixausrc_enc_stop",
    "start_recorder": "auplay aufile,{folder}/{recording}-{segment}.wav",
    "stop_recorder": "auplay aufile,/dev/null",
    "end_call": "hangup",
}
port, line, folder, *command = sys.argv[1:]
session = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
baresip = socket.create_connection(("127.0.0.1", int(port)))


def tell(kind, call="", **fields):
    session.stdin.write(json.dumps({"type": kind, "call": call, **fields}).encode() + b"\n")


def order(text):
    name, _, params = text.partition(" ")
    asked = json.dumps({"command": name, "params": params})
    baresip.sendall(f"{len(asked)}:{asked},".encode())


def obey():
    muted = False
    for text in session.stdout:
        print(text.decode(), end="", flush=True)  # noqa: T201
        told = json.loads(text)
        match told:
            case {"type": "status", "state": {"phase": "incoming"}, "words": {"en": _}}:
                order("mute")  # baresip's is a switch: the agent is not heard until the session says so
                order("accept")
                muted = True
            case {"type": "set_microphone", "open": is_open} if is_open == muted:
                order("mute")
                muted = not muted
            case {"type": "play_notice", "call": call, "play": play, "seconds": seconds}:
                tell("notice_started", call, play=play)
                threading.Timer(seconds + 0.3, tell, ["notice_heard", call], {"play": play}).start()
            case {"type": "commit", "changes": changes}:
                for gone in (change["recording"] for change in changes if change["type"] == "discard"):
                    for file in Path(folder).glob(f"{gone}-*"):
                        file.unlink()
        if kind := ORDERS.get(told["type"]):
            order(kind.format(folder=folder, **told))


threading.Thread(target=obey, daemon=True).start()
tell("hello", protocol=1, auto_commit=True)
events = baresip.makefile("rb")
while size := b"".join(iter(lambda: events.read(1).strip(b":"), b"")):
    event = json.loads(events.read(int(size) + 1)[:-1])
    if kind := EVENTS.get(event.get("type", "").removeprefix("CALL_")):
        new = {"line": line, "number": event["peeruri"].split(":")[1].split("@")[0]}
        more = {"rang": new, "digit_pressed": {"digit": event["param"]}}
        tell(kind, event["id"], **more.get(kind, {}))
