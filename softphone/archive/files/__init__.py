"""A recording's file: its bytes, its sound, where it lies, and how it is listened to. It knows no purpose and no catalog."""
