"""SIP as the edge reads and writes it: messages, URIs, streams, SDP and DTMF bodies. No socket, no state of a call."""
