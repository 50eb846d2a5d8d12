"""Who asks: one-time codes, tokens, and the proof that a request comes from the desk to which its token was given."""
