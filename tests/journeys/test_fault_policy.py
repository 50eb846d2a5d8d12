"""A policy that cannot be used: the agent reads what is wrong and where, nothing is recorded, and the call is a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from softphone.domain.purpose import Reason
from softphone.domain.status import Headline
from softphone.wire.snapshot import PolicyPhase
from tests.journeys.fault_words import begun, change_settings, save, sentence, told_plainly, words
from tests.journeys.stage import Stage, build
from tests.peers.second_phone import talk

pytestmark = pytest.mark.journey

WAYS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "policy.fault.file_empty"),
    "binary": (lambda _: bytes(range(256)) * 8, "policy.fault.binary"),
    "half_written": (lambda whole: whole[: len(whole) // 2], "policy.fault.ends_early"),
    "another_programs": (lambda _: b'[package]\nname = "x"\n', "policy.fault.unknown_key"),
    "no_sound": (lambda whole: whole.replace(b"notice.wav", b"no-sound.wav"), "policy.fault.sound_unreadable"),
    "no_sound_file": (lambda whole: whole.replace(b"notice.wav", b"nowhere.wav"), "policy.fault.sound_missing"),
}
CODES = {
    "missing": "policy.fault.file_missing",
    "a_folder": "policy.fault.not_a_file",
    **{name: code for name, (_, code) in WAYS.items()},
}


@pytest.fixture(scope="module")
def never_recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """An engine that has never seen a good policy, and every kind of bad one to choose from."""
    on = build(tmp_path_factory.mktemp("stage"), lines=("n7",))
    folder = on.home.folders.config
    whole = (folder / "policy.toml").read_bytes()
    (folder / "no-sound.wav").write_bytes(b"RIFF....WAVE, or so it says\n" * 40)
    (folder / "a_folder.toml").mkdir()
    for name, (spoil, _) in WAYS.items():
        (folder / f"{name}.toml").write_bytes(spoil(whole))
    change_settings(on, policy="")
    with begun(on):
        on.desk.wait(lambda now: now.store.works, "an archive")
        yield on


@pytest.mark.parametrize("way", CODES)
def test_a_policy_that_cannot_be_used_is_told_of_and_the_call_is_heard_unrecorded(
    never_recorded: Stage, way: str
) -> None:
    on = never_recorded
    path = str(on.home.folders.config / f"{way}.toml")
    save(on, policy=path)
    faults = on.desk.wait(
        lambda now: now.policy.faults if (now.policy.phase, now.policy.path) == (PolicyPhase.FAULTY, path) else None,
        "a faulty policy",
    )
    assert CODES[way] in [fault.code for fault in faults]
    for fault in faults:
        sentence(fault)

    call = on.call("n7")
    status = on.desk.wait_status(lambda status: status.headline is Headline.FAILED, "why it is not recorded", call)
    assert status.reasons[0].reason is Reason.POLICY_FAULTY
    talk(on.customer, 25)
    on.hang_up(call)
    assert not on.desk.told("sealed")
    told_plainly(words(on))


def test_a_policy_spoiled_later_is_told_of_and_the_last_good_one_holds(tmp_path: Path) -> None:
    on = build(tmp_path, lines=("n7",))
    good = on.home.folders.config / "policy.toml"
    spoiled = good.with_name("spoiled.toml")
    spoiled.write_bytes(good.read_bytes()[:700])
    with begun(on):
        on.ready()
        save(on, policy=str(spoiled))
        faults = on.desk.wait(lambda now: now.policy.faults, "a faulty policy")
        assert [sentence(fault) for fault in faults]
        call = on.call("n7")
        on.sealed(call, 1.0)
        on.hang_up(call)
        on.end()
    assert on.row(call) is not None
    assert on.verified()["ok"]
