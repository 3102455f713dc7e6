"""What may be given to a call, a variable or a loop, as far as the types are known."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from personalizer.engine.monitor.declarations import Declarations
from personalizer.engine.monitor.java_types import java_kind, java_name, java_results
from personalizer.engine.monitor.kinds import PRIMITIVES, Signature
from personalizer.engine.monitor.parts import Frame

__all__ = [
    "EACH",
    "gives_nothing",
    "is_functional",
    "is_of_statements",
    "left_by",
    "left_by_function",
    "may_be_given",
    "may_begin",
    "may_begin_value",
    "may_come_of",
    "names_parameters",
    "takes_nothing",
    "wanted_next",
]

EACH = "for each"
"""What a loop goes through: an array or what can be iterated over."""
_RUN = frozenset({"Executable", "Runnable", "ThrowingRunnable"})
_OF_STATEMENTS = _RUN | {"BiConsumer", "Consumer"}
"""Types of lambdas that give nothing."""
_WITHOUT_PARAMETERS = _RUN | {
    *("BooleanSupplier", "Callable", "DoubleSupplier", "IntSupplier", "LongSupplier", "Supplier")
}
_LAMBDAS = frozenset({"Callable", "Comparator", "Runnable"})
"""Functional interfaces outside ``java.util.function``."""
_SMALL = frozenset({"byte", "short", "char", "Byte", "Short", "Character"})


def wanted_next(frame: Frame) -> Iterator[str]:
    """The types that a call takes for the argument that is written."""
    for each in frame.signatures or ():
        if _takes(each, frame.arguments, exactly=False):
            yield from _at(each, frame.arguments)


def left_by(
    declared: Declarations, frame: Frame, given: str, *, last: bool
) -> tuple[Signature, ...]:
    """The signatures of a call that an argument of a type leaves; ``last``: no other follows."""
    count = frame.arguments + (0 if frame.empty else 1)
    return tuple(
        each
        for each in frame.signatures or ()
        if _takes(each, count, exactly=last)
        and (not count or any(declared.accepts(w, given) for w in _at(each, count - 1)))
    )


def left_by_function(declared: Declarations, frame: Frame) -> tuple[Signature, ...]:
    """The signatures of a call that a lambda or a method reference leaves."""

    def fits(wanted: str) -> bool:
        return is_functional(declared, wanted) or (wanted == "Object" and frame.cast)

    return tuple(
        each
        for each in frame.signatures or ()
        if _takes(each, frame.arguments, exactly=False)
        and any(map(fits, _at(each, frame.arguments)))
    )


def is_functional(declared: Declarations, wanted: str) -> bool:
    """Whether a type may be a functional interface."""
    kind = declared.kind(wanted)
    plain = wanted in PRIMITIVES or (wanted.endswith("[]") and wanted != "[]")
    return not plain and (kind is None or kind.abstract)


def is_of_statements(wanted: Iterable[str]) -> bool:
    """Whether lambdas of all these types give nothing, so that they hold a statement."""
    return all(one in _OF_STATEMENTS for one in wanted)


def names_parameters(declared: Declarations, wanted: Iterable[str]) -> bool | None:
    """Whether a lambda that names its parameters may be one of some types; None if hardly."""
    types = {one for one in wanted if is_functional(declared, one)}
    if types - {"", *_WITHOUT_PARAMETERS}:
        return True
    return None if "" in types else False


def gives_nothing(wanted: Iterable[str]) -> bool:
    """Whether what is written is run by one of some types, all of which give it nothing."""
    types = set(wanted)
    return bool(types) and types <= _WITHOUT_PARAMETERS


def takes_nothing(one: Signature, *, static: bool) -> bool:
    """Whether a reference to a method can be run without giving it anything.

    Args:
        one: The method.
        static: A type stands before it, no object.
    """
    needs = [kind for kind in one.parameters if not kind.endswith("...")]
    return not needs and (one.static or not static)


def may_begin(declared: Declarations, frame: Frame, literal: str, *, sums: bool) -> bool:
    """Whether an argument can begin with a literal: it, or what can be made of it, must fit.

    Args:
        declared: What may be used.
        frame: A call.
        literal: A type, ``null``, or ``number`` where the next letter tells of what kind.
        sums: A text may be added, which nobody does to a number that stands first.
    """
    return frame.signatures is None or any(
        _takes_lambda(wanted)
        or any(declared.accepts(wanted, one) for one in _made_of(literal, sums=sums))
        for wanted in wanted_next(frame)
    )


def may_be_given(declared: Declarations, wanted: str, given: str) -> bool:
    """Whether a variable of one type, or a loop, may be given a value of another."""
    if wanted == EACH:
        return given.endswith("[]") or declared.accepts("Iterable", given)
    constant = given in ("byte", "short", "int", "char") and wanted in _SMALL
    return constant or declared.accepts(wanted, given)


def may_begin_value(declared: Declarations, wanted: str, literal: str, *, sums: bool) -> bool:
    """Whether the value of a variable can begin with a literal, as ``may_begin`` has it.

    Example:
        >>> nothing = Declarations({}, {})
        >>> [may_begin_value(nothing, one, "String", sums=True) for one in ("URL", "byte[]")]
        [False, True]
    """
    made = _made_of(literal, sums=sums)
    return any(may_be_given(declared, wanted, one) for one in made)


def may_come_of(declared: Declarations, wanted: str, made: str) -> bool:
    """Whether a value can begin with a new object of a type: it, or what its methods give, fits.

    Of what is not Java's own, or gives what its type arguments say, anything may come.

    Example:
        >>> nothing = Declarations({}, {})
        >>> [may_come_of(nothing, "Locale", one) for one in ("StringReader", "ArrayList")]
        [False, True]
    """
    kind = java_kind(made)
    if kind is None or any(not one.returns for each in kind.methods.values() for one in each):
        return True
    found = {made, "boolean", "String", *java_results(made)}
    return any(may_be_given(declared, wanted, one) for one in found)


def _made_of(literal: str, *, sums: bool) -> Collection[str]:
    """Types of what can begin with a literal: comparisons, sums, what its methods give.

    Example:
        >>> "Stream" in _made_of("String", sums=True), "Stream" in _made_of("char", sums=True)
        (True, False)
    """
    of_text = java_results("String") if literal == "String" else ()
    numbers = ("int", "long", "float", "double") if literal == "number" else (literal,)
    return {*numbers, "boolean", *of_text, *["String"] * sums}


def _takes_lambda(wanted: str) -> bool:
    """Whether a type is one that a method reference may stand for."""
    return java_name(wanted).startswith("java.util.function.") or wanted in _LAMBDAS


def _takes(one: Signature, count: int, *, exactly: bool) -> bool:
    """Whether it can be called with so many arguments, or with more than so many."""
    wanted = len(one.parameters)
    if one.parameters and one.parameters[-1].endswith("..."):
        return count >= wanted - 1 or not exactly
    return count == wanted if exactly else count < wanted


def _at(one: Signature, place: int) -> tuple[str, ...]:
    """What may stand in a place: of variable arguments one of them, or their array."""
    if place < len(one.parameters) - 1 or not one.parameters[-1].endswith("..."):
        return (one.parameters[place],)
    each = one.parameters[-1].removesuffix("...")
    return (each, each and f"{each}[]")
