"""The syntax of Gradle scripts, Groovy and Kotlin alike: a script as the calls that it makes.

Nothing is run: what stands in a condition or a loop counts as if it were called once. Total, and
linear: any text gives calls, and what is not understood is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = ["Call", "calls_of", "texts_of"]


class Call(NamedTuple):
    """A call, an assignment or a value; what is assigned to a name is given to it as an argument.

    Example:
        >>> [one.path for one in calls_of("sourceSets { main.java.srcDirs = ['src'] }")]
        [('sourceSets',), ('sourceSets', 'main', 'java', 'srcDirs')]
    """

    path: tuple[str, ...]
    """Names from the outside in, those of the blocks around included; empty for text and lists."""
    arguments: tuple[Call, ...] = ()
    """With their own paths; the elements of a list."""
    block: tuple[Call, ...] = ()
    """What stands in the braces after it."""
    text: str | None = None
    """A string's, without quotes; what it puts in stands there as ``$name`` or ``${name}``."""
    sign: str = ""
    """What binds a name to its value: ``=``, ``+=``, ``:`` or ``by``; empty for others."""


def calls_of(script: str) -> list[Call]:
    """The calls of a script, those in blocks too, in the order of the text."""
    return [call for one in _Parser(script).script() for call in _flat(one, ())]


def texts_of(calls: Iterable[Call]) -> Iterator[str]:
    """Every string in some arguments, those of lists and of calls in them too."""
    for one in calls:
        if one.text is not None:
            yield one.text
        yield from texts_of(one.arguments)


_SEEN_THROUGH = frozenset(
    {
        *("if", "for", "each", "forEach", "all", "configureEach", "withType", "matching"),
        *("apply", "also", "with", "let", "run", "afterEvaluate"),
        *("get", "named", "getByName", "create", "register", "maybeCreate"),
        *("getting", "creating", "existing", "registering", "String"),
    }
)
"""Names that say no more than those around them."""


def _flat(call: Call, above: tuple[str, ...]) -> Iterator[Call]:
    path = (*above, *(name for name in call.path if name not in _SEEN_THROUGH))
    if len(path) > 1 and path[-1] == "set" and len(call.arguments) == 1:  # of a property
        path = path[:-1]
    if call.path and call.path[-1] not in _SEEN_THROUGH:
        yield call._replace(path=path)
    within = path + _selected(call.arguments[:1])
    for one in call.block:
        yield from _flat(one, within)
    listed = (one.arguments if one.path == () else () for one in call.arguments)
    for one in (*call.arguments, *(inner for some in listed for inner in some)):
        if one.sign or one.block:
            yield from _flat(one, path)


def _selected(arguments: tuple[Call, ...]) -> tuple[str, ...]:
    """What a call like ``getByName("main")`` names."""
    text = arguments[0].text if len(arguments) == 1 else None
    return () if text is None else (text,)


# ---------------------------------------------------------------- parsing

_TOKEN = re.compile(
    r"""
    (?P<blank> (?: [^\S\n] | \\\r?\n | //[^\n]* | /\*.*?(?:\*/|\Z) | (?<=\w)<[\w.,*?\ ]*> )+ )
    | (?P<line> [\n;] )
    | (?P<text> \"{3}.*?(?:\"{3}|\Z) | '{3}.*?(?:'{3}|\Z)
        | "(?: \\. | \$\{[^{}\n]*\} | [^"\\\n] )*"? | '(?: \\. | [^'\\\n] )*'? )
    | (?P<name> [\w$]+ | `[^`\n]*` )
    | (?P<sign> [-+*/%=!<>]= | -> | \?\. | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_BINDING = ("=", "+=", ":", "by")
_LEADING = frozenset({"new", "def", "val", "var", "final", "const", "else", "return"})
"""Words before a call that tell nothing of it."""
_INFIX = frozenset({"in", "as", "is", "instanceof", "to", "by"})
_CLOSING = {"(": ")", "[": "]"}
_DEEPEST = 25
"""Calls in calls, and names in a row, that are read: real scripts have ten."""


class _Token(NamedTuple):
    kind: str
    text: str
    glued: bool
    """Whether no blank stands before it."""


def _tokens(script: str) -> Iterator[_Token]:
    glued = False
    for match in _TOKEN.finditer(script):
        kind = str(match.lastgroup)
        if kind != "blank":
            yield _Token(kind, match[0], glued)
        glued = kind != "blank"
    yield _Token("end", "", False)


class _Parser:
    """Reads expressions from the left; whoever cannot go on passes over one token."""

    def __init__(self, script: str) -> None:
        self._tokens = list(_tokens(script))
        self._at = 0
        self._depth = 0

    @property
    def _now(self) -> _Token:
        return self._tokens[self._at]

    def _next(self) -> _Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _skip_lines(self) -> None:
        while self._now.kind == "line":
            self._at += 1

    def script(self) -> list[Call]:
        found = self._statements()
        while self._now.kind != "end":
            self._at += 1  # a brace that closes nothing
            found += self._statements()
        return found

    def _statements(self) -> list[Call]:
        found = []
        while self._now.kind != "end" and self._now.text != "}":
            before = self._at
            call = self._statement()
            if call is not None:
                found.append(call)
            elif self._at == before:
                self._at += 1
        return found

    def _statement(self) -> Call | None:
        call = self._expression()
        if call and call.path and not (call.arguments or call.block or call.sign):
            now = self._now
            if now.text == "[" or (now.kind in ("text", "name") and now.text not in _INFIX):
                return call._replace(arguments=self._listed())
        return call

    def _listed(self) -> tuple[Call, ...]:
        """The arguments of a call without parentheses."""
        found = []
        while call := self._expression():
            found.append(call)
            if self._now.text != ",":
                break
            self._at += 1
            self._skip_lines()
        return tuple(found)

    def _expression(self) -> Call | None:
        if self._depth == _DEEPEST:
            return None
        self._depth += 1
        call = self._chain()
        while call and self._now.text == "+":
            self._at += 1
            self._skip_lines()
            call = _joined(call, self._chain())
        path = call and _named(call)
        if path and self._now.text in _BINDING:
            sign = self._next().text
            self._skip_lines()
            value = self._expression()
            call = Call(path, (value,) if value else (), sign=sign)
        self._depth -= 1
        return call

    def _chain(self) -> Call | None:
        """A value and the calls that are made on it."""
        while self._now.text in _LEADING:
            self._at += 1
        now = self._now
        if now.kind == "text":
            self._at += 1
            call = Call((), text=_unquoted(now.text))
        elif now.kind == "name":
            self._at += 1
            call = Call((now.text.strip("`"),))
        elif now.text in _CLOSING:
            call = Call((), self._group())
        elif now.text == "{":
            return Call((), block=self._block())
        else:
            return None
        while len(call.path) < _DEEPEST and (more := self._further(call)):
            call = more
        return call

    def _further(self, call: Call) -> Call | None:
        """A value with the next call that is made on it; None where there is none."""
        now, path = self._now, _named(call)
        if now.text == "(" and path:
            return Call(path, self._group(), call.block)
        if now.text == "[" and now.glued and call.path:
            index = self._group()
            return Call(path + (_selected(index) or tuple(n for i in index for n in i.path)))
        if now.text == "{" and path:
            named = call if call.path else Call(path)
            return named._replace(block=call.block + self._block())
        before = self._at
        self._skip_lines()
        if self._now.text in (".", "?."):
            self._at += 1
            if self._now.kind in ("name", "text"):
                name = self._next()
                plain = _unquoted(name.text) if name.kind == "text" else name.text.strip("`")
                return Call((*path, plain), block=call.block)
        self._at = before
        return None

    def _group(self) -> tuple[Call, ...]:
        """What stands in parentheses or brackets."""
        closing = _CLOSING[self._next().text]
        found = []
        while self._now.kind != "end" and self._now.text not in (closing, "}"):
            before = self._at
            call = self._expression()
            if call is not None:
                found.append(call)
            elif self._at == before:
                self._at += 1
        if self._now.text == closing:
            self._at += 1
        return tuple(found)

    def _block(self) -> tuple[Call, ...]:
        self._at += 1
        found = self._statements()
        if self._now.text == "}":
            self._at += 1
        return tuple(found)


def _named(call: Call) -> tuple[str, ...]:
    """The path to what is called on a value: ``"main" { }`` is ``main { }``."""
    if call.path:
        return call.path + _selected(call.arguments)
    return () if call.text is None else (call.text,)


def _joined(left: Call, right: Call | None) -> Call:
    """Two texts as one; a name is put into it."""
    if left.text is None or right is None:
        return left
    more = f"${{{'.'.join(right.path)}}}" if right.text is None else right.text
    return Call((), text=left.text + more)


def _unquoted(text: str) -> str:
    quotes = text[:3] if text[:3] in ('"""', "'''") else text[:1]
    return text.removeprefix(quotes).removesuffix(quotes)
