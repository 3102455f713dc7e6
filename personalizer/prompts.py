"""Example to prompt and target: the only place that knows the format.

A prompt is a list of parts, each of one kind and made of pieces. Training examples and live
prompts come from the same functions, so a model is asked exactly what it was taught.

Two written forms exist. The *marked* form opens each part with a token of its own (the starter's
tokenizer has them); the *plain* form opens it with a line comment, for every other tokenizer.

    <|test_class|> imports, class, fields, set-up, helpers, neighbouring tests
    <|focal|>      the focal method in its class
    <|test|>       the target, closed by the end token
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Protocol

from indexer import (
    Level,
    Method,
    Pair,
    Piece,
    Snapshot,
    Snippet,
    Span,
    code_of,
    focal_context,
    snippet_context,
    test_class_context,
)
from personalizer.errors import PromptTooLong

__all__ = [
    "END",
    "PAD",
    "SPECIAL_TOKENS",
    "Attempt",
    "Example",
    "Kind",
    "Part",
    "Prompt",
    "TestPlace",
    "Tokenizer",
    "encode",
    "encode_begun",
    "encode_target",
    "example_of_pair",
    "example_of_snippet",
    "file_text",
    "fill_in_the_middle_text",
    "marked",
    "prompt_for_body",
    "prompt_for_test",
]


class Kind(StrEnum):
    """Kinds of parts; the value names the marker."""

    TYPES = "types"
    """Signatures of types that the focal method takes or gives."""
    EXAMPLE = "example"
    """A retrieved focal method."""
    EXAMPLE_TEST = "example_test"
    """The test of the retrieved focal method."""
    TEST_CLASS = "test_class"
    FOCAL = "focal"
    ATTEMPT = "attempt"
    """A test that was generated before and did not work."""
    ERROR = "error"
    """What the compiler or the runner said of the attempt."""
    NAME = "name"
    """The name that the test shall have."""
    CLASS = "class"
    """The class around a method to be written."""
    COMMENT = "comment"
    SIGNATURE = "signature"
    TEST = "test"
    """Opens the target of a test example."""
    BODY = "body"
    """Opens the target of a snippet example."""


PAD = "<|pad|>"
END = "<|end|>"
_FILE = "<|file|>"
_FIM = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
_NAMED = (PAD, END, _FILE, *_FIM, *(f"<|{kind}|>" for kind in Kind))
SPECIAL_TOKENS: tuple[str, ...] = (
    *_NAMED,
    *(f"<|reserved_{n}|>" for n in range(32 - len(_NAMED))),
)
"""The 32 reserved tokens of the starter's tokenizer, in the order of their ids."""

_PLAIN_TITLES = {
    Kind.TYPES: "Types that the method uses",
    Kind.EXAMPLE: "Another method of this project",
    Kind.EXAMPLE_TEST: "Unit test of that method",
    Kind.TEST_CLASS: "The test class",
    Kind.FOCAL: "The method to test",
    Kind.ATTEMPT: "A test that does not work",
    Kind.ERROR: "Why it does not work",
    Kind.NAME: "Name of the unit test",
    Kind.CLASS: "The class",
    Kind.COMMENT: "What the method does",
    Kind.SIGNATURE: "Its signature",
    Kind.TEST: "Unit test of the method",
    Kind.BODY: "Its body",
}


@dataclass(frozen=True, slots=True)
class Part:
    """Pieces of one kind."""

    kind: Kind
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """Parts in the order of the text, and the kind of the target that follows them."""

    parts: tuple[Part, ...]
    target: Kind
    begun: str = ""
    """Beginning of the target that is there already, which is gone on from."""
    remark: str = "//"
    """What opens a line comment in the language of the target."""


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt and what should follow it."""

    prompt: Prompt
    target: str
    """Source text, dedented, without the end token."""


@dataclass(frozen=True, slots=True)
class TestPlace:
    """The test class that a test lives in."""

    __test__ = False

    path: str
    """The test file; indexed."""
    owner: str
    """Qualified name of the class inside the file."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A test that was generated before and did not work."""

    text: str
    error: str
    """What the compiler or the runner said of it."""


class Tokenizer(Protocol):
    """The part of a Hugging Face tokenizer that prompts need."""

    eos_token_id: int | None

    def encode(self, text: str, add_special_tokens: bool = ..., **kwargs: Any) -> list[int]: ...

    def get_vocab(self) -> dict[str, int]: ...

    def __hash__(self) -> int: ...


# ---------------------------------------------------------------- prompts of the two tasks


def prompt_for_test(
    snapshot: Snapshot,
    focal_path: str,
    focal: Method,
    *,
    place: TestPlace | None = None,
    level: Level = Level.FM_FC_MS_FF,
    hidden: Collection[Method] = (),
    examples: Sequence[Pair] = (),
    attempt: Attempt | None = None,
) -> Prompt:
    """The prompt for a unit test of a method.

    Args:
        snapshot: The project, unsaved buffers included.
        focal_path: File of the focal method.
        focal: The focal method.
        place: Class that the test will live in; left out when it does not exist yet.
        level: How much of the focal class is shown.
        hidden: Tests never shown: in an example, the target and the other tests of its focal
            method (the design's rule against leaks).
        examples: Retrieved pairs, the nearest last.
        attempt: What to do better; always shown whole.
    """
    parts = [part for pair in examples for part in _example_parts(snapshot, pair)]
    if place is not None:
        facts = snapshot.files[place.path]
        source = snapshot.source(place.path)
        pieces = test_class_context(source, facts, place.owner, leave_out=hidden)
        if pieces:
            parts.append(Part(Kind.TEST_CLASS, pieces))
    facts = snapshot.files[focal_path]
    pieces = focal_context(snapshot.source(focal_path), facts, focal, level)
    parts.append(Part(Kind.FOCAL, pieces))
    if attempt is not None:
        always = float("inf")
        parts.append(Part(Kind.ATTEMPT, (Piece(attempt.text, always),)))
        parts.append(Part(Kind.ERROR, (Piece(attempt.error, always),)))
    return Prompt(tuple(parts), Kind.TEST)


def example_of_pair(
    snapshot: Snapshot,
    pair: Pair,
    *,
    with_test_class: bool = True,
    level: Level = Level.FM_FC_MS_FF,
    examples: Sequence[Pair] = (),
    held_out: Collection[Pair] = (),
) -> Example:
    """The training or evaluation example of one pair, from the same function as live prompts.

    Args:
        held_out: Pairs whose tests are never shown, beside those of the same focal method.
    """
    same_focal = snapshot.tests_of(pair.focal.path, pair.focal.method)
    hidden = [p.test.method for p in (*same_focal, *held_out) if p.test.path == pair.test.path]
    prompt = prompt_for_test(
        snapshot,
        pair.focal.path,
        pair.focal.method,
        place=TestPlace(pair.test.path, pair.test.method.owner) if with_test_class else None,
        level=level,
        hidden=[*hidden, pair.test.method],
        examples=examples,
    )
    facts = snapshot.files[pair.test.path]
    source = snapshot.source(pair.test.path)
    return Example(prompt, code_of(source, pair.test.method.span, facts.encoding))


def prompt_for_body(snapshot: Snapshot, path: str, method: Method) -> Prompt:
    """The prompt for a method's body from its doc comment and signature."""
    facts = snapshot.files[path]
    source = snapshot.source(path)
    parts = [Part(Kind.CLASS, snippet_context(source, facts, method))]
    if method.doc is not None:
        comment = code_of(source, method.doc, facts.encoding)
        parts.append(Part(Kind.COMMENT, (Piece(comment, float("inf")),)))
    signature = code_of(source, method.signature, facts.encoding)
    parts.append(Part(Kind.SIGNATURE, (Piece(signature, float("inf")),)))
    remark = "#" if facts.language == "python" else "//"
    return Prompt(tuple(part for part in parts if part.pieces), Kind.BODY, remark=remark)


def example_of_snippet(snapshot: Snapshot, snippet: Snippet) -> Example:
    """The training or evaluation example of one snippet."""
    path, method = snippet.path, snippet.method
    body = _body_of(snapshot.source(path), method, snapshot.files[path].encoding)
    return Example(prompt_for_body(snapshot, path, method), body)


def _body_of(source: bytes, method: Method, encoding: str) -> str:
    """A method's body, whose lines lose the indentation of its first, or of the method's own."""
    assert method.body is not None

    def text_of(span: Span) -> str:
        return span.of(source).decode(encoding, "replace").replace("\r\n", "\n").expandtabs(4)

    starts = (method.body.start, method.span.start)
    before = (text_of(Span(source.rfind(b"\n", 0, start) + 1, start)) for start in starts)
    margin = next((len(one) for one in before if not one.strip()), 0)
    first, *lines = text_of(method.body).split("\n")
    kept = (line[min(margin, len(line) - len(line.lstrip())) :].rstrip() for line in lines)
    return "\n".join([first, *kept])


def _example_parts(snapshot: Snapshot, pair: Pair) -> tuple[Part, Part]:
    """A retrieved pair; it is shown whole or, when the prompt is too long, not at all."""
    texts = []
    for where in (pair.focal, pair.test):
        facts = snapshot.files[where.path]
        texts.append(code_of(snapshot.source(where.path), where.method.span, facts.encoding))
    return (
        Part(Kind.EXAMPLE, (Piece(texts[0], _EXAMPLE_WORTH),)),
        Part(Kind.EXAMPLE_TEST, (Piece(texts[1], _EXAMPLE_WORTH),)),
    )


_EXAMPLE_WORTH = 6.2
"""Between the test class's helpers and its set-up."""


# ---------------------------------------------------------------- written forms


@lru_cache(maxsize=8)  # a vocabulary is made anew for who asks: half the time of encoding
def marked(tokenizer: Tokenizer) -> bool:
    """Whether a tokenizer has the grammar's own tokens."""
    vocabulary = tokenizer.get_vocab()
    return all(token in vocabulary for token in _NAMED)


def encode(prompt: Prompt, tokenizer: Tokenizer, budget: int) -> list[int]:
    """Token ids of a prompt, its least worthy pieces left out until it fits.

    Args:
        prompt: What to write.
        tokenizer: Decides the written form.
        budget: Most tokens that the prompt may take.

    Returns:
        At most ``budget`` ids; no piece is ever cut.

    Raises:
        PromptTooLong: If the pieces that must stay do not fit.
    """
    special = marked(tokenizer)
    costs = {
        id(piece): _length(piece.text + "\n", tokenizer, special)
        for part in prompt.parts
        for piece in part.pieces
    }
    begun = len(encode_begun(prompt.begun, tokenizer))
    titles = [_open(part.kind, special, prompt.remark) for part in prompt.parts]
    overhead = sum(len(title) // (1 if special else 3) for title in titles)
    kept = _fitting(
        prompt, costs, budget - begun - (len(prompt.parts) + 1 if special else overhead)
    )
    while True:
        text = _written(prompt, kept, special)
        ids = _ids(text, tokenizer, special)
        if len(ids) <= budget:
            return ids
        loose = [p for p in kept.values() if p.worth != float("inf")]
        if not loose:
            raise PromptTooLong(
                f"the prompt needs {len(ids)} tokens, {budget} are there: "
                "the focal method is too long"
            )
        _drop(prompt, kept, min(loose, key=lambda piece: piece.worth))


def _fitting(prompt: Prompt, costs: dict[int, int], budget: int) -> dict[int, Piece]:
    kept = {id(piece): piece for part in prompt.parts for piece in part.pieces}
    loose = sorted(
        (p for p in kept.values() if p.worth != float("inf")), key=lambda piece: piece.worth
    )
    for piece in loose:
        if sum(costs[key] for key in kept) <= budget:
            break
        if id(piece) in kept:
            _drop(prompt, kept, piece)
    return kept


def _drop(prompt: Prompt, kept: dict[int, Piece], piece: Piece) -> None:
    """Leaves out a piece; a retrieved method goes with its test."""
    del kept[id(piece)]
    for method, test in zip(prompt.parts, prompt.parts[1:], strict=False):
        if method.kind == Kind.EXAMPLE and test.kind == Kind.EXAMPLE_TEST:
            both = [id(method.pieces[0]), id(test.pieces[0])]
            if id(piece) in both:
                for key in both:
                    kept.pop(key, None)


def _ids(text: str, tokenizer: Tokenizer, special: bool) -> list[int]:
    """Token ids of a written text. In the plain form what looks like a special token is text.

    A Unigram vocabulary, as T5's, has them among its words and finds them all the same.
    """
    return tokenizer.encode(text, add_special_tokens=False, split_special_tokens=not special)


@lru_cache(maxsize=2**14)  # examples of one class show the same pieces
def _length(text: str, tokenizer: Tokenizer, special: bool) -> int:
    return len(_ids(text, tokenizer, special))


def _open(kind: Kind, special: bool, remark: str) -> str:
    return f"<|{kind}|>" if special else f"{remark} {_PLAIN_TITLES[kind]}\n"


def _written(prompt: Prompt, kept: dict[int, Piece], special: bool) -> str:
    lines = []
    for part in prompt.parts:
        pieces = [piece for piece in part.pieces if id(piece) in kept]
        if pieces:
            body = "\n".join(piece.text for piece in pieces)
            title = _open(part.kind, special, prompt.remark)
            lines.append(title + (_harmless(body) if special else body) + "\n")
    begun = _harmless(prompt.begun) if special else prompt.begun
    return "".join(lines) + _open(prompt.target, special, prompt.remark) + begun


def encode_target(target: str, tokenizer: Tokenizer) -> list[int]:
    """Token ids of a target, the end token included."""
    if marked(tokenizer):
        return _ids(_harmless(target) + END, tokenizer, special=True)
    ids = _ids(target, tokenizer, special=False)
    return ids if tokenizer.eos_token_id is None else [*ids, tokenizer.eos_token_id]


def encode_begun(text: str, tokenizer: Tokenizer) -> list[int]:
    """Token ids of a text that an answer goes on from."""
    return _ids(text, tokenizer, marked(tokenizer)) if text else []


def file_text(text: str) -> str:
    """A whole file in the marked form, for training a base model."""
    return f"{_FILE}{_harmless(text)}{END}"


def fill_in_the_middle_text(before: str, middle: str, after: str) -> str:
    """A file with a hole in the marked form, for training a base model."""
    prefix, suffix, hole = _FIM
    return f"{prefix}{_harmless(before)}{suffix}{_harmless(after)}{hole}{_harmless(middle)}{END}"


def _harmless(text: str) -> str:
    """Source text must not be read as a marker."""
    return text.replace("<|", "< |")
