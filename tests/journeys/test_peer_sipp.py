"""A real SIPp that calls and takes its sound elsewhere by a re-INVITE 50 ms after its ACK, as exchanges with direct media do."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from softphone.wire.to_engine import HangUp
from tests.journeys.lines import NUMBERS
from tests.journeys.stage import LOOPBACK, stage
from tests.peers.processes import end, free_port

pytestmark = [pytest.mark.journey, pytest.mark.peer("sipp")]

_REQUEST = """
{method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:+4520990003@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>{to}
Call-ID: [call_id]
CSeq: {cseq} {method}
Contact: <sip:sipp@[local_ip]:[local_port]>
"""
_SDP = """Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 {version} IN IP4 [local_ip]
s=-
c=IN IP4 {host}
t=0 0
m=audio {port} RTP/AVP 8
a=rtpmap:8 PCMA/8000
"""
_BARE = "Content-Length: 0\n\n"


def _scenario(ports: tuple[int, int]) -> str:
    def send(method: str, cseq: int, rest: str, to: str = "[peer_tag_param]", more: str = "") -> str:
        return f"<send{more}><![CDATA[{_REQUEST.format(method=method, cseq=cseq, to=to)}{rest}]]></send>"

    first = _SDP.format(version=1, host="[local_ip]", port=ports[0])
    moved = _SDP.format(version=2, host="127.0.0.2", port=ports[1])
    answered = '<recv response="100" optional="true"/><recv response="180" optional="true"/><recv response="200"/>'
    steps = [
        send("INVITE", 1, first, "", ' retrans="500"'),
        answered,
        send("ACK", 1, _BARE),
        '<pause milliseconds="50"/>',
        send("INVITE", 2, moved, more=' retrans="500"'),
        answered,
        send("ACK", 2, _BARE),
        '<recv request="BYE" timeout="30000"/>',
        "<send><![CDATA[\nSIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n"
        f"{_BARE}]]></send>",
    ]
    return f'<?xml version="1.0"?>\n<scenario name="moved">{"".join(steps)}</scenario>\n'


@pytest.mark.rule("G05")
def test_a_sound_that_sipp_takes_elsewhere_50_ms_after_its_ack_begins_no_notice_anew(tmp_path: Path) -> None:
    scenario = tmp_path / "moved.xml"
    scenario.write_text(_scenario((free_port(), free_port())))
    with stage(tmp_path / "stage", lines=("n1",)) as on:
        sipp = subprocess.Popen(
            ["sipp", f"{LOOPBACK}:{on.sip_port}", "-sf", str(scenario), "-s", NUMBERS["n1"], "-i", LOOPBACK, "-m", "1"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=tmp_path,
        )
        try:
            call = on.desk.answer().id
            on.desk.wait_event("notice_ended", call=call)
            assert len(on.desk.told("notice_started", call=call)) == 1
            assert not on.desk.told("identity_changed", call=call)
            on.desk.do(HangUp, call=call)
            assert sipp.wait(15) == 0, "the whole of its scenario"
        finally:
            end(sipp)
        on.end()
