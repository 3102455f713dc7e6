"""How fast is the engine with many clients, and what do different adapters in one batch cost?

    python benchmarks/serving.py [--clients 1,4,16] [--rounds 4] [--threads 1] [--idle 20]

Each of some clients asks for tests of methods of ``examples/ledger``, one request after the other,
all of one LoRA adapter or in turn of eight; the engine runs in a process of its own, as the daemon
has it. Then eight requests for eight adapters: all at once, one by one, all at once for one
adapter, and one by one as transformers' ``generate`` and PEFT's ``set_adapter`` do it in a process
of their own, without lookup, guards and stops; the texts of the first two must be the same. Tokens
are counted by the second, and by the second of processor time that the engine took: on a machine
that others use too, only the latter says what a way of serving costs. The adapters are made here,
with random matrices of rank 16 beside every linear layer of the starter. Last, a daemon of its own:
what it takes while nobody asks, with the model in memory and after it was given back.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import httpx
import psutil

from indexer import index_folder
from personalizer.daemon.client import connect, stop
from personalizer.engine import Engine, Request
from personalizer.engine.child import ChildEngine
from personalizer.models import STARTER
from personalizer.prompts import Prompt, encode, example_of_pair

LEDGER = Path(__file__).parents[1] / "examples" / "ledger"
ADAPTERS = 8


@dataclass(frozen=True)
class Served:
    """What one client saw of one request."""

    first: float
    """Seconds to the first text."""
    whole: float
    """Seconds to the end."""
    tokens: int
    text: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", default="1,4,16")
    parser.add_argument("--rounds", type=int, default=4, help="requests of each client")
    parser.add_argument("--repeats", type=int, default=3, help="runs of the batch of eight")
    parser.add_argument("--tokens", type=int, default=96, help="tokens of a completion")
    parser.add_argument("--threads", type=int, default=1, help="of the engine")
    parser.add_argument("--idle", type=float, default=20.0, help="seconds to watch; 0 for none")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folders = make_adapters(STARTER, Path(place), ADAPTERS)
        asked = requests(STARTER, folders, args.tokens)
        with closing(ChildEngine(args.threads)) as engine:
            result: dict[str, Any] = {
                "clients": list(many_clients(engine, asked, counts(args.clients), args.rounds)),
                "eight": eight(engine, asked, args.repeats),
            }
        result["eight"] |= by_peft(asked[:ADAPTERS], args.repeats, args.threads)
        if args.idle:
            result["idle"] = idle(Path(place) / "data", args.idle)
    print(json.dumps(result))


def counts(text: str) -> list[int]:
    return [int(one) for one in text.split(",")]


def make_adapters(base: str, folder: Path, count: int) -> list[str]:
    """Folders of LoRA adapters with random matrices: what they write differs from the base."""
    import torch
    from peft import LoraConfig, get_peft_model

    from personalizer.models import load_base

    folders = []
    for number in range(count):
        torch.manual_seed(number)
        config = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
        with warnings.catch_warnings():
            # peft 0.21 reads an attribute that transformers 5.23 has renamed
            warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
            model = get_peft_model(load_base(base, device="cpu").model, config)
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.01)
        model.save_pretrained(folder / f"adapter-{number}")
        folders.append(str(folder / f"adapter-{number}"))
    return folders


def requests(base: str, folders: Sequence[str], tokens: int) -> list[Request]:
    """Requests in turn for each adapter, each of another method; most write all their tokens."""
    snapshot, _ = index_folder(LEDGER)
    prompts: list[Prompt] = [example_of_pair(snapshot, pair).prompt for pair in snapshot.pairs]
    return [
        Request(
            prompts[place % len(prompts)],
            base,
            folders[place % len(folders)],
            max_tokens=tokens,
            stop_at_method_end=True,  # as tests are asked for, with all guards
            grammar="method",
        )
        for place in range(16)
    ]


# ---------------------------------------------------------------- many clients


def many_clients(
    engine: ChildEngine, asked: Sequence[Request], clients: Sequence[int], rounds: int
) -> Iterator[dict[str, float]]:
    """A row for each number of clients and adapters."""
    print(f"{'clients':>8}{'adapters':>9}{'requests/s':>11}{'tokens/s':>9}{'/cpu s':>8}", end="")
    print(f"{'first p50':>10}{'p95':>7}{'end p50':>9}{'p95':>7}")
    for number in clients:
        for adapters in (1, len({one.adapter for one in asked})):
            wishes = same(asked) if adapters == 1 else list(asked)
            for one in wishes:  # in memory before the clock runs
                engine.warm(one.base, one.adapter)
            row: dict[str, float] = {"clients": number, "adapters": adapters}
            row |= run_clients(engine, wishes, number, rounds)
            yield row
            print(
                f"{number:8}{adapters:9}{row['requests_per_second']:11.2f}"
                f"{row['tokens_per_second']:9.0f}{row['tokens_per_cpu_second']:8.0f}"
                f"{row['first_p50']:10.2f}{row['first_p95']:7.2f}"
                f"{row['end_p50']:9.2f}{row['end_p95']:7.2f}"
            )


def same(asked: Sequence[Request]) -> list[Request]:
    """The same requests, all of the first one's adapter."""
    return [replace(one, adapter=asked[0].adapter) for one in asked]


def run_clients(
    engine: ChildEngine, asked: Sequence[Request], clients: int, rounds: int
) -> dict[str, float]:
    def one_client(number: int) -> list[Served]:
        mine = [asked[(number + turn * clients) % len(asked)] for turn in range(rounds)]
        return [served(engine, one) for one in mine]

    clock = Clock(engine)
    with ThreadPoolExecutor(clients) as pool:
        rows = [one for client in pool.map(one_client, range(clients)) for one in client]
    seconds, cpu_seconds = clock.read()
    firsts, ends = ([one.first for one in rows], [one.whole for one in rows])
    return {
        "requests_per_second": len(rows) / seconds,
        "tokens_per_second": sum(one.tokens for one in rows) / seconds,
        "tokens_per_cpu_second": sum(one.tokens for one in rows) / cpu_seconds,
        "first_p50": quantile(firsts, 50),
        "first_p95": quantile(firsts, 95),
        "end_p50": quantile(ends, 50),
        "end_p95": quantile(ends, 95),
    }


def served(engine: Engine, request: Request) -> Served:
    began = time.perf_counter()
    first: list[float] = []
    answer = engine.generate(request, on_text=lambda _: first.append(time.perf_counter()))[0]
    ended = time.perf_counter()
    return Served((first or [ended])[0] - began, ended - began, answer.tokens, answer.text)


class Clock:
    """Runs from when it is made."""

    def __init__(self, engine: ChildEngine) -> None:
        assert engine.pid is not None
        self._process = psutil.Process(engine.pid)
        self._began = self._now()

    def read(self) -> tuple[float, float]:
        """Seconds, and seconds of processor time of the engine."""
        seconds, cpu_seconds = (
            now - then for now, then in zip(self._now(), self._began, strict=True)
        )
        return seconds, cpu_seconds

    def _now(self) -> tuple[float, float]:
        return time.perf_counter(), sum(self._process.cpu_times()[:2])


def quantile(values: Sequence[float], percent: int) -> float:
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


# ---------------------------------------------------------------- eight requests


def eight(engine: ChildEngine, asked: Sequence[Request], repeats: int) -> dict[str, float | bool]:
    """Eight requests for eight adapters in three ways, taken in turn; medians of all turns."""
    mixed = list(asked[: len({one.adapter for one in asked})])
    ways: dict[str, Callable[[], list[Served]]] = {
        "one by one": lambda: [served(engine, one) for one in mixed],
        "together": lambda: at_once(engine, mixed),
        "one adapter": lambda: at_once(engine, same(mixed)),
    }
    speeds: dict[str, list[tuple[float, ...]]] = {way: [] for way in ways}
    texts: dict[str, list[str]] = {}
    for _ in range(repeats):
        for way, work in ways.items():
            clock = Clock(engine)
            rows = work()
            tokens = sum(one.tokens for one in rows)
            speeds[way].append(tuple(tokens / seconds for seconds in clock.read()))
            texts[way] = [one.text for one in rows]
    result: dict[str, float | bool] = {"same texts": texts["together"] == texts["one by one"]}
    for place, unit in enumerate(("s", "cpu s")):
        middle = {way: statistics.median(turn[place] for turn in speeds[way]) for way in ways}
        result |= {f"{way}, tokens/{unit}": speed for way, speed in middle.items()}
        result[f"times one by one, {unit}"] = middle["together"] / middle["one by one"]
        result[f"of one adapter, {unit}"] = middle["together"] / middle["one adapter"]
    for name, value in result.items():
        print(f"{name:26}{value:8.2f}" if isinstance(value, float) else f"{name:26}{value!s:>8}")
    return result


def at_once(engine: Engine, asked: Sequence[Request]) -> list[Served]:
    with ThreadPoolExecutor(len(asked)) as pool:
        return list(pool.map(lambda one: served(engine, one), asked))


def by_peft(asked: Sequence[Request], repeats: int, threads: int) -> dict[str, float]:
    """The same requests one by one, without our engine: what there is without it."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        speeds = process.submit(generate_with_peft, asked, repeats, threads).result()
    units = ("s", "cpu s")
    result = {
        f"transformers + PEFT, tokens/{unit}": statistics.median(one[place] for one in speeds)
        for place, unit in enumerate(units)
    }
    for name, value in result.items():
        print(f"{name:36}{value:8.2f}")
    return result


def generate_with_peft(
    asked: Sequence[Request], repeats: int, threads: int
) -> list[tuple[float, float]]:
    """Tokens a second, and a second of processor time, of each turn."""
    import torch
    from peft import PeftModel

    from personalizer.models import load_base

    torch.set_num_threads(threads)
    base = load_base(asked[0].base, device="cpu")
    model = PeftModel.from_pretrained(base.model, asked[0].adapter, adapter_name="0")
    for place, one in enumerate(asked[1:], 1):
        model.load_adapter(one.adapter, adapter_name=str(place))
    prompts = [
        torch.tensor(
            [encode(cast(Prompt, one.prompt), base.tokenizer, base.context - one.max_tokens)]
        )
        for one in asked
    ]

    def turn() -> tuple[float, float]:
        began, used, tokens = time.perf_counter(), time.process_time(), 0
        for place, (one, prompt) in enumerate(zip(asked, prompts, strict=True)):
            model.set_adapter(str(place))
            with torch.inference_mode():
                made = model.generate(
                    input_ids=prompt,
                    attention_mask=torch.ones_like(prompt),
                    max_new_tokens=one.max_tokens,
                    do_sample=False,
                )
            tokens += made.shape[1] - prompt.shape[1]
        return tokens / (time.perf_counter() - began), tokens / (time.process_time() - used)

    turn()  # as our engine has run before it is timed
    return [turn() for _ in range(repeats)]


# ---------------------------------------------------------------- idle


def idle(data: Path, seconds: float) -> dict[str, float]:
    """Of a daemon that nobody asks: the share of one core, and memory, before and after release."""
    environment = {
        "PERSONALIZER_DATA_DIR": str(data),
        "PERSONALIZER_UNLOAD_MINUTES": str((seconds + 5) / 60),
        "PERSONALIZER_THREADS": "1",
    }
    os.environ |= environment
    try:
        with connect() as client:
            health = client.health()
            daemon = psutil.Process(health["pid"])
            door = httpx.HTTPTransport(uds=health["socket"])
            with httpx.Client(transport=door, base_url="http://daemon", timeout=120) as http:
                http.post("/v1/completions", json={"model": "base", "prompt": "class Cart {"})
            engine = psutil.Process(client.health()["engine"]["pid"])
            found = {
                "loaded_cpu_percent": busy([daemon, engine], seconds),
                "daemon_mb": megabytes(daemon),
                "engine_mb": megabytes(engine),
            }
            engine.wait(seconds + 60)
            found["released_cpu_percent"] = busy([daemon], seconds)
            found["released_mb"] = megabytes(daemon)
    finally:
        stop()
    for name, value in found.items():
        print(f"{name:24}{value:8.2f}")
    return found


def busy(processes: Sequence[psutil.Process], seconds: float) -> float:
    def used() -> float:
        return sum(sum(one.cpu_times()[:2]) for one in processes)

    before = used()
    threading.Event().wait(seconds)
    return 100 * (used() - before) / seconds


def megabytes(process: psutil.Process) -> float:
    """Resident memory, 10^6 bytes."""
    return process.memory_info().rss / 1e6


if __name__ == "__main__":
    main()
