"""Choosing a test, switching adapters, the panel's page and inline completion, end to end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from lsp_server.convert import Text
from lsp_server.offered import Focal, Offered, OfferedTests
from lsp_server.questions import Choice
from tests.editors.editor import CART, CART_PATH, TEST_PATH, Editor, editing, make_shop, until
from tests.fake_daemon import GENERATED, IMPORTED, OTHER

pytestmark = pytest.mark.asyncio

TOTAL = "public int total()"
CHOOSE = "Generate test (choose"


async def request(editor: Editor, method: str, **params: Any) -> Any:
    return await editor.client.protocol.send_request_async(method, params)


async def choose_the_second(editor: Editor) -> None:
    """Has the second of the tests offered for ``Cart.total`` inserted."""
    editor.open(CART_PATH)
    editor.open(TEST_PATH)
    editor.chooses = "2."
    await editor.do(CART_PATH, TOTAL, CHOOSE)


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
        assert [end.message for end in editor.ends] == [None]  # the list tells it


@pytest.mark.parametrize(
    ("like", "codes"), [("visual-studio-code", [GENERATED, OTHER]), ("emacs", [None, None])]
)
async def test_an_editor_that_says_that_it_keeps_further_properties_is_given_the_code(
    shop: Path, data: Path, like: str, codes: list[str | None]
) -> None:
    async with editing(shop, data=data, like=like) as editor:
        editor.open(CART_PATH)
        await editor.do(CART_PATH, TOTAL, CHOOSE)
        [question] = await until(lambda: editor.questions)
        assert [one.code for one in question.actions or () if isinstance(one, Choice)] == codes


async def test_the_chosen_candidate_goes_into_the_test_class(shop: Path, data: Path) -> None:
    async with editing(shop, data=data) as editor:
        await choose_the_second(editor)
        await until(lambda: "void other()" in editor.text(TEST_PATH))
        assert OTHER in editor.text(TEST_PATH)
        assert "void generated()" not in editor.text(TEST_PATH)


async def test_the_chosen_candidate_goes_where_it_belongs_by_then(shop: Path, data: Path) -> None:
    async with editing(shop, data=data) as editor:
        editor.open(CART_PATH)
        editor.open(TEST_PATH)
        editor.chooses = "2."
        editor.types_before_choosing = TEST_PATH
        await editor.do(CART_PATH, TOTAL, CHOOSE)
        await until(lambda: OTHER in editor.text(TEST_PATH))
        assert editor.text(TEST_PATH).startswith(" package shop;")
        assert editor.messages == []


async def test_what_is_noted_of_the_chosen_candidate_is_told(shop: Path, data: Path) -> None:
    note = "what it expects is a placeholder, for nothing was run"
    async with editing(shop, data=data, test_notes=[note]) as editor:
        editor.open(CART_PATH)
        editor.chooses = "1."
        await editor.do(CART_PATH, TOTAL, CHOOSE)
        [message] = await until(lambda: editor.messages)
        assert message.endswith(f"(by shop-1); {note}")


async def test_who_chooses_none_gets_none(shop: Path, data: Path) -> None:
    async with editing(shop, data=data) as editor:
        editor.open(CART_PATH)
        await editor.do(CART_PATH, TOTAL, CHOOSE)
        await until(lambda: editor.questions)
        await editor.titles(CART_PATH, TOTAL)
        assert editor.called("place") == []
        assert editor.messages == []


@pytest.mark.parametrize("unknown", [[], [lsp.WINDOW_SHOW_MESSAGE_REQUEST]])
async def test_an_answer_that_was_not_offered_is_no_choice(
    shop: Path, data: Path, unknown: list[str]
) -> None:
    async with editing(shop, data=data, unknown=unknown) as editor:
        editor.answers = "Close"
        editor.open(CART_PATH)
        await editor.do(CART_PATH, TOTAL, CHOOSE)
        await until(lambda: editor.questions or unknown)
        await until(lambda: editor.ends)
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


# ---------------------------------------------------------------- another


ANOTHER = "Generate test (another)"


async def another(editor: Editor, path: str = CART_PATH, part: str = TOTAL) -> None:
    """Chooses "Generate test", then the action for another at a place."""
    await editor.do(CART_PATH, TOTAL, "Generate test")
    await until(lambda: len(editor.ends) == 1)
    await editor.do(path, part, ANOTHER)
    await until(lambda: len(editor.ends) == 2)


async def test_another_is_offered_once_there_is_one(shop: Path, data: Path) -> None:
    async with editing(shop, data=data) as editor:
        editor.open(CART_PATH)
        assert ANOTHER not in await editor.titles(CART_PATH, TOTAL)
        await editor.do(CART_PATH, TOTAL, "Generate test")
        await until(lambda: editor.ends)
        assert ANOTHER in await editor.titles(CART_PATH, TOTAL)
        assert ANOTHER not in await editor.titles(CART_PATH, "public void add(")


@pytest.mark.parametrize("place", [(CART_PATH, TOTAL), (TEST_PATH, "void generated()")])
async def test_another_takes_the_place_of_the_last_one(
    shop: Path, data: Path, place: tuple[str, str]
) -> None:
    """Asked for at the method, and at the test that was written for it."""
    async with editing(shop, data=data) as editor:
        editor.open(CART_PATH)
        editor.open(TEST_PATH)
        before = editor.text(TEST_PATH)
        await another(editor, *place)
        assert [call["skip"] for call in editor.called("generate")] == [0, 1]
        assert editor.called("generate")[1]["buffers"] == {TEST_PATH: before}
        imported = before.replace(";", ";\nimport org.junit.jupiter.api.Test;", 1)
        body, closing, _ = imported.rpartition("}")
        assert editor.text(TEST_PATH) == f"{body}\n{OTHER}{closing}\n"
        line = editor.line_of(TEST_PATH, "void other()") - 1  # of its annotation
        shown = await until(lambda: s if len(s := editor.client.shown_documents) == 2 else None)
        assert shown[1].selection.start == lsp.Position(line, 4)
        assert editor.text(CART_PATH) == CART


async def test_a_test_that_somebody_touched_stays_beside_another(shop: Path, data: Path) -> None:
    async with editing(shop, data=data) as editor:
        editor.open(CART_PATH)
        editor.open(TEST_PATH)
        await editor.do(CART_PATH, TOTAL, "Generate test")
        await until(lambda: len(editor.ends) == 1)
        editor.type(TEST_PATH, editor.line_of(TEST_PATH, "void generated()"), 0, "// mine\n")
        await editor.do(CART_PATH, TOTAL, ANOTHER)
        await until(lambda: len(editor.ends) == 2)
        text = editor.text(TEST_PATH)
        assert "// mine" in text
        assert "void generated()" in text
        assert "void other()" in text


async def test_what_was_inserted_is_known_by_where_it_stands_until_it_is_touched() -> None:
    after = Text(b"class T { void t() { } }")
    project: Any = SimpleNamespace(uri="file:///shop", buffers={})
    offers = OfferedTests()
    one = Offered(Focal(project, "A.java", "a", "A.a"), 1, "T.java", Text(b""), after, 10)
    offers.remember(one)

    def known(start: int, end: int, *, path: str = "T.java", text: Text = after) -> bool:
        project.buffers["T.java"] = SimpleNamespace(text=text)
        place: Any = SimpleNamespace(project=project, buffer=SimpleNamespace(path=path))
        method: Any = SimpleNamespace(key="t", span=SimpleNamespace(start=start, end=end))
        return offers.at(place, method) is one

    assert known(10, 22)
    assert not known(11, 22) and not known(0, 10)
    assert not known(10, 22, path="U.java")
    assert not known(10, 22, text=Text(b"class T { void t() {  } }"))


async def test_another_takes_the_place_in_a_class_that_was_just_made(
    tmp_path: Path, data: Path
) -> None:
    shop = make_shop(tmp_path / "shop", test=None)
    async with editing(shop, data=data) as editor:
        editor.open(CART_PATH)
        await editor.do(CART_PATH, TOTAL, "Generate test")
        await until(lambda: len(editor.ends) == 1)
        made = editor.text(TEST_PATH)
        editor.open(TEST_PATH, made)  # as an editor that shows it does
        await editor.do(CART_PATH, TOTAL, ANOTHER)
        await until(lambda: len(editor.ends) == 2)
        shell = "class CartTest {\n}\n"
        assert editor.called("generate")[1]["buffers"] == {TEST_PATH: shell}
        assert editor.text(TEST_PATH).count("@Test") == 1
        assert "void other()" in editor.text(TEST_PATH)


async def test_another_follows_a_chosen_one(shop: Path, data: Path) -> None:
    """All candidates of the list were seen: the next is none of them."""
    async with editing(shop, data=data) as editor:
        await choose_the_second(editor)
        await until(lambda: editor.client.shown_documents)
        assert OTHER in editor.text(TEST_PATH)
        await editor.do(CART_PATH, TOTAL, ANOTHER)
        await until(lambda: len(editor.called("generate")) == 2)
        assert [call["skip"] for call in editor.called("generate")] == [0, 2]


async def test_there_is_an_end_to_others(shop: Path, data: Path) -> None:
    async with editing(shop, data=data) as editor:
        editor.open(CART_PATH)
        editor.open(TEST_PATH)
        await another(editor)
        text = editor.text(TEST_PATH)
        await editor.do(CART_PATH, TOTAL, ANOTHER)
        await until(lambda: editor.messages)
        assert "no other test" in editor.messages[0]
        assert editor.text(TEST_PATH) == text


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


@pytest.mark.parametrize("method", ["status", "page", "adapters", "act"])
async def test_a_request_without_parameters_is_about_the_only_folder(
    shop: Path, data: Path, method: str
) -> None:
    async with editing(shop, data=data) as editor:
        sent = editor.client.protocol.send_request_async(f"personalizer/{method}")
        assert await asyncio.wait_for(sent, 10)


@pytest.mark.parametrize("method", ["status", "page", "adapters", "act"])
@pytest.mark.parametrize(
    ("workspace", "told"),
    [
        (
            "file:///elsewhere",
            "expected a workspace folder or a file in one, got file:///elsewhere",
        ),
        (5, "expected the URI of a workspace folder, got 5"),
    ],
)
async def test_a_request_that_cannot_be_answered_gets_one_line(
    shop: Path, data: Path, method: str, workspace: object, told: str
) -> None:
    async with editing(shop, data=data) as editor:
        with pytest.raises(JsonRpcException) as caught:
            await request(editor, f"personalizer/{method}", workspace=workspace, act="cancel")
        assert (caught.value.message, caught.value.data) == (told, None)
        assert caught.value.code == lsp.LSPErrorCodes.RequestFailed


async def test_an_adapter_is_named_by_text(shop: Path, data: Path) -> None:
    async with editing(shop, data=data) as editor:
        refused = await request(editor, "personalizer/act", act="use", adapter=5)
        assert refused.error == "expected the id of an adapter, got 5"


@pytest.mark.parametrize("enable", [True, False])
async def test_the_panel_trains_as_the_editor_is_set(shop: Path, data: Path, enable: bool) -> None:
    training = {"enable": enable, "method": "prefix", "budget": "3m"}
    options = {"training": training, "workspace": {"trusted": True}}
    async with editing(shop, data=data, options=options) as editor:
        uri = editor.root.as_uri()
        answer = await request(editor, "personalizer/act", workspace=uri, act="train")
        if not enable:
            assert "training.enable" in answer.error
            assert editor.called("train") == editor.called("act") == []
            return
        assert answer.said == "the training begins"
        [asked] = editor.called("train")
        wanted = {"method": "prefix", "budget": "3m", "trusted": True}
        assert {name: asked[name] for name in wanted} == wanted
        assert await until(lambda: [one for one in editor.statuses if one.get("job")])


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
        assert item.insert_text == "\n        return 42;"
        assert item.range and item.range.start.line == item.range.end.line  # VS Code wants it
        editor.take(CART_PATH, item)
        assert editor.text(CART_PATH) == CART.replace(
            "clear() {\n    }", "clear() {\n        return 42;\n    }"
        )


async def test_a_completion_that_is_taken_brings_its_imports(shop: Path, data: Path) -> None:
    async with editing(shop, data=data, imports=True) as editor:
        editor.open(CART_PATH)
        [item] = await completed(editor, "public void clear()", INVOKED)
        editor.take(CART_PATH, item)
        whole = lsp.TextDocumentContentChangeWholeDocument(editor.text(CART_PATH))
        editor._tell(editor.uri(CART_PATH), whole)
        assert item.command is not None
        await editor.command(item.command.command, *(item.command.arguments or ()))
        await until(lambda: IMPORTED in editor.text(CART_PATH))
        assert editor.text(CART_PATH) == CART.replace(";", f";{IMPORTED}", 1).replace(
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
