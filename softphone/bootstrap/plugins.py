"""The plugins that a policy needs, plugged in: the host that runs them, the rulebook, and the maker of the notices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from softphone.bootstrap.home import Home
from softphone.bootstrap.program import plugin_host_command
from softphone.bootstrap.voice import VOICE
from softphone.domain.errors import KlartoneError
from softphone.plugin.client import PluginHost, PluginReport
from softphone.plugin.manifest import allowed_plugins
from softphone.plugin.notices import NoticeMaker
from softphone.plugin.rulebook import RulebookClient
from softphone.system.paths import program_folder

RULEBOOK = "datatilsynet"


@dataclass(frozen=True, slots=True)
class RulePlugins:
    """`host` is not started yet. Without a rulebook there is no `maker`, and no call is recorded."""

    host: PluginHost
    desk: RulebookClient
    maker: NoticeMaker | None
    faults: Sequence[KlartoneError]
    """of plugins that were left out"""


def rule_plugins(
    home: Home,
    on_word: Callable[[PluginReport], None],
    folders: Sequence[Path] = (),
    on_mended: Callable[[str], None] | None = None,
) -> RulePlugins:
    """`folders`: searched for allowed plugins before the bundled ones. Both callbacks are as `PluginHost` has them."""
    plugins, faults = allowed_plugins([*folders, program_folder("plugins")])
    by_id = {plugin.id: plugin for plugin in plugins}
    host = PluginHost(plugins, rulebook=RULEBOOK, on_word=on_word, on_mended=on_mended, command=plugin_host_command())
    rulebook = by_id.get(RULEBOOK)
    maker = NoticeMaker(host, rulebook, by_id.get(VOICE), home.folders.cache / "notices") if rulebook else None
    return RulePlugins(host, RulebookClient(host, RULEBOOK), maker, faults)
