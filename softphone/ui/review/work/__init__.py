"""What of the review waits for a disk, a key or a device: each on a thread of its own. No widget is known here.

Widgets ask by a method and hear by a signal; what passes is values.
"""
