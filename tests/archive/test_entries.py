"""What the log's entries say of each other: an erasure must have its ground in the call's own log, and a key its policy."""

from __future__ import annotations

import pytest

from softphone.archive.catalog.condemned import remove_condemned
from softphone.archive.changes.ending import discard
from softphone.archive.crypto.wraps import Recipient, create_key_pair
from softphone.archive.examine.facts import Finding
from softphone.archive.examine.verify import verify
from softphone.archive.log.policies import shown
from softphone.archive.seen.access import choose_signer
from softphone.domain.changes import AuditEntry, CloseRecording, Discard, OpenRecording
from softphone.domain.purpose import Basis, KeyRole, Purpose
from softphone.system.signature import new_signing_key, public_half
from tests.archive.scene import AT, DOCUMENTATION, Scene

GROUNDS = {
    Basis.LEGAL_OBLIGATION: "G02",
    Basis.LEGITIMATE_INTEREST: "G20",
    Basis.CONSENT: "G03",
}


def recorded(desk: Scene, **bases: Basis) -> str:
    """As the session writes it: what is active and on which basis, and what the segment is for."""
    purposes = tuple(Purpose(one) for one in bases)
    call = desk.call()
    recording = f"{call}-1"
    entries = [
        AuditEntry("purpose_active", rule_of(one, basis), AT, call, params={"purpose": one, "basis": basis.value})
        for one, basis in bases.items()
    ]
    entries.append(
        AuditEntry("segment_opened", "G20", AT, call, recording, {"purposes": " ".join(bases), "segment": 0})
    )
    opens = OpenRecording(recording, call, AT), desk.segment(recording, 0, *purposes)
    desk.commit(*opens, call=call, recording=recording, entries=entries)
    desk.commit(CloseRecording(recording, AT, purposes), call=call, recording=recording)
    return recording


def rule_of(purpose: str, basis: Basis) -> str:
    return "G34" if purpose == "training" and basis is Basis.LEGITIMATE_INTEREST else GROUNDS[basis]


def erased(desk: Scene, recording: str, why: str, *ended: str) -> None:
    call = recording.removesuffix("-1")
    entries = [AuditEntry("purpose_ended", "G31", AT, call, params={"purpose": one, "reason": why}) for one in ended]
    entries.append(AuditEntry("recording_discarded", "G31", AT, call, recording, {"why": why}))
    desk.commit(Discard(recording, why), call=call, recording=recording, entries=entries)


def told(desk: Scene) -> list[Finding]:
    return [one for one in verify(desk.archive).findings if one.is_fault]


OBLIGATION, INTEREST, CONSENT = Basis.LEGAL_OBLIGATION, Basis.LEGITIMATE_INTEREST, Basis.CONSENT


@pytest.mark.rule("G04")
@pytest.mark.rule("G11")
@pytest.mark.parametrize(
    ("bases", "why", "ended", "founded"),
    [
        ({"documentation": OBLIGATION}, "declined_by_voice", ("documentation",), False),
        ({"documentation": INTEREST}, "declined_by_voice", ("documentation",), False),
        ({"documentation": OBLIGATION}, "private", ("documentation",), False),
        ({"documentation": CONSENT}, "withdrawn", (), False),
        ({"documentation": OBLIGATION, "training": INTEREST}, "declined_by_key", ("training",), False),
        ({"training": INTEREST}, "declined_by_key", (), False),
        ({"training": INTEREST}, "declined_by_key", ("training",), True),
        ({"documentation": CONSENT, "training": CONSENT}, "withdrawn", ("documentation", "training"), True),
        ({"documentation": INTEREST}, "private", ("documentation",), True),
    ],
)
def test_an_erasure_that_its_basis_and_its_call_s_log_do_not_bear_out_is_a_difference(
    desk: Scene, bases: dict[str, Basis], why: str, ended: tuple[str, ...], founded: bool
) -> None:
    recording = recorded(desk, **bases)
    assert told(desk) == []
    erased(desk, recording, why, *ended)
    found = [(one.code, one.params["recording"]) for one in told(desk)]
    assert found == ([] if founded else [("erasure_unfounded", recording)])


def taken_up(desk: Scene, sha256: str, *recipients: Recipient, signed: str = "") -> None:
    params = {"sha256": sha256, "keys": shown(recipients), **({"signed": signed} if signed else {})}
    desk.archive.note(AuditEntry("policy_taken_up", "G11", AT, "", params=params))


@pytest.mark.rule("G11")
def test_what_was_recorded_under_a_policy_and_keys_of_one_s_own_is_told_also_when_the_signer_is_back(
    desk: Scene,
) -> None:
    signer = public_half(new_signing_key())
    house = list(desk.policy_recipients)
    taken_up(desk, "aa" * 32, *house)
    recorded(desk, documentation=Basis.LEGITIMATE_INTEREST)
    choose_signer(desk.archive, signer, AT)
    taken_up(desk, "aa" * 32, *house, signed=signer)
    assert told(desk) == []

    own = [Recipient(role.value, role, create_key_pair(desk.store)) for role in KeyRole]
    with desk.archive.catalog.writing() as tx:
        tx.connection.exec_driver_sql("UPDATE meta SET name = 'aside' WHERE name = 'policy-signer'")
    taken_up(desk, "bb" * 32, *own)
    desk.policy_recipients[:] = own
    recording = recorded(desk, documentation=Basis.LEGITIMATE_INTEREST)
    with desk.archive.catalog.writing() as tx:
        tx.connection.exec_driver_sql("UPDATE meta SET name = 'policy-signer' WHERE name = 'aside'")

    codes = [(one.code, one.params.get("recording", one.params.get("sha256"))) for one in told(desk)]
    assert ("policy_unsigned", "bb" * 8) in codes
    assert codes.count(("wrap_of_no_policy", recording)) == 2  # documentation's and custody's
    assert {code for code, _ in codes} == {"policy_unsigned", "wrap_of_no_policy"}


@pytest.mark.rule("G11")
def test_a_recording_without_a_sample_may_go_as_empty_and_one_that_was_closed_may_not(desk: Scene) -> None:
    untouched = recorded(desk, documentation=Basis.LEGITIMATE_INTEREST)
    erased(desk, untouched, "empty")
    assert told(desk) == []
    heard = recorded(desk, documentation=Basis.LEGITIMATE_INTEREST)
    closes = [AuditEntry("recording_closed", "G10", AT, heard.removesuffix("-1"), heard)]
    desk.commit(call=heard.removesuffix("-1"), recording=heard, entries=closes)
    erased(desk, heard, "empty")
    assert [(one.code, one.params["recording"]) for one in told(desk)] == [("erasure_unfounded", heard)]


@pytest.mark.rule("G11")
@pytest.mark.parametrize("known_by", ["segment_opened", "recording_whole"])
def test_what_has_gone_without_a_word_in_the_log_is_told(desk: Scene, known_by: str) -> None:
    opened = known_by == "segment_opened"
    gone = recorded(desk, documentation=Basis.LEGITIMATE_INTEREST) if opened else desk.recorded(0.1, DOCUMENTATION)
    desk.commit(CloseRecording(gone, AT, (DOCUMENTATION,)), recording=gone)
    assert known_by in {one.event for one in desk.archive.audit_of(gone)}
    assert told(desk) == []
    with desk.archive.catalog.writing() as tx:
        discard(tx, gone, AT)
    remove_condemned(desk.archive.catalog, desk.archive.vault)
    assert told(desk) == [Finding("erasure_untold", {"recording": gone})]
