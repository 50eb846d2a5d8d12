"""An archive can ask for the signature of its policy: then a policy of one's own names nobody a team, a period or a recipient.

Each attempt is made twice: on an archive that asks for none it succeeds, or the test would show nothing.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from softphone.archive.changes.call import PurposeEnd
from softphone.archive.crypto import ring
from softphone.archive.crypto.passphrase import b64
from softphone.archive.examine.verify import verify
from softphone.archive.seen.machine import MachineArchive
from softphone.bootstrap import review as plugged
from softphone.bootstrap.home import Home
from softphone.domain.changes import CloseRecording, HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from softphone.system.settings import load_settings, save_settings
from softphone.system.signature import new_signing_key, sign, signature_path
from tests.archive.holds import raise_hold
from tests.archive.people import ANNA, BO, House, policy_of
from tests.archive.scene import AT, DOCUMENTATION, NUMBER, TRAINING, scene
from tests.archive.signers import OTHER, SIGNER, asks, is_refused, last, signed, writes_their_own
from tests.days import house_day

pytestmark = pytest.mark.usefixtures("english")


# --- what a policy of one's own does ----------------------------------------------------------------


@pytest.mark.rule("G11")
@pytest.mark.rule("G38")
def test_a_lead_whose_own_policy_names_another_s_team_as_theirs_opens_and_ends_nothing_of_it(
    home: House, tmp_path: Path
) -> None:
    theirs = [home.recorded(TRAINING, agent=BO) for _ in range(2)]
    officer, lead = home.person("officer", KeyRole.CUSTODY), home.person("lead", KeyRole.TRAINING)
    assert lead.finds() == set()
    writes_their_own(home, "lead", lambda text: text.replace(f'agents = ["{ANNA}"]', f'agents = ["{ANNA}", "{BO}"]'))
    config, file, wav = Home.within(tmp_path / "lead").folders.config, home.policy("lead"), tmp_path / "is.wav"
    settings = load_settings(config)
    # On an archive that asks for nobody's signature all of it succeeds.
    assert lead.finds() == {*theirs}
    assert lead.does("archive", "reviewed", theirs[0]).status == 0

    asks(home, officer)
    export, reviewed = ("archive", "export", theirs[1], "--wav", str(wav)), ("archive", "reviewed", theirs[1])
    for words in (("archive", "list", "--count"), ("archive", "show", theirs[1]), export, reviewed):
        is_refused(home, lead, *words)
    # Nor by a signature of their own, by none, by no policy at all, or by one that is not there.
    for spoil in (
        lambda: sign(file.read_bytes(), file, new_signing_key()),
        lambda: signature_path(file).unlink(),
        lambda: save_settings(config, replace(settings, policy="")),
        lambda: save_settings(config, replace(settings, policy="/none.toml")),
    ):
        spoil()
        is_refused(home, lead, *export)
    assert not wav.exists()
    # With the house's policy, they have the house's team.
    save_settings(config, settings)
    file.write_text(policy_of(home.desk), "utf-8")
    signed(file)
    mine = home.recorded(TRAINING)
    assert lead.finds() == {mine}
    assert lead.does(*export).status == 1
    assert verify(home.desk.archive).ok


@pytest.mark.rule("G11")
def test_the_review_window_opens_by_a_signed_policy_alone_and_an_open_one_does_no_more(
    home: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = home.recorded(TRAINING, agent=BO)
    officer, lead = home.person("officer", KeyRole.CUSTODY), home.person("lead", KeyRole.TRAINING)
    writes_their_own(home, "lead", lambda text: text.replace(f'agents = ["{ANNA}"]', f'agents = ["{BO}"]'))
    settings = load_settings(Home.within(tmp_path / "lead").folders.config)
    monkeypatch.setattr(plugged, "key_store", {home.desk.folder: lead.keys}.get)
    before = plugged.review_dependencies(settings, home.desk.folder, show=False)
    assert before.archive is not None
    heard = before.archive.reviews.open(theirs)
    asks(home, officer)
    with closing(before.archive), closing(heard):
        theirs_yet = before.archive
        for deed in (
            lambda: heard.comment(0, "x"),
            lambda: theirs_yet.reviews.mark(theirs),
            lambda: theirs_yet.reviews.open(theirs),
            lambda: theirs_yet.open(theirs, role=KeyRole.TRAINING),
        ):
            with pytest.raises(ArchiveError) as refused:
                deed()
            assert (refused.value.code, last(home)) == ("error.archive.policy_unsigned", "policy_refused")
    after = plugged.review_dependencies(settings, home.desk.folder, show=False)
    assert (after.archive, last(home)) == (None, "policy_refused")
    assert after.refusal is not None
    assert SIGNER in str(after.refusal.params["why"])


# --- what nobody needs a policy for -----------------------------------------------------------------


def spoiled(home: House, tmp_path: Path, name: str, how: str) -> None:
    """The policy of that person's settings: none, or one that has been changed since it was signed."""
    if how == "none":
        config = Home.within(tmp_path / name).folders.config
        save_settings(config, replace(load_settings(config), policy=""))
    else:
        file = home.policy(name)
        file.write_text(f"{file.read_text('utf-8')}\n# a new version\n", "utf-8")


@pytest.mark.rule("G10")
@pytest.mark.parametrize(
    ("how", "number", "words"),
    [("none", True, ("--by", "party", "--why", "x")), ("changed", False, ("--for", "access", "--why", "x"))],
)
def test_a_recording_is_locked_without_a_signed_policy_and_no_sweep_deletes_it(
    home: House, tmp_path: Path, how: str, number: bool, words: tuple[str, ...]
) -> None:
    kept = home.recorded(DOCUMENTATION, at=datetime.now(UTC) - timedelta(days=40), keeps="P1M")
    officer, agent = home.person("officer", KeyRole.CUSTODY), home.person("agent", account=ANNA)
    asks(home, officer)
    spoiled(home, tmp_path, "agent", how)
    count = len(home.desk.archive.audit_of())
    said = agent.does("holds", "raise", *(("--number", NUMBER) if number else (kept,)), *words)
    # By a number they are told of one, and not which.
    told = (said.status, kept in said.out, SIGNER in said.err, "needs none" in said.err)
    assert told == (0, not number, True, True), said
    sought = ["hold_sought"] if number else []
    assert [one.event for one in home.desk.archive.audit_of()[count:]] == ["policy_refused", *sought, "hold_placed"]
    # What nobody could raise before, nobody can now.
    assert home.person("looks-after").does("holds", "raise", kept, *words).status == 1
    agent.does("archive", "sweep")
    assert [one.recording for one in home.desk.archive.list()] == [kept]


@pytest.mark.rule("G10")
def test_custody_lists_confirms_and_lets_go_by_its_key_and_lifts_and_keeps_by_a_signed_policy_alone(
    home: House, tmp_path: Path
) -> None:
    due = datetime.now(UTC) - timedelta(days=40)
    held = home.recorded(DOCUMENTATION)
    call = home.desk.call(at=due, retention="P1M", ends={DOCUMENTATION: PurposeEnd(review=True)})
    waits = home.desk.recorded(1, DOCUMENTATION, call=call, at=due)
    home.desk.commit(CloseRecording(waits, due, (DOCUMENTATION,)), recording=waits)
    now = datetime.now(UTC)
    hold = raise_hold(home.desk.archive, held, HoldBy.PARTY, "x", "anna", now)
    officer, lead = home.person("officer", KeyRole.CUSTODY), home.person("lead", KeyRole.TRAINING)
    asks(home, officer)
    spoiled(home, tmp_path, "officer", "changed")
    soon = house_day(now + timedelta(days=20)).isoformat()
    is_refused(home, officer, "holds", "lift", hold, "--reason", "x")
    is_refused(home, officer, "archive", "judge", waits, "--keep-until", soon, "--reason", "x")
    assert hold in officer.does("holds", "list").out
    assert officer.does("holds", "confirm", hold, "--look-again", soon).status == 0
    assert waits in officer.does("archive", "judge").out
    assert lead.does("archive", "judge", waits, "--delete").status == 1
    assert officer.does("archive", "judge", waits, "--delete").status == 0
    assert [one.recording for one in home.desk.archive.list()] == [held]


# --- who chooses whose signature is asked for -------------------------------------------------------


@pytest.mark.rule("G11")
def test_the_signer_is_custody_s_to_choose_to_change_and_to_lift_and_each_is_in_the_log(
    home: House, tmp_path: Path
) -> None:
    home.recorded(DOCUMENTATION, TRAINING)
    archive, officer = home.desk.archive, home.person("officer", KeyRole.CUSTODY)
    others = [home.person("lead", KeyRole.TRAINING, KeyRole.DOCUMENTATION), home.person("anna", account=ANNA)]
    for signer in ("", SIGNER):
        if signer:
            asks(home, officer)
        for person in others:
            for word in (OTHER, "--none"):
                said = person.does("archive", "signer", word)
                assert (said.status, said.out, bool(said.err.strip())) == (1, "", True)
                assert archive.policy_signer == signer
                assert (last(home), archive.audit_of()[-1].params["deed"]) == ("refused", "choose_signer")
    # No policy need count for choosing: the one who signs may be gone.
    signature_path(home.policy("officer")).unlink()
    assert officer.does("archive", "signer", OTHER).status == 0
    assert SIGNER not in officer.does("archive", "signer").out
    assert officer.does("archive", "signer", "--none").status == 0
    told = [one for one in archive.audit_of() if one.event.startswith("policy_signer")]
    assert [(one.event, one.params.get("signer")) for one in told] == [
        ("policy_signer_chosen", SIGNER),
        ("policy_signer_chosen", OTHER),
        ("policy_signer_lifted", None),
    ]
    assert {one.params["key"] for one in told} == {home.desk.recipients[KeyRole.CUSTODY].key_id[:16]}
    # What signs nothing is no signer, and a demo has none.
    assert officer.does("keys", "create", "training", "--id", "lead-2").status == 0
    for word, why in (("lead-2", "signs nothing"), ("AAAA", "AAAA"), ("A" * 43 + "=", "AAAA")):
        refused = officer.does("archive", "signer", word)
        assert (refused.status, why in refused.err) == (1, True), refused
    with scene(tmp_path / "demo", demo=True) as demo, pytest.raises(ArchiveError) as error:
        MachineArchive(demo.archive).choose_signer(str, AT)
    assert error.value.code == "error.archive.signer_demo"
    assert verify(archive).ok


@pytest.mark.rule("G11")
def test_before_the_first_recording_whoever_has_the_archive_chooses_and_changes_it(
    home: House,
) -> None:
    archive = home.desk.archive
    owner = home.person("owner", account=ANNA)
    assert owner.does("keys", "create", "policy", "--id", "rules-1").status == 0
    (rules,) = (one for one in ring.known_keys(owner.keys) if one.id == "rules-1")
    assert owner.does("policy", "sign", str(home.policy("owner")), "--id", "rules-1").status == 0
    assert owner.does("archive", "signer", "rules-1").status == 0
    assert archive.policy_signer == b64(rules.public)
    # What was chosen by mistake locks nobody out.
    for words, signer in (((OTHER,), OTHER), (("--none",), "")):
        assert owner.does("archive", "signer", *words).status == 0
        assert archive.policy_signer == signer


def test_health_and_doctor_tell_whether_there_is_one(home: House, tmp_path: Path) -> None:
    home.recorded(DOCUMENTATION)
    officer, looks_after = home.person("officer", KeyRole.CUSTODY), home.person("looks-after")
    config = Home.within(tmp_path / "looks-after").folders.config
    settings = load_settings(config)
    assert json.loads(looks_after.does("archive", "health", "--json").out)["policy_signer"] is None
    # Whoever brings other settings need have none signed; what is no key is nobody's to choose.
    save_settings(config, replace(settings, policy_signer=SIGNER))
    assert f"klartone archive signer {SIGNER}" in looks_after.does("doctor").out
    save_settings(config, replace(settings, policy_signer="zz"))
    told = looks_after.does("doctor").out
    assert "The setting “policy_signer” is not a public key" in told
    assert "klartone archive signer zz" not in told
    save_settings(config, settings)
    asks(home, officer)
    assert json.loads(looks_after.does("archive", "health", "--json").out)["policy_signer"] == SIGNER
    told = looks_after.does("doctor")
    assert (told.status, f"signed with {SIGNER}" in told.out) == (1, True)
