"""What custody seals anew for those whom the policy lets open a recording again: the data keys come to this desk and no further.

The service hands them out sealed for custody, checks what comes back as on arrival, and drops what may not be opened now.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from softphone.archive.crypto.recipients import policy_recipients
from softphone.archive.crypto.wraps import Wrap, unwrap, wrap
from softphone.domain.errors import ArchiveError
from softphone.domain.policy import Policy
from softphone.domain.purpose import KeyRole, Purpose
from softphone.house.archive.asking import Asking, RowTold, SealTold, decoded


@dataclass(frozen=True, slots=True)
class SegmentKeys:
    segment: int
    purposes: tuple[Purpose, ...]
    keys: tuple[SealTold, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysTold(RowTold):
    """`stand`: the purposes that have not ended."""

    segments: tuple[SegmentKeys, ...]
    stand: tuple[Purpose, ...]


def sealed_anew(
    asking: Asking, told: KeysTold, policy: Policy | None, purposes: Sequence[Purpose]
) -> list[dict[str, Any]]:
    """For these purposes, as far as they stand and the policy names somebody. Raises ArchiveError where no key of custody's
    here opens the recording."""
    row = told.row
    keys = _data_keys(asking, row.recording, told.segments)
    recipients = [one for one in policy_recipients(policy) if one.of_line(row.line)]
    wanted = {KeyRole(one.value): one for one in purposes if one in told.stand}
    return [
        _told(wrap(keys[segment.segment], one, row.recording, segment.segment))
        for segment in told.segments
        for one in recipients
        if one.role in wanted and wanted[one.role] in segment.purposes
    ]


def _data_keys(asking: Asking, recording: str, segments: Sequence[SegmentKeys]) -> Mapping[int, bytes]:
    found: dict[int, bytes] = {}
    for one in segments:
        for seal in one.keys:
            private = asking.private_key(seal.key_id)
            if private is None:
                continue
            sealed = Wrap(recording, one.segment, KeyRole.CUSTODY, seal.key_id, seal.suite, decoded(seal.sealed))
            if key := unwrap(sealed, private):
                found[one.segment] = key
                break
    if not segments or found.keys() != {one.segment for one in segments}:
        raise ArchiveError("error.archive.only_custody")
    return found


def _told(one: Wrap) -> dict[str, Any]:
    return {
        "role": one.role.value,
        "segment": one.segment,
        "key_id": one.key_id,
        "suite": one.suite,
        "sealed": base64.b64encode(one.sealed).decode("ascii"),
    }
