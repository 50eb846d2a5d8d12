"""What proves the house: signed heads, holds in storage, database and storage compared, and a database that was restored."""
