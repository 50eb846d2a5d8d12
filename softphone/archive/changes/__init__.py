"""What changes in the catalog while calls go on: each change's one handler, the ledger that writes them in order, and what is
looked up for a call that rings.
"""
