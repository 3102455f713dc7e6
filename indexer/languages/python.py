"""Python source to facts, by tree-sitter: enough for snippets. Total, as every language is.

Classes, functions with docstring and body, and imports are read; calls and fields are not, because
tests are paired in Java alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

import tree_sitter_python
from tree_sitter import Language, Node, Parser

from indexer.facts import FileFacts, Import, Method, Parameter, Span, Type, simple_type
from indexer.languages.comments import passages_in
from indexer.languages.remarks import Remark
from indexer.languages.trees import Search, readable, slicer, syntax_errors

__all__ = ["parse", "passages", "placeholder_end", "remark_at"]

_PYTHON = Language(tree_sitter_python.language())
_COMMENT_OR_STRING = re.compile(
    rb"""(\#[^\n]*|\"\"\"(?:\\.|[^\\])*?(?:\"{3}|\Z)|'''(?:\\.|[^\\])*?(?:'{3}|\Z)"""
    rb"""|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)""",
    re.DOTALL,
)
_WITHIN = frozenset(
    {
        *("block", "if_statement", "elif_clause", "else_clause", "match_statement", "case_clause"),
        *("try_statement", "except_clause", "finally_clause"),
        *("for_statement", "while_statement", "with_statement", "ERROR"),
    }
)
"""What a definition may stand in without being inside a function."""
_DEEPEST = 50
_OWNERS = Search(
    _PYTHON, dict.fromkeys((_WITHIN | {"function_definition", "class_definition"}) - {"block"}, "")
)
"""What has a block."""


def parse(source: bytes) -> FileFacts:
    """Facts of one Python file; broken source gives what can be read, and errors."""
    encoding, errors, text = readable(source)
    root = Parser(_PYTHON).parse(text).root_node
    reader = _Reader(source, encoding)
    reader.walk(root)
    return FileFacts(
        language="python",
        encoding=encoding,
        package="",
        package_span=None,
        imports=tuple(reader.imports),
        types=tuple(reader.types),
        methods=tuple(reader.methods),
        fields=(),
        errors=(*syntax_errors(root), *errors),
    )


def passages(source: bytes) -> Iterator[tuple[Span, Span]]:
    """(comment, the statements that it stands before) of a whole file."""
    root = Parser(_PYTHON).parse(readable(source)[2]).root_node
    for _, owner in _OWNERS.found(root):
        before: list[Node] = []
        for child in owner.named_children:
            if child.type == "comment":
                before.append(child)  # the grammar puts the first comments of a block before it
            elif child.type == "block":
                yield from passages_in([*before, *child.named_children], source)
                before = []
            else:
                before = []


def remark_at(source: bytes, line: int) -> Remark | None:
    """The comment at a line, or just above an empty line; None where there is none.

    It has a line of its own; nothing, or no more than ``pass``, may stand beneath it in its block.

    Args:
        source: The file's bytes.
        line: From 1.
    """
    rows = source.split(b"\n")
    row = line - 1
    if 0 < row < len(rows) and not rows[row].strip():
        row -= 1
    if not (0 <= row < len(rows) and rows[row].lstrip().startswith(b"#")):
        return None
    width = _width(rows[row])
    root = Parser(_PYTHON).parse(readable(source)[2]).root_node
    node = root.descendant_for_point_range((row, width), (row, width + 1))
    if node is None or node.type != "comment":
        return None  # in a string
    while row + 1 < len(rows) and rows[row + 1][: width + 1] == rows[row][:width] + b"#":
        row += 1
    start = sum(map(len, rows[:row])) + row + width
    span = Span(start, start + len(rows[row][width:].rstrip()))
    beneath = rows[row + 1] if row + 1 < len(rows) else b""
    bare = not beneath.strip() or _width(beneath) < width
    return Remark(span, bare=bare or placeholder_end(source, span) > span.end)


def placeholder_end(source: bytes, comment: Span) -> int:
    """Where ``pass`` or ``...`` beneath a comment ends; the comment's end where there is none.

    Example:
        >>> placeholder_end(b"    # a\\n    pass\\n", Span(4, 7))
        16
    """
    begin = source.rfind(b"\n", 0, comment.start) + 1
    indent = re.escape(source[begin : comment.start])
    found = re.compile(rb"[ \t]*\r?\n%b(?:pass|\.\.\.)[ \t]*(?=\r?\n|\Z)" % indent)
    match = found.match(source, comment.end)
    return match.end() if match else comment.end


def _width(line: bytes) -> int:
    return len(line) - len(line.lstrip())


def digest(code: bytes) -> str:
    """Hash of code without comments, blank lines and blanks at line ends (16 hex digits)."""
    parts = _COMMENT_OR_STRING.split(code)
    bare = b"".join(b"" if part.startswith(b"#") else part for part in parts)
    lines = (line.rstrip() for line in bare.split(b"\n"))
    return hashlib.blake2b(b"\n".join(filter(None, lines)), digest_size=8).hexdigest()


class _Reader:
    """Walks definitions only; what stands inside a function is its own."""

    def __init__(self, source: bytes, encoding: str) -> None:
        self.source = source
        self.slice = slicer(source, encoding)
        self.imports: list[Import] = []
        self.types: list[Type] = []
        self.methods: list[Method] = []

    def walk(self, root: Node) -> None:
        stack: list[tuple[Node, str]] = [(root, "")]
        while stack:
            node, owner = stack.pop()
            below: list[tuple[Node, str]] = []
            for child in node.named_children:
                kind, inner = child.type, child
                if kind == "decorated_definition":
                    inner = child.child_by_field_name("definition") or child
                if inner.type == "function_definition":
                    self._function(inner, owner, child)
                elif inner.type == "class_definition":
                    body = inner.child_by_field_name("body")
                    if owner.count(".") < _DEEPEST and body is not None:
                        below.append((body, self._class(inner, body, owner, child)))
                elif kind in _WITHIN:
                    below.append((child, owner))
                elif kind in ("import_statement", "import_from_statement"):
                    self._import(child)
            stack.extend(reversed(below))

    def text(self, node: Node | None) -> str:
        return "" if node is None else self.slice(node.start_byte, node.end_byte)

    def _class(self, node: Node, body: Node, owner: str, whole: Node) -> str:
        name = self.text(node.child_by_field_name("name"))
        qualified = f"{owner}.{name}" if owner else name
        parents = node.child_by_field_name("superclasses")
        self.types.append(
            Type(
                name=qualified,
                kind="class",
                modifiers=(),
                annotations=self._decorators(whole),
                extends=tuple(
                    simple_type(self.text(one))
                    for one in (parents.named_children if parents else ())
                    if one.type in ("identifier", "attribute")
                ),
                implements=(),
                span=_span(whole),
                header=Span(whole.start_byte, body.start_byte),
                body=_span(body),
                line=node.start_point[0] + 1,
            )
        )
        return qualified

    def _function(self, node: Node, owner: str, whole: Node) -> None:
        block = node.child_by_field_name("body")
        colon = next((child for child in node.children if child.type == ":"), node)
        doc, body = _doc_and_body(block) if block else (None, None)
        self.methods.append(
            Method(
                owner=owner,
                name=self.text(node.child_by_field_name("name")),
                parameters=self._parameters(node.child_by_field_name("parameters")),
                returns=self.text(node.child_by_field_name("return_type")),
                modifiers=("async",) if node.child(0) and node.children[0].type == "async" else (),
                annotations=self._decorators(whole),
                span=_span(whole),
                signature=Span(whole.start_byte, colon.end_byte),
                body=body,
                doc=doc,
                line=node.start_point[0] + 1,
                digest=digest(self.source[whole.start_byte : whole.end_byte]),
            )
        )

    def _parameters(self, holder: Node | None) -> tuple[Parameter, ...]:
        found = []
        for child in holder.named_children if holder else ():
            if child.type == "comment":
                continue
            name = child.child_by_field_name("name")
            if name is None and child.type == "typed_parameter":
                name = child.named_child(0)
            kind = self.text(child.child_by_field_name("type"))
            found.append(Parameter(kind, self.text(name or child)))
        return tuple(found)

    def _decorators(self, whole: Node) -> tuple[str, ...]:
        names = []
        for child in whole.named_children if whole.type == "decorated_definition" else ():
            if child.type == "decorator":
                name = self.text(child).removeprefix("@").partition("(")[0].strip()
                names.append(name.rpartition(".")[2])
        return tuple(names)

    def _import(self, node: Node) -> None:
        module = self.text(node.child_by_field_name("module_name"))
        wildcard = any(child.type == "wildcard_import" for child in node.named_children)
        if wildcard:
            self.imports.append(Import(module, False, True, _span(node)))
        for child in node.children_by_field_name("name"):
            if child.type == "aliased_import":
                child = child.child_by_field_name("name") or child
            name = f"{module}.{self.text(child)}" if module else self.text(child)
            self.imports.append(Import(name, False, False, _span(node)))


def _doc_and_body(block: Node) -> tuple[Span | None, Span | None]:
    """The docstring, and the statements after it; None where there are none."""
    statements = [one for one in block.named_children if one.type != "comment"]
    if not statements:
        return None, None
    first = statements[0]
    inner = first.named_child(0) if first.type == "expression_statement" else None
    if inner is None or not _is_docstring(inner) or first.named_child_count != 1:
        return None, _span(block)
    if len(statements) == 1:
        return _span(inner), None
    rest = next(one for one in block.named_children if one.start_byte >= first.end_byte)
    return _span(inner), Span(rest.start_byte, block.end_byte)


def _is_docstring(node: Node) -> bool:
    """Whether a string is plain text: neither bytes nor put together as it runs."""
    start = node.children[0].text if node.type == "string" else None
    return start is not None and not set(b"bft") & set(start.lower())


def _span(node: Node) -> Span:
    return Span(node.start_byte, node.end_byte)
