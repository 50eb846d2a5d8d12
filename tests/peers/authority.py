"""A certificate authority of the test, and what it signs: whole, for another name, too old, or for nobody at all."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Signed:
    """Files (PEM), as servers and clients want them."""

    certificate: Path
    key: Path


class Authority:
    """`file` is its own certificate, to be trusted by who wants to."""

    def __init__(self, folder: Path, name: str = "Test authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(self._name)
            .issuer_name(self._name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + 30 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "authority.pem"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def sign(
        self, file: str, *names: str, addresses: Sequence[str] = (), common: str = "", begins: int = -1, ends: int = 30
    ) -> Signed:
        """For DNS names or IP addresses, and for SIP addresses (`sip:…`). `begins` and `ends` are days from now."""
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        said: list[x509.GeneralName] = [x509.UniformResourceIdentifier(one) for one in addresses]
        for name in names:
            try:
                said.append(x509.IPAddress(ipaddress.ip_address(name)))
            except ValueError:
                said.append(x509.DNSName(name))
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common or "a server")]))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins * DAY)
            .not_valid_after(now + ends * DAY)
        )
        if said:
            builder = builder.add_extension(x509.SubjectAlternativeName(said), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        made = Signed(self._folder / f"{file}.pem", self._folder / f"{file}.key")
        made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        made.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return made
