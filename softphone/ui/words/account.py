"""An account's state in words: a short one for the line at the top, and why where its server could not be reached."""

from __future__ import annotations

from softphone.texts import Texts
from softphone.wire.snapshot import AccountState, Registration


def short(texts: Texts, state: AccountState) -> str:
    why = reason(state)
    if why is not None and why.startswith("connection.tls_"):
        return texts("registration.not_secure")
    if why == "connection.answer":
        return texts("registration.out_of_order", code=state.code)
    return texts(f"registration.{state.registration}", reason=state.reason, code=state.code)


def sentence(texts: Texts, state: AccountState) -> str:
    """What it means and what to do; empty if all is well, or nobody knows."""
    if reason(state) is None or state.trouble is None:
        return ""
    return texts(state.trouble.code, **state.trouble.params)


def reason(state: AccountState) -> str | None:
    """The code of what keeps it from its server now."""
    away = state.registration is Registration.UNREACHABLE
    return state.trouble.code if away and state.trouble is not None else None
