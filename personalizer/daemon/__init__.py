"""One process a user: serves tests and bodies, trains in the background. Free of torch."""

from personalizer.daemon.client import describe
from personalizer.daemon.queue import newest_job

__all__ = ["describe", "newest_job"]
