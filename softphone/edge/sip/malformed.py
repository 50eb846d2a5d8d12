"""What is no SIP, and what may be said of it to whoever sent it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from softphone.edge.sip.message import SipMessage


class Malformed(ValueError):  # noqa: N818 - the RFC's own word
    """`reason` is a short code without anything of the message; `status` is what a request is refused with.

    `message` is what could be read, where that is enough for an answer: start line, Via, From, To, Call-ID and CSeq alone. Of a
    request they are as they came: they may go back to the sender, never to pjsua2. Of a response only
    what is well-formed stands here.
    """

    def __init__(self, reason: str, status: int = 400, message: SipMessage | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.message = message
