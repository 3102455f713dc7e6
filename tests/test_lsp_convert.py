"""Byte offsets and the editor's positions."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lsprotocol import types as lsp

from lsp_server.convert import (
    Text,
    applied,
    as_shown,
    differing,
    inserted_at,
    moved_with,
    relative_path,
    uri_of,
    workspace_edit,
)
from personalizer.edits import TextEdit

ENCODINGS = ["utf-8", "utf-16", "utf-32"]
WIDTH = {"utf-8": 1, "utf-16": 2, "utf-32": 4}

pieces = st.sampled_from(
    ["a", "é", "—", "😀", "𝔘", "\n", "\r\n", "\r", "\f", "\u2028", "\x85", " "]
)
texts = st.lists(pieces, max_size=30).map("".join)


def check_position(
    text: str, before: str, line: int, column: int, encoding: str = "utf-16"
) -> None:
    """Both ways: what stands before a place, and the place as an editor names it."""
    made = Text.of(text, encoding)
    offset = len(before.encode())
    assert text.startswith(before)
    assert made.position(offset) == lsp.Position(line, column)
    assert made.offset(lsp.Position(line, column)) == offset


def test_an_emoji_is_two_columns_in_utf_16():
    check_position('x = "😀"; y', 'x = "😀"; ', 0, 10)


def test_an_emoji_is_one_column_in_utf_32_and_four_in_utf_8():
    check_position('"😀" y', '"😀" ', 0, 4, "utf-32")
    check_position('"😀" y', '"😀" ', 0, 7, "utf-8")


def test_crlf_ends_one_line():
    check_position("a\r\nb\r\nc", "a\r\nb", 1, 1)


def test_a_lone_carriage_return_ends_a_line():
    check_position("a\rb", "a\r", 1, 0)


@pytest.mark.parametrize("char", ["\f", "\v", "\x1c", "\x85", "\u2028", "\u2029"])
def test_what_python_calls_a_line_end_is_none_to_an_editor(char):
    check_position(f"a{char}b\nc", f"a{char}b", 0, 3)


def test_a_column_past_the_end_of_a_line_is_its_end():
    assert Text.of("ab\r\ncd").offset(lsp.Position(0, 99)) == 2


def test_a_line_past_the_last_is_the_end_of_the_text():
    assert Text.of("ab\ncd").offset(lsp.Position(9, 0)) == 5


def test_half_an_emoji_is_its_start():
    assert Text.of("😀x").offset(lsp.Position(0, 1)) == 0
    assert Text.of("😀x").position(2) == lsp.Position(0, 0)


def test_a_lone_surrogate_costs_no_column():
    text = Text.of("\ud83d;x")
    assert text.source == "\ufffd;x".encode()
    assert text.offset(lsp.Position(0, 2)) == 4


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(before=texts, after=texts)
def test_every_character_boundary_has_a_position_that_leads_back(encoding, before, after):
    if before.endswith("\r") and after.startswith("\n"):
        return  # Inside a line end there is no position.
    text, offset = Text.of(before + after, encoding), len(before.encode())
    position = text.position(offset)
    line = re.split(r"\r\n|\r|\n", before)[-1]
    codec = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[encoding]
    assert position.character == len(line.encode(codec)) // WIDTH[encoding]
    assert text.offset(position) == offset


@given(text=texts, new=texts, cuts=st.tuples(st.integers(0, 30), st.integers(0, 30)))
def test_a_change_by_range_gives_what_the_editor_has(text, new, cuts):
    start, end = sorted(min(cut, len(text)) for cut in cuts)
    if any(text[cut - 1 : cut + 1] == "\r\n" for cut in (start, end) if cut):
        return
    made = Text.of(text)
    span = made.range(len(text[:start].encode()), len(text[:end].encode()))
    after = made.after([lsp.TextDocumentContentChangePartial(span, new)])
    assert after.source.decode() == text[:start] + new + text[end:]


def test_changes_build_upon_each_other_and_a_whole_text_replaces_all():
    first = lsp.TextDocumentContentChangePartial(
        lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0)), "1"
    )
    whole = lsp.TextDocumentContentChangeWholeDocument("new")
    text = Text.of("old")
    assert text.after([first, first]).source == b"11old"
    assert text.after([first, whole, first]).source == b"1new"


line_pieces = st.sampled_from(["a", "é", "😀", "\n", "\r\n", "\r", "\r\r\n", "ab\n"])
line_texts = st.lists(line_pieces, max_size=8).map("".join)
positions = st.builds(lsp.Position, st.integers(0, 9), st.integers(0, 5))
some_changes = st.builds(
    lsp.TextDocumentContentChangePartial, st.builds(lsp.Range, positions, positions), line_texts
) | st.builds(lsp.TextDocumentContentChangeWholeDocument, line_texts)


def inserted(line: int, text: str) -> lsp.TextDocumentContentChangePartial:
    at = lsp.Position(line, 0)
    return lsp.TextDocumentContentChangePartial(lsp.Range(at, at), text)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=line_texts, changes=st.lists(some_changes, max_size=6))
@example(text="a\rb", changes=[inserted(1, "\n"), inserted(1, "x")])  # one line end of two
def test_many_changes_at_once_are_those_changes_one_by_one(encoding, text, changes):
    one_by_one = made = Text.of(text, encoding)
    for change in changes:
        if isinstance(change, lsp.TextDocumentContentChangePartial):
            ends = map(one_by_one.offset, (change.range.start, change.range.end))
            one_by_one = one_by_one.replaced(*sorted(ends), change.text)
        else:
            one_by_one = Text.of(change.text, encoding)
    assert made.after(changes) == one_by_one


def test_ten_thousand_changes_at_once_take_moments():
    text = Text.of("int a = 1; // é\n" * 20_000)
    changes = [
        lsp.TextDocumentContentChangePartial(
            lsp.Range(lsp.Position(line, 4), lsp.Position(line, 5)), "b\n"
        )
        for line in range(10_000)
    ]
    start = time.process_time()
    after = text.after(changes)
    assert time.process_time() - start < 3.0
    assert after.source.count(b"\n") == 30_000


def client(*, versioned: bool = True, creates: bool = True) -> lsp.ClientCapabilities:
    kinds = [lsp.ResourceOperationKind.Create] if creates else []
    edit = lsp.WorkspaceEditClientCapabilities(
        document_changes=versioned, resource_operations=kinds
    )
    return lsp.ClientCapabilities(workspace=lsp.WorkspaceClientCapabilities(workspace_edit=edit))


def edit(client: lsp.ClientCapabilities, *, created: bool) -> lsp.WorkspaceEdit:
    changes = [TextEdit(0, 0, "x")]
    return workspace_edit(
        changes, Text.of(""), uri="file:///A", version=None, created=created, client=client
    )


def test_a_new_file_is_created_and_never_overwrites():
    made = edit(client(), created=True).document_changes
    assert made and isinstance(made[0], lsp.CreateFile)
    assert made[0].options == lsp.CreateFileOptions(overwrite=False)


def test_an_editor_that_creates_no_files_gets_the_text_alone():
    made = edit(client(creates=False), created=True).document_changes
    assert made and [type(one) for one in made] == [lsp.TextDocumentEdit]


def test_an_editor_without_versions_gets_plain_changes():
    made = edit(client(versioned=False), created=True)
    assert made.document_changes is None
    assert list(made.changes or {}) == ["file:///A"]


def test_the_longest_new_text_is_found_after_all_changes():
    text = Text.of("a\nb\n")
    changes = [TextEdit(0, 0, "é\n"), TextEdit(4, 4, "\n    test() {}\n"), TextEdit(4, 4, "c")]
    after = applied(changes, text).source
    assert after[inserted_at(changes) :].startswith(b"test() {}")


def test_lines_that_two_texts_share_count_once():
    assert differing(Text(b"a\n"), Text(b"a\na\n")) == (2, 2, 4)


def test_what_stands_beside_other_lines_moves_with_them_and_what_is_in_them_does_not():
    old, new = Text(b"1\n2\n3\n"), Text(b"1\ntwo\n3\n")

    def moved(at: int) -> int | None:
        found = moved_with([TextEdit(at, at, "x")], old, new)
        return found and found[0].start

    assert [moved(at) for at in range(6)] == [0, 1, None, None, 6, 7]


@pytest.mark.parametrize(
    ("source", "at", "text", "there"),
    [
        (b"\xef\xbb\xbf\xc3\xa9 a", 6, "é a", 3),
        (b"\xc2\xe9\x81 a", 4, "Âé\x81 a", 7),
    ],
)
def test_a_file_is_shown_without_its_mark_or_a_column_a_byte(
    source: bytes, at: int, text: str, there: int
):
    shown, [change] = as_shown(source, [TextEdit(at, at, "x")], "utf-16")
    assert (shown.source.decode(), change.start) == (text, there)


def test_a_path_is_relative_to_the_folder_as_spelled_or_as_resolved(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real/out.java").symlink_to(tmp_path / "B.java")
    (tmp_path / "link").symlink_to("real")
    link, real = tmp_path / "link", tmp_path / "real"
    assert relative_path((link / "A.java").as_uri(), link) == "A.java"
    assert relative_path((real / "A.java").as_uri(), link) == "A.java"
    assert relative_path((link / "out.java").as_uri(), link) == "out.java"
    assert relative_path((tmp_path / "A.java").as_uri(), link) is None
    assert relative_path("file:///a%00b.java", link) is None
    assert relative_path("untitled:A", link) is None


def test_a_uri_below_a_folder_is_quoted_and_leads_back(tmp_path: Path):
    uri = uri_of(tmp_path.as_uri(), "a b/ä#?.java")
    assert uri_of(f"{tmp_path.as_uri()}/", "a b/ä#?.java") == uri
    assert "#" not in uri
    assert relative_path(uri, tmp_path) == "a b/ä#?.java"
