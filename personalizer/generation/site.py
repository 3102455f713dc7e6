"""Where the tests of one focal method will stand, and what is known there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from indexer import FileFacts, Import, Level, Method, Pair, Snapshot, Type, code_of
from indexer.languages import java
from indexer.pairing import module_of
from personalizer.edits import apply_changes
from personalizer.engine.monitor.checker import Checker
from personalizer.engine.monitor.declarations import Declarations
from personalizer.errors import BadInput
from personalizer.generation.names.declared import declarations_of
from personalizer.generation.names.members import Declared
from personalizer.generation.names.mending import Symbols
from personalizer.generation.placing.place import find_place, place_test, scope_of
from personalizer.generation.placing.style import House, house_of
from personalizer.generation.records import Edit
from personalizer.generation.syntax import likeness
from personalizer.prompts import Attempt, Prompt, TestPlace, prompt_for_test
from personalizer.validation import Check

__all__ = ["Site"]


@dataclass(frozen=True)
class Site:
    """A focal method and the test class that its tests go into, which need not exist yet."""

    snapshot: Snapshot
    focal_path: str
    focal: Method
    at: TestPlace | None = None
    """The class, where it is known already."""

    @cached_property
    def place(self) -> TestPlace | None:
        return self.at or find_place(self.snapshot, self.focal_path, self.focal)

    @cached_property
    def owner(self) -> Type | None:
        """The class; None when it does not exist yet."""
        if self.place is None:
            return None
        return self.snapshot.files[self.place.path].type_named(self.place.owner)

    @property
    def imports(self) -> tuple[Import, ...]:
        """Of the class's file; none when it does not exist yet."""
        return self.snapshot.files[self.place.path].imports if self.place else ()

    @cached_property
    def _house(self) -> House:
        return house_of(self.snapshot, self.focal_path)

    @cached_property
    def symbols(self) -> Symbols:
        scope = scope_of(self.snapshot, self.focal_path, self.focal, self.place, self._house)
        return Symbols(self.snapshot, scope, self.place.owner if self.place else None)

    @cached_property
    def declarations(self) -> Declarations:
        """What a test may use, told to who writes it."""
        owner = self.place.owner if self.place else None
        return declarations_of(self.symbols.needs, self.symbols.members, owner)

    def may_compile(self, text: str) -> bool:
        """Whether a test uses only what is there, as far as that is known without a compiler."""
        return Checker(self.declarations).after(text) is not None

    def explains(self, statements: str) -> bool:
        """Whether a test may hold some statements: all that they name is there, or can be."""
        text = f"void a() {{ Object a; {statements} }}"
        return self.may_compile(text) and not self.symbols.check(text).unknown

    def source(self, path: str) -> bytes:
        """A file of the project, which is read from the store once."""
        if path not in self._sources:
            self._sources[path] = self.snapshot.source(path)
        return self._sources[path]

    @cached_property
    def _sources(self) -> dict[str, bytes]:
        return {}

    @property
    def flavour(self) -> str:
        """Test framework of the class."""
        return self.symbols.scope.flavour or ""

    @cached_property
    def _existing(self) -> frozenset[str]:
        if self.place is None:
            return frozenset()
        facts, source = self.snapshot.files[self.place.path], self.snapshot.source(self.place.path)
        return frozenset(
            likeness(code_of(source, one.span, facts.encoding)) for one in facts.methods
        )

    def has(self, text: str) -> bool:
        """Whether a method of the file does just what a test does, under any names."""
        return likeness(text) in self._existing

    def prompt(
        self, level: Level, examples: Sequence[Pair] = (), attempt: Attempt | None = None
    ) -> Prompt:
        """What the model is asked."""
        return prompt_for_test(
            self.snapshot,
            self.focal_path,
            self.focal,
            place=self.place,
            level=level,
            examples=examples,
            attempt=attempt,
        )

    def edit(self, text: str) -> Edit:
        """The edit that adds a test.

        Raises:
            BadInput: If it cannot be added.
        """
        return place_test(
            self.snapshot,
            self.focal_path,
            self.focal,
            text,
            place=self.place,
            house=self._house,
            needs=self.symbols.needs,
            members=self.symbols.members,
        )

    def check(self, text: str) -> Check:
        """What a validator is asked of a test.

        Raises:
            BadInput: If it cannot be added to its class.
        """
        edit = self.edit(text)
        before = b"" if edit.created else self.snapshot.source(edit.file)
        after = apply_changes(before, edit.changes)
        facts = java.parse(after)
        known = {m.key for m in java.parse(before).methods}
        method = next(m for m in facts.methods if m.key not in known)
        return self._check_of(edit.file, after, facts, method)

    def check_in_place(self, test: Method, text: str) -> Check:
        """What a validator is asked of a test that takes another's very place, imports and all.

        Args:
            test: The method of the test class whose place it takes.
            text: One test method.

        Raises:
            BadInput: If no method would stand there.
        """
        assert self.place is not None, "a test that is there has a place"
        before = self.snapshot.source(self.place.path)
        encoding = self.snapshot.files[self.place.path].encoding
        written = text.encode(encoding, "replace")
        after = before[: test.span.start] + written + before[test.span.end :]
        facts = java.parse(after)
        end = test.span.start + len(written)
        found = [m for m in facts.methods if test.span.start <= m.span.start < end]
        if not found:
            raise BadInput(f"expected one test method, got {text[:60]!r}")
        check = self._check_of(self.place.path, after, facts, found[0])
        return replace(check, replaces=test.name)

    def _check_of(self, file: str, after: bytes, facts: FileFacts, method: Method) -> Check:
        focal_source = self.snapshot.source(self.focal_path)
        first = focal_source.count(b"\n", 0, self.focal.span.start) + 1
        last = first + self.focal.span.of(focal_source).count(b"\n")
        return Check(
            file=file,
            source=after.decode(facts.encoding, "replace").removeprefix("\ufeff"),
            test_class=_binary(facts.package, method.owner),
            test_method=method.name,
            focal_path=self.focal_path,
            focal_class=_binary(self.snapshot.files[self.focal_path].package, self.focal.owner),
            focal_lines=(first, last),
            line=after.count(b"\n", 0, method.signature.start) + 1,
            runs_in=self._runs_in,
        )

    @property
    def _runs_in(self) -> str:
        """Binary name of a class that runs the tests of one of which there are no objects; empty
        for another."""
        abstract = self.owner is not None and not _has_objects(self.owner)
        return next(iter(self._heirs), "") if abstract else ""

    @cached_property
    def heirs(self) -> tuple[str, ...]:
        """Binary names of the other classes that run the tests of this one, the nearest first."""
        return tuple(one for one in self._heirs if one != self._runs_in)

    @cached_property
    def _heirs(self) -> tuple[str, ...]:
        """Binary names of the classes of its module below it of which there are objects."""
        members = self.symbols.members
        declared = members.of(self.place.path, self.place.owner) if self.place else None
        if declared is None:
            return ()
        files, home = self.snapshot.files, declared.path

        def rank(heir: Declared) -> tuple[bool, bool]:
            return files[heir.path].package != files[home].package, heir.path != home

        return tuple(
            _binary(files[heir.path].package, heir.type.name)
            for heir in sorted(members.all_heirs_of(declared), key=rank)
            if _has_objects(heir.type) and module_of(heir.path) == module_of(home)
        )


def _has_objects(kind: Type) -> bool:
    return kind.kind != "interface" and "abstract" not in kind.modifiers


def _binary(package: str, owner: str) -> str:
    """The name of a type as a JVM has it.

    Example:
        >>> _binary("shop", "CartTest.Totals")
        'shop.CartTest$Totals'
    """
    name = owner.replace(".", "$")
    return f"{package}.{name}" if package else name
