"""How the house's tables came to be, step by step (Alembic). Each step leaves the program before it able to work."""
