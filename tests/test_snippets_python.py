"""Snippets in Python: where, what is asked, what is taken, where it goes, what is said of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer import Snapshot, index_file
from personalizer.commands.generate import workspace_of
from personalizer.edits import apply_changes
from personalizer.engine import Completion
from personalizer.errors import BadInput, NoSuchMethod
from personalizer.generation import SnippetGeneration, Writer, generate_snippet
from personalizer.generation.snippets.blocks import block, first_statements, tree_of
from personalizer.output import as_dict
from personalizer.prompts import Prompt, encode
from personalizer.settings import Settings
from personalizer.texts import TEXTS
from tests.fake_engine import FakeEngine
from tests.test_prompts import Characters

FILE = '''"""Prices."""

import math

RATE = 0.2


def net(price):
    """Price before tax."""
    return price / (1 + RATE)


def gross(price: float, count: int = 1) -> float:
    """Price with tax, in cents."""


def refund(price):
    """Nothing comes back yet."""
    raise NotImplementedError("refund")


def total(prices):
    found = sum(prices)
    # round it up

    return found


def done(prices):
    found = sorted(prices)
    # has code
    return found


class Till:
    """Takes money."""

    def __init__(self):
        self.taken = 0

    def take(self, price):
        """Adds a price."""
        # count it

    def close(self):
        # forget
        # what there was
        pass
'''
PATH = "shop/prices.py"


def line_of(text: str, source: str = FILE) -> int:
    return source.count("\n", 0, source.index(text)) + 1


def written(
    completion: str | Completion, at: int | str, source: str = FILE, base: str = "a-model"
) -> tuple[str, SnippetGeneration, FakeEngine]:
    """What becomes of the file when the model answers so at a line or a text."""
    snapshot = index_file(".", PATH, source)
    engine = FakeEngine([completion])
    made = generate_snippet(
        snapshot,
        PATH,
        line_of(at, source) if isinstance(at, str) else at,
        engine,
        writer=Writer(base),
        settings=Settings(),
    )
    return applied(snapshot, made), made, engine


def applied(snapshot: Snapshot, made: SnippetGeneration) -> str:
    source = snapshot.source(PATH)
    return apply_changes(source, made.edit.changes if made.edit else ()).decode()


# ---------------------------------------------------------------- bodies


def test_a_documented_function_gets_its_body_beneath_its_docstring():
    after, made, _ = written("    return net(price)\n", "def gross")
    assert after == FILE.replace('in cents."""\n', 'in cents."""\n    return net(price)\n', 1)
    assert made.compiles is True
    assert made.unknown_symbols == ()


@pytest.mark.parametrize("at", ["def gross", "Price with tax"])
def test_it_is_found_by_its_name_and_by_its_docstring(at: str):
    assert written("return 1", at)[1].text == "return 1"


def test_a_body_that_only_raises_is_replaced():
    after, _, _ = written("    if price:\n        return -price\n    return 0", "def refund")
    body = "    if price:\n        return -price\n    return 0\n"
    assert after == FILE.replace('    raise NotImplementedError("refund")\n', body)


def test_a_body_takes_the_indentation_of_its_file_and_keeps_its_strings():
    source = 'class A:\n\tdef f(self):\n\t\t"""D."""\n'
    text = '    if self:\n        return """\n  as it is\n"""\n    return 1'
    after, made, _ = written(text, 2, source)
    joined = written("    f(1,\n      2)\n    g('a'\n      'b')", "def gross")[0]
    assert "    f(1,\n      2)\n    g('a'\n      'b')\n" in joined
    assert after == source.rstrip("\n") + (
        '\n\t\tif self:\n\t\t\treturn """\n  as it is\n"""\n\t\treturn 1\n'
    )
    assert made.compiles is True


def test_windows_line_ends_stay():
    source = FILE.replace("\n", "\r\n")
    after, _, _ = written("    x = 1\n    return x\n", line_of("def gross"), source)
    assert '"""\r\n    x = 1\r\n    return x\r\n' in after
    assert "\n" not in after.replace("\r\n", "")


@pytest.mark.parametrize(
    "text",
    [
        "if price:\n        return 1\n    return 2",  # the first line lost its indentation
        "if price:\n    return 1\nreturn 2",
        "```python\n    if price:\n        return 1\n    return 2\n```\nThat was it.",
        "    if price:\n        return 1\n    return 2\n\n\ndef more(:\n",
        "    if price:\n        return 1\n    return 2\n    # and that is all\n",
    ],
)
def test_a_body_is_read_however_it_is_written(text: str):
    _, made, _ = written(text, "def gross")
    assert made.text == "if price:\n    return 1\nreturn 2"


@pytest.mark.parametrize(
    "text", ["", "    return (", "Sure, here it is.", "    x = 1\n    y = (", "    # nothing"]
)
def test_what_is_no_whole_body_is_not_placed(text: str):
    after, made, _ = written(Completion(text, -1.0, 9, "length"), "def gross")
    assert after == FILE
    assert made.no_edit == "what was generated is no complete body"


@pytest.mark.parametrize(
    "code",
    [
        "return 'a\tb'",
        'return """a   \n  b\t\n\tc  \n"""',
        'found = f"""a\t{price}   \n    b"""\n    return found',
        'if price:\n        return """\n a\n"""\n    return 1',
    ],
)
@pytest.mark.parametrize("lost", ["", "    "])
def test_strings_keep_every_blank_and_tab(code: str, lost: str):
    after, _, _ = written(f"{lost}{code}", "def gross")
    assert after == FILE.replace('in cents."""\n', f'in cents."""\n    {code}\n')


def test_tabs_of_a_model_become_the_indentation_of_the_file():
    after, _, _ = written("\tif price:\n\t\treturn '\t'\n\treturn 1", "def gross")
    assert "    if price:\n        return '\t'\n    return 1\n" in after


def test_a_comment_in_column_0_ends_no_body():
    text = "    found = price\n# with tax\n    return found\n\n# Example\nprint(gross(1))\n"
    after, made, engine = written(text, "def gross")
    assert not any("\n# with".startswith(stop) for stop in engine.requests[0].stop)
    assert "    found = price\n    # with tax\n    return found\n" in after
    assert made.compiles is True


def test_a_body_cut_at_the_limit_is_not_placed():
    text = "    found = net(price)\n    return foun"
    assert written(Completion(text, -1.0, 9, "length"), "def gross")[1].edit is None
    assert written(Completion(text, -1.0, 9, "stop"), "def gross")[1].edit is not None


# ---------------------------------------------------------------- comments


@pytest.mark.parametrize("more", [0, 1])
def test_a_comment_gets_its_code_beneath_it(more: int):
    answer = "\n    found = math.ceil(found)\n\n    return 7\n"
    after, made, engine = written(answer, line_of("# round it up") + more)
    assert after == FILE.replace("round it up\n", "round it up\n    found = math.ceil(found)\n")
    assert made.text == "found = math.ceil(found)"
    prompt = engine.requests[0].prompt
    assert isinstance(prompt, Prompt)
    assert prompt.begun == "    found = sum(prices)\n    # round it up"


def test_what_stands_beneath_the_comments_place_is_not_written_again():
    answer = "\n    found = math.ceil(found)\n    return (found)\n"
    after, _, _ = written(answer, "# round it up")
    assert after == FILE.replace("round it up\n", "round it up\n    found = math.ceil(found)\n")
    after, made, _ = written("\n    return found\n", "# round it up")
    assert (after, made.edit) == (FILE, None)


def test_a_statement_of_the_block_around_a_comment_may_be_written_in_it():
    source = "def f(a):\n    for b in a:\n        # leave\n        ...\n    return a\n"
    after, _, _ = written("\n        print(b)\n        return a\n", 3, source)
    assert after == source.replace("...", "print(b)\n        return a")
    source = "def f(a):\n    if a:\n        b()\n        # leave\n    else:\n        return a\n"
    after, _, _ = written("\n        return a\n", 4, source)
    assert after == source.replace("leave\n", "leave\n        return a\n")


def test_a_comment_under_a_docstring_is_in_its_function():
    after, _, _ = written("\n        self.taken += price\n", "# count it")
    assert after == FILE.replace("# count it\n", "# count it\n        self.taken += price\n")


def test_lines_of_comment_are_one_and_what_holds_their_place_goes():
    after, _, _ = written("\n        self.taken = 0\n", "# forget")
    assert after.endswith("        # what there was\n        self.taken = 0\n")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_only_what_holds_the_place_of_the_comments_own_block_goes(end: str):
    source = "def f(a):\n    for b in a:\n        b()\n        # say it\n    pass\n"
    after, _, _ = written("\n        print(b)\n", 4, source.replace("\n", end))
    assert after == source.replace("it\n", "it\n        print(b)\n").replace("\n", end)
    source = "def f(a):\n    # say it\n    ...\n"
    after, _, _ = written("\n    print(a)\n", 2, source.replace("\n", end))
    assert after == source.replace("...", "print(a)").replace("\n", end)


@pytest.mark.parametrize(
    "cut",
    ["found += len(pri", "found += len(prices)", "if found:\n        found = 1\n        found +="],
)
def test_a_last_statement_that_may_be_half_written_is_left_out(cut: str):
    text = f"\n    found = math.ceil(found)\n    {cut}"
    _, made, _ = written(Completion(text, -1.0, 9, "length"), "# round it up")
    assert made.text == "found = math.ceil(found)"


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("# has code", "has code beneath it already"),
        ("def net", "net in shop/prices.py has a body already"),
        ("def __init__", "has no docstring"),
    ],
)
def test_what_would_be_lost_or_is_not_described_is_refused(at: str, said: str):
    with pytest.raises(BadInput, match=re.escape(said)):
        written("    return 1", at)


def test_where_no_function_stands_the_nearest_is_told():
    with pytest.raises(NoSuchMethod, match="the nearest is net at line 8"):
        written("    return 1", "RATE = ")


def test_a_line_of_a_string_that_looks_like_a_comment_is_none():
    source = 'def f():\n    """Doc.\n\n    # not a comment\n    """\n'
    assert written("    return 1", 4, source)[1].text == "return 1"


# ---------------------------------------------------------------- what is asked


def test_the_prompt_shows_imports_neighbours_and_the_class_with_the_remarks_of_python():
    _, _, engine = written("\n        self.taken += price\n", "# count it")
    prompt = engine.requests[0].prompt
    assert isinstance(prompt, Prompt)
    tokenizer = Characters(marked=False)
    text = tokenizer.decode(encode(prompt, tokenizer, 4000))
    assert text.startswith("# The class\nimport math\ndef net(price):\n")
    assert "class Till:\n    def __init__(self):\n    def close(self):\n" in text
    assert '# What the method does\n"""Adds a price."""\n' in text
    assert text.endswith('# Its body\n    """Adds a price."""\n    # count it')
    assert "//" not in text


def test_nothing_is_asked_of_the_end_of_a_java_method():
    _, _, engine = written("return 1", "def gross")
    assert not engine.requests[0].stop_at_method_end
    assert "\ndef " in engine.requests[0].stop


def test_the_starter_says_that_it_knows_no_python():
    assert written("return 1", "def gross")[1].notes == ()
    _, made, _ = written("{", "def gross", base="starter")
    assert made.notes == ("the starter was taught Java alone: for Python name another base",)
    assert made.notes[0] in TEXTS["snippet"](as_dict(made))


# ---------------------------------------------------------------- names


def test_names_that_nothing_defines_are_told_and_modules_of_python_imported():
    after, made, _ = written("    return taxed(json.loads(price)) + oops", "def gross")
    assert made.unknown_symbols == ("oops", "taxed")
    assert made.notes == ("imported json",)
    assert "import math\nimport json\n" in after
    assert made.compiles is True


@pytest.mark.parametrize(
    "code",
    [
        "token.upper()",
        "this.name",
        "string + price",
        "queue.put(queue)",
        "json.loads(price) + json",
        "urllib.parse.quote(price)",
    ],
)
def test_a_name_is_no_module_unless_a_module_has_all_that_is_asked_of_it(code: str):
    after, made, _ = written(f"    return {code}", "def gross")
    assert made.unknown_symbols == (re.match(r"\w+", code)[0],)  # type: ignore[index]
    assert made.notes == ()
    assert after.count("import ") == 1


@pytest.mark.parametrize(
    "code",
    [
        "os.path.join(os.sep, price)",
        "re.compile(price, re.IGNORECASE)",
        "asyncio.run(price)",
        "collections.Counter(price)",
        "time.time()",
        "string.ascii_letters",
        "itertools.chain(price)",
    ],
)
def test_modules_are_known_by_what_they_have(code: str):
    _, made, _ = written(f"    return {code}", "def gross")
    assert made.unknown_symbols == ()
    assert made.notes == (f"imported {code.partition('.')[0]}",)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("", "import re\n\n"),
        ('"""Doc."""\n', '"""Doc."""\n\nimport re\n'),
        ("#!/usr/bin/env python\n", "#!/usr/bin/env python\nimport re\n\n"),
        ("\ufeff", "\ufeffimport re\n\n"),
        ("from __future__ import annotations\n", "from __future__ import annotations\nimport re\n"),
    ],
)
def test_an_import_goes_where_imports_go(head: str, expected: str):
    source = head + 'def f(a):\n    """D."""\n'
    after, made, _ = written("    return re.escape(a)", "def f(a", source)
    assert after == f'{expected}def f(a):\n    """D."""\n    return re.escape(a)\n'
    assert made.compiles is True


# ---------------------------------------------------------------- does it compile


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("    break", "'break' outside loop"),
        ("    nonlocal rate\n    return rate", "no binding for nonlocal 'rate' found"),
        ("    return await price", "'await' outside async function"),
        ("    return '\\d'", None),  # Python has a remark on it, and takes it
    ],
)
def test_what_keeps_a_file_from_being_imported_is_told(code: str, said: str | None):
    _, made, _ = written(code, "def gross")
    assert (made.compiles, made.failure) == (said is None, said)


def test_what_python_says_of_a_snippet_is_told():
    source = FILE.replace("    return found\n", "    return (found\n", 1)
    _, made, _ = written("\n    found = 1\n", line_of("# round it up"), source)
    assert made.compiles is not True


def test_a_file_that_is_broken_elsewhere_is_not_the_snippets_fault():
    source = FILE + "\n\ndef broken(:\n    pass\n"
    _, made, _ = written("    return 1", "def gross", source)
    assert made.compiles is None
    assert "does not compile by itself" in (made.not_run or "")


# ---------------------------------------------------------------- files


def test_one_file_is_read_alone_and_screened(tmp_path: Path):
    (tmp_path / "a.py").write_text("def f():\n    pass\n")
    assert set(index_file(tmp_path, "a.py").files) == {"a.py"}
    assert set(index_file(tmp_path, "a.py", "def g(): pass").files) == {"a.py"}
    assert index_file(tmp_path, "b.py").files == {}
    (tmp_path / ".gitignore").write_text("a.py\n")
    assert index_file(tmp_path, "a.py").excluded == {"a.py": "ignored"}


def test_a_file_outside_the_workspace_is_not_read(tmp_path: Path):
    (tmp_path / "secret.py").write_text("def f():\n    pass\n")
    inside = tmp_path / "project"
    inside.mkdir()
    (inside / "link.py").symlink_to(tmp_path / "secret.py")
    for path in ("../secret.py", "link.py"):
        found = index_file(inside, path)
        assert (found.files, found.excluded) == ({}, {})


@pytest.mark.parametrize(
    ("file", "at", "root"),
    [
        ("a.py", ":1", "project/inner"),
        ("A.java", ":1", "project/inner/java"),
        ("A.java", "#total", "project/inner/java"),
    ],
)
def test_a_projects_build_file_is_of_the_files_own_language(
    tmp_path: Path, file: str, at: str, root: str
):
    folder = tmp_path / "project" / "inner" / "java"
    folder.mkdir(parents=True)
    (tmp_path / "project" / "inner" / "pyproject.toml").write_text("")
    (folder / "pom.xml").write_text("<project/>")
    (folder / file).write_text("")
    workspace = tmp_path / "elsewhere"
    workspace.mkdir()
    inside = (folder / file).relative_to(tmp_path / root).as_posix()
    assert workspace_of(f"{folder / file}{at}", workspace) == (tmp_path / root, f"{inside}{at}")


# ---------------------------------------------------------------- blocks


@given(st.text(alphabet="ab()=:\"'#\n \t\\ifreturn", max_size=80), st.booleans())
def test_any_text_gives_a_block_that_parses_or_none(text: str, ended: bool):
    found = block(text, ended=ended)
    if found is not None:
        count = first_statements(found)
        assert 0 <= count <= len(found.lines)
        tree_of("\n".join(("if 1:", *found.lines[: found.statements[-1].end_lineno])))
