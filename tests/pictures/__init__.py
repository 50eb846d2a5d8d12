"""Pictures of the desk in every state it can reach now, of snapshots that a real engine sent in real calls. Not a test."""
