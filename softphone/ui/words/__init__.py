"""From the engine's codes to the words of the window. No Qt, no decision: only how it is said, in the desk's language."""
