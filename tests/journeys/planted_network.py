"""Faults to plant in the account, its server, the clock and the network. How, says `planted`."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import replace
from datetime import timedelta

from softphone.bootstrap.home import DEMO_KEYS, password_name
from softphone.edge.channel import NAMESERVER
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings import load_settings
from softphone.system.single import take_turn
from tests.edge.test_resolver import name_server
from tests.journeys.planted import HOST, NO_ROUTE, World, answering, planted
from tests.peers.authority import Authority
from tests.peers.processes import free_port
from tests.peers.wire import wire

# Of the ways in which TLS fails the desk's side is one: tests/edge/test_tls.py holds each beside the doctor's.


# --- the account and its server --------------------------------------------------------------------


@planted("ready.registration.refused", desk="state")
def _(at: World) -> None:
    """a wrong password"""
    DemoKeyFile(at.on.archive_folder / DEMO_KEYS).set(password_name("agent"), b"another")


@planted("ready.registration.no_password", desk="state")
def _(at: World) -> None:
    """no password"""
    DemoKeyFile(at.on.archive_folder / DEMO_KEYS).delete(password_name("agent"))


@planted("doctor.account.none")
def _(at: World) -> None:
    """no account"""
    at.set(accounts=())


@planted("connection.refused", desk="state")
def _(at: World) -> None:
    """a server that is down"""
    at.account(f"agent@{HOST}:{free_port()}", transport="tcp")


@planted("connection.silent", desk="state")
def _(at: World) -> None:
    """a server that says nothing"""
    silent = at.stack.enter_context(wire())
    at.account(f"agent@{HOST}:{silent.port}")


@planted("connection.no_network", desk="state")
def _(at: World) -> None:
    """no route"""
    subprocess.run(["ip", "route", "add", "unreachable", NO_ROUTE], check=True)
    at.stack.callback(subprocess.run, ["ip", "route", "del", "unreachable", NO_ROUTE], check=True)
    at.account(f"agent@{NO_ROUTE}", transport="tcp")


@planted("connection.nowhere", desk="state", also=("doctor.names",))
def _(at: World) -> None:
    """a name that DNS does not know"""
    names = at.stack.enter_context(name_server({}))
    at.lead({NAMESERVER: "{}:{}".format(*names)})
    at.account("agent@pbx.test:5060")


@planted("connection.dns_silent", desk="state", also=("doctor.names",))
def _(at: World) -> None:
    """a name server that says nothing"""
    at.lead({NAMESERVER: f"{HOST}:{at.stack.enter_context(wire()).port}"})
    at.account("agent@pbx.test:5060")


@planted("connection.answer", desk="state")
def _(at: World) -> None:
    """a server that is out of order"""
    at.account(f"agent@{HOST}:{answering(at, '503 Service Unavailable')}")


@planted("connection.tls_expired")
def _(at: World) -> None:
    """a certificate that has expired"""
    at.by_tls(signed=at.authority.sign("old", HOST, begins=-9, ends=-1))


@planted("connection.tls_not_yet")
def _(at: World) -> None:
    """a certificate that is not valid yet"""
    at.by_tls(signed=at.authority.sign("young", HOST, begins=2))


@planted("connection.tls_name", desk="state")
def _(at: World) -> None:
    """a certificate for another name"""
    at.by_tls(signed=at.authority.sign("name", "pbx.example"))


@planted("connection.tls_unknown_authority")
def _(at: World) -> None:
    """a certificate of somebody unknown"""
    at.by_tls(signed=Authority(at.folder / "another", "Another authority").sign("foreign", HOST))


@planted("connection.tls_authority_file")
def _(at: World) -> None:
    """an authority's file that is gone"""
    at.by_tls(signed=at.authority.sign("whole", HOST))
    account = load_settings(at.settings_file.parent).accounts[0]
    at.set(accounts=(replace(account, certificate_authority=str(at.folder / "nowhere.pem")),))


@planted("connection.tls_none")
def _(at: World) -> None:
    """a server without TLS"""
    at.by_tls()


@planted("doctor.certificate.ends", "warn")
def _(at: World) -> None:
    """a certificate that soon expires"""
    at.by_tls(signed=at.authority.sign("soon", HOST, ends=5))


# --- the clock -------------------------------------------------------------------------------------


@planted("doctor.clock.fast")
def _(at: World) -> None:
    """a clock ten minutes ahead"""
    at.account(f"agent@{HOST}:{answering(at, '200 OK', timedelta(minutes=-10))}")


@planted("doctor.clock.slow")
def _(at: World) -> None:
    """a clock ten minutes behind"""
    at.account(f"agent@{HOST}:{answering(at, '200 OK', timedelta(minutes=10))}")


@planted("doctor.clock.back", "warn")
def _(at: World) -> None:
    """a clock that was set back"""
    log = at.on.home.folders.log / "engine.log"
    log.touch()
    later = time.time() + 3600
    os.utime(log, (later, later))


# --- the network -----------------------------------------------------------------------------------


@planted("error.port_taken", desk="last words")
def _(at: World) -> None:
    """a port in use"""
    other = at.stack.enter_context(wire())
    at.set(port=other.port)


@planted("error.bind", desk="last words", also=("connection.silent",))
def _(at: World) -> None:
    """an address that is not this machine's"""
    at.set(bind="192.0.2.1")


@planted("doctor.stun.silent", "warn")
def _(at: World) -> None:
    """a STUN server that says nothing"""
    at.set(stun=f"{HOST}:{at.stack.enter_context(wire()).port}")


@planted("error.engine.running", desk="last words")
def _(at: World) -> None:
    """a second phone"""
    at.stack.enter_context(take_turn(at.on.runtime))
