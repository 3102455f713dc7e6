"""Reads a Java method while it is written and says when it can no longer compile.

What a compiler would say of a whole method is known much earlier, where a name is written that its
type does not have: *monitor-guided decoding* (Agrawal et al., NeurIPS 2023, arXiv 2306.10763). The
reader knows tokens and brackets, no syntax tree, since the text ends in mid-expression; of what it
cannot type it thinks nothing.
"""

from __future__ import annotations

import copy
from itertools import takewhile

from indexer.languages.lexis import Token, tokens
from personalizer.engine.monitor.arguments import (
    EACH,
    is_of_statements,
    left_by,
    left_by_function,
    may_be_given,
    may_come_of,
    wanted_next,
)
from personalizer.engine.monitor.habits import COMMENTS, DEPTH, is_seldom
from personalizer.engine.monitor.kinds import PRIMITIVES, Signature
from personalizer.engine.monitor.names import Names
from personalizer.engine.monitor.parts import (
    ARITHMETIC,
    BEFORE_VALUES,
    BEHIND_DOTS,
    BEHIND_SUMS,
    GROUPS,
    IN_TYPES,
    KEYWORDS,
    NO_NAMES,
    PATTERNS,
    TYPES,
    UNFINISHED,
    VALUES,
    Frame,
    Variable,
    begins_name,
    begins_number,
    is_constant,
    is_too_large,
    may_be_inner,
    type_of,
)
from personalizer.engine.monitor.sources import ELEMENTS, OF_ONE, VALUES_OF, may_be_made

__all__ = ["Checker"]


class Checker(Names):
    """A method up to some letter: a value, so that what follows it is another.

    Args:
        declared: What it may use.
    """

    def after(self, text: str) -> Checker | None:
        """The method with more text; None if it can no longer compile.

        Example:
            >>> from personalizer.engine.monitor.declarations import Declarations
            >>> from personalizer.engine.monitor.kinds import Kind
            >>> cart = Kind({"total": (Signature((), "int"),)}, {}, {}, None, frozenset())
            >>> start = Checker(Declarations({"a#Cart": cart}, {"Cart": "a#Cart"}))
            >>> [start.after(f"void a(Cart c) {{ c.{name}") is None for name in ("tot", "siz")]
            [False, True]
        """
        one = copy.copy(self)
        return one if one._read(text) else None

    @property
    def at_dot(self) -> bool:
        """Whether a dot was just written: nobody writes a blank behind it."""
        return self._before == "." and not self._tail

    @property
    def unfinished(self) -> str:
        """The lexical token that the text ends with, while it may go on."""
        return self._tail

    # ------------------------------------------------------------ from letters to tokens

    def _read(self, text: str) -> bool:
        begun = self._tail
        text, self._tail, last = begun + text, "", None
        self._odd = False
        self._blank = self._blank + text if text.isspace() else text[len(text.rstrip()) :]
        for token in tokens(text):
            if last is not None and not self._take(last):
                return False
            last = token
        if last is None:
            return True
        if last.end < len(text) or (last.kind == "sign" and last.text not in UNFINISHED):
            return self._take(last)
        self._tail = text[last.start :]
        if self._fixed and self._before == "=" and last.kind not in ("sign", "comment"):
            return False
        if last.kind == "sign":
            signs = [last._replace(text=sign) for sign in UNFINISHED[last.text]]
            return not signs or any(copy.copy(self)._take(sign) for sign in signs)
        if last.kind == "word":
            here = copy.copy(self)
            known = not here._word or here._settle(last.text)
            named = here._is_known() or here._is_named_anew is not False
            return known and named and self._may_become(last.text)
        if last.kind == "number":
            return self._may_begin("number") and begins_number(last.text)
        if last.kind != "literal":
            return True
        goes_on = last.start < len(begun)
        return self._may_hold(last.text) and (goes_on or self._may_begin(type_of(last)))

    @property
    def unusual(self) -> bool:
        """Whether it ends with what hardly anybody writes, though it may compile.

        That is a number to which a text must be added to make it fit, the value of a variable that
        begins with what does not fit, a label, a lambda where nobody expects one, the body of a
        class or an array that would not fit, a second parameter where a test is given one, a
        name without end, brackets in many others, a comment in the middle of a statement or
        behind several others, and what ``habits`` tells.
        """
        if self._odd or is_seldom(self._tail, self._blank):
            return True
        if self._before == ")" and not self._tail and self._value in PRIMITIVES - {"void"}:
            kind = "boolean" if self._value == "boolean" else "number"
            return not self._may_give(kind, "+")
        if self._tail.startswith(("//", "/*")):
            return self._is_interrupted or self._comments >= COMMENTS
        if self._tail[:1] in ('"', "'"):
            return not self._begins_value("String" if self._tail[0] == '"' else "char")
        if self._tail[:1].isdigit():
            fits = self._may_begin("number", sums=False)
            return not (fits and self._begins_value("number", sums=False))
        if self._tail in VALUES and not self._begins_value(VALUES[self._tail]):
            return True
        if not begins_name(self._tail):
            return False
        return self._is_long or (self._is_named_anew is None and not self._is_known())

    @property
    def _is_interrupted(self) -> bool:
        """Whether what comes next stands in the middle of a statement."""
        if not self._frames:
            return False
        ends = (";", "{", "}", ",") if self._frames[-1].sign == "{" else (",",)
        return self._before not in ends

    # ------------------------------------------------------------ from tokens to meaning

    def _take(self, token: Token) -> bool:
        if token.kind == "comment":
            self._comments += 1
            return True
        self._comments = 0
        text = token.text
        if text == self._before == self._before_sign == ".":
            text = "..."
        if self._must and text != self._must:
            return False
        if self._before == "." and token.kind not in ("word", "number") and text not in BEHIND_DOTS:
            return False
        self._must = ""
        if self._ended:
            self._leave_heads(text)
        if self._word and not self._settle(text):
            return False
        if self._fixed and self._before == "=":
            self._fixed = False
            if text != "=":
                return False
        if self._before != "}":
            self._anonymous = ""
        if self._assigned:
            self._begin_assignment(text)
        if self._made and self._must_have_body(text):
            return False
        if self._frames and self._frames[-1].empty and text != ")":
            self._top(empty=False)
        if self._before == ")" and token.kind != "sign":
            self._operator()  # behind a cast, or the head of a statement
        if token.kind == "word":
            begins = text not in VALUES or self._before == "." or self._may_begin(VALUES[text])
            if not begins or not self._may_become(text, ended=True):
                return False
            self._name(text)
        elif token.kind in ("literal", "number"):
            self._leave_types()
            kind = type_of(token)
            kind = "double" if self._before == "." and kind == "int" else kind
            literal = token.kind == "literal"
            if not self._may_begin(kind) or (literal and not self._may_hold(text)):
                return False
            if not literal and (is_too_large(text) or not begins_number(text)):
                return False
            self._is(kind)
            if kind == "String" and self._before in ARITHMETIC:
                self._must = "."  # of what is asked of it
            text = '"'
        elif not self._sign(text):
            return False
        part = text == "." or (token.kind == "word" and self._before in ("@", "."))
        self._annotated = text == "@" or (self._annotated and part)
        self._before_sign, self._before = self._before, text
        return True

    def _must_have_body(self, text: str) -> bool:
        """Whether a type that is abstract was made without a body."""
        kind = self._declared.kind(self._made)
        if text == "{":
            return False
        self._made = ""
        return kind is not None and kind.abstract

    def _name(self, text: str) -> None:
        before, behind_dot = self._before, self._before == "." or self._before_call
        self._class_begins |= text in TYPES and before != "."
        self._inherits |= self._class_begins and text in ("extends", "implements")
        self._before_call = False
        if text == "new":
            of_value = before == "."  # outer.new Inner()
            self._value, self._static = self._value if of_value else "", of_value
            self._typed, self._making = False, True
            self._before_new = before
        elif behind_dot and self._annotated:
            pass
        elif behind_dot:
            self._word, self._role = text, "inner" if self._making else "member"
            self._typed = False
        elif before in TYPES:
            self._own_types += (text,)
        elif text == "null" and before == ")" and self._cast:
            self._is(self._cast)
            self._cast = ""
            self._top(cast=False)
        elif text in VALUES:
            self._is(VALUES[text])
        elif text == "this":
            self._is("" if self._in_class else self._declared.this)
        elif text in ("extends", "super") and self._frames and self._frames[-1].sign == "<":
            pass
        elif text in KEYWORDS or text in TYPES:
            self._leave_types()
            self._operator()
            self._compare(text)
            self._matching = text in PATTERNS or (self._matching and text == "final")
            self._final = text == "final"
        elif before == "record" and self._typed:
            self._own_types += (text,)
            self._class_begins, self._typed = True, False
        elif self._making:
            self._word, self._role = text, "inner" if self._before_sign == "." else "made"
        elif before == "::":
            self._is("")
        elif before != "@":
            self._word, self._role = text, "declared" if self._typed else "name"
            self._before_word = before
            self._typed = False

    def _settle(self, following: str) -> bool:
        """Gives the last name its meaning; whether there is one."""
        word, self._word = self._word, ""
        if self._role == "member":
            return self._member(word, following)
        self._names += (word,)
        if self._role == "declared":
            return self._declare(word, following)
        if self._role == "name":
            if following == "=" and self._frames and self._frames[-1].type == "ValueSource":
                self._source = VALUES_OF.get(word, "")
            return self._use(word, following)
        return self._make(word, following)

    def _make(self, word: str, following: str) -> bool:
        """A type behind ``new``, or a part of its name; whether it is there."""
        meant = word if word in PRIMITIVES else self._meaning(word)
        if self._role == "inner":
            owner = self._value if self._static else ""
            kind = self._declared.kind(owner)
            meant = kind.inner.get(word, "") if kind else ""
            if kind and not meant and "#" in owner and not self._has_unseen(owner, kind):
                return False
        elif not meant and self._is_no_type(word, following):
            return False
        self._value, self._static, self._type = meant, True, meant
        if following not in (".", "<"):
            self._making = False
        if following == "(":
            self._called = self._constructor(meant)
            made = self._declared.kind(meant)
            return (made is None or not made.enum) and self._may_begin_with(meant)
        if following == "[":
            self._value, self._static = "", False
        return True

    def _use(self, word: str, following: str) -> bool:
        """A variable, a type or a method of the class; whether it is there."""
        if following == "(" and not self._frames:
            return self._declare(word, following)  # a constructor
        if not self._itself and not self._frames and self._before_word in ("<", ","):
            self._own_types += (word,)  # a type variable
        if word == "yield" and (following == "(" or begins_name(following)):
            self._operator()
            return True
        if following == "(" and self._in_pattern:
            self._called = Frame("(", "pattern")
            return True
        if following == "=" and self._frames and self._frames[-1].role == "annotation":
            self._operator()
            return word in ELEMENTS.get(self._frames[-1].type, (word,))
        meant = self._meaning(word)
        variable = next((one for one in reversed(self._variables) if one.name == word), None)
        known = variable.type if variable else self._declared.fields.get(word)
        if known is not None and self._is_hidden(word, variable):
            variable, known = None, ""
        if variable is not None and variable is self._begun and following != "(":
            return False
        self._fixed = variable is not None and variable.final and following == "="
        cast, self._cast = self._cast, ""
        if self._before_word != ")" or following not in (";", ",", ")"):
            cast = ""
        if cast and not self._declared.may_be_cast(cast, known or ""):
            return False
        self._value, self._static = "", False
        if following == "(":
            signatures = None if self._in_class else self._declared.methods.get(word)
            if signatures is None and self._cannot_call(word):
                return False
            self._called = Frame("(", "call", signatures)
        elif known is not None:
            self._value = known
        elif not meant and self._is_nothing(word, following):
            self._top(lambda_=True)  # (one, other) -> …
            return self._names_parameter(following)
        elif not meant and self._is_no_type(word, following):
            return False
        elif meant and following in (")", ",") and self._is_value:
            return False  # a type
        elif word not in NO_NAMES:
            self._value, self._static = meant, True
        self._type = word if word in PRIMITIVES else meant
        self._typed = begins_name(following) or (following not in "(." and known is None)
        if following == "<" and (word[0].islower() or (not meant and is_constant(word))):
            self._typed = False  # a variable or a constant, which is compared
        return True

    def _member(self, name: str, following: str) -> bool:
        owner, static = self._value, self._static
        kind = self._declared.kind("Object" if owner.endswith("[]") else owner)
        self._value, self._static, self._type = "", False, ""
        if name[0].isupper() and not (kind and name in kind.fields):
            inside = following == "<" and not is_constant(name)
            self._typed = inside or following == "[" or begins_name(following)
        if following == "(" and self._in_pattern:
            self._called = Frame("(", "pattern")
        elif following == "(":
            signatures: tuple[Signature, ...] | None = None
            if owner.endswith("[]") and name == "clone":
                signatures = (Signature((), owner),)
            elif kind is not None and not self._has_unseen(owner, kind):
                signatures = tuple(s for s in kind.methods.get(name, ()) if s.static or not static)
                if not signatures:
                    return False
            self._called = Frame("(", "call", signatures)
        elif owner.endswith("[]"):
            self._value = "int"
            return name == "length"
        elif static and name == "class":
            self._value = "Class"
        elif kind is None:
            pass
        elif static and name in kind.inner:
            self._value, self._static, self._type = kind.inner[name], True, kind.inner[name]
            self._typed = following != "."
        elif name in kind.fields:
            self._value = kind.fields[name]
            self._fixed = following == "=" and kind.enum and self._value == owner
            return not static or name in kind.constants
        elif static and may_be_inner(name, owner):
            self._typed = following != "."
        elif name not in ("this", "super"):
            return self._has_unseen(owner, kind)
        return True

    def _declare(self, name: str, following: str) -> bool:
        if following == "(":
            self._called = Frame("(", "header")
            self._final = False  # it was the method's
            self._itself = self._itself or name
            return True
        frame = self._frames[-1] if self._frames else Frame("{")
        pattern = self._in_pattern
        self._matching = False
        if not pattern and following not in ("=", ";", ":", ",", ")", "["):
            return True
        if frame.role == "header" and self._source:
            given, self._source = self._source, ""
            if not may_be_made(self._declared, self._type, given):
                return False
        if frame.role == "try" and not self._declared.accepts("AutoCloseable", self._type):
            return False
        level = len(self._frames)
        if not pattern and (frame.sign == "{" or frame.role == "loop"):
            self._top(declares=self._type)
        of_record = self._class_begins
        if frame.role != "header" and not of_record:
            # What a head or a condition declares may outlive it.
            blocks = [place for place, one in enumerate(self._frames, 1) if one.sign == "{"]
            level = blocks[-1] if blocks else 0
        statement = frame.sign == "{" and frame.role == "" and not pattern
        once = statement or frame.role == "header"
        classes = [place for place, one in enumerate(self._frames, 1) if one.role == "class"]
        own = classes[-1] if classes else 0
        if not (frame.role == "class" or of_record) and any(
            one.name == name and one.once and one.level >= own for one in self._variables
        ):
            return False
        kind = "" if following == "[" else self._type  # int sizes[]
        head = frame.role in ("loop", "try") and not pattern
        later = frame.sign == "{" and not pattern and following != "="
        final = (self._final and not later) or frame.role == "try"
        self._final = False
        variable = Variable(name, kind, level, once, head, final)
        self._variables += (variable,)
        self._begun = variable if following == "=" and statement else None
        if following == "=" or (following == ":" and head):
            wanted = kind if following == "=" else EACH
            self._wanted, self._given = (wanted, len(self._frames)), False
        return True

    # ------------------------------------------------------------ signs

    def _sign(self, text: str) -> bool:
        called, self._called = self._called, None
        types = bool(self._frames) and self._frames[-1].sign == "<"
        if text in ("+", "-") and text == self._before and self._before_sign == "->":
            self._top(void=False)  # () -> ++count
        self._matching &= text in IN_TYPES and (types or text not in "&?")
        self._compare(text)
        if text in BEHIND_SUMS and self._behind_value and self._sum is None:
            return False
        if text == "?" and not types and not self._declared.accepts("boolean", self._whole):
            return False
        self._odd |= text == "?" and self._before in ("true", "false")
        match text:
            case "(":
                if not self._annotated and self._is_bare_resource:
                    return False
                if self._annotated:
                    called = Frame("(", "annotation", type=self._before)
                around = takewhile(lambda one: one.sign != "{", reversed(self._frames))
                self._odd |= sum(one.sign == "(" for one in around) >= DEPTH
                self._open(called or Frame("(", GROUPS.get(self._before, ""), type=self._before))
            case ")":
                return self._close_round()
            case ",":
                return self._next_argument()
            case "{":
                self._odd |= bool(self._made) and not self._fits_argument(self._made.strip("?"))
                self._open_brace()
            case "}":
                return self._close_brace()
            case "[":
                value, static = self._value, self._static
                self._odd |= self._before_sign == "new" and not self._fits_new_array()
                self._open(Frame("[", type=value or self._type))
                return not value or static or value.endswith("[]")
            case "]":
                return self._close_square()
            case "<":
                self._open_types()
            case ">":
                self._close_types()
            case ";":
                return self._end_statement()
            case "...":
                self._type, self._typed = self._type and f"{self._type}[]", True
            case ".":
                self._typed = False
                return self._annotated or self._value not in PRIMITIVES
            case "@":
                self._typed = False
                if self._frames and self._frames[-1].role == "header":
                    self._source = ""  # it may say how a parameter is made
            case "::":
                owner = self._value, self._static
                fits = self._fits_function()
                self._operator()
                self._value, self._static = owner
                return fits
            case "->":
                return self._begin_lambda()
            case "=" | ":" if self._wanted is not None and not self._given:
                self._value, self._static, self._given = "", False, True
                self._begin_value()
            case "-" if self._before in BEFORE_VALUES:
                self._leave_types(text)
            case "+" | "-" | "*" | "/" | "%" if self._behind_value:
                return self._reckon(text)
            case _:
                self._top(cast=False)
                statement = bool(self._frames) and self._frames[-1].sign == "{"
                if text == "=":
                    self._top(void=False)
                if text == "=" and statement and not self._static and self._before not in "=!<>":
                    self._assigned = self._value
                self._leave_types(text)
                self._operator()
        return True

    @property
    def _is_bare_resource(self) -> bool:
        """Whether what is written would be closed by ``try``, though nothing is declared."""
        role = self._frames[-1].role if self._frames else ""
        return role == "try" and not self._is_given(len(self._frames))

    def _close_round(self) -> bool:
        self._leave_types(")")
        if not self._frames or self._frames[-1].sign != "(":
            return True
        fits = self._end_argument(last=True)
        given, whole = self._ends_value(), self._whole
        type_inside = self._value if self._static else ""
        cast = self._static or self._before in (">", "]") or self._before in PRIMITIVES
        frame = self._close()
        if frame.lambda_:
            self._must = "->"
        self._of_one |= frame.role == "annotation" and frame.type in OF_ONE
        if frame.role == "" and cast:
            self._cast = type_inside
            self._top(cast=True)
        elif frame.role == "" and frame.type != ")":  # no value behind a cast
            self._value = whole
        elif frame.role == "condition":
            given &= self._declared.accepts("boolean", whole)
        if frame.made is not None:
            self._value, self._made = frame.made, frame.made or "?"
        elif frame.role == "call":
            returned = {one.returns for one in frame.signatures or ()}
            if fits is not None:
                returned = {one.returns for one in fits}
            self._value = returned.pop() if len(returned) == 1 else ""
        return given and (fits is None or bool(fits))

    def _fits_argument(self, kind: str) -> bool:
        """Whether a value of a type may be the argument that is written."""
        frame = self._frames[-1] if self._frames else Frame("{")
        one = frame.alone and frame.sum is None
        if frame.role != "call" or frame.signatures is None or not one:
            return True
        return any(self._declared.accepts(wanted, kind) for wanted in wanted_next(frame))

    def _may_begin_with(self, made: str) -> bool:
        """Whether a variable's value or an argument may begin with a new object of a type."""
        frame = self._frames[-1] if self._frames else Frame("{")
        if self._given and self._is_given(len(self._frames)) and self._before_new == "=":
            assert self._wanted is not None
            return may_come_of(self._declared, self._wanted[0], made)
        if frame.role != "call" or frame.signatures is None or self._before_new not in ("(", ","):
            return True
        return any(may_come_of(self._declared, one, made) for one in wanted_next(frame))

    def _fits_new_array(self) -> bool:
        """Whether a variable or an argument may be an array of the type that was just named."""
        kind = f"{self._type}[]"
        if self._given and self._is_given(len(self._frames)):
            assert self._wanted is not None
            frame, (wanted, _) = self._frames[-1], self._wanted
            fits = wanted.endswith("[]") or may_be_given(self._declared, wanted, kind)
            return fits or not frame.alone or frame.sum is not None
        return self._fits_argument(kind) or self._fits_argument(f"{kind}[]")

    def _next_argument(self) -> bool:
        if self._frames and self._frames[-1].sign == "<":
            self._typed = False
            return True
        if not self._frames or self._frames[-1].role != "call":
            own = len(self._frames) == 1 and self._frames[0].role == "header"
            self._odd |= self._of_one and own
            fits = self._fits_array() and self._ends_value()
            self._is("")
            declares = self._frames[-1].declares if self._frames else None
            if declares is not None:  # int one = 1, other = 2;
                self._type, self._typed = declares, True
            return fits
        given = self._end_argument(last=False)
        self._is("")
        count = self._frames[-1].arguments + 1
        self._begin_value()
        self._top(arguments=count, signatures=given, void=False, cast=False)
        return given is None or bool(given)

    def _end_argument(self, *, last: bool) -> tuple[Signature, ...] | None:
        """The signatures that an argument leaves; None where none was known."""
        frame = self._frames[-1]
        given = self._whole
        if frame.role == "call" and given == "void":
            return ()
        if frame.void and self._before not in (")", "}", "+", "-"):
            return ()
        if frame.signatures is None or frame.role != "call":
            return None
        return left_by(self._declared, frame, given, last=last)

    def _open_brace(self) -> None:
        role, kind, made = "", "", None
        if self._class_begins or self._made:
            role, made = "class", self._made.strip("?")
            kind = self._made or ("?" if self._inherits else "")
            self._inherits = False
        elif self._before in ("=", "]", ",", "{", "("):
            role, kind = "values", self._type
            if self._before != "]" and self._frames and self._frames[-1].role == "values":
                kind = self._frames[-1].type.removesuffix("[]")
        if role == "values" and self._before == "]":
            made = kind
        self._open(Frame("{", role, type=kind, made=made, variables=len(self._variables)))
        self._class_begins, self._made = False, ""

    def _fits_array(self) -> bool:
        """Whether a value may be one of an array's."""
        frame = self._frames[-1] if self._frames else Frame("{")
        if frame.role != "values" or not frame.type.endswith("[]"):
            return True
        given = self._whole
        self._begin_value()
        return may_be_given(self._declared, frame.type[:-2], given)

    def _close_brace(self) -> bool:
        self._leave_types("}")
        fits = self._fits_array()
        closed = Frame("{", variables=len(self._variables))
        while self._frames and (closed := self._close()).sign != "{":
            pass
        self._variables = self._variables[: closed.variables]
        self._forget()
        self._ended &= closed.role == "" and not self._is_given(len(self._frames))
        if closed.role == "class" and closed.made:
            self._anonymous = closed.made
        elif closed.made is None:
            self._operator()
        else:
            self._value = closed.made
        return fits

    def _close_square(self) -> bool:
        self._leave_types("]")
        if not self._frames or self._frames[-1].sign != "[":
            return True
        place = self._whole
        frame = self._close()
        if self._before == "[":
            self._type = frame.type and f"{frame.type}[]"
            self._typed = True
            return True
        if frame.type.endswith("[]"):
            self._value = frame.type[:-2]
        return self._declared.accepts("int", place)

    def _open_types(self) -> None:
        behind = self._before in (".", "::")
        if self._typed or self._making or behind:
            making = "new" if self._before == "new" else "made"  # new <T>Foo(), new Foo<T>()
            role = making if self._making else "call" if behind else ""
            self._open(Frame("<", role, type=self._type, owner=(self._value, self._static)))
        else:
            self._operator()

    def _close_types(self) -> None:
        if self._frames and self._frames[-1].sign == "<":
            frame = self._close()
            self._type, self._typed = frame.type, frame.role == ""
            self._before_call, self._making = frame.role == "call", frame.role == "new"
            if frame.role == "call":
                self._value, self._static = frame.owner
            if frame.role == "made":
                self._called = self._constructor(frame.type)
        else:
            self._operator()

    def _begin_lambda(self) -> bool:
        """Whether a lambda may stand here; of what it is given nothing is known."""
        fits = not (self._frames and self._frames[-1].void) and self._fits_function()
        frame = self._frames[-1] if self._frames else Frame("{")
        if frame.role == "call" and frame.signatures is not None:
            self._top(void=is_of_statements(wanted_next(frame)))
        names = self._names if self._before == ")" else self._names[-1:]
        self._variables += tuple(Variable(name, "", len(self._frames) + 1, False) for name in names)
        self._operator()
        return fits

    def _fits_function(self) -> bool:
        """Whether a lambda or a method reference may be the argument that is written."""
        frame = self._frames[-1] if self._frames else Frame("{")
        if frame.role != "call" or frame.signatures is None:
            return True
        fits = left_by_function(self._declared, frame)
        self._top(signatures=fits)
        return bool(fits)

    def _end_statement(self) -> bool:
        self._leave_types(";")
        fits = self._ends_value()
        self._value, self._static, self._typed, self._type = "", False, False, ""
        self._making = self._class_begins = False
        self._begin_value()
        self._top(declares=None, cast=False)
        self._forget()
        return fits

    def _ends_value(self) -> bool:
        """Whether a variable may be given the value that ends here."""
        if not self._is_given(len(self._frames)):
            return True
        assert self._wanted is not None
        fits = may_be_given(self._declared, self._wanted[0], self._whole)
        self._wanted, self._begun = None, None
        return fits

    def _begin_assignment(self, text: str) -> None:
        """What stands behind a ``=``, which may be the first of two."""
        kind, self._assigned = self._assigned, ""
        if text != "=":
            self._wanted, self._given = (kind, len(self._frames)), True
            self._begin_value()

    def _constructor(self, name: str) -> Frame:
        kind = self._declared.kind(name)
        return Frame("(", "call", kind.constructors if kind else None, made=name)
