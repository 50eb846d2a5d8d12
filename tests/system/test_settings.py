"""The user's settings: they survive, and a faulty file loses nothing."""

from pathlib import Path

import pytest

from softphone.domain.errors import SettingsError
from softphone.domain.purpose import Language
from softphone.system.settings import FILE, FaultySettings, load_settings, save_settings, set_aside
from softphone.system.settings_schema import doubts
from softphone.wire.snapshot import Account, Look, Settings


def test_settings_come_back_as_they_were(tmp_path: Path) -> None:
    settings = Settings(
        accounts=(Account("a", "salg@nordlys.example", user="salg", transport="tcp"),),
        language=Language.DA,
        look=Look.DARK,
        port=5060,
    )
    save_settings(tmp_path / "new", settings)
    assert load_settings(tmp_path / "new") == settings
    # As Windows' editors save it.
    file = tmp_path / "new" / FILE
    file.write_text(file.read_text("utf-8"), encoding="utf-8-sig")
    assert load_settings(tmp_path / "new") == settings


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_settings(tmp_path) == Settings()


@pytest.mark.parametrize(
    "content",
    [
        b"look = ",
        b"\xff\xfe\x00",
        b'look = "pink"',
        b"nonsense = 1",
        b"accounts = 7",
        pytest.param(b"a = " + b"[" * 3000, id="brackets"),
        pytest.param(b"port = " + b"1" * 5000, id="digits"),
    ],
)
def test_a_faulty_file_is_reported_and_set_aside_whole(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(SettingsError):
        load_settings(tmp_path)
    assert set_aside(tmp_path).read_bytes() == content
    assert load_settings(tmp_path) == Settings()


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError):
        save_settings(tmp_path / "file", Settings())


def test_all_faults_of_a_file_are_told_at_once_with_line_and_key(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(
        """policyy = "a slip"
port = "many"
look = "blue"

[[accounts]]
id = "one"
address = "anna@nordlys.example"
transport = "sctp"
register = "perhaps"

[[accounts]]
id = "two"
colour = 1
""",
        encoding="utf-8",
    )
    with pytest.raises(FaultySettings) as refused:
        load_settings(tmp_path)
    told = [(one.line, one.key, one.code.removeprefix("policy.fault.")) for one in refused.value.faults]
    assert told == [
        (1, "policyy", "unknown_key_near"),
        (2, "port", "wanted_number"),
        (3, "look", "not_one_of"),
        (8, "accounts[1].transport", "not_one_of"),
        (9, "accounts[1].register", "wanted_yes_no"),
        (11, "accounts[2].address", "missing"),
        (13, "accounts[2].colour", "unknown_key"),
    ]
    assert refused.value.faults[3].params == {"value": "sctp", "allowed": "udp, tcp, tls"}
    assert "8 accounts[1].transport" in str(refused.value.params["places"])


def test_a_file_that_breaks_off_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('port = 0\npolicy = "half\n', encoding="utf-8")
    with pytest.raises(FaultySettings) as refused:
        load_settings(tmp_path)
    (fault,) = refused.value.faults
    assert (fault.line, fault.code) == (2, "policy.fault.broken")


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (Settings(port=99_999), "error.settings.port"),
        (Settings(rtp_ports="20000-20018"), "error.settings.rtp_ports"),
        (Settings(rtp_ports="20000-70000"), "error.settings.rtp_ports"),
        (Settings(ring_volume=201), "error.settings.volume"),
        (Settings(ring_sound="tuba"), "error.settings.ring_sound"),
        (Settings(bind="nonsense"), "error.settings.bind"),
        (Settings(accounts=(Account("a", "not an address"),)), "error.settings.address"),
        (Settings(accounts=(Account("a", "a@B:5061"), Account("b", "a@b:5061"))), "error.settings.address_twice"),
        (Settings(accounts=(Account("a", "a@b", srtp="required"),)), "error.settings.srtp_in_the_clear"),
        (Settings(accounts=(Account("a", "a@b", mailbox="x y;z"),)), "error.settings.mailbox"),
        (Settings(accounts=(Account("a", "a@b"), Account("a", "c@b"))), "error.settings.account_twice"),
        (Settings(accounts=(Account("a", "a@127.0.0.1:54269x"),)), "error.settings.address"),
        (Settings(keep_alive=-1), "error.settings.keep_alive"),
        (Settings(accounts=(Account("a", "a@b", outbound_proxy="sip:x"),)), "error.settings.outbound_proxy"),
        (Settings(accounts=(Account("a", "a@b", outbound_proxy="b:65536"),)), "error.settings.outbound_proxy"),
        (Settings(accounts=(Account("a", "a@b:0"),)), "error.settings.address"),
        (Settings(stun="127.0.0.1:99999"), "error.settings.stun"),
        (Settings(backup="/mnt/b", backup_every="sometimes"), "error.settings.backup_every"),
        (Settings(backup="here"), "error.settings.backup_folder"),
    ],
)
def test_what_cannot_be_used_is_known_before_it_is(settings: Settings, code: str) -> None:
    assert [told for _, told, _ in doubts(settings)] == [code]
    for mailbox in ("", "*98#", "70 10 20-30", "sip:voice@nordlys.example", "voice@nordlys.example;user=phone"):
        account = Account("a", "anna@nordlys.example", transport="tls", srtp="required", mailbox=mailbox)
        assert list(doubts(Settings(accounts=(account,)))) == []


def test_a_line_that_goes_on_where_it_should_end_is_told_where_it_is(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("port = 5 6\n" + "# more\n" * 40, encoding="utf-8")
    with pytest.raises(FaultySettings) as refused:
        load_settings(tmp_path)
    assert [one.line for one in refused.value.faults] == [1]


def test_what_was_set_aside_before_stays(tmp_path: Path) -> None:
    for content in ("a = 1", "b = 1"):
        (tmp_path / FILE).write_text(content, encoding="utf-8")
        assert set_aside(tmp_path).read_text("utf-8") == content
    assert sorted(one.read_text("utf-8") for one in tmp_path.iterdir()) == ["a = 1", "b = 1"]
