"""What REFER, its NOTIFY and Replaces say, read strictly. Pure: nothing of them reaches pjsua2, which would act on it.

pjsua2 would dial whom a REFER names, and swap a call's party for whoever says Replaces. The engine gets values instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from softphone.edge.dialogs import Dialog, Dialogs
from softphone.edge.sip.malformed import Malformed
from softphone.edge.sip.message import SipMessage
from softphone.edge.sip.uri import NameAddr, SipUri
from softphone.edge.transports import Hop

PASSPORT = "klartone-passport"
_PARTS = re.compile(r"([!-:<-~]{1,256});([ -~]{1,512})")
_STATUS = re.compile(rb"SIP/2\.0 ([1-6][0-9]{2})(?: [^\r\n]*)?(?:\r?\n|\Z)")
_TEL = re.compile(r"tel:[+0-9*#().;=A-Za-z-]{1,64}", re.IGNORECASE)
_SPARED = {408: 480, 481: 603}
_PLAIN = re.compile(r"[!-~]{1,2048}")


@dataclass(frozen=True, slots=True)
class Referral:
    """Whom the other side would have us call. `replaces` and `passport` go along; each is empty if there is none."""

    target: str
    replaces: str = ""
    passport: str = ""


def read_refer(request: SipMessage) -> Referral | None:
    """None unless it names one address, to be called. Other headers that its URI would add to our INVITE are left out."""
    named = request.all("Refer-To")
    if len(named) != 1:
        return None
    try:
        address = NameAddr.parse(named[0]).uri
        if _TEL.fullmatch(address):
            return Referral(address)
        uri = SipUri.parse(address)
    except Malformed:
        return None
    if (uri.param("method") or "INVITE").upper() != "INVITE":
        return None
    headers = _headers(uri.headers)
    replaces, passport = headers.get("replaces", ""), headers.get(PASSPORT, "")
    if replaces and _read_replaces(replaces) is None:
        return None
    bare = uri.without_param("method")._replace(headers="")
    return Referral(str(bare), replaces, passport if _PLAIN.fullmatch(passport) else "")


def wants_to_hear(refer: SipMessage) -> bool:
    """Unless it says `Refer-Sub: false` (RFC 4488)."""
    return (refer.get("Refer-Sub") or "").partition(";")[0].strip().lower() != "false"


def names_refer(notify: SipMessage, number: int) -> bool:
    """Whether it may tell of the REFER with this CSeq. It need not name the first of a call, and some name none."""
    _, _, params = (notify.get("Event") or "").partition(";")
    named = [
        value.strip() for name, _, value in (one.partition("=") for one in params.split(";")) if name.strip() == "id"
    ]
    return all(one == str(number) for one in named)


def read_progress(request: SipMessage) -> tuple[int, bool] | None:
    """Of a NOTIFY about our REFER: SIP's code of the call there, and whether it is the last word (RFC 3515)."""
    if (request.get("Event") or "").partition(";")[0].strip().lower() != "refer":
        return None
    state = (request.get("Subscription-State") or "").partition(";")[0].strip().lower()
    kind = (request.get("Content-Type") or "").partition(";")[0].strip().lower()
    status = _STATUS.match(request.body) if kind == "message/sipfrag" else None
    if status is None:
        return 0, state == "terminated"
    code = int(status[1])
    return code, code >= 200 or state == "terminated"


def spare_call(response: SipMessage) -> None:
    """pjsua2 ends a call for any 408 or 481. To REFER and NOTIFY they end no more than what was asked (RFC 5057)."""
    if response.method == "REFER":
        response.code = _SPARED.get(response.code, response.code)
    elif response.method == "NOTIFY" and response.code in _SPARED:
        response.code, response.phrase = 200, "OK"


def replaced_by(invite: SipMessage, dialogs: Dialogs, source: Hop) -> tuple[int, Dialog | None]:
    """The call that an INVITE replaces, or the code that refuses it (RFC 3891). Only one that stands, named by both tags; one by
    TLS only by the connection of its own account."""
    said = invite.all("Replaces")
    parts = _read_replaces(said[0]) if len(said) == 1 else None
    if parts is None:
        return 400, None
    call_id, ours, theirs, early_only = parts
    dialog = dialogs.get(call_id)
    if dialog is None or not dialog.ours or ours != dialog.ours or theirs != dialog.party:
        return 481, None
    if "tls" in (dialog.peer.transport, source.transport) and (source.transport, source.account) != (
        "tls",
        dialog.account,
    ):
        return 481, None
    if dialog.over:
        return 603, None
    if not dialog.established:
        return 481, None
    return (486, None) if early_only else (0, dialog)


def without_replaces(invite: SipMessage) -> None:
    """pjsua2 gets an ordinary call: the engine ends the other one itself."""
    if invite.get("Replaces") is None:
        return
    invite.remove("Replaces")
    required = [one.strip() for value in invite.all("Require") for one in value.split(",")]
    invite.remove("Require")
    if left := [one for one in required if one and one.lower() != "replaces"]:
        invite.headers.append(("Require", ", ".join(left)))


def _read_replaces(value: str) -> tuple[str, str, str, bool] | None:
    """Call-ID, our tag, theirs, and whether only a call that rings is meant."""
    found = _PARTS.fullmatch(value)
    if found is None:
        return None
    fields: dict[str, str] = {}
    for part in found[2].split(";"):
        name, _, text = (piece.strip() for piece in part.partition("="))
        if name.lower() in fields:
            return None
        fields[name.lower()] = text
    ours, theirs = fields.get("to-tag", ""), fields.get("from-tag", "")
    return (found[1], ours, theirs, "early-only" in fields) if ours and theirs else None


def _headers(written: str) -> dict[str, str]:
    """Of a URI (RFC 3261 19.1.1); what occurs twice is left out."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for one in written.removeprefix("?").split("&"):
        name, equals, value = one.partition("=")
        key = unquote(name).lower()
        twice |= {key} & found.keys()
        if equals:
            found[key] = unquote(value)
    return {name: value for name, value in found.items() if name not in twice}
