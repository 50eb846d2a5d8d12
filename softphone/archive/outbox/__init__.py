"""What this desk has yet to ship to the house it belongs to, and what has become of the copies here (docs/team.md).

A desk that belongs to no house writes nothing of it. How it is shipped is not known here (`softphone.house.courier`).
"""
