"""From the engine's codes to the words of the window. No Qt, no decision: only the wording, in the desk's language."""
