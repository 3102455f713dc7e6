"""The whole of it for one snippet: find the place, ask the model, place its code, compile it."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from indexer import Method, Snapshot
from personalizer.engine import Engine
from personalizer.generation.asking import asked_of, request_for
from personalizer.generation.checking import told
from personalizer.generation.placing.edits import text_after
from personalizer.generation.records import SnippetGeneration, Writer
from personalizer.generation.snippets import java, python
from personalizer.generation.snippets.spot import Language, in_python
from personalizer.models import STARTER
from personalizer.prompts import prompt_for_body
from personalizer.settings import Settings
from personalizer.validation import Unable, Validator, Verdict

__all__ = ["generate_snippet"]

_MOST_TOKENS = 128
"""Of the statements after a comment: the model goes on to the function's end by itself."""
_JAVA_ALONE = "the starter was taught Java alone: for Python name another base"


def generate_snippet(
    snapshot: Snapshot,
    path: str,
    at: int | str,
    engine: Engine,
    *,
    writer: Writer,
    settings: Settings,
    cancelled: threading.Event | None = None,
    validator: Validator | None = None,
) -> SnippetGeneration:
    """The body of a documented method that has none yet, or what a comment in a body describes.

    Args:
        path: File of the method, Java or Python, or an ending of its path that is unique.
        at: A line of the method or of the comment (from 1), or the method's name.
        validator: Compiles the file with the snippet in it; runs nothing. Python needs none.

    The other arguments, and what is raised, are those of ``generate_test``.

    Raises:
        NoSuchMethod: If no method stands there.
        BadInput: If there is no comment to write from, or code that would be lost.
    """
    start = time.perf_counter()
    language: Language = python if in_python(path) else java
    spot = language.find(snapshot, path, at)
    prompt = prompt_for_body(snapshot, spot.path, spot.method)
    if spot.comment is not None:
        prompt = replace(prompt, begun=language.begun(snapshot, spot))
    request = request_for(prompt, writer=writer, settings=settings, count=1)
    if spot.comment is not None:
        request = replace(request, max_tokens=min(_MOST_TOKENS, request.max_tokens))
    completions = asked_of(engine, language.asked(snapshot, request, spot), cancelled)
    text = completions[0].text if completions else ""
    if spot.comment is not None:
        text = text.partition("\n")[2]  # the model may have said more in the comment's own line
    kind = "body" if spot.comment is None else "statement"
    no_edit = f"what was generated is no complete {kind}"
    made = SnippetGeneration(text, writer.adapter, None, no_edit)
    if completions:
        made = language.written(made, snapshot, spot, completions[0])
    if made.edit is not None:
        checker = validator or Unable("it was asked not to compile anything")
        checker.update(snapshot)
        after = text_after(snapshot, made.edit)
        verdict = language.compiled(checker, spot.path, after, spot.method, cancelled)
        made = _judged(made, snapshot, spot.method, after, verdict)
        if made.compiles and language is java:  # Python's parser knows no names
            made = replace(made, unknown_symbols=())
    if language is python and writer.base == STARTER:
        made = replace(made, notes=(*made.notes, _JAVA_ALONE))
    return replace(made, seconds=time.perf_counter() - start)


def _judged(
    made: SnippetGeneration, snapshot: Snapshot, method: Method, after: str, verdict: Verdict
) -> SnippetGeneration:
    """What the compiler says; an error outside the method is not the snippet's fault."""
    if verdict.compiles is not False or made.edit is None:
        return replace(made, compiles=verdict.compiles, not_run=verdict.not_run)
    before = snapshot.text(made.edit.file)
    grown = after.count("\n") - before.count("\n")
    source = snapshot.source(made.edit.file)
    first = source.count(b"\n", 0, method.span.start) + 1
    last = source.count(b"\n", 0, method.span.end) + 1 + grown
    own = [one for one in verdict.diagnostics if first <= one.line <= last]
    if not own:
        one = verdict.diagnostics[0]
        where = f"{made.edit.file} does not compile by itself: line {one.line}"
        return replace(made, not_run=f"{where}: {told(one.message)}")
    return replace(made, compiles=False, failure=told(own[0].message))
