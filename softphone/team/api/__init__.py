"""The HTTP API of the team's service: routes, limits, errors, figures. It keeps nothing between two requests."""
