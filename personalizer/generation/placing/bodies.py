"""Where generated code goes inside a method: as its body, or beneath a comment in it."""

from __future__ import annotations

from indexer import Method, Snapshot, Span
from indexer.languages import java
from indexer.languages.lexis import names_in, tokens
from personalizer.edits import TextEdit, apply_changes
from personalizer.errors import BadInput
from personalizer.generation.names.needs import Needs, Scope
from personalizer.generation.placing.edits import make_edit, writable
from personalizer.generation.placing.imports import import_changes
from personalizer.generation.placing.place import told_of
from personalizer.generation.placing.style import indent_step, line_indent, newline_of, reindent
from personalizer.generation.records import Edit

__all__ = ["place_body", "place_statements", "scope_within"]


def place_body(snapshot: Snapshot, path: str, method: Method, body: str) -> Edit:
    """The edit that gives a method a body in place of the one that it has.

    Comments that the old one begins with stay, above the new code.

    Args:
        snapshot: The project, unsaved buffers included.
        path: File of the method.
        method: Has a body.
        body: Braces included, the closing one at column 0.

    Raises:
        BadInput: If the method, its body replaced, would not parse in its file.
    """
    assert method.body is not None, method.key
    source, facts = snapshot.source(path), snapshot.files[path]
    indent = line_indent(source, method.span) or ""
    written = reindent(writable(body, facts.encoding), indent, indent_step(source, facts, "    "))
    code = written.removeprefix(indent)
    old = method.body.of(source).decode(facts.encoding, "replace")
    first = next((one for one in list(tokens(old))[1:] if one.kind != "comment"), None)
    above = old[: first.start].rstrip() if first else "{"
    start = method.body.start + len(above.encode(facts.encoding))
    return _put(snapshot, path, method, Span(start, method.body.end), code[1:], body)


def place_statements(
    snapshot: Snapshot, path: str, method: Method, comment: Span, statements: str
) -> Edit:
    """The edit that puts statements on the lines beneath a comment in a method's body.

    Args:
        comment: Its bytes; the statements take its indentation.
        statements: Dedented.

    The other arguments, and what is raised, are those of ``place_body``.
    """
    source, facts = snapshot.source(path), snapshot.files[path]
    indent = line_indent(source, comment) or ""
    step = indent_step(source, facts, "    ")
    written = reindent(writable(statements, facts.encoding), indent, step)
    return _put(snapshot, path, method, Span(comment.end, comment.end), f"\n{written}", statements)


def scope_within(snapshot: Snapshot, path: str, method: Method) -> Scope:
    """What is known where a method's own body stands."""
    facts = snapshot.files[path]
    kind = facts.type_named(method.owner)
    return Scope(
        path=path,
        package=facts.package,
        imports=facts.imports,
        visible=names_in(snapshot.text(path)),
        parents=kind.extends + kind.implements if kind else (),
        flavour=None,
        focal_path=path,
        focal=method,
    )


def _put(snapshot: Snapshot, path: str, method: Method, where: Span, text: str, code: str) -> Edit:
    """Puts text, whose code may need imports, in place of a span of a method."""
    source, facts = snapshot.source(path), snapshot.files[path]
    found = Needs(snapshot, scope_within(snapshot, path, method)).of(code)
    newline = newline_of(source)
    changes = import_changes(source, facts, found.lines, newline=newline, statics_first=True)
    changes.append(TextEdit(where.start, where.end, text.replace("\n", newline)))
    edit = make_edit(path, source, changes, encoding=facts.encoding, notes=told_of(found))
    after = java.parse(apply_changes(source, edit.changes))
    if {m.key for m in after.methods} != {m.key for m in facts.methods} or (
        len(after.errors) > len(facts.errors)
    ):
        raise BadInput(f"cannot give {method.name} in {path} this body: the file would not parse")
    return edit
