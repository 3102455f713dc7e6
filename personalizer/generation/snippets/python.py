"""Snippets in Python: blocks by indentation, names by pyflakes, syntax by Python's own compiler."""

from __future__ import annotations

import ast
import re
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from pyflakes.checker import Checker
from pyflakes.messages import UndefinedName

from indexer import FileFacts, Method, Snapshot, Span, code_of
from indexer.languages import python
from personalizer.edits import TextEdit, apply_changes
from personalizer.engine import Completion, Request
from personalizer.errors import BadInput
from personalizer.generation.placing.best import or_why_not
from personalizer.generation.placing.edits import make_edit, text_after
from personalizer.generation.placing.style import line_indent, newline_of
from personalizer.generation.records import Edit, SnippetGeneration
from personalizer.generation.snippets.blocks import (
    STEP,
    Block,
    before_repeated,
    block,
    compiled_from,
    first_statements,
    indented,
    parsed,
)
from personalizer.generation.snippets.spot import Spot
from personalizer.generation.snippets.standard import is_in_module
from personalizer.generation.targets import resolve_file, resolve_method, written_already
from personalizer.validation import Diagnostic, Validator, Verdict

__all__ = ["asked", "begun", "compiled", "find", "written"]

_STOPS = ("\ndef ", "\nasync def ", "\nclass ", "\n@", "\nif __name__", "\n```")
"""What begins a line outside the function. A comment there may stand in the midst of its code."""
_UNWRITTEN = re.compile(r"(?:pass|\.\.\.|raise NotImplementedError\b[^\n]*)")


# ---------------------------------------------------------------- where


def find(snapshot: Snapshot, path: str, at: int | str) -> Spot:
    """See ``Language.find``."""
    path = resolve_file(snapshot, path)
    if isinstance(at, int) and (spot := _remark(snapshot, path, at)):
        return spot
    path, method = resolve_method(snapshot, path, at)
    if method.body is not None and not _UNWRITTEN.fullmatch(_text(snapshot, path, method.body)):
        source = snapshot.source(path)
        raise written_already(source, path, method, at, partial(python.remark_at, source))
    if method.doc is None:
        raise BadInput(f"{method.name} in {path} has no docstring to write a body from")
    return Spot(path, method)


def _remark(snapshot: Snapshot, path: str, line: int) -> Spot | None:
    source, facts = snapshot.source(path), snapshot.files[path]
    found = python.remark_at(source, line)
    method = found and _around(source, facts, found.span)
    if found is None or method is None:
        return None
    if not found.bare:
        raise BadInput(f"the comment at {path}:{line} has code beneath it already")
    return Spot(path, method, found.span)


def _around(source: bytes, facts: FileFacts, comment: Span) -> Method | None:
    """The function in which a comment stands; after the last statement that is told by width."""
    width = len(line_indent(source, comment) or "")
    before = [m for m in facts.methods if m.span.start < comment.start]
    for method in reversed(before):
        own = len(line_indent(source, method.span) or "")
        between = source[method.span.end : comment.start].splitlines()[1:]
        if own < width and all(
            len(row) - len(row.lstrip()) > own for row in between if row.strip()
        ):
            return method
    return None


def _text(snapshot: Snapshot, path: str, span: Span) -> str:
    return span.of(snapshot.source(path)).decode(snapshot.files[path].encoding, "replace")


# ---------------------------------------------------------------- what is asked


def begun(snapshot: Snapshot, spot: Spot) -> str:
    """See ``Language.begun``."""
    assert spot.comment is not None
    source, encoding = snapshot.source(spot.path), snapshot.files[spot.path].encoding
    signature = code_of(source, spot.method.signature, encoding)
    until = code_of(source, Span(spot.method.span.start, spot.comment.end), encoding)
    return until[len(signature) :].lstrip("\n")


def asked(snapshot: Snapshot, request: Request, spot: Spot) -> Request:
    """See ``Language.asked``."""
    return replace(request, stop_at_method_end=False, grammar=None, stop=_STOPS)


# ---------------------------------------------------------------- what came


def written(
    made: SnippetGeneration, snapshot: Snapshot, spot: Spot, completion: Completion
) -> SnippetGeneration:
    """See ``Language.written``."""
    found = block(made.text, ended=completion.finish_reason != "length")
    if found is not None and spot.comment is not None:
        found = before_repeated(found, _statement_after(snapshot, spot.path, spot.comment))
    if found is None or (spot.comment is None and not found.whole):
        return replace(made, text=made.text.strip("\n"))
    count = first_statements(found) if spot.comment else found.statements[-1].end_lineno or 0
    if count == 0:
        return replace(made, text=made.text.strip("\n"))
    edit, no_edit = or_why_not(lambda: _place(snapshot, spot, found, count))
    text = "\n".join(indented(found, count, "", STEP))
    if edit is None:
        return replace(made, text=text, no_edit=no_edit)
    after = text_after(snapshot, edit)
    uses, before = _undefined(after), _undefined(snapshot.text(spot.path))
    unknown = sorted(uses.keys() - before.keys())
    known = [name for name in unknown if _is_module(name, uses[name], after)]
    edit = _importing(snapshot, edit, known)
    left = tuple(name for name in unknown if name not in known)
    return replace(made, text=text, edit=edit, no_edit=None, unknown_symbols=left, notes=edit.notes)


def _statement_after(snapshot: Snapshot, path: str, comment: Span) -> ast.stmt | None:
    """The statement that follows a comment in its block."""
    text, source = snapshot.text(path), snapshot.source(path)
    tree, line = parsed(text), source.count(b"\n", 0, comment.end) + 1
    found = [one for one in ast.walk(tree) if isinstance(one, ast.stmt)] if tree else []
    first = min((one for one in found if one.lineno > line), key=_line_of, default=None)
    if first is None:
        return None
    width = len(line_indent(source, comment) or "")
    rows = text.split("\n")[line : first.lineno]
    inside = all(len(row) - len(row.lstrip()) >= width for row in rows if row.strip())
    return first if inside and first.col_offset == width else None


def _line_of(statement: ast.stmt) -> int:
    return statement.lineno


_Places = set[tuple[int, int]]
"""Lines and columns."""


def _undefined(text: str) -> dict[str, _Places]:
    """Names that nothing in a file, nor Python itself, defines, with where they are used."""
    tree = parsed(text)
    found: dict[str, _Places] = {}
    for one in Checker(tree).messages if tree is not None else []:
        if isinstance(one, UndefinedName):
            found.setdefault(str(one.message_args[0]), set()).add((one.lineno, one.col))
    return found


def _is_module(name: str, uses: _Places, text: str) -> bool:
    """Whether a name can be but a module of Python's: it has all that is asked of it.

    Args:
        name: The name.
        uses: Where it is used.
        text: The file.
    """
    tree = parsed(text)
    asked = {
        (one.value.lineno, one.value.col_offset): one.attr
        for one in (ast.walk(tree) if tree is not None else ())
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name)
    }
    return all(use in asked and is_in_module(asked[use], name) for use in uses)


# ---------------------------------------------------------------- where it goes


def _place(snapshot: Snapshot, spot: Spot, found: Block, count: int) -> Edit:
    """The edit; raises BadInput where the file would not parse with it."""
    path, method = spot.path, spot.method
    source, facts = snapshot.source(path), snapshot.files[path]
    beneath = spot.comment or method.body or method.doc
    assert beneath is not None
    indent = line_indent(source, beneath)
    outer = line_indent(source, method.span)
    if indent is None or outer is None:
        raise BadInput(f"{method.name} in {path} stands on one line: give its docstring its own")
    step = indent.removeprefix(outer) if spot.comment is None else STEP
    code = "\n".join(indented(found, count, indent, step or STEP))
    if not facts.encoding.startswith("utf-8") and not code.isascii():
        raise BadInput(f"{path} is written in {facts.encoding}: it cannot take all of this code")
    if spot.comment is not None:
        start, end = spot.comment.end, python.placeholder_end(source, spot.comment)
        code = f"\n{code}"
    elif method.body is not None:
        start, end = method.body.start, method.body.end
        code = code.removeprefix(indent)
    else:
        start = end = beneath.end
        code = f"\n{code}"
    change = TextEdit(start, end, code.replace("\n", newline_of(source)))
    edit = make_edit(path, source, [change], encoding=facts.encoding)
    after = python.parse(apply_changes(source, edit.changes))
    if {m.key for m in after.methods} != {m.key for m in facts.methods} or (
        len(after.errors) > len(facts.errors)
    ):
        raise BadInput(f"cannot give {method.name} in {path} this body: the file would not parse")
    return edit


def _importing(snapshot: Snapshot, edit: Edit, names: Sequence[str]) -> Edit:
    """An edit that also imports modules of the standard library."""
    tree = parsed(snapshot.text(edit.file))
    if not names or tree is None:
        return edit
    source, facts = snapshot.source(edit.file), snapshot.files[edit.file]
    newline = newline_of(source)
    rows = source.split(b"\n")
    first = source.count(b"\n", 0, edit.changes[0].start) + 1
    imports = [one for one in tree.body if isinstance(one, ast.Import | ast.ImportFrom)]
    above = [line for one in imports if (line := one.end_lineno or 0) < first]
    row, before, after = 0, "", newline
    if above:
        row, after = max(above), ""
    elif ast.get_docstring(tree, clean=False) is not None:
        row, before, after = tree.body[0].end_lineno or 0, newline, ""
    else:
        while rows[row].startswith(b"#"):
            row += 1
    start = sum(map(len, rows[:row])) + row
    if row == 0 and source.startswith(b"\xef\xbb\xbf"):
        start = 3
    lines = "".join(f"import {name}{newline}" for name in names)
    changes = [TextEdit(start, start, before + lines + after), *edit.changes]
    notes = (*edit.notes, *(f"imported {name}" for name in names))
    return make_edit(edit.file, source, changes, encoding=facts.encoding, notes=notes)


# ---------------------------------------------------------------- does it compile


def compiled(
    validator: Validator, file: str, source: str, own: Method, cancelled: threading.Event | None
) -> Verdict:
    """See ``Language.compiled``: Python's own compiler, of the version that runs this."""
    try:
        compiled_from(source, file)
    except SyntaxError as error:
        wrong = Diagnostic(error.lineno or 1, error.offset or 1, "error", error.msg)
        return Verdict(False, None, diagnostics=(wrong,))
    except (ValueError, RecursionError, MemoryError) as error:
        return Verdict(None, None, not_run=f"{file} cannot be parsed: {error}")
    return Verdict(True, None)
