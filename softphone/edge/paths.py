"""How a message keeps its way while it passes the edge: Via, Record-Route, Route, Contact and request-URI, both ways.

Pure. To the network this phone is at the edge's public place; to pjsua2 everybody is behind the edge's inner one.
`docs/decisions` has the reason of each rule.
"""

from __future__ import annotations

import binascii
import hashlib
import uuid
from collections.abc import Callable
from typing import NamedTuple

from softphone.edge.answers import ALLOW, KNOWN_EXTENSIONS
from softphone.edge.channel import ACCOUNT, account_param
from softphone.edge.sip.malformed import Malformed
from softphone.edge.sip.message import SipMessage
from softphone.edge.sip.uri import NameAddr, SipUri, Via
from softphone.edge.transports import Hop

MARK = "x-edge"
"""the parameter in a peer's Via that names its answer's connection; it never passes the edge"""
SECURED = "x-sips"
"""the parameter of a URI that is `sips` outside: pjsua2 has no TLS, and would look for it"""
FORMS_DIALOGS = frozenset({"INVITE", "UPDATE", "SUBSCRIBE", "REFER", "NOTIFY"})


class LocalAddresses(NamedTuple):
    """`inner` is the edge's end towards pjsua2, `phone` is pjsua2's own."""

    inner: tuple[str, int]
    phone: tuple[str, int]


# --- from the network to pjsua2 -----------------------------------------------------------------


def request_in(message: SipMessage, source: Hop, place: LocalAddresses, account: str) -> None:
    peers = Via.parse(message.get("Via") or "")
    branch = inner_branch(peers, message)
    if peers.param("rport") is not None:
        peers = peers.with_param("rport", str(source.port))
    mark = f"{source.transport}-{source.port}-{source.account.encode().hex()}"
    message.set_first("Via", str(peers.with_param("received", source.host).with_param(MARK, mark)))
    message.insert_before("Via", str(Via("UDP", *place.inner).with_param("rport").with_param("branch", branch)))
    message.remove("Route")  # for proxies on the way here; this is its end
    if message.method in FORMS_DIALOGS:
        message.insert_before("Record-Route", own_route(place, account))
    _plain(message)
    message.uri = str(SipUri("sip", _user(message.uri), *place.phone))


def response_in(message: SipMessage, place: LocalAddresses, account: str) -> None:
    via = Via.parse(message.get("Via") or "").without_param("received")
    if via.param("rport") is not None:
        via = via.with_param("rport", str(place.phone[1]))
    message.set_first("Via", str(via._replace(transport="UDP", host=place.phone[0], port=place.phone[1])))
    if message.method in FORMS_DIALOGS and 101 <= message.code < 300:
        # Last, since the caller turns the order round; even if the server sent none.
        message.insert_after("Record-Route", own_route(place, account))
    _plain(message)


def inner_branch(peers: Via, message: SipMessage) -> str:
    """One branch for a request, its repetitions, its CANCEL and the ACK to its refusal, as the peer's own."""
    known = f"{peers.host}:{peers.port} {peers.branch}"
    if not peers.branch.startswith("z9hG4bK"):
        # Before RFC 3261 more than the branch named a transaction.
        known += f" {message.get('Call-ID')} {(message.get('CSeq') or '').split(' ')[0]}"
    return "z9hG4bKe" + hashlib.blake2s(known.encode(), digest_size=12).hexdigest()


# --- from pjsua2 to the network -----------------------------------------------------------------


def strip_own_route(message: SipMessage, place: LocalAddresses) -> str:
    """The account that it names; empty if it names none."""
    first = message.get("Route")
    if first is None or not _is_own(first, place):
        return ""
    message.remove_first("Route")
    named = SipUri.parse(NameAddr.parse(first).uri).param(ACCOUNT) or ""
    try:
        return bytes.fromhex(named).decode()
    except ValueError:
        return ""


def request_out(message: SipMessage, hop: Hop, public: tuple[str, int], branch: str) -> None:
    via = Via.parse(message.get("Via") or "")
    via = via._replace(transport=hop.transport.upper(), host=public[0], port=public[1])
    message.set_first("Via", str(via.with_param("branch", branch)))
    if SECURED in message.uri:
        message.uri = str(_secured(SipUri.parse(message.uri)))
    message.headers = [
        (name, _each_uri(value, _secured) if name == "Route" else value) for name, value in message.headers
    ]


def through(message: SipMessage, proxy: str, transport: str) -> None:
    """An outbound proxy is a route that stands before all others (RFC 3261 8.1.2)."""
    route = f"<sip:{proxy}{f';transport={transport}' if transport != 'udp' else ''};lr>"
    first, own = first_route(message), SipUri.parse(NameAddr.parse(route).uri)
    if first is None or (first.host.lower(), first.port) != (own.host.lower(), own.port):
        message.insert_before("Route", route)


def first_route(message: SipMessage) -> SipUri | None:
    """Raises Malformed for one that leads nowhere."""
    route = message.get("Route")
    return SipUri.parse(NameAddr.parse(route).uri) if route is not None else None


def response_out(message: SipMessage, place: LocalAddresses) -> Hop | None:
    """Where it goes; None if it answers nothing from the network."""
    message.remove_first("Via")
    if (top := message.get("Via")) is None:
        return None
    via = Via.parse(top)
    transport, _, rest = (via.param(MARK) or "").partition("-")
    port, _, account = rest.partition("-")
    host = (via.param("received") or via.host).strip("[]")
    if transport in ("tcp", "tls") and port.isdigit():
        hop = Hop(transport, host, int(port), binascii.unhexlify(account).decode())
    else:
        asked = via.param("rport") or ""
        hop = Hop("udp", host, int(asked) if asked.isdigit() else via.port or 5060)
    message.set_first("Via", str(via.without_param(MARK)))
    message.headers = [one for one in message.headers if one[0] != "Record-Route" or not _is_own(one[1], place)]
    return hop


def contact_out(message: SipMessage, hop: Hop, public: tuple[str, int]) -> None:
    """Where others reach this phone, and by which transport."""
    if 300 <= message.code < 400:
        return
    message.headers = [
        (name, _public_contact(value, hop, public)) if name == "Contact" and value != "*" else (name, value)
        for name, value in message.headers
    ]


def abilities_out(message: SipMessage) -> None:
    """Allow and Supported name no more than the edge lets in."""
    if message.get("Allow") is not None:
        message.set_first("Allow", ALLOW)
    if message.get("Allow-Events") is not None:
        message.set_first("Allow-Events", "message-summary, refer")
    if (said := message.get("Supported")) is not None:
        known = [one.strip() for one in said.split(",") if one.strip() in KNOWN_EXTENSIONS]
        said_more = [value for value in message.all("Supported")[1:] if value.strip() in KNOWN_EXTENSIONS]
        message.set_first("Supported", ", ".join([*known, *said_more]))
        kept = message.get("Supported")
        message.remove("Supported")
        if kept:
            message.headers.append(("Supported", kept))


def outbound_out(message: SipMessage, account: str) -> None:
    """In a REGISTER by TLS: calls come by this connection, the phone's only one (RFC 5626)."""
    instance = uuid.uuid5(uuid.NAMESPACE_OID, f"{uuid.getnode()} {account}")
    message.headers = [
        (name, f'{value};reg-id=1;+sip.instance="<{instance.urn}>"')
        if name == "Contact" and value != "*"
        else (name, value)
        for name, value in message.headers
    ]
    message.headers.append(("Supported", "outbound"))


def next_uri(message: SipMessage) -> SipUri:
    """For a request from pjsua2 without its own Route: the next Route, else the request-URI. Raises Malformed for a tel URI."""
    route = message.get("Route")
    return SipUri.parse(NameAddr.parse(route).uri if route is not None else message.uri)


# --- both ---------------------------------------------------------------------------------------


def own_route(place: LocalAddresses, account: str) -> str:
    return f"<sip:{place.inner[0]}:{place.inner[1]};lr;{account_param(account)}>"


def names_in(message: SipMessage) -> list[tuple[str, int]]:
    """Hosts (with ports) to which later messages of this dialog may go."""
    found: list[tuple[str, int]] = []
    for header in ("Contact", "Record-Route"):
        for value in message.all(header):
            if value == "*":
                continue
            try:
                uri = SipUri.parse(NameAddr.parse(value).uri)
            except Malformed:
                continue
            found.append((uri.host, uri.port))
    return found


def _is_own(route: str, place: LocalAddresses) -> bool:
    uri = SipUri.parse(NameAddr.parse(route).uri)
    return (uri.host, uri.port) == place.inner


def _user(uri: str) -> str:
    if uri.lower().startswith("tel:"):
        return uri[4:].split(";")[0]
    return SipUri.parse(uri).user


def _public_contact(value: str, hop: Hop, public: tuple[str, int]) -> str:
    contact = NameAddr.parse(value)
    uri = SipUri.parse(contact.uri).without_param("ob", "transport")
    uri = uri._replace(scheme="sip", host=public[0], port=public[1])
    if hop.transport != "udp":
        uri = uri.with_param("transport", hop.transport)
    return str(contact.with_uri(uri))


def _plain(message: SipMessage) -> None:
    """`sips` in what later requests go to becomes `sip` with a mark, which turns it round on their way out."""
    message.headers = [
        (name, _each_uri(value, _unsecured) if name in ("Contact", "Record-Route") and value != "*" else value)
        for name, value in message.headers
    ]


def _each_uri(value: str, change: Callable[[SipUri], SipUri]) -> str:
    try:
        named = NameAddr.parse(value)
        uri = SipUri.parse(named.uri)
    except Malformed:
        return value
    changed = change(uri)
    return value if changed == uri else str(named.with_uri(changed))


def _unsecured(uri: SipUri) -> SipUri:
    return uri._replace(scheme="sip").with_param(SECURED) if uri.scheme == "sips" else uri


def _secured(uri: SipUri) -> SipUri:
    return uri._replace(scheme="sips").without_param(SECURED) if uri.param(SECURED) is not None else uri
