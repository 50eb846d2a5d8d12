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
    for text in session.stdout:
        told = json.loads(text)
        print(text.decode(), end="", flush=True)  # noqa: T201
        if told["type"] in ORDERS:
            order(ORDERS[told["type"]].format(folder=folder, **told))
        if told["type"] == "status" and told["state"]["phase"] == "incoming" and told["words"]:
            order("accept")
        if told["type"] == "play_notice":
            play = {"call": told["call"], "play": told["play"]}
            tell("notice_started", **play)
            threading.Timer(told["seconds"] + 0.3, tell, ["notice_heard"], play).start()
        for change in told.get("changes", ()):
            for file in Path(folder).glob(f"{change['recording']}-*") if change["type"] == "discard" else ():
                file.unlink()


threading.Thread(target=obey, daemon=True).start()
tell("hello", protocol=1, auto_commit=True)
events = baresip.makefile("rb")
while size := events.read(1):
    while size[-1:] != b":":
        size += events.read(1)
    event = json.loads(events.read(int(size[:-1]) + 1)[:-1])
    if kind := EVENTS.get(event.get("type", "").removeprefix("CALL_")):
        new = {"line": line, "number": event["peeruri"].split(":")[1].split("@")[0]}
        more = {"rang": new, "digit_pressed": {"digit": event["param"]}}
        tell(kind, event["id"], **more.get(kind, {}))
