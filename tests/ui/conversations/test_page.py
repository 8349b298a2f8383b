"""Kept conversations in a real browser: after a reload and a restart, apart from other visitors, exported."""

from __future__ import annotations

import dataclasses
import io
import threading
import zipfile
from pathlib import Path

import pytest

from rag.types import Answer
from ui.app import build_app, close, launch
from ui.texts import TEXTS

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (the dev extra)")
expect = playwright.expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]

ZH = TEXTS["zh-Hans"]
Q, REFUSED, LONG = "住建局承诺了什么？", "校长轮岗何时实施？", "慢慢写"


@pytest.fixture
def service(scripted, settings, answer):
    half = dataclasses.replace(answer, text=answer.text[:6], done=False, citations=())
    refused = dataclasses.replace(
        answer, question=REFUSED, outcome="refused", text="", citations=(), reason="资料没有提到。"
    )
    scripted.scripts |= {
        Q: [answer],
        REFUSED: [refused],
        LONG: [half, threading.Event()],
        "改过的问题": [Answer("改过的问题", "zh-Hans", text="改过的回答。", done=True)],
    }
    app = build_app(scripted, settings)
    yield launch(app, settings, block=False), app
    close(app)


@pytest.fixture
def visitor(browser, watch, service):
    """Opens pages, each of another visitor; at the end none may have complained."""
    complaints: list[str] = []
    contexts = []

    def open_page(width: int = 1440, height: int = 900, **options):
        context = browser.new_context(
            locale="zh-CN", viewport={"width": width, "height": height}, accept_downloads=True, **options
        )
        contexts.append(context)
        page = context.new_page()
        watch(page, service[0], complaints)
        page.goto(service[0])
        expect(page.locator(".wz-example").first).to_be_visible(timeout=30000)
        page.complaints = complaints
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def reload(page) -> None:
    """Load the page anew; Gradio's own script reports the connections that leaving cuts off."""
    before = list(page.complaints)
    page.reload()
    expect(page.locator("#wz-status")).not_to_have_text("", timeout=30000)
    page.complaints[:] = [
        *before,
        *(
            c
            for c in page.complaints
            if "AbortError" not in c and "errored out" not in c and "ERR_" not in c and "Autofocus" not in c
        ),
    ]


def ask(page, question: str, turn: int, phase: str = "done") -> None:
    page.fill("#wz-box textarea", question)
    page.press("#wz-box textarea", "Enter")
    expect(page.locator(f'#wz-live [data-turn="{turn}"][data-phase="{phase}"]')).to_be_visible(timeout=15000)


def test_a_conversation_outlasts_reload_and_restart_and_is_nobody_elses(
    visitor, service, scripted, settings, answer
):
    url, app = service
    page, other = visitor(), visitor()
    ask(page, Q, 1)
    page.locator('#wz-live [data-rate="up"]').click()
    expect(page.locator("#wz-live .wz-said")).to_have_text(ZH.feedback_thanks)
    reload(page)
    expect(page.locator("#wz-live .wz-text")).to_contain_text("28个", timeout=30000)
    expect(page.locator("#wz-live .wz-answer [data-rate='up']")).to_have_attribute("aria-pressed", "true")
    page.locator("#wz-live .wz-ref").first.click()
    expect(page.locator("#wz-1-source-1 mark")).to_have_text(answer.citations[0].quote)
    # Another browser sees nothing of it, not even by its address.
    page.locator("#wz-history-toggle").click()
    item = page.locator(".wz-history-item")
    expect(item).to_have_count(1)
    address = item.locator("a").first.get_attribute("href")
    other.locator("#wz-history-toggle").click()
    expect(other.locator("#wz-history-list")).to_contain_text(ZH.history_empty)
    assert other.request.get(url + address).status == 404
    assert page.request.get(url + address).status == 200
    close(app)
    again = build_app(scripted, settings)
    port = int(url.rstrip("/").rpartition(":")[2])
    launch(again, settings.model_copy(update={"port": port}), block=False)
    try:
        page.complaints.clear()
        reload(page)
        expect(page.locator("#wz-live .wz-text")).to_contain_text("28个", timeout=30000)
        ask(page, REFUSED, 2)
        assert [turn.text for turn in scripted.histories[-1]] == [Q, answer.text]
        expect(page.locator("#wz-past .wz-ref")).to_have_count(1)
    finally:
        page.goto("about:blank")
        other.goto("about:blank")
        close(again)
        # The browser and Gradio's own script report the connections that were cut off.
        page.complaints.clear()


def test_conversations_are_searched_opened_renamed_exported_and_deleted(visitor, settings):
    page = visitor()
    ask(page, Q, 1)
    page.get_by_role("button", name=ZH.new_chat).click()
    expect(page.locator(".wz-example").first).to_be_visible()
    ask(page, REFUSED, 1)
    toggle = page.locator("#wz-history-toggle")
    toggle.focus()
    page.keyboard.press("Enter")
    search = page.get_by_role("searchbox", name=ZH.history_search)
    expect(search).to_be_focused()
    items = page.locator(".wz-history-item")
    expect(items).to_have_count(2)
    expect(items.first).to_have_attribute("aria-current", "true")
    # Traditional characters find simplified ones, in the answer as well as in the question.
    search.press_sequentially("舊小區")
    expect(items).to_have_count(1)
    expect(items.first).to_contain_text(Q)
    items.first.locator(".wz-history-open").click()
    expect(page.locator("#wz-live .wz-text")).to_contain_text("28个")
    search.fill("")
    expect(items).to_have_count(2)
    first = items.filter(has_text=Q)
    first.locator("summary").click()
    first.get_by_role("button", name=ZH.history_rename).click()
    name = first.get_by_label(ZH.history_name)
    expect(name).to_be_focused()
    name.fill("<b>旧改</b>")
    page.keyboard.press("Enter")
    renamed = items.filter(has_text="<b>旧改</b>")
    expect(renamed).to_have_count(1)
    for kind, sign in (("Markdown", "28个[1]"), ("HTML", "28个[1]"), ("Word", "28个[1]")):
        renamed.locator("summary").click()
        with page.expect_download() as download:
            renamed.get_by_role("link", name=ZH.history_export.format(format=kind)).click()
        content = Path(download.value.path()).read_bytes()
        assert "旧改" in download.value.suggested_filename
        if kind == "Word":
            content = zipfile.ZipFile(io.BytesIO(content)).read("word/document.xml")
        assert sign in content.decode()
    renamed.locator("summary").click()
    renamed.get_by_role("button", name=ZH.history_delete, exact=True).first.click()
    expect(renamed.get_by_role("button", name=ZH.history_cancel)).to_be_focused()
    page.keyboard.press("Escape")
    expect(renamed).to_have_count(1)
    renamed.locator("summary").click()
    renamed.locator('[data-history="deleting"]').click()
    renamed.locator('[data-history="delete"]').click()
    expect(items).to_have_count(1)
    # It was on the page.
    expect(page.locator(".wz-example").first).to_be_visible()
    assert len(list((settings.home / "conversations").glob("*/*.jsonl"))) == 1
    page.keyboard.press("Escape")
    expect(page.locator("#wz-history")).to_be_hidden()
    expect(toggle).to_be_focused()


def test_the_last_question_is_asked_again_and_edited(visitor, scripted):
    page = visitor(width=390, height=844, color_scheme="dark")
    ask(page, Q, 1)
    page.get_by_role("button", name=ZH.again).click()
    for _ in range(100):
        if len(scripted.asked) == 2:
            break
        page.wait_for_timeout(50)
    expect(page.get_by_role("button", name=ZH.again)).to_be_visible()
    expect(page.locator('#wz-live [data-turn="1"][data-phase="done"]')).to_be_visible()
    assert scripted.asked == [Q, Q]
    page.get_by_role("button", name=ZH.edit_question).click()
    box = page.locator("#wz-box textarea")
    expect(box).to_have_value(Q)
    expect(page.locator("#wz-editing")).to_contain_text(ZH.editing)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    ask(page, "改过的问题", 1)
    expect(page.locator("#wz-editing")).to_have_text("")
    expect(page.locator(".wz-exchange")).to_have_count(1)
    reload(page)
    expect(page.locator("#wz-live")).to_contain_text("改过的回答", timeout=30000)
    expect(page.locator(".wz-exchange")).to_have_count(1)
    # The list is a sheet here, and a choice lowers it.
    page.locator("#wz-history-toggle").click()
    expect(page.locator("#wz-history")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator(".wz-history-open").click()
    expect(page.locator("#wz-history")).to_be_hidden()


def test_a_page_that_is_closed_in_mid_answer_finds_its_question_again(visitor, scripted):
    page = visitor()
    page.fill("#wz-box textarea", LONG)
    page.press("#wz-box textarea", "Enter")
    expect(page.locator("#wz-live .wz-text")).to_be_visible(timeout=15000)
    reload(page)
    expect(page.locator('#wz-live [data-phase="stopped"]')).to_contain_text(LONG, timeout=30000)
    page.complaints.clear()


def test_a_conversation_that_cannot_be_kept_goes_on_and_says_so(visitor, settings):
    (settings.home / "conversations").write_text("in the way")
    page = visitor()
    ask(page, Q, 1)
    expect(page.locator("#wz-unkept")).to_contain_text(ZH.unkept_failed)
    (settings.home / "conversations").unlink()
    ask(page, REFUSED, 2)
    expect(page.locator("#wz-unkept")).to_have_text("")
    reload(page)
    expect(page.locator("#wz-past .wz-exchange")).to_have_count(1, timeout=30000)
