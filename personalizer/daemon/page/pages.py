"""The pages of this daemon's workspaces, and what their buttons do."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from personalizer.adapters import BASE, Registry
from personalizer.daemon.page.facts import AdapterRow, View, rows_of, view_of
from personalizer.daemon.page.render import render
from personalizer.daemon.protocol import Job, TrainRequest, ViewAct
from personalizer.daemon.service import Service
from personalizer.errors import BadInput

__all__ = ["ServicePages"]

_LOOK = 10.0
"""Seconds between two looks through a folder for changes that age its adapter."""


class ServicePages:
    """Keeps ``door.Pages``. Every call blocks and may come from any thread."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._looked: dict[str, tuple[float, object]] = {}

    def page(self, root: str, nonce: str, csp: str = "") -> str:
        """The page of a workspace, as it is now.

        Raises:
            NotAFolder: If there is no such folder.
            AdapterError: If the serving adapter is damaged.
        """
        return render(self.view(root), nonce, csp)

    def view(self, root: str) -> View:
        """What the page shows; raises as ``page``."""
        workspace = self._service.workspaces.get(root)
        registry, jobs = Registry.of(workspace.root), self._service.jobs
        job = jobs.queue.newest(str(workspace.root))
        shown = job if job and job.unfinished else self._made(registry)
        return view_of(
            workspace.root,
            workspace.snapshot({}),
            registry,
            self._service.status(str(workspace.root)),
            job,
            jobs.told(shown.id) if shown else [],
        )

    def _made(self, registry: Registry) -> Job | None:
        """The training that made the adapter that serves, as far as it is remembered."""
        serving = registry.serving()
        if serving is None:
            return None
        jobs = self._service.jobs.queue.all()
        made = (j for j in jobs if j.kind == "train")
        return next((j for j in made if j.result and j.result.get("adapter") == serving.id), None)

    def mark(self, root: str) -> object:
        """Changes with trainings and adapters at once, with the folder's files a little later."""
        path = Path(root).resolve()
        registry = Registry.of(path)
        serving = registry.serving()
        looked = self._looked.get(root)
        if looked is None or time.monotonic() - looked[0] > _LOOK:
            status = self._service.status(root)
            looked = time.monotonic(), (status.why, status.unseen_symbols)
            self._looked[root] = looked
        job = self._service.jobs.queue.newest(str(path))
        return job, serving and serving.id, len(registry.all()), looked[1]

    def adapters(self, root: str) -> dict[str, Any]:
        """The adapters of a workspace, the newest first, and which one serves."""
        registry = Registry.of(self._service.workspaces.get(root).root)
        rows: tuple[AdapterRow, ...] = rows_of(registry)
        serving = next((row.id for row in rows if row.serves), BASE)
        return {"serving": serving, "adapters": [asdict(row) for row in rows]}

    def act(self, root: str, act: ViewAct) -> str:
        """Does what a button says; what to tell the user.

        Raises:
            AdapterError: If there is no such adapter, or nothing served before.
            BadInput: If no training runs that could be cancelled, or no adapter is named.
        """
        path = self._service.workspaces.get(root).root
        if act.act == "use":
            if act.adapter is None:
                raise BadInput(f"expected the id of an adapter, or {BASE}, got none")
            Registry.of(path).use(None if act.adapter == BASE else act.adapter)
            return f"{_spoken(act.adapter)} serves now"
        if act.act == "rollback":
            before = Registry.of(path).rollback()
            return f"{_spoken(before.id if before else BASE)} serves again"
        if act.act == "train":
            self._service.jobs.submit(TrainRequest(str(path)))
            return "the training begins"
        job = self._service.jobs.queue.newest(str(path))
        if job is None or not job.unfinished:
            raise BadInput(f"no training of {path.name} is running")
        self._service.jobs.queue.cancel(job.id)
        return "the training ends"


def _spoken(adapter: str) -> str:
    return "the base" if adapter == BASE else adapter
