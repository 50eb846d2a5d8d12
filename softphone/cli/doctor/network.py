"""Where the phone is reached: its port and address; how the STUN server sees it; and who called and was not let in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from softphone.bootstrap.home import at_its_lock, texts
from softphone.cli.doctor.finding import Below, Check, Finding
from softphone.cli.doctor.machine import Machine
from softphone.domain.errors import EngineError, Param
from softphone.edge.channel import NAMESERVER
from softphone.system.settings_schema import doubts
from softphone.wire.snapshot import Settings

EVERYWHERE = "0.0.0.0"  # noqa: S104 - a phone is reached from outside


def _network(machine: Machine) -> Iterator[Finding]:
    """Opened as the phone opens it, and closed again; while one runs, the port is its own."""
    from softphone.engine.edge import open_public

    settings = machine.settings
    if named := machine.environment.get(NAMESERVER):
        yield Finding("doctor.names", {"variable": NAMESERVER, "server": named})
    running = machine.running()
    if running is not None:
        if running.snapshot is not None:
            yield Finding("doctor.port.held", {"port": running.snapshot.sip_port})
        return
    if any(path[0] in ("port", "bind") for path, _, _ in doubts(settings)):
        return  # the settings' own finding says so
    try:
        sockets = open_public("" if settings.bind == EVERYWHERE else settings.bind, settings.port)
    except EngineError as error:
        yield Finding.of(at_its_lock(error, machine.held, "port" if "port_taken" in error.code else "bind"))
        return
    for one in sockets.values():
        one.close()
    if settings.port:
        yield Finding("doctor.port", {"port": settings.port, "bind": settings.bind})
    else:
        yield Finding("doctor.port.any", {"bind": settings.bind})


def stun_of(settings: Settings, environment: Mapping[str, str] = MappingProxyType({})) -> Iterator[Finding]:
    """The server that says how others see this phone, if one is set."""
    from softphone.edge.resolver import named_server
    from softphone.edge.server_check import check_stun

    if not settings.stun or any(path[0] == "stun" for path, _, _ in doubts(settings)):
        return
    seen = asyncio.run(check_stun(settings.stun, named_server(environment)))
    fields: dict[str, Param] = {"server": settings.stun}
    yield Finding("doctor.stun", {**fields, "address": seen[0]}) if seen else Finding("doctor.stun.silent", fields)


def _strangers(machine: Machine) -> Iterator[Finding]:
    """Addresses that called and were not let in, if any: an unnamed trunk looks like this."""
    from softphone.bootstrap.archive.shared import here
    from softphone.system.strangers import read

    found = read(machine.home.folders.runtime)
    if found:
        tell = texts()
        lines = tuple(
            Below(tell("doctor.stranger", host=one.host, count=one.calls, at=here(datetime.fromtimestamp(one.at, UTC))))
            for one in reversed(found)
        )
        yield Finding("doctor.strangers.waits", {"count": len(found)}, lines)


NETWORK = Check("network", _network)
STUN = Check("stun", lambda machine: stun_of(machine.settings, machine.environment))
STRANGERS = Check("strangers", _strangers)
