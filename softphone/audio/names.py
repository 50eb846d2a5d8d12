"""What people call a device that is not there: nobody but the sound system knows its name, so it is read out of the id.

A device that is there is called as the sound system calls it. No sound library is needed here.
"""

from __future__ import annotations

import re

_SERVERS = re.compile(r"(?:alsa|bluez)_(?:input|output|source|sink)\.(?P<of>.+)", re.ASCII)
_USB = re.compile(r"usb-(?P<name>.+?)-\d\d(?:\.[\w.-]+)?", re.ASCII)
_ADDRESS = re.compile(r"(?P<address>[0-9A-F]{2}(?:[_:][0-9A-F]{2}){5})(?:\.\S+)?", re.ASCII)
_SERIAL = re.compile(r"(?=.*\d)[0-9A-Za-z]{6,}", re.ASCII)


def device_name(id: str) -> str:
    """Of a device id, `host api: name`."""
    name = id.partition(": ")[2] or id
    server = _SERVERS.fullmatch(name)
    if server is None:
        return name
    if usb := _USB.fullmatch(server["of"]):
        words = usb["name"].split("_")
        while len(words) > 1 and (_SERIAL.fullmatch(words[-1]) or not words[-1]):
            words.pop()
        return " ".join(word for word in words if word)
    if address := _ADDRESS.fullmatch(server["of"]):
        return f"Bluetooth {address['address'].replace('_', ':')}"
    return server["of"]
