"""Which names may stand where a Java method has come to."""

from __future__ import annotations

from bisect import bisect_left
from itertools import chain

from personalizer.engine.monitor.arguments import (
    gives_nothing,
    may_begin,
    may_begin_value,
    names_parameters,
    takes_nothing,
    wanted_next,
)
from personalizer.engine.monitor.kinds import PRIMITIVES, Kind
from personalizer.engine.monitor.parts import (
    ARITHMETIC,
    BEFORE_LABELS,
    BEFORE_LAMBDAS,
    BEFORE_NEW_NAMES,
    BEHIND_TYPES,
    NO_STATEMENTS,
    NO_VARIABLES,
    PACKAGES,
    VALUES,
    WORDS,
    Frame,
    Variable,
    begins_name,
    is_constant,
    may_be_inner,
)
from personalizer.engine.monitor.sources import FACTORIES, names_factory
from personalizer.engine.monitor.sums import Sums

__all__ = ["Names"]

_LONG = 50
"""Letters: in the tests of 22 projects 107 of 190,011 variables have more."""


class Names(Sums):
    """What a name there may be: a judge of words, which may go on."""

    def _may_begin(self, kind: str, *, sums: bool = True) -> bool:
        """Whether a literal can stand here, if an argument begins with it."""
        if self._before in ARITHMETIC and kind in ("boolean", "null"):
            return False
        frame = self._frames[-1] if self._frames else Frame("{")
        if self._before == "+" and frame.sum is not None:
            value = "int" if kind == "number" else kind
            return self._declared.reckoned(frame.sum, "+", value) is not None
        if frame.void and self._before == "->":
            return kind == "String"
        before = self._before_sign if self._before == "-" else self._before
        return before not in ("(", ",") or may_begin(self._declared, frame, kind, sums=sums)

    def _begins_value(self, kind: str, *, sums: bool = True) -> bool:
        """Whether the value of the variable before a ``=``, if one stands there, may begin so."""
        named = self._before_sign == "]" or begins_name(self._before_sign)
        if self._before != "=" or not named:
            return True
        given = self._wanted if self._given and self._is_given(len(self._frames)) else None
        wanted = given[0] if given else self._assigned
        return may_begin_value(self._declared, wanted, kind, sums=sums)

    def _may_hold(self, literal: str) -> bool:
        """Whether an annotation may hold a text, which may go on."""
        of_tests = any(one.role == "annotation" and one.type == FACTORIES for one in self._frames)
        whole = of_tests and self._before != "+"
        return not whole or names_factory(self._declared, literal)

    def _may_become(self, word: str, *, ended: bool = False) -> bool:
        """Whether a name behind a dot or ``::`` can end as one that is there."""
        of_array = self._value.endswith("[]") and not self._static
        kind = self._declared.kind("Object" if of_array else self._value)
        if self._before == "::" and kind is not None and not self._has_unseen(self._value, kind):
            names = ("new", *kind.methods)
            if not ended or word == "new":
                return any(name.startswith(word) for name in names)
            signatures = kind.methods.get(word, ())
            frame = self._frames[-1] if self._frames else Frame("{")
            if frame.role == "call" and gives_nothing(wanted_next(frame)):
                return any(takes_nothing(one, static=self._static) for one in signatures)
            return bool(signatures)
        if self._before == "@":
            return self._may_annotate(word, ended=ended)
        if self._before != "." or self._annotated or self._making or kind is None:
            return True
        if self._has_unseen(self._value, kind):
            return True
        if self._static and may_be_inner(word, self._value):
            return True
        made = ["new"] if kind.inner and not self._static else []
        own = ("class", "super", "this", *kind.constants) if self._static else kind.fields
        if of_array:
            own = ("length", "clone")
        called = (
            name
            for name, signatures in kind.methods.items()
            if not self._static or any(one.static for one in signatures)
        )
        known = chain(made, own, kind.inner, called)
        return any(name == word if ended else name.startswith(word) for name in known)

    def _may_annotate(self, word: str, *, ended: bool) -> bool:
        """Whether a name behind ``@`` can end as a type's that is there."""
        types = self._declared.types
        if types is None or word[0].islower() or self._in_class or self._own_types:
            return True
        return word in types if ended else self._begins_known or word in types

    @property
    def _is_named_anew(self) -> bool | None:
        """Whether a word here may be a new name, as the parameter of a lambda; None if hardly."""
        frame = self._frames[-1] if self._frames else Frame("(")
        before = self._before
        if self._typed or before in BEFORE_NEW_NAMES:
            return True
        if before == "=" and (self._before_sign == "]" or begins_name(self._before_sign)):
            return names_parameters(self._declared, [self._wanted[0] if self._wanted else ""])
        if before in ("(", ",") and frame.role == "call":
            wanted = wanted_next(frame)
            return frame.signatures is None or names_parameters(self._declared, wanted)
        if before in ("(", ",") and frame.role in ("annotation", "header"):
            return True
        if before in ("(", ",") and frame.sign == "(" and frame.role == "":
            return None
        seldom = before in BEFORE_LABELS or (before in BEFORE_LAMBDAS and not frame.void)
        return None if seldom else False

    def _is_known(self) -> bool:
        """Whether a name that is there begins as the text ends; true where not all are known."""
        declared, prefix = self._declared, self._tail
        if (
            not declared.closed
            or declared.types is None
            or declared.calls is None
            or self._own_types
            or self._in_class
            or self._in_pattern
            or not any(frame.sign == "{" for frame in self._frames)
        ):
            return True
        if self._begins_known:
            return True
        frame = self._frames[-1]
        argument = frame.role == "call" and self._before in ("(", ",", "->")
        words = NO_STATEMENTS if argument or self._before == "=" else WORDS
        if any(word.startswith(prefix) for word in words - (PRIMITIVES if frame.void else set())):
            return True
        return any(one.name.startswith(prefix) for one in self._variables) or any(
            word.startswith(prefix) and self._may_begin(kind) for word, kind in VALUES.items()
        )

    @property
    def _begins_known(self) -> bool:
        """Whether what is there beside the method's own variables begins as the text ends."""
        place = bisect_left(self._known, self._tail)
        return place < len(self._known) and self._known[place].startswith(self._tail)

    @property
    def _is_long(self) -> bool:
        """Whether a new name, but the method's own, is longer than hardly any."""
        return len(self._tail) > _LONG and bool(self._frames) and not self._begins_known

    def _is_hidden(self, name: str, variable: Variable | None) -> bool:
        """Whether a class that is written may inherit a field of the name of a variable around."""
        level = variable.level if variable is not None else 0
        for frame in (one for one in self._frames[level:] if one.role == "class"):
            kind = self._declared.kind(frame.made or "")
            if kind is not None and (
                name in kind.fields or self._has_unseen(frame.made or "", kind)
            ):
                return True
            if kind is None and frame.type:
                return True
        return False

    def _cannot_call(self, name: str) -> bool:
        """Whether a method without a receiver is not there, or is the one that is written."""
        this, calls = self._declared.kind(self._declared.this), self._declared.calls
        if self._in_class or (self._declared.this and (this is None or this.open)):
            return False
        itself = name == self._itself and not self._declared.before
        return itself or (calls is not None and name not in calls)

    @property
    def _is_value(self) -> bool:
        """Whether what stands here is a value: an argument, and no part of a pattern."""
        frame = self._frames[-1] if self._frames else Frame("{")
        return frame.sign == "(" and frame.role == "call" and not self._in_pattern

    def _is_nothing(self, word: str, following: str) -> bool:
        """Whether a name that nobody declares is used as a variable, or as a lambda's parameter."""
        frame = self._frames[-1] if self._frames else Frame("(")
        types = self._declared.types
        if (
            not self._declared.closed
            or not word[0].islower()
            or word in NO_VARIABLES
            or following == "->"
            or (begins_name(following) and following != "instanceof")
            or frame.sign == "<"
            or self._in_class
            or self._own_types
            or self._in_pattern
            or self._before_word in ("break", "continue")
            or (following in BEHIND_TYPES and (types is None or word in types))
            or (following == ":" and self._before_word in BEFORE_LABELS)
        ):
            return False
        if following == "=" and frame.sign == "(" and frame.role == "":
            return False  # @shop.Timed(unit = …)
        package = word in PACKAGES or word in self._declared.packages
        return following != "." or not (package or self._before_word == "final")

    def _names_parameter(self, following: str) -> bool:
        """Whether a name may be one of a lambda's, in brackets of their own."""
        plain = bool(self._frames) and self._frames[-1].sign == "(" and self._frames[-1].role == ""
        return plain and following in (",", ")")

    def _is_no_type(self, word: str, following: str) -> bool:
        """Whether a name is written as a type's or a constant's and is none's."""
        types, calls = self._declared.types, self._declared.calls
        constant = is_constant(word)
        return (
            types is not None
            and word not in types
            and word[0].isupper()
            and (len(word) > 2 or following == ".")  # a type variable
            and bool(self._frames)
            and following != "->"
            and not (following == ":" and self._before_word in BEFORE_LABELS)
            and self._before_word not in ("break", "continue")
            and not self._in_class
            and not self._in_pattern
            and word not in self._own_types
            and not (constant and (not self._declared.closed or calls is None or word in calls))
        )

    def _meaning(self, word: str) -> str:
        return "" if word in self._own_types else self._declared.names.get(word, "")

    def _has_unseen(self, name: str, kind: Kind) -> bool:
        """Whether a type may have members that are not told, as what Java's own protect."""
        own = f"{self._declared.this}.".startswith(f"{name}.")  # or a class around it
        return kind.open or (own and any("#" not in one for one in kind.above - {"Object"}))
