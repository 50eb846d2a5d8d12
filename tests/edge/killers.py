"""What ends a pjsua2 that reads it, each seen to do so: PJSIP's assertions are on in its only wheel.

`IDLE` are requests to a phone at rest, `IN_CALL` come within a call, `ANSWERS` are answers to a call of its own, `REGISTRAR` are
answers to its REGISTER. `Min-Expires: 4294967295` does not end it, but makes it send thousands of REGISTERs a second.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.edge.raw_peer import RawPeer, answer

EMPTY_HOST = "<sip:p@[]>"
SIXTY_ROUTES = [f"Service-Route: <sip:127.0.0.1:{9 + number};lr>" for number in range(60)]


def _request(
    peer: RawPeer, name: str, method: str, *, with_sdp: bytes = b"", extra: tuple[str, ...] = (), **header: str
) -> bytes:
    extra = (*extra, "Content-Type: application/sdp") if with_sdp else extra
    data = peer.request(method, call=f"{name}-{peer.number()}", extra=extra, body=with_sdp).decode()
    for key, value in header.items():
        line = key.replace("_", "-")
        data = "\r\n".join(f"{line}: {value}" if one.startswith(f"{line}: ") else one for one in data.split("\r\n"))
    return data.encode()


def _invite(peer: RawPeer, name: str, *extra: str, sdp: bytes = b"", **header: str) -> bytes:
    return _request(peer, name, "INVITE", with_sdp=sdp or peer.sdp, extra=extra, **header)


IDLE: dict[str, Callable[[RawPeer], bytes]] = {
    "from": lambda peer: _request(peer, "from", "OPTIONS", From=f"{EMPTY_HOST};tag=a"),
    "to": lambda peer: _request(peer, "to", "OPTIONS", To=EMPTY_HOST),
    "record_route": lambda peer: _request(peer, "rr", "OPTIONS", extra=(f"Record-Route: {EMPTY_HOST}",)),
    "record_route_hide": lambda peer: _request(
        peer, "hide", "OPTIONS", extra=("Record-Route: <sip:p@127.0.0.1;hide>",)
    ),
    "record_route_escaped": lambda peer: _request(
        peer, "escaped", "OPTIONS", extra=("Record-Route: <sip:p@127.0.0.1;%68ide>",)
    ),
    "invite_contact": lambda peer: _invite(peer, "contact", Contact=EMPTY_HOST),
    "sdp_family": lambda peer: _invite(peer, "family", sdp=peer.sdp.replace(b"c=IN IP4 127.0.0.1", b"c=IN IP4 ::1")),
}

IN_CALL: dict[str, Callable[[RawPeer, str, str], bytes]] = {
    "dtmf_relay": lambda peer, call, tag: peer.request(
        "INFO", call=call, to_tag=tag, extra=("Content-Type: application/dtmf-relay",), body=b"Signal=5"
    ),
    "update_contact": lambda peer, call, tag: peer.request(
        "UPDATE", call=call, to_tag=tag, extra=("Content-Type: application/sdp",), body=peer.sdp
    ).replace(f"Contact: <sip:raw@127.0.0.1:{peer.port}>".encode(), f"Contact: {EMPTY_HOST}".encode()),
}


def _accepted(contact: str, peer: RawPeer, invite: bytes) -> bytes:
    return answer(invite, 200, f"Contact: {contact}", body=peer.sdp)


ANSWERS: dict[str, Callable[[RawPeer, bytes], bytes]] = {
    **{
        f"200_{contact}": partial(_accepted, contact)
        for contact in (EMPTY_HOST, "<tel:+4533445566>", "<http://x>", "<mailto:a@b>", "<sips:x@127.0.0.1:9>")
    },
    "180": lambda _, invite: answer(invite, 180, f"Contact: {EMPTY_HOST}"),
    "302": lambda _, invite: answer(invite, 302, f"Contact: {EMPTY_HOST}"),
}

REGISTRAR: dict[str, Callable[[bytes], bytes]] = {
    "service_routes": lambda register: answer(
        register, 200, *SIXTY_ROUTES, f"Contact: {own_contact(register)};expires=300"
    ),
    "star": lambda register: answer(register, 200, "Contact: *"),
    "expires": lambda register: answer(register, 200, f"Contact: {own_contact(register)}", "Expires: 4294967295"),
    "min_expires": lambda register: answer(register, 423, "Min-Expires: 4294967295"),
}


def own_contact(register: bytes) -> str:
    return register.partition(b"\r\nContact: ")[2].partition(b"\r\n")[0].decode()
