"""What an engine is asked for tests and bodies, and what it gives."""

from __future__ import annotations

import threading
from dataclasses import replace

from personalizer.engine import Completion, Engine, Request
from personalizer.engine.monitor.declarations import Declarations
from personalizer.errors import Cancelled
from personalizer.generation.candidates import clean, whole_test
from personalizer.generation.records import Writer
from personalizer.generation.site import Site
from personalizer.prompts import Kind, Prompt
from personalizer.settings import Settings

__all__ = ["asked_of", "request_for", "write_tests"]

_SAMPLED_AT = 0.8
"""Temperature at which the starter most often writes a whole test (``benchmarks/decoding.py``)."""


def request_for(
    prompt: Prompt,
    *,
    writer: Writer,
    settings: Settings,
    count: int,
    declared: Declarations | None = None,
) -> Request:
    """What an engine is asked for tests or a body: complete methods, at the settings' lengths."""
    return Request(
        prompt=prompt,
        base=writer.base,
        adapter=writer.folder,
        prompt_limit=writer.prompt_limit,
        count=count,
        max_tokens=settings.target_tokens,
        temperature=settings.temperature,
        stop_at_method_end=True,
        grammar="block" if prompt.target == Kind.BODY else "method",
        declared=declared,
    )


def asked_of(
    engine: Engine,
    request: Request,
    cancelled: threading.Event | None,
) -> list[Completion]:
    """What an engine gives.

    Raises:
        Cancelled: If ``cancelled`` was set.
        PersonalizerError: Whatever the engine raises.
    """
    completions = engine.generate(request, cancelled=cancelled)
    if cancelled is not None and cancelled.is_set():
        raise Cancelled("the generation was cancelled")
    return completions


def write_tests(
    engine: Engine,
    request: Request,
    site: Site,
    *,
    known: int = 0,
    cancelled: threading.Event | None = None,
) -> tuple[list[Completion], bool]:
    """Completions of a request, and whether the model was asked twice.

    A beam search gives the most whole tests of five, but often none at all, or none that may
    compile; sampling, then, nearly always gives one (``benchmarks/decoding.py``).

    Args:
        engine: Who writes.
        request: What is asked.
        site: Where the tests will stand.
        known: How many were made before; with any, the model is sampled at once.
        cancelled: As ``Engine.generate``.

    Raises:
        Cancelled: If ``cancelled`` was set.
        PersonalizerError: Whatever the engine raises.
    """
    first = _sampled(request, seed=known) if known else request
    completions = asked_of(engine, first, cancelled)
    texts = [clean(one.text) for one in completions]
    if any(whole_test(text, site) and site.may_compile(text) for text in texts):
        return completions, False
    again = asked_of(engine, _sampled(request, seed=known + 1), cancelled)
    return [*completions, *again], True


def _sampled(request: Request, *, seed: int) -> Request:
    """A request for other texts than a beam search gives."""
    return replace(request, temperature=max(request.temperature, _SAMPLED_AT), seed=seed)
