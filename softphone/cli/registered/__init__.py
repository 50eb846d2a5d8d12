"""What each command takes, and who may give it. None of these files loads what a command does."""
