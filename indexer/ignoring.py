"""What ignore files mean, as git reads them.

A pattern is asked about a path itself and never about a folder above it: nothing in a folder that
is ignored is read, whatever rules hold there. Paths are bytes, as git's are.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Rules", "read_rules"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What one ignore file says."""

    base: int
    """How many bytes of a path lead to the folder that it speaks of."""
    files: _Patterns
    folders: _Patterns

    def verdict(self, path: bytes, *, folder: bool) -> bool | None:
        """Whether a path is ignored; None where nothing is said about it.

        Args:
            path: Of something below the folder that the file speaks of.
            folder: Whether it is a folder.
        """
        return (self.folders if folder else self.files).verdict(path, self.base)


def read_rules(text: bytes, base: bytes = b"") -> Rules | None:
    """What the text of an ignore file says; None where it says nothing.

    Lines that match nothing in git (an open ``[``, a ``\\`` at the end) are passed by.

    Args:
        text: Of the file.
        base: The folder that it speaks of, as ``services/shop/``; empty for the top.

    Example:
        >>> rules = read_rules(b"*.log\\n!keep.log\\nbuild/\\n")
        >>> [rules.verdict(path, folder=False) for path in (b"a/b.log", b"keep.log", b"build")]
        [True, False, None]
    """
    lines = text.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    patterns = [found for line in lines if (found := _pattern(line.removesuffix(b"\r")))]
    if not patterns:
        return None
    files = _Patterns.of([pattern for pattern in patterns if not pattern.folders_only])
    return Rules(len(base), files, _Patterns.of(patterns))


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One line."""

    regex: bytes
    ignores: bool
    """Whether it ignores what it matches, or takes that back (``!``)."""
    folders_only: bool


@dataclass(frozen=True, slots=True)
class _Patterns:
    """The patterns of a file as one regular expression, so that the last that matches is found."""

    regex: re.Pattern[bytes]
    """A group for each pattern, the last first."""
    ignores: tuple[bool, ...]

    @classmethod
    def of(cls, patterns: Sequence[_Pattern]) -> _Patterns:
        turned = patterns[::-1]
        regex = b"|".join(b"(" + pattern.regex + b")" for pattern in turned) or b"(?!)"
        return cls(re.compile(regex, re.DOTALL), tuple(pattern.ignores for pattern in turned))

    def verdict(self, path: bytes, base: int) -> bool | None:
        found = self.regex.fullmatch(path, base)
        return self.ignores[found.lastindex - 1] if found and found.lastindex else None


def _pattern(line: bytes) -> _Pattern | None:
    """None for a line without a pattern, or with one that matches nothing."""
    if line.startswith(b"#"):
        return None
    glob = _without_spaces_behind(line)
    ignores = not glob.startswith(b"!")
    glob = glob.removeprefix(b"!")
    folders_only = glob.endswith(b"/")
    glob = glob.removesuffix(b"/")
    anywhere = b"/" not in glob
    regex = _translated(glob.removeprefix(b"/"))
    if not regex:
        return None
    return _Pattern(b"(?:.*/)?" + regex if anywhere else regex, ignores, folders_only)


def _without_spaces_behind(line: bytes) -> bytes:
    r"""A last space stays where it is written ``\ ``."""
    bare = line.rstrip(b" ")
    escaping = (len(bare) - len(bare.rstrip(b"\\"))) % 2
    return line[: len(bare) + escaping]


_CLASS_PART = rb"\[:[^\]]*:\]|(?:\\.|[^\\%b])-(?:\\.|[^\\\]])|\\.|[^\\%b]"
_FIRST, _LATER = _CLASS_PART % (b"", b""), _CLASS_PART % (rb"\]", rb"\]")
_TOKEN = re.compile(
    rb"(?P<folders>(?<![^/])\*{2,}/)"  # between slashes, or at an end
    rb"|(?P<anything>(?<![^/])\*{2,}(?=\\/|$))"
    rb"|(?P<name>\*+)"
    rb"|(?P<one>\?)"
    rb"|\[(?P<negated>[!^]?)(?P<parts>(?>%b)(?>%b)*+)\]"
    rb"|(?P<plain>\\.|[^\\\[])" % (_FIRST, _LATER),
    re.DOTALL,
)
_CLASS_PARTS = re.compile(_FIRST, re.DOTALL)


def _translated(glob: bytes) -> bytes | None:
    """The regular expression of a glob; None where it matches nothing.

    What stands before the last wildcard of a kind need never be matched elsewhere than where it is
    met first, which atomic groups say: else the time would grow with the power of the wildcards.
    """
    parts, at = [_Part("", [b""])], 0
    while at < len(glob):
        token = _TOKEN.match(glob, at)
        if token is None:
            return None
        at = token.end()
        if token.lastgroup in ("folders", "anything"):
            parts.append(_Part(token.lastgroup, [b""]))
        elif token.lastgroup == "name":
            parts[-1].pieces.append(b"")
        elif token.lastgroup == "one":
            parts[-1].pieces[-1] += b"[^/]"
        elif token.lastgroup == "plain":
            parts[-1].pieces[-1] += re.escape(token["plain"][-1:])
        else:
            members = _members(token["parts"])
            if members is None:
                return None
            if token["negated"]:
                members = set(range(256)) - members
            members.discard(ord("/"))
            written = b"[%b]" % b"".join(b"\\x%02x" % one for one in members)
            parts[-1].pieces[-1] += written if members else b"(?!)"
    first, *further = (_ACROSS[part.after] + part.within() for part in parts)
    inner = [b"(?>%b)" % one for one in further[:-1]]
    return b"".join([first, *inner, *further[-1:]])


_ACROSS = {"": b"", "folders": b"(?:.*?/)??", "anything": b".*?"}


class _Part(NamedTuple):
    """What stands between two wildcards that go across folders."""

    after: str
    """The first of the two; empty at the beginning."""
    pieces: list[bytes]
    """Regular expressions, between which any part of a name may stand."""

    def within(self) -> bytes:
        head, *further = self.pieces
        if not further:
            return head
        *inner, last = further
        return head + b"".join(b"(?>[^/]*?%b)" % one for one in inner) + b"[^/]*" + last


_CLASSES = {
    name: frozenset(members.encode())
    for name, members in {
        "alnum": string.ascii_letters + string.digits,
        "alpha": string.ascii_letters,
        "blank": " \t",
        "cntrl": "".join(map(chr, [*range(32), 127])),
        "digit": string.digits,
        "graph": string.ascii_letters + string.digits + string.punctuation,
        "lower": string.ascii_lowercase,
        "print": string.ascii_letters + string.digits + string.punctuation + " ",
        "punct": string.punctuation,
        "space": " \t\n\r",
        "upper": string.ascii_uppercase,
        "xdigit": string.hexdigits,
    }.items()
}


def _members(parts: bytes) -> set[int] | None:
    """The bytes in a bracket expression; None where it names a class that does not exist."""
    members: set[int] = set()
    for part in _CLASS_PARTS.findall(parts):
        if part.startswith(b"[:") and part.endswith(b":]"):
            named = _CLASSES.get(part[2:-2].decode("latin-1"))
            if named is None:
                return None
            members |= named
            continue
        first = part[1] if part[:1] == b"\\" else part[0]
        last = part[-1]
        members.add(first)  # also of a turned range
        members.update(range(first, last + 1))
    return members
