"""``personalizer generate`` and ``snippet``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from personalizer import __version__, output, progress
from personalizer.commands.common import (
    json_option,
    project_above,
    registry_of,
    say_what_is_ignored,
    workspace_option,
)
from personalizer.errors import BadInput
from personalizer.models.quiet import quiet_libraries

if TYPE_CHECKING:
    from indexer import Index, Method, Snapshot, Where
    from personalizer.engine import Engine
    from personalizer.generation import (
        Candidate,
        Edit,
        Generation,
        Retriever,
        SnippetGeneration,
        Vectors,
        Writer,
    )
    from personalizer.settings import Settings
    from personalizer.storage import WorkspaceData
    from personalizer.validation import Validator

__all__ = ["Session", "generate", "snippet", "workspace_of", "write_edit"]


@click.command()
@click.argument("target", required=False)
@workspace_option
@click.option("-n", "count", type=click.IntRange(1, 20), help="Candidates that the model writes.")
@click.option("--adapter", help="Adapter id, or base; the serving adapter when left out.")
@click.option(
    "--retrieve", type=click.IntRange(0), metavar="K", help="Examples from the project's own pairs."
)
@click.option("--no-run", is_flag=True, help="Compile and run nothing.")
@click.option("--trust", is_flag=True, help="Let this project be built and run, this time.")
@click.option(
    "--write",
    is_flag=True,
    help="Write the test into its file unless it is known to be no good; else show the diff.",
)
@click.option("--untested", is_flag=True, help="Tests for the methods that no test reaches.")
@click.option("--limit", type=click.IntRange(1), help="Most methods, with --untested.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder of the results, with --untested."
)
@json_option
def generate(
    target: str | None,
    workspace: Path,
    count: int | None,
    adapter: str | None,
    retrieve: int | None,
    no_run: bool,
    trust: bool,
    write: bool,
    untested: bool,
    limit: int | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Writes a unit test for TARGET: File.java:LINE, File.java#method or Class#method.

    With --untested it walks the methods that no test reaches, the best first; --write then adds
    the tests that pass, assert something and reach their method. An interrupted walk goes on
    where it was.
    """
    if untested and target is not None:
        raise click.UsageError(f"expected a TARGET or --untested, not both: leave out {target}")
    if not untested and target is None:
        raise click.UsageError("expected a TARGET or --untested, got neither")
    if not untested and (limit is not None or out is not None):
        raise click.UsageError("--limit and --out go with --untested")
    quiet_libraries()
    from personalizer.generation.targets import overloads_told

    root, target = workspace_of(target or "", workspace)
    flags = {"candidates": count, "retrieve": retrieve}
    with Session.of(root, flags, adapter, run=not no_run, trusted=trust) as session:
        if untested:
            from personalizer.commands.untested import generate_untested

            result = generate_untested(session, limit=limit, out=out, write=write)
            output.show("untested", result, as_json)
            return
        with progress.working("Generating"):
            path, method = session.target(target)
            made = session.generate(path, method)
            told = overloads_told(session.snapshot, path, method, target)
            made = replace(made, notes=(*told, *made.notes))
        written = write and made.edit is not None and made.not_kept is None
        if written and made.edit is not None:
            write_edit(root, session.snapshot, made.edit)
    output.show("generate", output.as_dict(made) | {"written": written}, as_json)


@dataclass
class Session:
    """A project with its index, who writes its tests and who checks them."""

    root: Path
    data: WorkspaceData
    settings: Settings
    writer: Writer
    engine: Engine
    index: Index
    snapshot: Snapshot
    validator: Validator
    vectors: Vectors

    @classmethod
    @contextmanager
    def of(
        cls, root: Path, flags: dict[str, Any], adapter: str | None, *, run: bool, trusted: bool
    ) -> Iterator[Session]:
        """Opens everything that generation needs; the model is loaded when first asked."""
        from indexer import Index, Workspace
        from personalizer import settings
        from personalizer.forgotten import WholeStore
        from personalizer.generation import Vectors, Writer
        from personalizer.generation.validators import open_validator
        from personalizer.storage import WorkspaceData

        resolved = settings.load(root, flags)
        say_what_is_ignored(resolved)
        chosen = resolved.settings
        data = WorkspaceData(root)
        with ExitStack() as stack:
            index = Index(stack.enter_context(WholeStore(data)))
            snapshot = index.read(Workspace(root))
            writer = Writer.of(registry_of(root).named(adapter), chosen.base)
            engine = stack.enter_context(closing(_engine(chosen)))
            validator = stack.enter_context(
                closing(open_validator(root, snapshot, chosen, run=run, trusted=trusted))
            )
            yield cls(root, data, chosen, writer, engine, index, snapshot, validator, Vectors())

    def target(self, target: str) -> tuple[str, Method]:
        """What a user points at; raises as ``resolve_target``."""
        from personalizer.generation import resolve_target

        return resolve_target(self.snapshot, target)

    def generate(self, path: str, method: Method) -> Generation:
        """Candidates for one method; raises as ``generate_test``."""
        from indexer import Where
        from personalizer.generation import generate_test

        return generate_test(
            self.snapshot,
            path,
            method,
            self.engine,
            count=self.settings.candidates,
            settings=self.settings,
            examples=self._retriever.nearest(Where(path, method), self.settings.retrieve),
            validator=self.validator,
            writer=self.writer,
        )

    def judged(self, where: Where, candidate: Candidate) -> Candidate:
        """A test that was made before, with what becomes of it in the project as it now is."""
        from personalizer.generation import Site
        from personalizer.generation.checking import checked, in_heirs

        site = Site(self.snapshot, where.path, where.method)
        now = checked([candidate], site, self.validator, mutants=self.settings.mutants)
        return in_heirs(now, site, self.validator)[0]

    def around(self, file: str) -> Snapshot:
        """What a snippet in a file is written from: the project, or a Python file alone."""
        from personalizer.generation import alone

        return alone(self.root, file) or self.snapshot

    def snippet(self, snapshot: Snapshot, file: str, line: int) -> SnippetGeneration:
        """Code for a place in a file; raises as ``generate_snippet``."""
        from personalizer.generation import generate_snippet

        return generate_snippet(
            snapshot,
            file,
            line,
            self.engine,
            settings=self.settings,
            validator=self.validator,
            writer=self.writer,
        )

    @property
    def _retriever(self) -> Retriever:
        from personalizer.forgotten import without
        from personalizer.generation import Retriever

        embed = self.vectors.by(self.settings.retriever, self.engine)
        pairs = without(self.data.forgotten(), self.snapshot.pairs)
        return Retriever(self.snapshot, pairs, embed)

    def key(self, where: Where) -> str:
        """Changes with whatever decides what is generated for a method."""
        from personalizer.generation import Candidate, find_place
        from personalizer.settings import BM25

        place = find_place(self.snapshot, where.path, where.method)
        chosen = self.settings
        parts = [
            f"{where.key} {where.method.digest}",
            f"{self.writer.base} {self.writer.adapter}",
            f"{self.snapshot.hashes[place.path] if place else None}",
            f"{chosen.candidates} {chosen.retrieve} {chosen.repair_rounds} {chosen.temperature} "
            f"{chosen.mutants} {chosen.context_level} {chosen.target_tokens} {chosen.class_path}",
            f"{chosen.engine_url} {chosen.engine_model}",
            f"{type(self.validator).__name__} {__version__}",
            " ".join(one.name for one in fields(Candidate)),
        ]
        if chosen.retrieve and chosen.retriever != BM25:
            parts.append(chosen.retriever)
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=12).hexdigest()

    def add(self, where: Where, text: str) -> bool:
        """Writes a test into the project as it now is; whether there was a place for it."""
        from indexer import Change
        from personalizer.generation import Site

        try:
            edit = Site(self.snapshot, where.path, where.method).edit(text)
            write_edit(self.root, self.snapshot, edit)
        except BadInput:
            return False
        source = (self.root / edit.file).read_bytes()
        self.snapshot = self.index.apply([Change(edit.file, source)])
        return True


@click.command()
@click.argument("target", metavar="FILE:LINE")
@workspace_option
@click.option("--adapter", help="Adapter id, or base; the serving adapter when left out.")
@click.option("--no-run", is_flag=True, help="Compile nothing.")
@click.option("--trust", is_flag=True, help="Let this project be built, this time.")
@click.option(
    "--write",
    is_flag=True,
    help="Write the code into its file unless it is known not to compile; else show the diff.",
)
@json_option
def snippet(
    target: str,
    workspace: Path,
    adapter: str | None,
    no_run: bool,
    trust: bool,
    write: bool,
    as_json: bool,
) -> None:
    """Writes code at FILE:LINE: the body of a documented, empty method, or what a comment says.

    A comment inside a body counts where no code stands beneath it yet. The file is Java or Python.
    """
    quiet_libraries()
    root, target = workspace_of(target, workspace)
    file, colon, line = target.rpartition(":")
    if not colon or not line.isdigit():
        raise BadInput(f"expected FILE:LINE, got {target}")
    with Session.of(root, {}, adapter, run=not no_run, trusted=trust) as session:
        snapshot = session.around(file)
        with progress.working("Generating"):
            made = session.snippet(snapshot, file, int(line))
        written = write and made.compiles is not False and made.edit is not None
        if written and made.edit is not None:
            write_edit(root, snapshot, made.edit)
    output.show("snippet", output.as_dict(made) | {"written": written}, as_json)


def workspace_of(target: str, workspace: Path) -> tuple[Path, str]:
    """The project of a target, and the target relative to it.

    A file outside ``--workspace`` belongs to the project above it.
    """
    from indexer import Workspace

    root = Workspace(workspace).root
    file, mark, at = target.rpartition("#" if ".java#" in target else ":")
    named = Path(file)
    if not mark or not named.is_file():
        return root, target
    full = named.resolve()
    if root not in full.parents:
        root = project_above(full)
    return root, f"{full.relative_to(root).as_posix()}{mark}{at}"


def _engine(chosen: Settings) -> Engine:
    """The server that the user named, the daemon's model, or one in a process of its own."""
    from personalizer.daemon.engine import running_engine
    from personalizer.engine.child import ChildEngine
    from personalizer.engine.remote import remote_engine
    from personalizer.storage import data_folder

    return (
        remote_engine(chosen)
        or running_engine()
        or ChildEngine(chosen.threads, log=data_folder() / "engine.log")
    )


def write_edit(root: Path, snapshot: Snapshot, edit: Edit) -> None:
    """Makes an edit on disk.

    Raises:
        BadInput: If the file is no longer what the edit was made for, or a link leads out.
        StorageError: If it cannot be written.
    """
    from personalizer.edits import apply_changes
    from personalizer.storage import file_within, write_atomically

    file = file_within(root, edit.file, new=edit.created)
    before = b"" if edit.created else file.read_bytes()
    if not edit.created and before != snapshot.source(edit.file):
        raise BadInput(f"{edit.file} was changed meanwhile: run the command again")
    write_atomically(file, apply_changes(before, edit.changes), private=False)
