"""What the editor may set: a switch for each feature, every field with a default; ``{}`` is valid.

Names are camelCase in the editor's JSON: ``{"codeLens": {"enable": false}}``. Editors keep such
settings in the project too, so nothing here names a base model, an engine or a path.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from personalizer.limits import MOST_CANDIDATES

__all__ = ["GROUPS", "Settings", "camel", "read"]

T = TypeVar("T")


@dataclass(frozen=True)
class GenerateTest:
    enable: bool = True
    """Offer to write a unit test for a method."""
    candidates: int = field(default=5, metadata={"most": MOST_CANDIDATES})
    """Tests to choose the best from."""
    adapter: str | None = None
    """Id of an adapter, or ``base``; the serving adapter when left out."""
    run: bool = True
    """Compile and run candidates where a sandbox is there."""
    choose: bool = True
    """Offer to choose among the candidates, each with what is known of it."""
    show: bool = True
    """Open the test class at the new test."""


@dataclass(frozen=True)
class GenerateSnippet:
    enable: bool = True
    """Offer to write the body of a documented method, or what a comment in a body says."""
    adapter: str | None = None
    """As for a test."""
    run: bool = True
    """Compile the file with the snippet in it where the folder is trusted."""


@dataclass(frozen=True)
class InlineCompletion:
    enable: bool = True
    """Complete the empty body of a documented method in grey, when asked to."""
    automatic: bool = False
    """Do so without being asked too, when the cursor comes to rest there."""


@dataclass(frozen=True)
class CodeLens:
    enable: bool = True
    """Show above each method how many tests it has."""


@dataclass(frozen=True)
class Navigation:
    enable: bool = True
    """Offer the way from a method to its tests and back."""


@dataclass(frozen=True)
class Training:
    enable: bool = True
    """Train adapters on the editor's command."""
    method: str | None = None
    """Training method; that of ``personalizer.toml`` when left out."""
    budget: str | None = None
    """Longest training time, such as ``10m``."""


@dataclass(frozen=True)
class Status:
    enable: bool = True
    """Ask for the status unbidden; without it, the editor must ask."""


@dataclass(frozen=True)
class Adapters:
    enable: bool = True
    """Switch adapters and roll back on the editor's command."""


@dataclass(frozen=True)
class Workspace:
    trusted: bool = False
    """The user trusts this folder: its build may be run. Only ``initializationOptions`` say so."""


@dataclass(frozen=True)
class Settings:
    """Every setting with its default."""

    generate_test: GenerateTest = field(default_factory=GenerateTest)
    generate_snippet: GenerateSnippet = field(default_factory=GenerateSnippet)
    inline_completion: InlineCompletion = field(default_factory=InlineCompletion)
    code_lens: CodeLens = field(default_factory=CodeLens)
    navigation: Navigation = field(default_factory=Navigation)
    training: Training = field(default_factory=Training)
    status: Status = field(default_factory=Status)
    adapters: Adapters = field(default_factory=Adapters)
    workspace: Workspace = field(default_factory=Workspace)


def read(given: object) -> tuple[Settings, list[str]]:
    """Settings from an editor's JSON, and what is wrong with it, one sentence each.

    What cannot be keeps its default, so that a typing error costs one setting, not the server.

    Example:
        >>> settings, problems = read({"codeLens": {"enable": False, "colour": "red"}})
        >>> settings.code_lens.enable, problems
        (False, ['codeLens.colour: there is no such setting'])
    """
    problems: list[str] = []
    return _read(Settings, {} if given is None else given, "", problems), problems


def _read(kind: type[T], given: object, place: str, problems: list[str]) -> T:
    if not isinstance(given, Mapping):
        name = place or "settings"
        problems.append(f"{name} must be an object, got {given!r}")
        return kind()
    hints = typing.get_type_hints(kind)
    fields = {camel(f.name): f for f in dataclasses.fields(typing.cast(Any, kind))}
    values: dict[str, Any] = {}
    for key, value in given.items():
        where = f"{place}.{key}" if place else str(key)
        hint = hints[fields[key].name] if key in fields else None
        if hint is None:
            problems.append(f"{where}: there is no such setting")
        elif dataclasses.is_dataclass(hint):
            values[fields[key].name] = _read(typing.cast(type, hint), value, where, problems)
        elif _fits(value, hint, most := fields[key].metadata.get("most")):
            values[fields[key].name] = value
        else:
            problems.append(f"{where} must be {_spoken(hint, most)}, got {value!r}")
    return kind(**values)


def _kinds(hint: Any) -> tuple[type, ...]:
    return typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)


def _fits(value: object, hint: Any, most: int | None) -> bool:
    # bool is an int in Python, not to a user.
    if not any(type(value) is kind for kind in _kinds(hint)):
        return False
    return type(value) is not int or (value >= 1 and (most is None or value <= most))


def _spoken(hint: Any, most: int | None) -> str:
    number = "a whole number from 1" + (f" to {most}" if most else "")
    words = {bool: "true or false", int: number, str: "text"}
    return " or ".join(words.get(kind, "null") for kind in _kinds(hint))


def camel(name: str) -> str:
    """A field's name as editors write it.

    Example:
        >>> camel("code_lens")
        'codeLens'
    """
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)


GROUPS = frozenset(camel(group.name) for group in dataclasses.fields(Settings))
"""Names of the groups of settings, as editors write them."""
