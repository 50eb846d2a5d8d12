"""What all findings together mean: whether this user can call and record here and now, and how many faults there are.

No grade of a single finding: a machine without a headset is no fault of it, and calls do not work on it all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from softphone.cli.doctor.faults import THEMES, Status, status_of
from softphone.cli.doctor.finding import Finding
from softphone.texts import Texts

_WITHOUT_CALLS = {
    f"error.{one}" for side in ("microphone", "speaker") for one in (f"no_{side}", f"{side}_failed", f"{side}_lost")
}
"""though none is graded as a fault"""
_WITHOUT_RECORDING = {"ready.policy.missing", "error.settings.machine_shut", "error.settings.machine_unrecorded"}
_NEITHER = {"error.plugin.unlisted", "error.plugin.taken"}
"""faults of something that is not used"""
_CALLS, _RECORDS = ("network", "phone", "sound", "program"), ("archive", "keys", "policy", "program")
"""themes whose faults keep this from working"""


class Summary(NamedTuple):
    calls: bool
    records: bool
    faults: int
    warnings: int


def summary_of(found: Sequence[tuple[str, Finding]]) -> Summary:
    """One account that works is enough for calls."""
    graded = [(check, one.code, status_of(one.code)) for check, one in found]
    theme = {code: name for name, codes in THEMES.items() for code in codes}
    failed = {code for check, code, status in graded if status is Status.FAIL and check != "accounts"} - _NEITHER
    all_codes = {code for _, code, _ in graded}
    themes = {theme.get(code) for code in failed}
    unlisted = None in themes
    account = any(check == "accounts" and status is Status.OK for check, _, status in graded)
    count = Counter(status for _, _, status in graded)
    return Summary(
        account and not unlisted and themes.isdisjoint(_CALLS) and all_codes.isdisjoint(_WITHOUT_CALLS),
        not unlisted and themes.isdisjoint(_RECORDS) and all_codes.isdisjoint(_WITHOUT_RECORDING),
        count[Status.FAIL],
        count[Status.WARN],
    )


def in_words(summary: Summary, texts: Texts) -> str:
    return " ".join(
        (
            texts(f"doctor.calls.{'work' if summary.calls else 'fail'}"),
            texts(f"doctor.records.{'work' if summary.records else 'fail'}"),
            f"{texts('doctor.faults', count=summary.faults)}, {texts('doctor.warnings', count=summary.warnings)}.",
        )
    )
