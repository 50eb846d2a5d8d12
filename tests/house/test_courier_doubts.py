"""The courier against whatever answers in the house's place: nothing is lost, nothing else waits, and it is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from softphone.house.connection import Answer
from softphone.house.courier import Courier, Report
from softphone.team.upload.receipt import Signer
from tests.archive.scene import DOCUMENTATION, TRAINING, Scene
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
        self.head_key = ""
        self._house = House()

    def ask(self, method: str, path: str, body: Any = None, *, raw: Any = None, **_: Any) -> Answer:
        self.asked.append(f"{method} {path}")
        for _block in raw or ():
            pass
        return Answer(200, {}, json.dumps(self.says(method, path, body)).encode())

    def recorded(self) -> str:
        at = datetime.now(UTC) - timedelta(minutes=5)
        call, recording = begun(self.scene, self._house, at, DOCUMENTATION, TRAINING, number="+4570101010")
        ended(self.scene, call, recording, at + timedelta(seconds=1), DOCUMENTATION, TRAINING, seconds=1)
        return recording

    def file(self, recording: str) -> Path:
        return self.scene.archive.vault.path(recording)

    @contextmanager
    def courier(self) -> Generator[Courier]:
        since = datetime.now(UTC) - timedelta(days=2)
        courier = Courier(
            *(self.ask, self.reports.append, lambda: KEY.public, since), head_key=lambda: self.head_key, first=0
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
        def said(_method: str, path: str, body: Any) -> Any:
            begins = path == "/v1/recordings"
            return {"state": "erased", "receipt": sign(body["recording"], body["sha256"])} if begins else {}

        return said

    doubtful: tuple[Callable[[str, str], str], ...] = (
        lambda _recording, _sha256: "",
        lambda recording, sha256: other.erased(recording, sha256, now),
        lambda recording, sha256: KEY.receipt(recording, sha256, "", (5, "h"), now),
        lambda _recording, sha256: KEY.erased("another", sha256, now),
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
