"""Calls and their sessions: our own phone's (`engine`), or another's (`embed`).

What happens to a call goes into its session, and `ports` does what the session wants. SIP, sound and the archive are not
known here.
"""
