"""The prompt grammar: what is written, what is left out, and that both sides write the same."""

from __future__ import annotations

import pytest

from indexer import Change, Index, Piece
from indexer.languages import ALL
from personalizer import prompts
from personalizer.errors import PromptTooLong
from personalizer.prompts import (
    END,
    SPECIAL_TOKENS,
    Kind,
    Part,
    Prompt,
    TestPlace,
    encode,
    encode_begun,
    encode_target,
    example_of_snippet,
    fill_in_the_middle_text,
)
from tests.java_project import project_files, snapshot_of

ALWAYS = float("inf")


class Characters:
    """A tokenizer whose tokens are characters; with or without the grammar's markers."""

    eos_token_id = 3

    def __init__(self, marked: bool) -> None:
        self.marked = marked

    def get_vocab(self) -> dict[str, int]:
        return {token: n for n, token in enumerate(SPECIAL_TOKENS)} if self.marked else {}

    def encode(self, text: str, add_special_tokens: bool = True, **kwargs: object) -> list[int]:
        ids = []
        while text:
            token = next((t for t in self.get_vocab() if text.startswith(t)), text[0])
            ids.append(self.get_vocab().get(token, 100 + ord(token[0])))
            text = text[len(token) :]
        return ids

    def decode(self, ids: list[int]) -> str:
        names = list(self.get_vocab())
        return "".join(names[i] if i < 100 and self.marked else chr(i - 100) for i in ids)


def check_written(prompt: Prompt, budget: int, expected: str, marked: bool = True) -> None:
    tokenizer = Characters(marked)
    ids = encode(prompt, tokenizer, budget)
    assert tokenizer.decode(ids) == expected
    assert len(ids) <= budget


def prompt_of(*pieces: Piece) -> Prompt:
    return Prompt((Part(Kind.FOCAL, pieces),), Kind.TEST)


def test_there_are_thirty_two_special_tokens_and_each_is_there_once():
    assert len(SPECIAL_TOKENS) == len(set(SPECIAL_TOKENS)) == 32


def test_a_part_opens_with_its_marker_and_the_target_ends_with_the_end_token():
    check_written(prompt_of(Piece("int a;", ALWAYS)), 99, "<|focal|>int a;\n<|test|>")
    tokenizer = Characters(marked=True)
    assert tokenizer.decode(encode_target("x();", tokenizer)) == "x();" + END


def test_other_tokenizers_get_line_comments_and_their_own_end_token():
    check_written(
        prompt_of(Piece("int a;", ALWAYS)),
        99,
        "// The method to test\nint a;\n// Unit test of the method\n",
        marked=False,
    )
    assert encode_target("x", Characters(marked=False))[-1] == Characters.eos_token_id


def test_the_least_worthy_piece_is_left_out_first_and_none_is_cut():
    pieces = (Piece("keep me", ALWAYS), Piece("worth much", 5.0), Piece("worth little", 1.0))
    check_written(prompt_of(*pieces), 22, "<|focal|>keep me\nworth much\n<|test|>")
    check_written(prompt_of(*pieces), 12, "<|focal|>keep me\n<|test|>")


def test_a_prompt_whose_focal_method_does_not_fit_is_refused():
    with pytest.raises(PromptTooLong, match="the focal method is too long"):
        encode(prompt_of(Piece("x" * 50, ALWAYS)), Characters(marked=True), 20)


def test_a_retrieved_method_is_left_out_together_with_its_test():
    prompt = Prompt(
        (
            Part(Kind.EXAMPLE, (Piece("int b() {}", 6.0),)),
            Part(Kind.EXAMPLE_TEST, (Piece("void testB() { b(); }", 6.0),)),
            Part(Kind.FOCAL, (Piece("int a() {}", ALWAYS),)),
        ),
        Kind.TEST,
    )
    check_written(prompt, 40, "<|focal|>int a() {}\n<|test|>")


def test_what_prompts_share_is_encoded_once_and_the_vocabulary_looked_through_once():
    class Counting(Characters):
        looks, texts = 0, list[str]()

        def get_vocab(self) -> dict[str, int]:
            self.looks += 1
            return super().get_vocab()

        def encode(self, text: str, *args: object, **kwargs: object) -> list[int]:
            self.texts.append(text)
            return [0] * len(text)

    tokenizer = Counting(marked=False)
    for method in ("int a() {}", "int b() {}"):
        shared = Part(Kind.TEST_CLASS, (Piece("class CartTest {", 1.0),))
        focal = Part(Kind.FOCAL, (Piece(method, ALWAYS),))
        encode(Prompt((shared, focal), Kind.TEST), tokenizer, 500)
    assert tokenizer.texts.count("class CartTest {\n") == 1
    assert tokenizer.looks == 1


def test_source_text_cannot_forge_a_marker():
    check_written(
        prompt_of(Piece('String s = "<|end|>";', ALWAYS)),
        99,
        '<|focal|>String s = "< |end|>";\n<|test|>',
    )
    assert END not in fill_in_the_middle_text("a", "b <|end|>", "c")[: -len(END)]


def test_an_example_and_a_live_prompt_for_the_same_method_are_the_same():
    files = project_files(classes=1, methods=3)
    snapshot = snapshot_of(files)
    pair = snapshot.pairs[1]
    example = prompts.example_of_pair(snapshot, pair)
    path = pair.test.path
    text = files[path]
    without = text.replace(_method(text, pair.test.method.name), "")
    live = snapshot_of(files | {path: without})
    prompt = prompts.prompt_for_test(
        live,
        pair.focal.path,
        pair.focal.method,
        place=TestPlace(path, pair.test.method.owner),
    )
    tokenizer = Characters(marked=True)
    assert encode(example.prompt, tokenizer, 5000) == encode(prompt, tokenizer, 5000)


def test_the_target_and_held_out_tests_are_nowhere_in_an_examples_prompt():
    snapshot = snapshot_of(project_files(classes=1, methods=3))
    first, second, third = snapshot.pairs
    tokenizer = Characters(marked=True)
    example = prompts.example_of_pair(snapshot, first, held_out=[second])
    written = tokenizer.decode(encode(example.prompt, tokenizer, 5000))
    assert first.test.method.name not in written
    assert second.test.method.name not in written
    assert third.test.method.name in written
    assert example.target.startswith("@Test\nvoid growA_addsToTheSize() {")


def test_a_snippet_example_asks_for_the_body_of_a_documented_method():
    snapshot = snapshot_of(project_files(classes=1, methods=1))
    example = example_of_snippet(snapshot, snapshot.snippets[0])
    tokenizer = Characters(marked=True)
    written = tokenizer.decode(encode(example.prompt, tokenizer, 5000))
    assert written.endswith(
        "<|comment|>/** Adds 0 to the size. */\n<|signature|>public int growA(int by)\n<|body|>"
    )
    assert example.target == "{\n    return size + by * 1 + 0;\n}"


def check_target(path: str, source: str, expected: str) -> None:
    """The target of the one documented method or function of a text."""
    snapshot = Index(languages=ALL).apply([Change(path, source.encode())])
    (snippet,) = snapshot.snippets
    example = example_of_snippet(snapshot, snippet)
    assert example.target == expected
    shown = "".join(piece.text for part in example.prompt.parts for piece in part.pieces)
    assert expected not in shown


BODIES = [
    "{\n    log(a);\n    return a;\n}",
    "{\n//  log(a);\n    return a;\n}",
    '{\n    return """\nas it is\n""";\n}',
    "{\n\n    return a;\n}",
]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(
    "head", ["int sum(int a, int b) ", "int sum(int a,\n    int b) ", "int a()\n"]
)
@pytest.mark.parametrize("step", ["    ", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_target_of_a_snippet_is_the_body_as_it_stands_in_its_method(
    body: str, head: str, step: str, end: str
):
    free = ("//", "as it", '""";')
    lines = "".join(
        "\n" + (line if line.startswith(free) or not line else "    " + line)
        for line in ("/** Sums up. */\n" + head + body).split("\n")
    )
    source = f"class A {{{lines}\n}}\n".replace("    ", step).replace("\n", end)
    check_target("A.java", source, body)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            'def a(b):  # note: b\n    """Counts."""\n    if b:\n        return 1\n    return 0\n',
            "if b:\n    return 1\nreturn 0",
        ),
        ('class A:\n    def a(self): "Counts."; return self.items\n', "return self.items"),
    ],
)
def test_the_docstring_is_what_describes_the_target_and_no_part_of_it(source: str, expected: str):
    check_target("a.py", source, expected)


def _method(text: str, name: str) -> str:
    begin = text.index("    @Test\n    void " + name)
    return text[begin : text.index("    }\n", begin) + len("    }\n")]


def llama_like():
    from tokenizers import Tokenizer, decoders, models, normalizers
    from transformers import PreTrainedTokenizerFast

    octets = [f"<0x{byte:02X}>" for byte in range(256)]
    words = ["<unk>", "<s>", "</s>", *octets, "▁", *"abcdest</>"]
    table = {word: number for number, word in enumerate(words)}
    own = Tokenizer(models.BPE(table, [], unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    own.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    own.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=own, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


def t5_like():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted({*'abcdefghijklmnopqrstuvwxyzETHS @\n{}()<>/;"_.0123456789', "▁"})
    words = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((one, -3.0) for one in letters)]
    own = Tokenizer(models.Unigram([*words, ("<extra_id_0>", 0.0)], unk_id=2))
    own.pre_tokenizer = pre_tokenizers.Metaspace()
    own.decoder = decoders.Metaspace()
    return PreTrainedTokenizerFast(
        tokenizer_object=own,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        additional_special_tokens=["<extra_id_0>"],
    )


def gpt2_like():
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = ["<|endoftext|>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    own = Tokenizer(models.BPE({word: number for number, word in enumerate(alphabet)}, []))
    own.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    own.decoder = decoders.ByteLevel()
    own.add_tokens([AddedToken("    ", normalized=False)])  # as CodeGen's blanks, not special
    return PreTrainedTokenizerFast(tokenizer_object=own, eos_token="<|endoftext|>")


@pytest.mark.parametrize(("made", "end"), [(llama_like, "</s>"), (gpt2_like, "<|endoftext|>")])
def test_what_looks_like_a_special_token_is_text_in_a_plain_prompt(made, end):
    tokenizer = made()
    marker = tokenizer.convert_tokens_to_ids(end)
    target = f'@Test void strikes() {{ strike("<s>gone{end}"); }}'
    ids = encode_target(target, tokenizer)
    assert ids[-1] == marker
    assert marker not in ids[:-1]
    assert tokenizer.decode(ids[:-1]).strip() == target
    prompt = prompt_of(Piece(f"String a() {{ return {end}; }}", ALWAYS))
    assert marker not in encode(prompt, tokenizer, 500)
    assert marker not in encode_begun(f"a({end}", tokenizer)


@pytest.mark.parametrize("made", [llama_like, t5_like, gpt2_like])
def test_other_text_is_encoded_as_ever(made):
    tokenizer = made()
    for text in ("void a() {\n    b(); }", "    a < b /s>", "\t\u00e9\u4e2d"):
        as_ever = tokenizer.encode(text, add_special_tokens=False)
        assert encode_target(text, tokenizer) == [*as_ever, tokenizer.eos_token_id]
        assert encode_begun(text, tokenizer) == as_ever
