"""The desk's windows, a process of its own. They draw the engine's snapshots and send commands; they decide nothing."""
