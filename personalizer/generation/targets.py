"""What a user points at: ``File.java:LINE``, ``File.java#method`` or ``Class#method``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import PurePosixPath

from indexer import FileFacts, Method, Snapshot, Type
from indexer.languages.lexis import tokens
from indexer.languages.remarks import Remark, remark_at
from indexer.pairing import find_tests, in_test_root
from personalizer.errors import BadInput, NoSuchMethod

__all__ = [
    "overloads_told",
    "resolve_file",
    "resolve_method",
    "resolve_snippet",
    "resolve_target",
    "written_already",
]


def resolve_target(snapshot: Snapshot, target: str) -> tuple[str, Method]:
    """The file and the method that a target names.

    Args:
        snapshot: The project.
        target: ``File.java:LINE``, the path relative to the workspace or any ending of it that
            is unique; or ``Class#method``, the class simple or qualified or its file, the method
            with or without its parameter types.

    Raises:
        NoSuchMethod: If no method stands there; says which are near.
        BadInput: If the target is of neither form, is a test, or fits several classes or files.
    """
    in_file = re.fullmatch(r"(.+\.java)(?::(\d+)|#(.+))", target.strip())
    if in_file:
        at = int(in_file[2]) if in_file[2] else in_file[3]
        return _no_test(snapshot, *resolve_method(snapshot, in_file[1], at))
    owner, mark, name = target.strip().partition("#")
    if not mark or not owner or not name:
        raise BadInput(f"expected File.java:LINE, File.java#method or Class#method, got {target!r}")
    return _named(snapshot, owner, name)


def resolve_method(snapshot: Snapshot, path: str, at: int | str) -> tuple[str, Method]:
    """The method at a line of a file, or of a name in it.

    Raises:
        NoSuchMethod: If no method stands there.
        BadInput: If several files could be meant.
    """
    path = resolve_file(snapshot, path)
    return path, (
        _at_line(snapshot, path, at) if isinstance(at, int) else _in_file(snapshot, path, at)
    )


def resolve_snippet(snapshot: Snapshot, path: str, at: int | str) -> tuple[str, Method]:
    """The documented method without a body of its own that stands at a line or has a name.

    Raises:
        NoSuchMethod: If no method stands there.
        BadInput: If it has no doc comment, or a body that would be lost.
    """
    path, method = resolve_method(snapshot, path, at)
    source = snapshot.source(path)
    if method.body is not None:
        body = method.body.of(source).decode(snapshot.files[path].encoding, "replace")
        if not _unwritten(body):
            of_body = partial(remark_at, source, method.body)
            raise written_already(source, path, method, at, of_body)
    if method.doc is None:
        raise BadInput(f"{method.name} in {path} has no doc comment to write a body from")
    if method.body is None:
        raise BadInput(f"{method.name} in {path} is declared without a body: give it an empty one")
    return path, method


def written_already(
    source: bytes, path: str, method: Method, at: int | str, remark: Callable[[int], Remark | None]
) -> BadInput:
    """The complaint about a body that is there; names the nearest comment without code in it.

    Args:
        source: The file's bytes.
        path: The file.
        method: The method.
        at: The line or the name that was given.
        remark: The comment at a line.
    """
    lines = range(method.line, source.count(b"\n", 0, method.span.end) + 2)
    found = [one for line in lines if (one := remark(line)) is not None and one.bare]
    bare = [source.count(b"\n", 0, one.span.start) + 1 for one in found]
    given = at if isinstance(at, int) else method.line
    nearest = min(bare, key=lambda line: abs(line - given), default=None)
    comment = "docstring" if path.endswith(".py") else "doc comment"
    if method.doc is not None:
        todo = ": empty it first"
    else:
        todo = f", and has no {comment} to write another from"
    if nearest is not None:
        todo += f"; or put it on the comment, line {nearest}"
    return BadInput(f"{method.name} in {path} has a body already{todo}")


def _unwritten(body: str) -> bool:
    """Whether a body does nothing, or nothing but throw.

    Example:
        >>> _unwritten("{ throw new IllegalStateException(); }"), _unwritten("{ return 1; }")
        (True, False)
    """
    row = [token.text for token in tokens(body) if token.kind != "comment"][1:-1]
    return not row or (row[0] == "throw" and row[-1] == ";" and row.count(";") == 1)


# ---------------------------------------------------------------- files and lines


def resolve_file(snapshot: Snapshot, given: str) -> str:
    """The indexed file that a path or the ending of one names.

    Raises:
        NoSuchMethod: If there is none.
        BadInput: If there are several, or it is left out of the index.
    """
    wanted = given.replace("\\", "/").removeprefix("./")
    if wanted in snapshot.files:
        return wanted
    fitting = sorted(path for path in snapshot.files if path.endswith(f"/{wanted}"))
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise BadInput(f"{given} could be {_listed(fitting)}: write more of the path")
    left_out = sorted(p for p in snapshot.excluded if p == wanted or p.endswith(f"/{wanted}"))
    if left_out:
        raise BadInput(f"{left_out[0]} is left out of the index: {snapshot.excluded[left_out[0]]}")
    names = {PurePosixPath(path).stem: path for path in snapshot.files}
    near = difflib.get_close_matches(PurePosixPath(wanted).stem, sorted(names), n=1)
    hint = f"; did you mean {names[near[0]]}?" if near else ""
    kind = "Python" if wanted.endswith(".py") else "Java"
    raise NoSuchMethod(f"the project has no {kind} file {given}{hint}")


def _at_line(snapshot: Snapshot, path: str, line: int) -> Method:
    facts = snapshot.files[path]
    found = facts.method_at(line, snapshot.source(path))
    if found is not None:
        return found
    nearest = min(facts.methods, key=lambda m: abs(m.line - line), default=None)
    hint = f"; the nearest is {nearest.name} at line {nearest.line}" if nearest else ""
    raise NoSuchMethod(f"no method stands at {path}:{line}{hint}")


def _no_test(snapshot: Snapshot, path: str, method: Method) -> tuple[str, Method]:
    if _holds_tests(path, snapshot.files[path]):
        raise BadInput(
            f"{method.class_name}#{method.name} lies in a test file ({path}): "
            "name a method that is to be tested"
        )
    return path, method


def _holds_tests(path: str, facts: FileFacts) -> bool:
    return in_test_root(path, facts.package) or any(True for _ in find_tests(path, facts))


# ---------------------------------------------------------------- names


def _named(snapshot: Snapshot, owner: str, name: str) -> tuple[str, Method]:
    classes = _classes(snapshot, owner) or _classes(snapshot, owner.replace("$", "."))
    if not classes:
        known = (kind.simple_name for facts in snapshot.files.values() for kind in facts.types)
        simple = re.split(r"[.$]", owner)[-1]
        raise NoSuchMethod(f"the project has no class {owner}{_perhaps(simple, known)}")
    tested = [one for one in classes if not _holds_tests(one[0], one[1])]
    found = {
        (f"{facts.package}.{kind.name}".lstrip("."), path): methods[0]
        for path, facts, kind in reversed(tested)
        if (methods := _overloads(facts, kind, name))
    }
    if len(owners := {one for one, _ in found}) > 1:
        raise BadInput(
            f"{owner}#{name} could be in {_listed(sorted(owners))}: write the package too"
        )
    if len(found) > 1:
        files = _listed(sorted(path for _, path in found))
        raise BadInput(
            f"{owner}#{name} could be in {files}: write the file in place of the class, as "
            f"File.java:LINE or File.java#{name}"
        )
    for (_, path), method in found.items():
        return path, method
    for path, facts, kind in classes:
        for method in _overloads(facts, kind, name):
            return _no_test(snapshot, path, method)
    path, facts, kind = (tested or classes)[0]
    methods = [m for _, f, k in tested or classes for m in f.methods if m.owner == k.name]
    raise NoSuchMethod(f"{kind.name} in {path} has no method {name}{_nearest(name, methods)}")


def _classes(snapshot: Snapshot, owner: str) -> list[tuple[str, FileFacts, Type]]:
    return [
        (path, facts, kind)
        for path, facts in sorted(snapshot.files.items())
        for kind in facts.types
        if f".{facts.package}.{kind.name}".endswith(f".{owner}")
    ]


def _overloads(facts: FileFacts, kind: Type, name: str) -> list[Method]:
    """Methods of a name, or the one of a name with parameter types, in the order of the file."""
    wanted = f"{kind.name}#{name.replace(' ', '')}"
    return [m for m in facts.methods if wanted in (m.key, m.key.partition("(")[0])]


def overloads_told(snapshot: Snapshot, path: str, method: Method, target: str) -> tuple[str, ...]:
    """What a user should know who named a method without its parameters, and meant one of several.

    Args:
        snapshot: The project.
        path: File of the method that was taken.
        method: That method.
        target: As it was given.
    """
    kind = snapshot.files[path].type_named(method.owner)
    if "#" not in target or "(" in target or kind is None:
        return ()
    found = _overloads(snapshot.files[path], kind, method.name)
    others = [_signature(one) for one in found if one.key != method.key]
    if not others:
        return ()
    return (
        f"{_signature(method)} is one of {len(found)} of that name: name another as "
        f"{method.class_name}#{others[0]}",
    )


def _signature(method: Method) -> str:
    return method.key.rpartition("#")[2]


def _in_file(snapshot: Snapshot, path: str, name: str) -> Method:
    methods = snapshot.files[path].methods
    wanted = name.replace(" ", "")
    for method in methods:
        if f"#{method.key}".endswith(f"#{wanted}") or wanted in (
            method.name,
            method.key.partition("(")[0],
        ):
            return method
    raise NoSuchMethod(f"{path} has no method {name}{_nearest(name, methods)}")


def _nearest(name: str, methods: Iterable[Method]) -> str:
    """The methods of a name whose parameters do not fit, or names that are near."""
    methods = list(methods)
    simple, named, _ = name.partition("(")
    simple = simple.strip().rpartition("#")[2]
    same = list(dict.fromkeys(_signature(one) for one in methods if one.name == simple))
    if named and same:
        return f"; there {'is' if len(same) == 1 else 'are'} {_listed(same, 'and')}"
    return _perhaps(simple, (one.name for one in methods))


def _perhaps(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(set(known)), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _listed(names: list[str], word: str = "or") -> str:
    """At most four names in a sentence."""
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return f" {word} ".join(names[:4]) + more
