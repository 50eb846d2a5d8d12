"""A policy taken up, taken up anew when its file changes, refused, put away, and each of it noted.

The reader and the files are real; the loop is this test's own, and no notice is made.
"""

from __future__ import annotations

import base64
import hashlib
import queue
import socket
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from softphone.calls.policy import reading
from softphone.calls.policy.in_force import PolicyInForce
from softphone.calls.policy.reading import Exchanges, Loaded, plain_address, resolved
from softphone.domain.changes import AuditEntry
from softphone.domain.decision import NoticeId
from softphone.domain.policy import LoadedPolicy
from softphone.domain.policy.model import Wording
from softphone.domain.purpose import Language, Reason
from softphone.plugin.client import Failure, PluginReport
from softphone.plugin.notices import NoticeBook, RulebookFailed
from softphone.plugin.own import OwnWording
from softphone.plugin.rulebook import RulebookClient
from softphone.system.policy_file import load_policy
from softphone.system.signature import new_signing_key, public_half, sign, signature_path
from softphone.wire.snapshot import CodedText, PolicyPhase
from tests.policies import KEYS, POLICY

CONFIRMED = f'\n[[confirmed]]\nhash = "{"ab" * 32}"\non = 2026-11-20\nby = "Anna Holm"\n'


class Loop:
    """An engine's loop of which only the policy is there."""

    def __init__(self) -> None:
        self.inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.faults: dict[str, CodedText | None] = {}
        self.noted: list[AuditEntry] = []
        no_plugins = cast("Any", None)
        self.rules = PolicyInForce(
            None,
            RulebookClient(no_plugins, "datatilsynet"),
            self.inbox.put,
            lambda: None,
            self._fault,
            self._note,
        )

    def _fault(self, name: str, said: CodedText | None) -> None:
        self.faults[name] = said

    def _note(self, entries: Sequence[AuditEntry]) -> None:
        self.noted += entries

    def turn(self, seconds: float = 15) -> None:
        """The next word from the thread that reads."""
        self.inbox.get(timeout=seconds)()

    @property
    def events(self) -> list[str]:
        return [one.event for one in self.noted]


def _write(file: Path, text: str) -> None:
    """Whole: who looks in mid-write would find an empty file, and a faulty policy."""
    new = file.with_suffix(".new")
    new.write_text(text, "utf-8")
    new.replace(file)


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Generator[Loop]:
    monkeypatch.setattr(reading, "EVERY", 0.02)
    loop = Loop()
    yield loop
    loop.rules.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY, "utf-8")
    return path


@pytest.mark.rule("G11")
def test_a_policy_that_is_taken_up_is_noted_with_the_hash_of_its_file(loop: Loop, file: Path) -> None:
    loop.rules.load(str(file))
    assert loop.rules.state.phase is PolicyPhase.LOADING
    loop.turn()
    assert loop.rules.state.phase is PolicyPhase.READY
    [entry] = loop.noted
    assert (entry.event, entry.rule, entry.call) == ("policy_taken_up", "G11", "")
    keys = " ".join(sorted(hashlib.sha256(base64.b64decode(key)).hexdigest()[:16] for key in KEYS.values()))
    assert entry.params == {"sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "keys": keys}


@pytest.mark.rule("G03")
@pytest.mark.rule("G11")
def test_it_is_noted_whose_words_and_whose_voice_its_notices_are(loop: Loop, file: Path) -> None:
    loaded = load_policy(file)
    book = NoticeBook(made_by={"rulebook": "datatilsynet 1.0", "voice": "espeak_voice 1.2"})
    loop.rules._answered(Loaded(loaded, book, Exchanges()))
    [entry] = loop.noted
    told = {name: what for name, what in entry.params.items() if name != "keys"}
    assert told == {"sha256": loaded.sha256, "rulebook": "datatilsynet 1.0", "voice": "espeak_voice 1.2"}


@pytest.mark.rule("G11")
def test_what_a_person_has_confirmed_is_noted_by_hash_and_date_and_not_by_name(loop: Loop, file: Path) -> None:
    _write(file, POLICY + CONFIRMED + CONFIRMED.replace("ab", "cd"))
    loaded = load_policy(file)
    place = ("salg", NoticeId.N1, Language.DA)
    own = OwnWording(place, Wording(essentials="Vi optager."), "ab" * 32, None, loaded.policy.confirmed[0])
    loop.rules._answered(Loaded(loaded, NoticeBook(wordings=(own,)), Exchanges()))
    # The other one is of words that are no longer there.
    assert loop.events == ["policy_taken_up", "notice_confirmed"]
    assert loop.noted[-1].params == {"hash": "ab" * 32, "on": "2026-11-20"}


@pytest.mark.rule("G11")
def test_a_confirmed_doubt_is_noted_and_no_longer_shown_to_the_agent(loop: Loop, file: Path) -> None:
    short = POLICY.replace("Aftalen kan ikke vises på anden måde.", "Ja.")
    _write(file, short)
    (doubt,) = load_policy(file).remarks
    loop.rules._answered(Loaded(load_policy(file), NoticeBook(), Exchanges()))
    assert [one.code for one in loop.rules.state.faults] == ["policy.warning.need_short"]
    _write(file, short + CONFIRMED.replace("ab" * 32, doubt.hash))
    loop.rules._answered(Loaded(load_policy(file), NoticeBook(), Exchanges()))
    assert loop.events == ["policy_taken_up", "policy_taken_up", "doubt_confirmed"]
    assert (loop.noted[-1].rule, loop.noted[-1].params["hash"]) == ("G20", doubt.hash)
    assert loop.rules.state.faults == ()


def test_a_changed_file_is_taken_up_and_one_that_only_was_looked_at_is_not(loop: Loop, file: Path) -> None:
    loop.rules.load(str(file))
    loop.turn()
    before = loop.rules.policy
    file.read_bytes()
    with pytest.raises(queue.Empty):
        loop.turn(seconds=0.2)
    _write(file, POLICY.replace("Salgslinjen", "Salg og service"))
    loop.turn()
    assert loop.rules.policy is not before
    assert loop.events == ["policy_taken_up"] * 2
    assert loop.noted[0].params != loop.noted[1].params


@pytest.mark.rule("G11")
@pytest.mark.parametrize("spoilt", ["broken", "gone"])
def test_a_faulty_or_vanished_file_is_reported_and_the_last_good_policy_stays(
    loop: Loop, file: Path, spoilt: str
) -> None:
    loop.rules.load(str(file))
    loop.turn()
    good = loop.rules.policy
    _write(file, "version = 1\n") if spoilt == "broken" else file.unlink()
    loop.turn()
    state = loop.rules.state
    assert (state.phase, state.controller) == (PolicyPhase.FAULTY, "Nordlys El A/S")
    assert state.faults
    assert loop.rules.policy is good
    assert loop.events == ["policy_taken_up", "policy_refused"]
    assert loop.noted[-1].params["last_good_stays"] is True
    _write(file, POLICY)
    loop.turn()
    assert loop.rules.state.phase is PolicyPhase.READY
    assert loop.rules.policy is not good


@pytest.mark.rule("G11")
def test_a_policy_must_be_as_its_signer_left_it_and_an_altered_one_leaves_none(loop: Loop, file: Path) -> None:
    key = new_signing_key()
    loop.rules.load(str(file), public_half(key))
    loop.turn()
    assert (loop.rules.state.phase, loop.rules.trouble) == (PolicyPhase.UNSIGNED, Reason.POLICY_UNSIGNED)
    sign(file.read_bytes(), file, key)
    loop.turn()
    assert loop.rules.state.phase is PolicyPhase.READY
    _write(file, POLICY.replace("P3M", "P9M"))
    loop.turn()
    assert (loop.rules.state.phase, loop.rules.policy) == (PolicyPhase.UNSIGNED, None)
    assert loop.events == ["policy_refused", "policy_taken_up", "policy_refused"]
    assert loop.noted[-1].params["last_good_stays"] is False
    # Another signer's signature is none.
    other = new_signing_key()
    signature_path(file).write_text(base64.b64encode(bytes(64)).decode(), "utf-8")
    loop.turn()
    sign(file.read_bytes(), file, other)
    loop.turn()
    assert loop.rules.state.phase is PolicyPhase.UNSIGNED


@pytest.mark.rule("G11")
def test_a_policy_that_the_archive_s_signer_has_not_signed_is_put_away_at_once_and_counts_once_it_is(
    loop: Loop, file: Path
) -> None:
    key = new_signing_key()
    signer = public_half(key)
    loop.rules.ask_for("")
    loop.rules.load(str(file))
    loop.turn()
    assert loop.rules.state.phase is PolicyPhase.READY
    loop.rules.ask_for(signer)
    assert loop.rules.policy is None
    loop.turn()
    assert (loop.rules.state.phase, loop.rules.trouble) == (PolicyPhase.UNSIGNED, Reason.POLICY_UNSIGNED)
    sign(file.read_bytes(), file, key)
    loop.turn()
    assert loop.rules.policy is not None
    assert signer in loop.rules.policy.signed_by
    # The settings may ask for one too: then the file must satisfy both.
    loop.rules.load(str(file), public_half(new_signing_key()))
    loop.turn()
    assert loop.rules.state.phase is PolicyPhase.UNSIGNED
    loop.rules.load(str(file), signer)
    loop.turn()
    assert loop.rules.state.phase is PolicyPhase.READY
    loop.rules.load(str(file))
    loop.turn()
    loop.rules.ask_for("")
    signature_path(file).unlink()
    loop.turn()
    assert loop.rules.state.phase is PolicyPhase.READY
    assert loop.events == [
        *("policy_taken_up", "policy_refused", "policy_taken_up"),
        *("policy_refused", "policy_taken_up", "policy_taken_up"),
    ]


@pytest.mark.rule("G11")
def test_a_signed_policy_read_before_the_archive_named_its_signer_stays_and_is_noted(loop: Loop, file: Path) -> None:
    key = new_signing_key()
    sign(file.read_bytes(), file, key)
    loop.rules.load(str(file))
    loop.turn()
    loop.rules.ask_for(public_half(key))
    assert (loop.rules.state.phase, loop.rules.policy is None) == (PolicyPhase.READY, False)
    loop.turn()
    assert (loop.rules.state.phase, loop.rules.policy is None) == (PolicyPhase.READY, False)
    assert loop.events == ["policy_taken_up"] * 2
    assert [one.params.get("signed") for one in loop.noted] == [None, public_half(key)]
    # It has the signature that it was read with, and no other.
    loop.rules.ask_for(public_half(new_signing_key()))
    assert loop.rules.policy is None
    loop.turn()
    assert loop.events == ["policy_taken_up", "policy_taken_up", "policy_refused"]
    # Of another file it is noted.
    _write(file, POLICY.replace("Salgslinjen", "Salg og service"))
    sign(file.read_bytes(), file, key)
    loop.rules.ask_for(public_half(key))
    while loop.rules.policy is None:
        loop.turn()
    assert loop.events[-1] == "policy_taken_up"


def test_the_contents_of_a_file_that_is_no_longer_asked_for_are_dropped(loop: Loop, file: Path) -> None:
    other = file.with_name("other.toml")
    other.write_text(POLICY.replace("Salgslinjen", "En anden linje"), "utf-8")
    loop.rules.load(str(file))
    late = loop.inbox.get(timeout=15)
    loop.rules.load(str(other))
    late()
    assert loop.rules.policy is None
    loop.turn()
    assert loop.rules.policy is not None
    assert loop.rules.policy.line[0].name.da == "En anden linje"
    loop.rules.load("")
    assert (loop.rules.state.phase, loop.rules.policy) == (PolicyPhase.MISSING, None)


@pytest.mark.rule("G05")
def test_exchanges_are_found_when_the_policy_is_read_and_missing_ones_are_reported(
    loop: Loop, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    gone = ["gone.example"]
    monkeypatch.setattr(reading, "ANEW", 0.1)
    monkeypatch.setattr(reading, "AGAIN", 0.1)
    moved: dict[str, str] = {}

    def look_up(host: str, _port: object) -> list[tuple[object, ...]]:
        asked.append(host)
        if host in gone:
            raise socket.gaierror(-2, "Name or service not known")
        address = {"pbx.example": "10.0.0.7", "gone.example": "10.0.0.8", **moved}.get(host, host)
        return [(2, 1, 6, "", (address, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    upstream = '[upstream]\nhosts = ["10.0.0.5", "pbx.example", "gone.example"]\n\n[[line]]'
    _write(file, POLICY.replace("[[line]]", upstream, 1))
    loop.rules.load(str(file))
    loop.turn()
    # Taken up before any name is looked up: a name server may be slow.
    assert (loop.rules.state.phase, loop.rules.exchanges) == (PolicyPhase.READY, {"10.0.0.5"})
    loop.turn()
    assert loop.rules.exchanges == {"10.0.0.5", "10.0.0.7"}
    assert loop.faults["upstream"] == CodedText("fault.upstream.unresolved", {"hosts": "gone.example"})
    assert asked[:3] == ["10.0.0.5", "pbx.example", "gone.example"]
    # The network was not up yet. It is the same policy, so that nothing is taken up anew.
    loop.turn()
    assert loop.rules.exchanges == {"10.0.0.5", "10.0.0.7"}
    gone.clear()
    while loop.faults["upstream"]:
        loop.turn()
    assert len(loop.rules.exchanges) == 3
    # One that moves is believed at its new address, and no more at the old.
    moved["pbx.example"] = "10.0.0.9"
    while loop.rules.exchanges != frozenset({"10.0.0.5", "10.0.0.8", "10.0.0.9"}):
        loop.turn()
    assert loop.events == ["policy_taken_up"]


def test_a_sound_that_changes_while_the_notices_are_made_is_read_again(loop: Loop, file: Path) -> None:
    sound = file.with_name("n1.wav")
    sound.write_bytes(b"first")
    _write(file, POLICY.replace("[line.training]", '[line.sound.N1]\nda = "n1.wav"\n\n[line.training]', 1))
    read: list[bytes] = []

    class Maker:
        def prepare(self, _loaded: LoadedPolicy, *, signed: bool) -> NoticeBook:
            assert not signed
            read.append(sound.read_bytes())
            if len(read) == 1:
                sound.write_bytes(b"another one")
            return NoticeBook()

    got: queue.SimpleQueue[object] = queue.SimpleQueue()
    reader = reading.PolicyReader(cast("Any", Maker()), loop.inbox.put, got.put)
    reader.look_after(file, "")
    for _ in range(2):
        loop.turn()
        assert isinstance(got.get_nowait(), Loaded)
    reader.stop()
    assert read == [b"first", b"another one"]


def test_notices_that_a_failing_rulebook_left_unmade_are_reported_and_made_later(
    loop: Loop, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "ANEW", 0.02)
    made: list[bool] = []

    class Maker:
        def prepare(self, _loaded: LoadedPolicy, *, signed: bool) -> NoticeBook:
            made.append(signed)
            if len(made) < 4:
                raise RulebookFailed
            return NoticeBook()

    told: queue.SimpleQueue[str] = queue.SimpleQueue()
    rules = PolicyInForce(
        cast("Any", Maker()),
        RulebookClient(cast("Any", None), "datatilsynet"),
        loop.inbox.put,
        lambda: None,
        lambda name, said: told.put(said.code if said else "") if name == "notices" else None,
        lambda _: None,
    )
    rules.load(str(file))
    loop.turn()
    while told.empty():
        loop.turn()
    assert told.get_nowait() == "error.notice.rulebook_failed"
    assert rules.state.phase is PolicyPhase.READY
    while told.empty():
        loop.turn()
    rules.close()
    assert told.get_nowait() == ""
    assert len(made) == 4


def test_what_is_wrong_with_a_plugin_stands_until_it_answers_well_again(loop: Loop) -> None:
    loop.rules.word(PluginReport("error.plugin.failed", "datatilsynet", Failure.THREW))
    loop.turn()
    assert loop.faults["plugin.datatilsynet"] == CodedText("error.plugin.failed", {"plugin": "datatilsynet"})
    loop.rules.mended("datatilsynet")
    loop.turn()
    assert loop.faults["plugin.datatilsynet"] is None


def test_an_address_is_the_same_however_it_is_written() -> None:
    assert plain_address("::ffff:10.0.0.5") == plain_address("10.0.0.5") == "10.0.0.5"
    assert plain_address("fe80::1%eth0") == plain_address("FE80:0::1") == "fe80::1"
    assert plain_address("") == ""
    assert resolved(["127.0.0.1"]) == Exchanges(frozenset({"127.0.0.1"}))
