"""What the daemon does, apart from HTTP: tests, bodies, status, completions. Free of torch.

Every call blocks and may come from any thread.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from indexer import Where
from personalizer import __version__, freshness, settings
from personalizer.adapters import BASE, Adapter, Registry
from personalizer.daemon import endpoint
from personalizer.daemon.automatic import Automatic
from personalizer.daemon.earlier import Earlier
from personalizer.daemon.jobs import Jobs
from personalizer.daemon.loopback import token_file
from personalizer.daemon.protocol import (
    GenerateRequest,
    PlaceRequest,
    SnippetRequest,
    Status,
)
from personalizer.daemon.validators import Validators
from personalizer.daemon.warming import Warming
from personalizer.daemon.workspaces import OpenWorkspace, Workspaces
from personalizer.engine import Completion, Request
from personalizer.engine.child import ChildEngine
from personalizer.engine.remote import RemoteEngine
from personalizer.engine.wire import Done, Embedded, Question, answer
from personalizer.errors import AdapterError, BadInput, BaseTooLarge, EngineError
from personalizer.forgotten import without
from personalizer.generation import (
    Candidate,
    Edit,
    Generation,
    Retriever,
    Site,
    SnippetGeneration,
    Vectors,
    Writer,
    alone,
    generate_snippet,
    generate_test,
    resolve_target,
)
from personalizer.generation.targets import overloads_told
from personalizer.limits import MOST_CANDIDATES
from personalizer.storage import WorkspaceData, data_folder

__all__ = ["Service"]

_IDLE_SECONDS = 300.0
"""Time without a generation after which a workspace's Java processes end."""


@dataclass
class Service:
    """The parts that live as long as the daemon."""

    engine: ChildEngine | RemoteEngine
    jobs: Jobs
    socket: str
    workspaces: Workspaces = field(default_factory=Workspaces)
    began: float = field(default_factory=time.monotonic)
    validators: Validators = field(default_factory=lambda: Validators(_IDLE_SECONDS))
    earlier: Earlier = field(default_factory=Earlier)
    vectors: Vectors = field(default_factory=Vectors)
    url: str | None = None
    """Where it listens on loopback too; None where the user does not want that."""
    automatic: Automatic = field(init=False)
    warming: Warming = field(init=False)

    def __post_init__(self) -> None:
        self.automatic = Automatic(self.jobs)
        self.warming = Warming(self.engine, lambda: self.jobs.holds_accelerator)

    def check(self, request: GenerateRequest) -> None:
        """What can be told before anything is begun.

        Raises:
            BadInput: If a number or the place is out of bounds.
            NotAFolder: If there is no such workspace.
            AdapterError: If there is no such adapter.
        """
        if request.skip < 0:
            raise BadInput(f"expected skip to be at least 0, got {request.skip}")
        if not 1 <= request.n <= MOST_CANDIDATES:
            raise BadInput(f"expected 1 to {MOST_CANDIDATES} candidates, got {request.n}")
        _target(request)
        Registry.of(endpoint.folder_of(request.workspace)).named(request.adapter)

    def generate(
        self,
        request: GenerateRequest,
        cancelled: threading.Event,
        on_candidate: Callable[[int, Candidate], None] | None = None,
    ) -> Generation:
        """A unit test for the method at a place; ``on_candidate`` as ``generate_test`` has it.

        Raises:
            PersonalizerError: As generation and the engine do.
        """
        self.check(request)
        workspace = self._workspace(request.workspace)
        flags = {"candidates": request.n, "retrieve": request.retrieve}
        chosen = settings.load(workspace.root, flags).settings
        snapshot = workspace.snapshot(request.buffers)
        path, focal = resolve_target(snapshot, _target(request))
        writer = Writer.of(Registry.of(workspace.root).named(request.adapter), chosen.base)
        how = (writer.base, writer.adapter, f"run {request.run}, trusted {request.trusted}")
        key = (str(workspace.root), path, focal.key, focal.digest, *how)
        if request.skip:
            again = self.earlier.next(key, request.skip, snapshot, path, focal)
            if again is not None:
                return again
        embed = self.vectors.by(chosen.retriever, self.engine)
        pairs = without(WorkspaceData(workspace.root).forgotten(), snapshot.pairs)
        retriever = Retriever(snapshot, pairs, embed)
        checking = self.validators.of(
            workspace.root, snapshot, chosen, run=request.run, trusted=request.trusted
        )
        with self._undisturbed(), checking as validator:
            made = generate_test(
                snapshot,
                path,
                focal,
                self.engine,
                writer=writer,
                count=request.n,
                settings=chosen,
                cancelled=cancelled,
                examples=retriever.nearest(Where(path, focal), chosen.retrieve),
                validator=validator,
                known=self.earlier.candidates(key) if request.skip else (),
                on_candidate=on_candidate,
            )
        told = overloads_told(snapshot, path, focal, _target(request))
        made = replace(made, notes=(*told, *made.notes))
        self.earlier.keep(key, made, request.skip)
        return made

    def place(self, request: PlaceRequest) -> Edit:
        """Where a chosen candidate goes.

        Raises:
            NoSuchMethod: If no method is at the line.
            BadInput: If the text cannot be added there, or is there.
        """
        snapshot = self._workspace(request.workspace).snapshot(request.buffers)
        site = Site(snapshot, *resolve_target(snapshot, f"{request.path}:{request.line}"))
        if site.has(request.text):
            raise BadInput("the test class has this test already")
        return site.edit(request.text)

    def snippet(self, request: SnippetRequest, cancelled: threading.Event) -> SnippetGeneration:
        """The body of the documented method at a place; raises as ``generate``."""
        workspace = self._workspace(request.workspace)
        chosen = settings.load(workspace.root).settings
        python = alone(workspace.root, request.path, request.buffers.get(request.path))
        snapshot = python or workspace.snapshot(request.buffers)
        run = request.run and python is None  # Python's own parser needs no validator
        writer = Writer.of(Registry.of(workspace.root).named(request.adapter), chosen.base)
        checking = self.validators.of(
            workspace.root, snapshot, chosen, run=run, trusted=request.trusted
        )
        with self._undisturbed(), checking as validator:
            return generate_snippet(
                snapshot,
                request.path,
                request.line,
                self.engine,
                writer=writer,
                settings=chosen,
                cancelled=cancelled,
                validator=validator,
            )

    def complete(
        self,
        request: Request,
        cancelled: threading.Event,
        on_text: Callable[[str], None] | None = None,
    ) -> list[Completion]:
        """Plain completions."""
        with self._undisturbed():
            return self.engine.generate(request, on_text=on_text, cancelled=cancelled)

    def ask_engine(self, question: Question, cancelled: threading.Event) -> Done | Embedded:
        """What the engine answers to a command that would load a model of its own."""
        with self._undisturbed():
            return answer(self.engine, question, cancelled=cancelled)

    def status(self, root: str) -> Status:
        """What ``personalizer status`` says."""
        workspace = self._workspace(root)
        found = freshness.status(workspace.root)
        self.warming.somebody_looks_at(workspace.root)
        return replace(self.automatic.saw(workspace.root, found), daemon=self.health())

    def health(self) -> dict[str, Any]:
        """The JSON object of ``personalizer daemon status``."""
        return {
            "running": True,
            "pid": os.getpid(),
            "version": __version__,
            "socket": self.socket,
            "url": self.url,
            "token_file": str(token_file()) if self.url else None,
            "uptime_seconds": round(time.monotonic() - self.began, 1),
            "engine": {
                "loaded": self.engine.loaded,
                "pid": self.engine.pid,
                "url": self.engine.url,
            },
            "log": str(endpoint.log_file()),
            "jobs": msgspec.to_builtins(self.jobs.queue.unfinished()),
        }

    def models(self) -> dict[str, Adapter | None]:
        """Base (None) and adapters of every workspace by the name that a client gives."""
        found: dict[str, Adapter | None] = {settings.load().settings.base: None, BASE: None}
        for folder in sorted((data_folder() / "workspaces").glob("*/adapters")):
            found |= {adapter.id: adapter for adapter in Registry(folder).all()}
        return found

    def model(self, name: str) -> Adapter | None:
        """The adapter that a client names; None for the base.

        Raises:
            AdapterError: If there is no such model.
        """
        known = self.models()
        if name not in known:
            raise AdapterError(f"no model is called {name}: see GET /v1/models")
        return known[name]

    def named(self, model: str) -> tuple[str, str | None]:
        """Base and adapter folder of a model's name; raises as ``model``."""
        adapter = self.model(model)
        if adapter is None:
            return settings.load().settings.base, None
        return adapter.base, str(adapter.folder)

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """Holds the running training still; it keeps its memory, as who finds too little is told.

        Raises:
            BaseTooLarge, EngineError: As what is done, with that reason.
        """
        with self.jobs.paused():
            try:
                yield
            except (BaseTooLarge, EngineError) as error:
                if self.engine.url is not None or not self.jobs.holds_accelerator:
                    raise
                also = "a training that runs now has memory of the accelerator too"
                raise type(error)(f"{error} ({also})") from error

    def _workspace(self, root: str) -> OpenWorkspace:
        return self.workspaces.get(str(endpoint.folder_of(root)))


def _target(request: GenerateRequest) -> str:
    if request.line is not None:
        if not request.path.endswith(".java"):
            raise BadInput(f"expected path to name a Java file, got {request.path}")
        if request.line < 1:
            raise BadInput(f"expected line to be at least 1, got {request.line}")
        return f"{request.path}:{request.line}"
    if request.method is not None:
        if "#" not in request.method:
            raise BadInput(f"expected method to be Class#method, got {request.method}")
        return request.method
    raise BadInput("expected a line or a method, got neither")
