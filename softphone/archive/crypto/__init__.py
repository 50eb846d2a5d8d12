"""Keys and what is sealed with them: wraps, the file that holds them, key pairs and passphrases. It opens no recording."""
