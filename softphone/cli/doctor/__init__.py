"""`klartone doctor`: what works on this machine and what is missing, and what to do about it. It changes nothing."""
