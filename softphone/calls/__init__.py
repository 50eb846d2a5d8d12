"""Calls and their sessions: our own phone's (`engine`), or another's (`embed`).

What happens to a call goes into its session, and `ports` does what the session wants. SIP, sound and the open archive stand
behind `ports`. Only `policy` imports from the archive: how its log names policies, and for whom it seals.
"""
