"""What changes in the catalog while calls go on: one handler for each change, and the ledger that writes them in order. Also
what is looked up for a call that rings.
"""
