"""One process a user: serves tests and bodies, trains in the background. Free of torch."""

from personalizer.daemon.automatic import known_of
from personalizer.daemon.client import describe

__all__ = ["describe", "known_of"]
