"""The SIP phone of the engine process: pjsua2 lives here and nowhere else.

`phone.Phone` is the way in, `events` what comes out, `media` the sound. Nothing is known of recording.
"""
