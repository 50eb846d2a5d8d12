"""A real SIPp, started with a scenario that a test writes as steps, one call after another.

with sipp(steps, port, "+4570102000", calls=10) as caller:
    caller.wait(30)
"""

from __future__ import annotations

import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.peers.processes import end, free_port

HOST = "127.0.0.1"
BARE = "Content-Length: 0\n\n"
SDP = """Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 {version} IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio {port} RTP/AVP 8
a=rtpmap:8 PCMA/8000
"""
ANSWERED = (
    '<recv response="100" optional="true"/><recv response="180" optional="true"/><recv response="200" rrs="true"/>'
)
BYE = '<recv request="BYE" timeout="30000"/>'


def sdp(version: int = 1, more: str = "", *, moved: bool = False) -> str:
    """Its sound is an echo of what it hears; `moved`: at another port than before."""
    return SDP.format(version=version, port="[media_port+2]" if moved else "[media_port]") + more


def request(
    method: str, cseq: int, rest: str = BARE, *, more: str = "", branch: str = "[branch]", retry: bool = False
) -> str:
    """Of a caller. `more`: header lines; `retry`: until it is answered."""
    to = "[peer_tag_param]" if cseq > 1 or method != "INVITE" else ""
    lines = f"""
{method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}
Max-Forwards: 70
From: <sip:+4520990003@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>{to}
Call-ID: [call_id]
CSeq: {cseq} {method}
Contact: <sip:sipp@[local_ip]:[local_port]>
{more}{rest}"""
    again = ' retrans="500"' if retry else ""
    return f"<send{again}><![CDATA[{lines}]]></send>"


def answer(status: str, rest: str = BARE, *, more: str = "", first: bool = False) -> str:
    """To the request that came last; `first`: to the INVITE that calls it."""
    tag = ";tag=[call_number]" if first else ""
    return (
        f"<send><![CDATA[\nSIP/2.0 {status}\n[last_Via:]\n[last_From:]\n[last_To:]{tag}\n[last_Call-ID:]\n"
        f"[last_CSeq:]\nContact: <sip:sipp@[local_ip]:[local_port]>\n{more}{rest}]]></send>"
    )


class Sipp:
    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self.port = port
        """where it is called"""

    def wait(self, seconds: float) -> None:
        """Its whole scenario has happened, in each call."""
        status = self._process.wait(seconds)
        assert status == 0, f"SIPp ended with {status}: a call went otherwise than its scenario"


@contextmanager
def sipp(steps: Sequence[str], to: int = 0, number: str = "", *, calls: int = 1) -> Generator[Sipp]:
    """It calls `number` at port `to`; without one it is called."""
    port = free_port()
    with TemporaryDirectory() as folder:
        scenario = Path(folder) / "scenario.xml"
        scenario.write_text(f'<?xml version="1.0"?>\n<scenario name="klartone">{"".join(steps)}</scenario>\n')
        where = [f"{HOST}:{to}", "-s", number, "-l", "1"] if to else []
        with (Path(folder) / "out").open("wb") as out:
            process = subprocess.Popen(
                [
                    "sipp",
                    *where,
                    "-sf",
                    str(scenario),
                    "-i",
                    HOST,
                    "-p",
                    str(port),
                    "-m",
                    str(calls),
                    "-nostdin",
                    "-trace_err",
                    "-rtp_echo",
                    "-mp",
                    str(free_port()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=folder,
            )
            try:
                yield Sipp(process, port)
            except BaseException:
                for errors in Path(folder).glob("*errors.log"):
                    print(errors.read_text()[:3000])
                raise
            finally:
                end(process)
