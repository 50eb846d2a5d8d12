"""How the catalog's tables came to be, step by step (Alembic); run when an archive is opened. `HEAD` is the newest."""

HEAD = "0017"
