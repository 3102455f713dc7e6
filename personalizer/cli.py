"""The ``personalizer`` command: arguments in, one result out, printed by one function.

Exit codes: 0 success, 1 a user error in one line, 2 wrong usage, 130 interrupted; ``status
--check`` adds 3 ageing, 4 stale, 5 none. Heavy modules are imported by the commands that need
them, so that the others start at once.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer import IndexerError
from personalizer import __version__, output
from personalizer.errors import BadInput, PersonalizerError

if TYPE_CHECKING:
    from personalizer.daemon.protocol import Progress

__all__ = ["main", "personalizer"]

_FRESHNESS_EXIT = {"fresh": 0, "ageing": 3, "stale": 4, "none": 5}

_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_path = click.argument("path", default=".", type=click.Path(path_type=Path))


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)
    try:
        code = personalizer.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (PersonalizerError, IndexerError) as error:
        output.complain(str(error))
        code = 1
    except (KeyboardInterrupt, click.Abort):
        output.complain("interrupted; nothing was lost")
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        output.complain(f"failed unexpectedly: {error!r}; details are in {output.log_crash()}")
        code = 1
    sys.exit(code or 0)


_interrupted = threading.Event()


def _interrupt(*_: object) -> None:
    _interrupted.set()
    raise KeyboardInterrupt


def _until_interrupted(report: Callable[[Progress], None]) -> Callable[[Progress], None]:
    """Ends a training at its next step when a library swallowed the interrupt (in a destructor)."""

    def reporting(progress: Progress) -> None:
        if _interrupted.is_set():
            raise KeyboardInterrupt
        report(progress)

    return reporting


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="personalizer")
def personalizer() -> None:
    """A code model that knows your project.

    Trains a small adapter on a Java project's own tests, on this machine, and writes unit tests
    and snippets in the project's style. Nothing leaves the machine.
    """
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)


@personalizer.command()
@_path
@click.option("--excluded", is_flag=True, help="List each file left out and why.")
@_json
def index(path: Path, excluded: bool, as_json: bool) -> None:
    """Reads a project: files, methods, tests and pairs."""
    from indexer import Store, Workspace, index_folder
    from personalizer.storage import WorkspaceData

    root = Workspace(path).root
    with Store(WorkspaceData(root).index) as store, output.working("Indexing"):
        snapshot, seconds = index_folder(root, store)
        if not snapshot.files and not snapshot.excluded:
            raise BadInput(f"expected a folder with Java source files, found none in {root}")
        result: dict[str, Any] = {
            "files": len(snapshot.files) + len(snapshot.excluded),
            "parsed": len(snapshot.files),
            "errors": {path: list(errors) for path, errors in snapshot.errors.items()},
            "excluded": snapshot.excluded_by_reason(),
            "methods": snapshot.methods,
            "tests": len(snapshot.tests),
            "pairs": len(snapshot.pairs),
            "snippets": len(snapshot.snippets),
            "seconds": round(seconds, 3),
        }
    if excluded:
        result["excluded_files"] = dict(snapshot.excluded)
    output.show("index", result, as_json)


@personalizer.command()
@_path
@_json
def pairs(path: Path, as_json: bool) -> None:
    """Lists the tests with the method that each tests."""
    from indexer import Store, Workspace, index_folder
    from personalizer.storage import WorkspaceData

    root = Workspace(path).root
    with Store(WorkspaceData(root).index) as store:
        snapshot, _ = index_folder(root, store)
        output.show_lines("pairs", (output.pair_row(pair) for pair in snapshot.pairs), as_json)


@personalizer.command()
@_path
@click.option("--method", help="Training method: lora or custom.")
@click.option("--base", help="Base model: starter, a folder, or a hub name.")
@click.option("--budget", help="Longest training time, such as 90s, 10m or 2h.")
@click.option("--limit", type=click.IntRange(min=1), help="Most pairs used.")
@click.option("--background", is_flag=True, help="Let the daemon train; return at once.")
@click.option("--dry-run", is_flag=True, help="Say what would be trained, and how long it takes.")
@click.option("--progress", is_flag=True, hidden=True, help="Progress as JSON lines on stderr.")
@_json
def train(
    path: Path,
    method: str | None,
    base: str | None,
    budget: str | None,
    limit: int | None,
    background: bool,
    dry_run: bool,
    progress: bool,
    as_json: bool,
) -> None:
    """Trains an adapter on the project's pairs; it serves if the gate lets it."""
    from indexer import Workspace
    from personalizer import settings

    root = Workspace(path).root
    flags = {"method": method, "base": base, "budget": budget}
    resolved = settings.load(root, flags)
    for line in resolved.ignored:
        output.remark(line)
    if background:
        from personalizer.daemon.client import connect
        from personalizer.daemon.protocol import TrainRequest

        with connect() as client:
            job = client.train(TrainRequest(str(root), method, base, budget, limit))
        output.show("job", output.as_dict(job), as_json)
        return
    output.quiet_libraries()
    from personalizer.training import project

    if dry_run:
        with output.working("Measuring"):
            result = project.plan(root, resolved.settings, limit=limit)
        output.show("plan", result, as_json)
        return
    with output.training_progress(as_json_lines=progress) as report:
        result = project.train_project(
            root, resolved.settings, limit=limit, report=_until_interrupted(report)
        )
    output.show("train", result, as_json)


@personalizer.command()
@_path
@click.option("--check", is_flag=True, help="Exit 0 fresh, 3 ageing, 4 stale, 5 none.")
@_json
def status(path: Path, check: bool, as_json: bool) -> None:
    """Says which adapter serves and how fresh it is."""
    from personalizer import freshness
    from personalizer.daemon import describe, newest_job

    result = freshness.status(path)
    result |= {"job": newest_job(path.resolve()), "daemon": describe()}
    output.show("status", result, as_json)
    if check:
        raise SystemExit(_FRESHNESS_EXIT[result["freshness"]])


@personalizer.command()
@click.argument("target")
@click.option("--workspace", default=".", type=click.Path(path_type=Path), help="The project.")
@click.option("-n", "count", type=click.IntRange(1, 20), help="Candidates.")
@click.option("--adapter", help="Adapter id, or base; the serving adapter when left out.")
@click.option("--write", is_flag=True, help="Write the test into its file; else show the diff.")
@_json
def generate(
    target: str, workspace: Path, count: int | None, adapter: str | None, write: bool, as_json: bool
) -> None:
    """Writes a unit test for TARGET: File.java:LINE or Class#method."""
    from indexer import Store, index_folder
    from personalizer import settings
    from personalizer.engine.local import LocalEngine
    from personalizer.generation import generate_test, resolve_target
    from personalizer.storage import WorkspaceData

    output.quiet_libraries()
    root, target = _workspace_of(target, workspace)
    chosen = settings.load(root, {"candidates": count}).settings
    with Store(WorkspaceData(root).index) as store, output.working("Generating"):
        snapshot, _ = index_folder(root, store)
        path, method = resolve_target(snapshot, target)
        serving = _serving(root, adapter)
        with closing(LocalEngine(threads=chosen.threads)) as engine:
            made = generate_test(
                snapshot,
                path,
                method,
                engine,
                base=serving.base if serving else chosen.base,
                adapter_id=serving.id if serving else "base",
                adapter_folder=str(serving.folder) if serving else None,
                count=chosen.candidates,
                settings=chosen,
            )
        if write and made.edit is not None:
            _write(root, snapshot, made.edit)
    result = output.as_dict(made) | {"written": bool(write and made.edit)}
    output.show("generate", result, as_json)


@personalizer.command()
@click.argument("target", metavar="FILE:LINE")
@click.option("--workspace", default=".", type=click.Path(path_type=Path), help="The project.")
@click.option("--adapter", help="Adapter id, or base; the serving adapter when left out.")
@click.option("--write", is_flag=True, help="Write the body into its file; else show the diff.")
@_json
def snippet(target: str, workspace: Path, adapter: str | None, write: bool, as_json: bool) -> None:
    """Writes the body of the documented, empty method at FILE:LINE."""
    from indexer import Store, index_folder
    from personalizer import settings
    from personalizer.engine.local import LocalEngine
    from personalizer.generation import generate_snippet
    from personalizer.storage import WorkspaceData

    output.quiet_libraries()
    root, target = _workspace_of(target, workspace)
    file, colon, line = target.rpartition(":")
    if not colon or not line.isdigit():
        raise BadInput(f"expected FILE:LINE, got {target}")
    chosen = settings.load(root).settings
    with Store(WorkspaceData(root).index) as store, output.working("Generating"):
        snapshot, _ = index_folder(root, store)
        serving = _serving(root, adapter)
        with closing(LocalEngine(threads=chosen.threads)) as engine:
            made = generate_snippet(
                snapshot,
                file,
                int(line),
                engine,
                base=serving.base if serving else chosen.base,
                adapter_id=serving.id if serving else "base",
                adapter_folder=str(serving.folder) if serving else None,
                settings=chosen,
            )
        if write and made.edit is not None:
            _write(root, snapshot, made.edit)
    output.show("snippet", output.as_dict(made), as_json)


def _workspace_of(target: str, workspace: Path) -> tuple[Path, str]:
    """The project of a target, and the target relative to it.

    A file outside ``--workspace`` belongs to the nearest folder above it with ``.git``, or with
    the topmost build file.
    """
    from indexer import Workspace

    root = Workspace(workspace).root
    file, colon, line = target.rpartition(":")
    named = Path(file)
    if not colon or not named.is_file():
        return root, target
    full = named.resolve()
    if root not in full.parents:
        root = _project_above(full)
    return root, f"{full.relative_to(root).as_posix()}:{line}"


def _project_above(file: Path) -> Path:
    built = file.parent
    for folder in file.parents:
        if (folder / ".git").exists():
            return folder
        if any(
            (folder / name).exists() for name in ("pom.xml", "build.gradle", "build.gradle.kts")
        ):
            built = folder
    return built


def _serving(root: Path, adapter: str | None) -> Any:
    from personalizer.adapters import Registry
    from personalizer.storage import WorkspaceData

    registry = Registry(WorkspaceData(root).adapters)
    if adapter == "base":
        return None
    return registry.get(adapter) if adapter else registry.serving()


def _write(root: Path, snapshot: Any, edit: Any) -> None:
    from personalizer.generation import apply_changes
    from personalizer.storage import write_atomically

    file = root / edit.file
    if edit.created and file.exists():
        raise BadInput(f"{edit.file} was made meanwhile: run the command again")
    before = b"" if edit.created else file.read_bytes()
    if not edit.created and before != snapshot.source(edit.file):
        raise BadInput(f"{edit.file} was changed meanwhile: run the command again")
    write_atomically(file, apply_changes(before, edit.changes))


@personalizer.group()
def adapters() -> None:
    """Lists adapters and chooses the one that serves."""


@adapters.command("list")
@_path
@_json
def adapters_list(path: Path, as_json: bool) -> None:
    """Adapters of a project, oldest first."""
    registry = _registry(path)
    serving = registry.serving()
    rows = [output.adapter_row(a, serving) for a in registry.all()]
    output.show_lines("adapters", rows, as_json)


@adapters.command("show")
@click.argument("adapter")
@click.option("--workspace", "path", default=".", type=click.Path(path_type=Path))
@_json
def adapters_show(adapter: str, path: Path, as_json: bool) -> None:
    """The manifest of an adapter."""
    output.show("manifest", output.as_dict(_registry(path).get(adapter).manifest), as_json)


@adapters.command("use")
@click.argument("adapter")
@click.option("--workspace", "path", default=".", type=click.Path(path_type=Path))
@_json
def adapters_use(adapter: str, path: Path, as_json: bool) -> None:
    """Lets an adapter serve, whatever the gate said; `base` for the base model."""
    _registry(path).use(None if adapter == "base" else adapter)
    output.show("serving", {"serving": adapter}, as_json)


@adapters.command("rollback")
@_path
@_json
def adapters_rollback(path: Path, as_json: bool) -> None:
    """Lets the adapter serve that served before."""
    before = _registry(path).rollback()
    output.show("serving", {"serving": before.id if before else "base"}, as_json)


@adapters.command("remove")
@click.argument("adapter")
@click.option("--workspace", "path", default=".", type=click.Path(path_type=Path))
@_json
def adapters_remove(adapter: str, path: Path, as_json: bool) -> None:
    """Deletes an adapter."""
    _registry(path).remove(adapter)
    output.show("removed", {"removed": adapter}, as_json)


def _registry(path: Path) -> Any:
    from indexer import Workspace
    from personalizer.adapters import Registry
    from personalizer.storage import WorkspaceData

    return Registry(WorkspaceData(Workspace(path).root).adapters)


@personalizer.command()
@_path
@click.option("--out", type=click.Path(path_type=Path), help="A file instead of stdout.")
@_json
def dataset(path: Path, out: Path | None, as_json: bool) -> None:
    """Prints the examples that training would use, one JSON object a line."""
    from indexer import Store, Workspace, index_folder
    from personalizer import settings
    from personalizer.storage import WorkspaceData

    output.quiet_libraries()
    from personalizer.training import project

    root = Workspace(path).root
    chosen = settings.load(root).settings
    with Store(WorkspaceData(root).index) as store, output.working("Reading"):
        snapshot, _ = index_folder(root, store)
        rows = list(project.examples(snapshot, chosen))
    if out is None:
        output.show_lines("dataset", rows, as_json=True)
        return
    count = output.write_lines(out, rows)
    output.show("dataset", {"examples": count, "file": str(out)}, as_json)


@personalizer.group()
def models() -> None:
    """Lists base models; `pull` is the only command that downloads."""


@models.command("list")
@_json
def models_list(as_json: bool) -> None:
    """Known base models: size, licence, what is here and what fits this machine."""
    from personalizer.models import catalogue

    output.show_lines("models", catalogue.listing(), as_json)


@models.command("pull")
@click.argument("name")
@_json
def models_pull(name: str, as_json: bool) -> None:
    """Downloads a base model from the hub."""
    from personalizer.models import catalogue

    output.show("pulled", {"name": name, "folder": str(catalogue.pull(name))}, as_json)


@personalizer.group()
def daemon() -> None:
    """Starts, stops and describes the daemon."""


@daemon.command("start")
@_json
def daemon_start(as_json: bool) -> None:
    """Starts the daemon unless it runs."""
    from personalizer.daemon import client

    client.start()
    output.show("daemon", client.describe(), as_json)


@daemon.command("stop")
@_json
def daemon_stop(as_json: bool) -> None:
    """Stops the daemon; a training goes on when it starts again."""
    from personalizer.daemon import client

    client.stop()
    output.show("daemon", client.describe(), as_json)


@daemon.command("status")
@_json
def daemon_status(as_json: bool) -> None:
    """Says whether the daemon runs, and where."""
    from personalizer.daemon import client

    output.show("daemon", client.describe(), as_json)


@daemon.command("run")
def daemon_run() -> None:
    """Runs the daemon in the foreground."""
    from personalizer.daemon import process

    process.run()


@personalizer.command()
def lsp() -> None:
    """Runs the language server on stdin and stdout."""
    os.execv(sys.executable, [sys.executable, "-m", "lsp_server"])


@personalizer.command()
@_path
@_json
def config(path: Path, as_json: bool) -> None:
    """Prints each setting and where its value comes from."""
    from indexer import Workspace
    from personalizer import settings

    resolved = settings.load(Workspace(path).root)
    for line in resolved.ignored:
        output.remark(line)
    output.show("config", {"settings": settings.as_table(resolved)}, as_json)


if __name__ == "__main__":
    main()
