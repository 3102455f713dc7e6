"""What JUnit 5's annotations hold, and what they give to the parameters of a test."""

from __future__ import annotations

from personalizer.engine.monitor.declarations import Declarations
from personalizer.engine.monitor.java_types import java_name
from personalizer.engine.monitor.kinds import PRIMITIVES
from personalizer.engine.monitor.parts import PACKAGES

__all__ = ["ELEMENTS", "FACTORIES", "OF_ONE", "VALUES_OF", "may_be_made", "names_factory"]

VALUES_OF = {f"{name}s": name for name in PRIMITIVES - {"void"}} | {
    "classes": "Class",
    "strings": "String",
}
"""Types of the values that ``@ValueSource`` holds, by what it calls them."""
OF_ONE = frozenset({"EnumSource", "ValueSource"})
"""What gives a test one parameter; an extension may give it more."""
FACTORIES = "MethodSource"
_OF_CSV = "delimiter delimiterString emptyValue ignoreLeadingAndTrailingWhitespace \
maxCharsPerColumn nullValues quoteCharacter useHeadersInDisplayName commentCharacter"
ELEMENTS = {
    name: frozenset(told.split())
    for name, told in {
        "ArgumentsSource": "value",
        "CsvFileSource": f"encoding files lineSeparator numLinesToSkip resources {_OF_CSV}",
        "CsvSource": f"textBlock value {_OF_CSV}",
        "EnumSource": "from mode names to value",
        "MethodSource": "value",
        "ParameterizedTest": "allowZeroInvocations argumentCountValidation autoCloseArguments "
        "name quoteTextArguments",
        "RepeatedTest": "failureThreshold name value",
        "ValueSource": " ".join(VALUES_OF),
    }.items()
}
"""What can be said in an annotation, by its name."""
_FROM_TEXT = frozenset(
    {"Character", "Charset", "Class", "Currency", "Locale", "Path", "URI", "URL", "UUID"}
)


def may_be_made(declared: Declarations, wanted: str, given: str) -> bool:
    """Whether a parameter of one type can be given a value of another; true unless surely not.

    Texts are made into enum constants, numbers and all that a constructor or a static method
    makes of one text (JUnit 5's user guide, "Implicit Conversion").
    """
    if declared.accepts(wanted, given):
        return True
    if given != "String" or wanted.endswith("[]"):
        return False
    kind = declared.kind(wanted)
    if kind is None or kind.enum or kind.open:
        return True
    time = java_name(wanted).startswith("java.time.")
    if kind.constructors is None and not kind.abstract:
        return True
    of_text = [one for one in kind.constructors or () if one.parameters == ("String",)]
    made = [one for each in kind.methods.values() for one in each if one.static]
    made = [one for one in made if one.parameters == ("String",) and one.returns in (wanted, "")]
    return time or wanted in _FROM_TEXT or bool(of_text or made)


def names_factory(declared: Declarations, text: str) -> bool:
    """Whether a literal, which may go on, can name a method that gives a test its values."""
    this = declared.kind(declared.this)
    name = text[1:]
    if "." in name or "\\" in name or this is None or this.open:
        return True
    if name.endswith('"'):
        return name[:-1] in this.methods or name == '"'
    packages = PACKAGES | declared.packages
    return any(one.startswith(name) for one in (*this.methods, *packages))
