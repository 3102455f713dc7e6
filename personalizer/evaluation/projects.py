"""A project to evaluate on: its pairs in folds, and where its results lie."""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from indexer import Index, Pair, Snapshot, Store, Workspace
from personalizer.dataset import FEWEST_PAIRS, Side, folds, hold_out
from personalizer.errors import BadInput
from personalizer.evaluation.cells import Cells
from personalizer.forgotten import Learnable
from personalizer.settings import Settings
from personalizer.storage import WorkspaceData
from personalizer.training.preparation import usable_pairs

__all__ = ["Project", "named_pairs", "open_projects"]


@dataclass(frozen=True)
class Project:
    """One repository, ready to be evaluated on."""

    name: str
    """Of its folder; numbered where two bear the same."""
    root: Path
    commit: str | None
    snapshot: Snapshot
    pairs: int
    """Used, after ``--limit``."""
    all_pairs: int
    folds: tuple[dict[Side, list[Pair]], ...]
    cells: Cells


@contextmanager
def open_projects(
    paths: Sequence[Path],
    settings: Settings,
    *,
    count: int,
    limit: int | None = None,
    test_set: Path | None = None,
    trains: bool = True,
) -> Iterator[list[Project]]:
    """Reads projects and parts their pairs; meanwhile their indexes stay open, and no other
    evaluation of them begins, nor is anything of them forgotten.

    Args:
        paths: Their folders, each once.
        settings: For the validation share and the seed.
        count: Folds.
        limit: Most pairs used of each.
        test_set: JSON lines that name the held-out tests, instead of folds.
        trains: Whether any method trains, which takes more pairs.

    Raises:
        Busy: If another evaluation of one of them runs.
        StorageError: If their data folder cannot be written.
        BadInput: If a project has no Java, no tests, or too few pairs or classes; names it.
    """
    projects: list[Project] = []
    with ExitStack() as stores:
        for path in paths:
            data = WorkspaceData(Workspace(path).root)
            stores.enter_context(data.deriving(data.evaluation, "another evaluation"))
            workspace = Learnable(path)
            store = stores.enter_context(Store(data.index))
            snapshot = Index(store).read(workspace)
            try:
                fewest = FEWEST_PAIRS if trains else 1
                pairs = usable_pairs(snapshot, limit, fewest=fewest)
                made = _parts(pairs, snapshot, settings, count, test_set)
            except BadInput as error:
                raise type(error)(f"{workspace.root}: {error}") from error
            projects.append(
                Project(
                    name=_free(workspace.root.name or "root", {one.name for one in projects}),
                    root=workspace.root,
                    commit=workspace.commit(),
                    snapshot=snapshot,
                    pairs=sum(len(side) for side in made[0].values()),
                    all_pairs=len(snapshot.pairs),
                    folds=tuple(made),
                    cells=Cells(data.evaluation),
                )
            )
        yield projects


def _free(name: str, taken: Collection[str]) -> str:
    """A name that no other project bears, numbered where it must be.

    Example:
        >>> _free("shop", ["shop", "shop (2)"])
        'shop (3)'
    """
    others = (f"{name} ({number})" for number in itertools.count(2))
    return next(one for one in itertools.chain([name], others) if one not in taken)


def _parts(
    pairs: list[Pair], snapshot: Snapshot, settings: Settings, count: int, test_set: Path | None
) -> list[dict[Side, list[Pair]]]:
    fraction, seed = settings.validation_fraction, settings.seed
    if test_set is None:
        return folds(pairs, count, validation_fraction=fraction, seed=seed)
    held_out = named_pairs(test_set, snapshot.pairs)
    return [hold_out(pairs, held_out, validation_fraction=fraction, seed=seed)]


def named_pairs(file: Path, pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs that a file names, in the form of ``personalizer pairs --json``.

    Each line is an object with ``test_file`` and ``test_method``, and ``test_class`` where the
    file has several; other keys are not read.

    Raises:
        BadInput: If the file cannot be read, a line has another shape, or names no pair.
    """
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot read the test set {file}: {error}") from error
    chosen: dict[int, Pair] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            path, name, owner = row["test_file"], row["test_method"], row.get("test_class")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadInput(
                f"{file} line {number}: expected an object with test_file and test_method, "
                f"as `personalizer pairs --json` prints them, got {line[:60]!r}"
            ) from error
        found = [
            place
            for place, pair in enumerate(pairs)
            if pair.test.path == path
            and pair.test.method.name == name
            and owner in (None, pair.test.method.owner)
        ]
        if not found:
            raise BadInput(f"{file} line {number}: the project has no pair with {path} {name}")
        chosen |= {place: pairs[place] for place in found}
    if not chosen:
        raise BadInput(f"expected tests in {file}, found an empty file")
    return list(chosen.values())
