"""The roof: what looks at the whole archive, tells what is wrong with it, and sets right what a crash left.

Nothing that stands below needs it; whoever is about to record calls `repair` first.
"""
