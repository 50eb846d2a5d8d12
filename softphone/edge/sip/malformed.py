"""A message that is not SIP, and what its sender may hear of it."""

from __future__ import annotations

from softphone.edge.sip.message import SipMessage


class Malformed(ValueError):  # noqa: N818 - the RFC's own word
    """`reason` is a short code without anything of the message; `status` refuses a request.

    `message` has what could be read, if that is enough for an answer: start line, Via, From, To, Call-ID and CSeq alone. A
    request's are as they came: they may go back to the sender, never to pjsua2. A response's are well-formed.
    """

    def __init__(self, reason: str, status: int = 400, message: SipMessage | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.message = message
