"""TLS towards an account's server: whom it trusts, which name the server must prove, and what a failure is called.

It opens no connection. A code here is a text's id behind `connection.`; the same one goes to the window, the log and `doctor`.
"""

from __future__ import annotations

import importlib
import ipaddress
import ssl
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

_NAME, _EXPIRED, _NOT_YET, _UNKNOWN = "tls_name", "tls_expired", "tls_not_yet", "tls_unknown_authority"
_VERIFY = {
    **dict.fromkeys((62, 64, 0x800B010F), _NAME),
    **dict.fromkeys((10, 0x800B0101), _EXPIRED),
    9: _NOT_YET,
    **dict.fromkeys((2, 7, 18, 19, 20, 21, 0x800B0109, 0x800B010A), _UNKNOWN),
    **dict.fromkeys((23, 0x80092010), "tls_revoked"),
}
"""OpenSSL's codes, and those of Windows"""
_REASONS = {
    **dict.fromkeys(("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"), "tls_none"),
    **dict.fromkeys(("UNEXPECTED_EOF_WHILE_READING", "PACKET_LENGTH_TOO_LONG"), "tls_none"),
    **dict.fromkeys(("TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL"), "tls_version"),
    **dict.fromkeys(("TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_BAD_CERTIFICATE"), "tls_client_certificate"),
    **dict.fromkeys(("SSLV3_ALERT_HANDSHAKE_FAILURE", "TLSV1_ALERT_INSUFFICIENT_SECURITY"), "tls_handshake"),
}
_SYSTEMS_OWN = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""where Linux keeps its authorities. A packaged Python looks where it was built"""
MOST_DETAIL = 120


class ConnectionFault(NamedTuple):
    """Why there is no connection. `detail` has names of machines only: those on a certificate, or the system's own words."""

    code: str
    detail: str = ""


class TlsServer(NamedTuple):
    """`name` is what its certificate must be for. `authority`: a file with the only authorities to trust; empty: the
    system's."""

    name: str
    authority: str = ""


class NotTrusted(Exception):  # noqa: N818 - the server is not
    def __init__(self, fault: ConnectionFault) -> None:
        self.fault = fault
        super().__init__(fault.code)


def client_context(authority: str) -> ssl.SSLContext:
    """TLS 1.2 and 1.3. It reads files, so call it on a thread. Raises NotTrusted `tls_authority_file`.

    The name is checked by `check_name`: RFC 5922 puts a SIP address in a certificate before its DNS names.
    """
    # SRTP comes with TLS: its check is loaded here, where no sound waits for it.
    importlib.import_module("cryptography.hazmat.primitives.ciphers")
    if sys.platform == "win32" and not authority:
        import truststore  # Windows fetches an authority when it is first met, which `ssl` does not do

        context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _trust(context, authority)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _trust(context: ssl.SSLContext, authority: str) -> None:
    if not authority:
        context.load_default_certs()
        if not context.cert_store_stats()["x509_ca"] and not any(_usual_places()):
            own = next((one for one in _SYSTEMS_OWN if Path(one).is_file()), "")
            if own:
                context.load_verify_locations(own)
        return
    try:
        context.load_verify_locations(authority)
    except (OSError, ValueError) as error:
        said = "" if isinstance(error, ssl.SSLError) else getattr(error, "strerror", None) or ""
        raise NotTrusted(ConnectionFault("tls_authority_file", said)) from None


def _usual_places() -> Iterator[bool]:
    """Folders of authorities, which OpenSSL reads only when it meets one."""
    folder = ssl.get_default_verify_paths().capath
    if folder:
        yield any(Path(folder).glob("*.0"))


def check_name(certificate: Mapping[str, Any], name: str) -> None:
    """Whether a verified certificate (as `getpeercert` tells it) is for `name` (RFC 5922 7.1). Raises NotTrusted `tls_name`.

    An address is for an iPAddress alone. Of names, a `sip:` address in it stands above its DNS names, and its common name
    counts only where it has no other name at all. A wildcard stands for one label of a DNS name, which RFC 5922 forbids and
    hosted exchanges use.
    """
    kinds: tuple[tuple[str, str], ...] = certificate.get("subjectAltName", ())
    wanted = _address(name.strip("[]"))
    if wanted is not None:
        said = [value for kind, value in kinds if kind == "IP Address"]
        fits = any(_address(one.strip()) == wanted for one in said)
    else:
        addresses = [value[4:] for kind, value in kinds if kind == "URI" and value.lower().startswith("sip:")]
        said = [one for one in addresses if "@" not in one]
        wild = not said and bool(kinds)
        if wild:
            said = [value for kind, value in kinds if kind == "DNS"]
        elif not said:
            parts: tuple[tuple[tuple[str, str], ...], ...] = certificate.get("subject", ())
            said = [value for part in parts for kind, value in part if kind == "commonName"]
        fits = any(_fits(one, name, wild=wild) for one in said)
    if not fits:
        shown = said or [value for kind, value in kinds if kind in ("DNS", "IP Address")]
        raise NotTrusted(ConnectionFault(_NAME, ", ".join(shown)[:MOST_DETAIL]))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _fits(said: str, name: str, *, wild: bool) -> bool:
    said, name = said.rstrip(".").lower(), name.rstrip(".").lower()
    if said.startswith("*."):
        label, dot, rest = name.partition(".")
        return wild and bool(label and dot) and rest == said[2:] and "." in rest
    return bool(name) and said == name


def fault_of(error: BaseException | None) -> ConnectionFault | None:
    """What a failed handshake or a broken connection was; None if it just ended."""
    match error:
        case NotTrusted():
            return error.fault
        case ssl.SSLCertVerificationError():
            code = int(getattr(error, "verify_code", 0)) & 0xFFFFFFFF
            said = str(getattr(error, "verify_message", ""))
            return ConnectionFault(_VERIFY.get(code, "tls_certificate"), said[:MOST_DETAIL])
        case ssl.SSLError():
            return ConnectionFault(_REASONS.get(error.reason or "", "tls_other"), (error.reason or "")[:MOST_DETAIL])
        case _:
            return None
