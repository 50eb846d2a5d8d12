"""The calls of this phone: what SIP, the desk and the archive say of them, and what stays of them when they are over."""
