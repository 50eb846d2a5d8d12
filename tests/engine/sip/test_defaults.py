"""docs/sip-defaults.md against the library and the program: each callback and setting has a row, and its values are true."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import pjsua2 as pj
import pytest

from softphone.engine.edge import Edge
from softphone.engine.sip.account import AccountDirector, account_config
from softphone.engine.sip.call import CallDirector, call_params
from softphone.engine.sip.endpoint import EndpointDirector, SipEndpoint
from softphone.engine.sip.media.ports import _DevicePort
from softphone.engine.sip.settings import AccountSettings, PhoneSettings

PAGE = Path(__file__).parents[3] / "docs" / "sip-defaults.md"
EDGE = "127.0.0.1:5090"
DIRECTORS = {
    "Account": AccountDirector,
    "AudioMediaPlayer": pj.AudioMediaPlayer,
    "AudioMediaPort": _DevicePort,
    "Buddy": getattr(pj, "Buddy"),  # noqa: B009 - our stubs leave out what is not used
    "Call": CallDirector,
    "Endpoint": EndpointDirector,
}
SETTINGS = re.compile(r".*(Config|Setting)|CodecParam|AudioMediaTransmitParam")


class Row(NamedTuple):
    ours: str
    theirs: str


def rows() -> dict[str, Row]:
    found: dict[str, Row] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0].startswith("`"):
            assert cells[0] not in found, cells[0]
            found[cells[0].strip("`")] = Row(cells[2], cells[1])
    return found


def settings_of(thing: object, name: str) -> Iterator[tuple[str, object]]:
    for key, value in vars(type(thing)).items():
        if isinstance(value, property) and key != "thisown":
            yield f"{name}.{key}", getattr(thing, key)


@pytest.fixture
def configured() -> Iterator[tuple[dict[str, object], dict[str, object]]]:
    """Every setting: the library's own once it runs, and the program's behind an edge."""
    settings = PhoneSettings(address="127.0.0.1", behind_edge=True)
    endpoint, another = (SipEndpoint(settings, lambda _: None, Edge("", 0, ()).inner) for _ in range(2))
    endpoint.start()
    try:
        theirs, ours = pj.EpConfig(), another._config()
        # The library frees a part with the whole that it is of.
        call = call_params(record_aware=False)
        account = account_config("a", AccountSettings("a@example.test"), -1, "127.0.0.1", EDGE)
        pairs: dict[str, tuple[Any, Any]] = {
            "UaConfig": (theirs.uaConfig, ours.uaConfig),
            "LogConfig": (theirs.logConfig, ours.logConfig),
            "MediaConfig": (theirs.medConfig, ours.medConfig),
            "TransportConfig": (pj.TransportConfig(), pj.TransportConfig()),
            "CallSetting": (pj.CallSetting(True), call.opt),
        }
        own = pj.AccountConfig()
        parts = {"regConfig": "Reg", "sipConfig": "Sip", "callConfig": "Call", "presConfig": "Pres", "mwiConfig": "Mwi"}
        parts |= {"natConfig": "Nat", "mediaConfig": "Media", "ipChangeConfig": "IpChange"}
        for part, name in parts.items():
            pairs[f"Account{name}Config"] = getattr(own, part), getattr(account, part)
        yield (
            dict(one for name, (first, _) in pairs.items() for one in settings_of(first, name)),
            dict(one for name, (_, second) in pairs.items() for one in settings_of(second, name)),
        )
    finally:
        endpoint.destroy()
        another.destroy()


def callbacks() -> dict[str, bool]:
    """Each callback of the library: whether the program has one of its own."""
    return {
        f"{name}.{key}": getattr(ours, key) is not getattr(getattr(pj, name), key)
        for name, ours in DIRECTORS.items()
        for key in dir(getattr(pj, name))
        if re.match(r"on[A-Z]", key)
    }


def test_each_callback_has_a_row_that_says_whether_it_is_left_to_the_library() -> None:
    said = {name: row.ours != "–" for name, row in rows().items() if re.search(r"\.on[A-Z]", name)}
    assert said == callbacks()


def test_each_setting_has_a_row_whose_values_are_the_librarys_and_the_programs(
    configured: tuple[dict[str, object], dict[str, object]],
) -> None:
    theirs, ours = configured
    told = {name: row for name, row in rows().items() if not re.search(r"\.on[A-Z]", name)}
    # No video is offered, so of those settings none has a row; of an account, what it is called is not a setting.
    parts = {"AccountConfig.idUri", "AccountConfig.priority"}
    inner = {name for name in told if name.startswith("AccountMediaConfig.transportConfig.")}
    assert set(told) - parts - inner == set(theirs) - {"AccountMediaConfig.transportConfig"}
    for name, row in told.items():
        if name in ours:
            assert agrees(row.theirs, theirs[name]), f"{name} is {theirs[name]!r} by itself"
            assert agrees(row.ours, ours[name]) or name.startswith("TransportConfig"), f"{name} is {ours[name]!r} here"
            if row.ours == "–" and isinstance(theirs[name], bool | int | str):
                assert ours[name] == theirs[name], f"{name} is chosen here, and its row says that it is not"


def agrees(cell: str, value: object) -> bool:
    """Whether a literal in the page is this value; words are for people."""
    literal = re.fullmatch(r"`(-?\d+|True|False)`", cell)
    return literal is None or literal[1] == str(cast("Any", value))


def test_each_kind_of_settings_is_in_the_tables_or_made_nowhere_in_the_program(
    configured: tuple[dict[str, object], dict[str, object]],
) -> None:
    page = PAGE.read_text(encoding="utf-8")
    unused = set(re.findall(r"^\| `(\w+)` \|", page.partition("## Not used")[2], re.MULTILINE))
    read = {name.split(".")[0] for name in configured[0]} | {"AccountConfig", "EpConfig"}
    assert unused | read == {name for name in dir(pj) if SETTINGS.fullmatch(name)}
    program = "".join(file.read_text(encoding="utf-8") for file in (PAGE.parents[1] / "softphone").rglob("*.py"))
    assert not {name for name in unused if f"pj.{name}" in program}
    assert {name for name in dir(pj) if callbacks_of(name)} == set(DIRECTORS)


def callbacks_of(name: str) -> list[str]:
    """Those that this name of the library can be given."""
    return [key for key in dir(getattr(pj, name)) if re.match(r"on[A-Z]", key)]
