"""One cell with a model: the adapter, trained or found; losses and tests of the held-out pairs."""

from __future__ import annotations

import hashlib
import random
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import msgspec

from indexer import Level, Pair, Snapshot
from personalizer import dataset as data_module
from personalizer.contents import state_of
from personalizer.dataset import Dataset, Encoded
from personalizer.engine.monitor.declarations import Declarations
from personalizer.errors import AdapterError, TooFewPairs
from personalizer.evaluation.cells import Cell, Row, Training, key_of, read, write
from personalizer.evaluation.decoding import beam_tests, greedy_tests
from personalizer.evaluation.methods import Method
from personalizer.evaluation.projects import Project
from personalizer.generation.retrieval import Retriever
from personalizer.generation.site import Site
from personalizer.generation.vectors import Vectors
from personalizer.models import LoadedBase, best_device, fingerprint, half_of, load_base
from personalizer.models.sentences import Sentences
from personalizer.prompts import TestPlace
from personalizer.settings import BM25, Settings
from personalizer.training.batches import target_losses
from personalizer.training.changes import block_changes
from personalizer.training.compute import give_memory_back
from personalizer.training.hyperparameters import Hyperparameters
from personalizer.training.preparation import context_for, hyperparameters_of, options_of
from personalizer.training.strategies import Strategy, attach, save, strategy_named
from personalizer.training.strategies.files import is_peft
from personalizer.training.trainer import fine_tune

__all__ = ["Asked", "Bench", "Work"]

_LARGE_ADAPTER = 256 * 2**20
"""Bytes above which a fold's adapter is not kept after its cells are done."""


@dataclass(frozen=True)
class Asked:
    """What every cell of an evaluation shares."""

    budget_seconds: float
    """Longest time of one training."""
    with_test_class: bool
    """Show the test class, as the editor does, or the focal context alone, as Z22."""
    generated: int
    """Most tests written a cell; losses use all held-out pairs."""
    beams: int
    """Width of the beam search; 0 for none."""
    as_served: bool
    """Tests are decoded with the engine's guards, or plainly, as the papers do."""
    shots: int
    """Most pairs that a prompt shows."""


@dataclass(frozen=True)
class Work:
    """One cell to compute."""

    project: Project
    method: Method
    fold: int
    """From 0."""
    share: float = 1.0
    """Of the fold's training pairs."""


class Bench:
    """Computes cells; keeps what the next cell of the same fold needs again.

    Args:
        settings: Base, lengths and everything of training.
        asked: The rest.
    """

    def __init__(self, settings: Settings, asked: Asked) -> None:
        self.settings = settings
        self.asked = asked
        self._embed = Vectors().by(settings.retriever, Sentences())
        self._data: tuple[Any, Dataset] | None = None
        self._model: tuple[str, LoadedBase, Any, Training] | None = None

    @cached_property
    def base(self) -> LoadedBase:
        """The base as it is; never trained on, and on an accelerator only while a cell asks it."""
        device = best_device()
        kind = None if device == "cpu" else half_of(device)
        return load_base(self.settings.base, device="cpu", dtype=kind)

    @cached_property
    def base_print(self) -> str:
        return fingerprint(self.base.folder)

    def key(self, work: Work) -> str:
        """Name of the cell: a hash of all that decides it.

        Raises:
            PersonalizerError: If the cell cannot be: a side without pairs, a strategy that the
                base cannot take.
        """
        dataset = self._examples(work)
        training = self._training_key(work) if work.method.strategy else None
        found_by = self._retriever().values() if work.method.shown == "rag" else ()
        a = self.asked
        return key_of(
            self.base_print,
            work.method.name,
            training,
            _digest(dataset.gate),
            [a.generated, a.beams, self.settings.target_tokens],
            # What tests are held to is told by all of the project, beyond what prompts show.
            state_of(work.project.snapshot.hashes) if a.as_served else None,
            [[e.pair.digest, e.pair.focal.path, e.pair.test.path] for e in dataset.gate],
            *found_by,
        )

    def compute(self, work: Work) -> Cell:
        """Trains if need be, then scores every held-out pair and writes tests for some.

        Raises:
            PersonalizerError: As :meth:`key`.
            KeyboardInterrupt: After an interrupt; what was trained is gone on with next time.
        """
        dataset = self._examples(work)
        base, model, training = self._adapted(work)
        start = time.perf_counter()
        large = next(model.parameters()).device.type != "cpu"
        losses = target_losses(model, base, dataset.gate, batch_size=32 if large else 8)
        sample = _spread(dataset.gate, self.asked.generated)
        longest = self.settings.target_tokens
        texts = [dataset.gate[i] for i in sample]
        served = self.asked.as_served

        def declared(number: int) -> Declarations:
            return _usable_in_place(work.project.snapshot, texts[number].pair)

        greedy = greedy_tests(
            model,
            base,
            texts,
            max_tokens=longest,
            batch_size=64 if large else 16,
            as_served=served,
            declared=declared,
        )
        beams: list[tuple[str, ...]] = [()] * len(texts)
        if self.asked.beams:
            beams = beam_tests(
                model,
                base,
                texts,
                beams=self.asked.beams,
                max_tokens=longest,
                batch_size=16 if large else 4,
                as_served=served,
                declared=declared,
            )
        written = {i: (g, b) for i, g, b in zip(sample, greedy, beams, strict=True)}
        return Cell(
            method=work.method.name,
            share=work.share,
            base=self.base.name,
            base_fingerprint=self.base_print,
            base_parameters=int(self.base.model.num_parameters()),
            base_bytes=sum(f.stat().st_size for f in self.base.folder.glob("*.safetensors")),
            settings=self.told(),
            pairs=dataset.counts() | {"train": self._train_count(work)},
            left_out=dict(dataset.left_out),
            training=training,
            generation_seconds=round(time.perf_counter() - start, 3),
            rows=tuple(
                _row(example, float(losses[i]), *written.get(i, (None, ())))
                for i, example in enumerate(dataset.gate)
            ),
        )

    def close_fold(self, project: Project) -> None:
        """Lets go of a fold's model, and of adapters too large to keep."""
        if self._model is not None and self._model[-1].adapter_bytes > _LARGE_ADAPTER:
            project.cells.forget_training(self._model[0])
        self._model = self._data = None
        give_memory_back()

    # ------------------------------------------------------------ examples

    def _examples(self, work: Work) -> Dataset:
        """The fold encoded for a method: plain for training, with examples for the held-out."""
        plain = self._encoded(work)
        if work.method.shown is None:
            return plain
        train = [example.pair for example in self._train(work, plain)]
        sides = {"train": [], "validation": [], "gate": [e.pair for e in plain.gate]}
        shown = self._shown(work, train)
        gate = self._build(work, sides, shown).gate
        return Dataset({**plain.sides, "gate": gate}, plain.left_out)

    def _encoded(self, work: Work) -> Dataset:
        name = (work.project.root, work.fold, self._context(work.method))
        if self._data is None or self._data[0] != name:
            built = self._build(work, work.project.folds[work.fold], None)
            for side, examples in built.sides.items():
                if not examples:
                    raise TooFewPairs(f"no pair is left for {side}: {dict(built.left_out)}")
            self._data = (name, built)
        return self._data[1]

    def _build(self, work: Work, sides: Any, shown: Any) -> Dataset:
        return data_module.build(
            work.project.snapshot,
            sides,
            self.base.tokenizer,
            context_tokens=self._context(work.method),
            target_tokens=self.settings.target_tokens,
            level=Level(self.settings.context_level),
            with_test_class=self.asked.with_test_class,
            shown=shown,
        )

    def _shown(self, work: Work, train: list[Pair]) -> Callable[[Pair], Sequence[Pair]]:
        shots = self.asked.shots
        if work.method.shown == "rag":
            retriever = Retriever(work.project.snapshot, train, self._embed)
            return lambda pair: retriever.nearest(pair.focal, shots, exclude=[pair])

        def drawn(pair: Pair) -> Sequence[Pair]:
            choice = random.Random(f"{self.settings.seed} {pair.digest}")
            return choice.sample(train, min(shots, len(train)))

        return drawn

    def _context(self, method: Method) -> int:
        """Tokens of prompt and target together that a method has."""
        strategy = None if method.strategy is None else strategy_named(method.strategy)
        wanted = self.settings.context_tokens, self.settings.target_tokens
        return context_for(strategy, options_of(self.settings), self.base, *wanted)

    def _train(self, work: Work, dataset: Dataset) -> tuple[Encoded, ...]:
        """The training pairs, or a share of them; a smaller share lies within a larger one."""
        if work.share >= 1:
            return dataset.train
        count = max(1, round(work.share * len(dataset.train)))
        order = sorted(dataset.train, key=lambda e: hashlib.sha256(e.pair.digest.encode()).digest())
        return tuple(order[:count])

    def _train_count(self, work: Work) -> int:
        return len(self._train(work, self._encoded(work)))

    # ------------------------------------------------------------ training

    def _adapted(self, work: Work) -> tuple[LoadedBase, Any, Training | None]:
        if work.method.strategy is None:
            self.base.model.to(best_device())
            return self.base, self.base.model, None
        key = self._training_key(work)
        if self._model is None or self._model[0] != key:
            self._model = None
            self.base.model.to("cpu")
            give_memory_back()  # before the next model comes
            self._model = (key, *self._trained(work, key))
        return self._model[1:]

    def _trained(self, work: Work, key: str) -> tuple[LoadedBase, Any, Training]:
        """A training that ended before is read from disk, one that was killed is gone on with.

        What cannot be read is trained again.
        """
        folder = work.project.cells.training(key)
        strategy, hyper = self._how(work)
        known = read(folder / "training.json", Training)
        if known is not None:
            base = self._base_for(strategy)
            with suppress(AdapterError):
                return base, attach(base, folder / "adapter"), known
            work.project.cells.forget_training(key)
            del base  # a part of the adapter may be in it
            give_memory_back()
        base = self._base_for(strategy)
        dataset = self._training_side(work)
        run = fine_tune(base, dataset, strategy, hyper, folder / "checkpoints", lambda _: None)
        save(run.model, folder / "adapter")
        training = Training(
            strategy=strategy.name,
            steps=run.steps,
            tokens=run.tokens,
            seconds=round(run.seconds, 2),
            pf_seconds=run.pf_seconds,
            peak_memory_bytes=run.peak_memory_bytes,
            trainable_parameters=run.trainable_parameters,
            adapter_bytes=sum(f.stat().st_size for f in (folder / "adapter").iterdir()),
            shares_base=is_peft(folder / "adapter"),
            history=run.history,
            blocks=block_changes(run.model, base),
        )
        write(folder / "training.json", training)
        with suppress(OSError):
            shutil.rmtree(folder / "checkpoints")
        return base, run.model, training

    def _base_for(self, strategy: Strategy) -> LoadedBase:
        return load_base(
            self.settings.base, quantization=strategy.quantization, dtype=strategy.dtype
        )

    def _how(self, work: Work) -> tuple[Strategy, Hyperparameters]:
        strategy = strategy_named(work.method.strategy or "")
        hyper = hyperparameters_of(
            self.settings,
            strategy,
            self.base,
            self._training_side(work),
            seconds=self.asked.budget_seconds,
        )
        return strategy, hyper

    def _training_side(self, work: Work) -> Dataset:
        plain = self._encoded(work)
        return Dataset({**plain.sides, "train": self._train(work, plain)}, plain.left_out)

    def _training_key(self, work: Work) -> str:
        strategy, hyper = self._how(work)
        plain = self._encoded(work)
        told = {name: str(value) for name, value in asdict(hyper).items()}
        sides = [_digest(self._train(work, plain)), _digest(plain.validation)]
        return key_of(self.base_print, strategy.name, told, sides)

    def told(self) -> dict[str, Any]:
        """The settings that decide a cell, as cells and reports tell them."""
        names = ("context_level", "context_tokens", "target_tokens", "lora_rank", "batch_size")
        chosen = {name: getattr(self.settings, name) for name in names}
        more = {"epochs": self.settings.epochs, "patience": self.settings.patience}
        seed = {"seed": self.settings.seed}
        return asdict(self.asked) | chosen | more | seed | self._retriever()

    def _retriever(self) -> dict[str, str]:
        """What finds examples, where it is not BM25: cells of before know no other."""
        name = self.settings.retriever
        return {} if name == BM25 else {"retriever": name}


def _usable_in_place(snapshot: Snapshot, pair: Pair) -> Declarations:
    """What a test may use that stands in the place of the developers'."""
    place = TestPlace(pair.test.path, pair.test.method.owner)
    return Site(snapshot, pair.focal.path, pair.focal.method, place).declarations


def _row(example: Encoded, loss: float, greedy: str | None, beams: tuple[str, ...]) -> Row:
    pair = example.pair
    return Row(
        focal=pair.focal.key,
        group=pair.focal_class,
        test=pair.test.key,
        reference=example.text,
        loss=loss,
        tokens=len(example.target),
        examples=example.examples,
        greedy=greedy,
        beams=beams,
    )


def _spread(examples: Sequence[Encoded], count: int) -> list[int]:
    """Places spread evenly over the examples, so that every class has its share."""
    if len(examples) <= count:
        return list(range(len(examples)))
    return [i * len(examples) // count for i in range(count)]


def _digest(examples: Sequence[Encoded]) -> str:
    ids = msgspec.json.encode([[e.prompt, e.target] for e in examples])
    return hashlib.blake2b(ids, digest_size=10).hexdigest()
