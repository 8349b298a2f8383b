"""The documents' tab and the viewer in a real browser, over a real library: as staff use them, and by what axe finds."""

from __future__ import annotations

import dataclasses

import pytest

from ingest.sync import sync
from rag.library import Library
from rag.types import Citation, Passage
from ui.app import build_app, close, launch
from ui.documents.texts import DOCUMENT_TEXTS

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (the dev extra)")
axe_module = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe is not installed (the dev extra)"
)
expect = playwright.expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]

ZH, EN = DOCUMENT_TEXTS["zh-Hans"], DOCUMENT_TEXTS["en"]
Q = "住建局承诺了什么？"
HOSTILE = "<img src=x onerror=alert(1)>"
GOOD = "关于井盖巡查的通知\n\n区城管局每周巡查井盖两次，发现破损24小时内更换。\n"


@pytest.fixture
def pages(tmp_path, make):
    folder = tmp_path / "in"
    folder.mkdir()
    filler = "\n\n".join(f"第{n}条　各单位应当按月报送第{n}类工作进度。" for n in range(60))
    (folder / "计划.md").write_text(f"# 改造计划\n\n{filler}\n\n{make.document}\n", encoding="utf-8")
    (folder / "繁體.txt").write_text(f"{HOSTILE}\n\n區文體局將舉辦燈會。\n", encoding="utf-8")
    return folder


@pytest.fixture
def library(settings, embedder, pages):
    with Library.open(settings, embedder, writable=True) as opened:
        sync(sorted(pages.iterdir()), opened, settings)
        yield opened


@pytest.fixture
def cited(library, make):
    """An answer that cites the plan as the library holds it."""
    version = next(v for v in library.documents() if v.source.path.endswith("计划.md"))
    document = library.catalog.document(version.source.id)
    chunk = next(
        chunk for _, chunk, _ in library.catalog.version_chunks(version.id) if make.promise in chunk.text
    )
    start = document.text.index(make.promise)
    passage = Passage(chunk, version.source, 1.0)
    citation = Citation(1, passage, start, start + len(make.promise), make.promise)
    return dataclasses.replace(make.answer(Q), citations=(citation,), passages=(passage,))


@pytest.fixture
def service(scripted, settings, library, cited):
    scripted.scripts[Q] = [cited]
    app = build_app(scripted, settings, library)
    yield launch(app, settings, block=False)
    close(app)


@pytest.fixture
def visit(browser, watch, service):
    complaints: list[str] = []
    contexts = []

    def open_page(width: int = 1440, height: int = 900, locale: str = "zh-CN", **options):
        context = browser.new_context(
            locale=locale, viewport={"width": width, "height": height}, accept_downloads=True, **options
        )
        contexts.append(context)
        page = context.new_page()
        watch(page, service, complaints)
        page.goto(service)
        expect(page.locator("[data-tab=documents]")).to_be_visible(timeout=30000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [
        c for c in complaints if "AbortError" not in c and "errored out" not in c and "ERR_" not in c
    ] == []


def documents(page):
    page.click("[data-tab=documents]")
    expect(page.locator(".wz-docs-open").first).to_be_visible(timeout=15000)
    return page


def answered(page):
    page.fill("#wz-box textarea", Q)
    page.press("#wz-box textarea", "Enter")
    expect(page.locator('#wz-live [data-phase="done"]')).to_be_visible(timeout=15000)
    return page


def upload(page, *files: tuple[str, bytes]) -> None:
    page.set_input_files(
        ".wz-drop input[type=file]",
        [{"name": name, "mimeType": "application/octet-stream", "buffer": data} for name, data in files],
    )


def serious(page) -> list[str]:
    found = axe_module.Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:160]}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def test_files_are_added_told_found_and_deleted(visit, library) -> None:
    page = documents(visit())
    page.fill("[name=into]", "市政")
    upload(page, ("井盖.txt", GOOD.encode()), ("坏.pdf", b"%PDF-1.7 broken"))
    expect(page.locator('.wz-queue-item[data-state="done"]')).to_contain_text("井盖.txt", timeout=30000)
    failed = page.locator('.wz-queue-item[data-state="failed"]')
    expect(failed).to_contain_text("坏.pdf", timeout=60000)
    expect(failed).to_contain_text("请")
    row = page.locator("tr", has_text="关于井盖巡查的通知")
    expect(row).to_contain_text("市政")
    page.fill(".wz-docs-filter [name=query]", "井蓋")
    expect(page.locator(".wz-docs-open")).to_have_count(1)
    row.locator(".wz-docs-open").click()
    detail = page.locator(".wz-docs-detail")
    expect(detail).to_contain_text("24小时内更换")
    detail.locator("[data-docs=deleting]").click()
    confirm = page.locator(".wz-confirm")
    expect(confirm).to_contain_text("1 份")
    confirm.locator("[data-docs=keep]").click()
    expect(row).to_have_count(1)
    detail.locator("[data-docs=deleting]").click()
    confirm.locator("[data-docs=delete]").click()
    expect(page.locator(".wz-docs-said")).to_have_text(ZH.deleted.format(count=1), timeout=15000)
    expect(page.locator(".wz-docs-open")).to_have_count(0)
    assert len(library.documents()) == 2


def test_a_file_of_the_same_name_is_asked_about_and_kept_as_a_version(visit, library) -> None:
    page = documents(visit())
    upload(page, ("井盖.txt", GOOD.encode()))
    expect(page.locator('.wz-queue-item[data-state="done"]')).to_have_count(1, timeout=30000)
    upload(page, ("井盖.txt", GOOD.replace("24", "48").encode()))
    asked = page.locator(".wz-asking")
    expect(asked).to_contain_text("井盖.txt")
    asked.get_by_role("button", name=ZH.exists_replace).click()
    expect(page.locator(".wz-queue-items")).to_contain_text(ZH.outcome_updated, timeout=30000)
    page.locator(".wz-docs-open", has_text="井盖").click()
    detail = page.locator(".wz-docs-detail")
    expect(detail).to_contain_text("48小时")
    with page.expect_download() as download:
        detail.locator(".wz-versions a").click()
    assert "24小时" in download.value.path().read_text(encoding="utf-8")
    detail.locator("[data-docs=restore]").click()
    expect(page.locator(".wz-queue-items")).to_contain_text(ZH.outcome_updated)
    page.wait_for_function("document.querySelectorAll('.wz-queue-item[data-state=done]').length === 3")
    (version,) = [v for v in library.documents() if "井盖" in v.source.title]
    assert "24小时" in library.catalog.document(version.source.id).text


def test_a_hostile_title_stays_text(visit) -> None:
    page = documents(visit())
    page.locator(".wz-docs-open", has_text="onerror").click()
    expect(page.locator(".wz-docs-detail h2")).to_contain_text("<img src=x")
    page.click("[data-docs=text]")
    expect(page.locator(".wz-view-text")).to_contain_text("<img src=x")
    assert page.locator(".wz-docs img").count() == 0


def test_a_citation_opens_the_document_at_its_sentence_in_either_script(visit, make) -> None:
    page = answered(visit())
    page.locator("#wz-live .wz-ref").first.click()
    mark = page.locator("#wz-view-target")
    expect(mark).to_have_text(make.promise)
    expect(mark).to_be_in_viewport()
    page.click("[data-script=zh-Hant]")
    expect(mark).to_contain_text("計劃改造老舊小區")
    expect(mark).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(page.locator(".wz-view")).to_have_count(0)
    expect(page.locator("#wz-live .wz-ref").first).to_be_focused()
    title = page.locator("#wz-live-sources .wz-open-document").first
    title.click()
    expect(mark).to_be_in_viewport()
    page.click("[data-view=back]")
    expect(title).to_be_focused()


def test_the_language_is_switched_and_stays(visit) -> None:
    page = visit()
    page.select_option(".wz-language", "en")
    expect(page.locator("[data-tab=documents]")).to_have_text(EN.tab_documents, timeout=30000)
    documents(page)
    expect(page.locator(".wz-drop h2")).to_have_text(EN.add_title)
    page.select_option(".wz-language", "zh-Hant")
    expect(page.locator(".wz-drop h2")).to_have_text(DOCUMENT_TEXTS["zh-Hant"].add_title, timeout=30000)


def test_what_one_adds_another_finds_and_questions_stay_apart(visit) -> None:
    first, second = documents(visit()), answered(visit())
    upload(first, ("井盖.txt", GOOD.encode()))
    expect(first.locator('.wz-queue-item[data-state="done"]')).to_have_count(1, timeout=30000)
    documents(second)
    expect(second.locator(".wz-docs-open", has_text="井盖")).to_be_visible()
    first.click("[data-tab=chat]")
    expect(first.locator("#wz-live")).to_have_text("")


@pytest.mark.parametrize(
    ("width", "scheme", "locale"), [(1440, "light", "zh-CN"), (390, "dark", "en-US"), (1200, "dark", "zh-TW")]
)
def test_axe_finds_nothing_serious(visit, width, scheme, locale) -> None:
    page = answered(visit(width=width, locale=locale, color_scheme=scheme))
    assert serious(page) == []
    if width < 1100:
        page.locator("#wz-live .wz-ref").first.click()
    page.locator("#wz-live-sources .wz-open-document").first.click()
    expect(page.locator("#wz-view-target")).to_be_visible()
    page.wait_for_timeout(400)
    assert serious(page) == []
    page.keyboard.press("Escape")
    documents(page)
    upload(page, ("坏.pdf", b"%PDF-1.7 broken"), ("井盖.txt", GOOD.encode()))
    expect(page.locator('.wz-queue-item[data-state="failed"]')).to_be_visible(timeout=60000)
    page.locator(".wz-pick").first.check()
    assert serious(page) == []
    page.locator(".wz-docs-open").first.click()
    expect(page.locator(".wz-docs-detail dl")).to_be_visible()
    assert serious(page) == []


def test_files_are_dropped_on_the_page_and_survive_a_restart_of_the_service(
    browser, scripted, settings, library, cited
) -> None:
    scripted.scripts[Q] = [cited]
    first = build_app(scripted, settings, library)
    page = browser.new_page(locale="zh-CN")
    page.goto(launch(first, settings, block=False))
    documents(page)
    transfer = page.evaluate_handle(
        """(text) => {
            const data = new DataTransfer();
            data.items.add(new File([text], "井盖.txt", { type: "text/plain" }));
            return data;
        }""",
        GOOD,
    )
    page.dispatch_event(".wz-docs-list", "dragover", {"dataTransfer": transfer})
    expect(page.locator(".wz-docs.wz-over")).to_have_count(1)
    page.dispatch_event(".wz-docs-list", "drop", {"dataTransfer": transfer})
    expect(page.locator('.wz-queue-item[data-state="done"]')).to_contain_text("井盖.txt", timeout=30000)
    close(first)
    second = build_app(scripted, settings, library)
    try:
        page.goto(launch(second, settings, block=False))
        documents(page)
        expect(page.locator('.wz-queue-item[data-state="done"]')).to_contain_text("井盖.txt", timeout=15000)
        expect(page.locator(".wz-docs-open", has_text="井盖")).to_be_visible()
    finally:
        page.close()
        close(second)
