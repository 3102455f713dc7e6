"""What a person reads: sentences, and nothing of how Python or JSON would write it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from personalizer.commands.train import open_in_browser
from personalizer.output import as_dict
from personalizer.texts import TEXTS, plain
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
JOB = {
    "id": "7",
    "workspace": "/shop",
    "state": "queued",
    "created_at": "2026-01-01T00:00:00+00:00",
    "ended_at": None,
    "progress": None,
    "reason": None,
    "result": None,
    "kind": "train",
    "began_because": None,
}
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
}
FORGOTTEN = {
    "path": "src/A.java",
    "removed": ["lora-1", "lora-2"],
    "kept": ["lora-3"],
    "hashes": 4,
    "serving": True,
    "trained": None,
    "why_not": None,
}


@pytest.mark.parametrize(
    ("kind", "result", "said"),
    [
        ("manifest", MANIFEST, "  memory      3,212 MiB at most, adapter 0.0 MiB\n"),
        ("manifest", MANIFEST, "  validation  loss 1.900 at step 7, 1.900 at step 7\n"),
        ("manifest", MANIFEST, "  files       2 generated\n"),
        ("job", JOB, "Training in the background: queued (job 7)\n"),
        ("daemon", {"running": False, "socket": None, "log": "/l"}, "The daemon does not run; it"),
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
    ],
)
def test_a_result_is_told_in_words(kind: str, result: dict[str, Any], said: str):
    text = TEXTS.get(kind, plain)(result)
    assert said in f"{text}\n"
    assert not re.search(r"None|True|False|[\[{(]['\"]", text), text


def test_a_browser_that_opens_an_address_prints_nothing(tmp_path, monkeypatch, capfd):
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\necho no browser found >&2\necho $1 | tee {tmp_path}/asked\n")
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "webbrowser.py").write_text("raise SystemExit('a stranger was run')")
    open_in_browser("http://127.0.0.1:1/view").wait(30)
    assert capfd.readouterr() == ("", "")
    assert (tmp_path / "asked").read_text() == "http://127.0.0.1:1/view\n"
