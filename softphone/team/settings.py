"""The service's settings: a TOML file, and its secrets from the environment, or from files that the environment names.

`KLARTONE_TEAM_STORAGE_SECRET` holds one, `KLARTONE_TEAM_STORAGE_SECRET_FILE` names a file that does (systemd's credentials).
No secret stands in the TOML file.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from softphone.domain.errors import TeamError
from softphone.domain.policy import KeyPath, key_lines
from softphone.domain.policy.faults import line_of, spelled
from softphone.domain.roles import Role
from softphone.system.toml import broken

PREFIX = "KLARTONE_TEAM_"
NUMBER_KEY, RECEIPT_KEY, STORAGE_SECRET = "NUMBER_KEY", "RECEIPT_KEY", "STORAGE_SECRET"
DATABASE_PASSWORD, SIGN_IN_PASSWORD, MIGRATOR_PASSWORD = "DATABASE_PASSWORD", "SIGN_IN_PASSWORD", "MIGRATOR_PASSWORD"
SWEEPER_PASSWORD = "SWEEPER_PASSWORD"  # noqa: S105 - a name
HEAD_KEY = "HEAD_KEY"
CERTIFICATE_KEY = "CERTIFICATE_KEY"
_KEY_BYTES = 32


class Durable(StrEnum):
    """An archive of the database's own log (WAL), another server that each transaction waits for, or nothing."""

    ARCHIVED = "archived"
    STANDBY = "standby"
    ALONE = "alone"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Serve(_Table):
    """`address` is what desks call; `certificate` and `key` (PEM) where no balancer in front of it ends TLS. Without `key` it is
    the secret `CERTIFICATE_KEY`, or in the certificate's file."""

    address: Annotated[str, Field(pattern=r"^https://[A-Za-z0-9.:\[\]-]+$")]
    listen: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8420
    certificate: str = ""
    key: str = ""
    behind_balancer: bool = False
    """a balancer ends TLS, and it alone reaches this"""


class Database(_Table):
    """How PostgreSQL is reached (libpq's words, without user and password)."""

    connect: str = "host=/run/postgresql dbname=klartone"
    connections: Annotated[int, Field(ge=4, le=200)] = 10
    """of a process, at most"""
    durable: Durable = Durable.ARCHIVED
    """what makes it outlive its server: until that has an entry, desks keep their own copies"""


class StorageTable(_Table):
    bucket: Annotated[str, Field(min_length=3, max_length=63)]
    access_key: str
    endpoint: str = ""
    region: str = "us-east-1"
    authority: str = ""


class SignIn(_Table):
    """The process that signs in, and the house's OpenID Connect. `roles` says which values of a claim make somebody what; nobody
    is anything without one."""

    listen: Annotated[str, Field(pattern=r"^(unix:/\S+|[A-Za-z0-9.:\[\]-]+:[0-9]{1,5})$")] = (
        "unix:/run/klartone/sign-in.sock"
    )
    """a socket, or host:port"""
    issuer: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    """empty: one-time codes alone"""
    client: Annotated[str, Field(max_length=200)] = ""
    scopes: str = "openid profile"
    roles_claim: str = "groups"
    agents_claim: str = "sip"
    """an agent's addresses"""
    roles: dict[Role, list[str]] = Field(default_factory=dict[Role, list[str]])
    authority: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.issuer and not (self.client and self.roles):
            raise PydanticCustomError("issuer_alone", "an issuer needs a client and roles")
        return self

    @property
    def socket(self) -> str:
        """Its path; empty: it is host and port."""
        return self.listen.removeprefix("unix:") if self.listen.startswith("unix:") else ""

    @property
    def host(self) -> str:
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.listen.rpartition(":")[2])

    @property
    def is_near(self) -> bool:
        """On this machine: `serve` passes on to it. Otherwise the balancer leads there."""
        return bool(self.socket) or is_loopback(self.host)


class TeamSettings(_Table):
    serve: Serve
    database: Database = Database()
    storage: StorageTable
    sign_in: SignIn = SignIn()


@dataclass(frozen=True, slots=True)
class Secrets:
    """`number_key` finds numbers, `receipt_key` signs receipts (Ed25519). A login without a password signs in as the server
    lets it. The password of the login that opens sessions is none of them: that is another process's."""

    number_key: bytes = field(repr=False)
    receipt_key: bytes = field(repr=False)
    storage: str = field(repr=False)
    database: str = field(default="", repr=False)


def read_settings(path: Path) -> TeamSettings:
    """Raises TeamError with the first thing that is wrong, and where."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        detail = getattr(error, "strerror", None) or type(error).__name__
        raise TeamError("error.team.settings_unreadable", path=str(path), detail=detail) from error
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        fault = broken(text, str(error))
        raise TeamError("error.team.settings.broken", path=str(path), line=fault.line or 1) from error
    try:
        found = TeamSettings.model_validate(told)
    except ValidationError as error:
        raise _wrong(path, key_lines(text), error.errors()[0]) from error
    if not _is_guarded(found):
        raise TeamError("error.team.settings_open", path=str(path))
    return found


def read_secrets(environment: Mapping[str, str]) -> Secrets:
    """Raises TeamError with the name of the variable that is missing, or that holds no such secret."""
    return Secrets(
        key_in(environment, NUMBER_KEY),
        key_in(environment, RECEIPT_KEY),
        secret_in(environment, STORAGE_SECRET, needed=True),
        secret_in(environment, DATABASE_PASSWORD),
    )


def _wrong(path: Path, lines: Mapping[KeyPath, int], error: ErrorDetails) -> TeamError:
    """What it is, in words of its own where the kind of fault or the key has some."""
    at = tuple(part for part in error["loc"] if part != "[key]")
    kind = "form" if error["type"] in _FORMS and at[-1] in _FORMED else _KINDS.get(error["type"], "other")
    code = f"error.team.settings.{kind}" + (f"_{at[-1]}" if kind == "form" else "")
    told = {"path": str(path), "line": line_of(lines, at) or 1, "key": spelled(at) or "sign_in"}
    return TeamError(
        code, **told, **{name: str(value) for name, value in error.get("ctx", {}).items() if name in _TOLD}
    )


_KINDS = {
    "missing": "missing",
    "extra_forbidden": "unknown",
    "enum": "choice",
    "issuer_alone": "issuer_alone",
    "greater_than_equal": "least",
    "less_than_equal": "most",
}
_FORMS = frozenset({"string_pattern_mismatch", "string_too_short", "string_too_long"})
_FORMED = frozenset({"address", "listen", "issuer", "bucket"})
_TOLD = frozenset({"ge", "le", "expected"})


def _is_guarded(found: TeamSettings) -> bool:
    """Tokens never cross a network in the clear."""
    balanced = found.serve.behind_balancer
    served = bool(found.serve.certificate) or balanced or is_loopback(found.serve.listen)
    return served and (balanced or found.sign_in.is_near)


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def key_in(environment: Mapping[str, str], name: str) -> bytes:
    """Raises TeamError where it is missing, or is none."""
    try:
        raw = base64.b64decode(secret_in(environment, name, needed=True), validate=True)
    except binascii.Error:
        raw = b""
    if len(raw) != _KEY_BYTES:
        raise TeamError("error.team.secret_wrong", name=PREFIX + name)
    return raw


def file_in(environment: Mapping[str, str], name: str) -> str:
    """The file of a secret: as the environment names it; or in the folder of credentials, where systemd puts
    `klartone_` before its name (`LoadCredential=klartone:FOLDER`). Empty: there is none."""
    folder = environment.get("CREDENTIALS_DIRECTORY", "")
    paths = [Path(folder) / f"{before}{name.lower()}" for before in ("klartone_", "")] if folder else []
    return environment.get(f"{PREFIX}{name}_FILE") or next((str(path) for path in paths if path.exists()), "")


def secret_in(environment: Mapping[str, str], name: str, *, needed: bool = False) -> str:
    """Empty: it is not there. Raises TeamError where it is `needed`, or its file cannot be read."""
    value = environment.get(PREFIX + name, "")
    path = "" if value else file_in(environment, name)
    if path:
        try:
            value = Path(path).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise TeamError("error.team.secret_wrong", name=f"{PREFIX}{name}_FILE") from error
    if needed and not value:
        raise TeamError("error.team.secret_missing", name=PREFIX + name)
    return value
