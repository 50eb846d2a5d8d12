"""The rules, pure: policy, decision, notice, the session of one call, retention, roles. No file, clock, network or thread."""
