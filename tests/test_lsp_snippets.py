"""Where "Generate snippet" is offered: just where the daemon would write something."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer import Change, Index, Span
from indexer.languages.remarks import remark_at
from lsp_server.convert import Text
from lsp_server.documents import Buffer, Documents
from lsp_server.features import generate_snippet
from lsp_server.project import Place, Project
from lsp_server.session import Session
from personalizer.errors import PersonalizerError
from personalizer.generation.snippets.java import find_remark
from tests.editors.editor import CART, CART_PATH, editing, until
from tests.fake_daemon import NO_EDIT, SNIPPET

COMMENTS = """\
package shop;

/** Things to buy. */
public class Cart {
    // Money is counted in cents.

    private int total;

    /** What is owed. */
    public int total() {
        int sum = 0;
        // Add what every thing costs,
        // the cheapest first.

        String address = "http://shop";
        /* Take off the rebate. */

        // Round to whole cents.
        sum = sum / 100 * 100;
        if (sum > 10) { // dear
            /*
             * Nothing is sent for free.
             */
        }
        return sum;
        // That is all.
    }

    private final Runnable later = new Runnable() {
        public void run() {
            // Pay when the month ends.
        }
    };
}
"""


def offered(text: str, tmp_path: Path) -> list[int]:
    """The lines, from 1, on which the light bulb has it."""
    project = Project(tmp_path.as_uri(), tmp_path, Documents(), lambda _: None)
    buffer = Buffer("", CART_PATH, 1, Text.of(text))
    found = []
    for line in range(text.count("\n")):
        place = Place(project, buffer, line)
        method = buffer.method_at(line)
        if method and list(generate_snippet.offer(Session(link()), place, method)):
            found.append(line + 1)
    return found


def link():
    from lsp_server.daemon import Link

    return Link(lambda start=True: pytest.fail("nobody is asked"), lambda: None)


def test_a_comment_without_code_beneath_it_offers_it_and_the_line_below(tmp_path: Path):
    assert offered(COMMENTS, tmp_path) == [12, 13, 14, 16, 17, 21, 22, 23, 26]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_it_is_offered_where_the_daemon_finds_something_to_write(tmp_path: Path, newline: str):
    text = COMMENTS.replace("\n", newline)
    snapshot = Index().apply([Change(CART_PATH, text.encode())])

    def writes(line: int) -> bool:
        try:
            return find_remark(snapshot, CART_PATH, line) is not None
        except PersonalizerError:
            return False

    lines = range(1, text.count("\n") + 1)
    assert offered(text, tmp_path) == [line for line in lines if writes(line)]


def test_a_body_that_is_being_written_is_looked_at_too():
    source = b"class C { void m() {\n    // Sum the prices up."
    found = remark_at(source, Span(source.index(b"{\n"), len(source)), 2)
    assert found is not None
    assert (found.bare, found.span.of(source)) == (True, b"// Sum the prices up.")


@pytest.mark.asyncio
async def test_the_light_bulb_on_a_comment_asks_for_that_line(shop: Path, data: Path) -> None:
    text = CART.replace("        total += price;\n", "        // Sum the prices up.\n")
    async with editing(shop, data=data) as editor:
        editor.open(CART_PATH, text)
        await editor.do(CART_PATH, "Sum the prices up", "Generate snippet")
        [asked] = await until(lambda: editor.called("snippet"))
        assert asked["line"] == editor.line_of(CART_PATH, "Sum the prices up") + 1
        assert asked["trusted"] is False


@pytest.mark.asyncio
async def test_why_a_snippet_changes_nothing_is_told_and_trust_is_handed_on(
    shop: Path, data: Path
) -> None:
    text = CART.replace("        total += price;\n", "        // Sum the prices up.\n")
    options = {"workspace": {"trusted": True}}
    async with editing(shop, data=data, options=options, no_edit=True) as editor:
        editor.open(CART_PATH, text)
        await editor.do(CART_PATH, "Sum the prices up", "Generate snippet")
        [message] = await until(lambda: editor.messages)
        assert message.startswith(f"nothing was changed at {CART_PATH}:")
        assert message.endswith(f": {NO_EDIT}")
        assert editor.called("snippet")[0]["trusted"] is True


@pytest.mark.asyncio
@pytest.mark.parametrize("run", [True, False])
async def test_a_snippet_is_compiled_where_that_is_wished(
    shop: Path, data: Path, run: bool
) -> None:
    """VS Code does not wish it in Restricted Mode, whatever folders the user's settings trust."""
    async with editing(shop, data=data, options={"generateSnippet": {"run": run}}) as editor:
        editor.open(CART_PATH)
        await editor.do(CART_PATH, "public void clear", "Generate snippet")
        [asked] = await until(lambda: editor.called("snippet"))
        assert asked["run"] is run


@pytest.mark.asyncio
async def test_that_a_snippet_was_not_compiled_is_told(shop: Path, data: Path) -> None:
    reason = "no sandbox can be made here"
    async with editing(shop, data=data, not_run=reason) as editor:
        editor.open(CART_PATH)
        await editor.do(CART_PATH, "public void clear", "Generate snippet")
        await until(lambda: editor.ends)
        assert editor.ends[0].message == f"was not compiled: {reason} (by shop-1)"
        assert f"public void clear() {SNIPPET}" in editor.text(CART_PATH)


@pytest.mark.asyncio
async def test_a_snippet_that_the_compiler_refused_is_not_inserted(shop: Path, data: Path) -> None:
    async with editing(shop, data=data, compiles=False) as editor:
        editor.open(CART_PATH)
        await editor.do(CART_PATH, "public void clear", "Generate snippet")
        [message] = await until(lambda: editor.messages)
        assert message.endswith(": what came does not compile (cannot find symbol: furos())")
        assert "return 42" not in editor.text(CART_PATH)


@pytest.mark.asyncio
async def test_a_body_goes_where_its_method_is_by_then(shop: Path, data: Path) -> None:
    async with editing(shop, data=data, seconds=1.0) as editor:
        editor.open(CART_PATH)
        await editor.do(CART_PATH, "public void clear", "Generate snippet")
        await until(lambda: editor.called("snippet"))
        editor.type(CART_PATH, 0, 0, "// typed on\n")
        await until(lambda: "return 42" in editor.text(CART_PATH))
        assert editor.text(CART_PATH).startswith("// typed on\npackage shop;")
        assert f"public void clear() {SNIPPET}" in editor.text(CART_PATH)


@pytest.mark.asyncio
async def test_a_body_that_was_typed_meanwhile_is_left_alone(shop: Path, data: Path) -> None:
    async with editing(shop, data=data, seconds=1.0) as editor:
        editor.open(CART_PATH)
        line = editor.line_of(CART_PATH, "public void clear")
        await editor.do(CART_PATH, "public void clear", "Generate snippet")
        await until(lambda: editor.called("snippet"))
        editor.type(CART_PATH, line + 1, 0, "        total = 0;\n")
        [message] = await until(lambda: editor.messages)
        assert "changed while" in message
        assert "total = 0;" in editor.text(CART_PATH)
        assert "return 42" not in editor.text(CART_PATH)
