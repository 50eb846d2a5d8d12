"""Joining a house, news from it, and leaving: the commands, the real service, and a service that is not to be believed."""

from __future__ import annotations

import http.client
import io
import json
import os
import sys
import threading
import time
import webbrowser
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

import pytest

from softphone import __version__
from softphone.archive.archive import Archive
from softphone.archive.outbox import rows
from softphone.bootstrap import home as of_home
from softphone.bootstrap import house as of_house
from softphone.bootstrap.home import Home as UserHome
from softphone.bootstrap.home import password_name
from softphone.cli.doctor.archive import ARCHIVE
from softphone.cli.doctor.finding import Check, Finding
from softphone.cli.doctor.house import HOUSE
from softphone.cli.doctor.machine import Machine
from softphone.cli.doctor.run import look
from softphone.domain.changes import Discard
from softphone.domain.errors import HouseError, NotSignedInError
from softphone.domain.purpose import Purpose
from softphone.house import browser as of_browser
from softphone.house.browser import by_browser
from softphone.house.desk_key import DeskKey
from softphone.house.joining import Desk
from softphone.house.membership import Membership
from softphone.house.news import FAULTY, NOTICES, OLDER, SIGNER, Taken, account_id, take_news
from softphone.system.policy_file import load_policy
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings_machine import MachineSettings
from softphone.system.signature import new_signing_key, public_half, sign, succession
from tests.archive.scene import Scene
from tests.house.joined import Home, link, policy_text, publish
from tests.peers.openid import provider
from tests.policies import write_notice
from tests.team.desk import House
from tests.team.local import begun
from tests.team.served import Team

pytestmark = [pytest.mark.peer("postgresql"), pytest.mark.peer("seaweedfs")]
ADDRESS = "anna@klartone.test"


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    return Home(tmp_path / "home", capsys)


def joined(home: Home, team: Team, key: bytes) -> Membership:
    done = home.does("join", link(team, key, "agent"), "--authority", team.authority)
    assert done.status == 0, done.err
    found = home.folder.read()
    assert found is not None
    assert ("team account set" in done.out) == (not found.accounts)
    return found


def news(home: Home) -> Taken:
    membership = home.folder.read()
    assert membership is not None
    desk = Desk(home.folder, home.keys, membership.desk)
    return take_news(desk.connection(membership), home.folder, home.keys, membership)


def doctor(home: Home, check: Check = HOUSE) -> dict[str, object]:
    """What it finds of the house, each with what it names first."""

    def by_its_keyring(machine: Machine) -> Iterable[Finding]:
        machine.keys = home.keys
        return check.look(machine)

    found = look(UserHome.within(home.root), [replace(check, look=by_its_keyring)])
    return {one.code: next(iter(one.params.values()), "") for _, one in found}


def listed(team: Team) -> dict[str, Any]:
    """The one desk of IT's list."""
    (one,) = map(json.loads, team.command("people", "--json").out.splitlines())
    assert one["desk"] is None or datetime.fromisoformat(one["seen_at"])
    return one


def account(home: Home, team: Team, monkeypatch: pytest.MonkeyPatch, *words: str, password: str = "") -> str:
    """As IT sets it on the server."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{password}\n"))
    with monkeypatch.context() as on_the_server:
        for name, value in team.environment.items():
            on_the_server.setenv(name, value)
        done = home.does("team", "account", *words, "--settings", str(team.settings))
    assert done.status == 0, done.err
    return done.out


def test_a_link_sets_a_fresh_home_up_and_leaving_gives_it_back(
    home: Home, team_tls: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    team, key = team_tls, new_signing_key()
    publish(team, 7, key)
    account(
        home, team, monkeypatch, "set", ADDRESS, "--transport", "tls", "--password-stdin", password="hemmelig på prøve"
    )
    assert account(home, team, monkeypatch, "list").split() == [ADDRESS, "TLS", "password", "waits"]
    settings = team.home / "desks.toml"
    settings.write_text('[default]\nlook = "dark"\n[locked]\nring_volume = 40\n', "utf-8")
    assert team.command("desk-settings", str(settings)).status == 0
    (row,) = team.sql("SELECT told::text, password FROM desk_accounts")
    assert "hemmelig" not in row[0]
    assert b"hemmelig" not in row[1]
    membership = joined(home, team, key)
    # The policy as it was signed, by the key that the link named.
    policy = home.setting("policy")
    assert (policy["origin"], policy["place"]) == ("locked", team.address)
    assert load_policy(Path(policy["value"]), public_half(key)).policy.house.policy_number == 7
    assert home.setting("policy_signer")["value"] == public_half(key)
    # Settings as an organisation's: a default that the user may change, and a lock.
    assert home.setting("look") == {"value": "dark", "origin": "default", "place": team.address, "locked": False}
    refused = home.does("settings", "set", "ring_volume", "90")
    assert (refused.status, team.address in refused.err) == (1, True)
    # The account, and its password in the keyring: here it is now, and nowhere else.
    one = account_id(membership.desk, ADDRESS)
    assert json.dumps(home.setting("accounts")["value"]).count(one) == 1
    assert home.keys.get(password_name(one)) == "hemmelig på prøve".encode()
    assert team.sql("SELECT password, taken_by FROM desk_accounts") == [(None, None)]
    assert "account_passwords_given" in team.events()
    # It has a key by which its agent reads what a lead shares.
    assert team.sql("SELECT desk::text FROM reading_keys") == [(membership.desk,)]
    assert doctor(home) == {"doctor.house": team.address}
    # It ships: nobody asks it for a backup.
    found = {*doctor(home, ARCHIVE)}
    assert {"doctor.shipping", "doctor.backup.none"} & found == {"doctor.shipping"}
    assert [one for one in found if "signer" in one] == ["doctor.signer.house"]
    asked = home.does("archive", "backup")
    assert (asked.status, "needs no backup of its own" in asked.err) == (1, True)
    # Who has joined is in IT's list, under the id of the local archive, with a version though no phone has run.
    assert (listed(team)["program"], listed(team)["state"]) == (__version__, "well")
    again = home.does("join", f"https://another.example/join#{'a' * 43}.{'0' * 32}.7")
    assert (again.status, team.address in again.err) == (1, True)
    # The doctor says what is wrong with it: nothing asks, the service is away, or its certificate is another's.
    past = time.time() - 3 * 86_400
    os.utime(home.folder.path / "heard", (past, past))
    team.stop()
    found = doctor(home)
    assert list(found) == ["doctor.house.stale", "error.house.unreachable"]
    team.start()
    home.folder.write(replace(membership, authority=""))
    assert list(doctor(home))[-1] == "error.house.untrusted"
    home.folder.write(membership)
    # What the house has not heard keeps it a member.
    with closing(Archive.open(home.root / "archive", home.keys)) as archive:
        with archive.catalog.writing() as tx:
            now = datetime.now(UTC)
            rows.remember(tx, archive.secrets, "+4520123456", "refused", now, (now + timedelta(days=1)).isoformat())
        refused = home.does("leave")
        assert (refused.status, "has not been sent" in refused.err) == (1, True)
        assert home.setting("policy")["place"] == team.address
        with archive.catalog.writing() as tx:
            (item,) = rows.read(tx.connection, archive.secrets)
            rows.told(tx, item)
    # So does what is still being recorded: it is the house's.
    with closing(Scene(home.root / "archive", store=home.keys, recipients={})) as scene:
        _, recording = begun(scene, House(), datetime.now(UTC), Purpose.DOCUMENTATION, number="+4520123456")
        refused = home.does("leave")
        assert (refused.status, "has not been sent" in refused.err) == (1, True)
        scene.commit(Discard(recording, "private"), recording=recording)
    # Left, nothing of the house stays: no setting, no password, no token, no key.
    left = home.does("leave")
    assert left.status == 0, left.err
    assert home.setting("policy")["value"] == ""
    assert home.setting("ring_volume")["value"] == 100
    assert not home.folder.path.exists()
    assert [name for name in home.ring.held if "house" in name or "password" in name] == []
    assert listed(team)["state"] == "left"
    assert home.does("leave").status == 1
    # And it may join again, as the same machine.
    assert joined(home, team, key).desk == membership.desk
    # On the server IT signs a desk out, or a person wherever they are, until IT invites them anew.
    assert team.command("revoke", "ff").errors
    assert "anna" in team.command("revoke", membership.desk[:20]).out
    assert listed(team)["state"] == "revoked"
    assert joined(home, team, key).desk == membership.desk
    unused = link(team, key, "agent")
    assert "anna" in team.command("revoke", "--person", "anna").out
    assert home.does("join", unused, "--authority", team.authority).status == 1
    assert home.does("join", link(team, key, "agent"), "--authority", team.authority).status == 0


def test_a_fresh_home_is_told_that_it_has_no_house_and_a_spoilt_link_is_none(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = home.does("leave")
    assert (left.status, "has not joined" in left.err) == (1, True)
    for spoilt in ("https://house.example/some/path#x", "https://house.example/join", "https://house.example#x"):
        refused = home.does("join", spoilt, "--signer", "0" * 32)
        assert (refused.status, "not a link from" in refused.err) == (1, True), spoilt
    # A link's code is seen by nobody else where it comes by standard input; and what fails says what to do, since nothing of it
    # is tried again by itself.
    for line, said in (
        ("\n", "not a link from"),
        (f"https://127.0.0.1:1/join#{'a' * 43}.{'0' * 32}.7\n", "Try again in a moment"),
    ):
        monkeypatch.setattr(sys, "stdin", io.StringIO(line))
        refused = home.does("join", "--link-stdin")
        assert (refused.status, said in refused.err) == (1, True), refused.err
    assert [name for name in home.ring.held if "house" in name] == []


@pytest.mark.expected_log("the house", reason="what it tells is not to be believed")
def test_a_desk_believes_its_signer_and_a_higher_number_and_nothing_else(home: Home, team_tls: Team) -> None:
    team, key, stranger = team_tls, new_signing_key(), new_signing_key()
    publish(team, 7, key)
    joined(home, team, key)
    before = home.setting("policy")["value"]
    said = news(home)
    assert (said.membership, said.refused, said.changed) == (home.folder.read(), (), False)
    # The service lies in each way that its database allows.
    team.credulous()
    text = policy_text(team, 8)
    path = team.home / "forged.toml"
    path.write_text(text, "utf-8")

    def serves(number: int, raw: bytes, signer: bytes, told: bytes | None = None) -> tuple[str, ...]:
        path.write_bytes(raw)
        signature = sign(raw, path, signer).read_bytes().strip()
        values = (number, signature + b"\n" + raw, public_half(told or signer))
        team.sql("INSERT INTO policies (number, signed, signer, own_calls) VALUES (%s, %s, %s, '7 days')", *values)
        said = news(home)
        assert (home.setting("policy")["value"], said.membership.policy) == (before, 7)
        team.sql("DELETE FROM policies WHERE number = %s", number)
        return said.refused

    assert serves(8, text.encode(), stranger) == (SIGNER,)
    assert serves(8, text.encode(), stranger, told=key) == (SIGNER,)
    assert serves(8, policy_text(team, 7).encode(), key) == (OLDER,)
    assert serves(8, b"version = 99\n", key) == (FAULTY,)
    team.sql("INSERT INTO notice_files VALUES (repeat('0', 64), 'x')")
    # A notice that is another than the policy's, or that would lie elsewhere, or is missing; one that it does not name.
    for name, told in (("n6.wav", "n6.wav"), ("../../config/n6.wav", "../../config/n6.wav"), ("n6.wav", "other.wav")):
        named = f'[line.sound.N6.da]\nfile = "{name}"\n'
        signed = _signed(path, policy_text(team, 8, named).encode(), key)
        team.sql("INSERT INTO policies (number, signed, signer, own_calls) VALUES (8, %s, %s, '7 days')",
                 signed, public_half(key))  # fmt: skip
        team.sql("INSERT INTO policy_notices VALUES (8, %s, repeat('0', 64))", told)
        assert news(home).refused == (NOTICES,), name
        team.sql("DELETE FROM policy_notices")
        team.sql("DELETE FROM policies WHERE number = 8")
    team.sql("DELETE FROM policy_terms WHERE number = 7")
    team.sql("DELETE FROM policy_teams WHERE number = 7")
    team.sql("DELETE FROM policy_keys WHERE number = 7")
    team.sql("DELETE FROM policies WHERE number = 7")
    assert news(home).refused == (OLDER,)
    # What is in order is taken, with its recorded notice; and a new signer by the old one's word alone.
    sounds = '[line.sound.N6.da]\nfile = "lyd/n6.wav"\n'
    (team.home / "policy" / "lyd").mkdir()
    write_notice(team.home / "policy" / "lyd" / "n6.wav")
    # Its file has no hash, so no signature covers it: each desk will have the voice speak it. Who takes it in is told.
    assert "n6.wav, has no hash" in publish(team, 8, key, text=policy_text(team, 8, sounds))
    assert news(home).membership.policy == 8
    heard = home.folder.policy(8).parent / "lyd" / "n6.wav"
    assert heard.read_bytes() == (team.home / "policy" / "lyd" / "n6.wav").read_bytes()
    publish(team, 9, stranger, status=1)
    assert "must vouch" in publish(
        team, 9, stranger, succession=succession(new_signing_key(), public_half(stranger)), status=1
    )
    third = new_signing_key()
    publish(team, 10, stranger, succession=succession(key, public_half(stranger)))
    publish(team, 11, third, succession=succession(stranger, public_half(third)))
    taken = news(home)
    assert (taken.refused, taken.membership.policy, taken.membership.signer) == ((), 11, public_half(third))
    # A link for another signer joins nothing, and leaves nothing. Nor does one that was made when a newer policy was there: all
    # that this signer ever signed is the service's to offer, and whoever is new has no number of its own yet.
    other = Home(home.root.parent / "other", home.capsys)
    for signer, least, *words in ((new_signing_key(), 1), (third, 12), (third, 1, "--policy-number", "12")):
        offered = link(team, signer, "agent", name="bo", least=least)
        said = other.does("join", offered, *words, "--authority", team.authority)
        assert (said.status, "posing as it" in said.err) == (1, True)
        assert (other.folder.path.exists(), [one for one in other.ring.held if "house" in one]) == (False, [])
    # A desk that is a member already is told so too, and keeps what it has.
    said = home.does("join", link(team, third, "agent", least=12))
    assert (said.status, "lower number" in said.err, news(home).membership.policy) == (1, True, 11)


def _signed(path: Path, raw: bytes, key: bytes) -> bytes:
    path.write_bytes(raw)
    return sign(raw, path, key).read_bytes().strip() + b"\n" + raw


class Browser:
    """Somebody who signs in: by plain HTTP, as their browser would, in a thread of its own."""

    def __init__(self, subject: str, *, strays: bool = False, issuer: str = "") -> None:
        self.subject, self.strays, self.issuer = subject, strays, issuer
        self.pages: list[str] = []
        self.asked: list[tuple[str, int]] = []
        self.stolen = ""
        """what the provider says to whoever has the code alone"""

    def __call__(self, address: str) -> bool:
        threading.Thread(target=self._sign_in, args=(address,), daemon=True).start()
        return True

    def _sign_in(self, address: str) -> None:
        parts = urlsplit(address)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked.append((asked["code_challenge_method"], len(asked["code_challenge"])))
        connection = http.client.HTTPConnection(parts.netloc, timeout=10)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", f"{parts.path}?{parts.query}", urlencode({"sub": self.subject}), form)
        to = connection.getresponse().getheader("Location") or ""
        connection.close()
        if self.strays:
            # Another program of this machine, or a page elsewhere, that guesses where the desk waits.
            self._get(f"{asked['redirect_uri']}?code=theirs&state=guessed")
            self.stolen = self._exchanged(parts.netloc, asked, to)
            self._get(f"{asked['redirect_uri'].rpartition('/')[0]}/other?code=x&state={asked['state']}")
        self._get(f"{to}&iss={self.issuer}" if self.issuer else to)

    def _exchanged(self, provider: str, asked: Mapping[str, str], to: str) -> str:
        form = {"grant_type": "authorization_code", "code": parse_qs(urlsplit(to).query)["code"][0]}
        form |= {"client_id": asked["client_id"], "redirect_uri": asked["redirect_uri"], "code_verifier": "x" * 43}
        connection = http.client.HTTPConnection(provider, timeout=10)
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/oauth2/token", urlencode(form), kind)
        said = json.loads(connection.getresponse().read())
        connection.close()
        return str(said.get("error", ""))

    def _get(self, address: str) -> None:
        with _opened(address) as page:
            self.pages.append(page.read().decode())


def _opened(address: str) -> Any:
    try:
        return urlopen(address, timeout=10)
    except HTTPError as error:
        return error


@pytest.mark.peer("oidc-provider-mock")
def test_the_houses_own_sign_in_in_the_browser_joins_this_machine_and_no_other(
    home: Home, team_tls: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    team, key = team_tls, new_signing_key()
    publish(team, 7, key)
    words = ("join", team.address, "--authority", team.authority)
    alone = home.does(*words, "--signer", public_half(key))
    assert (alone.status, "only one-time links" in alone.err) == (1, True)
    with provider() as issued:
        client = issued.registered("http://127.0.0.1/signed-in")
        with team.settings.open("a") as of_sign_in:
            of_sign_in.write(
                f'issuer = "{issued.issuer}"\nclient = "{client}"\n[sign_in.roles]\nagent = ["callcentre"]\n'
            )
        team.end()
        team.start()
        issued.knows("anna", groups=["callcentre"], sip=["sip:anna@klartone.test"])
        issued.knows("eve", groups=["canteen"], sip=[])
        browser = Browser("anna", strays=True)
        monkeypatch.setattr(webbrowser, "open", browser)
        unsaid = home.does(*words)
        assert (unsaid.status, "--signer" in unsaid.err) == (1, True)
        # Under another issuer's name nobody is led anywhere.
        told = of_browser._asked

        def poses(*asked: Any) -> dict[str, Any]:
            return told(*asked) | {"issuer": "https://other.test"}

        with monkeypatch.context() as posing:
            posing.setattr(of_browser, "_asked", poses)
            assert home.does(*words, "--signer", public_half(key)).status == 1
        assert browser.asked == []
        # Nor does a code count that another issuer has sent, or one that does not say so where it would.
        for says, sent in ((False, "https://other.test"), (True, "")):

            def answers(*asked: Any, says: bool = says) -> dict[str, Any]:
                return told(*asked) | {"authorization_response_iss_parameter_supported": says}

            with monkeypatch.context() as mixed:
                mixed.setattr(of_browser, "_asked", answers)
                mixed.setattr(webbrowser, "open", Browser("anna", issuer=sent))
                refused = home.does(*words, "--signer", public_half(key))
                assert (refused.status, "(iss)" in refused.err) == (1, True), refused.err
        done = home.does(*words, "--signer", public_half(key))
        assert done.status == 0, done.err
        membership = home.folder.read()
        assert membership is not None
        assert (membership.policy, membership.roles, membership.agents) == (7, ("agent",), (ADDRESS,))
        assert [("signed in" in page, "did not work" in page) for page in browser.pages] == [
            (False, True),
            (False, True),
            (True, False),
        ]
        assert browser.asked == [("S256", 43)]
        assert team.sql("SELECT issuer, subject FROM people") == [(issued.issuer, "anna")]
        # A code that another program of this machine got hold of opens nothing: it does not know the verifier.
        assert browser.stolen == "invalid_grant"
        # Whoever does not want to wait for a browser any more stops it.
        stopped, desk = threading.Event(), Desk(home.folder, home.keys, membership.desk)
        stopped.set()
        key_of_desk = DeskKey.of(home.keys, desk.id)
        assert key_of_desk is not None
        with pytest.raises(HouseError) as caught:
            by_browser(desk.id, {}, lambda _: True, stopped=stopped)(desk.connection(membership), key_of_desk)
        assert caught.value.code == "error.house.sign_in_stopped"
        # So does whoever presses as the browser answers, before the organisation has heard anything.
        stopped.clear()
        waited: list[bool] = []

        def asks(waits: bool) -> None:
            waited.append(waits)
            if not waits:
                stopped.set()

        with pytest.raises(HouseError) as caught:
            by_browser(desk.id, {"done": "", "failed": ""}, Browser("anna"), stopped=stopped, asks=asks)(
                desk.connection(membership), key_of_desk
            )
        assert (caught.value.code, waited) == ("error.house.sign_in_stopped", [True, False])
        # Its sessions ran out, as the directory wants it: signed in anew, it is the same desk.
        team.sql("UPDATE sessions SET expires_at = now(), refresh_until = now()")
        with pytest.raises(NotSignedInError):
            news(home)
        again = home.does("join")
        assert again.status == 0, again.err
        assert home.folder.read() == membership
        assert news(home).refused == ()
        assert home.does("leave").status == 0
        # Whom the directory gives no role joins nothing, and nothing of it stays.
        monkeypatch.setattr(webbrowser, "open", Browser("eve"))
        other = Home(home.root.parent / "other", home.capsys)
        refused = other.does(*words, "--signer", public_half(key))
        assert (refused.status, other.folder.path.exists()) == (1, False)
        assert [one for one in other.ring.held if "house" in one] == []


@pytest.mark.expected_log("below the number", reason="the organisation wants a newer policy")
def test_what_the_organisation_says_of_a_machine_stands_above_a_link_and_a_demo_joins_nothing(
    home: Home, team_tls: Team, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    team, key, other = team_tls, new_signing_key(), new_signing_key()
    publish(team, 7, key)

    def organisation(**locked: str | int) -> None:
        said = MachineSettings(locked=locked, places=dict.fromkeys(locked, "/etc/klartone/settings.toml"))
        for module in (of_home, of_house):
            monkeypatch.setattr(module, "machine_settings", lambda: said)

    asked = ("join", link(team, key, "agent"))
    organisation(house_signer=public_half(other), house_authority=team.authority)
    refused = home.does(*asked)
    assert (refused.status, "another signer" in refused.err) == (1, True)
    organisation(house_policy_number=8)
    refused = home.does("join", link(team, key, "agent"), "--authority", team.authority)
    assert (refused.status, "lower number" in refused.err) == (1, True)
    organisation(policy="/srv/klartone/policy.toml")
    refused = home.does(*asked)
    assert (refused.status, "/etc/klartone/settings.toml" in refused.err) == (1, True)
    assert not home.folder.path.exists()
    # The code is good still. What IT locks stays locked by IT, also once the house says something else.
    settings = team.home / "desks.toml"
    settings.write_text('[default]\nlook = "dark"\n[locked]\nring_volume = 40\ntext_size = "large"\n', "utf-8")
    assert team.command("desk-settings", str(settings)).status == 0
    organisation(house_signer=public_half(key), house_authority=team.authority, text_size="largest", look="light")
    assert home.does(*asked).status == 0
    said = {name: home.setting(name) for name in ("text_size", "look", "ring_volume", "policy")}
    assert {name: (one["value"], one["place"]) for name, one in said.items() if name != "policy"} == {
        "text_size": ("largest", "/etc/klartone/settings.toml"),
        "look": ("light", "/etc/klartone/settings.toml"),
        "ring_volume": (40, team.address),
    }
    assert said["policy"]["place"] == team.address
    # What a house has no word in is refused where IT writes it down.
    for table in ('[locked]\npolicy = "/tmp/x.toml"\n', '[default]\narchive = "/tmp"\n', "[locked]\nplugins = []\n"):
        settings.write_text(table, "utf-8")
        done = team.command("desk-settings", str(settings))
        assert (done.status, "nothing that an organisation sets" in done.errors) == (1, True), done.errors
    # A membership that nobody can read lets nothing be recorded, and nobody set another policy.
    (home.folder.path / "membership.json").write_text("{", "utf-8")
    assert (home.setting("policy")["value"], home.setting("policy")["locked"]) == ("", True)
    # A demo records nothing real.
    demo = Home(tmp_path / "demo", home.capsys)
    archive = tmp_path / "demo-archive"
    Archive.create(archive, DemoKeyFile(archive / "demo-keys.json"), demo=True).close()
    (demo.root / "config").mkdir(parents=True)
    (demo.root / "config" / "settings.toml").write_text(f'archive = "{archive}"\n', "utf-8")
    refused = demo.does("join", link(team, key, "agent", name="bo"), "--authority", team.authority)
    assert (refused.status, "demo" in refused.err) == (1, True)
