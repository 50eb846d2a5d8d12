"""baresip records by Klartone's rules: its ctrl_tcp module's events to the session, the session's orders to baresip.

It says that it is a plain phone (docs/embed.md): it keeps files that anybody can open, and shows its agent nothing. So it is
given only notices after which a no deletes all there is. It has no archive, and forgets who declined.

python docs/embed_client.py 4444 sales recordings klartone session --stdio --policy policy.toml
"""

import json
import socket
import subprocess
import sys
from pathlib import Path
from threading import Thread

# Baresip's `mute` is a switch, and each order to throw it.
ORDERS = {"answer_call": "accept", "set_microphone": "mute", "end_call": "hangup", "stop_notice": "mixausrc_enc_stop"}
ORDERS |= {"play_notice": "mixausrc_enc_start aufile {wav} 0 100", "stop_recorder": "auplay aufile,/dev/null"}
ORDERS |= {"start_recorder": "auplay aufile,{folder}/{recording}-{segment}.wav"}
try:
    port, line, folder, program, *rest = sys.argv[1:]
    baresip = socket.create_connection(("127.0.0.1", int(port)))
    session = subprocess.Popen([program, *rest], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
except ValueError:
    sys.exit(f"Wanted: baresip's port, a line, a folder and the session's command, as in\n{__doc__.splitlines()[-1]}")
except OSError as error:
    sys.exit(f"Nothing was begun ({error}). Baresip must run and listen at the port, and the command be there.")


def tell(kind, call="", **fields):
    session.stdin.write(json.dumps({"type": kind, "call": call, **fields}).encode() + b"\n")


def obey():
    for text in session.stdout:
        print(text.decode(), end="", flush=True)  # noqa: T201
        match told := json.loads(text):
            case {"type": kind} if kind in ORDERS:
                asked = json.dumps({"command": ORDERS[kind].format(folder=folder, **told)})
                baresip.sendall(f"{len(asked)}:{asked},".encode())
            case {"type": "delete_segment", "recording": recording, "segment": segment}:
                Path(folder, f"{recording}-{segment}.wav").unlink(missing_ok=True)


Thread(target=obey, daemon=True).start()
tell("hello", protocol=1, plain=True)
while size := b"".join(iter(lambda: baresip.recv(1).strip(b":"), b"")):
    match json.loads(baresip.recv(int(size) + 1, socket.MSG_WAITALL)[:-1]):
        case {"type": "CALL_INCOMING", "id": call, "peeruri": uri}:
            tell("rang", call, line=line, number=uri.split(":")[1].split("@")[0])
        case {"type": "CALL_DTMF_START", "id": call, "param": digit}:
            tell("digit_pressed", call, digit=digit)
        case {"type": "CALL_REMOTE_SDP", "id": call, "remoteaudiodir": way}:
            tell("hold_signalled", call, held=way != "sendrecv")
        case {"type": "CALL_ESTABLISHED" | "CALL_CLOSED" as kind, "id": call}:
            tell("call_ended" if kind == "CALL_CLOSED" else "answered", call)
