"""The settings page: accounts, sound, appearance, and the policy."""
