"""Proves the package of the house's service on a bare Debian 13 with its own systemd, made once and kept under build/bare: in
with Debian's packages alone, set up by the very lines of docs/team-setup.md, served, swept, compared, killed, updated from the
build before while desks send, removed, purged.

    sudo .venv/bin/python .ci/team_deb.py [DEB]      without one, build/package's is taken

systemd is process 1 of its own namespaces. All listens on a loopback of its own.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.house.joined import policy_of  # noqa: E402
from tests.peers import seaweedfs  # noqa: E402
from tests.peers.processes import until  # noqa: E402
from tests.team.desk import Desk, House, Made, made  # noqa: E402
from tests.team.served import LINK  # noqa: E402
from tests.team_demo.key_ring import AT, FileRing  # noqa: E402

PLACE, SUITE, ADDRESS, PORT = ROOT / "build" / "bare", "trixie", "https://localhost:8420", 8420
PAGE = ROOT / "docs" / "team-setup.md"
UNITS = ("klartone-team-sign-in.service", f"klartone-team@{PORT}.service")
HOUSE = "/etc/klartone-team"
ANNA = "sip:anna@nordlys.example"
"""as the page has her"""
BEGAN = time.monotonic()
_NET = 0x40000000
_ENVIRONMENT = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/root", "DEBIAN_FRONTEND=noninteractive"
_BOOT = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
for name in null zero full random urandom tty; do touch dev/$name; mount --bind /dev/$name dev/$name; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
for place in dev/shm run tmp; do mount -t tmpfs tmpfs $place; done
mkdir -p .before
pivot_root . .before
umount -l /.before
mount --make-rshared /
exec env -i container=klartone PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=null --show-status=0
"""


def say(text: str) -> None:
    sys.stdout.write(f"-- {text} ({time.monotonic() - BEGAN:.0f} s)\n")
    sys.stdout.flush()


def ran(*line: str | Path) -> str:
    """What it said. Raises SystemExit."""
    done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, line))[-200:]}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


@dataclass
class Machine:
    """A bare Debian 13, before and after it is started."""

    root: Path
    ends: ExitStack
    first: int = 0
    """its systemd's process"""

    def within(self, *line: str) -> str:
        enter = ["nsenter", "-t", str(self.first), "-m", "-p", "-u", "-i", "-C", "-r", "-w"]
        before = enter if self.first else ["chroot", str(self.root)]
        return ran(*before, "env", "-i", *_ENVIRONMENT, *line)

    def typed(self, lines: str) -> str:
        """As by a person at its shell, who stops at the first that fails."""
        return self.within("bash", "-e", "-c", lines)

    def begin(self) -> None:
        group = Path("/sys/fs/cgroup")
        group = (group / "unified" if (group / "unified").exists() else group) / "klartone-team-deb"
        group.mkdir(exist_ok=True)
        apart = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc", "--cgroup"]
        line = ["bash", "-c", f'echo $$ >"$0/cgroup.procs" && exec {" ".join(apart)} bash -c "$2" - "$1"']
        process = subprocess.Popen([*line, str(group), str(self.root), _BOOT], stdin=subprocess.DEVNULL)
        self.ends.callback(lambda: (process.kill(), process.wait()))
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")

        def is_up() -> bool:
            if process.poll() is not None:
                raise SystemExit("systemd could not be started here: this needs root, cgroup2, and namespaces")
            self.first = int(children.read_text().split()[0]) if children.read_text() else 0
            name = Path(f"/proc/{self.first}/comm").read_text().strip() if self.first else ""
            return name == "systemd" and (Path(f"/proc/{self.first}/root/run/systemd/private")).exists()

        until(is_up, 60, "systemd's start")
        self.within("bash", "-c", "systemctl is-system-running --wait || true")

    def property_of(self, unit: str, name: str) -> str:
        return self.within("systemctl", "show", "--value", "--property", name, unit).strip()


def bare(ends: ExitStack) -> Machine:
    """A copy of its own."""
    kept, root = PLACE / SUITE, PLACE / "team"
    PLACE.mkdir(parents=True, exist_ok=True)
    if not (PLACE / f"{SUITE}.whole").exists():
        shutil.rmtree(kept, ignore_errors=True)
        mirror = os.environ.get("KLARTONE_DEBIAN", "")
        ran("debootstrap", "--variant=minbase", SUITE, kept, *([mirror] if mirror else []))
        (PLACE / f"{SUITE}.whole").touch()
    ran("rm", "-rf", "--one-file-system", root)
    ran("cp", "-a", kept, root)
    shutil.copy("/etc/resolv.conf", root / "etc" / "resolv.conf")
    return Machine(root, ends)


def before(deb: Path) -> Path:
    """These files under an older version."""
    tree, made_of = PLACE / "team-before", PLACE / "team-before.deb"
    shutil.rmtree(tree, ignore_errors=True)
    ran("dpkg-deb", "-R", deb, tree)
    control = tree / "DEBIAN" / "control"
    control.write_text(re.sub(r"(?m)^Version: .*", r"\g<0>~before", control.read_text()))
    ran("dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, made_of)
    shutil.rmtree(tree)
    return made_of


def blocks(page: str) -> list[str]:
    """What stands indented there, in order: lines to type, and the contents of files."""
    return [
        "\n".join(line[8:] for line in one.strip("\n").splitlines()) + "\n"
        for one in re.findall(r"(?m)(?:^ {8}.*\n|^\n(?= {8}))+", page)
    ]


@dataclass
class Sending(threading.Thread):
    """A desk that sends one after another until it is told to stop, and asks again while nobody answers."""

    desk: Desk
    house: House
    sent: list[Made] = field(default_factory=list[Made])
    asked_again: int = 0
    wrong: str = ""
    ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        while not self.ended.is_set():
            one = made(self.house, agent=ANNA)
            while True:
                try:
                    answer = self.desk.upload(one)
                except OSError:
                    answer = None
                if answer is not None and answer.status == 200:
                    self.sent.append(one)
                    break
                if answer is not None and answer.status != 503:
                    self.wrong = f"{answer.status} {answer.body[:300]!r}"
                    return
                self.asked_again += 1
                time.sleep(0.2)


def main(deb: Path) -> None:
    with ExitStack() as ends:
        one, text = bare(ends), PAGE.read_text("utf-8")
        home = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="kteam")))
        page = iter(blocks(text))
        install = next(page)
        (one.root / "root" / install.split("./")[1].strip()).write_bytes(before(deb).read_bytes())
        one.within("apt-get", "update", "-q")
        one.typed("cd /root\n" + install.replace("install", "install -y --no-install-recommends"))
        one.within("klartone-team", "serve", "--help")
        size = ran("du", "-sm", one.root / "opt" / "klartone-team").split()[0]
        say(f"in, on a Debian that had nothing; {size} MB")
        shutil.copy(deb, one.root / "root" / "new.deb")
        servers = ["systemd", "systemd-sysv", "postgresql", "awscli", "openssl"]
        quickly = ["-o", "Dpkg::Options::=--force-unsafe-io"]
        one.within("apt-get", "install", "-q", "-y", "--no-install-recommends", *quickly, *servers)
        # Another server of this machine may have had that port.
        one.within("bash", "-c", "sed -i 's/^port = .*/port = 5432/' /etc/postgresql/*/main/postgresql.conf")
        if ctypes.CDLL(None, use_errno=True).unshare(_NET):
            raise SystemExit("there is no network of its own to be had here: this needs root")
        ran("ip", "link", "set", "lo", "up")
        weed, storage = seaweedfs.start(home / "data")
        ends.callback(lambda: (weed.kill(), weed.wait()))
        one.begin()
        say("its servers have come, and its systemd has begun")

        def told(block: str) -> str:
            """For this house."""
            return block.replace("https://s3.nordlys.example", storage).replace(
                'access_key = "…"', f'access_key = "{seaweedfs.ACCESS}"'
            )

        etc = Path(f"/proc/{one.first}/root{HOUSE}")
        keys = f"AWS_ACCESS_KEY_ID={seaweedfs.ACCESS} AWS_SECRET_ACCESS_KEY={seaweedfs.SECRET} AWS_DEFAULT_REGION=us-east-1"
        one.typed(f"export {keys}\n" + told(next(page)))
        one.typed(next(page))
        rule = next(page)
        [pg_hba] = Path(f"/proc/{one.first}/root/etc/postgresql").glob("*/main/pg_hba.conf")
        pg_hba.write_text(rule + pg_hba.read_text())
        one.typed(next(page))
        one.typed(next(page))
        (etc / "team.toml").write_text(told(next(page)))
        one.typed(next(page))
        for place in ("serve", "sweep"):
            (etc / "secrets" / place / "storage_secret").write_text(seaweedfs.SECRET + "\n")
        say(one.typed(next(page)).splitlines()[-1])
        public = re.findall(r"[A-Za-z0-9+/]{43}=", checked := one.typed(next(page)))
        say(checked.splitlines()[0])

        # Where the signer's key is: another machine.
        house, signer = House(), home / "signer"
        signer.mkdir()
        named = next(page)
        for which in public:
            named = named.replace('"…"', f'"{which}"', 1)
        assert len(public) == 2, checked
        (signer / "policy.toml").write_text(policy_of(house, 1, named.split("\n", 2)[2]))
        ring = {"PYTHON_KEYRING_BACKEND": f"{FileRing.__module__}.{FileRing.__name__}", AT: str(home / "ring.json")}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        lines = next(page).replace("klartone ", f"klartone --home {signer}/home ")
        done = subprocess.run(
            ["bash", "-e", "-c", lines], cwd=signer, capture_output=True, text=True, check=False,
            env={**os.environ, **ring, "PATH": path, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        signed_by = re.findall(r"[A-Za-z0-9+/]{43}=", done.stdout)[-1]
        for file in (signer / "policy.toml", signer / "policy.toml.sig"):
            shutil.copy(file, etc)
        say(one.typed(f"cd {HOUSE}\n" + next(page).replace("KEY", signed_by)).splitlines()[-1])

        one.typed(next(page))
        started = time.monotonic()
        say(f"its units run, {', '.join(one.property_of(unit, 'ActiveState') for unit in UNITS)}")
        one.typed(next(page))
        assert one.property_of("klartone-team-verify.service", "Result") == "success"
        timers = one.within("systemctl", "list-timers", "--no-legend", "klartone*")
        assert len(timers.splitlines()) == 2, timers
        lines = re.sub(r"(?m)\bKEY$", signed_by, next(page)).replace("-stdin", "-stdin <<<'a password'")
        link = LINK.search(one.typed(f"cd {HOUSE}\n{lines}"))
        assert link is not None
        certificate = home / "cert.pem"
        shutil.copy(etc / "cert.pem", certificate)
        desk = Desk(ADDRESS, PORT, authority=str(certificate))
        assert desk.take(link["code"]).status == 200
        for seconds in (3, 70):
            answer = desk.upload(made(house, agent=ANNA, seconds=seconds, packet=1_600))
            assert answer.status == 200, answer.body
            assert answer.json["receipt"], answer.body
        say(
            f"two recordings have arrived, one of them in parts, {time.monotonic() - started:.0f} s after the units began"
        )
        assert "anna" in one.typed(
            f"cd {HOUSE}\nCREDENTIALS_DIRECTORY=secrets klartone-team people --settings team.toml"
        )

        # Killed, each comes again.
        for unit in UNITS:
            was = one.property_of(unit, "MainPID")
            one.within("kill", "-KILL", was)
            until(lambda: one.property_of(unit, "MainPID") not in ("0", was), 60, f"{unit} again")  # noqa: B023
        until(lambda: all(one.property_of(unit, "ActiveState") == "active" for unit in UNITS), 60, "both again")
        say("killed, both came again")

        sending = Sending(desk, house)
        sending.start()
        until(lambda: len(sending.sent) >= 3, 60, "three more")
        was = [one.property_of(unit, "MainPID") for unit in UNITS]
        began = time.monotonic()
        one.within("apt-get", "install", "-q", "-y", "--no-install-recommends", "/root/new.deb")
        took, count = time.monotonic() - began, len(sending.sent)
        until(lambda: len(sending.sent) >= count + 3 or bool(sending.wrong), 90, "three more after the update")
        sending.ended.set()
        sending.join()
        assert not sending.wrong, sending.wrong
        assert not {*was} & {one.property_of(unit, "MainPID") for unit in UNITS}
        assert "~before" not in one.within("dpkg-query", "-W", "klartone-team")
        say(
            f"updated in {took:.0f} s while a desk sent {len(sending.sent)} recordings, asking {sending.asked_again} times again"
        )
        for what in ("sweep", "verify"):
            one.within("systemctl", "start", f"klartone-team-{what}.service")
        compared = one.typed(
            f"cd {HOUSE}\nCREDENTIALS_DIRECTORY=secrets/sweep klartone-team verify --settings team.toml --digests all --anew"
        )
        say(compared.splitlines()[-1])
        rows = one.within(
            "runuser", "-u", "postgres", "--", "psql", "-Atc", "SELECT count(*) FROM klartone.recordings", "klartone"
        )
        assert int(rows) == 2 + len(sending.sent), rows
        said = one.within("journalctl", "--no-pager", "-o", "json", "--unit", "klartone-team*")
        wrong = [one for one in map(json.loads, said.splitlines()) if "Traceback" in str(one.get("MESSAGE"))]
        assert not wrong, wrong

        one.within("apt-get", "remove", "-q", "-y", "klartone-team")
        assert {one.property_of(unit, "ActiveState") for unit in UNITS} <= {"inactive", "failed"}
        assert {one.property_of(unit, "MainPID") for unit in UNITS} == {"0"}
        assert (etc / "team.toml").exists()
        assert (etc / "secrets" / "serve" / "number_key").exists()
        one.within("apt-get", "purge", "-q", "-y", "klartone-team")
        places = [Path(f"/proc/{one.first}/root/{name}") for name in ("etc", "opt", "usr", "var/lib")]
        left = [str(at) for place in places for at in place.rglob("*klartone*") if "postgresql" not in str(at)]
        assert not left, left
        say("removed, with settings and secrets still there; purged, and nothing is left")


if __name__ == "__main__":
    found = sys.argv[1:] or sorted(str(one) for one in (ROOT / "build" / "package").glob("klartone-team_*.deb"))
    if os.getuid() or not found:
        raise SystemExit("Run as root, after: sudo make team-deb")
    main(Path(found[-1]).resolve())
