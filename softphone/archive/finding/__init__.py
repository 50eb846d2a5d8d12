"""Rows for a person: search page by page, one recording, and the calls that a desk had itself. It opens nothing."""
