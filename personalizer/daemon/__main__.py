"""``python -m personalizer.daemon``: the daemon; ends at once when one runs already."""

import sys

from personalizer.daemon.process import run
from personalizer.errors import Busy, PersonalizerError

if __name__ == "__main__":
    try:
        run()
    except Busy:
        sys.exit(0)
    except PersonalizerError as error:
        sys.exit(str(error))
