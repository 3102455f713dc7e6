"""Exact and abstract matches of Java code (Z22 section 5.3), by tokens and by tree-sitter.

Abstraction follows src2abs (Tufano et al. 2019): identifiers and literals become their kind and a
number in the order of first use. Variables whose type the text shows bear one name a type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tree_sitter import Node, Parser

from indexer.languages.java import method_errors
from indexer.languages.java_trees import JAVA

__all__ = ["abstract", "abstract_match", "exact_match", "identifiers", "tokens"]

_TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|' + r"'(?:\\.|[^'\\\n])*'|\w+|[^\w\s]")
_LITERALS = {
    "string_literal": "STRING",
    "text_block": "STRING",
    "character_literal": "CHAR",
    "decimal_integer_literal": "INT",
    "hex_integer_literal": "INT",
    "octal_integer_literal": "INT",
    "binary_integer_literal": "INT",
    "decimal_floating_point_literal": "FLOAT",
    "hex_floating_point_literal": "FLOAT",
}
_DECLARATIONS = frozenset(
    {
        "local_variable_declaration",
        "formal_parameter",
        "field_declaration",
        "enhanced_for_statement",
        "resource",
        "catch_formal_parameter",
    }
)
_WRAPPED = frozenset({"variable_declarator", "catch_type"})


def tokens(text: str) -> list[str]:
    """Words, marks and whole literals of any text, white space left out.

    Example:
        >>> tokens('f( "a b",1 )')
        ['f', '(', '"a b"', ',', '1', ')']
    """
    return _TOKEN.findall(text)


def exact_match(generated: Sequence[str], reference: str, k: int) -> bool:
    """Whether one of the first k texts is the reference, white space apart (EM@k).

    Args:
        generated: Texts, the likeliest first; fewer than k are as many as there are.
        reference: The developers' text.
        k: How many may be tried.

    Example:
        >>> exact_match(["a();", "b( );"], "b();", 1), exact_match(["a();", "b( );"], "b();", 2)
        (False, True)
    """
    wanted = tokens(reference)
    return any(tokens(text) == wanted for text in generated[:k])


def abstract_match(generated: Sequence[str], reference: str, k: int) -> bool:
    """Whether one of the first k methods equals the reference after abstraction.

    Text that is not one whole method has no abstraction, and matches only if it is exact.

    Example:
        >>> abstract_match(["void a() { f(1); }"], "void b() { g(2); }", 1)
        True
        >>> abstract_match(["void a() { f(1, 1); }"], "void b() { g(1, 2); }", 1)
        False
    """
    wanted = abstract(reference)
    if wanted is not None and any(abstract(text) == wanted for text in generated[:k]):
        return True
    return exact_match(generated, reference, k)


def abstract(text: str) -> str | None:
    """A method with its names and literals replaced by their kinds; None if it does not parse.

    Example:
        >>> abstract('@Test void adds() { Cart a = new Cart(); check(a.total(), 3, 3, "x"); }')
        '@ ANNOTATION_1 void METHOD_1 ( ) { TYPE_1 VAR_1 = new TYPE_1 ( ) ; METHOD_2 ( VAR_1 .
        METHOD_3 ( ) , INT_1 , INT_1 , STRING_1 ) ; }'
    """
    if method_errors(text):
        return None
    leaves = list(_leaves(_tree(text)))
    types = _declared_types(_tree(text))
    numbers: dict[tuple[str, str], str] = {}
    counts: dict[str, int] = {}
    words = []
    for leaf in leaves:
        word = _text(leaf)
        kind = _kind(leaf)
        if kind is None:
            words.append(word)
            continue
        # One name for all objects of one type, as in Z22.
        key = (kind, f": {types[word]}" if kind == "VAR" and word in types else word)
        if key not in numbers:
            counts[kind] = counts.get(kind, 0) + 1
            numbers[key] = f"{kind}_{counts[kind]}"
        words.append(numbers[key])
    return " ".join(words)


def identifiers(text: str) -> list[str]:
    """Names in the order of the text, with repetition; of any text, broken or whole.

    Example:
        >>> identifiers('@Test void adds() { Cart a = new Cart(); } // why')
        ['Test', 'adds', 'Cart', 'a', 'Cart']
    """
    named = ("identifier", "type_identifier")
    return [_text(leaf) for leaf in _leaves(_tree(text)) if leaf.type in named]


def _tree(text: str) -> Node:
    """The member of a class around the text; the class itself where there is none."""
    root = Parser(JAVA).parse(b"class C {\n" + text.encode("utf-8", "replace") + b"\n}").root_node
    kind = next((n for n in root.named_children if n.type == "class_declaration"), None)
    return (kind.child_by_field_name("body") if kind else None) or root


def _leaves(node: Node) -> Iterator[Node]:
    """Tokens inside a class body, in order; its own braces, comments and nothing else left out."""
    stack = list(reversed(node.children[1:-1] if node.type == "class_body" else node.children))
    while stack:
        one = stack.pop()
        if one.type.endswith("comment"):
            continue
        if one.child_count == 0 or one.type in _LITERALS:
            yield one
        else:
            stack.extend(reversed(one.children))


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _kind(leaf: Node) -> str | None:
    """The kind that src2abs gives to a token; None for one that stays."""
    if leaf.type in _LITERALS:
        return _LITERALS[leaf.type]
    if leaf.type == "type_identifier":
        return "TYPE"
    if leaf.type != "identifier" or leaf.parent is None:
        return None
    parent = leaf.parent
    if parent.type in ("marker_annotation", "annotation"):
        return "ANNOTATION"
    if parent.type in ("method_invocation", "method_declaration"):
        if parent.child_by_field_name("name") == leaf:
            return "METHOD"
    elif parent.type == "method_reference" and parent.children[-1] == leaf:
        return "METHOD"
    # `Assert.fail()`: a grammar without symbols cannot tell, Java's naming convention can.
    return "TYPE" if re.match(r"[A-Z]\w*[a-z]", _text(leaf)) else "VAR"


def _declared_types(node: Node) -> dict[str, str]:
    """Type by variable, where the text declares it; a name with two types is left out."""
    types: dict[str, str] = {}
    doubtful = set()
    stack = [node]
    while stack:
        one = stack.pop()
        stack.extend(one.named_children)
        if one.type not in _DECLARATIONS:
            continue
        kind = one.child_by_field_name("type")
        if kind is None or _text(kind) == "var":
            continue
        inner = [c for c in one.named_children if c.type in _WRAPPED] or [one]
        for declarator in inner:
            name = declarator.child_by_field_name("name")
            if name and types.setdefault(_text(name), _text(kind)) != _text(kind):
                doubtful.add(_text(name))
    return {name: kind for name, kind in types.items() if name not in doubtful}
