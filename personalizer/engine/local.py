"""The engine in the calling process: base models with many adapters, requests in batches.

A base model is loaded once, and once more for each quantisation that an adapter was trained on.
Adapters lie beside it (``resident``); one that is a model of its own is loaded as such. What was
not used for longest makes place first, and all of it for a model that finds too little memory.

One thread does all of it. It takes requests in their order: those for one base go through the
model together and a new one joins between two tokens (``batch``), until the next in the queue
cannot; then those that run are ended first. Beams and encoder-decoders run one by one (``search``).
Vectors of texts are made beside all that, on the thread that asks for them.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from personalizer.engine import Completion, Request
from personalizer.engine.batch import Batch, has_rows
from personalizer.engine.jobs import Job, Model, ServedModel, served_model
from personalizer.engine.reading import Reading
from personalizer.engine.resident import Adapter, Asked, Resident
from personalizer.engine.search import search
from personalizer.errors import BaseTooLarge, EngineError
from personalizer.models import Quantization, load_base, ran_out_of_memory
from personalizer.models.sentences import Sentences
from personalizer.training.compute import give_memory_back
from personalizer.training.strategies import attach

__all__ = ["LocalEngine"]

_log = logging.getLogger(__name__)

_MODELS = 2
"""Models in memory: a base, and one adapter that is a model of its own."""
_ROWS = 16
"""Completions of a batch; more wait, and memory is bounded."""


class LocalEngine:
    """Generates in this process.

    Args:
        threads: CPU threads; 0 leaves it to torch.
        quantization: How a base is kept that is asked without an adapter.
    """

    def __init__(self, threads: int = 0, quantization: Quantization | None = None) -> None:
        if threads:
            torch.set_num_threads(threads)
        self._quantization = quantization
        self._changing = threading.Lock()
        self._waiting: deque[Job] = deque()
        self._worker: threading.Thread | None = None
        """Lives while there is work."""
        self._models: OrderedDict[Model, Resident] = OrderedDict()
        self._sentences = Sentences()

    def generate(
        self,
        request: Request,
        *,
        on_text: Callable[[str], None] | None = None,
        cancelled: threading.Event | None = None,
    ) -> list[Completion]:
        """See ``Engine.generate``."""
        served = served_model(request.base, request.adapter, self._quantization)
        return self._done(Job(served, request, streams=on_text is not None), on_text, cancelled)

    def warm(self, base: str, adapter: str | None = None) -> None:
        """See ``Engine.warm``."""
        self._done(Job(served_model(base, adapter, self._quantization), None), None, None)

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """See ``Engine.embed``."""
        try:
            return self._sentences.embed(model, texts)
        except torch.OutOfMemoryError as error:
            self._sentences.close()
            raise EngineError(
                f"the embedding model {model} ran out of memory: set retriever to bm25"
            ) from error

    def close(self) -> None:
        """Gives all memory back once what runs has ended; the next request loads again."""
        worker = self._worker
        if worker is not None:
            worker.join()
        self._models.clear()
        self._sentences.close()
        give_memory_back()

    def _done(
        self,
        job: Job,
        on_text: Callable[[str], None] | None,
        cancelled: threading.Event | None,
    ) -> list[Completion]:
        with self._changing:
            self._waiting.append(job)
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="engine", daemon=True)
                self._worker.start()

        def give_up() -> bool:
            with self._changing:
                if job not in self._waiting:
                    return False
                self._waiting.remove(job)
                return True

        return job.wait(on_text, cancelled, give_up)

    # ------------------------------------------------------------ on the engine's own thread

    def _work(self) -> None:
        while True:
            with self._changing:
                if not self._waiting:
                    self._worker = None
                    return
                job = self._waiting.popleft()
            try:
                self._serve(job)
            except Exception as error:
                job.give(self._explained(error))
            if not self._models:  # memory ran out, or nothing was loaded
                give_memory_back()

    def _serve(self, job: Job) -> None:
        """A job to its end, and with it all that can go through the model together with it."""
        resident = self._resident(job.served.model)
        adapter = resident.adapter(job.served.laid)
        request = job.request
        if request is None:
            job.give([])
        elif has_rows(resident.base) and _by_rows(request):
            self._together(resident, job)
        else:
            resident.turn_to([adapter])
            asked = Asked(resident.base, adapter)
            reading = _reading(resident, request, adapter)
            job.give(search(asked, reading, job.give if job.streams else None, job.cancelled))

    def _together(self, resident: Resident, first: Job) -> None:
        batch = Batch(resident)
        running: list[Job] = []
        joining: Job | None = first
        try:
            while True:
                while joining is not None:
                    self._join(batch, resident, joining, running)
                    joining = self._next(first.served, len(batch.rows))
                if not running:
                    return
                batch.step()
                self._settle(batch, running)
                joining = self._next(first.served, len(batch.rows))
        except Exception as error:
            explained = self._explained(error)
            for job in running:
                job.give(explained)

    def _join(self, batch: Batch, resident: Resident, job: Job, running: list[Job]) -> None:
        """Lets a job in; one that cannot be harms nobody else."""
        try:
            adapter = resident.adapter(job.served.laid)
            if job.request is None:
                job.give([])
                return
            job.began(batch.add(_reading(resident, job.request, adapter), adapter))
        except Exception as error:
            job.give(self._explained(error))
            return
        running.append(job)
        self._settle(batch, running)

    @staticmethod
    def _settle(batch: Batch, running: list[Job]) -> None:
        """Answers jobs that have ended, and takes their rows out."""
        for job in [job for job in running if job.went_on()]:
            running.remove(job)
            batch.drop([row for row in job.rows if row in batch.rows])

    def _next(self, served: ServedModel, rows: int) -> Job | None:
        """The first in the queue if it may join a batch of so many rows."""
        with self._changing:
            if not self._waiting or not served.beside(self._waiting[0].served):
                return None
            request = self._waiting[0].request
            if request is not None and (not _by_rows(request) or rows + request.count > _ROWS):
                return None
            return self._waiting.popleft()

    def _explained(self, error: Exception) -> Exception:
        """What is told of an error; memory that ran out is given back.

        Such an error goes no further itself: its traceback, and that of its cause, hold the model.
        """
        if not ran_out_of_memory(error):
            return error
        self._models.clear()
        _log.warning("memory ran out: %s", str(error))
        if isinstance(error, BaseTooLarge):
            return BaseTooLarge(str(error))
        return EngineError(
            "the model ran out of memory: ask for fewer candidates or a shorter context"
        )

    def _resident(self, model: Model) -> Resident:
        resident = self._models.get(model) or self._load(model)
        self._models[model] = resident
        self._models.move_to_end(model)
        return resident

    def _load(self, model: Model) -> Resident:
        """A model; if there is no memory for it beside others, they go."""
        while len(self._models) >= _MODELS:
            self._models.popitem(last=False)
        give_memory_back()  # layers and their hooks hold each other
        try:
            return _loaded(*model)
        except Exception as error:
            if not (self._models and ran_out_of_memory(error)):
                raise
        self._models.clear()
        give_memory_back()
        return _loaded(*model)


def _loaded(name: str, whole: Path | None, quantization: Quantization | None) -> Resident:
    base = load_base(name, quantization=quantization)
    resident = Resident(base)
    if whole is not None:
        resident.check(whole)
        attach(base, whole)
    return resident


def _by_rows(request: Request) -> bool:
    """Whether its completions are found each by itself, not by a search over beams."""
    return request.temperature > 0 or request.count == 1


def _reading(resident: Resident, request: Request, adapter: Adapter) -> Reading:
    return Reading(resident.base, request, adapter.virtual_tokens, resident.closing)
