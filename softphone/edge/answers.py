"""What the edge answers by itself, and what this phone lets in (RFC 3261 8.2). Pure: values in, messages out."""

from __future__ import annotations

import hashlib

from softphone.edge.sip.message import SipMessage
from softphone.edge.sip.uri import NameAddr, Via
from softphone.edge.transports import Hop

LET_IN = ("INVITE", "ACK", "BYE", "CANCEL", "PRACK", "UPDATE", "INFO", "NOTIFY", "REFER", "OPTIONS")
ALLOW = ", ".join(LET_IN)
KNOWN_EXTENSIONS = ("100rel", "timer", "record-aware", "replaces")
SUPPORTED = ", ".join(KNOWN_EXTENSIONS)

PHRASES = {
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    405: "Method Not Allowed",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Merged Request",
    486: "Busy Here",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    502: "Answer could not be read",
    503: "Service Unavailable",
    505: "Version Not Supported",
    513: "Message Too Large",
    603: "Decline",
}

Header = tuple[str, str]


def answer(request: SipMessage, code: int, *headers: Header, phrase: str = "") -> SipMessage:
    """To a request, as far as it can be read. A To without a tag gets one, the same for the same request."""
    to = request.get("To") or ""
    if request.method != "CANCEL" or code != 200:
        to = _tagged(to, request)
    kept = [("Via", via) for via in request.all("Via")]
    kept += [("From", request.get("From") or ""), ("To", to)]
    kept += [("Call-ID", request.get("Call-ID") or ""), ("CSeq", request.get("CSeq") or "")]
    return SipMessage(request.method, "", code, phrase or PHRASES.get(code, "Refused"), [*kept, *headers])


def unreadable(response: SipMessage, phrase: str = "", code: int = 502) -> SipMessage:
    """What pjsua2 gets in place of a final answer that could not be let in: only what names its transaction."""
    kept = [one for one in response.headers if one[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
    return SipMessage(response.method, "", code, phrase or PHRASES[code], kept)


def judge(request: SipMessage, *, in_dialog: bool, alive: bool) -> tuple[int, tuple[Header, ...]]:
    """What the edge itself says to a request from an accepted address: 0 lets it in."""
    method = request.method
    if method not in LET_IN:
        return 405, (("Allow", ALLOW),)
    if method == "ACK":
        return 0, ()
    unknown = [one for one in _tokens(request, "Require") if one.lower() not in KNOWN_EXTENSIONS]
    if unknown and method != "CANCEL":
        return 420, (("Unsupported", ", ".join(unknown)),)
    tagged = has_tag(request)
    if method == "INVITE" and tagged and request.get("Replaces") is not None:
        return 400, ()
    if method == "REFER" and not tagged:
        return 603, ()  # it would have us call somebody out of nothing
    if tagged and not in_dialog:
        return 481, ()
    if method == "REFER" and not alive:
        return 503, ()
    if method == "OPTIONS":
        if not alive:
            return 503, ()
        return 200, (("Allow", ALLOW), ("Accept", "application/sdp"), ("Supported", SUPPORTED))
    if not tagged and method not in ("INVITE", "CANCEL") and not is_summary(request):
        return 481, ()
    return 0, ()


def is_summary(request: SipMessage) -> bool:
    """What an exchange says of a mailbox (RFC 3842), asked for or not."""
    event = (request.get("Event") or "").partition(";")[0].strip().lower()
    return request.method == "NOTIFY" and event == "message-summary"


def has_tag(request: SipMessage) -> bool:
    return NameAddr.parse(request.get("To") or "").param("tag") is not None


def reply_hop(request: SipMessage, source: Hop) -> Hop:
    """Where an answer goes (RFC 3261 18.2.2, RFC 3581)."""
    if source.transport != "udp":
        return source
    via = Via.parse(request.get("Via") or "")
    return source if via.param("rport") is not None else Hop("udp", source.host, via.port or 5060)


def seen_from(request: SipMessage, source: Hop) -> None:
    """Write into a request's Via where it came from, so that the answer finds its way."""
    via = Via.parse(request.get("Via") or "").with_param("received", source.host)
    if via.param("rport") is not None:
        via = via.with_param("rport", str(source.port))
    request.set_first("Via", str(via))


def _tagged(to: str, request: SipMessage) -> str:
    try:
        parsed = NameAddr.parse(to)
    except ValueError:
        return to
    if parsed.param("tag") is not None:
        return to
    digest = hashlib.blake2s(
        "\n".join((request.get("Call-ID") or "", request.get("Via") or "")).encode(), digest_size=6
    )
    return str(parsed.with_param("tag", f"e{digest.hexdigest()}"))


def _tokens(message: SipMessage, name: str) -> list[str]:
    return [one.strip() for value in message.all(name) for one in value.split(",") if one.strip()]
