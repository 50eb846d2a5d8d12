"""The voice plugin, for what is spoken outside a policy: the demo's two people, and the doctor's one word."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from softphone.bootstrap.program import plugin_host_command
from softphone.domain.errors import KlartoneError
from softphone.domain.purpose import Language
from softphone.plugin.client import PluginFailed, PluginHost
from softphone.plugin.contract import SPEAK, SpeakParams
from softphone.plugin.manifest import allowed_plugins
from softphone.system.paths import program_folder

VOICE = "espeak_voice"
SPOKEN_WITHIN = 30.0

Say = Callable[[str, Language], bytes]
"""a text to a WAV file's bytes (16 kHz, mono, 16 bit). Raises KlartoneError if the voice fails"""


@contextmanager
def speaker() -> Generator[Say]:
    plugins, _ = allowed_plugins([program_folder("plugins")], [VOICE])
    host = PluginHost(plugins, rulebook=None, on_word=lambda _: None, command=plugin_host_command())
    host.start()

    def say(text: str, language: Language) -> bytes:
        answer = host.ask_and_wait(VOICE, SPEAK, SpeakParams(text, language), timeout=SPOKEN_WITHIN)
        if isinstance(answer, PluginFailed):
            raise KlartoneError("error.plugin.failed", plugin=VOICE)
        return answer.wav

    try:
        yield say
    finally:
        host.stop()
