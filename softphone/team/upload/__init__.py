"""A finished recording on its way in: what a desk tells of it, the parts of its file, the check, and the receipt."""
