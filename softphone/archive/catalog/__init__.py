"""The catalog: its database and transactions, and what stands in it by itself: the clock, own calls, what is condemned.

What may be kept, and for how long, is not decided here.
"""
