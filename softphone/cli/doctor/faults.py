"""The closed list of what `doctor` calls a fault: how grave each is, and who puts it right. All else that it says is well.

A fault that the desk shows too has the desk's code, and so its sentence. docs/it/fault-codes.md is made from this list.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    OK = "ok"
    WARN = "warn"
    """Klartone works, but not as it should"""
    FAIL = "fail"
    """calls, or the recording that is due, do not work"""


class By(StrEnum):
    """Who puts it right."""

    AGENT = "agent"
    IT = "it"
    CUSTODY = "custody"


class Fault(NamedTuple):
    status: Status
    by: By


UNLISTED = Fault(Status.FAIL, By.IT)
"""an error that no check expects, which has its own sentence all the same"""
BACKUP = Fault(Status.WARN, By.IT)
"""any other that keeps a backup from being made"""


def _all(status: Status, by: By, codes: str) -> dict[str, Fault]:
    return dict.fromkeys(codes.split(), Fault(status, by))


THEMES: dict[str, dict[str, Fault]] = {
    "account": {
        **_all(Status.FAIL, By.IT, "doctor.account.none doctor.account.withheld"),
        **_all(Status.WARN, By.IT, "doctor.certificate.ends"),
        **_all(Status.FAIL, By.AGENT, "ready.registration.refused ready.registration.no_password"),
        **_all(
            Status.FAIL,
            By.IT,
            "connection.answer connection.nowhere connection.dns_silent connection.silent connection.refused"
            " connection.unreachable"
            " connection.lost connection.no_network connection.mute connection.tls_name connection.tls_expired"
            " connection.tls_not_yet connection.tls_unknown_authority connection.tls_revoked"
            " connection.tls_certificate connection.tls_authority_file connection.tls_none connection.tls_silent"
            " connection.tls_version connection.tls_handshake connection.tls_client_certificate"
            " connection.tls_ended connection.tls_other",
        ),
    },
    "network": {
        **_all(Status.FAIL, By.IT, "error.bind error.port_taken fault.edge"),
        **_all(Status.WARN, By.IT, "doctor.names doctor.stun.silent doctor.strangers.waits fault.upstream.unresolved"),
    },
    "phone": {
        **_all(Status.FAIL, By.AGENT, "error.engine.running"),
        **_all(Status.WARN, By.AGENT, "doctor.engine.other"),
        **_all(Status.FAIL, By.IT, "error.engine.cannot_listen"),
    },
    "folders": {
        **_all(
            Status.WARN,
            By.IT,
            "error.settings.unwritable doctor.folder.foreign doctor.folder.log doctor.folder.cache doctor.folder.data"
            " doctor.folder.low doctor.folder.temporary",
        ),
    },
    "archive": {
        **_all(
            Status.FAIL,
            By.IT,
            "error.archive.full error.archive.full_not_due error.archive.read_only error.archive.unwritable"
            " error.archive.denied error.archive.gone error.archive.damaged error.archive.linked error.archive.on_network"
            " error.archive.unknown_version error.archive.unknown_suite error.archive.older_catalog"
            " error.archive.no_catalog error.archive.no_catalog_key error.archive.wrong_key error.archive.marker_changed"
            " error.archive.marker_missing error.archive.unopenable error.archive.unreadable error.archive.storage_failed"
            " error.archive.demo_keys error.archive.no_demo_keys",
        ),
        **_all(Status.FAIL, By.AGENT, "error.archive.in_use"),
        **_all(Status.WARN, By.IT, "error.archive.not_swept fault.archive.slow fault.unrecorded.disk"),
        **_all(Status.WARN, By.IT, "fault.unrecorded.recorder"),
        **_all(
            Status.WARN,
            By.IT,
            "doctor.backup.none doctor.backup.unset doctor.backup.stale doctor.backup.overdue error.backup.not_made",
        ),
        **_all(Status.WARN, By.IT, "doctor.shipping.late doctor.shipping.refused"),
        **_all(Status.WARN, By.IT, "error.backup.away error.backup.unwritable error.backup.full"),
        **_all(
            Status.WARN,
            By.CUSTODY,
            "doctor.judge.waits error.archive.holds_overdue error.archive.cases_overdue error.archive.clock_doubtful",
        ),
    },
    "house": {
        **_all(Status.FAIL, By.IT, "error.house.unreadable"),
        **_all(
            Status.WARN,
            By.IT,
            "error.house.signed_out error.house.unreachable error.house.untrusted error.house.authority"
            " error.house.no_service error.house.policy_older error.house.policy_signer error.house.policy_faulty"
            " error.house.notices doctor.house.stale",
        ),
    },
    "clock": {
        **_all(Status.FAIL, By.IT, "doctor.clock.fast doctor.clock.slow"),
        **_all(Status.WARN, By.IT, "doctor.clock.back error.desk.no_screen"),
    },
    "sound": {
        **_all(Status.FAIL, By.IT, "error.sound_missing"),
        **_all(
            Status.WARN,
            By.AGENT,
            "error.no_microphone error.no_speaker error.no_such_microphone error.no_such_speaker error.microphone_failed"
            " error.speaker_failed error.microphone_lost error.speaker_lost error.sound_file doctor.sound.missing"
            " doctor.ring.missing",
        ),
        **_all(Status.WARN, By.IT, "doctor.sound.as_it_is"),
    },
    "keys": {
        **_all(
            Status.FAIL,
            By.IT,
            "error.keyring.none error.keyring.locked error.keyring.refused error.keyring.timed_out"
            " error.keyring.not_ours error.keyring.demo_file error.keyring.demo_file_denied error.keyring.demo_file_open",
        ),
        **_all(
            Status.WARN,
            By.IT,
            "doctor.key.gone doctor.key.no_documentation doctor.key.no_training doctor.key.no_custody",
        ),
        **_all(Status.WARN, By.IT, "doctor.passport.none doctor.passport.faulty doctor.signer.none"),
    },
    "policy": {
        **_all(
            Status.WARN, By.IT, "ready.policy.missing ready.policy.last_good doctor.policy.waits doctor.policy.revoked"
        ),
        **_all(Status.FAIL, By.IT, "ready.policy.faulty ready.policy.unsigned error.notice.rulebook_failed"),
        **_all(Status.WARN, By.IT, "fault.notice.unspoken doctor.plugins.folder"),
        **_all(
            Status.FAIL,
            By.IT,
            "error.plugin.unlisted error.plugin.missing error.plugin.manifest error.plugin.unguarded error.plugin.taken"
            " error.plugin.failed error.plugin.left_out",
        ),
    },
    "settings": {
        **_all(
            Status.FAIL,
            By.IT,
            "error.settings.faulty error.settings.unreadable error.settings.set_aside error.settings.machine_faulty"
            " error.settings.machine_shut error.settings.machine_unrecorded error.settings.accounts_faulty"
            " doctor.settings.doubtful",
        ),
    },
    "program": {
        **_all(Status.FAIL, By.IT, "doctor.sip.none doctor.part.none doctor.late doctor.bug"),
        **_all(Status.WARN, By.IT, "doctor.crashes.kept"),
    },
}
"""as docs/it/fault-codes.md is ordered"""
FAULTS = {code: fault for theme in THEMES.values() for code, fault in theme.items()}


def status_of(code: str) -> Status:
    if code in FAULTS or not code.startswith("doctor."):
        return _of(code).status
    return Status.OK


def by_of(code: str) -> By | None:
    """None: there is nothing to do."""
    if status_of(code) is Status.OK:
        return None
    return _of(code).by


def _of(code: str) -> Fault:
    return FAULTS.get(code, BACKUP if code.startswith("error.backup.") else UNLISTED)
