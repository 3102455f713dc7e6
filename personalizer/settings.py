"""Settings: the user's file, then the repository's, then environment, then flags.

A repository's ``personalizer.toml`` may set only what cannot hurt its reader: never an engine, a
base model, a path or trust.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
import tomllib
import types
import typing
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import platformdirs

from indexer import Level
from indexer.plain_files import read_plain
from personalizer.errors import SettingsError
from personalizer.limits import MOST_CANDIDATES
from personalizer.storage import write_atomically

__all__ = [
    "BM25",
    "FILE_NAME",
    "Optimizer",
    "Resolved",
    "Retrain",
    "ScheduleOver",
    "Settings",
    "Targets",
    "Variant",
    "load",
    "parse_duration",
    "remember",
    "user_file",
]

FILE_NAME = "personalizer.toml"
_LONGEST_HOURS = 30 * 24
BM25 = "bm25"
"""The ``retriever`` that needs no model."""


def _users_own(default: Any, doc: str, **bounds: Any) -> Any:
    return field(default=default, metadata={"doc": doc, "user_only": True, **bounds})


def _anyones(default: Any, doc: str, **bounds: Any) -> Any:
    """A setting of anyone's; of its ``bounds``, ``_outside`` tells the names."""
    return field(default=default, metadata={"doc": doc, "user_only": False, **bounds})


def _training(default: Any, doc: str, *, user_only: bool = False, **bounds: Any) -> Any:
    """A hyperparameter: ``train --config FILE`` may set it too."""
    told = {"doc": doc, "user_only": user_only, "training": True, **bounds}
    return field(default=default, metadata=told)


Optimizer = Literal["adamw", "adafactor", "paged-adamw-8bit"]
ScheduleOver = Literal["budget", "epochs"]
Targets = Literal["all-linear", "qkv"]
Variant = Literal["lora", "rslora", "dora", "pissa", "lora+"]
Retrain = Literal["off", "ask", "on"]


@dataclass(frozen=True)
class Settings:
    """Every setting with its default."""

    base: str = _users_own("starter", "Base model: starter, a folder, or a hub name.")
    method: str = _training("lora", "Training method.")
    budget: str = _training("10m", "Longest training time, such as 90s, 10m or 2h.")
    context_level: str = _training(
        "fm_fc_ms_ff", "How much of the focal class a prompt shows.", choices=tuple(Level)
    )
    context_tokens: int = _training(
        1024,
        "Prompt and target together, in tokens; a base without an adapter is shown all it holds.",
        least=1,
        most=1 << 18,
    )
    target_tokens: int = _training(320, "Longest test or body, in tokens.", least=1, most=1 << 16)
    candidates: int = _anyones(5, "Candidates of one generation.", least=1, most=MOST_CANDIDATES)
    temperature: float = _anyones(0.0, "0 searches by beams, above it samples.", least=0)
    retrieve: int = _anyones(
        0, "Nearest pairs of the project that a prompt shows as examples.", least=0, most=100
    )
    retriever: str = _users_own(
        BM25, "What finds them: bm25, or a sentence-embedding model, a folder or a hub name."
    )
    repair_rounds: int = _anyones(
        0,
        "Times that a failing test goes back to the model with what was said of it, 0 to 2.",
        least=0,
        most=2,
    )
    mutants: int = _anyones(
        12,
        "Mutants of the focal method that a passing test is tried on, 0 to 50.",
        least=0,
        most=50,
    )
    trusted_workspaces: str = _users_own(
        "", "Folders whose projects may be built and run, separated as in PATH."
    )
    class_path: str = _users_own(
        "", "Class path of tests instead of the build's, separated as in PATH."
    )
    learning_rate: float | None = _training(
        None, "Learning rate; the method's own when left out.", above=0
    )
    lora_rank: int = _training(16, "Rank of LoRA matrices.", least=1, most=4096)
    lora_targets: Targets = _training(
        "all-linear", "Layers with LoRA matrices: all-linear or qkv.", choices=get_args(Targets)
    )
    lora_variant: Variant = _training(
        "lora", "lora, rslora, dora, pissa or lora+.", choices=get_args(Variant)
    )
    virtual_tokens: int | None = _training(
        None,
        "Virtual tokens of prefix and prompt; the method's own number when left out.",
        least=1,
        most=1 << 16,
    )
    prefix_from: str | None = _training(
        None, "Folder of a prefix trained on other repositories to begin with.", user_only=True
    )
    batch_size: int = _training(8, "Examples a training step.", least=1, most=4096)
    epochs: int = _training(12, "Most passes over the training pairs.", least=1)
    patience: int = _training(
        10, "Evaluations without a better loss before training stops.", least=1
    )
    evaluate_every: float | None = _training(
        None,
        "Epochs between two evaluations; as often as a tenth of the time allows when left out.",
        above=0,
    )
    schedule: ScheduleOver = _training(
        "budget",
        "Steps that the learning rate rises and falls over: those that the budget is foretold to "
        "allow (budget), or those of all epochs (epochs).",
        choices=get_args(ScheduleOver),
    )
    max_steps: int | None = _training(
        None, "Most training steps; no such limit when left out.", least=1
    )
    optimizer: Optimizer = _training(
        "adamw",
        "adamw, adafactor, or paged-adamw-8bit (CUDA only).",
        choices=get_args(Optimizer),
    )
    accumulation: int = _training(
        1, "Parts that a step's batch is computed in, to save memory.", least=1
    )
    gradient_checkpointing: bool = _training(
        False, "Compute activations twice: less memory, a third more time."
    )
    seed: int = _training(0, "Seed of every random choice in training.", least=0, most=2**32 - 1)
    warm_start: bool = _training(
        False, "Train on from the adapter that serves, with replay, instead of from the base."
    )
    tensorboard: bool = _training(False, "Write TensorBoard event files to the data folder.")
    validation_fraction: float = _training(
        0.1, "Share of the pairs that stop the training, by focal class.", above=0, below=1
    )
    gate_fraction: float = _training(
        0.15, "Share of the pairs that judge the adapter, by focal class.", above=0, below=1
    )
    gate_methods: int = _anyones(
        8,
        "Held-out methods whose tests are compiled and run to judge an adapter; 0 for none.",
        least=0,
    )
    ageing_from: float = _anyones(
        0.05, "Share of pairs changed from which an adapter ages.", above=0, below=1
    )
    stale_from: float = _anyones(
        0.20, "Share of pairs changed from which it is stale.", above=0, below=1
    )
    stale_gain: float = _anyones(
        0.25,
        "Share of its gain at the gate below which, on new pairs, an adapter is stale.",
        above=0,
        below=1,
    )
    retrain: Retrain = _users_own(
        "ask",
        "Train a stale adapter anew while the machine is idle: off, ask or on.",
        choices=get_args(Retrain),
    )
    warm: bool = _users_own(True, "Load the model when an editor opens a project, memory allowing.")
    engine_url: str = _users_own(
        "", "Server that generates, such as http://127.0.0.1:8000; empty generates here."
    )
    engine_model: str = _users_own("", "The base model's name at that server; as here when empty.")
    engine_key_file: str = _users_own("", "File with the key that the server asks for.")
    loopback: bool = _users_own(
        False, "The daemon listens on 127.0.0.1 too, for who has the token in its token file."
    )
    idle_minutes: float = _users_own(
        30.0, "The daemon ends after this long without a request.", least=0
    )
    unload_minutes: float = _users_own(
        10.0, "The model leaves memory after this long unused.", least=0
    )
    threads: int = _users_own(
        0, "CPU threads of training and generation; 0 leaves it to torch.", least=0
    )


@dataclass(frozen=True)
class Resolved:
    """Settings with the place that each value came from."""

    settings: Settings
    origins: Mapping[str, str]
    """By setting: ``default``, a file, ``PERSONALIZER_X`` or ``flag``."""
    ignored: tuple[str, ...]
    """Keys of the repository's file that only the user may set, one sentence each."""


def user_file() -> Path:
    """The user's own settings file."""
    named = os.environ.get("PERSONALIZER_CONFIG")
    return Path(named) if named else platformdirs.user_config_path("personalizer") / FILE_NAME


def remember(name: str, value: str) -> Path:
    """Writes one setting into the user's own file, whose other lines stay as they are.

    Returns:
        The file.

    Raises:
        SettingsError: If the file cannot be read, or changed in this way.
        StorageError: If it cannot be written.
    """
    file = user_file().resolve()  # which may be a link into a folder of dotfiles
    before = _read(file)
    text = file.read_text("utf-8-sig") if file.exists() else ""
    line = f"{name} = {json.dumps(value, ensure_ascii=False)}"  # a JSON string is a TOML one
    old = re.compile(rf"^{name}\s*=.*$", re.MULTILINE)
    after = old.sub(lambda _: line, text, count=1) if name in before else f"{line}\n{text}"
    try:
        if tomllib.loads(after) != before | {name: value}:
            raise SettingsError(f"cannot change {name} in {file}: write {line} there yourself")
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"cannot change {name} in {file}: {error}") from error
    write_atomically(file, after.encode())
    return file


def load(
    root: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    hyperparameters: Path | None = None,
    preset: Mapping[str, Any] | None = None,
) -> Resolved:
    """Settings for a workspace.

    Args:
        root: The workspace; None for none.
        flags: Values from the command line; None values are left out.
        environment: Instead of ``os.environ``.
        hyperparameters: A file of training settings only, stronger than the environment.
        preset: A paper's training settings, weaker than that file.

    Raises:
        SettingsError: If a file cannot be read or a value cannot be; all bad keys together.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    origins = {f.name: "default" for f in fields(Settings)}
    problems: list[str] = []
    ignored: list[str] = []
    known = {f.name: f for f in fields(Settings)}
    hints = typing.get_type_hints(Settings)

    def take(name: str, value: Any, origin: str) -> None:
        checked, problem = _checked(name, value, hints[name])
        if problem:
            problems.append(f"{origin}: {problem}")
        else:
            values[name] = checked
            origins[name] = origin

    layers = [(user_file(), False)] + ([(root / FILE_NAME, True)] if root else [])
    for file, from_repository in layers:
        for name, value in _read(file, of_repository=from_repository).items():
            if name not in known:
                problems.append(f"{file}: no setting is called {name}")
            elif from_repository and known[name].metadata["user_only"]:
                ignored.append(f"{file} may not set {name}: set it in {user_file()}")
            else:
                take(name, value, str(file))
    for name in known:
        variable = f"PERSONALIZER_{name.upper()}"
        if variable in environment:
            take(name, environment[variable], variable)
    for name, value in (preset or {}).items():
        take(name, value, "preset")
    for name, value in _hyperparameters(hyperparameters, problems).items():
        take(name, value, str(hyperparameters))
    for name, value in (flags or {}).items():
        if value is not None:
            take(name, value, "flag")
    settings = Settings(**values)
    problems += _impossible(settings, origins)
    if problems:
        raise SettingsError("; ".join(problems))
    return Resolved(settings, origins, tuple(ignored))


_LARGEST = 1 << 20
"""Bytes of a settings file."""


def _read(file: Path, *, of_repository: bool = False) -> dict[str, Any]:
    """The values of a TOML file; none where there is no file.

    A repository's may be no link: what it leads to would show in what is said of it.

    Raises:
        SettingsError: If it cannot be read.
    """
    try:
        data = read_plain(file, _LARGEST + 1) if of_repository else file.read_bytes()
        if len(data) > _LARGEST:
            raise SettingsError(f"cannot read {file}: it is larger than {_LARGEST >> 20} MiB")
        return tomllib.loads(data.decode("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except RecursionError as error:
        raise SettingsError(f"cannot read {file}: what it holds is nested too deeply") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        link = of_repository and file.is_symlink()
        why = "a project's settings may not be a link" if link else error
        raise SettingsError(f"cannot read {file}: {why}") from error


def _hyperparameters(file: Path | None, problems: list[str]) -> dict[str, Any]:
    """The training settings of a file that the user named; other keys become problems."""
    if file is None:
        return {}
    there = False
    with suppress(OSError):  # a name too long
        there = file.is_file()
    if not there:
        raise SettingsError(f"expected a TOML file of training settings, found none at {file}")
    allowed = [f.name for f in fields(Settings) if f.metadata.get("training")]
    values = _read(file)
    for name in values:
        if name not in allowed:
            problems.append(
                f"{file}: no training setting is called {name}; there are {', '.join(allowed)}"
            )
    return {name: value for name, value in values.items() if name in allowed}


def _checked(name: str, value: Any, hint: Any) -> tuple[Any, str | None]:
    hint = str if get_origin(hint) is Literal else hint  # which of them, `choices` says
    kinds = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if bool in kinds:
        known = {True: True, False: False, "true": True, "false": False, "1": True, "0": False}
        if isinstance(value, (bool, str)) and value in known:
            return known[value], None
        return None, f"{name} must be true or false, got {value!r}"
    for kind in kinds:
        if kind is types.NoneType:
            continue
        if isinstance(value, kind) and not isinstance(value, bool):
            return value, None
        if isinstance(value, (str, int)) and not isinstance(value, bool) and kind is not str:
            try:
                return kind(value), None
            except ValueError:
                continue
    wanted = " or ".join(k.__name__ for k in kinds if k is not types.NoneType)
    return None, f"{name} must be {wanted}, got {value!r}"


def _outside(value: Any, bounds: Mapping[str, Any]) -> str | None:
    """What a value should be, where it is not: of ``choices``, ``least``, ``most``, ``above`` or
    ``below`` something."""
    choices = bounds.get("choices")
    if choices is not None:
        return None if value in choices else f"must be one of {', '.join(choices)}"
    if value == math.inf:
        return "must be a number"
    least, most, above, below = map(bounds.get, ("least", "most", "above", "below"))
    if value is None or (
        (least is None or value >= least)
        and (most is None or value <= most)
        and (above is None or value > above)
        and (below is None or value < below)
    ):
        return None
    if most is not None or below is not None:
        low, high = (least, most) if most is not None else (above, below)
        return f"must lie between {low} and {high}"
    return f"must be at least {least}" if least is not None else f"must be above {above}"


def _impossible(settings: Settings, origins: Mapping[str, str]) -> list[str]:
    problems = []
    for one in dataclasses.fields(Settings):
        value = getattr(settings, one.name)
        wanted = _outside(value, one.metadata)
        if wanted:
            problems.append(f"{origins[one.name]}: {one.name} {wanted}, got {value}")
    if settings.engine_url and not settings.engine_url.startswith(("http://", "https://")):
        problems.append(
            f"{origins['engine_url']}: engine_url must begin with http:// or https://, "
            f"got {settings.engine_url}"
        )
    if not settings.retriever:
        problems.append(
            f"{origins['retriever']}: retriever must be {BM25} or an embedding model, got nothing"
        )
    if settings.context_tokens <= settings.target_tokens:
        problems.append(
            f"{origins['context_tokens']}: context_tokens must be above target_tokens "
            f"({settings.target_tokens}), got {settings.context_tokens}"
        )
    if settings.batch_size % max(1, settings.accumulation):
        problems.append(
            f"{origins['accumulation']}: accumulation must divide batch_size "
            f"({settings.batch_size}), got {settings.accumulation}"
        )
    try:
        parse_duration(settings.budget)
    except SettingsError as error:
        origin = origins["budget"]
        where = "budget" if origin == "flag" else f"{origin}: budget"
        problems.append(f"{where}: {error}")
    return problems


def parse_duration(text: str) -> float:
    """Seconds of a time such as ``90s``, ``10m``, ``1.5h`` or plain seconds.

    Raises:
        SettingsError: If the text is no time.

    Example:
        >>> parse_duration("1.5m")
        90.0
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", text)
    if not match or float(match[1]) == 0:
        raise SettingsError(f"expected a time such as 90s, 10m or 2h, got {text!r}")
    seconds = float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]
    if seconds > _LONGEST_HOURS * 3600:
        raise SettingsError(f"expected a time of at most {_LONGEST_HOURS}h, got {text.strip()}")
    return seconds


def as_table(resolved: Resolved) -> list[dict[str, Any]]:
    """Each setting with value, origin and meaning, for ``personalizer config``."""
    return [
        {
            "name": f.name,
            "value": getattr(resolved.settings, f.name),
            "origin": resolved.origins[f.name],
            "doc": f.metadata["doc"],
            "user_only": f.metadata["user_only"],
        }
        for f in dataclasses.fields(Settings)
    ]
