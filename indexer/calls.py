"""Which calls of a test are calls of a method, and which of its overloads they mean."""

from __future__ import annotations

import re

from indexer.facts import Call, Method, simple_type
from indexer.languages.java_words import PRIMITIVES
from indexer.names import words_of
from indexer.project import Class
from indexer.views import Candidate, View, on_mock

__all__ = ["calls_of", "fits", "overload", "type_of"]

_CALL = re.compile(r"(?:^|\.)\s*(\w+)\s*$")


def type_of(view: View, text: str, depth: int = 3) -> str | None:
    """The simple type of a receiver or an argument as written; None where it is not known."""
    if (text, depth) not in view.known:
        view.known[text, depth] = _type_of(view, text.strip().removeprefix("this."), depth)
    return view.known[text, depth]


def _type_of(view: View, text: str, depth: int) -> str | None:
    if text.isidentifier():
        known = view.types.get(text)
        if known is not None:
            if not known.startswith("?"):
                return known
            return type_of(view, known[1:], depth - 1) if depth else None
        return text if text[:1].isupper() and not text.isupper() else None
    if text.startswith("new "):
        head = re.match(r"new\s+([\w.]+)", text)
        return simple_type(head[1]) if head and text.endswith((")", "}")) else None
    if not depth or not text.endswith(")"):
        return None
    level = 0
    for place in range(len(text) - 1, -1, -1):
        level += (text[place] == ")") - (text[place] == "(")
        if not level:
            break
    call = _CALL.search(text[:place])
    if call is None:
        return None
    before = text[: call.start()]
    owner = type_of(view, before, depth - 1) if before else view.test.method.class_name
    return _returned(view, owner, call[1]) if owner else None


def _returned(view: View, owner: str, name: str) -> str | None:
    """What a method of a project type returns, where its overloads agree."""
    one = view.project.nearest(owner, view.test.path, helpers=True)
    for each in view.project.with_parents(one, helpers=True) if one else ():
        kinds = {simple_type(m.returns or "") for m in each.methods if m.name == name}
        if kinds:
            return kinds.pop() if len(kinds) == 1 else None
    return None


def calls_of(view: View, owner: Class, method: Method) -> list[Call]:
    """Calls in the test that may be calls of this method, judged by name and receiver type.

    Stubs and checks of mocks are none.
    """
    named = view.called.get(method.name)
    if named is None:
        return _NO_CALLS
    key = (owner.type.name, method.name, method.constructor)
    if key not in view.meant:
        view.meant[key] = [
            c
            for c in named
            if c.constructor == method.constructor
            and not on_mock(c)
            and (c.constructor or _may_be_on(view, c, owner.name))
        ]
    return view.meant[key]


_NO_CALLS: list[Call] = []


def _may_be_on(view: View, call: Call, owner: str) -> bool:
    known = type_of(view, call.receiver) if call.receiver else None
    if known is None or known in view.family or known == owner or len(known) == 1:
        return True
    if known in ("Object", "var") or any(known in c.parents for c in view.focal):
        return True
    # A test's own stand-in that is derived from the focal class counts too.
    below = {name for c in view.project.all(known)[:3] for name in c.parents}
    return owner in below or not view.family.isdisjoint(below)


def overload(view: View, named: list[Candidate]) -> Candidate:
    """The overload that the test calls: by arity, then by the argument types the text shows."""
    if len(named) == 1:
        return named[0]
    words = set(words_of(view.test.method.name))

    def score(candidate: Candidate) -> float:
        owner, method = candidate
        best = max((fits(view, c, method) for c in calls_of(view, owner, method)), default=-9.0)
        said = sum(not words.isdisjoint(words_of(p.simple_type)) for p in method.parameters)
        return best + 0.3 * min(said, 1)

    return max(named, key=score)


_WIDER = {
    "int": ("long", "Integer", "double", "float", "short", "byte", "Number"),
    "long": ("Long", "double", "Number"),
    "double": ("Double", "Number"),
    "float": ("double", "Float", "Number"),
    "char": ("int", "Character"),
    "boolean": ("Boolean",),
    "String": ("CharSequence", "Comparable"),
    "Class": ("Type",),
    "ArrayList": ("List", "Collection", "Iterable"),
    "LinkedList": ("List", "Collection", "Iterable", "Deque"),
    "List": ("Collection", "Iterable"),
    "HashSet": ("Set", "Collection", "Iterable"),
    "Set": ("Collection", "Iterable"),
    "HashMap": ("Map",),
    "LinkedHashMap": ("Map",),
    "TreeMap": ("Map",),
}


def fits(view: View, call: Call, method: Method) -> float:
    """How well a call's arguments fit a method's parameters; -9 for another arity."""
    if call.reference:
        return 0.0
    wanted = [p.simple_type for p in method.parameters]
    given = [_resolved(view, kind) for kind in call.arguments]
    varargs = bool(wanted) and wanted[-1].endswith("...")
    if varargs:
        last = wanted.pop().removesuffix("...")
        if [g.removesuffix("[]") for g in given[len(wanted) :]] != given[len(wanted) :]:
            last += "[]"  # an array in the place of the variable arguments
        wanted += [last] * max(0, len(given) - len(wanted))
    if len(wanted) != len(given):
        return -9.0
    score = 0.5 if varargs else 1.0
    return score + sum(_fit(view, have, want) for have, want in zip(given, wanted, strict=True))


def _resolved(view: View, kind: str) -> str:
    if not kind.startswith("?"):
        return kind
    return (type_of(view, kind[1:]) if len(kind) > 1 else None) or "?"


def _fit(view: View, have: str, want: str) -> float:
    if have == want:
        return 1.0
    if have == "?":
        return 0.0
    if have == "null":
        return -2.0 if want in PRIMITIVES else 0.2
    if have == "->":
        return 0.5 if want not in PRIMITIVES and want != "String" else -1.0
    if want in _WIDER.get(have, ()):
        return 0.5
    if want == "Object" or len(want) == 1:
        return 0.3
    if have in PRIMITIVES or want in PRIMITIVES or "String" in (have, want):
        return -1.0
    one = view.project.nearest(have, view.test.path)
    family = view.project.with_parents(one) if one else []
    if any(want == c.name or want in c.parents for c in family):
        return 0.7
    if family:
        return -0.5
    return 0.2 if have.endswith(want) else 0.0  # as ByteArrayOutputStream is an OutputStream
