"""Where a generated test goes: into its class, or into a new file in the project's style.

Pure: sources come from the snapshot, and nothing is written. What an edit would give is parsed
again before it is offered, so that a file in mid-edit is refused rather than damaged.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from indexer import FileFacts, Method, Snapshot, Type
from indexer.languages import java
from indexer.languages.lexis import Names, names_in, tokens
from indexer.pairing import in_test_root, module_of
from personalizer.edits import TextEdit, apply_changes
from personalizer.errors import BadInput
from personalizer.generation.names.members import Declared, Members
from personalizer.generation.names.needs import Found, Needs, Scope
from personalizer.generation.placing.edits import make_edit, writable
from personalizer.generation.placing.imports import Line, import_changes, import_section
from personalizer.generation.placing.naming import free_name
from personalizer.generation.placing.style import (
    House,
    flavour_of,
    indent_step,
    integration,
    line_indent,
    member_indent,
    most_common,
    newline_of,
    reindent,
    test_class_name,
)
from personalizer.generation.records import Edit
from personalizer.generation.syntax import MethodTree
from personalizer.prompts import TestPlace

__all__ = ["find_place", "method_of", "place_test", "scope_of", "told_of"]


def place_test(
    snapshot: Snapshot,
    focal_path: str,
    focal: Method,
    text: str,
    *,
    place: TestPlace | None,
    house: House,
    needs: Needs,
    members: Members,
) -> Edit:
    """The edit that adds a test to the project; ``Site.edit`` knows the rest.

    Args:
        snapshot: The project, unsaved buffers included.
        focal_path: File of the focal method.
        focal: The method that the test tests.
        text: Exactly one test method, dedented.
        place: The class that it goes into; None for a new one.
        house: The style of the tests around.
        needs: What such tests need.
        members: What the project's types have.

    Returns:
        Insertions only: every byte that is there stays.

    Raises:
        BadInput: If the text is no method, or the test class is in such a state that the method
            would not end up in it.
    """
    if java.method_errors(text):
        raise BadInput(f"expected one test method, got {text[:60]!r}")
    if place is None:
        return _new_file(snapshot, focal_path, focal, text, house, needs)
    return _into_class(snapshot, focal, text, place, house, needs, members)


# ---------------------------------------------------------------- the test class


def find_place(snapshot: Snapshot, focal_path: str, focal: Method) -> TestPlace | None:
    """The existing class that a test of a method belongs to; None when there is none.

    Most pairs decide, those of the method before those of its class; a class that is named after
    the focal class counts without pairs, one that is named after something else only in the same
    package of the same module. Integration tests and nested classes come last.
    """
    top = focal.owner.partition(".")[0]
    wanted = test_class_name(snapshot, top)
    of_method: Counter[TestPlace] = Counter()
    of_class: Counter[TestPlace] = Counter()
    for pair in snapshot.pairs:
        tested = pair.focal.method
        if pair.focal.path == focal_path and f"{focal.owner}.".startswith(f"{tested.owner}."):
            place = TestPlace(pair.test.path, pair.test.method.owner)
            of_class[place] += 1
            of_method[place] += (tested.owner, tested.name) == (focal.owner, focal.name)

    def fits(place: TestPlace) -> bool:
        package = snapshot.files[place.path].package
        near = package == snapshot.files[focal_path].package and not away(place)
        return near or named(place)

    def named(place: TestPlace) -> bool:
        names = f"{re.escape(top)}|{re.escape(focal.class_name)}"
        return re.match(rf"(?:Test|IT)?(?:{names})", place.owner) is not None

    def away(place: TestPlace) -> bool:
        return module_of(place.path) != module_of(focal_path)

    def rank(place: TestPlace) -> tuple[bool | int | str, ...]:
        return (
            integration(place.owner.partition(".")[0]),
            "." in place.owner,
            not named(place),
            -of_method[place],
            -of_class[place],
            place.owner != wanted,
            away(place),
            place.path,
            place.owner,
        )

    places = {*of_class, *_named_after(snapshot, focal_path, top, wanted)}
    return min(filter(fits, places - _hulls(snapshot, of_class)), key=rank, default=None)


def _hulls(snapshot: Snapshot, places: Iterable[TestPlace]) -> set[TestPlace]:
    """The classes around nested ones that hold no test of their own: all their tests are inside."""
    holders = {(where.path, where.method.owner) for where in snapshot.tests}
    tops = {TestPlace(place.path, place.owner.partition(".")[0]) for place in places}
    return {top for top in tops if (top.path, top.owner) not in holders}


def _named_after(
    snapshot: Snapshot, focal_path: str, focal_class: str, wanted: str
) -> Iterator[TestPlace]:
    """Classes of the focal class's package that are named as its tests would be."""
    package = snapshot.files[focal_path].package
    names = {wanted, *(shape.format(focal_class) for shape in _SHAPES)}
    tests = {where.path for where in snapshot.tests}
    for path, facts in snapshot.files.items():
        if facts.package == package and (path in tests or in_test_root(path, package)):
            for kind in facts.types:
                if kind.name in names and kind.kind == "class":
                    yield TestPlace(path, kind.name)


_SHAPES = ("{}Test", "{}Tests", "Test{}", "{}TestCase", "{}UnitTest", "{}Spec")


def scope_of(
    snapshot: Snapshot, focal_path: str, focal: Method, place: TestPlace | None, house: House
) -> Scope:
    """What a test's names may rely on, in its class or in a new one."""
    if place is None:
        return Scope(
            path=_new_path(snapshot, focal_path, focal),
            package=snapshot.files[focal_path].package,
            imports=(),
            visible=_NO_NAMES,
            parents=("TestCase",) if house.flavour == "junit3" else (),
            flavour=house.flavour,
            focal_path=focal_path,
            focal=focal,
        )
    facts = snapshot.files[place.path]
    owners = [t for t in facts.types if f"{place.owner}.".startswith(f"{t.name}.")]
    parents = tuple(name for kind in owners for name in kind.extends + kind.implements)
    return Scope(
        path=place.path,
        package=facts.package,
        imports=facts.imports,
        visible=names_in(snapshot.text(place.path)),
        parents=parents,
        flavour=flavour_of(facts) or ("junit3" if "TestCase" in parents else house.flavour),
        focal_path=focal_path,
        focal=focal,
    )


_NO_NAMES = Names(frozenset(), frozenset(), frozenset())


# ---------------------------------------------------------------- an existing class


def _into_class(
    snapshot: Snapshot,
    focal: Method,
    text: str,
    place: TestPlace,
    house: House,
    needs: Needs,
    members: Members,
) -> Edit:
    source, facts = snapshot.source(place.path), snapshot.files[place.path]
    declared = members.of(place.path, place.owner)
    assert declared is not None, place
    kind = declared.type
    newline = newline_of(source)
    text, notes = _renamed(snapshot, _names_around(declared, members), kind, focal, text)
    text = _with_default(text) if kind.kind == "interface" else text
    found = needs.of(text)
    changes = import_changes(
        source, facts, found.lines, newline=newline, statics_first=house.statics_first
    )
    changes.append(_insertion(source, facts, kind, text, house.indent))
    edit = make_edit(
        place.path, source, changes, encoding=facts.encoding, notes=[*notes, *told_of(found)]
    )
    if not _reads_back(apply_changes(source, edit.changes), facts, kind.name, text):
        problem = facts.errors[0] if facts.errors else "its braces do not match"
        raise BadInput(f"cannot add a test to {place.path} ({problem}): mend it, then ask again")
    return edit


def _insertion(source: bytes, facts: FileFacts, kind: Type, text: str, step: str) -> TextEdit:
    """A method after the last thing in a type's body, comments included.

    ``step`` is the indentation of a file that shows none.
    """
    newline = newline_of(source)
    brace = max(kind.body.start, kind.body.end - 1)
    end = len(source[:brace].rstrip())
    step = indent_step(source, facts, step)
    around = line_indent(source, kind.span) or ""
    indent = member_indent(source, facts, kind) or around + step
    empty = end == kind.body.start + 1
    written = "\n" * (1 if empty else 2) + reindent(writable(text, facts.encoding), indent, step)
    if b"\n" not in source[end:brace]:
        written += "\n" + around
    return TextEdit(end, end, written.replace("\n", newline))


def _names_around(declared: Declared, members: Members) -> set[str]:
    """Names of the methods of a class, of those above it and of its heirs: one hides another."""
    kinds = (declared, *members.all_heirs_of(declared))
    return {one.method.name for kind in kinds for one in kind.all_methods(inside=kind.path)}


def _with_default(text: str) -> str:
    """A test as an interface takes it."""
    tree = MethodTree(text)
    returned = tree.method.child_by_field_name("type") if tree.method else None
    if returned is not None and "default" not in method_of(text).modifiers:
        tree.insert(returned.start_byte, returned.start_byte, "default ")
    return tree.text


def _renamed(
    snapshot: Snapshot, taken: Collection[str], kind: Type, focal: Method, text: str
) -> tuple[str, tuple[str, ...]]:
    """The method under a name that is not taken where it will stand."""
    name = method_of(text).name
    others = (where.method.name for where in snapshot.tests)
    free = free_name(text, name, taken, others, focal)
    if free == name:
        return text, ()
    start = _name_start(text, name)
    note = f"renamed {name} to {free}: {kind.simple_name} has a {name} already"
    return text[:start] + free + text[start + len(name) :], (note,)


def _name_start(text: str, name: str) -> int:
    """Where a declaration names its method: the first of its name that a bracket follows."""
    row = [token for token in tokens(text) if token.kind != "comment"]
    return next(
        this.start
        for before, this, after in zip([None, *row], row, row[1:], strict=False)
        if this.text == name and after.text == "(" and (before is None or before.text != "@")
    )


def method_of(text: str) -> Method:
    """The facts of a text that is one method."""
    return java.parse(f"class C {{\n{text}\n}}".encode()).methods[0]


def _reads_back(after: bytes, before: FileFacts, owner: str, text: str) -> bool:
    """Whether a file, once edited, holds all that it held, and the method where it belongs."""
    facts = java.parse(after)
    wanted = {m.key for m in before.methods} | {method_of(text).key.replace("C#", f"{owner}#", 1)}
    return {m.key for m in facts.methods} == wanted and len(facts.errors) <= len(before.errors)


def told_of(found: Found) -> list[str]:
    """Notes on what was imported, and on what could not be."""
    notes = [f"added {line.text.rstrip(';')}" for line in found.lines]
    return notes + [f"found no import for {name}" for name in found.unknown]


# ---------------------------------------------------------------- a new class


def _new_file(
    snapshot: Snapshot, focal_path: str, focal: Method, text: str, house: House, needs: Needs
) -> Edit:
    path = _new_path(snapshot, focal_path, focal)
    name = PurePosixPath(path).stem
    package = snapshot.files[focal_path].package
    old = house.flavour == "junit3"
    found = needs.of(text)
    facts = snapshot.files.get(path)  # of a file that is there and says next to nothing
    before = snapshot.text(path) if facts else ""
    imported = [one for one in facts.imports if not one.wildcard] if facts else []
    there = {Line(one.name, one.static) for one in imported}
    found = replace(found, lines=tuple(line for line in found.lines if line not in there))
    parents = {Line("junit.framework.TestCase", static=False)} if old else set()
    lines = {*found.lines, *parents} - there
    model = (snapshot.source(house.model), snapshot.files[house.model]) if house.model else None
    imports = import_section(lines, model, newline="\n", statics_first=house.statics_first)
    visibility = "public " if house.public else ""
    parent = " extends TestCase" if old else ""
    room = "\n" * (2 if house.roomy else 1)
    body = room + reindent(text, house.indent, house.indent)
    parts = [
        f"package {package};" if package and not (facts and facts.package) else "",
        imports,
        f"{visibility}class {name}{parent} {{{body}\n}}",
    ]
    if before.strip():
        opening = "\n" * max(0, 2 - before[len(before.rstrip()) :].count("\n"))
    else:
        opening = f"{house.header}\n" if house.header else ""
    whole = opening + "\n\n".join(part for part in parts if part) + "\n"
    source = snapshot.source(path) if facts else None
    end = len(source or b"")
    change = TextEdit(end, end, whole.replace("\n", house.newline))
    did = "filled" if facts else "created"
    return make_edit(path, source, [change], notes=[f"{did} {name}", *told_of(found)])


def _new_path(snapshot: Snapshot, focal_path: str, focal: Method) -> str:
    """A path for a focal class's new test class; no file of the project says anything there."""
    top = focal.owner.partition(".")[0]
    folder = _test_folder(snapshot, focal_path)
    names = (test_class_name(snapshot, f"{top}{number or ''}") for number in (0, *range(2, 1000)))
    paths = (str(PurePosixPath(folder, f"{name}.java")) for name in names)
    package = snapshot.files[focal_path].package
    return next(
        path
        for path in paths
        if path not in snapshot.excluded
        and (path not in snapshot.files or _only_made(snapshot, path, package))
        and not any(map(snapshot.on_disk, _in_other_languages(path)))
    )


def _in_other_languages(path: str) -> Iterator[str]:
    """Where a class of the same name lies that is written in another language of the JVM.

    Example:
        >>> next(_in_other_languages("src/test/java/shop/CartTest.java"))
        'src/test/kotlin/shop/CartTest.kt'
    """
    for language, suffix in (("kotlin", ".kt"), ("groovy", ".groovy"), ("scala", ".scala")):
        for place in (re.sub(r"(?<=src/)([^/]+)/java/", rf"\1/{language}/", path, count=1), path):
            yield str(PurePosixPath(place).with_suffix(suffix))


_HEAD = re.compile(
    r"\s*(?:/\*(?:[^*]|\*(?!/))*\*/)?\s*(?:package[^;{}/]+;)?\s*(?:import[^;{}/]+;\s*)*"
)
"""A licence, a package, imports."""


def _only_made(snapshot: Snapshot, path: str, package: str) -> bool:
    """Whether a file says nothing yet: it is empty, or goes no further than imports."""
    known = snapshot.files[path].package in ("", package)
    return known and _HEAD.fullmatch(snapshot.text(path)) is not None


def _test_folder(snapshot: Snapshot, focal_path: str) -> str:
    """The folder of a focal file's tests.

    That is its mirror image under ``src/test``; in a project of another layout, the package's
    folder under the root that most tests of the same sources have; else its own folder.
    """
    package = snapshot.files[focal_path].package.replace(".", "/")
    folder = _folder(focal_path)
    mirrored = re.sub(r"(^|/)src/main(?=/|$)", r"\1src/test", folder)
    roots = [
        _root(snapshot, pair.test.path)
        for pair in snapshot.pairs
        if _root(snapshot, pair.focal.path) == _root(snapshot, focal_path)
        and not integration(pair.test.method.owner)
    ]
    mirror_root = f"/{mirrored}".removesuffix(f"/{package}")[1:]
    if mirrored != folder and (not roots or mirror_root in roots):
        return mirrored
    if not roots:
        roots = [_root(snapshot, where.path) for where in snapshot.tests]
    if not roots:
        return folder
    return str(PurePosixPath(most_common(roots, ""), package))


def _root(snapshot: Snapshot, path: str) -> str:
    """The source root of a file: its folder without those of its package."""
    folder = _folder(path)
    package = snapshot.files[path].package.replace(".", "/")
    return f"/{folder}".removesuffix(f"/{package}")[1:] if package else folder


def _folder(path: str) -> str:
    folder = str(PurePosixPath(path).parent)
    return "" if folder == "." else folder
