"""From a method to a test, or to its body: prompt, completions, candidates, edit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from indexer import Level, Method, Pair, Snapshot, code_of, method_errors
from personalizer.engine import Completion, Engine, Request
from personalizer.errors import BadInput, Cancelled
from personalizer.generation.candidates import candidates_of, clean
from personalizer.generation.needs import find_imports
from personalizer.generation.place import find_place, place_body, place_test, scope_of
from personalizer.generation.records import Candidate, Edit, Generation, SnippetGeneration
from personalizer.generation.style import house_of
from personalizer.generation.targets import resolve_snippet
from personalizer.prompts import Prompt, prompt_for_body, prompt_for_test
from personalizer.settings import Settings

__all__ = ["generate_snippet", "generate_test"]

OnText = Callable[[str], None]


def generate_test(
    snapshot: Snapshot,
    focal_path: str,
    focal: Method,
    engine: Engine,
    *,
    base: str,
    adapter_id: str,
    adapter_folder: str | None,
    count: int,
    settings: Settings,
    cancelled: threading.Event | None = None,
    examples: Sequence[Pair] = (),
    on_text: OnText | None = None,
) -> Generation:
    """Unit tests for a method, and the edit that adds the best of them to the project.

    Nothing is compiled or run here.

    Args:
        snapshot: The project, unsaved buffers included.
        focal_path: File of the focal method.
        focal: The method to test.
        engine: Who writes.
        base: Base model.
        adapter_id: Told in the answer; ``base`` without an adapter.
        adapter_folder: The adapter's files; None for the base model itself.
        count: Candidates that are asked for; copies of each other and of tests that are there
            are dropped.
        settings: Context level, lengths and temperature.
        cancelled: Once set, generation ends within a token.
        examples: Retrieved pairs for the prompt, the nearest last.
        on_text: Called with new text as it comes, where the engine can.

    Raises:
        Cancelled: If ``cancelled`` was set.
        PersonalizerError: Whatever the engine raises.
    """
    start = time.perf_counter()
    place = find_place(snapshot, focal_path, focal)
    prompt = prompt_for_test(
        snapshot,
        focal_path,
        focal,
        place=place,
        level=Level(settings.context_level),
        examples=examples,
    )
    request = _request(prompt, base, adapter_folder, settings, count)
    completions = _asked(engine, request, on_text, cancelled)
    scope = scope_of(snapshot, focal_path, focal, place, house_of(snapshot, focal_path))
    facts = snapshot.files[place.path] if place else None
    candidates = candidates_of(
        completions,
        owner=facts.type_named(place.owner) if facts and place else None,
        flavour=scope.flavour or "",
        existing={method.digest for method in facts.methods} if facts else (),
        unknown=lambda text: find_imports(snapshot, text, scope).unknown,
    )
    edit, no_edit = _edit_of_best(snapshot, focal_path, focal, candidates)
    return Generation(
        focal=f"{focal_path}#{focal.key}",
        adapter=adapter_id,
        candidates=candidates,
        edit=edit,
        no_edit=no_edit,
        seconds=time.perf_counter() - start,
    )


def generate_snippet(
    snapshot: Snapshot,
    path: str,
    at: int | str,
    engine: Engine,
    *,
    base: str,
    adapter_id: str,
    adapter_folder: str | None,
    settings: Settings,
    cancelled: threading.Event | None = None,
    on_text: OnText | None = None,
) -> SnippetGeneration:
    """The body of a documented method whose body is empty or only throws.

    Args:
        path: File of the method, or an ending of its path that is unique.
        at: A line of the method (from 1), or its name.

    The other arguments, and what is raised, are those of ``generate_test``.

    Raises:
        NoSuchMethod: If no method stands there.
        BadInput: If it has no doc comment, or a body that would be lost.
    """
    start = time.perf_counter()
    path, method = resolve_snippet(snapshot, path, at)
    request = _request(prompt_for_body(snapshot, path, method), base, adapter_folder, settings, 1)
    completions = _asked(engine, request, on_text, cancelled)
    body = clean(completions[0].text) if completions else ""
    facts = snapshot.files[path]
    signature = code_of(snapshot.source(path), method.signature, facts.encoding)
    edit: Edit | None = None
    no_edit: str | None = "what was generated is no complete body"
    if body.startswith("{") and (method.constructor or not method_errors(f"{signature} {body}")):
        edit, no_edit = _or_why_not(lambda: place_body(snapshot, path, method, body))
    return SnippetGeneration(
        text=body,
        adapter=adapter_id,
        edit=edit,
        no_edit=no_edit,
        seconds=time.perf_counter() - start,
    )


def _request(
    prompt: Prompt, base: str, adapter: str | None, settings: Settings, count: int
) -> Request:
    return Request(
        prompt=prompt,
        base=base,
        adapter=adapter,
        count=count,
        max_tokens=settings.target_tokens,
        temperature=settings.temperature,
        stop_at_method_end=True,
    )


def _asked(
    engine: Engine,
    request: Request,
    on_text: OnText | None,
    cancelled: threading.Event | None,
) -> list[Completion]:
    completions = engine.generate(request, on_text=on_text, cancelled=cancelled)
    if cancelled is not None and cancelled.is_set():
        raise Cancelled("the generation was cancelled")
    return completions


def _edit_of_best(
    snapshot: Snapshot, focal_path: str, focal: Method, candidates: Sequence[Candidate]
) -> tuple[Edit | None, str | None]:
    if not candidates:
        return None, "nothing new was generated"
    best = candidates[0]
    if not best.parses:
        return None, "no candidate is a complete test"
    return _or_why_not(lambda: place_test(snapshot, focal_path, focal, best.text))


def _or_why_not(make: Callable[[], Edit]) -> tuple[Edit | None, str | None]:
    """An edit, or why it cannot be made: the text is worth showing all the same."""
    try:
        return make(), None
    except BadInput as error:
        return None, str(error)
