"""What each command takes, and who may give it. These files load nothing of what a command does."""
