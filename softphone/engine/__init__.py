"""The process that talks: it puts SIP, sound, the recorder and the archive's store behind the calls, on one loop.

What a call does is decided by its session (`domain.session`), and carried out by `calls`.
"""
