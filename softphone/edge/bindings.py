"""What a registrar's answer to REGISTER means: whether it keeps this phone's Contact (RFC 3261 10.3), where, and for how long."""

from __future__ import annotations

from softphone.edge import paths
from softphone.edge.answers import unreadable
from softphone.edge.sdp_ports import bare
from softphone.edge.sent import Sent
from softphone.edge.sip.malformed import Malformed
from softphone.edge.sip.message import SipMessage
from softphone.edge.sip.uri import NameAddr, SipUri, Via
from softphone.edge.switch import Switch
from softphone.edge.transports import Hop

FIRST_HOP_LACKS_OUTBOUND = 439


def take_registration(switch: Switch, message: SipMessage, source: Hop, sent: Sent) -> None:
    """Registered means that the registrar will call this account, at the address it was given, for longer than no time."""
    via = Via.parse(message.get("Via") or "")
    seen = ((via.param("received") or sent.public[0]).strip("[]"), int(via.param("rport") or sent.public[1]))
    if sent.hop.transport == "udp" and seen != sent.public and sent.account in switch.accounts:
        switch.seen_as[sent.account] = seen
        switch.remember()
    bare(message)
    if message.code == FIRST_HOP_LACKS_OUTBOUND:
        # A proxy between us and the registrar: the next try does without.
        switch.no_outbound.add(sent.account)
        message = unreadable(message, "Registering without outbound")
    if 200 <= message.code < 300:
        ours = [one for one in message.all("Contact") if one != "*" and _is_ours(one, sent, seen)]
        message.remove("Contact")
        if sent.ends:
            switch.flows.pop(sent.account, None)
            switch.bound.pop(sent.account, None)
        elif not ours or _granted(ours[0], message) == 0:
            switch.counters["registrar.keeps_nothing"] += 1
            message = unreadable(message, "Registrar does not keep this address")
        else:
            contact = NameAddr.parse(ours[0]).with_uri(sent.contact)
            if 0 < sent.asks < _granted(ours[0], message):
                # Else a registrar that forgets or moves is not asked for years.
                contact = contact.with_param("expires", str(sent.asks))
            message.headers.append(("Contact", str(contact)))
            if sent.account in switch.accounts:
                switch.flows[sent.account] = source
                switch.servers.registered(sent.account, sent.hop)
                switch.bound[sent.account] = sent.bound
                switch.tell_moved(sent.account)
        switch.remember()
    paths.response_in(message, switch.place, sent.account)
    switch.to_phone(message)


def _is_ours(contact: str, sent: Sent, seen: tuple[str, int]) -> bool:
    try:
        uri = SipUri.parse(NameAddr.parse(contact).uri)
        ours = SipUri.parse(sent.contact)
    except Malformed:
        return False
    return uri.user == ours.user and (uri.host.strip("[]"), uri.port or 5060) in (sent.public, seen)


def _granted(contact: str, message: SipMessage) -> int:
    said = NameAddr.parse(contact).param("expires") or message.get("Expires") or "1"
    return int(said) if said.isdigit() else 1
