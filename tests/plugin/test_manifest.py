"""A plugin's plugin.toml, and the list of plugins that are allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from softphone.plugin.manifest import BUNDLED, PluginError, allowed_plugins, offering, read_plugin
from tests.plugin import hostile

ROOT = Path(__file__).parents[2]


def test_the_bundled_plugins_are_found_and_offer_what_a_call_needs() -> None:
    plugins, faults = allowed_plugins([ROOT / "plugins"])

    assert faults == ()
    assert [plugin.id for plugin in plugins] == list(BUNDLED)
    offers = {hook: offering(plugins, hook) for hook in ("decide", "notice_text", "speak")}
    assert {hook: plugin.id if plugin else None for hook, plugin in offers.items()} == {
        "decide": "datatilsynet",
        "notice_text": "datatilsynet",
        "speak": "espeak_voice",
    }


def test_a_plugin_that_is_not_on_the_list_is_not_looked_at(tmp_path: Path) -> None:
    hostile.plugin(tmp_path, "good")
    (tmp_path / "uninvited").mkdir()
    (tmp_path / "uninvited" / "plugin.toml").write_text("not even toml [")

    plugins, faults = allowed_plugins([tmp_path], ["good"])

    assert [plugin.id for plugin in plugins] == ["good"]
    assert faults == ()


def test_an_allowed_plugin_that_is_not_there_is_told(tmp_path: Path) -> None:
    plugins, (fault,) = allowed_plugins([tmp_path], ["absent"])
    assert plugins == ()
    assert (fault.code, fault.params["plugin"]) == ("error.plugin.missing", "absent")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"id = [",
        b'id = "other"\nname = "x"\nversion = "1.0"\napi = 1\nhooks = ["decide"]',
        b'id = "faulty"\nname = "x"\nversion = "1.0"\napi = 2\nhooks = ["decide"]',
        b'id = "faulty"\nname = "x"\nversion = "1.0"\napi = 1\nhooks = ["listen"]',
        b'id = "faulty"\nname = "x"\nversion = "1.0"\napi = 1\nhooks = []',
        b'id = "faulty"\nname = "x"\nversion = "1.0"\napi = 1\nhooks = ["decide"]\nrun = "rm"',
        b"#" * 70_000,
    ],
)
def test_a_faulty_manifest_keeps_the_plugins_code_from_running(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "faulty"
    folder.mkdir()
    (folder / "plugin.toml").write_bytes(content)
    with pytest.raises(PluginError, match=r"error\.plugin\.manifest"):
        read_plugin(folder)
