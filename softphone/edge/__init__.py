"""The edge: the only process of the phone that speaks with the network.

It reads SIP strictly, judges it and writes it anew before pjsua2 sees it, and relays RTP. It imports neither pjsua2 nor the
archive, and decides nothing about recording.
"""
