"""Who writes, and what generation gives: candidates and the edit of the best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexer import Level
from personalizer.adapters import BASE, Adapter
from personalizer.edits import TextEdit

__all__ = ["Candidate", "Edit", "Generation", "SnippetGeneration", "Writer"]


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: a base model, alone or with an adapter."""

    base: str
    """Name or folder."""
    adapter: str = BASE
    """The adapter's id, told in answers; ``base`` without one."""
    folder: str | None = None
    """The adapter's files; None for the base alone."""
    level: Level | None = None
    """How much of the focal class it was trained to see; None for a base: as the settings say."""
    prompt_limit: int | None = None
    """Tokens of the longest prompt that it was trained on; None for a base: all that fits."""

    @classmethod
    def of(cls, adapter: Adapter | None, base: str) -> Writer:
        """An adapter on its own base, asked as it was trained; ``base`` alone without one."""
        if adapter is None:
            return cls(base)
        trained = adapter.manifest.hyperparameters
        return cls.trained(adapter.base, adapter.id, adapter.folder, trained)

    @classmethod
    def trained(cls, base: str, adapter: str, folder: Path, how: Mapping[str, Any]) -> Writer:
        """An adapter of a base that was trained with these settings; some may not be known."""
        level = how.get("context_level")
        whole, target = how.get("context_tokens"), how.get("target_tokens")
        return cls(
            base,
            adapter,
            str(folder),
            Level(level) if level in tuple(Level) else None,
            None if whole is None or target is None else whole - target,
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """One generated test."""

    text: str
    """The method, dedented."""
    parses: bool
    unknown_symbols: tuple[str, ...] = ()
    """Types and members that neither the project nor a known library explains."""
    may_compile: bool = True
    """False where it uses what is not there, or not as it is there: told without a compiler."""
    calls_focal: bool = True
    """Whether it calls a method of the focal method's name, with as many arguments as it takes."""
    compiles: bool | None = None
    """None when it was not compiled; ``not_run`` says why."""
    passes: bool | None = None
    not_run: str | None = None
    """Why it was not compiled or run, or why what it adds to its class's tests is not known."""
    covered_lines: int | None = None
    new_lines: int | None = None
    """Lines covered that no existing test of the class covers."""
    new_branches: int | None = None
    """Branches taken that no existing test of the class takes."""
    reaches_focal: bool | None = None
    """Whether a line of the focal method ran in it; None when that was not measured."""
    gains: tuple[int, ...] = ()
    """Lines of the focal method, numbered in its file, that it is the first to run, or of which it
    is the first to take a branch."""
    open_lines: tuple[int, ...] = ()
    """Lines of the focal method that still no test runs, or not each branch of."""
    mutants: int | None = None
    """Mutants of the focal method that it was tried on; None when on none."""
    killed: int = 0
    """Those among them with which it fails: what they change, it looks at."""
    new_killed: int | None = None
    """Those among these that no existing test of the class notices; None when not measured."""
    survivors: tuple[str, ...] = ()
    """The others, each as ``line 9: the condition turned round``, lines of the focal file."""
    unnoticed: tuple[str, ...] = ()
    """Those among ``survivors`` that no existing test of the class notices either."""
    seconds: float = 0.0
    """Time that its check took."""
    score: float = 0.0
    """Mean log probability per token."""
    asserts: bool = False
    """Whether it can fail by more than an exception, or says which exception it wants."""
    flaky: bool = False
    """It passed once and failed once; ``passes`` is then false."""
    failure: str | None = None
    """What the compiler or the runner says of it."""
    wrong_lines: tuple[int, ...] = ()
    """Lines of ``text``, from 1, that the compiler refused or at which the run ended."""
    settled: bool = False
    """Whether it expects what the code gave when it ran, in place of what was written."""
    placeholder: bool = False
    """Whether it expects a value of ours that nobody has tried, for nothing was run."""
    repair_round: int = 0
    """The round that wrote it; 0 when it is as first generated."""
    notes: tuple[str, ...] = ()
    """What was mended in it, one sentence each."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Where a generated text goes; every other byte stays."""

    file: str
    """POSIX, relative to the workspace."""
    created: bool
    """The file does not exist yet; ``changes`` is then one insertion at 0."""
    changes: tuple[TextEdit, ...]
    """In order, without overlap."""
    diff: str
    """Unified diff."""
    notes: tuple[str, ...] = ()
    """What was done to the text: imports added, name changed."""
    sha256: str | None = None
    """Of the file's bytes that ``changes`` count, so that who makes the edit knows the text; None
    where the file does not exist yet."""


@dataclass(frozen=True, slots=True)
class Generation:
    """The answer to "generate a test"."""

    focal: str
    """``path#Owner#name(Types)``."""
    adapter: str
    """Id of the adapter that wrote it, or ``base``."""
    candidates: tuple[Candidate, ...]
    """Best first."""
    edit: Edit | None
    """Of the best candidate; None when there is none to place."""
    no_edit: str | None = None
    """Why ``edit`` is None."""
    seconds: float = 0.0
    not_run: str | None = None
    """Why the best of them was not compiled or run."""
    not_kept: str | None = None
    """What is wrong with the best, as a predicate, where it should not be added to a project."""
    notes: tuple[str, ...] = ()
    """What else the user should know, one sentence each."""
    times: Mapping[str, float] = field(default_factory=dict)
    """Seconds by step: ``prompt``, ``generate``, ``symbols``, ``check``, ``repair``, ``vary``,
    ``sharpen``, ``place``."""


@dataclass(frozen=True, slots=True)
class SnippetGeneration:
    """The answer to "generate a snippet"."""

    text: str
    """The body with its braces, the closing one at column 0; or the statements after a comment."""
    adapter: str
    """Id of the adapter that wrote it, or ``base``."""
    edit: Edit | None
    """Puts the text in place of the method's body, or beneath its comment; None when it does not
    parse there."""
    no_edit: str | None = None
    """Why ``edit`` is None."""
    unknown_symbols: tuple[str, ...] = ()
    """Types and members that neither the project nor a known library explains."""
    compiles: bool | None = None
    """None when it was not compiled; ``not_run`` says why."""
    failure: str | None = None
    """What the compiler says of it."""
    not_run: str | None = None
    """Why it was not compiled."""
    notes: tuple[str, ...] = ()
    """What was mended in it, one sentence each."""
    seconds: float = 0.0
