"""What the service's package lays down beside the program: settings that it reads, secrets where it finds them, units that hold.

That the package itself serves, on a bare Debian, is `.ci/team_deb.py`'s to prove.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from softphone.domain.errors import TeamError
from softphone.domain.purpose import Language
from softphone.team.serving import certificate_of
from softphone.team.settings import STORAGE_SECRET, Durable, read_settings, secret_in
from softphone.texts import Texts
from tests.peers.authority import Authority

FROM = Path(__file__).resolve().parents[2] / "resources" / "installer" / "team"
_MOST = 1.5
"""of systemd's measure of what a service could reach, where 10 is everything"""


def test_its_settings_are_read_and_its_secrets_are_found_where_systemd_puts_them(tmp_path: Path) -> None:
    settings = read_settings(FROM / "team.toml")
    assert (settings.serve.listen, settings.database.durable) == ("127.0.0.1", Durable.ARCHIVED)
    # What is wrong is said with its line, its key and what to write.
    lines = ["[serve]", 'address = "https://x.test"', "[storage]", 'bucket = "bucket"', 'access_key = "a"']
    wrong = tmp_path / "wrong.toml"
    for at, line, code, key in (
        (1, 'address = "http://x.test/"', "form_address", "serve.address"),
        (1, "address = ", "broken", None),
        (1, 'address = "https://x.test"\nport = 70000', "most", "serve.port"),
        (3, "", "missing", "storage.bucket"),
        (4, 'access_key = "a"\nbuckets = 1', "unknown", "storage.buckets"),
        (4, 'access_key = "a"\n[sign_in.roles]\nleder = ["x"]', "choice", "sign_in.roles.leder"),
        (4, 'access_key = "a"\n[sign_in]\nissuer = "https://login.test"', "issuer_alone", "sign_in"),
    ):
        wrong.write_text("\n".join([*lines[:at], line, *lines[at + 1 :]]))
        with pytest.raises(TeamError) as caught:
            read_settings(wrong)
        assert (caught.value.code, caught.value.params.get("key")) == (f"error.team.settings.{code}", key)
        said = Texts(FROM.parents[1] / "translations", Language.EN).error(caught.value)
        assert "{" not in said, said
        assert f"line {at + 1 + line.count(chr(10))}" in said or code in ("missing", "issuer_alone"), said
    given = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert secret_in(given, STORAGE_SECRET) == ""
    (tmp_path / "klartone_storage_secret").write_text("one\n")
    assert secret_in(given, STORAGE_SECRET, needed=True) == "one"
    # Whoever names another says so, also where that folder cannot be looked into, as root's by `init` as `postgres`.
    for folder in (tmp_path, "x" * 5000):
        told = {"CREDENTIALS_DIRECTORY": str(folder), "KLARTONE_TEAM_STORAGE_SECRET": "two"}
        assert secret_in(told, STORAGE_SECRET) == "two"
    (tmp_path / "other").write_text("three")
    named = given | {"KLARTONE_TEAM_STORAGE_SECRET_FILE": str(tmp_path / "other")}
    assert secret_in(named, STORAGE_SECRET) == "three"
    (tmp_path / "klartone_storage_secret").write_bytes(b"\xff")
    with pytest.raises(TeamError, match="secret_wrong"):
        secret_in(given, STORAGE_SECRET)
    # By hand, from the folder itself.
    (tmp_path / "klartone_storage_secret").rename(tmp_path / "storage_secret")
    (tmp_path / "storage_secret").write_text("four")
    assert secret_in(given, STORAGE_SECRET) == "four"


def test_a_certificate_without_its_key_is_told_and_its_key_may_be_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = Authority(tmp_path / "authority").sign("service", "localhost")
    settings = read_settings(FROM / "team.toml")
    told = settings.model_copy(
        update={"serve": settings.serve.model_copy(update={"certificate": str(signed.certificate)})}
    )
    with pytest.raises(TeamError, match="certificate_wrong"):
        certificate_of(told)
    shutil.copy(signed.key, tmp_path / "certificate_key")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert certificate_of(told) == (str(signed.certificate), str(tmp_path / "certificate_key"))


def test_what_the_package_leaves_out_none_of_its_commands_loads() -> None:
    told = (FROM / "klartone-team.spec").read_text()
    phone, others = re.search(r"for name in (\(.*?\))\]", told), re.search(r"excludes=\[\*phone, (.*?)\]", told)
    assert phone
    assert others
    left_out = [f"softphone.{name}" for name in ast.literal_eval(phone[1])] + [*ast.literal_eval(others[1])]
    loaded = (
        "import pkgutil, sys, softphone.cli.team, softphone.team\n"
        "from importlib import import_module\n"
        f"sys.modules.update(dict.fromkeys({left_out}))\n"
        "for package in (softphone.cli.team, softphone.team):\n"
        "    for one in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        if '.migrations.' not in one.name: import_module(one.name)\n"
    )
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_its_units_are_right_and_reach_next_to_nothing(tmp_path: Path) -> None:
    hardened = (FROM / "hardened").read_text().rstrip()
    for unit in (FROM / "units").iterdir():
        text = unit.read_text().replace("@HARDENED@", hardened).replace("/usr/bin/klartone-team", "/bin/true")
        (tmp_path / unit.name.replace("@", "@8420")).write_text(text)
    names = sorted(one.name for one in tmp_path.iterdir())
    assert len(names) >= 6
    done = subprocess.run(
        ["systemd-analyze", "verify", *(f"./{name}" for name in names)], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    for name in names:
        if name.endswith(".timer"):
            continue
        judged = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", f"./{name}"], cwd=tmp_path, capture_output=True, text=True
        ).stdout
        told = re.search(r"exposure level for \S+: ([0-9.]+)", judged)
        assert told is not None, judged
        assert float(told[1]) <= _MOST, judged
