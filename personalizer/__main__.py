"""``python -m personalizer``."""

import os
import sys

# Python would import from the folder that it runs in, before its own library: from a project, which
# may hold a torch.py. What is imported up to here is there since Python began.
_here = os.getcwd()  # noqa: PTH109
_ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
if not sys.flags.safe_path and sys.path[0] in ("", _here) and _here != _ours:
    del sys.path[0]

from personalizer.cli import main  # noqa: E402

main()
