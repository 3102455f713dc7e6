"""Snippets in Java: braces, semicolons, imports and the project's own symbols."""

from __future__ import annotations

import re
import textwrap
import threading
from dataclasses import replace

from tree_sitter import Node

from indexer import Method, Snapshot, Span, code_of
from indexer.languages.java import digest, method_errors, parse
from indexer.languages.lexis import tokens
from indexer.languages.remarks import remark_at
from personalizer.engine import Completion, Request
from personalizer.errors import BadInput
from personalizer.generation.candidates import clean
from personalizer.generation.names.declared import declarations_of
from personalizer.generation.names.mending import Symbols
from personalizer.generation.placing.best import or_why_not
from personalizer.generation.placing.bodies import place_body, place_statements, scope_within
from personalizer.generation.records import SnippetGeneration
from personalizer.generation.snippets.spot import Spot
from personalizer.generation.syntax import MethodTree
from personalizer.generation.targets import resolve_method, resolve_snippet
from personalizer.validation import Validator, Verdict

__all__ = [
    "asked",
    "before_repeated",
    "begun",
    "compiled",
    "find",
    "find_remark",
    "statements",
    "written",
]

_THROWS = b"throw new UnsupportedOperationException();"


def find(snapshot: Snapshot, path: str, at: int | str) -> Spot:
    """See ``Language.find``."""
    found = find_remark(snapshot, path, at) if isinstance(at, int) else None
    return found or Spot(*resolve_snippet(snapshot, path, at))


def find_remark(snapshot: Snapshot, path: str, line: int) -> Spot | None:
    """The comment at a line inside a body, or just above an empty line; None where there is none.

    Raises:
        NoSuchMethod: If no method stands there.
        BadInput: If code follows the comment already.
    """
    path, method = resolve_method(snapshot, path, line)
    if method.body is None:
        return None
    found = remark_at(snapshot.source(path), method.body, line)
    if found is not None and not found.bare:
        raise BadInput(f"the comment at {path}:{line} has code beneath it already")
    return found and Spot(path, method, found.span)


def begun(snapshot: Snapshot, spot: Spot) -> str:
    """See ``Language.begun``."""
    assert spot.comment is not None
    source, facts = snapshot.source(spot.path), snapshot.files[spot.path]
    until = Span(spot.method.span.start, spot.comment.end)
    signature = code_of(source, spot.method.signature, facts.encoding)
    return code_of(source, until, facts.encoding)[len(signature) :].lstrip()


def asked(snapshot: Snapshot, request: Request, spot: Spot) -> Request:
    """See ``Language.asked``."""
    source, facts, method = snapshot.source(spot.path), snapshot.files[spot.path], spot.method
    until = spot.comment.end if spot.comment else method.signature.end
    before = code_of(source, Span(method.span.start, until), facts.encoding)
    symbols = _symbols(snapshot, spot.path, method)
    known = declarations_of(symbols.needs, symbols.members, method.owner)
    request = replace(request, declared=replace(known, before=before))
    if spot.comment is None:
        return request
    return replace(request, stop_at_method_end=False, grammar="statements")


def written(
    made: SnippetGeneration, snapshot: Snapshot, spot: Spot, completion: Completion
) -> SnippetGeneration:
    """See ``Language.written``."""
    if spot.comment is None:
        return _with_body(made, snapshot, spot.path, spot.method)
    return _with_statements(made, snapshot, spot, spot.comment)


def compiled(
    validator: Validator, file: str, source: str, own: Method, cancelled: threading.Event | None
) -> Verdict:
    """See ``Language.compiled``: the workspace's own compiler."""
    return validator.compile(file, _filled(source, own), cancelled=cancelled)


def _filled(source: str, own: Method) -> str:
    """A file whose other methods without a body throw, so that none lacks a return.

    Example:
        >>> from indexer.languages.java import parse
        >>> text = "class A { int b() { } int c() { } }"
        >>> _filled(text, parse(text.encode()).methods[0])
        'class A { int b() { } int c() {throw new UnsupportedOperationException(); } }'
    """
    data = source.encode("utf-8", "surrogatepass")
    for method in reversed(parse(data).methods):
        if method.body is None or method.key == own.key or method.returns in (None, "void"):
            continue
        row = tokens(method.body.of(data).decode("utf-8", "replace"))
        if [one.text for one in row if one.kind != "comment"] == ["{", "}"]:
            inside = method.body.start + 1
            data = data[:inside] + _THROWS + data[inside:]
    return data.decode("utf-8", "surrogatepass")


# ---------------------------------------------------------------- a body


def _with_body(
    made: SnippetGeneration, snapshot: Snapshot, path: str, method: Method
) -> SnippetGeneration:
    body = clean(made.text)
    facts = snapshot.files[path]
    signature = code_of(snapshot.source(path), method.signature, facts.encoding)
    whole = body.startswith("{") and (
        method.constructor or not method_errors(f"{signature} {body}")
    )
    if not whole:
        return replace(made, text=body)
    checked = _symbols(snapshot, path, method).mend_names(f"{signature} {body}")
    notes: tuple[str, ...] = ()
    if checked.text.startswith(f"{signature} {{"):
        body, notes = checked.text[len(signature) + 1 :], checked.notes
    edit, no_edit = or_why_not(lambda: place_body(snapshot, path, method, body))
    unknown = checked.unknown
    return replace(
        made, text=body, edit=edit, no_edit=no_edit, unknown_symbols=unknown, notes=notes
    )


def _symbols(snapshot: Snapshot, path: str, method: Method) -> Symbols:
    return Symbols(snapshot, scope_within(snapshot, path, method), method.owner)


# ---------------------------------------------------------------- what a comment describes


def statements(text: str) -> str:
    """The statements that a text begins with, up to a blank line, a comment or the block's end.

    Comments before them are left out: one is there already.

    Example:
        >>> statements("    // b\\n    a();\\n    if (b) {\\n        c();\\n    }\\n\\n    d();")
        'a();\\nif (b) {\\n    c();\\n}'
    """
    depth, end, last, begin = 0, 0, 0, 0
    for token in tokens(text):
        depth -= token.text in ("}", ")", "]")
        blank = re.search(r"\n[ \t\r]*\n", text[last : token.start])
        if depth < 0 or (depth == 0 and end and (blank or token.kind == "comment")):
            break
        depth += token.text in ("{", "(", "[")
        last = token.end
        if token.kind == "comment" and not text[begin : token.start].strip():
            begin = token.end
        if depth == 0 and token.text in (";", "}"):
            end = token.end
    return textwrap.dedent(text[begin:end].lstrip("\n")).strip()


def before_repeated(text: str, rest: str) -> str:
    """Statements up to one that follows their place already.

    Args:
        text: Statements.
        rest: What follows their place in the method.

    Example:
        >>> before_repeated("b *= 2;\\nreturn b;", "\\n    return  b; // told\\n}")
        'b *= 2;'
    """
    head = "void a() {"
    tree = MethodTree(f"{head}{text}\n}}")
    following = [digest(_bytes(one)) for one in _children(MethodTree(f"{head}{rest}"))[:1]]
    repeated = False
    for one in _children(tree):
        repeated = repeated or digest(_bytes(one)) in following
        if repeated:
            tree.remove(one)
    return tree.text.removeprefix(head).removesuffix("}").strip() if repeated else text


def _children(tree: MethodTree) -> list[Node]:
    """The statements of a method's body."""
    body = tree.method.child_by_field_name("body") if tree.method else None
    return [one for one in body.named_children if "comment" not in one.type] if body else []


def _bytes(node: Node) -> bytes:
    return node.text or b""


def _with_statements(
    made: SnippetGeneration, snapshot: Snapshot, spot: Spot, comment: Span
) -> SnippetGeneration:
    source, facts = snapshot.source(spot.path), snapshot.files[spot.path]
    rest = code_of(source, Span(comment.end, spot.method.span.end), facts.encoding)
    text = before_repeated(statements(made.text), rest)
    if not text:
        return replace(made, text=made.text.strip())
    symbols = _symbols(snapshot, spot.path, spot.method)
    signature = code_of(source, spot.method.signature, facts.encoding)
    first = f"{signature} {begun(snapshot, spot)}"
    before = set(symbols.check(f"{first}\n{rest}").unknown)
    after = symbols.check(f"{first}\n{text}\n{rest}").unknown
    edit, no_edit = or_why_not(
        lambda: place_statements(snapshot, spot.path, spot.method, comment, text)
    )
    unknown = tuple(one for one in after if one not in before)
    return replace(made, text=text, edit=edit, no_edit=no_edit, unknown_symbols=unknown)
