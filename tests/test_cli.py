"""The command line: exit codes, JSON keys, one clear line for bad input."""

from __future__ import annotations

import errno
import json
import os
import re
import resource
import signal
import subprocess
import sys
import textwrap
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import save_file

from personalizer.adapters import Registry, Trained
from personalizer.cli import main
from personalizer.cli import personalizer as group
from personalizer.errors import BadInput, Busy
from personalizer.models import fingerprint
from personalizer.processes import environment, module_command
from personalizer.storage import WorkspaceData, data_folder
from tests.java_project import project_files, write_project
from tests.test_adapters import manifest

STATUS_KEYS = {
    "adapter",
    "method",
    "base",
    "freshness",
    "pairs",
    "unseen_symbols",
    "commits_behind",
    "trained_at",
    "job",
    "daemon",
}
INDEX_KEYS = {
    "files",
    "parsed",
    "errors",
    "excluded",
    "methods",
    "tests",
    "pairs",
    "snippets",
    "seconds",
}
PAIR_KEYS = {
    "test_file",
    "test_class",
    "test_method",
    "test_line",
    "focal_file",
    "focal_class",
    "focal_method",
    "focal_params",
    "constructor",
    "rule",
    "confidence",
}
TRAIN_KEYS = {
    "adapter",
    "method",
    "base",
    "promoted",
    "gate",
    "reason",
    "pairs",
    "metrics",
    "steps",
    "tokens",
    "seconds",
    "tokens_per_second",
    "peak_memory_bytes",
    "pf_seconds",
    "trainable_parameters",
}


def personalizer(
    *arguments: object, code: int = 0, where: Path | None = None, **environment: str
) -> subprocess.CompletedProcess:
    """Runs the real command in a folder; checks its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "personalizer", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        cwd=where,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done


def answer(*arguments: object, **environment: str) -> dict:
    return json.loads(personalizer(*arguments, "--json", **environment).stdout)


def check_complaint(words: str, *arguments: object, code: int = 1, **environment: str) -> None:
    done = personalizer(*arguments, code=code, **environment)
    assert done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if line.startswith("personalizer: ")]
    assert len(lines) == 1 and words in lines[0], done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def shapes(tmp_path):
    return write_project(tmp_path / "shapes")


@pytest.fixture
def quick(tiny_base):
    return {
        "PERSONALIZER_BASE": str(tiny_base),
        "PERSONALIZER_CONTEXT_TOKENS": "1400",
        "PERSONALIZER_TARGET_TOKENS": "220",
        "PERSONALIZER_EPOCHS": "2",
    }


def test_python_that_lies_in_a_project_is_not_run_by_opening_or_indexing_it(tmp_path):
    for name in ("msgspec", "psutil", "tree_sitter"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a stranger was run')")
    code = "class C%d {\n" + "    void m() { }\n" * 20_000 + "}"
    for number in range(16):  # enough for workers
        (tmp_path / f"C{number}.java").write_text(code % number)
    told = [
        subprocess.run(
            module_command("personalizer", *arguments),
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment(),
            stdin=subprocess.DEVNULL,
            check=False,
        )
        for arguments in (["index", ".", "--json"], ["lsp", "--stdio", "--log-level", "info"])
    ]
    assert json.loads(told[0].stdout)["methods"] == 16 * 20_000
    assert all("stranger" not in one.stderr and "Error" not in one.stderr for one in told), told


def test_index_counts_what_is_there(shapes):
    (shapes / "Broken.java").write_text("class Broken { void a( { }")
    (shapes / "Latin.java").write_bytes('class Latin { String s = "é"; }'.encode("latin-1"))
    found = answer("index", shapes)
    assert set(found) == INDEX_KEYS
    assert (found["files"], found["parsed"], found["tests"], found["pairs"]) == (18, 18, 32, 32)
    assert found["errors"]["Latin.java"] == ["line 1: not UTF-8, read as Latin-1"]
    assert found["errors"]["Broken.java"][0].startswith("line 1: ")
    assert found["snippets"] == 32


def test_index_lists_what_is_left_out_and_copies(shapes):
    (shapes / "target").mkdir()
    (shapes / "Gen.java").write_text('@Generated("x") class Gen { }')
    original = "src/main/java/shapes/ShapeA.java"
    (shapes / "Copy.java").write_text((shapes / original).read_text())
    found = answer("index", shapes, "--excluded")
    assert (found["files"], found["parsed"], found["excluded"]) == (18, 17, {"generated": 1})
    assert found["excluded_files"] == {"Gen.java": "generated"}
    assert found["excluded_folders"] == {"target": "built or of a tool"}
    assert found["copies"] == {original: "Copy.java"}
    shown = personalizer("index", shapes, "--excluded").stdout
    assert "left out target/: built or of a tool" in shown
    assert f"{original} is a copy of Copy.java" in shown


def test_pairs_prints_one_object_a_line(shapes):
    lines = personalizer("pairs", shapes, "--json").stdout.splitlines()
    first = json.loads(lines[0])
    assert len(lines) == 32
    assert set(first) == PAIR_KEYS
    assert first["rule"] and 0 < first["confidence"] <= 1
    assert first["focal_file"] == "src/main/java/shapes/ShapeA.java"
    assert (first["focal_method"], first["focal_params"]) == ("growA", ["int"])
    assert (first["test_class"], first["test_line"], first["constructor"]) == (
        "ShapeATest",
        9,
        False,
    )


def test_lists_are_one_json_object_even_when_empty(shapes):
    assert answer("adapters", "list", shapes) == {"adapters": [], "serving": "base"}
    assert set(answer("models", "list")) == {"models"}
    assert "`personalizer train`" in personalizer("adapters", "list", shapes).stdout
    assert "one JSON object a line" in " ".join(personalizer("pairs", "--help").stdout.split())


def test_status_without_an_adapter_says_none(shapes):
    found = answer("status", shapes)
    assert set(found) >= STATUS_KEYS
    assert (found["adapter"], found["freshness"]) == (None, "none")
    personalizer("status", shapes, "--check", code=5)


def test_train_status_adapters_and_roll_back_agree(shapes, quick):
    trained = answer("train", shapes, **quick)
    assert set(trained) >= TRAIN_KEYS
    assert trained["promoted"] == (trained["gate"] != "refused")
    answer("adapters", "use", trained["adapter"], "--workspace", shapes)
    found = answer("status", shapes)
    assert (found["adapter"], found["freshness"]) == (trained["adapter"], "fresh")
    assert found["pairs"] == {"trained": 32, "unchanged": 32, "changed": 0, "new": 0, "removed": 0}
    personalizer("status", shapes, "--check", code=0)
    listed = answer("adapters", "list", shapes)
    (row,) = listed["adapters"]
    assert listed["serving"] == row["id"] == trained["adapter"] and row["serving"]
    test = shapes / "src/test/java/shapes/ShapeATest.java"
    test.write_text(test.read_text().replace("(7)", "(9)"))
    personalizer("status", shapes, "--check", code=3)
    for path in (shapes / "src/test/java/shapes").glob("Shape[BC]Test.java"):
        path.unlink()
    personalizer("status", shapes, "--check", code=4)
    while answer("adapters", "rollback", shapes)["serving"] != "base":
        pass
    check_complaint("nothing served before", "adapters", "rollback", shapes)


def test_a_dry_run_stays_one_in_the_background_too(shapes, quick):
    planned = answer("train", shapes, "--background", "--dry-run", **quick)
    assert planned["dry_run"] and planned["steps"] > 0
    assert not answer("daemon", "status")["running"]
    assert answer("status", shapes)["job"] is None


def test_generate_answers_with_candidates_that_name_the_adapter(shapes, quick):
    test = shapes / "src/test/java/shapes/ShapeATest.java"
    before = test.read_bytes()
    made = answer("generate", "ShapeA#growA", "--workspace", shapes, "-n", "2", **quick)
    assert made["adapter"] == "base"
    assert made["focal"].endswith("ShapeA#growA(int)")
    assert len(made["candidates"]) >= 1
    assert {"text", "parses", "compiles", "passes", "seconds"} <= set(made["candidates"][0])
    assert test.read_bytes() == before


def test_bad_input_gets_one_clear_line(shapes, tmp_path, quick):
    missing = tmp_path / "missing"
    check_complaint("expected a folder", "index", missing)
    empty = write_project(tmp_path / "empty", {"notes.txt": "nothing"})
    check_complaint("Java source files, found none", "index", empty)
    check_complaint("Java source files, found none", "pairs", empty)
    check_complaint("found none", "generate", "--untested", "--workspace", empty, **quick)
    check_complaint("Java source files, found none", "train", empty, **quick)
    untested = write_project(tmp_path / "untested", {"A.java": "class A { }"})
    assert personalizer("pairs", untested).stdout == ""
    check_complaint("expected JUnit or TestNG tests, found none", "train", untested, **quick)
    small = write_project(tmp_path / "small", project_files(classes=3))
    check_complaint("at least 24 tests", "train", small, **quick)
    main = shapes / "src/main/java/shapes/ShapeA.java"
    check_complaint("ShapeA.java", "generate", f"{main}:1", "--workspace", shapes, **quick)
    check_complaint("no method", "generate", "ShapeA#shrink", "--workspace", shapes, **quick)
    check_complaint("method", "train", shapes, "--method", "magic", **quick)
    check_complaint("expected a time", "train", shapes, "--budget", "soon", **quick)
    wrong = {**quick, "PERSONALIZER_BASE": str(missing)}
    check_complaint("no base model lies at", "train", shapes, **wrong)
    check_complaint("no base model lies at", "evaluate", shapes, **wrong)
    check_complaint("must be one of fm, fm_fc", "evaluate", shapes, "--level", "foo", **quick)
    out = tmp_path / "absent" / "rows.jsonl"
    check_complaint("in a folder that is there", "dataset", shapes, "--out", out, **quick)
    assert not out.parent.exists()
    check_complaint("no adapter is called", "adapters", "use", "ghost", "--workspace", shapes)


@pytest.mark.parametrize(
    ("full", "error", "words"),
    [
        (
            True,
            RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 128"),
            "is full: make room there, and try again",
        ),
        (
            False,
            RuntimeError("Error while serializing: I/O error: File too large (os error 27)"),
            "File too large: raise the limit (quota, `ulimit -f`) or set PERSONALIZER_DATA_DIR",
        ),
        (False, OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)), "exceeded: raise the limit"),
    ],
)
def test_a_disk_that_takes_no_more_is_told_in_one_line(full, error, words, monkeypatch, capsys):
    """Libraries have many words for it."""

    def fails(**_):
        raise error

    monkeypatch.setattr("personalizer.cli.personalizer.main", fails)
    monkeypatch.setattr("personalizer.cli.disk_is_full", lambda folder: full)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    [line] = capsys.readouterr().err.splitlines()
    assert words in line


@pytest.mark.parametrize(("job", "code"), [("", 1), ("4f2a", 75)])
def test_a_job_that_another_process_holds_up_is_known_by_its_exit_code(
    monkeypatch, capsys, job, code
):
    def fails(**_):
        raise Busy("process 12 (train) holds this workspace: wait for it to end, or stop it")

    if job:
        monkeypatch.setenv("PERSONALIZER_JOB", job)
    monkeypatch.setattr("personalizer.cli.personalizer.main", fails)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    assert "process 12 (train)" in capsys.readouterr().err


def test_wrong_usage_exits_two(shapes):
    assert "No such option" in personalizer("index", shapes, "--nonsense", code=2).stderr
    assert "No such command" in personalizer("dance", code=2).stderr
    no_tasks = personalizer("evaluate", shapes, "--solutions", "broken", code=2)
    assert "--solutions needs --tasks" in no_tasks.stderr
    none = personalizer("evaluate", shapes, "--methods", ",", code=2)
    assert "--methods names no method" in none.stderr
    warm = personalizer("train", shapes, "--dry-run", "--method", "all", "--warm", code=2)
    assert "--warm does not go with --method all" in warm.stderr
    both = personalizer("status", shapes, "--check", "--web", code=2)
    assert "--check does not go with --web" in both.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["generate"], "expected a TARGET or --untested, got neither"),
        (["generate", "A#b", "--limit", "1"], "--limit and --out go with --untested"),
        (["generate", "A#b", "--out", "x"], "--limit and --out go with --untested"),
        (["train", "--method", "all"], "--method all goes with --dry-run only"),
        (["adapters", "forget"], "expected a PATH or --list"),
        (["adapters", "forget", "A.java", "--list"], "expected a PATH or --list"),
    ],
)
def test_what_a_command_needs_or_does_not_go_with_is_wrong_usage(arguments, words):
    told = CliRunner().invoke(group, arguments)
    assert (told.exit_code, told.stdout) == (2, "")
    assert words in told.stderr


@pytest.mark.parametrize("place", ["A.java", "A.java:", "A.java:two"])
def test_a_snippet_needs_a_line(place):
    told = CliRunner().invoke(group, ["snippet", place])
    assert isinstance(told.exception, BadInput)
    assert str(told.exception) == f"expected FILE:LINE, got {place}"


def test_an_error_that_nobody_foresaw_is_one_line_and_its_trace_is_kept(monkeypatch, capsys):
    def fails(**_):
        raise ValueError("odd\nthing")

    monkeypatch.setattr("personalizer.cli.personalizer.main", fails)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    [line] = capsys.readouterr().err.splitlines()
    kept = data_folder() / "crash.log"
    told = "personalizer: failed unexpectedly: ValueError('odd\\nthing')"
    assert line == f"{told}; details are in {kept}"
    assert "ValueError: odd\nthing" in kept.read_text()


def test_who_reads_no_further_is_no_error(shapes):
    command = [sys.executable, "-m", "personalizer", "pairs", str(shapes), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_an_adapter_is_shown_removed_and_brought_back_by_its_commands(tmp_path, tiny_base):
    root = write_project(tmp_path / "shop", {"A.java": "class A { }"})
    registry = Registry(WorkspaceData(root).adapters)
    staging = registry.staging()
    save_file({"w": np.zeros(3, np.float32)}, str(staging / "adapter_model.safetensors"))
    mark = fingerprint(tiny_base)
    made = manifest("one", base=str(tiny_base), base_fingerprint=mark)
    registry.add(staging, made, Trained({"a": "1"}, ["b"]))

    def told(*arguments: object) -> dict:
        where = () if "list" in arguments else ("--workspace", str(root))
        command = ["adapters", *map(str, arguments), *where, "--json"]
        done = CliRunner().invoke(group, command, env={"PERSONALIZER_BASE": str(tiny_base)})
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    files = ["adapter_model.safetensors", "pairs.json", "manifest.json"]
    assert told("show", "one")["base_fingerprint"] == mark
    assert told("use", "one") == {"serving": "one"}
    out = tmp_path / "out"
    assert told("export", "one", out) == {"exported": "one", "folder": str(out), "files": files}
    assert told("remove", "one") == {"removed": "one"}
    assert told("list", root) == {"adapters": [], "serving": "base"}
    assert told("import", out) == {"imported": "one", "serving": False}
    row = {
        "id": "one",
        "method": "lora",
        "base": str(tiny_base),
        "trained_at": "2026-01-01T00:00:00+00:00",
        "gate": "passed",
        "reason": "it is better",
        "pairs": {"train": 1},
        "serving": False,
    }
    assert told("list", root) == {"adapters": [row], "serving": "base"}
    assert told("use", "base") == {"serving": "base"}
    told("use", "one")
    assert told("list", root) == {"adapters": [row | {"serving": True}], "serving": "one"}
    (registry.folder / "one/manifest.json").write_text("{")
    assert told("list", root) == {"adapters": [], "serving": None}


def test_a_data_folder_that_cannot_be_written_is_named(shapes, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    elsewhere = {"PERSONALIZER_DATA_DIR": str(blocked / "data")}
    for command in (["index", shapes], ["train", shapes], ["daemon", "start"]):
        check_complaint(str(blocked), *command, **elsewhere)
        check_complaint("or set PERSONALIZER_DATA_DIR to a folder", *command, **elsewhere)


def test_ctrl_c_while_training_exits_130_and_the_same_command_goes_on(shapes, quick):
    slow = {**quick, "PERSONALIZER_EPOCHS": "200", "PERSONALIZER_PATIENCE": "500"}
    command = [sys.executable, "-m", "personalizer", "train", str(shapes), "--progress", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | slow
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if '"phase": "train"' in line and json.loads(line)["progress"]["step"] >= 20:
                break
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; nothing was lost" in errors
    assert answer("status", shapes)["freshness"] == "none"


def entry() -> str:
    """Code that runs what the installed command runs."""
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
    module, _, function = project["project"]["scripts"]["personalizer"].partition(":")
    return f"from {module} import {function} as main\nmain()\n"


@pytest.mark.parametrize("moment", ["personalizer.cli", "click", "indexer.facts", "the end"])
def test_an_interrupt_is_one_line_however_early_or_late_it_comes(moment):
    code = f"""
        import atexit, os, signal, sys

        class Watching:
            def find_spec(self, name, *_):
                if name == {moment!r}:
                    os.kill(os.getpid(), signal.SIGINT)

        sys.meta_path.insert(0, Watching())
        atexit.register(Watching().find_spec, "the end")
    """
    command = [sys.executable, "-c", textwrap.dedent(code) + entry(), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "personalizer: interrupted\n")


@pytest.mark.parametrize("installed", [True, False])
def test_in_a_folder_that_is_gone_a_whole_path_is_enough(shapes, tmp_path, installed):
    gone = tmp_path / "gone"
    command = [sys.executable, *(["-c", entry()] if installed else ["-m", "personalizer"])]

    def told(*arguments: object) -> tuple[int, str, str]:
        gone.mkdir()
        deleting = ["sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh", *command, *map(str, arguments)]
        done = subprocess.run(
            deleting, capture_output=True, text=True, cwd=gone, env=environment(), check=False
        )
        return done.returncode, done.stdout, done.stderr

    code, found, errors = told("status", shapes, "--json")
    assert (code, json.loads(found)["freshness"], errors) == (0, "none", "")
    line = "personalizer: the folder that this shell is in is gone: go to one that is there\n"
    for arguments in (["status"], ["index", "."], ["config", "sub"]):
        assert told(*arguments) == (1, "", line)
    assert not (data_folder() / "crash.log").exists()


@pytest.mark.parametrize("goes_on", [True, False])
def test_an_interrupt_says_that_nothing_was_lost_only_where_the_command_goes_on(goes_on):
    code = """
        from contextlib import nullcontext
        from personalizer import cli
        from personalizer.commands.common import going_on

        @cli.personalizer.command()
        def wait():
            with going_on() if GOES_ON else nullcontext():
                cli._interrupt()

        cli.main()
    """.replace("GOES_ON", str(goes_on))
    command = [sys.executable, "-c", textwrap.dedent(code), "wait"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 130
    more = "; nothing was lost: the same command goes on where it was" if goes_on else ""
    assert done.stderr.split("\n")[-2] == f"personalizer: interrupted{more}"


def test_a_folder_without_tests_names_the_project_that_it_is_part_of(shapes):
    (shapes / "pom.xml").write_text("<project/>")
    part = shapes / "src/main/java"
    check_complaint(f"is part of the project {shapes}: name that", "train", part)
    check_complaint(f"is part of the project {shapes}: name that", "train", part, "--dry-run")


def test_help_names_every_form_of_a_target():
    assert "File.java:LINE, File.java#method or Class#method" in personalizer(
        "generate", "--help"
    ).stdout.replace("\n  ", " ")


@pytest.mark.parametrize(
    "command",
    [
        ["generate", "ShapeA#nope"],
        ["generate", "ShapeA#nope", "--json"],
        ["snippet", "nofile.java:1"],
        ["train", ".", "--method", "nope"],
        ["train", ".", "--dry-run", "--method", "all"],
    ],
)
def test_what_only_the_user_may_set_is_told_once_where_the_repository_sets_it(
    shapes, monkeypatch, command
):
    monkeypatch.chdir(shapes)
    monkeypatch.setattr("personalizer.training.comparison.STRATEGIES", {})
    Path("personalizer.toml").write_text('base = "evil/model"\nengine_url = "http://evil"\n')
    notes = CliRunner().invoke(group, command).stderr.splitlines()
    told = [line for line in notes if line.startswith(f"note: {shapes}/personalizer.toml may not")]
    assert [line.split(":")[1].rsplit()[-1] for line in told] == ["base", "engine_url"]


@pytest.mark.slow
def test_killing_any_command_at_ten_moments_leaves_a_store_that_the_next_one_uses(shapes, quick):
    commands = (
        ("index", shapes),
        ("train", shapes),
        ("generate", "ShapeA#growA", "--workspace", shapes),
        ("status", shapes),
    )
    for tenth in range(10):
        command = [sys.executable, "-m", "personalizer", *map(str, commands[tenth % 4]), "--json"]
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | quick,
        )
        time.sleep(0.1 + 0.7 * tenth)
        process.kill()
        process.wait()
        assert answer("index", shapes)["pairs"] == 32
        assert answer("status", shapes)["freshness"] in ("none", "fresh")
    assert answer("train", shapes, **quick)["adapter"]


@pytest.mark.parametrize("room", [0, 4_000, 40_000])
def test_a_full_disk_is_one_clear_line_and_nothing_is_half_written(shapes, quick, room):
    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    done = subprocess.run(
        [sys.executable, "-m", "personalizer", "train", str(shapes), "--json"],
        capture_output=True,
        text=True,
        env=os.environ | quick,
        preexec_fn=full,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert [line for line in done.stderr.splitlines() if line.startswith("personalizer: cannot ")]
    assert "Traceback" not in done.stderr
    assert answer("status", shapes)["freshness"] == "none"
    assert answer("adapters", "list", shapes) == {"adapters": [], "serving": "base"}


def test_config_names_the_place_of_each_value(shapes, quick):
    (shapes / "personalizer.toml").write_text("epochs = 5\n")
    del quick["PERSONALIZER_EPOCHS"]
    rows = {row["name"]: row for row in answer("config", shapes, **quick)["settings"]}
    assert rows["epochs"]["value"] == 5
    assert rows["epochs"]["origin"].endswith("personalizer.toml")
    assert rows["base"]["origin"] == "PERSONALIZER_BASE"
    assert rows["seed"]["origin"] == "default"


def test_dataset_writes_prompts_targets_and_their_split(shapes, quick, tmp_path):
    out = tmp_path / "examples.jsonl"
    said = answer("dataset", shapes, "--out", out, **quick)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert said["examples"] == len(rows) == 32
    assert {row["split"] for row in rows} == {"train", "validation", "gate"}
    first = rows[0]
    assert first["prompt"].endswith("<|test|>") and first["target"].startswith("@Test\nvoid grow")
    assert first["target"] not in first["prompt"]


def test_models_lists_the_embedded_one_and_pulls_nothing_when_offline(quick):
    rows = answer("models", "list")["models"]
    assert rows[0]["name"] == "starter"
    assert all(row["licence"] and row["parameters"] for row in rows)
    check_complaint("nobody/nothing cannot be fetched", "models", "pull", "nobody/nothing")
    check_complaint("check its name and the network", "models", "pull", "nobody/nothing")


def test_a_base_model_that_lies_here_can_be_made_ones_own(tiny_base):
    said = answer("models", "use", tiny_base)
    assert said["base"] == str(tiny_base)
    rows = {row["name"]: row for row in answer("config")["settings"]}
    assert (rows["base"]["value"], rows["base"]["origin"]) == (str(tiny_base), said["file"])
    check_complaint("is not on this machine", "models", "use", "nobody/nothing")


def test_no_file_name_and_no_setting_gives_a_terminal_orders(tmp_path):
    order = "\x1b]52;c;ZXZpbA==\x07\x1b[2J\x9b"
    (tmp_path / f"{order}.java").symlink_to("nowhere")
    (tmp_path / f"B{order}.java").write_text("class B { int f(int a) { return a; } }")
    shown = personalizer("index", tmp_path, "--excluded")
    assert "\\x1b]52" in shown.stdout
    asked = personalizer("generate", f"{order}.java:1", "--workspace", tmp_path, code=1)
    wrong = personalizer("train", tmp_path, f"--{order}", code=2)
    (tmp_path / "personalizer.toml").write_text(f"{json.dumps(order)} = 1")
    told = personalizer("config", tmp_path, code=1)
    for done in (shown, asked, wrong, told):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", done.stdout + done.stderr)


def test_nothing_is_imported_from_the_folder_that_a_command_runs_in(tmp_path):
    for name in ("msgspec", "click", "signal", "logging"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    done = subprocess.run(
        [sys.executable, "-m", "personalizer", "--version"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert not (tmp_path / "ran").exists()


def test_where_no_folder_is_named_the_project_around_is_meant(tmp_path):
    root = write_project(tmp_path / "shop")
    (root / "pom.xml").write_text("<project/>")
    inside = root / "src" / "main" / "java"

    def tests(*arguments: object, where=inside) -> tuple[int, str]:
        done = personalizer("index", *arguments, "--json", where=where)
        return json.loads(done.stdout)["tests"], done.stderr

    count, told = tests(root)
    assert count > 0 and told == ""
    assert tests(".") == (0, "")
    assert tests() == (count, f"note: the project is {root}\n")
    assert tests(where=root) == (count, "")
    assert "note: the project is" in personalizer("config", "--json", where=inside).stderr


def test_a_folder_of_no_project_is_one_by_itself(tmp_path):
    """Not all that lies below a build file or repository in the user's own folder."""
    root = write_project(tmp_path / "home" / "plain")
    (tmp_path / "home" / "pom.xml").write_text("<project/>")
    (tmp_path / "home" / ".git").mkdir()
    done = personalizer("index", "--json", where=root, HOME=str(tmp_path / "home"))
    assert done.stderr == ""
