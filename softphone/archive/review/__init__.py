"""The team lead's review of the training sample: what is there to be heard, one call at a time, and what it comes to."""
