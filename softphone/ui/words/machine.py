"""What is wrong with the settings of this machine or this user, which explains whatever else is missing. No widget."""

from __future__ import annotations

from softphone.ui.view import View
from softphone.wire.snapshot import CodedText

SHUT = ("error.settings.machine_shut", "error.settings.machine_unrecorded")
"""of the organisation's: nothing is recorded until it is put right"""
_SET_ASIDE = ("error.settings.faulty", "error.settings.unreadable", "error.settings.set_aside")
"""of the user's: why nothing that had been set is here"""
_CAUSES = (*SHUT, *_SET_ASIDE, "error.settings.machine_faulty")


def is_shut(view: View) -> bool:
    return any(one.code in SHUT for one in causes(view))


def causes(view: View) -> list[CodedText]:
    """The one that explains most first."""
    faults = view.snapshot.faults if view.snapshot else ()
    return sorted((one for one in faults if one.code in _CAUSES), key=lambda one: _CAUSES.index(one.code))
