"""The audit log: its entries and their chain, the signed heads, and what is read from entries alone."""
