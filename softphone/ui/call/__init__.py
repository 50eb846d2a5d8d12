"""The page of a call: status card, the two buttons, what the moment asks, tools and menu."""
