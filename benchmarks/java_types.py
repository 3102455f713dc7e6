"""Writes down what Java's own library declares, for the monitor that generation is held to.

    python benchmarks/java_types.py > personalizer/engine/monitor/java.types

Asks the ``javap`` on the path about all public types of the packages that code uses most, and
about what they extend. One line a type, ``package.Name:Super,Super``, marked ``abstract``,
``enum``, ``interface`` or ``beyond``, and one for each public member beneath it:
``name(parameters)type``, ``new(parameters)``, ``.field type``; ``=`` stands before what is
static, ``?`` for a type variable. Other types are simple names. Of two types with one simple name
that is the first package's; the other has its full name as a supertype, and is ``?`` elsewhere.
What only heirs can make is marked as abstract, what lies in none of the packages as beyond them.
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
    blocks: dict[str, Block] = {}
    wanted = [*public_types()]
    while wanted:
        blocks |= {one.full: one for one in declared(wanted)}
        above = dict.fromkeys(name for one in blocks.values() for name in one.above)
        wanted = [name for name in above if name not in blocks]
    names = {full.rpartition(".")[2]: full for full in reversed(blocks)}
    for full, block in blocks.items():
        supers = ",".join(told_by(name, names) for name in block.above)
        print(f"{full}:{supers}{block.marks}")
        for line in block.members:
            for one in member(line, full, names):
                print(f" {one}")
        for one in LATER.get(told_by(full, names), "").split():
            print(f" {one}")


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
    """Full names of its supertypes."""
    marks: str
    """Of its line in the table."""
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
        marks += " interface" if " interface " in head else ""
        marks += "" if full[1].rpartition(".")[0] in PACKAGES else " beyond"
        public = head.startswith("public ")
        yield Block(full[1], names, marks, members, public)


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


def told_by(full: str, names: Mapping[str, str]) -> str:
    """What a type is called where ``names`` say which one a simple name means."""
    name = full.rpartition(".")[2]
    return name if names[name] == full else full


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
