"""The policy's file is watched: a change holds from the next call on, a fault leaves the last good one, a wrong signature
leaves none.

The audit log notes each of them (G11).
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from plugins import datatilsynet
from softphone.archive.crypto import policy_signer
from softphone.domain.changes import AuditEntry
from softphone.domain.decision import NoticeId
from softphone.domain.notice import NoticeVariant, sound_hash
from softphone.domain.purpose import Headline, Language, Purpose, Reason
from softphone.plugin.manifest import read_plugin
from softphone.system.policy_file import load_policy
from softphone.system.signature import new_signing_key, public_half, sign
from softphone.wire.snapshot import PolicyPhase
from tests.journeys.fault_words import save
from tests.journeys.lines import NOTICE_FILE
from tests.journeys.stage import stage
from tests.peers.second_phone import ROOT

pytestmark = pytest.mark.journey


@pytest.mark.rule("G11")
def test_a_changed_policy_holds_from_the_next_call_on_and_each_taking_up_is_in_the_audit_log(tmp_path: Path) -> None:
    with stage(tmp_path, lines=("n7",)) as on:
        desk = on.desk
        file = on.home.folders.config / "policy.toml"
        good = file.read_text("utf-8")
        call = on.call("n7")
        desk.wait_event("first_sample", call=call)

        changed = good.replace('name = { da = "Linje n7"', 'name = { da = "Salg"').replace(
            'sample = "100 %"', 'sample = "0 %"'
        )
        file.write_text(changed, "utf-8")
        desk.wait(lambda now: [one for one in now.lines if "Salg" in one.name.values()], "the changed policy")
        # The call that is on has its own.
        status = desk.call(call).status
        assert status is not None
        assert {*status.recording} == {*Purpose}
        on.hang_up(call)
        after = on.call("n7", number="+4520123457")
        desk.wait_event("first_sample", call=after)
        status = desk.wait_status(lambda one: one.recording, "recording", after)
        assert status.recording == (Purpose.DOCUMENTATION,)
        on.hang_up(after)

        file.write_text(good[:700], "utf-8")
        desk.wait(lambda now: now.policy.phase is PolicyPhase.FAULTY and now.policy.controller, "faulty")
        key = new_signing_key()
        save(on, policy_signer=public_half(key))
        desk.wait(lambda now: now.policy.phase is PolicyPhase.UNSIGNED, "unsigned")
        unsigned = on.call("n7", number="+4520123459")
        status = desk.wait_status(lambda one: one.headline is Headline.FAILED, "not recorded", unsigned)
        assert status.reasons[0].reason is Reason.POLICY_UNSIGNED
        on.hang_up(unsigned)
        file.write_text(good, "utf-8")
        sign(file.read_bytes(), file, key)
        desk.wait(lambda now: now.policy.phase is PolicyPhase.READY, "signed")
        signed = on.call("n7", number="+4520123460")
        # Nobody has signed the line's own recording, so the voice speaks, and takes its time.
        desk.wait_event("notice_started", call=signed)
        on.hang_up(signed)
        on.end()
        with on.archive() as archive:
            told = [(one.event, dict(one.params)) for one in archive.audit_of() if one.rule == "G11"]
        makers = {(params["rulebook"], params["voice"]) for event, params in told if event == "policy_taken_up"}
        hashes = [str(params["sha256"]) for event, params in told if event == "policy_taken_up"]
        assert hashes == [hashlib.sha256(text.encode()).hexdigest() for text in (good, changed, good)]
        plugins = (read_plugin(ROOT / "plugins" / name).release for name in ("datatilsynet", "espeak_voice"))
        assert makers == {tuple(plugins)}
        stays = [params["last_good_stays"] for event, params in told if event == "policy_refused"]
        assert (stays[0], stays[-1]) == (True, False)
        assert on.verified()["audit_ok"]


@pytest.mark.rule("G11")
def test_a_policy_without_the_archive_s_signature_records_nothing_once_it_is_asked_for(
    tmp_path: Path,
) -> None:
    key = new_signing_key()
    with stage(tmp_path, lines=("n7",)) as on:
        desk = on.desk
        file = on.home.folders.config / "policy.toml"
        goes_on = on.call("n7")
        desk.wait_event("first_sample", call=goes_on)
        with on.archive() as archive, archive.catalog.writing() as tx:
            policy_signer.choose(tx.connection, public_half(key))
            tx.log(AuditEntry("policy_signer_chosen", "G11", datetime.now(UTC), ""))
        desk.wait(lambda now: now.policy.phase is PolicyPhase.UNSIGNED, "unsigned")
        # The call that is on goes on as it began.
        desk.opt_out(goes_on)
        desk.wait_status(lambda one: one.recording == (Purpose.DOCUMENTATION,), "documentation alone", goes_on)
        on.sealed(goes_on, 1)
        on.hang_up(goes_on)
        unsigned = on.call("n7")
        status = desk.wait_status(lambda one: one.headline is Headline.FAILED, "not recorded", unsigned)
        assert status.reasons[0].reason is Reason.POLICY_UNSIGNED
        on.hang_up(unsigned)
        # The line's own recording is signed with it: the policy says by its hash which words it says.
        file.write_text(_with_hash(file), "utf-8")
        sign(file.read_bytes(), file, key)
        desk.wait(lambda now: now.policy.phase is PolicyPhase.READY, "signed")
        signed = on.call("n7", number="+4520123460")
        assert float(desk.wait_event("notice_started", call=signed).params["seconds"] or 0) < 2, "the voice speaks"
        desk.wait_event("first_sample", call=signed)
        on.hang_up(signed)
        on.end()
        with on.archive() as archive:
            assert len(archive.list()) == 2
            refused = [one for one in archive.audit_of() if one.event == "policy_refused"]
        assert {one.params["why"] for one in refused} == {"policy.fault.signature_missing"}
        assert on.verified()["ok"]


def _with_hash(file: Path) -> str:
    """The policy, whose line n7 says that a person has heard its Danish N7 say the notice's words."""
    policy = load_policy(file).policy
    line = policy.line_named("n7")
    assert line is not None
    words = datatilsynet.notice_text(policy.controller_of(line), line, NoticeId.N7, Language.DA, NoticeVariant.WHOLE)
    assert words is not None
    sha256 = sound_hash(words.spoken, file.with_name(NOTICE_FILE).read_bytes())
    text = file.read_text("utf-8")
    return text.replace(
        f'N7 = {{ da = "{NOTICE_FILE}"', f'N7 = {{ da = {{ file = "{NOTICE_FILE}", hash = "{sha256}" }}'
    )
