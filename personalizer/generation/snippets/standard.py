"""What the modules of Python's standard library have, told without running any of them."""

from __future__ import annotations

import ast
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from personalizer.generation.snippets.blocks import parsed

__all__ = ["is_in_module"]


def is_in_module(name: str, module: str) -> bool:
    """Whether a module of the standard library has a name once it is imported itself.

    Example:
        >>> is_in_module("loads", "json"), is_in_module("upper", "token")
        (True, False)
    """
    return module in sys.stdlib_module_names and name in _names_of(module)


@cache
def _names_of(module: str) -> frozenset[str]:
    """What the source of a module binds, and what one has that is there already.

    Modules in C have no source; those in use are there, as this process uses them itself. Their
    submodules are left out: another import may have brought them.
    """
    folder = Path(sysconfig.get_path("stdlib"), *module.split("."))
    files = (folder / "__init__.py", folder.with_suffix(".py"))
    source = next((file.read_text("utf-8", "replace") for file in files if file.is_file()), "")
    there = dir(sys.modules[module]) if module in sys.modules else ()
    own = (name for name in there if f"{module}.{name}" not in sys.modules)
    return frozenset((*own, *_bound(module, parsed(source))))


def _bound(module: str, tree: ast.Module | None) -> Iterator[str]:
    """The names that a module binds, whatever its conditions say."""
    stack: list[ast.AST] = [tree] if tree else []
    while stack:
        node = stack.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.ImportFrom(names=[ast.alias(name="*")], module=str(other), level=level):
                yield from _names_of(f"{module}.{other}" if level else other)
            case ast.Import() | ast.ImportFrom():
                yield from (one.asname or one.name.partition(".")[0] for one in node.names)
            case ast.Name(ctx=ast.Store()):
                yield node.id
            case ast.Lambda():
                continue
            case _:
                stack.extend(ast.iter_child_nodes(node))
