"""What the computer has for the program: folders, keyring, settings, the log, signatures. It knows no call."""
