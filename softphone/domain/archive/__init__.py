"""The archive as a house sees it: what it says of a recording, who may see and do what, and the interface to it.

Pure values and rules. The local archive stands behind the interface, and another one can. Neither is known here.
"""
