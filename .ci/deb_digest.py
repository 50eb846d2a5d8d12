"""A call through a Kamailio that asks for SHA-256, by the engine of the package that is installed below ROOT: deb_digest.py ROOT

pjsua2 answers such a challenge by OpenSSL, and the package has a hollow one that goes on to the system's. The phone registers,
calls two telephones at once, records the one that is faster, and its archive is verified: the journey that the tests have.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.journeys import stage, test_peer_kamailio  # noqa: E402

ALONE = ("/usr/bin/env", "-i", "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/root", "/usr/bin/klartone")


def main(root: Path) -> None:
    def packaged(_module: str, *words: str, stderr: IO[bytes], inside: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*inside, "chroot", root, *ALONE, *words], stdin=subprocess.PIPE, stderr=stderr)

    stage.forked = packaged  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as scratch:
        there = root / scratch.lstrip("/")
        there.mkdir(parents=True)
        subprocess.run(["mount", "--bind", scratch, there], check=True)
        try:
            test_peer_kamailio.test_of_two_phones_that_answer_a_forked_call_at_once_one_is_ended_and_the_other_recorded_whole(
                Path(scratch)
            )
        finally:
            subprocess.run(["umount", "--lazy", there], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
