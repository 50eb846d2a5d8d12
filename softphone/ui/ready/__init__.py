"""The page between calls: dial, the last call, own calls by day, and whom to call back."""
