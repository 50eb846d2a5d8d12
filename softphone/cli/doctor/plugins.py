"""The plugins, started as the phone starts them; and the voice, which says one word in each language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from softphone.cli.doctor.finding import Check, Finding
from softphone.cli.doctor.machine import Machine
from softphone.domain.errors import KlartoneError
from softphone.domain.purpose import Language
from softphone.system.paths import is_there

ANSWERS_WITHIN = 8.0


def _plugins(machine: Machine) -> Iterator[Finding]:
    from softphone.bootstrap.plugins import rule_plugins
    from softphone.plugin.client import PluginFailed, PluginReport
    from softphone.plugin.contract import LOAD, SPEAK, LoadParams, SpeakParams

    folder = machine.settings.plugin_folder
    if folder and not is_there(Path(folder)):
        yield Finding("doctor.plugins.folder", {"path": folder})
    load = replace(LOAD)  # a load of the host's own is forgotten with a host that dies; who waits for one is answered
    told: dict[str, PluginReport] = {}
    made = rule_plugins(machine.home, lambda word: told.update({word.plugin: word}), settings=machine.settings)
    for fault in made.faults:
        yield Finding.of(fault)
    made.host.start()
    try:
        for plugin in made.plugins:
            answer = made.host.ask_and_wait(plugin.id, load, LoadParams(), timeout=ANSWERS_WITHIN)
            if not isinstance(answer, PluginFailed) and plugin.id == made.voice:
                for language in Language:
                    said = made.host.ask_and_wait(
                        plugin.id, SPEAK, SpeakParams("Klartone", language), timeout=ANSWERS_WITHIN
                    )
                    answer = said if isinstance(said, PluginFailed) else None
            if isinstance(answer, PluginFailed):
                report = told.get(plugin.id)
                yield Finding.of(KlartoneError(report.code if report else "error.plugin.failed", plugin=plugin.id))
                continue
            yield Finding("doctor.plugin", {"plugin": plugin.id, "version": plugin.manifest.version})
            if plugin.id == made.voice:
                yield Finding("doctor.voice")
    finally:
        made.host.stop()


PLUGINS = Check("plugins", _plugins, 12.0)
