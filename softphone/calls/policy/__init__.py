"""The policy in force, as calls use it: read beside the loop, taken up whole, with its lines in their own words."""
