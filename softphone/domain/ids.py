"""Ids that follow from others, so that pure code can name what it makes."""

from __future__ import annotations

from uuid import UUID


def recording_id(call: str, number: int) -> str:
    """The id of a call's `number`th recording (from 1): UUIDv7, next to the call's in order.

    The last 62 bits of a UUIDv7 are random (RFC 9562), so counting on from them meets no other id.
    """
    try:
        return str(UUID(int=UUID(call).int + number))
    except ValueError:
        return f"{call}-{number}"
