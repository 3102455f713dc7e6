"""Writes down what Java's own library declares, for the monitor that generation is held to.

    python benchmarks/java_types.py > personalizer/engine/monitor/java.types

Asks the ``javap`` on the path about the types that generation knows by name, and about all that
they extend. One line a type, ``package.Name:Super,Super``, marked ``abstract`` or ``enum``, and one
for each public member beneath it: ``name(parameters)type``, ``new(parameters)``, ``.field type``;
``=`` stands before what is static, ``?`` for a type variable. Other types are simple names.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

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
    written: set[str] = set()
    while wanted:
        more: list[str] = []
        for name, supers, lines in declared(wanted):
            if name not in written:
                written.add(name)
                print("\n".join(lines))
                more += supers
        wanted = [one for one in more if one.rpartition(".")[2] not in written]


def declared(types: list[str]) -> Iterator[tuple[str, list[str], list[str]]]:
    """Simple name, full names of its supertypes, lines."""
    told = subprocess.run(["javap", "-public", *types], capture_output=True, text=True, check=True)
    for block in re.split(r"^Compiled from .*\n", told.stdout, flags=re.MULTILINE)[1:]:
        head, *members = block.rstrip().splitlines()
        head = without_arguments(head)
        full = re.search(r"(?:class|interface) ([\w.$]+)", head)
        assert full is not None, head
        name = full[1].rpartition(".")[2]
        above = re.search(r" (?:extends|implements) (.*?)\s*\{$", head)
        names = re.findall(r"[\w.$]*\.[\w.$]+", above[1]) if above else []
        marks = " enum" if "java.lang.Enum" in names else ""
        marks += " abstract" if " abstract " in head or " interface " in head else ""
        lines = [f"{full[1]}:{','.join(one.rpartition('.')[2] for one in names)}{marks}"]
        for line in members:
            lines += [f" {told}" for told in member(line, full[1])]
        lines += [f" {one}" for one in LATER.get(name, "").split()]
        yield name, [one for one in names if one.startswith("java.")], lines


def member(line: str, owner: str) -> Iterator[str]:
    found = MEMBER.match(without_arguments(line))
    if found is None:
        return
    static = "=" if "static " in found["words"] else ""
    kind = simple((found["type"] or "").strip()).removeprefix("?")
    if found["rest"] is None:
        yield f"{static}.{found['name']} {kind}".rstrip()
        return
    parameters = ",".join(simple(one) for one in found["rest"][1:-1].split(", ") if one)
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


def simple(written: str) -> str:
    """A type as it is told; nothing for a type variable."""
    plain = written.rstrip(".[]")
    rest = written[len(plain) :]
    if "." not in plain and plain not in PRIMITIVES:
        return f"?{rest}" if rest == "..." else "?"
    return plain.rpartition(".")[2].replace("$", ".").rpartition(".")[2] + rest


PRIMITIVES = {"boolean", "byte", "char", "double", "float", "int", "long", "short", "void"}

if __name__ == "__main__":
    main()
