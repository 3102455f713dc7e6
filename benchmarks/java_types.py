"""Writes down what Java's own library declares, for the monitor that generation is held to.

    python benchmarks/java_types.py > personalizer/engine/monitor/java.types

Asks the ``javap`` on the path about the types that generation knows by name, and about all that
they extend. One line a type, ``package.Name:Super,Super``, marked ``abstract`` or ``enum``, and one
for each public member beneath it: ``name(parameters)type``, ``new(parameters)``, ``.field type``;
``=`` stands before what is static, ``?`` for a type variable. Other types are simple names, ``?``
too where the table has another of that name. What only heirs can make is marked as abstract.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from personalizer.engine.monitor.kinds import PRIMITIVES
from personalizer.generation.names.libraries import JAVA_LANG, TYPES

_ENDS = "reversed() getFirst() getLast() removeFirst() removeLast() addFirst(?)void addLast(?)void"
LATER = {
    "List": _ENDS,
    "Deque": "reversed()Deque",
    "SortedSet": _ENDS,
    "LinkedHashSet": _ENDS,
    "LinkedHashMap": "reversed() firstEntry() lastEntry() pollFirstEntry() pollLastEntry() "
    "putFirst(?,?) putLast(?,?) sequencedKeySet() sequencedValues() sequencedEntrySet()",
    "CharSequence": "getChars(int,int,char[],int)void",
    "String": "splitWithDelimiters(String,int)String[] "
    "indexOf(int,int,int)int indexOf(String,int,int)int",
    "StringBuilder": "repeat(CharSequence,int)StringBuilder repeat(int,int)StringBuilder",
    "StringBuffer": "repeat(CharSequence,int)StringBuffer repeat(int,int)StringBuffer",
    "Thread": "=ofVirtual() =ofPlatform() =startVirtualThread(Runnable)Thread "
    "isVirtual()boolean threadId()long join(Duration)boolean =sleep(Duration)void",
    "Math": "=clamp(?,?,?) =ceilDiv(?,?) =ceilMod(?,?) =ceilDivExact(?,?) "
    "=unsignedMultiplyHigh(long,long)long",
    "Locale": "=of(String)Locale =of(String,String)Locale =of(String,String,String)Locale",
    "ExecutorService": "close()void",
    "Executors": "=newVirtualThreadPerTaskExecutor()ExecutorService "
    "=newThreadPerTaskExecutor(ThreadFactory)ExecutorService",
    "Future": "resultNow() exceptionNow()Throwable state()",
    "Duration": "isPositive()boolean",
    "Instant": "until(Instant)Duration",
    "BigInteger": "parallelMultiply(BigInteger)BigInteger",
    "Reader": "readAllAsString()String readAllLines()List =of(CharSequence)Reader",
    "Stream": "gather(?)",
    "Matcher": "hasMatch()boolean namedGroups()Map",
    "Pattern": "namedGroups()Map splitWithDelimiters(CharSequence,int)String[]",
}
"""Members that came after Java 17, by hand."""
MEMBER = re.compile(
    r"^\s+public (?P<words>(?:static |final |abstract |native |synchronized |default |strictfp "
    r"|volatile |transient )*)(?:<.*?> )?(?P<type>[^\s(][^(]*? )?(?P<name>[\w.$]+)"
    r"(?P<rest>\(.*?\))?(?: throws .*)?;$"
)


def main() -> None:
    wanted = [full for full in TYPES.values() if full.startswith("java.")]
    wanted += [f"java.lang.{name}" for name in sorted(JAVA_LANG)]
    blocks: dict[str, tuple[str, list[str]]] = {}
    while wanted:
        found = {one.full: one for one in declared(wanted)}
        blocks |= {name: (one.head, one.members) for name, one in found.items()}
        above = [name for one in found.values() for name in one.above]
        told = {full.rpartition(".")[2] for full in blocks}
        wanted = [name for name in above if name.rpartition(".")[2] not in told]
    names = {full.rpartition(".")[2]: full for full in blocks}
    for full, (head, members) in blocks.items():
        print(head)
        for line in members:
            for one in member(line, full, names):
                print(f" {one}")
        for one in LATER.get(full.rpartition(".")[2], "").split():
            print(f" {one}")


class Block(NamedTuple):
    """What ``javap`` tells of a type."""

    full: str
    above: list[str]
    """Full names of its supertypes in Java's own packages."""
    head: str
    """Its line in the table."""
    members: list[str]
    """As told."""


def declared(types: list[str]) -> Iterator[Block]:
    command = ["javap", "-protected", *types]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    for block in re.split(r"^Compiled from .*\n", told.stdout, flags=re.MULTILINE)[1:]:
        head, *members = block.rstrip().splitlines()
        head = without_arguments(head)
        full = re.search(r"(?:class|interface) ([\w.$]+)", head)
        assert full is not None, head
        above = re.search(r" (?:extends|implements) (.*?)\s*\{$", head)
        names = re.findall(r"[\w.$]*\.[\w.$]+", above[1]) if above else []
        made = [line.split()[0] for line in members if f" {full[1]}(" in line]
        bodied = " abstract " in head or " interface " in head or set(made) == {"protected"}
        marks = " enum" if "java.lang.Enum" in names else ""
        marks += " abstract" if bodied else ""
        supers = ",".join(one.rpartition(".")[2] for one in names)
        javas = [one for one in names if one.startswith("java.")]
        yield Block(full[1], javas, f"{full[1]}:{supers}{marks}", members)


def member(line: str, owner: str, names: Mapping[str, str]) -> Iterator[str]:
    found = MEMBER.match(without_arguments(line))
    if found is None:
        return
    static = "=" if "static " in found["words"] else ""
    kind = simple((found["type"] or "").strip(), names).removeprefix("?")
    if found["rest"] is None:
        yield f"{static}.{found['name']} {kind}".rstrip()
        return
    parameters = ",".join(simple(one, names) for one in found["rest"][1:-1].split(", ") if one)
    if found["name"] == owner:
        yield f"new({parameters})"
    else:
        yield f"{static}{found['name']}({parameters}){kind}"


def without_arguments(text: str) -> str:
    """A text without type arguments; those before a generic method's type are left."""
    before = None
    while before != text:
        before, text = text, re.sub(r"(?<=[\w$])<[^<>]*>", "", text)
    return re.sub(r"(?<= )<[^<>]*> ", "", text)


def simple(written: str, names: Mapping[str, str]) -> str:
    """A type as it is told; nothing for a type variable, or where ``names`` has another."""
    plain = written.rstrip(".[]")
    rest = written[len(plain) :]
    name = plain.rpartition(".")[2].replace("$", ".").rpartition(".")[2]
    known = plain in PRIMITIVES or ("." in plain and names.get(name, plain) == plain)
    if known:
        return name + rest
    return f"?{rest}" if rest == "..." else "?"


if __name__ == "__main__":
    main()
