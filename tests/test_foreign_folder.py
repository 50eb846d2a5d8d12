"""Commands on a folder that another user owns: one sentence and status 1, never a traceback. The user that runs them has no
rights of root's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.bootstrap.home import DEMO_KEYS
from softphone.system.secrets import DemoKeyFile

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="chmod shuts nobody out there")

COMMANDS = """archive list|archive log|archive verify|archive health|archive head|archive backup BACKUP|archive show x
keys desk|keys revoke a|holds list|holds raise x --by party --why y|cases list
doctor|policy check|archive list --archive ARCHIVE|policy check POLICY"""
ONE_AFTER_ANOTHER = """
import contextlib, io, sys
from softphone import cli
for line in sys.argv[1:]:
    told = io.StringIO()
    with contextlib.redirect_stderr(told), contextlib.redirect_stdout(io.StringIO()):
        try:
            status = cli.main(line.split(chr(9)))
        except BaseException as error:
            status = repr(error)
    said = [line for line in told.getvalue().splitlines() if line]
    print(status, len(said), line.replace(chr(9), " ") + ": " + " / ".join(said), sep=chr(9), flush=True)
"""


@pytest.mark.parametrize("shut", ["", "archive", "archive/catalog.db", "config/settings.toml"])
def test_a_folder_of_somebody_else_s_is_told_of_in_a_sentence(tmp_path: Path, shut: str) -> None:
    home = tmp_path / "home"
    (home / "config").mkdir(parents=True)
    (home / "config" / "settings.toml").write_text(f'policy = "{home / "config" / "policy.toml"}"')
    (home / "config" / "policy.toml").write_text("")
    Archive.create(home / "archive", DemoKeyFile(home / "archive" / DEMO_KEYS), demo=True).close()
    lines = COMMANDS.replace("\n", "|").split("|")
    named = {"BACKUP": tmp_path / "backup", "ARCHIVE": home / "archive", "POLICY": home / "config" / "policy.toml"}
    words = [["--home", str(home), *(str(named.get(word, word)) for word in line.split())] for line in lines]
    root = os.geteuid() == 0
    without = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner,-chown"] if root else []
    (home / shut).chmod(0)
    try:
        done = subprocess.run(
            [*without, sys.executable, "-c", ONE_AFTER_ANOTHER, *("\t".join(one) for one in words)],
            stdin=subprocess.DEVNULL,
            env={**os.environ, "LANGUAGE": "en", "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    finally:
        (home / shut).chmod(0o700)
    told = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(told) == len(words), (done.returncode, done.stderr)
    assert [one for one in told if one[0] not in ("0", "1") or int(one[1]) > 1] == []
    if shut.startswith("archive"):
        assert [
            one for one in told if one[0] == "0" and any(word in one[2] for word in (" archive ", "holds", "cases"))
        ] == []
