"""What stands before and behind Java's ``+``, ``-``, ``*``, ``/`` and ``%``, and what they make."""

from __future__ import annotations

from personalizer.engine.monitor.arguments import may_begin, may_begin_value
from personalizer.engine.monitor.parts import NO_VALUES, Frame, begins_name
from personalizer.engine.monitor.state import State

__all__ = ["Sums"]


class Sums(State):
    """What a value is that is written in several."""

    @property
    def _whole(self) -> str:
        """The type of all that stands here since the last comma; nothing if that is not known."""
        frame = self._frames[-1] if self._frames else Frame("{")
        if frame.compared:
            return "boolean"
        return (self._sum or "") if frame.alone and not frame.empty else ""

    @property
    def _behind_value(self) -> bool:
        """Whether a value was just written, so that a ``+`` or ``-`` adds to it."""
        before = self._before
        return before in ('"', ")", "]", "}") or (begins_name(before) and before not in NO_VALUES)

    @property
    def _product(self) -> str | None:
        """The type of the product that ends here; nothing if not known, None if there is none."""
        frame = self._frames[-1] if self._frames else Frame("{")
        value = "" if frame.cast else self._ended_value
        if frame.product is None:
            return value
        return self._declared.reckoned(frame.product, "*", value)

    @property
    def _sum(self) -> str | None:
        """The same of the sum."""
        frame, product = self._frames[-1] if self._frames else Frame("{"), self._product
        if frame.sum is None or product is None:
            return product
        return self._declared.reckoned(frame.sum, frame.added_by, product)

    def _reckon(self, sign: str) -> bool:
        """Whether what stands before a sign can be reckoned with."""
        self._leave_types(sign)
        left = self._sum if sign in ("+", "-") else self._product
        made = None if left is None else self._declared.reckoned(left, sign, "")
        if made is None:
            return False
        self._odd |= not self._may_give("String" if made == "String" else "number", sign)
        if sign in ("+", "-"):
            self._top(sum=left, added_by=sign, product=None, cast=False)
        else:
            self._top(product=left, cast=False)
        self._is("")
        return True

    def _may_give(self, kind: str, sign: str) -> bool:
        """Whether what is reckoned, and may be compared then, fits a variable or an argument."""
        frame = self._frames[-1] if self._frames else Frame("{")
        sums = sign == "+"
        if not frame.alone:
            return True
        if self._wanted is not None and self._is_given(len(self._frames)) and self._given:
            return may_begin_value(self._declared, self._wanted[0], kind, sums=sums)
        return frame.role != "call" or may_begin(self._declared, frame, kind, sums=sums)
