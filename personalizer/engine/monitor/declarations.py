"""What code may use where a completion will stand: types with their members, fields, methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from personalizer.engine.monitor.java_types import java_kind
from personalizer.engine.monitor.kinds import Kind, Signature

__all__ = ["Declarations"]


@dataclass(frozen=True, slots=True)
class Declarations:
    """What is declared around a completion."""

    kinds: Mapping[str, Kind]
    """By a key that no other type of the project has, and that holds a ``#``."""
    names: Mapping[str, str]
    """What a simple name means there."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Of the class that it will stand in: type by name."""
    methods: Mapping[str, tuple[Signature, ...]] = field(default_factory=dict)
    """Of that class, by name; others may be there too."""
    calls: frozenset[str] | None = None
    """What can be called without a receiver beside its methods; None where not all is known."""
    closed: bool = False
    """Whether a variable that is not among the fields must be declared by the method."""
    types: frozenset[str] | None = None
    """Simple names that types can have there; None where not all are known."""
    packages: frozenset[str] = frozenset()
    """First parts of full names, beside those that are usual."""
    before: str = ""
    """What stands before the completion: a method up to there; nothing for a whole method."""
    this: str = ""
    """That class; nothing while it is not there."""

    def kind(self, name: str) -> Kind | None:
        """A type of the project or of Java's library; None where it is not known."""
        return self.kinds.get(name) if "#" in name else java_kind(name)

    def accepts(self, wanted: str, given: str) -> bool:
        """Whether a value of a type can stand where another is wanted; true unless surely not.

        Example:
            >>> nothing = Declarations({}, {})
            >>> nothing.accepts("long", "int"), nothing.accepts("byte[]", "String")
            (True, False)
        """
        if given == "void":
            return False
        if not wanted or not given or wanted in ("Object", given):
            return True
        if given == "null":
            return wanted not in _WIDER
        number = _UNBOXED.get(given, given)
        if number in _WIDER:
            return wanted in (_BOXES[number], *_WIDER[number], *_ABOVE_NUMBERS)
        if wanted in _WIDER or given == "Object":
            return False
        if wanted.endswith("[]"):
            return given.endswith("[]") and self.accepts(wanted[:-2], given[:-2])
        if given.endswith("[]"):
            return wanted in _ABOVE_ARRAYS
        if "String" in (wanted, given):
            return wanted in _ABOVE_STRING and given == "String"
        kind = self.kind(given)
        if kind is None:  # none of Java's own extends one of the project
            return "#" in given or "#" not in wanted
        return kind.open or wanted in kind.above

    def reckoned(self, left: str, sign: str, right: str) -> str | None:
        """The type of what ``+``, ``-``, ``*``, ``/`` or ``%`` makes of two values (JLS 15.18).

        Returns:
            Nothing where it is not known; None where the two cannot stand there.

        Example:
            >>> nothing = Declarations({}, {})
            >>> nothing.reckoned("int", "+", "long"), nothing.reckoned("char", "+", "String")
            ('long', 'String')
            >>> nothing.reckoned("Locale", "+", "int") is None
            True
        """
        if sign == "+" and "String" in (left, right):
            return None if "void" in (left, right) else "String"
        others = [one for one in (left, right) if not self.accepts("double", one)]
        if others:
            text = sign == "+" and "void" not in others and "" in (left, right)
            return "String" if text else None
        if not left or not right:
            return ""
        numbers = ("int", "long", "float", "double")
        return next(one for one in numbers if self.accepts(one, left) and self.accepts(one, right))

    def may_be_cast(self, to: str, given: str) -> bool:
        """Whether a value of a type can be cast to another class or interface, unless surely not.

        Example:
            >>> Declarations({}, {}).may_be_cast("Integer", "String")
            False
        """
        if self.accepts(to, given) or self.accepts(given, to):
            return True
        kinds = self.kind(to), self.kind(given)
        if None in kinds or given == "String":
            return given != "String" or kinds[0] is None
        return any(one is not None and (one.abstract or one.open) for one in kinds)


_NUMBERS = ("byte", "short", "int", "long", "float", "double")
_WIDER = {
    **{name: _NUMBERS[place:] for place, name in enumerate(_NUMBERS)},
    "char": ("char", *_NUMBERS[2:]),
    "boolean": ("boolean",),
}
_BOXES = {name: name.capitalize() for name in _WIDER} | {"int": "Integer", "char": "Character"}
_UNBOXED = {box: name for name, box in _BOXES.items()}
_ABOVE_NUMBERS = frozenset({"Number", "Comparable", "Serializable", "Constable", "ConstantDesc"})
_ABOVE_ARRAYS = frozenset({"Cloneable", "Serializable"})
_ABOVE_STRING = frozenset(
    {"CharSequence", "Comparable", "Serializable", "Constable", "ConstantDesc"}
)
