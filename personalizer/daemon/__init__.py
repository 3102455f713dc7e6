"""One process a user: serves tests and bodies, trains in the background. Free of torch."""
