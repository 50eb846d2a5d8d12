"""The edge: the one process of the phone that speaks with the network.

SIP is read strictly, judged and written anew here before pjsua2 sees it, and RTP is relayed. It imports neither pjsua2 nor the
archive, and it decides nothing about recording.
"""
