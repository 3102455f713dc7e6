"""A test with other values, so that it goes where no test goes yet.

What decides where a method goes mostly stands in the method: what it compares with. So a value of
the test gives way to one of these, to what lies beside it, or to what is seldom thought of (null,
nothing, the largest number). Whether that reaches anything new, a run tells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, product, zip_longest
from typing import NamedTuple

from tree_sitter import Node, Parser

from indexer import Span
from indexer.facts import simple_type
from indexer.languages.java_trees import JAVA, tame
from personalizer.generation.placing.naming import joined, word_of
from personalizer.generation.rescue.arguments import null_of
from personalizer.generation.rescue.beginnings import plain_name
from personalizer.generation.rescue.values import Values
from personalizer.generation.site import Site
from personalizer.generation.syntax import MethodTree, calls_of, code, given_to, nodes

__all__ = ["Variant", "variants"]

_EACH = 36
"""Most values that take one value's place."""
_TOGETHER = 4
"""Most values of each of two arguments that change together."""
_OWN_TEXTS, _OFTEN_TEXTS, _TESTS_TEXTS = 6, 8, 20
"""Texts that the focal method looks at; of its test class those that stand often, and all."""
_LONGEST_TEXT = 70
"""Characters of a text that is made as long as a method wants it."""


class Variant(NamedTuple):
    """A test with other values."""

    text: str
    changes: str
    """What differs, for the user: ``null for text``."""


def variants(text: str, site: Site, values: Values) -> Iterator[Variant]:
    """Tests that differ from one in a value, the likeliest to reach something new first.

    Arguments of the focal method change, then literals that stand before its call, then two
    arguments together; statements before the call that declare nothing are left out.

    Args:
        text: One test that calls the focal method.
        site: Where it stands.
        values: Plain values of types.
    """
    tree = MethodTree(text)
    calls = list(calls_of(site.focal, tree.method))
    given = [given_to(one) for one in calls]
    fitting = [each for each in given if len(each) == len(site.focal.parameters)]
    if not fitting:
        return
    arguments, call = fitting[0], calls[given.index(fitting[0])]
    seen, names = _Seen(site), _names(site)
    instead = [
        _Slot(node, one.name, _fitting(one.type, site, seen, values, code(node)))
        for node, one in zip(arguments, site.focal.parameters, strict=True)
    ]
    before = [_Slot(node, code(node), _like(node, seen)) for node in _literals_before(tree, call)]
    for change in chain(_in_turn(instead), _in_turn(before), _without(tree, call), _both(instead)):
        changed = MethodTree(text)
        for node, new in change.edits:  # nodes of another tree of the same text
            if new:
                changed.replace(node, new)
            else:
                changed.remove(node)
        if changed.method and (name := changed.method.child_by_field_name("name")):
            changed.replace(name, names(change))
        yield Variant(changed.text, change.told)


# ---------------------------------------------------------------- changes


class _Change(NamedTuple):
    edits: tuple[tuple[Node, str], ...]
    """What stands in a node's place; nothing where it is left out."""
    told: str
    place: str = ""
    """The parameter whose argument differs."""

    @property
    def word(self) -> str:
        """What a name may say of its values."""
        words = (word_of(new) for _, new in self.edits)
        return next((f"With{word}" for word in words if word), "")


def _names(site: Site) -> Callable[[_Change], str]:
    """How a test is called that differs: where another bears the plain name, by what differs."""
    facts = site.snapshot.files[site.place.path] if site.place else None
    taken = {one.name for one in facts.methods} if facts else set()
    others = [one.method.name for one in site.snapshot.tests]
    plain = plain_name(site)

    def name(change: _Change) -> str:
        place = f"{change.place[:1].upper()}{change.place[1:]}"
        other = f"WithOther{place}" if place and plain in taken else ""
        return joined(plain, change.word or other, others)

    return name


class _Slot(NamedTuple):
    """A value of the test, and what may take its place."""

    node: Node
    name: str
    instead: Sequence[str]

    def taken(self, new: str) -> _Change:
        place = self.name if self.name.isidentifier() else ""
        return _Change(((self.node, new),), f"{new} for {self.name}", place)


def _in_turn(slots: Sequence[_Slot]) -> Iterator[_Change]:
    """The first value for each slot, then the second of each."""
    for values in zip_longest(*(slot.instead for slot in slots)):
        for slot, new in zip(slots, values, strict=True):
            if new is not None:
                yield slot.taken(new)


def _both(slots: Sequence[_Slot]) -> Iterator[_Change]:
    """Two arguments at once."""
    for number, one in enumerate(slots):
        for other in slots[number + 1 :]:
            for new, newer in product(one.instead[:_TOGETHER], other.instead[:_TOGETHER]):
                first, second = one.taken(new), other.taken(newer)
                yield _Change(first.edits + second.edits, f"{first.told} and {second.told}")


def _without(tree: MethodTree, call: Node) -> Iterator[_Change]:
    """Without a statement that declares nothing."""
    body = tree.method.child_by_field_name("body") if tree.method else None
    for one in body.named_children if body else ():
        if one.type == "expression_statement" and one.end_byte <= call.start_byte:
            yield _Change(((one, ""),), f"without {code(one)}")


def _literals_before(tree: MethodTree, call: Node) -> Iterator[Node]:
    """Literals of the body before the call."""
    body = tree.method.child_by_field_name("body") if tree.method else None
    for node in nodes(body):
        if node.type in _LIKE and node.end_byte <= call.start_byte:
            yield node


# ---------------------------------------------------------------- values


class _Seen:
    """Literals that a method looks at, and those that the methods of its file look at for it."""

    def __init__(self, site: Site) -> None:
        self._source = site.snapshot.source(site.focal_path)
        named = {code(one) for one in self._nodes(site.focal.span) if one.type == "identifier"}
        facts = site.snapshot.files[site.focal_path]
        parts = [site.focal.span]
        parts += [one.span for one in facts.methods if one.name in named and one != site.focal]
        parts += [one.span for one in facts.fields if one.name in named]
        found: dict[str, dict[str, None]] = {}
        for part in parts:
            for node in self._nodes(part):
                found.setdefault(_LIKE.get(node.type, ""), {})[code(node)] = None
        short = [one for one in found.get("String", ()) if len(one) <= _LONGEST_TEXT]
        told = self._texts_of_tests(site)
        self.texts = [*short[:_OWN_TEXTS], *told[:_OFTEN_TEXTS]]
        self.other_texts = told[_OFTEN_TEXTS:]
        self.letters: list[str] = list(found.get("char", ()))
        self.numbers = [
            number for one in found.get("int", ()) if (number := _number(one)) is not None
        ]
        self.reals = list(found.get("double", ()))

    def _texts_of_tests(self, site: Site) -> list[str]:
        """Those that stand most often in the test class: names of what its tests set up."""
        if site.owner is None or site.place is None:
            return []
        source = site.owner.span.of(site.snapshot.source(site.place.path))
        texts = (
            code(node)
            for node in nodes(Parser(JAVA).parse(tame(source)).root_node)
            if node.type == "string_literal"
        )
        often = Counter(one for one in texts if len(one) <= _LONGEST_TEXT)
        return [one for one, _ in often.most_common(_TESTS_TEXTS)]

    def _nodes(self, part: Span) -> Iterator[Node]:
        return nodes(Parser(JAVA).parse(tame(part.of(self._source))).root_node)


def _fitting(kind: str, site: Site, seen: _Seen, values: Values, written: str) -> tuple[str, ...]:
    """Values of a parameter's type, but for the one that is there."""
    simple = simple_type(kind)
    if simple in _PLAIN:
        found = _PLAIN[simple](seen)
    else:
        element = simple.removesuffix("...").removesuffix("[]")
        declared = site.symbols.members.seen_from(element, site.focal_path)
        known = values.of(kind, site.focal_path)
        if element != simple:
            each = (
                _PLAIN[element](seen) if element in _PLAIN else values.of(element, site.focal_path)
            )
            listed = [f"new {element}[] {{{one}}}" for one in each]
            found = [f"new {element}[0]", *known, *listed]
            found += [] if simple.endswith("...") else [f"({simple}) null"]
        elif declared is not None and declared.type.kind == "enum":
            found = [*values.constants(declared), "null"]
        else:
            found = ["null", *known]
    wanted = dict.fromkeys(one for one in found if one != written)
    null = null_of(kind, site)
    return tuple(null if one == "null" else one for one in wanted)[:_EACH]


def _like(node: Node, seen: _Seen) -> tuple[str, ...]:
    """Values of a literal's own type."""
    kind = _LIKE[node.type]
    suffix = code(node)[-1] if kind == "int" and code(node)[-1] in "lL" else ""
    found = _PLAIN["long" if suffix else kind](seen)
    return tuple(one for one in dict.fromkeys(found) if one != code(node))[:_EACH]


def _texts(seen: _Seen) -> list[str]:
    letters = ['\\"' if one == "'\"'" else one[1:-1] for one in seen.letters]
    long = [one for number in seen.numbers for one in (number, number + 1)]
    return [
        *seen.texts,
        *(f'"a{letter}b"' for letter in letters[:4]),
        "null",
        '""',
        '" "',
        *(f'"{letter}"' for letter in letters[:4]),
        *(f'"{"a" * length}"' for length in long if 1 < length <= _LONGEST_TEXT),
        '"abc"',
        '"1"',
        '"-1"',
        *seen.other_texts,
    ]


def _numbers(seen: _Seen, kind: str = "int") -> list[str]:
    near = [n for one in seen.numbers for n in (one, one + 1, one - 1)]
    each = list(dict.fromkeys([*near[:6], 0, -1, *near[6:], 2]))
    bounds = {"int": "Integer", "long": "Long", "short": "Short", "byte": "Byte"}[kind]
    limits = [f"{bounds}.MAX_VALUE", f"{bounds}.MIN_VALUE"]
    if kind == "long":
        return [f"{one}L" for one in each] + limits
    if kind == "int":
        return [*seen.letters[:4], *(str(one) for one in each if abs(one) < 2**31), *limits]
    return [f"({kind}) {one}" for one in each if abs(one) < 128] + limits


def _reals(seen: _Seen, suffix: str = "") -> list[str]:
    whole = [f"{one}.0{suffix}" for one in (*seen.numbers[:4], 0, -1)]
    box = "Float" if suffix else "Double"
    written = [one.rstrip("fFdD") + suffix for one in seen.reals[:4]]
    return [*written, *whole, f"{box}.NaN", f"{box}.POSITIVE_INFINITY", f"{box}.MAX_VALUE"]


_PLAIN: dict[str, Callable[[_Seen], list[str]]] = {
    "String": _texts,
    "CharSequence": _texts,
    "Object": lambda seen: ["null", *_texts(seen)[:6], "1", "new Object()"],
    "boolean": lambda seen: ["false", "true"],
    "Boolean": lambda seen: ["false", "true", "null"],
    "char": lambda seen: [*seen.letters, "'a'", "'A'", "'0'", "' '", "'\\u00e9'"],
    "int": _numbers,
    "Integer": lambda seen: ["null", *_numbers(seen)],
    "long": lambda seen: _numbers(seen, "long"),
    "Long": lambda seen: ["null", *_numbers(seen, "long")],
    "short": lambda seen: _numbers(seen, "short"),
    "byte": lambda seen: _numbers(seen, "byte"),
    "double": _reals,
    "Double": lambda seen: ["null", *_reals(seen)],
    "float": lambda seen: _reals(seen, "f"),
}
_LIKE = {
    "string_literal": "String",
    "character_literal": "char",
    "decimal_integer_literal": "int",
    "hex_integer_literal": "int",
    "decimal_floating_point_literal": "double",
    "true": "boolean",
    "false": "boolean",
}
"""Types of literals by kinds of nodes."""


def _number(literal: str) -> int | None:
    try:
        return int(literal.rstrip("lL").replace("_", ""), 0)
    except ValueError:  # an octal number
        return None
