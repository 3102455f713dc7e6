"""What is known of a Java method up to some letter: brackets, variables, the last value."""

from __future__ import annotations

from typing import Any

from personalizer.engine.monitor.declarations import Declarations
from personalizer.engine.monitor.parts import IN_TYPES, Frame, Variable, known_names

__all__ = ["State"]

_GOES_ON = ("else", "catch", "finally", "while")
"""What a statement goes on with after what looked like its end."""


_TWICE = frozenset("=&|")
"""Signs that compare where they stand twice."""
_COMPOUND = frozenset("+-*/%&|^<>")
"""What stands before the ``=`` of an assignment that is more than one."""


class State:
    """A method up to some letter.

    Args:
        declared: What it may use.
    """

    def __init__(self, declared: Declarations) -> None:
        self._declared = declared
        self._known = sorted(known_names(declared))
        self._frames: tuple[Frame, ...] = ()
        self._variables: tuple[Variable, ...] = ()
        self._own_types: tuple[str, ...] = ()
        self._tail = ""
        """The last lexical token while it may go on."""
        self._blank = ""
        """What was written since the last token, or comment, that has ended."""
        self._before = ""
        """The lexical token before."""
        self._word = ""
        """A name whose meaning the next token tells."""
        self._role = ""
        """Of it: ``member``, ``declared``, ``name``, or behind ``new`` ``made`` and ``inner``."""
        self._before_word = ""
        """The lexical token before it."""
        self._matching = False
        """Behind ``instanceof`` and ``case``, where patterns and constants stand."""
        self._value = ""
        """Type of the value, or the type itself, that was just written."""
        self._static = False
        """Whether it is the type itself."""
        self._type = ""
        """The type that a name would be declared with here."""
        self._typed = False
        """Whether a type was just written, so that a name would be declared."""
        self._called: Frame | None = None
        """What a bracket would open here."""
        self._making = False
        """Behind ``new``."""
        self._before_new = ""
        """The lexical token before that."""
        self._made = ""
        """The type whose constructor was just called."""
        self._wanted: tuple[str, int] | None = None
        """The type of a variable that is given a value, and the brackets around it."""
        self._given = False
        """Whether its ``=`` was read."""
        self._names: tuple[str, ...] = ()
        """Since the last round bracket was opened."""
        self._before_sign = ""
        """The lexical token before the last two."""
        self._annotated = False
        """Whether the name of an annotation is written."""
        self._class_begins = False
        self._inherits = False
        """Whether the class that begins extends or implements something."""
        self._before_call = False
        """Whether type arguments before the name of a call have just ended."""
        self._itself = ""
        """The name of the method, which does not call itself."""
        self._must = ""
        """The only lexical token that may follow."""
        self._assigned = ""
        """Type of what stands before a ``=`` that was just read."""
        self._source = ""
        """The type of the values that an annotation gives to the first parameter."""
        self._of_one = False
        """Whether an annotation gives the test one parameter."""
        self._cast = ""
        """The type in the brackets that were just closed."""
        self._odd = False
        """Whether the last piece opened a class's body, or an array, that does not fit there."""
        self._anonymous = ""
        """The type above a class that was just written; it may have more members."""
        self._final = False
        """Whether the variable that is declared keeps its value."""
        self._fixed = False
        """Whether what stands before a ``=`` does."""
        self._begun: Variable | None = None
        """That whose first value is written."""
        self._comments = 0
        """How many stand behind the last other token."""
        self._ended = False
        """Whether a statement has just ended, though an ``else`` may go on."""

    @property
    def _in_class(self) -> bool:
        """Whether a class stands around, so that other names may be there."""
        return any(frame.role == "class" for frame in self._frames)

    @property
    def _in_pattern(self) -> bool:
        """Whether a name is a constant, or part of a pattern."""
        return self._matching or (bool(self._frames) and self._frames[-1].role == "pattern")

    @property
    def _ended_value(self) -> str:
        """The type of the value that ends here; nothing where that is not known."""
        return "" if self._static else self._value or self._anonymous

    def _is_given(self, level: int) -> bool:
        """Whether the statement inside so many brackets gives a variable its value."""
        return self._wanted is not None and self._wanted[1] == level

    def _open(self, frame: Frame) -> None:
        self._frames += (frame,)
        self._value, self._static, self._typed, self._making = "", False, False, False
        if frame.sign == "(":
            self._names = ()

    def _close(self) -> Frame:
        frame, self._frames = self._frames[-1], self._frames[:-1]
        if self._wanted is not None and self._wanted[1] > len(self._frames):
            self._wanted = None
        self._is("")
        return frame

    def _leave_types(self, text: str = "") -> None:
        """What looked like ``<`` of type arguments was a comparison."""
        compared = False
        while self._frames and self._frames[-1].sign == "<" and text not in IN_TYPES:
            self._frames, compared = self._frames[:-1], True
        if compared:
            self._operator()

    def _leave_heads(self, following: str) -> None:
        """What the head of a loop, ``try`` or ``catch`` declares is gone behind its statement."""
        level, self._ended = len(self._frames), False
        if following not in _GOES_ON:
            left = (one for one in self._variables if not one.head or one.level < level)
            self._variables = tuple(left)

    def _forget(self) -> None:
        """What a statement or block declared is gone behind it; of its head nothing is sure."""
        level = len(self._frames)
        if self._frames and self._frames[-1].sign != "{":
            return
        self._ended = True
        fields = bool(self._frames) and self._frames[-1].role == "class"
        self._variables = tuple(
            one if one.once or one.level < level or fields else one._replace(type="")
            for one in self._variables
            if one.level <= level
        )

    def _is(self, kind: str) -> None:
        """A value of a type was written; nothing for one that is not known, or for none."""
        self._value, self._static, self._typed = kind, False, False

    def _operator(self) -> None:
        self._is("")
        self._top(alone=False, sum=None, product=None)

    def _begin_value(self) -> None:
        """What stands here is nothing yet."""
        self._top(alone=True, compared=False, sum=None, product=None)

    def _compare(self, text: str) -> None:
        """What an operator says of the value that it is part of."""
        if not self._frames or self._frames[-1].compared is None:
            return
        if text in ("!", "instanceof") or (text == self._before and text in _TWICE):
            self._top(compared=True)
        elif text in ("?", "->") or (text == "=" and self._before in _COMPOUND):
            self._top(compared=None)
        elif text == "+":
            self._top(compared=False)  # !one + "text"

    def _top(self, **changes: Any) -> None:
        if self._frames:
            self._frames = (*self._frames[:-1], self._frames[-1]._replace(**changes))
