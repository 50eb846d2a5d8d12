"""One call in the engine: what is known of it, how its session is asked, and what the session's effects do."""
