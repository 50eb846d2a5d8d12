"""The courier against whatever answers in the house's place: nothing is lost, nothing else waits, and it is told."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from softphone.archive.examine.verify import verify
from softphone.archive.outbox import rows, shipping
from softphone.archive.schema.tables import purposes
from softphone.domain.changes import Discard, DropWraps, HoldBy, PlaceHold, RememberRefusal
from softphone.domain.errors import HouseError, KeyringError
from softphone.domain.heads import Head
from softphone.domain.purpose import KeyRole
from softphone.house import answers
from softphone.house import courier as module
from softphone.house import shipping as carrying
from softphone.house.connection import Answer
from softphone.house.courier import Courier, Report
from softphone.system.policy_file import parse_policy
from softphone.team.upload.receipt import Signer
from tests.archive.scene import DOCUMENTATION, TRAINING, Scene
from tests.house.joined import policy_of
from tests.peers.processes import until
from tests.team.desk import House
from tests.team.local import begun, ended

Says = Callable[[str, str, Any], Any]
KEY = Signer(bytes(range(32)))


class Doubtful:
    """A desk, and what answers it: `says` is asked for each answer."""

    def __init__(self, folder: Path) -> None:
        self.scene = Scene(folder / "archive", another=True)
        self.scene.archive.clock = lambda: datetime.now(UTC)
        self.asked, self.reports = list[str](), list[Report]()
        self.says: Says = lambda _method, _path, _body: {}
        self.in_mid_part: Callable[[int], None] = lambda _number: None
        self.head_key = ""
        self._house = House()

    def ask(self, method: str, path: str, body: Any = None, *, raw: Any = None, **_: Any) -> Answer:
        self.asked.append(f"{method} {path}")
        sent = b""
        for number, block in enumerate(raw or ()):
            sent += block
            if number == 1:
                self.in_mid_part(number)
        if sent and "/parts/" not in path:
            body = json.loads(sent.partition(b"\n")[0])
        return Answer(200, {}, json.dumps(self.says(method, path, body)).encode())

    def recorded(self) -> str:
        at = datetime.now(UTC) - timedelta(minutes=5)
        call, recording = begun(self.scene, self._house, at, DOCUMENTATION, TRAINING, number="+4570101010")
        ended(self.scene, call, recording, at + timedelta(seconds=1), DOCUMENTATION, TRAINING, seconds=1)
        return recording

    def has_sent(self, *those: str) -> None:
        """Receipts for them are here."""
        with self.scene.archive.catalog.writing() as tx:
            for number, one in enumerate(those, 5):
                sha256, now = hashlib.sha256(self.file(one).read_bytes()).hexdigest(), datetime.now(UTC)
                shipping.begin(tx, one, self.scene.archive.find(one).call)
                shipping.received(tx, one, KEY.receipt(one, sha256, "", (number, "h"), now), (number, "h"), now)

    def file(self, recording: str) -> Path:
        return self.scene.archive.vault.path(recording)

    @contextmanager
    def courier(self) -> Generator[Courier]:
        since = datetime.now(UTC) - timedelta(days=2)
        policy = parse_policy(policy_of(self._house, 1)).policy
        courier = Courier(
            *(self.ask, self.reports.append, lambda: [KEY.public], since),
            head_key=lambda: self.head_key,
            policy=lambda: policy,
            first=0,
        )
        courier.joins(self.scene.archive)
        courier.start(self.scene.archive.beside)
        try:
            yield courier
        finally:
            courier.stop(10)

    def trouble(self) -> str:
        told = self.reports[-1] if self.reports else None
        return told.waiting.code or (told.trouble.code if told.trouble else "") if told else ""


@pytest.fixture
def desk(tmp_path: Path) -> Generator[Doubtful]:
    made = Doubtful(tmp_path)
    yield made
    made.scene.close()


@pytest.mark.expected_log("refused by the house: error.house.receipt_wrong", reason="nobody has signed it, or another")
def test_only_what_the_house_has_signed_as_erased_ends_here(desk: Doubtful) -> None:
    recording, other, now = desk.recorded(), Signer(bytes(32)), datetime.now(UTC)

    def says(sign: Callable[[str, str], str]) -> Says:
        def said(method: str, path: str, body: Any) -> Any:
            if method != "PUT" or not path.startswith("/v1/recordings/"):
                return {}
            return {"state": "erased", "receipt": sign(body["recording"], body["sha256"])}

        return said

    doubtful: tuple[Callable[[str, str], str], ...] = (
        lambda _recording, _sha256: "",
        lambda recording, sha256: other.erased(recording, sha256, now),
        lambda recording, sha256: KEY.receipt(recording, sha256, "", (5, "h"), now),
        lambda _recording, sha256: KEY.erased("another", sha256, now),
        lambda recording, _sha256: KEY.erased(recording, "0" * 64, now),
    )
    for sign in doubtful:
        desk.reports.clear()
        desk.says = says(sign)
        with desk.courier():
            until(lambda: desk.trouble() == "error.house.receipt_wrong", 10, "it is not believed")
        assert desk.file(recording).exists()
        assert [one.recording for one in desk.scene.archive.list()] == [recording]
    desk.says = says(lambda recording, sha256: KEY.erased(recording, sha256, now))
    with desk.courier():
        until(lambda: not desk.file(recording).exists(), 10, "it ends here too")
    assert desk.scene.archive.list() == []


@pytest.mark.expected_log(
    "not shipped: error.house.no_service", "not shipped: error.house.courier", "ZeroDivisionError",
    "not shipped: error.keyring.locked", reason="no answers of the service, a fault of ours, a keyring that is locked",
)  # fmt: skip
def test_an_answer_that_is_none_is_told_and_asked_for_again(desk: Doubtful, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST", 0.05)
    monkeypatch.setattr(module, "_LONGEST", 0.1)
    recording, desk.head_key = desk.recorded(), KEY.public
    odd: list[tuple[str, Any]] = [
        ("/v1/recordings", []),
        ("/v1/recordings", {"state": ["stored"]}),
        *(("/v1/recordings", {"state": "going_on", "missing": one}) for one in (["1"], [2], [-3], [1, 1], 5)),
        ("/v1/heads", {}),
        ("/v1/heads", {"heads": [1]}),
        ("", ""),
        ("keyring", ""),
    ]

    def says(_method: str, asked: str, body: Any) -> Any:
        path, told = odd[0] if odd else ("none", "")
        if not path:
            return 1 // 0
        if path == "keyring":
            raise KeyringError("error.keyring.locked")
        if asked.startswith(path):
            return told
        if asked == f"/v1/recordings/{recording}":
            return {"state": "erased", "receipt": KEY.erased(recording, body["sha256"], datetime.now(UTC))}
        return {"heads": []}

    desk.says = says
    with desk.courier():
        while odd:
            codes = {"": "error.house.courier", "keyring": "error.keyring.locked"}
            code = codes.get(odd[0][0], "error.house.no_service")
            until(lambda code=code: desk.trouble() == code, 10, f"told of {odd[0]}")
            assert not any("/parts/" in one for one in desk.asked)
            assert odd[0][0] != "/v1/recordings" or desk.file(recording).exists()
            odd.pop(0)
            asked = len(desk.asked)
            until(lambda asked=asked: len(desk.asked) > asked + 1, 10, "it is asked again")
        until(lambda: desk.trouble() == "", 10, "all goes on")
    assert desk.scene.archive.list() == []


def test_a_withdrawal_waits_for_no_upload_and_what_ends_here_meanwhile_is_given_up(
    desk: Doubtful, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "PART", 1 << 10)
    monkeypatch.setattr(carrying, "PART", 1 << 10)
    monkeypatch.setattr(module, "_SLICE", 1 << 8)
    monkeypatch.setattr(module, "LOOK", 0.1)
    recording, parts = desk.recorded(), [1, 2, 3]
    call = desk.scene.archive.find(recording).call
    no = DropWraps(recording, KeyRole.TRAINING, "declined_by_voice"), RememberRefusal(call, datetime.now(UTC))

    def says(_method: str, path: str, _body: Any) -> Any:
        if path == "/v1/recordings":
            return {"state": "going_on", "missing": parts}
        if "/parts/" in path:
            parts.pop(0)
            if len(parts) == 1:
                desk.scene.commit(Discard(recording, "private"), recording=recording)
        return {}

    def says_no(_number: int) -> None:
        """In the middle of the first part, and once only."""
        desk.in_mid_part = lambda _number: None
        desk.scene.commit(*no, call=call, recording=recording)
        courier.look()

    desk.says, desk.in_mid_part = says, says_no
    with desk.courier() as courier:
        until(lambda: f"DELETE /v1/recordings/{recording}/upload" in desk.asked, 10, "given up")
    told = [one.removeprefix(f"PUT /v1/recordings/{recording}/") for one in desk.asked if "/log" not in one]
    assert told[:6] == ["POST /v1/recordings", "parts/1", "POST /v1/withdrawals", "POST /v1/numbers",
                        "POST /v1/recordings", "parts/1"]  # fmt: skip
    assert told[6:9] == ["parts/2", "POST /v1/withdrawals", f"DELETE /v1/recordings/{recording}/upload"]
    # The log comes after all else.
    assert "POST /v1/log" not in desk.asked[: desk.asked.index(told[8])]


def test_what_goes_whole_breaks_off_for_a_withdrawal_and_is_told_anew(
    desk: Doubtful, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SLICE", 1 << 8)
    recording, told = desk.recorded(), list[Any]()
    call = desk.scene.archive.find(recording).call

    def says(method: str, _path: str, body: Any) -> Any:
        if method != "PUT":
            return {}
        told.append(body)
        return {"state": "stored", "receipt": KEY.receipt(recording, body["sha256"], "", (5, "h"), datetime.now(UTC))}

    def says_no(_number: int) -> None:
        desk.in_mid_part = lambda _number: None
        desk.scene.commit(DropWraps(recording, KeyRole.TRAINING, "declined_by_voice"), call=call, recording=recording)
        courier.look()

    desk.says, desk.in_mid_part = says, says_no
    with desk.courier() as courier:
        until(lambda: bool(told), 10, "it has arrived")
    whole = f"PUT /v1/recordings/{recording}"
    assert [one for one in desk.asked if "/log" not in one][:3] == [whole, "POST /v1/withdrawals", whole]
    assert {one["role"] for one in told[0]["wraps"]} == {"documentation", "custody"}


@pytest.mark.expected_log("error.team.not_yours", reason="the first is another agent's there")
@pytest.mark.expected_log("error.house.nothing_to_hold", reason="it holds nothing")
def test_a_copy_that_the_house_refuses_keeps_no_other_and_an_untaken_lock_keeps_its_own(
    desk: Doubtful, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_HEADS", 0.0)
    monkeypatch.setattr(module, "_AT_ONCE", 1)
    heads = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    desk.head_key = KEY.public
    head = Head(1, 50, "a", datetime.now(UTC), 50, 0, 0, "", desk.head_key)
    head = replace(head, signature=base64.b64encode(heads.sign(head.to_sign())).decode())
    refused, other, locked = desk.recorded(), desk.recorded(), desk.recorded()

    def says(_method: str, path: str, body: Any) -> Any:
        if path == "/v1/holds":
            return {"held": ["another"]}
        if path.startswith("/v1/heads"):
            return {"heads": [] if path.endswith("since=1") else [head.told()]}
        if path == "/v1/recordings" and body["recording"] == refused:
            raise HouseError("error.team.not_yours", status=403)
        return {"state": "stored"}

    desk.says = says
    desk.has_sent(refused, other, locked)
    lock = PlaceHold(f"{locked}-h1", locked, HoldBy.CONTROLLER, "anna", datetime.now(UTC), None, "price")
    with desk.scene.archive.catalog.writing() as tx:
        rows.begin(tx, head.at - timedelta(days=2))
    desk.scene.commit(lock, recording=locked)
    with desk.courier():
        until(lambda: not desk.file(other).exists(), 10, "the other's copy gone")
        until(lambda: "PUT /v1/sample/tallies" in desk.asked, 10, "nothing else keeps it")
    assert desk.reports[-1].trouble is None
    assert (desk.reports[-1].waiting.told, desk.trouble()) == (1, "error.house.nothing_to_hold")
    assert desk.file(refused).exists()
    assert desk.file(locked).exists()
    assert desk.asked.count("POST /v1/recordings") == 4


@pytest.mark.expected_log("refused by the house: error.house.receipt_wrong", reason="another has signed it")
def test_what_the_house_erases_ends_here_though_no_head_lets_its_copy_go(
    desk: Doubtful, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ASKS", 2)
    monkeypatch.setattr(module, "LOOK", 0.1)
    erased, _unsigned, stands, part, forged, held = those = [desk.recorded() for _ in range(6)]
    files = {one: hashlib.sha256(desk.file(one).read_bytes()).hexdigest() for one in those}

    def says(_method: str, path: str, body: Any) -> Any:
        if path != "/v1/recordings":
            return {}
        assert files[body["recording"]] == body["sha256"]
        if body["recording"] == stands:
            return {"state": "stored"}
        if (of := body["recording"]) in (part, forged, held):
            key = Signer(bytes(32)) if of == forged else KEY
            ended = {TRAINING.value: ("taken_back", "withdrawn")}
            if of == held:
                ended[DOCUMENTATION.value] = ("expired", "expired")
            return {"state": "stored", "ended": key.ended(of, body["sha256"], ended, datetime.now(UTC))}
        key = KEY if body["recording"] == erased else Signer(bytes(32))
        return {"state": "erased", "receipt": key.erased(body["recording"], body["sha256"], datetime.now(UTC))}

    desk.says = says
    desk.has_sent(*those)
    with desk.courier():
        until(lambda: desk.asked.count("POST /v1/recordings") == 2, 10, "some of them")
        monkeypatch.setattr(module, "_ASKED", 0.0)
        until(
            lambda: (
                not desk.file(erased).exists()
                and not desk.file(held).exists()
                and desk.asked.count("POST /v1/recordings") > 12
            ),
            10,
            "all of them",
        )
    assert {one.recording for one in desk.scene.archive.list()} == {*those} - {erased}
    assert all(desk.file(one).exists() for one in those if one not in (erased, held))
    # A purpose that ended in the house alone ends in the copy: what is sealed for it goes. With the last one all of it does.
    opens = {one: set(desk.scene.archive.find(one).opens_for) for one in (stands, part, forged, held)}
    assert opens[stands] == opens[forged] == {KeyRole.CUSTODY, DOCUMENTATION, TRAINING}
    assert (opens[part], opens[held]) == ({KeyRole.CUSTODY, DOCUMENTATION}, set())
    with desk.scene.archive.catalog.reading() as connection:
        stands = select(purposes.c.recording, purposes.c.purpose, purposes.c.stands, purposes.c.reason)
        how = {row[:2]: row[2:] for row in connection.execute(stands.where(purposes.c.recording.in_((part, held))))}
    assert how[part, TRAINING] == how[held, TRAINING] == ("taken_back", "withdrawn")
    assert (how[part, DOCUMENTATION], how[held, DOCUMENTATION]) == (("keeps", None), ("expired", "expired"))
    assert [one.event for one in desk.scene.archive.audit_of(part)].count("ended_there") == 1
    assert verify(desk.scene.archive).ok


@pytest.mark.expected_log("refused by the house: error.house.log_refused", reason="it has another one from here")
def test_a_log_that_the_house_does_not_take_is_told_until_it_does(
    desk: Doubtful, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_REFUSED", 0.2)
    monkeypatch.setattr(module, "LOOK", 0.1)
    takes: list[bool] = []

    def says(_method: str, path: str, _body: Any) -> Any:
        if path == "/v1/log" and not takes:
            raise HouseError("error.team.log_forked", status=409)
        return {"state": "stored"}

    desk.has_sent(desk.recorded())
    desk.says = says
    with desk.courier():
        until(lambda: desk.trouble() == "error.house.log_refused", 10, "it is told")
        assert desk.reports[-1].waiting.failed == 1
        takes.append(True)
        until(lambda: not desk.trouble(), 10, "it is taken")
