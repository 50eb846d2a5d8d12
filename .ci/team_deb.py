"""Proves the package of the house's service on a bare Debian 13, made once and kept under build/bare: in with Debian's packages
alone, its tables made, an upload served, swept and compared, as a user without rights and without memory that is written and run.

    sudo .venv/bin/python .ci/team_deb.py [DEB]      without one, build/package's is taken
"""

from __future__ import annotations

import base64
import ctypes
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.peers import postgres, seaweedfs  # noqa: E402
from tests.peers.processes import free_port, until  # noqa: E402
from tests.team.desk import Desk, made  # noqa: E402
from tests.team.served import ADDRESS, ANNA, LINK, Team  # noqa: E402

PLACE, SUITE, USER = ROOT / "build" / "bare", "trixie", 61_184
BEGAN = time.monotonic()
_NO_WRITTEN_CODE = 65, 1
"""prctl's PR_SET_MDWE: what the unit's MemoryDenyWriteExecute asks of the kernel"""


def say(text: str) -> None:
    sys.stdout.write(f"-- {text} ({time.monotonic() - BEGAN:.0f} s)\n")
    sys.stdout.flush()


def bare(ends: ExitStack) -> Path:
    """A copy of its own, with /proc and /dev."""
    kept, root = PLACE / SUITE, PLACE / "team"
    if not (PLACE / f"{SUITE}.whole").exists():
        shutil.rmtree(kept, ignore_errors=True)
        mirror = os.environ.get("KLARTONE_DEBIAN", "")
        subprocess.run(["debootstrap", "--variant=minbase", SUITE, kept, *([mirror] if mirror else [])], check=True)
        (PLACE / f"{SUITE}.whole").touch()
    subprocess.run(["rm", "-rf", "--one-file-system", root], check=True)
    subprocess.run(["cp", "-a", kept, root], check=True)
    for kind, what in ((("-t", "proc"), "proc"), (("--bind",), "/dev")):
        at = root / what.strip("/")
        subprocess.run(["mount", *kind, what, at], check=True)
        ends.callback(subprocess.run, ["umount", "-l", at])
    shutil.copy("/etc/resolv.conf", root / "etc" / "resolv.conf")
    return root


def main(deb: Path) -> None:
    with ExitStack() as ends:
        PLACE.mkdir(parents=True, exist_ok=True)
        root = bare(ends)
        inside = ["chroot", str(root), "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]
        shutil.copy(deb, root / "team.deb")
        subprocess.run([*inside, "apt-get", "update", "-q"], check=True, stdout=subprocess.DEVNULL)
        asked = [
            "DEBIAN_FRONTEND=noninteractive",
            "apt-get",
            "install",
            "-q",
            "-y",
            "--no-install-recommends",
            "/team.deb",
        ]
        subprocess.run([*inside, *asked], check=True, stdout=subprocess.DEVNULL)
        size = subprocess.run(["du", "-sm", root / "opt" / "klartone-team"], capture_output=True, text=True, check=True)
        say(f"in; {size.stdout.split()[0]} MB")
        server = ends.enter_context(postgres.started(fsync="on", synchronous_commit="on"))
        server.make("house")
        server.folder.chmod(0o755)
        home = Path(ends.enter_context(_Folder()))
        weed, address = seaweedfs.start(home / "data")
        ends.callback(lambda: (weed.kill(), weed.wait()))
        (root / "run" / "house").mkdir()
        subprocess.run(["mount", "--bind", server.folder, root / "run" / "house"], check=True)
        ends.callback(subprocess.run, ["umount", "-l", root / "run" / "house"])
        team = Team(home, server, "house", seaweedfs.bucket(address))
        text = team.settings.read_text().replace(str(server.folder), "/run/house").replace(str(home), "/run/klartone")
        (root / "run" / "klartone").mkdir()
        os.chown(root / "run" / "klartone", USER, USER)
        (root / "etc" / "klartone-team" / "team.toml").write_text(text)
        # As systemd hands it on: a folder with a file for each.
        credentials = root / "run" / "credentials"
        credentials.mkdir()
        for name, value in team.environment.items():
            (credentials / f"klartone_{name.removeprefix('KLARTONE_TEAM_').lower()}").write_text(value + "\n")
        for one in (credentials, *credentials.iterdir()):
            os.chown(one, USER, USER)
        port = free_port()
        runs = [
            "chroot",
            f"--userspec={USER}:{USER}",
            str(root),
            "env",
            "-i",
            "PATH=/usr/bin",
            "CREDENTIALS_DIRECTORY=/run/credentials",
        ]
        settings = ["--settings", "/etc/klartone-team/team.toml"]

        def team_command(what: str, *more: str) -> str:
            line = [*runs, "klartone-team", what, *settings, *more]
            done = subprocess.run(line, capture_output=True, text=True, preexec_fn=_as_the_unit, check=False)
            if done.returncode:
                raise SystemExit(f"{what}: {done.stdout}{done.stderr}")
            return done.stdout

        say(team_command("init", "--user", server.user).splitlines()[-1])
        team.policy()
        say(team_command("serve", "--check").splitlines()[0])
        line = [*runs, "klartone-team", "sign-in", *settings]
        signs_in = subprocess.Popen(line, preexec_fn=_as_the_unit, stdout=subprocess.PIPE, text=True)
        ends.callback(lambda: (signs_in.kill(), signs_in.wait()))
        assert signs_in.stdout is not None
        signs_in.stdout.readline()
        line = [*runs, "klartone-team", "serve", *settings, "--port", str(port)]
        began = time.monotonic()
        service = subprocess.Popen(line, preexec_fn=_as_the_unit, stdout=subprocess.PIPE, text=True)
        ends.callback(lambda: (service.kill(), service.wait()))
        team.port = port
        until(team.accepts, 30, "the service's start")
        say(f"serves after {time.monotonic() - began:.1f} s")
        signer = base64.b64encode(secrets.token_bytes(32)).decode()
        told = team_command("invite", "anna", "--role", "agent", "--agent", ANNA, "--signer", signer)
        link = LINK.search(told)
        assert link is not None, told
        desk = Desk(ADDRESS, port)
        assert desk.take(link["code"]).status == 200
        for seconds in (3, 70):
            answer = desk.upload(made(team.keys, seconds=seconds, packet=1_600))
            assert answer.status == 200, answer.body
            assert answer.json["receipt"], answer.body
        say("two recordings have arrived, one of them in parts")
        say(team_command("sweep").splitlines()[-1])
        say(team_command("verify", "--digests", "all").splitlines()[-1])
        service.send_signal(signal.SIGTERM)
        assert service.wait(40) == 0
        say("it ended by itself")
        subprocess.run(
            [*inside, "apt-get", "purge", "-q", "-y", "klartone-team"], check=True, stdout=subprocess.DEVNULL
        )
        places = [root / name for name in ("etc", "opt", "usr", "var/lib")]
        left = [str(one) for place in places if place.exists() for one in place.rglob("*klartone*")]
        assert not left, left
        say("purged, and nothing is left")


def _as_the_unit() -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(*_NO_WRITTEN_CODE, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "this kernel cannot deny written code")


class _Folder:
    """As TemporaryDirectory, for users other than root too."""

    def __enter__(self) -> str:
        import tempfile

        self._name = tempfile.mkdtemp(prefix="kteam")
        return self._name

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._name, ignore_errors=True)


if __name__ == "__main__":
    found = sys.argv[1:] or sorted(str(one) for one in (ROOT / "build" / "package").glob("klartone-team_*.deb"))
    if os.getuid() or not found:
        raise SystemExit("Run as root, after: sudo make team-deb")
    main(Path(found[-1]).resolve())
