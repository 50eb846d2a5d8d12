"""An archive can ask for the signature of its policy: then a policy of one's own names nobody a team, a period or a recipient.

Each attempt is made twice: on an archive that asks for none it succeeds, or the test would show nothing.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from softphone.archive.access import viewer_of
from softphone.archive.changes import PurposeEnd
from softphone.archive.keys import revocation, ring
from softphone.archive.proof.verify import verify
from softphone.archive.retention import holding
from softphone.bootstrap import review as plugged
from softphone.bootstrap.home import Home
from softphone.domain.archive.permission import Sight, sights
from softphone.domain.changes import CloseRecording, HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Deed
from softphone.system.policy_file import load_policy
from softphone.system.settings import load_settings, save_settings
from softphone.system.signature import new_signing_key, sign, signature_path
from tests.archive.people import ANNA, BO, House, Person, Said, policy_of
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


@pytest.mark.rule("G10")
def test_a_sweep_takes_no_period_from_a_policy_of_one_s_own_and_goes_on_by_the_catalog_s_dates(
    home: House, tmp_path: Path
) -> None:
    officer, agent = home.person("officer", KeyRole.CUSTODY), home.person("agent", account=ANNA)
    settings = load_settings(Home.within(tmp_path / "agent").folders.config)
    due = datetime.now(UTC) - timedelta(days=40)

    def to_be_judged() -> str:
        call = home.desk.call(at=due, retention="P1M", ends={DOCUMENTATION: PurposeEnd(review=True)})
        return home.desk.recorded(1, DOCUMENTATION, call=call, at=due)

    def sweeps() -> Said:
        said = agent.does("archive", "sweep")
        assert said.status == 0, said
        return said

    def to_judge() -> dict[str, bool]:
        """What is listed, and whether within the three days at most of that policy."""
        asked, soon = "SELECT recording, judge_by FROM purposes WHERE judge_by IS NOT NULL", timedelta(days=3)
        with home.desk.archive.catalog.reading() as connection:
            by = {row.recording: date.fromisoformat(row.judge_by) for row in connection.exec_driver_sql(asked)}
        return {recording: day <= (datetime.now(UTC) + soon).date() for recording, day in by.items()}

    def is_gone(recording: str) -> bool:
        return recording not in {one.recording for one in home.desk.archive.list()}

    writes_their_own(home, "agent", lambda text: text.replace("[controller]", 'judge_within = "P2D"\n[controller]', 1))
    listed, expired = to_be_judged(), home.recorded(DOCUMENTATION, at=due, keeps="P1M")
    sweeps()
    assert to_judge() == {listed: True}
    assert is_gone(expired)

    fresh, gone = to_be_judged(), home.recorded(DOCUMENTATION, at=due, keeps="P1M")
    asks(home, officer)
    for policy in (settings.policy, ""):
        save_settings(Home.within(tmp_path / "agent").folders.config, replace(settings, policy=policy))
        count = len(home.desk.archive.audit_of())
        said = sweeps()
        assert (SIGNER in said.err, "goes all the same" in said.err) == (True, True)
        # It would be false: what is due is gone.
        assert "Nothing was done" not in said.err
        assert to_judge() == {listed: True}
        assert "policy_refused" in [one.event for one in home.desk.archive.audit_of()[count:]]
    # What is simply due goes all the same.
    assert is_gone(gone)
    save_settings(Home.within(tmp_path / "agent").folders.config, settings)
    home.policy("agent").write_text(policy_of(home.desk), "utf-8")
    signed(home.policy("agent"))
    sweeps()
    assert to_judge() == {listed: True, fresh: False}


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


@pytest.mark.rule("G11")
def test_a_key_is_revoked_by_who_may_by_their_keys_whatever_the_policy(home: House, tmp_path: Path) -> None:
    home.recorded(DOCUMENTATION, TRAINING)
    stolen = home.desk.recipients[KeyRole.TRAINING]
    officer, handler = home.person("officer", KeyRole.CUSTODY), home.person("handler", KeyRole.DOCUMENTATION)
    asks(home, officer)
    for name in ("officer", "handler"):
        spoiled(home, tmp_path, name, "changed")
    assert handler.does("keys", "revoke", "lead-1").status == 1
    assert last(home) == "refused"
    said = officer.does("keys", "revoke", "lead-1", "--yes")
    assert said.status == 0, said
    with home.desk.archive.catalog.reading() as connection:
        assert [*revocation.revoked(connection)] == [stolen.key_id]


# --- what custody is told of ------------------------------------------------------------------------


@pytest.mark.rule("G11")
def test_custody_is_told_of_all_by_a_key_that_opens_most_and_by_another_how_much_it_is_not_told_of(
    home: House, tmp_path: Path
) -> None:
    due = datetime.now(UTC) - timedelta(days=40)
    held = home.recorded(DOCUMENTATION)
    home.recorded(DOCUMENTATION)
    call = home.desk.call(at=due, retention="P1M", ends={DOCUMENTATION: PurposeEnd(review=True)})
    waits = home.desk.recorded(1, DOCUMENTATION, call=call, at=due)
    hold = holding.raise_hold(home.desk.archive, held, HoldBy.PARTY, "x", "anna", datetime.now(UTC))
    first, second = home.person("first", KeyRole.CUSTODY, account=ANNA), home.person("second")
    assert second.does("keys", "create", "custody", "--id", "custody-2").status == 0
    (new,) = (one.recipient for one in ring.known_keys(second.keys))
    others = [one for one in home.desk.policy_recipients if one.role is not KeyRole.CUSTODY]
    home.desk.policy_recipients[:] = [*others, new]
    newest = home.recorded(DOCUMENTATION)

    def told(person: Person, *words: str) -> tuple[str, str]:
        said = person.does(*words)
        assert said.status == 0, said
        return said.out.strip(), said.err.strip()

    listed, more = told(second, "archive", "list", "--number", NUMBER)
    assert (newest in listed, len(listed.splitlines()), more.startswith("3 more")) == (True, 1, True)
    assert "klartone keys rotate" in more
    assert told(second, "archive", "list", "--count") == ("1", more)
    for words in (("archive", "judge"), ("holds", "list")):
        out, more = told(second, *words)
        assert (out, more.startswith("One more")) == ("", True), words

    def is_told_of_all(person: Person, count: int) -> None:
        assert told(person, "archive", "list", "--count") == (str(count), "")
        assert len(told(person, "archive", "list", "--number", NUMBER)[0].splitlines()) == count
        for words, one in ((("archive", "judge"), waits), (("holds", "list"), hold)):
            out, more = told(person, *words)
            assert (out.startswith(one), more) == (True, ""), words

    is_told_of_all(first, 4)
    home.recorded(DOCUMENTATION)
    is_told_of_all(first, 5)
    is_told_of_all(second, 5)
    # In one look, as before there were keys to look at: also where they find own calls besides.
    home.desk.archive.store = first.keys
    by = viewer_of(home.desk.archive, None, [ANNA])
    home.desk.archive.store = home.desk.store
    assert sights(by, datetime.now(UTC)) == (Sight(Deed.FIND_ALL),)
