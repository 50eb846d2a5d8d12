"""Calls and their sessions, whoever carries them: our own phone (`engine`), or another one (`embed`).

What happens to a call goes into its session, and what the session wants is done through `ports`. SIP, sound and the
archive of calls are not known here.
"""
