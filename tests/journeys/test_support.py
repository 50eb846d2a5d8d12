"""A file for support: what helps is in it, and nobody's number, name, address or secret, wherever they were planted. Crashes
of the real processes are kept for it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from softphone import cli
from softphone.archive.archive import Archive
from softphone.bootstrap.home import Home, password_name
from softphone.crashes import LARGEST, MOST, crashes, tidy
from softphone.locking import locked
from softphone.system.endpoint import read_endpoint
from softphone.system.redaction import Redactor
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings import save_settings
from softphone.system.signature import new_signing_key, public_half
from softphone.wire.snapshot import Account, Settings
from tests.peers.processes import until
from tests.peers.second_phone import ROOT

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be sent these signals there"),
]
USER, PASSWORD = "bjarke.aegaard", "Hund-og-kat 99"
ACCOUNT = Account(
    "desk",
    "+4570809010@pbx.example",
    user="sofie17",
    display_name="Sofie Nørgaard, Pbx",
    mailbox="+4570809099",
    register=False,
)
SHORT = Account("short", "2841@pbx.example", user="2841", mailbox="2899", register=False)
"""an extension, which in an office says who it is"""
LINES = """2026-11-29 17:05:12,123 WARNING klartone.engine a turn took 612 ms
2026-11-29 17:05:13,001 ERROR klartone.engine bug KeyError at loop.py:12:turn > accounts.py:40:set
INVITE sip:anna.friis@pbx.example SIP/2.0 from 10.0.0.5 by way of 91.198.174.192
From: "Karla Vestergaard" <sip:karla@pbx.example>;tag=8
\\r\\nP-Asserted-Identity: <sip:31415926@pbx.example>\\r\\nX: y
Contact: <sip:31415926@192.0.2.7>
calls of +45 31 41 59 26, 0045 31415926, 31-41-59-26, tel:+4531415926 and %2B4531415926
the caller said 010190-1234, and mail to carla.vest@firma.example
Sofies telefon ringer til nr.31415926 og call_31415926 efter 12.5 s og 1048576 bytes
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20
a=fingerprint:sha-256 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB
a=ice-pwd:asd88fgpdd777uzjYhagZg
Authorization: Digest username="sofie17", response="6629fae49393a05397450978507c4ef1"
GET /x?number=31415926 Bearer eyJhbGciOi.J9Zm9v-42 token=s3cr3t-word-42 {"secret": "kW3m2Qp9xLz"}
tried sofie17 for Sofie N\\u00f8rgaard with Hund-og-kat 99 in /home/bjarke.aegaard/.config
/home/mette.friis/ring.wav, C:\\Users\\Ole Hvid\\x.wav and \\\\server\\home$\\pdahl
registered user 2841 after 2841 ms
the password is Hest71, --password Hest72, kodeord: Hest73, {"password": "to Hest74"}, +45\u00a031\u00a041\u00a059\u00a026
2026-11-29 17:05:13,001 DEBUG wire From: Ellen Dam <sip:31415926@pbx.example>
s=Call of Ellen Dam
opened /srv/a1b2c/phone-16/tmp_wj49n8r/more/archive2
23 456 789, 23 45 6789, 2345-6789, 23.456.789, 23 456789 and CPR 010290 1234
f: Hans Ploug <tel:31415926>
s: om Ploug
k=clear:hemmelig99
DEBUG wire P-Asserted-Identity: Ploug <tel:31415926>, t: Ploug <tel:31415926>, ploug%40firma.example
Reason: SIP;cause=480;text="Ploug er syg"
Warning: 399 x "Ploug"
Organization: Plougs Eftf.
N\\xc3\\xb8rgaard
DPoP: eyJhbGciOi.eyJzdWIiOi.c2lnbmF0
GET /callback?code=4/0AX12&state=abcde99 and https://house.example/join#AbC12-x9
policy in force: number 7 sha256 3f2a91bc77120345 lines 2
account 1: registered 200, call 3 ended code=200 by=them seconds=50.2 encrypted=yes codec=PCMA
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3c
2026-11-29 17:05:14,001 INFO klartone.engine cut off above
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v
-----END PRIVATE KEY-----
"""
PLANTED = (
    *("70809010", "70809099", "sofie17", "Sofie", "rgaard", "31415926", "31 41 59 26", "31-41-59-26", "010190"),
    *("anna.friis", "Karla", "karla", "Vestergaard", "carla.vest", "91.198.174.192", "bjarke", "aegaard", PASSWORD),
    *(
        "mette",
        "Ole Hvid",
        "pdahl",
        "2899",
        "user 2841",
        "2841@",
        '"2841"',
        "Hemmelig77",
        "Aage Juhl",
        "Hest7",
        "Ellen Dam",
    ),
    *("WVNfX19z", "4A:AD:B9", "asd88fgp", "6629fae4", "eyJhbGciOi", "s3cr3t", "kW3m2Qp9xLz", "MC4CAQAw", "Bjarke"),
    *("456 789", "45 6789", "2345-", "456.789", "456789", "010290", "Ploug", "ploug", "hemmelig99", "xc3", "eyJ"),
    *("0AX12", "abcde99", "AbC12"),
)
HELPS = (
    "2026-11-29 17:05:12,123",
    "a turn took 612 ms",
    "KeyError at loop.py:12:turn",
    "pbx.example",
    "10.0.0.5",
    "1048576",
    "2841 ms",
    "cause=480",
    "https://house.example/join#",
    "policy in force: number 7 sha256 3f2a91bc77120345 lines 2",
    "account 1: registered 200, call 3 ended code=200 by=them seconds=50.2 encrypted=yes codec=PCMA",
    "/srv/a1b2c/phone-16/tmp_wj49n8r/more/archive2",
    "2026-11-29 17:05:14,001 INFO klartone.engine cut off above",
)
LONG_LINES = ("a-", "a.", "a@", "1 ", "http://", "password ", "-----BEGIN X-----", "/home/a ")


def started(program: str, folder: Path, who: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", program, str(folder), who]
    return subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def crashed(home: Home) -> list[str]:
    """Of which processes a report lies there."""
    return sorted(one.path.name.partition("-")[0] for one in crashes(home.folders.log))


def test_the_file_for_support_has_what_helps_and_nothing_of_what_was_planted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home.within(tmp_path / USER / "home")
    home.folders.create()
    archive = tmp_path / USER / "archive"
    keys = DemoKeyFile(archive / "demo-keys.json")
    Archive.create(archive, keys, demo=True).close()
    keys.set(password_name(ACCOUNT.id), PASSWORD.encode())
    ring = "file:/home/mette.friis/ring.wav"
    signer = public_half(new_signing_key())
    settings = Settings((ACCOUNT, SHORT), archive=str(archive), bind="127.0.0.1", ring_sound=ring, policy_signer=signer)
    save_settings(home.folders.config, settings)
    (home.folders.log / "session.log").write_text(LINES, encoding="utf-8")
    (home.folders.log / "call-+4531415926.log").write_text("nothing\n", encoding="utf-8")
    # What else may lie there: a pipe, which nobody writes into, and links to other files.
    (home.folders.log / "crashes").mkdir()
    for name in ("review.log", "desk-2.lock", "crashes/edge-20260101T120000-1.txt"):
        os.mkfifo(home.folders.log / name)
    (tmp_path / "letter").write_text("Aage Juhl\n", encoding="utf-8")
    (home.folders.log / "desk.log").symlink_to(tmp_path / "letter")
    (home.folders.log / "desk.log.1").symlink_to("/dev/zero")
    (home.folders.log / "session.log.1").write_text("\n".join(one * (100_000 // len(one)) for one in LONG_LINES))
    for name, value in {
        "USER": USER,
        "KLARTONE_NOTE": "for carla.vest@firma.example, +4531415926",
        "XDG_DATA_DIRS": f"/home/{USER}/share",
        "HOME_OF_SOMEBODY": "/home/karla",
        "LC_ALL": "en_GB.UTF-8",
    }.items():
        monkeypatch.setenv(name, value)

    # The edge and the engine of a real phone die as by a bug in a library; each leaves a report.
    with subprocess.Popen(
        [sys.executable, "-m", "softphone", "--home", str(home.root), "engine"],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    ) as engine:
        until(lambda: read_endpoint(home.folders.runtime) is not None, 60, "an engine")
        below = Path(f"/proc/{engine.pid}/task/{engine.pid}/children").read_text("ascii").split()
        tasks = [one.read_text("ascii").split() for one in Path(f"/proc/{engine.pid}/task").glob("*/children")]
        children = {pid for pids in (*tasks, below) for pid in pids}
        edges = [pid for pid in children if b"softphone.edge" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        assert crashed(home) == []
        os.kill(int(edges[0]), signal.SIGSEGV)
        until(lambda: crashed(home) == ["edge"], 10, "the edge's report")
        engine.send_signal(signal.SIGABRT)
    assert crashed(home) == ["edge", "engine"]

    assert cli.main(["--home", str(home.root), "support", str(tmp_path / "no" / "x.zip"), "--forget-crashes"]) == 1
    capsys.readouterr()
    assert cli.main(["--home", str(home.root), "support", str(tmp_path)]) == 1
    assert "is a folder. Name a file in it" in capsys.readouterr().err
    assert crashed(home) == ["edge", "engine"]
    file = tmp_path / "out.zip"
    # Programs of others have the name in their command lines too, with what else stands there.
    words = [sys.executable, "-c", "import sys; sys.stdin.read()", "/opt/klartone", "softphone", "Hemmelig77"]
    began = time.monotonic()
    with subprocess.Popen(words, stdin=subprocess.PIPE) as other:
        assert cli.main(["--home", str(home.root), "support", str(file), "--forget-crashes"]) == 0
        other.communicate(b"")
    assert time.monotonic() - began < 40
    told = capsys.readouterr().out
    assert "Nothing has been sent" in told
    assert "logs/session.log" in told
    assert "2 crash reports that are in it were deleted here" in told
    assert file.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(file) as packed:
        names = packed.namelist()
        whole = {name: packed.read(name).decode() for name in names}
    everything = "\n".join([*names, *whole.values(), told.replace(str(tmp_path), "")])
    assert [one for one in PLANTED if one in everything] == []
    assert [one for one in HELPS if one not in whole["logs/session.log"]] == []
    assert {"doctor.json", "settings.json", "versions.json", "phone.json", "processes.json", "READ-ME.txt"} <= set(
        names
    )
    assert {one for one in names if one.startswith("logs/")} == {
        "logs/session.log",
        "logs/session.log.1",
        "logs/engine.log",
    }
    about = whole["READ-ME.txt"]
    assert {one.partition("/")[0].partition(".")[0] for one in names if f"{one.partition('/')[0]}:" not in about} == {
        "READ-ME"
    }
    assert "READ-ME.txt" in told
    held = json.loads(whole["settings.json"])["settings"]
    assert (held["bind"]["value"], held["bind"]["origin"]) == ("127.0.0.1", "user")
    assert held["policy_signer"]["value"] == signer, "a public key tells a wrong signer from the right one"
    distribution = json.loads(whole["versions.json"])["distribution"]
    assert distribution
    assert distribution in Path("/etc/os-release").read_text("utf-8")
    dead = [text for name, text in whole.items() if name.startswith("crashes/")]
    assert len(dead) == 2
    assert all("Fatal Python error" in one and " UTC" in one.partition("\n")[0] for one in dead)
    findings = {one["code"]: one for one in json.loads(whole["doctor.json"])["findings"]}
    assert findings["doctor.crashes.kept"]["params"]["count"] == 2
    # The same number has one name all through, and so has the same person: as the system's user and in an address.
    text = Redactor(names=["bjarke"], users=["bjarke"]).text("sip:bjarke@pbx.example in /home/bjarke/x, bjarke said")
    assert len(set(re.findall(r"<[^>]*>", text))) == 1, text
    log = whole["logs/session.log"]
    line = next(one for one in log.splitlines() if one.startswith("calls of"))
    assert line.count(line.split()[2].rstrip(",")) >= 3, line
    # Deleted once they were in a file.
    assert crashed(home) == []


def test_reports_are_bounded_and_each_process_has_a_log_of_its_own(tmp_path: Path) -> None:
    kept = tmp_path / "crashes"
    kept.mkdir()
    for n in range(MOST + 5):
        path = kept / f"engine-{n:02}.txt"
        path.write_text("head\n\n" + "x" * (LARGEST * 2 if n == MOST else 5), encoding="utf-8")
        os.utime(path, (n, n))
    (kept / "engine-empty.txt").write_text("head\n\n", encoding="utf-8")
    os.utime(kept / "engine-empty.txt", (1, 1))
    with (kept / "engine-lives.txt").open("ab") as lives:
        lives.write(b"head\n\n")
        lives.flush()
        assert locked(lives)
        tidy(kept)
    left = {one.name for one in kept.glob("*")}
    assert left == {"engine-lives.txt", *(f"engine-{n:02}.txt" for n in range(6, MOST + 5))}
    assert (kept / f"engine-{MOST}.txt").stat().st_size == LARGEST

    # Two at once, and a third after them; an error on a thread is reported, without its words.
    program = """if True:
        import sys, threading
        from pathlib import Path
        from softphone.system.logbook import start_log
        log = start_log(Path(sys.argv[1]), "desk")
        log.info("I am %s", sys.argv[2])
        def fail(): raise RuntimeError("+4531415926")
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        print("ready", flush=True)
        sys.stdin.read()
    """
    with (
        started(program, tmp_path, "first") as first,
        started(program, tmp_path, "second") as second,
    ):
        for one in (first, second):
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        first.communicate("")
        with started(program, tmp_path, "third") as third:
            assert third.stdout is not None
            assert third.stdout.readline() == "ready\n"
            third.communicate("")
        second.communicate("")
    logs = sorted((tmp_path / name).read_text("utf-8") for name in ("desk.log", "desk-2.log"))
    assert [sum(f"I am {who}" in one for who in ("first", "second", "third")) for one in logs] in ([1, 2], [2, 1])
    reports = [one.path.read_text("utf-8") for one in crashes(tmp_path) if one.path.name.startswith("desk")]
    assert len(reports) == 3
    assert all("RuntimeError at threading.py" in one and "31415926" not in one for one in reports)
    assert all(one.at <= datetime.now(UTC) for one in crashes(tmp_path))
