"""The catalog: its database and transactions, what is written to it and what is looked up in it.

What may be kept, and for how long, is not decided here.
"""
