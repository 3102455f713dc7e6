"""Choosing a test, switching adapters, the panel's page and inline completion, end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp

from tests.editors.editor import CART, CART_PATH, TEST_PATH, Editor, editing, make_shop, until
from tests.fake_daemon import OTHER

pytestmark = pytest.mark.asyncio

TOTAL = "public int total()"
CHOOSE = "Generate test (choose"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "shop")


async def request(editor: Editor, method: str, **params: Any) -> Any:
    return await editor.client.protocol.send_request_async(method, params)


# ---------------------------------------------------------------- choose


async def test_candidates_are_offered_with_what_is_known_of_them(shop: Path, data: Path) -> None:
    async with editing(shop, data=data) as editor:
        editor.open(CART_PATH)
        await editor.do(CART_PATH, TOTAL, CHOOSE)
        [question] = await until(lambda: editor.questions)
        assert question.message == "Which test for Cart.total?"
        assert [one.title for one in question.actions or ()] == [
            "1. generated: passes, 2 new lines",
            "2. other: compiles, not run",
        ]


async def test_the_chosen_candidate_goes_into_the_test_class(shop: Path, data: Path) -> None:
    async with editing(shop, data=data) as editor:
        editor.open(CART_PATH)
        editor.open(TEST_PATH)
        editor.chooses = "2."
        await editor.do(CART_PATH, TOTAL, CHOOSE)
        await until(lambda: "void other()" in editor.text(TEST_PATH))
        assert OTHER in editor.text(TEST_PATH)
        assert "void generated()" not in editor.text(TEST_PATH)


async def test_who_chooses_none_gets_none(shop: Path, data: Path) -> None:
    async with editing(shop, data=data) as editor:
        editor.open(CART_PATH)
        await editor.do(CART_PATH, TOTAL, CHOOSE)
        await until(lambda: editor.questions)
        await editor.titles(CART_PATH, TOTAL)
        assert editor.called("place") == []
        assert editor.messages == []


async def test_choosing_has_a_switch(shop: Path, data: Path) -> None:
    async with editing(shop, data=data, options={"generateTest": {"choose": False}}) as editor:
        editor.open(CART_PATH)
        titles = await editor.titles(CART_PATH, TOTAL)
        assert "Generate test" in titles
        assert not [one for one in titles if "choose" in one]


@pytest.mark.parametrize("trusted", [True, False])
async def test_trust_travels_with_the_request(shop: Path, data: Path, trusted: bool) -> None:
    options = {"workspace": {"trusted": trusted}}
    async with editing(shop, data=data, options=options) as editor:
        editor.open(CART_PATH)
        await editor.do(CART_PATH, TOTAL, "Generate test")
        [asked] = await until(lambda: editor.called("generate"))
        assert asked["trusted"] is trusted


# ---------------------------------------------------------------- adapters and the panel


async def test_an_adapter_that_is_named_serves(shop: Path, data: Path) -> None:
    async with editing(shop, data=data) as editor:
        await editor.command("personalizer.useAdapter", editor.root.as_uri(), "shop-2")
        [act] = await until(lambda: editor.called("act"))
        assert (act["act"], act["adapter"]) == ("use", "shop-2")
        await until(lambda: "shop: done" in editor.messages)


async def test_one_that_is_not_named_is_asked_for(shop: Path, data: Path) -> None:
    async with editing(shop, data=data) as editor:
        editor.chooses = "shop-2"
        await editor.command("personalizer.useAdapter")
        [act] = await until(lambda: editor.called("act"))
        assert act["adapter"] == "shop-2"
        titles = [one.title for one in editor.questions[0].actions or ()]
        assert titles == ["shop-2: passed, loss 2.000 -> 1.000", "base"]


async def test_rolling_back_tells_the_new_status(shop: Path, data: Path) -> None:
    async with editing(shop, data=data) as editor:
        await until(lambda: editor.statuses)
        before = len(editor.statuses)
        await editor.command("personalizer.rollBack")
        await until(lambda: len(editor.statuses) > before)
        assert editor.called("act")[0]["act"] == "rollback"


async def test_switching_has_a_switch(shop: Path, data: Path) -> None:
    async with editing(shop, data=data, options={"adapters": {"enable": False}}) as editor:
        await editor.command("personalizer.rollBack")
        await until(lambda: any("switched off" in one for one in editor.messages))
        assert editor.called("act") == []


async def test_the_panel_gets_its_page_and_its_buttons_act(shop: Path, data: Path) -> None:
    async with editing(shop, data=data) as editor:
        uri = editor.root.as_uri()
        page = await request(editor, "personalizer/page", workspace=uri)
        assert page.html == f"<main>{shop}</main>"
        done = await request(editor, "personalizer/act", workspace=uri, act="use", adapter="base")
        assert done.said == "done"
        refused = await request(editor, "personalizer/act", workspace=uri, act="cancel")
        assert refused.error == "no training is running"
        unknown = await request(editor, "personalizer/act", workspace=uri, act="format")
        assert "got format" in unknown.error


# ---------------------------------------------------------------- inline completion


async def completed(
    editor: Editor, part: str, kind: lsp.InlineCompletionTriggerKind
) -> list[lsp.InlineCompletionItem]:
    """Inline completion after the brace that ends a line."""
    line = editor.line_of(CART_PATH, part)
    at = lsp.Position(line, len(editor.text(CART_PATH).splitlines()[line]))
    found = await editor.client.text_document_inline_completion_async(
        lsp.InlineCompletionParams(
            lsp.InlineCompletionContext(kind), lsp.TextDocumentIdentifier(editor.uri(CART_PATH)), at
        )
    )
    assert not isinstance(found, lsp.InlineCompletionList)
    return list(found or ())


INVOKED = lsp.InlineCompletionTriggerKind.Invoked
AUTOMATIC = lsp.InlineCompletionTriggerKind.Automatic


async def test_a_documented_empty_body_is_completed_between_its_braces(
    shop: Path, data: Path
) -> None:
    async with editing(shop, data=data) as editor:
        editor.open(CART_PATH)
        [item] = await completed(editor, "public void clear()", INVOKED)
        assert item.insert_text == "\n        return 42;\n    "
        editor.take(CART_PATH, item)
        assert editor.text(CART_PATH) == CART.replace(
            "clear() {\n    }", "clear() {\n        return 42;\n    }"
        )


async def test_other_places_are_left_alone(shop: Path, data: Path) -> None:
    async with editing(shop, data=data) as editor:
        editor.open(CART_PATH)
        assert await completed(editor, TOTAL, INVOKED) == []
        assert await completed(editor, "package shop;", INVOKED) == []
        assert editor.called("snippet") == []


async def test_unasked_completion_is_off_until_it_is_wished(shop: Path, data: Path) -> None:
    async with editing(shop, data=data) as editor:
        editor.open(CART_PATH)
        assert await completed(editor, "public void clear()", AUTOMATIC) == []
    options = {"inlineCompletion": {"automatic": True}}
    async with editing(shop, data=data, options=options) as editor:
        editor.open(CART_PATH)
        assert await completed(editor, "public void clear()", AUTOMATIC)


async def test_inline_completion_has_a_switch(shop: Path, data: Path) -> None:
    options = {"inlineCompletion": {"enable": False}}
    async with editing(shop, data=data, options=options) as editor:
        editor.open(CART_PATH)
        assert await completed(editor, "public void clear()", INVOKED) == []


async def test_an_editor_that_loses_interest_ends_the_generation(shop: Path, data: Path) -> None:
    async with editing(shop, data=data, seconds=60) as editor:
        editor.open(CART_PATH)
        line = editor.line_of(CART_PATH, "public void clear()")
        params = lsp.InlineCompletionParams(
            lsp.InlineCompletionContext(INVOKED),
            lsp.TextDocumentIdentifier(editor.uri(CART_PATH)),
            lsp.Position(line + 1, 0),
        )
        method = lsp.TEXT_DOCUMENT_INLINE_COMPLETION
        editor.client.protocol.send_request(method, params, msg_id="complete")
        await until(lambda: editor.called("snippet"))
        editor.client.protocol.notify(lsp.CANCEL_REQUEST, lsp.CancelParams("complete"))
        await until(lambda: editor.called("cancelled"))


async def test_a_failing_daemon_completes_nothing_and_says_nothing(shop: Path, data: Path) -> None:
    async with editing(shop, data=data, error="the model has no mind to") as editor:
        editor.open(CART_PATH)
        assert await completed(editor, "public void clear()", INVOKED) == []
        assert editor.messages == []
