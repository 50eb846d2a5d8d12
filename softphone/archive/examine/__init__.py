"""The roof: what looks at the whole archive, tells what is wrong with it, and sets right what a crash left.

Nothing that records or keeps needs it.
"""
