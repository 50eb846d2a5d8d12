"""An archive can ask for the signature of its policy: then a policy of one's own names nobody a team, a period or a recipient.

Each attempt is made twice: on an archive that asks for none it succeeds, or the test would show nothing.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from softphone.archive.changes.call import PurposeEnd
from softphone.archive.examine.verify import verify
from softphone.archive.retention import holding
from softphone.archive.seen.access import viewer_of
from softphone.bootstrap import review as plugged
from softphone.bootstrap.home import Home
from softphone.domain.changes import CloseRecording, HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from softphone.system.policy_file import load_policy
from softphone.system.settings import load_settings, save_settings
from softphone.system.signature import new_signing_key, sign, signature_path
from tests.archive.people import ANNA, BO, House, policy_of
from tests.archive.scene import DOCUMENTATION, NUMBER, TRAINING
from tests.archive.signers import SIGNER, asks, is_refused, last, signed, writes_their_own

pytestmark = pytest.mark.usefixtures("english")


# --- what a policy of one's own does ----------------------------------------------------------------


@pytest.mark.rule("G11")
@pytest.mark.rule("G38")
def test_a_lead_whose_own_policy_names_another_s_team_as_theirs_opens_and_ends_nothing_of_it(
    home: House, tmp_path: Path
) -> None:
    theirs = [home.recorded(TRAINING, agent=BO) for _ in range(3)]
    officer, lead = home.person("officer", KeyRole.CUSTODY), home.person("lead", KeyRole.TRAINING)
    assert lead.finds() == set()
    writes_their_own(home, "lead", lambda text: text.replace(f'agents = ["{ANNA}"]', f'agents = ["{ANNA}", "{BO}"]'))
    settings = load_settings(Home.within(tmp_path / "lead").folders.config)

    # On an archive that asks for nobody's signature all of it succeeds.
    assert lead.finds() == {*theirs}
    assert lead.does("archive", "export", theirs[0], "--wav", str(tmp_path / "was.wav")).status == 0
    assert lead.does("archive", "reviewed", theirs[0]).status == 0
    home.desk.archive.store = lead.keys
    viewer = viewer_of(home.desk.archive, load_policy(home.policy("lead")).policy, ())
    with closing(home.desk.archive.seen_by(viewer).reviews.open(theirs[1])) as heard:
        assert heard.reader.length
    home.desk.archive.store = home.desk.store
    with pytest.raises(ArchiveError):
        home.desk.archive.find(theirs[0])

    asks(home, officer)
    wav = tmp_path / "is.wav"
    for words in (
        ("archive", "list"),
        ("archive", "list", "--count"),
        ("archive", "show", theirs[1]),
        ("archive", "export", theirs[1], "--wav", str(wav)),
        ("archive", "play", theirs[1]),
        ("archive", "play", theirs[1], "--from", "0"),
        ("archive", "reviewed", theirs[1]),
    ):
        is_refused(home, lead, *words)
    assert not wav.exists()
    # Nor by a signature of their own, by none, by no policy at all, or by one that is not there.
    file = home.policy("lead")
    for spoil in (
        lambda: sign(file.read_bytes(), file, new_signing_key()),
        lambda: signature_path(file).unlink(),
        lambda: save_settings(Home.within(tmp_path / "lead").folders.config, replace(settings, policy="")),
        lambda: save_settings(Home.within(tmp_path / "lead").folders.config, replace(settings, policy="/none.toml")),
    ):
        spoil()
        is_refused(home, lead, "archive", "export", theirs[1], "--wav", str(wav))
        is_refused(home, lead, "archive", "reviewed", theirs[2])

    # With the house's policy, they have the house's team.
    save_settings(Home.within(tmp_path / "lead").folders.config, settings)
    file.write_text(policy_of(home.desk), "utf-8")
    signed(file)
    assert lead.finds() == set()
    mine = home.recorded(TRAINING)
    assert lead.finds() == {mine}
    assert lead.does("archive", "export", mine, "--wav", str(wav)).status == 0
    assert lead.does("archive", "export", theirs[1], "--wav", str(tmp_path / "not.wav")).status == 1
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
    assert before.refusal is None
    assert before.archive is not None
    heard = before.archive.reviews.open(theirs)
    asks(home, officer)
    with closing(heard), pytest.raises(ArchiveError) as refused:
        heard.reviewed()
    assert (refused.value.code, last(home)) == ("error.archive.policy_unsigned", "policy_refused")
    with pytest.raises(ArchiveError) as refused:
        before.archive.reviews.open(theirs)
    assert (refused.value.code, last(home)) == ("error.archive.policy_unsigned", "policy_refused")
    before.archive.close()
    count = len(home.desk.archive.audit_of())
    after = plugged.review_dependencies(settings, home.desk.folder, show=False)
    assert after.archive is None
    assert after.refusal is not None
    assert SIGNER in str(after.refusal.params["why"])
    assert [one.event for one in home.desk.archive.audit_of()[count:]] == ["policy_refused"]
    home.policy("lead").write_text(policy_of(home.desk), "utf-8")
    signed(home.policy("lead"))
    good = plugged.review_dependencies(settings, home.desk.folder, show=False)
    assert good.refusal is None
    assert good.archive is not None
    good.archive.close()


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
@pytest.mark.parametrize("how", ["none", "changed"])
@pytest.mark.parametrize("number", [True, False], ids=["by number", "by id"])
@pytest.mark.parametrize("words", [("--by", "party", "--why", "x"), ("--for", "access", "--why", "x")])
def test_a_recording_is_locked_without_a_signed_policy_and_no_sweep_deletes_it(
    home: House, tmp_path: Path, how: str, number: bool, words: tuple[str, ...]
) -> None:
    due = datetime.now(UTC) - timedelta(days=40)
    kept = home.recorded(DOCUMENTATION, at=due, keeps="P1M")
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
    ((hold,),) = (one.holds for one in home.desk.archive.list())
    if "--by" in words:
        assert hold.confirm_by == hold.at + holding.CONFIRM_WITHIN.length()
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
    hold = holding.raise_hold(home.desk.archive, held, HoldBy.PARTY, "x", "anna", now)
    officer, lead = home.person("officer", KeyRole.CUSTODY), home.person("lead", KeyRole.TRAINING)
    asks(home, officer)
    spoiled(home, tmp_path, "officer", "changed")
    soon = (now + timedelta(days=20)).date().isoformat()
    is_refused(home, officer, "holds", "lift", hold, "--reason", "x")
    is_refused(home, officer, "archive", "judge", waits, "--keep-until", soon, "--reason", "x")
    assert hold in officer.does("holds", "list").out
    assert officer.does("holds", "confirm", hold, "--look-again", soon).status == 0
    assert waits in officer.does("archive", "judge").out
    assert lead.does("archive", "judge", waits, "--delete").status == 1
    assert officer.does("archive", "judge", waits, "--delete").status == 0
    assert [one.recording for one in home.desk.archive.list()] == [held]


# --- what custody is told of ------------------------------------------------------------------------
