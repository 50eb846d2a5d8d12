"""Keys: how a data key is wrapped for a purpose, who has which key, and how one is replaced, taken back, or found again."""
