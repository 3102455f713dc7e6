"""``python -m personalizer``, and the command ``personalizer``: the way into ``cli``."""

import os
import sys

__all__ = ["main"]


def main() -> None:
    """Runs the command line; an interrupt is one line and exit code 130 from here to the end."""
    _import_nothing_from_here()
    import signal

    signal.signal(signal.SIGINT, _end)
    from personalizer import cli

    try:
        cli.main()  # which has a handler of its own
    finally:
        signal.signal(signal.SIGINT, _end)


def _import_nothing_from_here() -> None:
    """Python would import from the folder that it runs in, before its own library: from a project,
    which may hold a torch.py. What is imported up to here is there since Python began."""
    try:
        here = os.getcwd()  # noqa: PTH109
    except FileNotFoundError:
        return  # the folder is gone, and all that was in it
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    if not sys.flags.safe_path and sys.path[0] in ("", here) and here != ours:
        del sys.path[0]


def _end(*_: object) -> None:
    """Nothing has begun yet, or all is done."""
    os.write(2, b"personalizer: interrupted\n")
    os._exit(130)


if __name__ == "__main__":
    main()
