"""Writes down what Java's own library declares, for the monitor that generation is held to.

    python benchmarks/java_types.py > personalizer/engine/monitor/java.types

Asks the ``javap`` on the path about all public types of the packages that code uses most, and
about what they extend. One line a type, ``package.Name:Super,Super``, marked ``abstract`` or
``enum``, and one for each public member beneath it: ``name(parameters)type``, ``new(parameters)``,
``.field type``; ``=`` stands before what is static, ``?`` for a type variable. Other types are
simple names, ``?`` too where the table has another of that name. What only heirs can make is marked
as abstract. Of two types with one simple name the first package's is told, of the other its name
alone.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from personalizer.engine.monitor.kinds import PRIMITIVES

PACKAGES = [
    "java.lang",
    "java.util",
    "java.util.function",
    "java.util.stream",
    "java.io",
    "java.math",
    "java.time",
    "java.util.concurrent",
    "java.util.concurrent.atomic",
    "java.util.concurrent.locks",
    "java.util.regex",
    "java.lang.reflect",
    "java.net",
    "java.nio",
    "java.nio.charset",
    "java.nio.file",
    "java.nio.file.attribute",
    "java.nio.channels",
    "java.text",
    "java.time.format",
    "java.time.temporal",
    "java.time.chrono",
    "java.sql",
    "java.lang.annotation",
    "java.lang.ref",
    "java.net.http",
    "java.security",
    "java.security.cert",
    "java.security.spec",
    "java.util.zip",
    "java.util.jar",
    "java.util.logging",
    "javax.crypto",
    "javax.net.ssl",
    "org.w3c.dom",
    "org.xml.sax",
    "org.xml.sax.helpers",
    "javax.xml.namespace",
    "javax.xml.parsers",
    "javax.xml.transform",
    "javax.xml.transform.dom",
    "javax.xml.transform.stream",
    "javax.xml.xpath",
]
"""The nearer ones first."""
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
    named = [*public_types()]
    first = {full.rpartition(".")[2]: full for full in reversed(named)}
    wanted = [full for full in named if full in first.values()]
    others = [full for full in named if full not in wanted]
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
    print("\n".join(f"{full}:" for full in others))


def public_types() -> Iterator[str]:
    """Full names of the types of the packages, without those that lie in another type."""
    command = shutil.which("javap")
    assert command is not None, "no JDK on the path"
    modules = Path(command).resolve().parents[1] / "lib" / "modules"
    tool = modules.parents[1] / "bin" / "jimage"
    listed = subprocess.run([tool, "list", modules], capture_output=True, text=True, check=True)
    found = re.findall(r"^ +([\w/]+)/(\w+)\.class$", listed.stdout, flags=re.MULTILINE)
    names = {(folder.replace("/", "."), name) for folder, name in found}
    for package in PACKAGES:
        own = sorted(name for folder, name in names if folder == package)
        types = [f"{package}.{name}" for name in own if name != "package-info"]
        yield from (one.full for one in declared(types) if one.public)


class Block(NamedTuple):
    """What ``javap`` tells of a type."""

    full: str
    above: list[str]
    """Full names of its supertypes in Java's own packages."""
    head: str
    """Its line in the table."""
    members: list[str]
    """As told."""
    public: bool


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
        public = head.startswith("public ")
        yield Block(full[1], javas, f"{full[1]}:{supers}{marks}", members, public)


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
