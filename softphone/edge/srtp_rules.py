"""What an account's `srtp` allows of the sound that a message describes, and how a call ends that it does not allow."""

from __future__ import annotations

from softphone.edge.channel import Sound, SoundRefused
from softphone.edge.dialogs import Dialog
from softphone.edge.sdp_ports import is_plain, needs_keys
from softphone.edge.sip.message import SipMessage
from softphone.edge.switch import Switch

SAID = {"plain": "SRTP is required", "encrypted": "SRTP is not taken"}
RESOLVED = frozenset({"INVITE", "UPDATE"})
"""which make an offer, and whose Contact says where later messages go"""
ENGINE_ENDS = 0.5
"""seconds in which the engine ends a call whose sound is refused"""


def end(switch: Switch, dialog: Dialog, why: Sound) -> None:
    """By the engine, and with these words."""
    dialog.ends_for = f'SIP;cause=488;text="{SAID[why]}"'
    switch.tell(SoundRefused(dialog.account, dialog.call_id, "answered", why))


def not_allowed(switch: Switch, message: SipMessage, dialog: Dialog, *, secure: bool) -> Sound | None:
    """Why the account's `srtp` does not allow this description, if so. Raises Malformed."""
    if switch.refuses_plain(dialog.account) and is_plain(message, takes_keys=secure):
        return "plain"
    return "encrypted" if not secure and needs_keys(message) else None


def lacks_keys(switch: Switch, message: SipMessage, dialog: Dialog) -> bool:
    """Whether the other phone answers an offer of ours without encrypted sound, and the account wants no other."""
    if message.method not in RESOLVED or not switch.refuses_plain(dialog.account):
        return False
    if message.code < 300:
        return is_plain(message) and not dialog.is_anothers(message)
    return message.code == 488 and message.method == "INVITE" and not dialog.established
