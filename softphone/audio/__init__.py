"""Sound on this machine: devices, the live bridge of a call, playing and measuring.

sounddevice lives here and nowhere else. SIP and recordings are not known here.
"""
