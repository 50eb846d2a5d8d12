"""What the policy's commands share: the policy's file, found and read for a person. The commands are in `cli.policy`."""
