"""A real Kamailio on loopback: registrar and proxy over UDP, TCP and TLS, digest with fixed credentials.

It keeps locations in memory and relays calls to them. Its port can be kept over a restart, so that a
registrar that goes away and comes back can be played.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.peers.authority import Signed
from tests.peers.processes import end, free_port, until

REALM = "klartone.test"

_CONFIG = """#!KAMAILIO
debug=-1
log_stderror=yes
children=1
tcp_children=1
{tls_on}
auto_aliases=no
listen=udp:{host}:{port}
listen=tcp:{host}:{port}
mpath="{modules}"
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "htable.so"
loadmodule "auth.so"
loadmodule "ctl.so"
loadmodule "path.so"
{tls_module}
{media_module}
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", 600)
modparam("registrar", "min_expires", 1)
modparam("registrar", "use_path", 1)
modparam("ctl", "binrpc", "unix:{home}/ctl")
modparam("htable", "htable", "cred=>size=4;")
modparam("auth", "algorithm", "{algorithm}")

event_route[htable:mod-init] {{
{credentials}
}}

request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    if (has_totag()) {{
        # A phone may name itself by what this registrar gave it (RFC 5627): Linphone does.
        if (loose_route()) {{ if (is_gruu()) lookup("location"); {media} t_relay(); exit; }}
        if (is_method("ACK")) {{ if (t_check_trans()) t_relay(); exit; }}
        sl_send_reply("404", "Not Here"); exit;
    }}
    t_check_trans();
    {before}
    if (is_method("REGISTER")) {{
        if ($sht(cred=>$tU) == $null) {{ sl_send_reply("403", "Forbidden"); exit; }}
        if (!pv_www_authenticate("{realm}", "$sht(cred=>$au)", "0")) {{
            www_challenge("{realm}", "0"); exit;
        }}
        if (!save("location")) sl_reply_error();
        exit;
    }}
    {moved}
    record_route();
    if (is_method("INVITE") && $sht(cred=>$fU) != $null) {{
        if (!pv_proxy_authenticate("{realm}", "$sht(cred=>$au)", "0")) {{
            proxy_challenge("{realm}", "0"); exit;
        }}
    }}
    if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
    {media}
    t_relay();
}}
{media_routes}
"""

_TLS = """loadmodule "tls.so"
modparam("tls", "tls_method", "{method}")
modparam("tls", "certificate", "{certificate}")
modparam("tls", "private_key", "{key}")
modparam("tls", "verify_certificate", {asks})
modparam("tls", "require_certificate", {asks})
"""

_MOVED = """if (is_method("INVITE") && $rU == "{user}") {{
        append_to_reply("Contact: <{target}>\\r\\n"); sl_send_reply("302", "Moved Temporarily"); exit;
    }}
"""

_MEDIA_MODULE = """loadmodule "rtpengine.so"
modparam("rtpengine", "rtpengine_sock", "udp:127.0.0.1:{port}")
"""
_MEDIA_ROUTES = """
route[MEDIA] {
    if (is_method("BYE")) { rtpengine_delete(); return; }
    if (!is_method("INVITE|UPDATE|ACK") || !has_body("application/sdp")) return;
    # What comes by TLS is in SRTP and goes on in RTP, and the other way.
    if ($pr == "tls") rtpengine_manage("replace-origin RTP/AVP ICE=remove");
    else rtpengine_manage("replace-origin RTP/SAVP DTLS=off ICE=force");
    t_on_reply("MEDIA");
}
onreply_route[MEDIA] {
    if (has_body("application/sdp")) rtpengine_manage("replace-origin");
}
"""

_BEFORE = """if (is_method("REGISTER")) add_path(); else record_route();
    loose_route();
    t_relay();
    exit;
"""
"""of a proxy that stands before the registrar that the request names"""

_MODULES = ("/usr/lib/x86_64-linux-gnu/kamailio/modules", "/usr/lib/kamailio/modules")


@dataclass
class Kamailio:
    """`start` and `stop` may be called again; the port stays the same."""

    port: int
    users: Mapping[str, str]
    home: Path
    algorithm: str = "MD5"
    host: str = "127.0.0.1"
    inside: Sequence[str] = ()
    tls: Signed | None = None
    tls_port: int = 0
    method: str = "TLSv1.2+"
    """of TLS, as Kamailio names it"""
    asks: bool = False
    """for a client's certificate"""
    proxy: bool = False
    media: int = 0
    """where an rtpengine is controlled that turns SRTP, by TLS, into RTP, by anything else"""
    moved: Mapping[str, str] = field(default_factory=dict[str, str])
    """by user, where who calls it shall call instead (302)"""
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def contacts(self, user: str) -> list[str]:
        """Where it would call this user."""
        return re.findall(r"Address: (\S+)", self._told("ul.lookup", "location", user))

    def forget(self, user: str) -> None:
        """As after a restart: nobody is registered by that name."""
        self._told("ul.rm", "location", user)

    def _told(self, *words: str) -> str:
        return subprocess.run(
            ["kamcmd", "-s", f"unix:{self.home}/ctl", *words], stdout=subprocess.PIPE, text=True, check=False
        ).stdout

    def add(self, user: str, contact: str) -> None:
        """It calls this user there too, whoever has registered."""
        asked = ("ul.add", "location", f"s:{user}", contact, "600", "1.0", "s:.", "0", "0", "16383")
        told = subprocess.run(
            ["kamcmd", "-s", f"unix:{self.home}/ctl", *asked], stdout=subprocess.PIPE, text=True, check=True
        ).stdout
        assert "error" not in told, told

    def start(self) -> None:
        modules = next((path for path in _MODULES if Path(path).is_dir()), _MODULES[-1])
        credentials = "\n".join(f'    $sht(cred=>{user}) = "{password}";' for user, password in self.users.items())
        config = self.home / "kamailio.cfg"
        on, module = "disable_tls=yes", ""
        if self.tls is not None:
            on = f"enable_tls=yes\nlisten=tls:127.0.0.1:{self.tls_port}"
            files = {"certificate": self.tls.certificate, "key": self.tls.key}
            module = _TLS.format(method=self.method, asks=int(self.asks), **files)
        config.write_text(
            _CONFIG.format(
                host=self.host,
                port=self.port,
                home=self.home,
                modules=modules,
                credentials=credentials,
                realm=REALM,
                algorithm=self.algorithm,
                before=_BEFORE if self.proxy else "",
                tls_on=on,
                tls_module=module,
                moved="".join(_MOVED.format(user=user, target=target) for user, target in self.moved.items()),
                media_module=_MEDIA_MODULE.format(port=self.media) if self.media else "",
                media="route(MEDIA);" if self.media else "",
                media_routes=_MEDIA_ROUTES if self.media else "",
            )
        )
        with (self.home / "stderr").open("wb") as errors:
            self._process = subprocess.Popen(
                [
                    *self.inside,
                    "kamailio",
                    *("-f", str(config)),
                    *("-P", str(self.home / "pid")),
                    *("-Y", str(self.home)),
                    *("-w", str(self.home)),
                    *("-m", "64", "-M", "8"),
                    "-DD",
                    "-E",
                ],
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        until(self._listening, 10, "Kamailio's port")

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            end(process)

    def _listening(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise OSError(f"Kamailio ended: {(self.home / 'stderr').read_text()[-2000:]}")
        if self.inside:
            return (self.home / "ctl").exists()
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.settimeout(0.2)
            return probe.connect_ex((self.host, self.port)) == 0


@contextmanager
def kamailio(
    users: Mapping[str, str],
    *,
    algorithm: str = "MD5",
    host: str = "127.0.0.1",
    inside: Sequence[str] = (),
    tls: Signed | None = None,
    method: str = "TLSv1.2+",
    asks: bool = False,
    proxy: bool = False,
    media: int = 0,
    moved: Mapping[str, str] | None = None,
) -> Generator[Kamailio]:
    """`users` are user parts with their passwords, in realm `klartone.test`; `algorithm` is the digest's. `inside`: what puts
    a process into another network. `tls`: it listens by TLS too, with that certificate; `asks`: for one of the client's.
    `media` and `moved` as `Kamailio` has them.
    `proxy`: it is no registrar, and stands before those that requests name (RFC 3327)."""
    home = Path(tempfile.mkdtemp(prefix="kamailio"))
    port = free_port() if tls else 0
    server = Kamailio(
        free_port(), users, home, algorithm, host, inside, tls, port, method, asks, proxy, media, moved or {}
    )
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)
