"""Who chooses whose signature the archive asks for, what is said where nothing would be recorded then, and who is told of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.crypto import ring
from softphone.archive.crypto.passphrase import b64
from softphone.archive.crypto.wraps import KeyStore
from softphone.archive.examine.verify import verify
from softphone.archive.keys import admission
from softphone.archive.seen.access import require_signer
from softphone.bootstrap.home import Home
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from softphone.system.settings import load_settings, save_settings
from softphone.system.signature import signature_path
from tests.archive.people import ANNA, BO, House
from tests.archive.scene import AT, DOCUMENTATION, TRAINING, scene
from tests.archive.signers import OTHER, SIGNER, asks, last, signed

pytestmark = pytest.mark.usefixtures("english")


@pytest.mark.rule("G11")
def test_the_signer_is_custody_s_to_choose_to_change_and_to_lift_and_each_is_in_the_log(home: House) -> None:
    home.recorded(DOCUMENTATION, TRAINING)
    officer = home.person("officer", KeyRole.CUSTODY)
    others = [
        home.person("lead", KeyRole.TRAINING),
        home.person("handler", KeyRole.DOCUMENTATION),
        home.person("anna", account=ANNA),
        home.person("looks-after"),
    ]

    def nobody_else_may() -> None:
        for person in others:
            for words in ((OTHER,), ("--none",)):
                signer, count = home.desk.archive.policy_signer, len(home.desk.archive.audit_of())
                said = person.does("archive", "signer", *words)
                assert (said.status, said.out, bool(said.err.strip())) == (1, "", True)
                assert home.desk.archive.policy_signer == signer
                (entry,) = home.desk.archive.audit_of()[count:]
                assert (entry.event, entry.params["deed"]) == ("refused", "choose_signer")

    nobody_else_may()
    asks(home, officer)
    nobody_else_may()
    assert SIGNER in officer.does("archive", "signer").out
    # No policy need count for choosing: the one who signs may be gone.
    signature_path(home.policy("officer")).unlink()
    assert officer.does("archive", "signer", OTHER).status == 0
    assert home.desk.archive.policy_signer == OTHER
    assert officer.does("archive", "signer", "--none").status == 0
    assert home.desk.archive.policy_signer == ""
    told = [one for one in home.desk.archive.audit_of() if one.event.startswith("policy_signer")]
    assert [(one.event, one.params.get("signer")) for one in told] == [
        ("policy_signer_chosen", SIGNER),
        ("policy_signer_chosen", OTHER),
        ("policy_signer_lifted", None),
    ]
    assert {one.params["key"] for one in told} == {home.desk.recipients[KeyRole.CUSTODY].key_id[:16]}
    assert verify(home.desk.archive).ok


@pytest.mark.rule("G11")
def test_before_the_first_recording_only_whoever_made_the_archive_chooses_and_changes_it(
    home: House,
) -> None:
    archive = home.desk.archive
    file = home.policy("owner").parent.parent / "bo.admit"
    phrase = "nok så lang en sætning"
    admission.write(archive.id, archive.secrets, archive.signer, file, phrase, numbers=True)
    bo, owner = home.admitted("bo", {}, BO), home.person("owner", account=ANNA)
    admission.take_in(bo.keys, file, phrase)
    assert bo.does("archive", "signer", OTHER).status == 1
    assert (archive.policy_signer, last(home)) == ("", "refused")
    assert owner.does("keys", "create", "policy", "--id", "rules-1").status == 0
    (rules,) = (one for one in ring.known_keys(owner.keys) if one.id == "rules-1")
    assert owner.does("policy", "sign", str(home.policy("owner")), "--id", "rules-1").status == 0
    assert owner.does("archive", "signer", "rules-1").status == 0
    assert archive.policy_signer == b64(rules.public)
    # What was chosen by mistake locks nobody out.
    for words, signer in (((OTHER,), OTHER), (("--none",), "")):
        said = bo.does("archive", "signer", *words)
        assert (said.status, "sealed for data protection" in said.err) == (1, True)
        assert owner.does("archive", "signer", *words).status == 0
        assert archive.policy_signer == signer


def test_what_signs_nothing_is_no_signer_and_a_demo_has_none(home: House, tmp_path: Path) -> None:
    home.recorded(DOCUMENTATION)
    officer = home.person("officer", KeyRole.CUSTODY)
    assert officer.does("keys", "create", "training", "--id", "lead-2").status == 0
    for word, said in (("lead-2", "signs nothing"), ("nobody", "nobody"), ("AAAA", "AAAA"), ("A" * 43 + "=", "AAAA")):
        told = officer.does("archive", "signer", word)
        assert (told.status, said in told.err) == (1, True), told
    with scene(tmp_path / "demo", demo=True) as demo, pytest.raises(ArchiveError) as refused:
        require_signer(demo.archive, AT)
    assert refused.value.code == "error.archive.signer_demo"


def test_health_and_doctor_tell_it_whether_there_is_one(
    home: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.recorded(DOCUMENTATION)
    officer, looks_after = home.person("officer", KeyRole.CUSTODY), home.person("looks-after")
    assert json.loads(looks_after.does("archive", "health", "--json").out)["policy_signer"] is None
    opened, really = list[Path](), Archive.open

    def counted(folder: Path, store: KeyStore, **more: bool) -> Archive:
        opened.append(folder)
        return really(folder, store, **more)

    monkeypatch.setattr(Archive, "open", counted)
    assert "✓ the archive accepts a policy without a signature" in looks_after.does("doctor").out
    assert opened == [home.desk.folder]
    monkeypatch.undo()
    monkeypatch.setenv("LC_ALL", "en.UTF-8")
    # Whoever brings other settings need have none signed.
    config = Home.within(tmp_path / "looks-after").folders.config
    save_settings(config, replace(load_settings(config), policy_signer=SIGNER))
    assert f"klartone archive signer {SIGNER}" in looks_after.does("doctor").out
    # What is no key is a fault to mend, and nobody's to choose.
    save_settings(config, replace(load_settings(config), policy_signer="zz"))
    told = looks_after.does("doctor").out
    assert "The setting “policy_signer” is not a public key" in told
    assert "klartone archive signer zz" not in told
    save_settings(config, replace(load_settings(config), policy_signer=SIGNER))
    save_settings(config, replace(load_settings(config), policy_signer=""))
    asks(home, officer)
    assert json.loads(looks_after.does("archive", "health", "--json").out)["policy_signer"] == SIGNER
    assert SIGNER in looks_after.does("archive", "health").out
    told = looks_after.does("doctor")
    assert (
        told.status,
        f"signed with {SIGNER}" in told.out,
        "that the settings or the archive ask for" in told.out,
    ) == (
        1,
        True,
        True,
    )
    signed(home.policy("looks-after"))
    assert "that the settings or the archive ask for" not in looks_after.does("doctor").out
