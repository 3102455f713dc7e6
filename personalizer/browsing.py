"""``python -m personalizer.browsing FILE SECONDS``: opens a page in a browser, then deletes it.

An address on a command line can be read by every user of the machine; a file need not be.
"""

from __future__ import annotations

import html
import secrets
import subprocess
import sys
import time
import webbrowser
from contextlib import suppress
from pathlib import Path

from personalizer import processes
from personalizer.daemon.endpoint import private_folder
from personalizer.storage import daemon_folder, write_atomically

__all__ = ["open_in_browser"]

_LEADS_ON = """<!DOCTYPE html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={url}">
<title>Personalizer</title>
<a href="{url}">Personalizer</a>
"""


def open_in_browser(url: str, seconds: int = 60) -> subprocess.Popen[bytes]:
    """Opens an address where there is a browser; nothing is printed where there is none.

    Args:
        url: The address, which nobody else on the machine learns.
        seconds: For which the browser finds it.

    Raises:
        StorageError: If the data folder cannot be written.
    """
    private_folder(daemon_folder())
    page = daemon_folder() / f"view-{secrets.token_hex(6)}.html"
    write_atomically(page, _LEADS_ON.format(url=html.escape(url)).encode())
    return subprocess.Popen(
        processes.module_command("personalizer.browsing", str(page), str(seconds)),
        env=processes.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _main(page: Path, seconds: float) -> None:
    try:
        webbrowser.open(page.as_uri())
        time.sleep(seconds)
    finally:
        with suppress(FileNotFoundError):
            page.unlink()


if __name__ == "__main__":
    _main(Path(sys.argv[1]), float(sys.argv[2]))
