"""What does it cost to check a candidate? Beside javac with a console launcher, and beside Maven.

    python benchmarks/validation.py FOLDER... [--candidates 50] [--slow 3] [--class-path PATH]

Candidates are the project's own tests, put into their classes again under another name; they are
compiled, run twice, the second time in another process, run as their twin and measured. "cold" is
a new validator's first verdict without the time of the project's own compilation, "batch" the mean
over all candidates of the second time that all are checked, with what the existing tests of their
classes cost the first time in a column of its own. The other two ways check the first few of the
same candidates in the same run, once each, without coverage. A copy of each folder is used; the
load of the machine is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

from indexer import Method, Pair, Snapshot, Store, Workspace, index_folder
from personalizer.validation import Check, sandbox
from personalizer.validation.jdk import find_jdk
from personalizer.validation.repositories import Repositories
from personalizer.validation.validator import LocalValidator

HEAD = (
    "| project | candidates | compile | pass | flaky | cold s | existing tests ms | batch ms "
    "| CPU ms | median ms | javac + console ms | mvn -Dtest ms | memory MB | load |"
)
_CONSOLE = "org.junit.platform.console.ConsoleLauncher"


def binary_name(snapshot: Snapshot, path: str, method: Method) -> str:
    package = snapshot.files[path].package
    owner = method.owner.replace(".", "$")
    return f"{package}.{owner}" if package else owner


def candidate(snapshot: Snapshot, pair: Pair) -> Check:
    """A test of the project, as if it had just been generated."""
    path, method = pair.test.path, pair.test.method
    source = snapshot.source(path)
    span = method.span
    code = source[span.start : span.end].decode("utf-8", "replace")
    name = f"{method.name}Again"
    copy = re.sub(rf"\b{re.escape(method.name)}(\s*\()", rf"{name}\1", code, count=1)
    text = source.decode("utf-8", "replace")
    at = len(source[: span.end].decode("utf-8", "replace"))
    focal = pair.focal
    lines = snapshot.source(focal.path)
    return Check(
        file=path,
        source=f"{text[:at]}\n\n    {copy}{text[at:]}",
        test_class=binary_name(snapshot, path, method),
        test_method=name,
        focal_path=focal.path,
        focal_class=binary_name(snapshot, focal.path, focal.method),
        focal_lines=(
            lines.count(b"\n", 0, focal.method.span.start) + 1,
            lines.count(b"\n", 0, focal.method.span.end) + 1,
        ),
        elsewhere=True,
    )


def with_console(checks: list[Check], validator: LocalValidator, scratch: Path) -> float | None:
    """Mean milliseconds of a candidate by javac and JUnit's console launcher."""
    console = Repositories.of_this_machine().jar(
        "org.junit.platform", "junit-platform-console-standalone", None
    )
    if console is None or not checks:
        return None
    jdk = find_jdk()
    spent = []
    for check in checks:
        layout = validator._layout(check, None)
        libraries = [j for j in layout.jars if not j.name.startswith(("junit-p", "junit-j"))]
        path = os.pathsep.join(map(str, (console, *layout.outputs, *libraries)))
        folder = scratch / "console"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        file = folder / Path(check.file).name
        file.write_text(check.source)
        name = f"{check.test_class}#{check.test_method}"
        start = time.perf_counter()
        subprocess.run(
            [jdk.home / "bin/javac", "-nowarn", "-proc:none", "-cp", path, "-d", folder, file],
            check=True,
            capture_output=True,
        )
        subprocess.run(
            [jdk.java, "-cp", f"{folder}{os.pathsep}{path}", _CONSOLE, "--select-method", name],
            cwd=layout.folder,
            check=True,
            capture_output=True,
        )
        spent.append(1000 * (time.perf_counter() - start))
    return statistics.fmean(spent)


def with_maven(checks: list[Check], root: Path, options: list[str]) -> float | None:
    """Mean milliseconds of a candidate by Maven; None where Maven cannot build it offline."""
    spent = []
    for check in checks:
        file = root / check.file
        before = file.read_bytes()
        file.write_text(check.source)
        name = f"{check.test_class.replace('$', '.')}#{check.test_method}"
        start = time.perf_counter()
        done = subprocess.run(
            ["mvn", "-o", "-q", "-B", *options, "test", f"-Dtest={name}", "-DfailIfNoTests=false"],
            cwd=root,
            capture_output=True,
        )
        spent.append(1000 * (time.perf_counter() - start))
        file.write_bytes(before)
        if done.returncode:
            return None
    return statistics.fmean(spent) if spent else None


def java_processes() -> list[psutil.Process]:
    """All Java processes that this one started."""
    return [c for c in psutil.Process().children(recursive=True) if c.name() == "java"]


def cpu_seconds() -> float:
    """CPU time of this process and of its Java processes."""
    used = [psutil.Process().cpu_times(), *(one.cpu_times() for one in java_processes())]
    return sum(one.user + one.system for one in used)


def measure(folder: Path, arguments: argparse.Namespace, scratch: Path) -> dict[str, object]:
    root = scratch / "project"
    shutil.copytree(folder, root, ignore=shutil.ignore_patterns(".git", "target", "build"))
    snapshot, _ = index_folder(root, Store())
    checks = [candidate(snapshot, pair) for pair in snapshot.pairs if pair.test.method.body]
    step = max(1, len(checks) // arguments.candidates)
    checks = checks[::step][: arguments.candidates]

    def validator() -> LocalValidator:
        return LocalValidator(
            root,
            snapshot,
            Workspace(root).build_files(),
            trusted=arguments.trust,
            data=scratch / "data",
            programs=scratch / "programs",
            class_path=arguments.class_path,
        )

    first = validator()
    first.validate(checks[:1])  # compiles the project and our own program
    first.close()
    made = validator()
    made._layout(checks[0], None)
    start = time.perf_counter()
    made.validate(checks[:1])
    cold = time.perf_counter() - start
    start = time.perf_counter()
    earlier = made.validate(checks)
    shared = time.perf_counter() - start - sum(one.seconds for one in earlier)
    start, cpu = time.perf_counter(), cpu_seconds()
    verdicts = made.validate(checks)
    batch, cpu = time.perf_counter() - start, cpu_seconds() - cpu
    used = sum(one.memory_info().rss for one in java_processes()) / 1e6
    passing = [c for c, v in zip(checks, verdicts, strict=True) if v.passes][: arguments.slow]
    console = with_console(passing, made, scratch)
    made.close()
    options = ["-Dmaven.repo.local=/usr/share/maven-repo"] if arguments.system_repository else []
    return {
        "project": folder.name,
        "candidates": len(checks),
        "compile": sum(one.compiles is True for one in verdicts),
        "pass": sum(one.passes is True for one in verdicts),
        "flaky": sum(one.flaky for one in verdicts),
        "cold_s": round(cold, 2),
        "existing_ms": round(1000 * shared / len(checks), 1),
        "batch_ms": round(1000 * batch / len(checks), 1),
        "cpu_ms": round(1000 * cpu / len(checks), 1),
        "median_ms": round(1000 * statistics.median(one.seconds for one in verdicts), 1),
        "console_ms": console and round(console),
        "maven_ms": (slow := with_maven(passing, root, options)) and round(slow),
        "memory_mb": round(used),
        "load": round(os.getloadavg()[0], 1),
        "reasons": Counter(
            _short(one.not_run or one.failure) for one in verdicts if not one.passes
        ),
        "sandbox": sandbox.unavailable() is None,
    }


def _short(text: str | None) -> str:
    return " ".join((text or "does not compile").split())[:160]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--candidates", type=int, default=50)
    parser.add_argument("--slow", type=int, default=3, help="candidates for the two other ways")
    parser.add_argument("--class-path", default="")
    parser.add_argument("--trust", action="store_true", help="run the build for its class path")
    parser.add_argument(
        "--system-repository", action="store_true", help="let Maven use /usr/share/maven-repo"
    )
    arguments = parser.parse_args()
    rows = []
    for folder in arguments.folders:
        with tempfile.TemporaryDirectory() as scratch:
            rows.append(measure(folder.resolve(), arguments, Path(scratch)))
    names = [name for name in rows[0] if name not in ("reasons", "sandbox")]
    print(HEAD)
    print("|" + " --- |" * HEAD.count(" | ") + " --- |")
    for row in rows:
        print("| " + " | ".join("-" if row[n] is None else str(row[n]) for n in names) + " |")
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
