"""From a doc comment to a method's body, or from a comment inside a body to what it describes."""

from __future__ import annotations

import re
import textwrap
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from indexer import Method, Snapshot, Span, code_of
from indexer.languages.java import method_errors
from indexer.languages.lexis import tokens
from indexer.languages.remarks import remark_at
from personalizer.engine import Engine
from personalizer.errors import BadInput
from personalizer.generation.candidates import clean
from personalizer.generation.checking import told
from personalizer.generation.names.mending import Symbols
from personalizer.generation.pipeline import asked_of, or_why_not, request_for
from personalizer.generation.placing.bodies import place_body, place_statements, scope_within
from personalizer.generation.placing.edits import apply_changes
from personalizer.generation.records import Edit, SnippetGeneration
from personalizer.generation.targets import resolve_method, resolve_snippet
from personalizer.prompts import Prompt, prompt_for_body
from personalizer.settings import Settings
from personalizer.validation import Unable, Validator

__all__ = ["Gap", "find_gap", "generate_snippet"]

_MOST_TOKENS = 128
"""Of the statements after a comment: the model goes on to the method's end by itself."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A comment inside a method's body with nothing beneath it that it could describe."""

    method: Method
    comment: Span
    """Bytes of the comment; of lines that follow each other the last."""


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
    on_text: Callable[[str], None] | None = None,
    validator: Validator | None = None,
) -> SnippetGeneration:
    """The body of a documented method that has none yet, or what a comment in a body describes.

    Args:
        path: File of the method, or an ending of its path that is unique.
        at: A line of the method or of the comment (from 1), or the method's name.
        validator: Compiles the file with the snippet in it; runs nothing.

    The other arguments, and what is raised, are those of ``generate_test``.

    Raises:
        NoSuchMethod: If no method stands there.
        BadInput: If there is no comment to write from, or code that would be lost.
    """
    start = time.perf_counter()
    gap = find_gap(snapshot, path, at) if isinstance(at, int) else None
    path, method = (
        resolve_method(snapshot, path, at) if gap else resolve_snippet(snapshot, path, at)
    )
    prompt = prompt_for_body(snapshot, path, method)
    if gap is not None:
        prompt = replace(prompt, begun=_begun(snapshot, path, gap))
    request = request_for(prompt, base=base, adapter=adapter_folder, settings=settings, count=1)
    if gap is not None:
        most = min(_MOST_TOKENS, settings.target_tokens)
        request = replace(request, max_tokens=most, stop_at_method_end=False)
    completions = asked_of(engine, request, on_text, cancelled)
    text = completions[0].text if completions else ""
    kind = "statement" if gap else "body"
    made = SnippetGeneration(text, adapter_id, None, f"what was generated is no complete {kind}")
    if gap is None:
        made = _with_body(made, snapshot, path, method)
    else:
        made = _with_statements(made, snapshot, path, gap, prompt)
    checker = validator or Unable("it was asked not to compile anything")
    made = _compiled(made, snapshot, method, checker, cancelled)
    return replace(made, seconds=time.perf_counter() - start)


# ---------------------------------------------------------------- a body


def _with_body(
    made: SnippetGeneration, snapshot: Snapshot, path: str, method: Method
) -> SnippetGeneration:
    body = clean(made.text)
    facts = snapshot.files[path]
    signature = code_of(snapshot.source(path), method.signature, facts.encoding)
    whole = body.startswith("{") and (
        method.constructor or not method_errors(f"{signature} {body}")
    )
    if not whole:
        return replace(made, text=body)
    checked = _symbols(snapshot, path, method).mend_names(f"{signature} {body}")
    notes: tuple[str, ...] = ()
    if checked.text.startswith(f"{signature} {{"):
        body, notes = checked.text[len(signature) + 1 :], checked.notes
    edit, no_edit = or_why_not(lambda: place_body(snapshot, path, method, body))
    unknown = checked.unknown
    return replace(
        made, text=body, edit=edit, no_edit=no_edit, unknown_symbols=unknown, notes=notes
    )


def _symbols(snapshot: Snapshot, path: str, method: Method) -> Symbols:
    return Symbols(snapshot, scope_within(snapshot, path, method), method.owner)


# ---------------------------------------------------------------- what a comment describes


def find_gap(snapshot: Snapshot, path: str, line: int) -> Gap | None:
    """The comment at a line inside a body, or just above an empty line; None where there is none.

    Raises:
        NoSuchMethod: If no method stands there.
        BadInput: If code follows the comment already.
    """
    path, method = resolve_method(snapshot, path, line)
    if method.body is None:
        return None
    found = remark_at(snapshot.source(path), method.body, line)
    if found is not None and not found.bare:
        raise BadInput(f"the comment at {path}:{line} has code beneath it already")
    return found and Gap(method, found.span)


def _begun(snapshot: Snapshot, path: str, gap: Gap) -> str:
    """The body up to the comment, as a body is written in a prompt."""
    source, facts = snapshot.source(path), snapshot.files[path]
    until = Span(gap.method.span.start, gap.comment.end)
    signature = code_of(source, gap.method.signature, facts.encoding)
    return code_of(source, until, facts.encoding)[len(signature) :].lstrip()


def statements(text: str) -> str:
    """The statements that a text begins with, up to a blank line, a comment or the block's end.

    Example:
        >>> statements("\\n    a();\\n    if (b) {\\n        c();\\n    }\\n\\n    d();\\n}")
        'a();\\nif (b) {\\n    c();\\n}'
    """
    depth, end, last = 0, 0, 0
    for token in tokens(text):
        depth -= token.text in ("}", ")", "]")
        blank = re.search(r"\n[ \t\r]*\n", text[last : token.start])
        if depth < 0 or (depth == 0 and end and (blank or token.kind == "comment")):
            break
        depth += token.text in ("{", "(", "[")
        last = token.end
        if depth == 0 and token.text in (";", "}"):
            end = token.end
    return textwrap.dedent(text[:end].lstrip("\n")).strip()


def _with_statements(
    made: SnippetGeneration, snapshot: Snapshot, path: str, gap: Gap, prompt: Prompt
) -> SnippetGeneration:
    text = statements(made.text)
    if not text:
        return replace(made, text=made.text.strip())
    symbols = _symbols(snapshot, path, gap.method)
    source, facts = snapshot.source(path), snapshot.files[path]
    signature = code_of(source, gap.method.signature, facts.encoding)
    rest = code_of(source, Span(gap.comment.end, gap.method.span.end), facts.encoding)
    before = set(symbols.check(f"{signature} {prompt.begun}\n{rest}").unknown)
    after = symbols.check(f"{signature} {prompt.begun}\n{text}\n{rest}").unknown
    edit, no_edit = or_why_not(
        lambda: place_statements(snapshot, path, gap.method, gap.comment, text)
    )
    unknown = tuple(one for one in after if one not in before)
    return replace(made, text=text, edit=edit, no_edit=no_edit, unknown_symbols=unknown)


# ---------------------------------------------------------------- does it compile


def _compiled(
    made: SnippetGeneration,
    snapshot: Snapshot,
    method: Method,
    validator: Validator,
    cancelled: threading.Event | None,
) -> SnippetGeneration:
    """What the compiler says; an error outside the method is not the snippet's fault."""
    if made.edit is None:
        return made
    after = _after(snapshot, made.edit)
    validator.update(snapshot)
    verdict = validator.compile(made.edit.file, after, cancelled=cancelled)
    if verdict.compiles is not False:
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


def _after(snapshot: Snapshot, edit: Edit) -> str:
    raw = apply_changes(snapshot.source(edit.file), edit.changes)
    encoding = snapshot.files[edit.file].encoding
    return raw.decode(encoding, "replace").removeprefix("\ufeff")
