"""A whole house on one machine: `make team-demo` tells its day as a story, and a journey proves it. All of it is real."""
