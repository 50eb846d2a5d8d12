"""The archive as the engine uses it, beside the loop: what is written and asked, the sweep, the backup, a disk that fails."""
