"""What a person reads: sentences, and nothing of how Python or JSON would write it."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

import pytest

from personalizer.browsing import open_in_browser
from personalizer.daemon.protocol import Job
from personalizer.generation import Candidate, Edit, Generation, SnippetGeneration
from personalizer.output import as_dict
from personalizer.texts import TEXTS
from personalizer.words import OF_TODAY
from tests.test_adapters import manifest

ROW = {"gate_loss": 1.5, "gate_perplexity": 4.5, "validation_loss": 1.25}
MANIFEST = as_dict(
    manifest(
        "lora-1",
        metrics={"base": ROW, "adapter": ROW},
        pairs={"train": 20, "validation": 2, "gate": 8},
        left_out={"over-long target": 3},
        excluded={"generated": 2},
        seconds=138.0,
        tokens=305_921,
        tokens_per_second=2428.0,
        steps=70,
        peak_memory_bytes=3_367_833_600,
        history=[{"step": 7.0, "loss": 2.0, "validation_loss": 1.9}],
    )
)
JOB = Job("7", "/shop", "queued", "2026-01-01T00:00:00+00:00")
ENGINE = {"loaded": False, "pid": None, "url": None}
RUNNING = {
    "running": True,
    "pid": 12,
    "version": "0.1.0",
    "socket": "/run/p.sock",
    "url": None,
    "token_file": None,
    "uptime_seconds": 125.0,
    "engine": ENGINE,
    "log": "/data/log",
    "jobs": [],
    "error": None,
}
STOPPED = dict.fromkeys(RUNNING) | {"running": False, "log": "/l", "jobs": []}
SILENT = STOPPED | {"running": True, "pid": 12, "version": "0.1.0", "error": "no answer"}
FORGOTTEN = {
    "path": "src/A.java",
    "removed": ["lora-1", "lora-2"],
    "kept": ["lora-3"],
    "hashes": 4,
    "serving": True,
    "elsewhere": [],
    "trained": None,
    "why_not": None,
}


@pytest.mark.parametrize(
    ("kind", "result", "said"),
    [
        ("manifest", MANIFEST, "  memory      3,212 MiB at most, adapter 0.0 MiB\n"),
        ("manifest", MANIFEST, "  left out    3 pairs: 3 over-long target\n"),
        (
            "manifest",
            MANIFEST,
            "70 steps, 305,921 tokens (2,428 a second)\n  time        2:18, rea",
        ),
        ("manifest", MANIFEST, "  validation  loss 1.900 at step 7, 1.900 at step 7\n"),
        ("manifest", MANIFEST, "  files       2 generated\n"),
        ("job", JOB, "Training in the background: queued (job 7)\n"),
        ("daemon", STOPPED, "The daemon does not run; it starts when it is needed. Its log: /l\n"),
        ("daemon", SILENT | {"running": False}, "Its log: /l\n  error   no answer"),
        (
            "daemon",
            SILENT,
            "nothing of itself: no answer\n  process 12, Personalizer 0.1.0: `perso",
        ),
        (
            "daemon",
            RUNNING | {"jobs": [as_dict(JOB)]},
            "\n  training in the background for /shop: queued\n",
        ),
        ("daemon", RUNNING, "Personalizer 0.1.0, up 2:05\n  model   not loaded\n"),
        ("daemon", RUNNING | {"engine": ENGINE | {"loaded": True, "pid": 3}}, "loaded (process 3)"),
        (
            "forgotten",
            FORGOTTEN,
            "  deleted  lora-1, lora-2, and what checkpoints and caches held\n",
        ),
        (
            "forgotten",
            FORGOTTEN,
            "  kept     1 adapter that had not seen it\nWhat served is gone: ",
        ),
        ("forgotten", FORGOTTEN | {"why_not": "too few"}, "Nothing was trained anew: too few"),
        ("serving", {"serving": "base"}, "The base serves now, without an adapter."),
        ("exported", {"exported": "a", "folder": "/o", "files": ["x", "y"]}, "into /o: x, y"),
        ("measured", {"adapter": "a", "pairs": 0}, "Nothing to measure: a has seen every pair"),
        ("tasks", {"task": "apps", "failed": []}, "failed  none"),
        ("tasks", {"passed": {"all": 2}, "failed": ["1", "7"]}, "passed  all 2\nfailed  1, 7\n"),
    ],
)
def test_a_result_is_told_in_words(kind: str, result: Any, said: str):
    text = TEXTS[kind](result)
    assert said in f"{text}\n"
    assert not re.search(r"None|True|False|[\[{(]['\"]", text), text


def test_whatever_a_command_shows_has_its_words():
    commands = (Path(__file__).parent.parent / "personalizer/commands").glob("*.py")
    shown = {
        kind for file in commands for kind in re.findall(r"\.show\(\s*([^,]+),", file.read_text())
    }
    assert shown == {f'"{kind}"' for kind in TEXTS}


def candidates_told(*changes: dict[str, Any]) -> list[str]:
    """The lines before the diff, of candidates that differ so from one that was not run."""
    rows = [as_dict(Candidate("", parses=True)) | change for change in changes]
    made = as_dict(Generation("A.java#A#b(int)", "base", (), None, seconds=2.0))
    return TEXTS["generate"](made | {"candidates": rows, "written": False}).splitlines()


def test_a_failure_is_one_line_of_bounded_length_that_ends_with_its_place():
    lines = f"expected: <a\nb> but was: <{'c ' * 300}> (ATest.java:7)"
    overloads = "no suitable method found for f(int)\n    method A.f() is not applicable"
    _, values, compiler, name, *_ = candidates_told(
        {"compiles": True, "passes": False, "failure": lines},
        {"compiles": False, "failure": overloads},
        {"compiles": False, "failure": f"no {'z' * 99}()", "unknown_symbols": ["a" * 99, "b"]},
    )
    assert values.startswith("  1. fails: expected: <a\\nb> but was: <c c")
    assert values.endswith("c c… (ATest.java:7)") and len(values) == len("  1. fails: ") + 200
    assert compiler == "  2. does not compile: no suitable method found for f(int)"
    assert name == f"  3. does not compile, does not know {'a' * 59}…, b: no {'z' * 59}…()"


def test_what_is_known_of_several_candidates_in_a_row_is_said_once():
    passes, none = {"compiles": True, "passes": True, "asserts": True}, {"parses": False}
    head, *lines = candidates_told(passes, none, none, none, {}, none)
    assert head.startswith("base wrote 6 candidates")
    told = ["1. passes", "2-4. no whole test", "5. not run, asserts nothing", "6. no whole test"]
    assert lines[: len(told)] == [f"  {line}" for line in told]


def test_that_a_test_expects_what_the_code_gives_is_said_once():
    best = Candidate("", parses=True, compiles=True, passes=True, asserts=True, settled=True)
    edit = Edit("ATest.java", False, (), "", (OF_TODAY, "makes its own A"))
    made = as_dict(Generation("A.java#A#b(int)", "base", (best,), edit, seconds=2.0))
    _, *lines = TEXTS["generate"](made | {"written": True}).splitlines()
    assert lines[:3] == [f"  1. passes, {OF_TODAY}", "Written to ATest.java", "  makes its own A"]


def test_why_nothing_was_compiled_is_told_in_a_line():
    made = as_dict(SnippetGeneration("x", "base", Edit("A.java", False, (), "")))
    why = f"A.java does not compile by itself: line 2: {'a' * 300}"
    told = TEXTS["snippet"](made | {"not_run": why}).splitlines()[1]
    assert told == f"  not compiled: {why[:299]}…"


def test_why_a_method_was_not_run_is_not_that_another_has_no_whole_test():
    broken, whole = {"parses": False, "not_run": "no whole"}, {"parses": True, "not_run": "no JDK"}
    rows = [
        {
            "focal": "A.java#A#b(int)",
            "candidates": [as_dict(Candidate("", parses=True)) | best],
            "edit": None,
            "written": False,
            "not_run": best["not_run"],
        }
        for best in (broken, whole)
    ]
    told = TEXTS["untested"]({"results": rows, "summary": {"methods": 2}, "out": "/o"})
    assert "not compiled or run: no JDK" in told


@pytest.mark.parametrize(
    ("parses", "said"),
    [
        ([True], "1 candidate for b(int) in 2.0 s; it is a whole method"),
        ([False], "1 candidate for b(int) in 2.0 s; it is no whole method"),
        ([True, False], "2 candidates for b(int) in 2.0 s; 1 is a whole method"),
        ([True, True], "2 candidates for b(int) in 2.0 s; 2 are whole methods"),
    ],
)
def test_candidates_are_counted_in_words(parses: list[bool], said: str):
    assert candidates_told(*({"parses": one} for one in parses))[0] == f"base wrote {said}"


def test_a_browser_opens_an_address_that_no_command_line_and_no_output_shows(
    tmp_path, own_data_folder, monkeypatch, capfd
):
    browser = tmp_path / "browser"
    browser.write_text(
        "#!/bin/sh\necho no browser found >&2\n"
        f'echo "$1" >> {tmp_path}/asked; cat "${{1#file://}}" | tee {tmp_path}/page\n'
        f"ps -ewwo args >> {tmp_path}/asked\n"
    )
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "webbrowser.py").write_text("raise SystemExit('a stranger was run')")
    started = open_in_browser("http://127.0.0.1:1/view?token=secret", seconds=5)
    [page] = own_data_folder.glob("daemon/*.html")
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert stat.S_IMODE(page.parent.stat().st_mode) == 0o700
    started.wait(30)
    assert capfd.readouterr() == ("", "")
    asked = (tmp_path / "asked").read_text()
    assert asked.startswith(f"file://{page}\n")
    assert "token=secret" not in asked
    assert "url=http://127.0.0.1:1/view?token=secret" in (tmp_path / "page").read_text()
    assert not page.exists()
