"""The status view: one page, shown in a browser by ``door`` and in an editor by its extension.

Everything is rendered here, charts too; the page's script only asks again and swaps what changed.
"""

from personalizer.daemon.page.door import Door
from personalizer.daemon.page.pages import ServicePages

__all__ = ["Door", "ServicePages"]
