"""Snippets in Python: blocks by indentation, names by pyflakes, syntax by Python's own parser."""

from __future__ import annotations

import ast
import re
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from pyflakes.checker import Checker
from pyflakes.messages import UndefinedName

from indexer import FileFacts, Method, Snapshot, Span, code_of
from indexer.languages import python
from personalizer.engine import Completion, Request
from personalizer.errors import BadInput
from personalizer.generation.pipeline import or_why_not
from personalizer.generation.placing.edits import apply_changes, make_edit, text_after
from personalizer.generation.placing.style import line_indent, newline_of
from personalizer.generation.records import Edit, SnippetGeneration, TextEdit
from personalizer.generation.snippets.blocks import (
    STEP,
    Block,
    block,
    first_statements,
    indented,
    parsed,
    tree_of,
)
from personalizer.generation.snippets.spot import Spot
from personalizer.generation.targets import resolve_file, resolve_method, written_already
from personalizer.validation import Diagnostic, Validator, Verdict

__all__ = ["asked", "begun", "compiled", "find", "written"]

_STOPS = ("\ndef ", "\nasync def ", "\nclass ", "\n@", "\n#", "\nif __name__", "\n```")
"""What begins a line outside the function, as HumanEval is cut."""
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
    if found is None or (spot.comment is None and not found.whole):
        return replace(made, text=made.text.strip("\n"))
    count = first_statements(found) if spot.comment else found.statements[-1].end_lineno or 0
    if count == 0:
        return replace(made, text=made.text.strip("\n"))
    edit, no_edit = or_why_not(lambda: _place(snapshot, spot, found, count))
    text = "\n".join(indented(found, count, "", STEP))
    if edit is None:
        return replace(made, text=text, no_edit=no_edit)
    unknown = sorted(_undefined(text_after(snapshot, edit)) - _undefined(snapshot.text(spot.path)))
    known = [name for name in unknown if name in sys.stdlib_module_names]
    edit = _importing(snapshot, edit, known)
    left = tuple(name for name in unknown if name not in known)
    return replace(made, text=text, edit=edit, no_edit=None, unknown_symbols=left, notes=edit.notes)


def _undefined(text: str) -> set[str]:
    """Names that nothing in a file, nor Python itself, defines."""
    tree = parsed(text)
    found = Checker(tree).messages if tree is not None else []
    return {str(one.message_args[0]) for one in found if isinstance(one, UndefinedName)}


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
    """See ``Language.compiled``: Python's own parser, of the version that runs this."""
    try:
        tree_of(source)
    except SyntaxError as error:
        wrong = Diagnostic(error.lineno or 1, error.offset or 1, "error", error.msg)
        return Verdict(False, None, diagnostics=(wrong,))
    except (ValueError, RecursionError, MemoryError) as error:
        return Verdict(None, None, not_run=f"{file} cannot be parsed: {error}")
    return Verdict(True, None)
