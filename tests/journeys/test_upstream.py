"""An exchange says in its INVITE what it has told the party: believed of one that the policy lists, and of nobody else (G05)."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from softphone.domain.purpose import Language, Purpose, Reason
from softphone.domain.status import InformedPhase, PurposePhase
from softphone.wire.snapshot import CallState
from tests.journeys.lines import NUMBERS
from tests.journeys.stage import LOOPBACK, Stage, stage
from tests.peers.plain_phone import plain_phone

pytestmark = pytest.mark.journey

LISTED = "127.0.0.1"
STRANGER = "127.0.0.2"
AT_ONCE = 1.0
"""seconds from the answer to the first sample, where nothing needs to be said"""


@contextmanager
def answered(on: Stage, line: str, told: str, number: str, host: str = LISTED) -> Generator[CallState]:
    """A call that an exchange at `host` puts through with that header; over when the block ends."""
    with plain_phone(host, number) as phone:
        phone.call(LOOPBACK, on.sip_port, NUMBERS[line], headers={"Klartone-Told": told})
        call = on.desk.answer()
        yield call
        phone.hang_up()
        on.desk.wait_event("ended", call=call.id)


@pytest.mark.rule("G05")
def test_what_a_listed_exchange_told_is_not_told_again_and_anybody_elses_word_is_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one line it sends the extension, as plain `Dial(PJSIP/17)` does."""
    monkeypatch.setitem(NUMBERS, "n3", "17")
    with stage(tmp_path, lines=("n7", "n3"), top=f'[upstream]\nhosts = ["{LISTED}"]') as on:
        desk = on.desk

        with answered(on, "n7", "N7;language=en;keys=", "+4520000001") as call:
            first = desk.wait_event("first_sample", call=call.id).since_answer
            status = desk.wait_status(lambda one: len(one.recording) == 2, "both purposes", call.id)
            assert status.notice is not None
            assert (status.notice.told, status.notice.how) == (InformedPhase.INFORMED, "upstream")
            assert status.notice.language is Language.EN
            assert not desk.told("notice_started", call=call.id)
            print(f"told upstream: first sample {first:.3f} s after the answer")
            assert first is not None
            assert first < AT_ONCE

        with answered(on, "n7", "N1", "+4520000002") as call:
            # Documentation is told of; of training nobody has said a word.
            desk.wait_event("notice_started", call=call.id)
            desk.wait_event("first_sample", call=call.id)

        with answered(on, "n7", "N7", "+4520000003", STRANGER) as call:
            assert desk.wait_event("upstream_ignored", call=call.id).params["why"] == "not_listed"
            desk.wait_event("audit.upstream_ignored", call=call.id)
            heard = desk.wait_event("notice_ended", call=call.id).at
            assert desk.wait_event("recorder_started", call=call.id).at >= heard

        with answered(on, "n7", "N7;language=klingon", "+4520000004") as call:
            assert desk.wait_event("upstream_ignored", call=call.id).params["why"] == "malformed"
            desk.wait_event("notice_started", call=call.id)

        with answered(on, "n3", "N3;keys=1", "+4520000005") as call:
            status = desk.wait_status(lambda one: one.recording, "the yes that came with it", call.id)
            assert status.recording == (Purpose.TRAINING,)
            assert status.reasons[0].reason is Reason.CONSENT
            desk.wait_event("audit.consent_given", call=call.id, rule="G03")
            assert not desk.told("notice_started", call=call.id)

        with answered(on, "n3", "N3", "+4520000006") as call:
            # Told, and not answered: it is asked here, and silence is no yes.
            desk.wait_status(lambda one: one.purposes[Purpose.TRAINING].phase is PurposePhase.ASKED, "asked", call.id)
            assert not desk.told("recorder_started", call=call.id)

        with answered(on, "n7", "N7;keys=*9", "+4520000007") as call:
            desk.wait_status(
                lambda one: one.purposes[Purpose.TRAINING].reason is Reason.DECLINED_BY_KEY, "the no", call.id
            )
        on.end()
        with on.archive() as archive:
            noted = [entry for entry in archive.audit_of() if entry.event == "upstream_ignored"]
        assert [entry.rule for entry in noted] == ["G05", "G05"]
        assert on.verified()["audit_ok"]
