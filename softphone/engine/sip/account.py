"""A SIP account: its pjsua2 director, its configuration, and what its registration's answers mean.

PJSIP does digest authentication. A refusal is final until the account is changed, because repeating a wrong password locks
accounts.
"""

# ruff: noqa: N802 - callbacks bear PJSIP's own names

from __future__ import annotations

import re

import pjsua2 as pj

from softphone.domain.errors import KlartoneError, SettingsError
from softphone.edge.channel import account_param
from softphone.engine.sip.call import CallDirector, InviteArrived, PhonePost, new_call_id
from softphone.engine.sip.events import RegistrationState
from softphone.engine.sip.message import host_of, mended, parse_address, parse_message
from softphone.engine.sip.raw_events import RegistrationAnswered, RegistrationStarted, guarded
from softphone.engine.sip.settings import AccountSettings

# No answer, or an answer that says "not now": the registrar may still be reached.
_NOT_NOW = frozenset({0, 408, 480, 500, 502, 503, 504, 600})

_RETRY_AFTER = re.compile(r"^Retry-After:[ \t]*(\d{1,6})", re.MULTILINE | re.IGNORECASE)
SUITE = "AES_CM_128_HMAC_SHA1_80"
"""the one that every peer has (RFC 4568 6.2); shorter tags are weaker"""
_SRTP = {"off": pj.PJMEDIA_SRTP_DISABLED, "optional": pj.PJMEDIA_SRTP_OPTIONAL, "required": pj.PJMEDIA_SRTP_MANDATORY}
_HOST = re.compile(r"^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?$")
_NUMBER = re.compile(r"^[+]?[0-9A-D*#]+$")
_URI = re.compile(r"^(?:sips?:)?[^\s<>\"@]+@[^\s<>\"@]+$")
_USER = re.compile(r"^[A-Za-z0-9+._~!$&'()*,;=%-]+$")


class AccountDirector(pj.Account):
    def __init__(self, account: str, post: PhonePost) -> None:
        super().__init__()
        self.account = account
        self.post = post

    @guarded
    def onRegStarted(self, prm: pj.OnRegStartedParam) -> None:
        self.post(RegistrationStarted(self.account, bool(prm.renew)))

    @guarded
    def onRegState(self, prm: pj.OnRegStateParam) -> None:
        code = int(prm.code) if prm.status == 0 or prm.code >= 300 else 0
        said = _RETRY_AFTER.search(prm.rdata.wholeMsg) if code >= 300 else None
        again = int(said[1]) if said else 0
        self.post(RegistrationAnswered(self.account, code, mended(prm.reason), int(prm.expiration), again))

    @guarded
    def onIncomingCall(self, prm: pj.OnIncomingCallParam) -> None:
        director = CallDirector(self, new_call_id(), self.post, prm.callId)
        message = parse_message(prm.rdata.wholeMsg)
        director.sip_call_id = message.headers.get("call-id", "")
        self.post(InviteArrived(director, self.account, message, host_of(mended(prm.rdata.srcAddress))))


def registration_state(code: int, seconds: int) -> RegistrationState:
    """What an answer to REGISTER means; `seconds` is the time granted, 0 when unregistered."""
    if 200 <= code < 300:
        return "registered" if seconds > 0 else "unregistered"
    return "unreachable" if code in _NOT_NOW else "refused"


def domain_of(settings: AccountSettings) -> str:
    """The address's `host[:port]`. Raises SettingsError `account_address`."""
    user, at, host = re.sub(r"^sips?:", "", settings.address.strip()).rpartition("@")
    if not at or not _USER.match(user) or not _HOST.match(host):
        raise SettingsError("account_address", address=settings.address)
    return host


def account_config(
    account: str, settings: AccountSettings, transport: int, bind: str, edge: str = ""
) -> pj.AccountConfig:
    """Behind an edge, all that this account sends goes to the edge: `edge` is its `host:port`.

    Raises SettingsError `account_address`, `account_server` or `account_transport`.
    """
    domain = domain_of(settings)
    if settings.transport not in (("udp", "tcp", "tls") if edge else ("udp", "tcp")):
        raise SettingsError("account_transport", transport=settings.transport)
    for server in (settings.registrar, settings.proxy):
        if server and not _HOST.match(server):
            raise SettingsError("account_server", server=server)
    user = re.sub(r"^sips?:", "", settings.address.strip()).rpartition("@")[0]
    # The edge knows the way of each account itself.
    by_tcp = ";transport=tcp" if settings.transport == "tcp" and not edge else ""

    config = pj.AccountConfig()
    config.idUri = f"{_quoted(settings.display_name)}<sip:{user}@{domain}>"
    config.mediaConfig.transportConfig.boundAddress = bind
    # Any free port: the library's own are 4000 and up, which anybody could guess.
    config.mediaConfig.transportConfig.port = 0
    _encrypt(config.mediaConfig, settings)
    if edge:
        # By this Route the edge knows whose request it is. It goes no further.
        config.sipConfig.proxies.append(f"<sip:{edge};lr;{account_param(account)}>")
        # The edge keeps the path open, and knows the address that others see.
        config.natConfig.udpKaIntervalSec = 0
        config.natConfig.contactRewriteUse = 0
        config.natConfig.viaRewriteUse = 0
    elif settings.transport == "udp":
        config.sipConfig.transportId = transport
    if settings.register:
        config.regConfig.registrarUri = f"sip:{settings.registrar or domain}{by_tcp}"
        config.regConfig.timeoutSec = settings.expires
        # PJSIP would wait the same time again and again, whatever the server asks for.
        config.regConfig.retryIntervalSec = config.regConfig.firstRetryIntervalSec = 0
        config.regConfig.randomRetryIntervalSec = 0
    config.regConfig.registerOnAdd = settings.register
    config.mwiConfig.enabled = settings.mailbox and settings.register
    config.regConfig.dropCallsOnFail = False
    if settings.proxy and not edge:
        config.sipConfig.proxies.append(f"sip:{settings.proxy};lr{by_tcp}")
    name = settings.user or parse_address(f"sip:{user}@{domain}").user
    if settings.password:
        config.sipConfig.authCreds.append(
            pj.AuthCredInfo("digest", "*", name, pj.PJSIP_CRED_DATA_PLAIN_PASSWD, settings.password)
        )
    return config


def _encrypt(media: pj.AccountMediaConfig, settings: AccountSettings) -> None:
    """SRTP with its keys in SDP (RFC 4568). By `optional` an offer is RTP/AVP with keys: who cannot read them talks plain."""
    media.srtpUse = _SRTP[settings.keys_sound]
    # To PJSIP all signalling is UDP. The edge sees to it that keys go by TLS.
    media.srtpSecureSignaling = 0
    media.srtpOpt.keyings.append(pj.PJMEDIA_SRTP_KEYING_SDES)
    suite = pj.SrtpCrypto()
    suite.name = SUITE
    media.srtpOpt.cryptos.append(suite)


def target_uri(settings: AccountSettings, target: str, *, by_edge: bool = False) -> str:
    """A number as dialled, or a SIP URI. Raises KlartoneError `dial_target`, or `dial_sips` for one that needs TLS."""
    by_tcp = settings.transport == "tcp" and not by_edge
    if _URI.match(target.strip()):
        uri = target.strip()
        if uri.startswith("sips:") and settings.transport != "tls":
            raise KlartoneError("dial_sips")
        # To the edge the account's own transport says as much.
        uri = f"sip:{re.sub(r'^sips?:', '', uri)}"
    else:
        number = re.sub(r"[\s()./-]", "", target)
        if not _NUMBER.match(number):
            raise KlartoneError("dial_target")
        uri = f"sip:{number.replace('#', '%23')}@{domain_of(settings)}"
    return f"{uri};transport=tcp" if by_tcp and "transport=" not in uri else uri


def refer_uri(settings: AccountSettings, target: str, *, by_edge: bool = False) -> str:
    """The same for another phone to call. It does not know this account's way, so an address of its own server says it."""
    uri = target_uri(settings, target, by_edge=by_edge)
    at_server = uri.partition("@")[2].partition(";")[0].lower() == domain_of(settings).lower()
    needed = at_server or target.strip().startswith("sips:")
    if settings.transport == "udp" or not needed or "transport=" in uri:
        return uri
    return f"{uri};transport={settings.transport}"


def _quoted(display_name: str) -> str:
    plain = "".join(sign for sign in display_name if sign.isprintable()).strip()
    if not plain:
        return ""
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" '
