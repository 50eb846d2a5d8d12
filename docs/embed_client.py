"""baresip records by Klartone's rules: its ctrl_tcp module's events to the session, the session's effects to baresip.

It keeps plain files, which anybody can open, so it gives no notice but N2, N3 and N4: there is one purpose, and a no deletes
all there is. What would have to be kept for some eyes alone is not recorded. It has no archive, and forgets who declined.

python docs/embed_client.py 4444 sales recordings klartone session --stdio --policy policy.toml
"""

import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

ORDERS = {
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
    asked = json.dumps(dict(zip(("command", "params"), text.split(" ", 1), strict=False)))
    baresip.sendall(f"{len(asked)}:{asked},".encode())


def obey():
    muted = False
    for text in session.stdout:
        print(text.decode(), end="", flush=True)  # noqa: T201
        match told := json.loads(text):
            case {"type": "status", "state": {"phase": "incoming"}, "words": {"en": _}}:
                order("mute")  # baresip's is a switch: the agent is not heard until the session says so
                order("accept")
                muted = True
            case {"type": "set_microphone", "open": is_open} if is_open == muted:
                order("mute")
                muted = not muted
            case {"type": "play_notice", "call": call, "play": play, "notice": "N2" | "N3" | "N4"}:
                order(f"mixausrc_enc_start aufile {told['wav']} 0 100")
                tell("notice_started", call, play=play)
                threading.Timer(told["seconds"] + 0.3, tell, ["notice_heard", call], {"play": play}).start()
            case {"type": "play_notice", "call": call, "play": play}:
                tell("notice_failed", call, play=play)
            case {"type": "commit", "changes": changes}:
                for gone in (change["recording"] for change in changes if change["type"] == "discard"):
                    for file in Path(folder).glob(f"{gone}-*"):
                        file.unlink()
            case {"type": kind} if kind in ORDERS:
                order(ORDERS[kind].format(folder=folder, **told))


threading.Thread(target=obey, daemon=True).start()
tell("hello", protocol=1, auto_commit=True)
events = baresip.makefile("rb")
while size := b"".join(iter(lambda: events.read(1).strip(b":"), b"")):
    match event := json.loads(events.read(int(size) + 1)[:-1]):
        case {"type": "CALL_INCOMING", "id": call, "peeruri": uri}:
            tell("rang", call, line=line, number=uri.split(":")[1].split("@")[0])
        case {"type": "CALL_ESTABLISHED", "id": call}:
            tell("answered", call)
        case {"type": "CALL_DTMF_START", "id": call, "param": digit}:
            tell("digit_pressed", call, digit=digit)
        case {"type": "CALL_CLOSED", "id": call}:
            tell("call_ended", call)
            tell("end_wrap_up", call, id="over")
