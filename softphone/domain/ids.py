"""Ids that follow from others, so that what is pure can name what it makes."""

from __future__ import annotations

from uuid import UUID


def recording_id(call: str, number: int) -> str:
    """The id of a call's `number`th recording (from 1): UUIDv7 as the call's, and next to it in order.

    The last 62 bits of a UUIDv7 are random (RFC 9562), so that counting on from them meets no other.
    """
    try:
        return str(UUID(int=UUID(call).int + number))
    except ValueError:
        return f"{call}-{number}"
