"""What the commands on an archive share: opening it as its machine or as one person, and how a recording is shown."""
