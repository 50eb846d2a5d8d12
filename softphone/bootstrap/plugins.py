"""The plugins that a policy needs, plugged in: the host that runs them, the rulebook, and the maker of the notices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from softphone.bootstrap.home import Home
from softphone.bootstrap.program import plugin_host_command
from softphone.bootstrap.voice import VOICE
from softphone.domain.errors import KlartoneError
from softphone.plugin.client import PluginHost, PluginReport
from softphone.plugin.contract import SPEAK
from softphone.plugin.manifest import BUNDLED, Plugin, PluginError, allowed_plugins, offering, read_plugin
from softphone.plugin.notices import NoticeMaker
from softphone.plugin.rulebook import RulebookClient
from softphone.system.guarded import settled, who_else
from softphone.system.paths import program_folder
from softphone.wire.snapshot import Settings

RULEBOOK = "datatilsynet"


@dataclass(frozen=True, slots=True)
class RulePlugins:
    """`host` is not started yet. Without a rulebook there is no `maker`, and no call is recorded."""

    host: PluginHost
    desk: RulebookClient
    maker: NoticeMaker | None
    faults: Sequence[KlartoneError]
    """of plugins that were left out"""
    plugins: Sequence[Plugin] = ()
    voice: str = ""
    """the id of the one that speaks"""


def rule_plugins(
    home: Home,
    on_word: Callable[[PluginReport], None],
    folders: Sequence[Path] = (),
    on_mended: Callable[[str], None] | None = None,
    settings: Settings | None = None,
) -> RulePlugins:
    """`folders`: searched for allowed plugins before the bundled ones. Both callbacks are as `PluginHost` has them.
    `settings`: those in force, if they are at hand."""
    plugins, faults = allowed_plugins([*folders, program_folder("plugins")])
    more, refused = organisations_plugins(settings or home.settings(only_look=True)[0])
    plugins, faults = (*plugins, *more), (*faults, *refused)
    by_id = {plugin.id: plugin for plugin in plugins}
    host = PluginHost(plugins, rulebook=RULEBOOK, on_word=on_word, on_mended=on_mended, command=plugin_host_command())
    rulebook = by_id.get(RULEBOOK)
    voice = offering(more, SPEAK.name) or by_id.get(VOICE)  # who has brought a voice wants it heard
    maker = NoticeMaker(host, rulebook, voice, home.folders.cache / "notices") if rulebook else None
    return RulePlugins(host, RulebookClient(host, RULEBOOK), maker, faults, plugins, voice.id if voice else "")


def organisations_plugins(settings: Settings) -> tuple[tuple[Plugin, ...], tuple[PluginError, ...]]:
    """Those that are allowed beside the program's own, and why others in their folder are refused. Only administrators can
    write what runs."""
    folder = Path(settings.plugin_folder) if settings.plugin_folder else None
    there = {one.parent.name: one.parent for one in folder.glob("*/plugin.toml")} if folder else {}
    found: list[Plugin] = []
    refused = [PluginError("error.plugin.unlisted", plugin=name) for name in there if name not in settings.plugins]
    for name in settings.plugins:
        try:
            found.append(_guarded_plugin(name, there))
        except PluginError as error:
            refused.append(error)
    return tuple(found), tuple(sorted(refused, key=lambda one: str(one.params["plugin"])))


def _guarded_plugin(name: str, there: Mapping[str, Path]) -> Plugin:
    """Raises PluginError."""
    if name in BUNDLED:
        raise PluginError("error.plugin.taken", plugin=name)
    if name not in there:
        raise PluginError("error.plugin.missing", plugin=name)
    try:
        folder = settled(there[name])
        for one in (folder, *map(settled, folder.rglob("*"))):
            if (others := who_else(one)) is not None:
                raise PluginError("error.plugin.unguarded", plugin=name, path=str(others))
    except OSError as error:
        raise PluginError("error.plugin.missing", plugin=name) from error
    if folder.name != name:  # whose name is the plugin's id to its host
        raise PluginError("error.plugin.linked", plugin=name, path=str(folder))
    return read_plugin(folder)
