"""The page in a real browser: what a visitor sees and does, and that nothing leaves for another host."""

from __future__ import annotations

import dataclasses
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from rag.errors import EndpointUnreachable
from rag.feedback import FeedbackStore
from rag.types import Answer, Claim, Filters
from ui.app import build_app, close, launch
from ui.texts import TEXTS

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (the dev extra)")
expect = playwright.expect

pytestmark = [
    pytest.mark.browser,
    # Gradio keeps statistics of its queue in a data frame, with options that pandas is about to drop.
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]

ZH, EN = TEXTS["zh-Hans"], TEXTS["en"]
Q = "住建局承诺了什么？"
REFUSED, BROKEN, LONG, HOSTILE = "校长轮岗何时实施？", "模型坏了吗？", "慢慢写", "<b>粗体</b>"
NARROWED = "2024年以来住建局承诺了什么？"


@dataclass
class Visit:
    """One open page, and all that it tried to reach outside the service or complained about."""

    page: playwright.Page
    outside: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def ask(self, question: str) -> None:
        self.page.fill("#wz-box textarea", question)
        self.page.press("#wz-box textarea", "Enter")

    @property
    def live(self) -> playwright.Locator:
        return self.page.locator("#wz-live")

    @property
    def sources(self) -> playwright.Locator:
        return self.page.locator("#wz-live-sources")

    def done(self, phase: str = "done") -> None:
        expect(self.live.locator(f'[data-phase="{phase}"]')).to_be_visible(timeout=15000)


@pytest.fixture
def go() -> threading.Event:
    """Lets the second half of the answer to `Q` be written."""
    return threading.Event()


@pytest.fixture
def app(scripted, settings):
    return build_app(scripted, settings)


@pytest.fixture
def service(app, scripted, settings, answer, go) -> Iterator[str]:
    found = Answer(Q, "zh-Hans", passages=answer.passages)
    half = dataclasses.replace(found, text=answer.text[:6])
    doubtful = answer.text + "还要建三座公园[1]。"
    start = len(answer.text)
    checked = dataclasses.replace(
        answer,
        text=doubtful,
        claims=(Claim(doubtful[start:], start, len(doubtful), (1,), "unsupported", "原文没有公园。"),),
    )
    refused = dataclasses.replace(
        answer, outcome="refused", text="", citations=(), reason="资料没有提到校长轮岗。"
    )
    hostile = dataclasses.replace(answer, text='<img src=x onerror="document.title=1"><script>1</script>[1]')
    scripted.scripts |= {
        Q: [found, half, go, checked],
        REFUSED: [found, refused],
        BROKEN: [found, EndpointUnreachable("Nothing answers at http://localhost:1/v1.", "Start it.")],
        LONG: [found, half, threading.Event()],
        HOSTILE: [hostile],
        NARROWED: [dataclasses.replace(answer, filters=Filters(since="2024"))],
    }
    url = launch(app, settings, block=False)
    yield url
    close(app)


@pytest.fixture
def visit(browser, service) -> Iterator:
    """Opens pages; at the end none may have reached for another host, nor have had anything to complain of."""
    visits: list[Visit] = []

    def open_page(locale: str = "zh-CN", width: int = 1440, height: int = 900, **options) -> Visit:
        context = browser.new_context(locale=locale, viewport={"width": width, "height": height}, **options)
        visit = Visit(context.new_page())
        visits.append(visit)
        home = urlsplit(service).netloc

        def guard(route: playwright.Route) -> None:
            address = urlsplit(route.request.url)
            if address.scheme in ("data", "blob") or address.netloc == home:
                route.continue_()
            else:
                visit.outside.append(route.request.url)
                route.abort()

        context.route("**/*", guard)
        visit.page.on(
            "websocket",
            lambda socket: None if urlsplit(socket.url).netloc == home else visit.outside.append(socket.url),
        )
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        visit.page.on(
            "console",
            lambda message: (
                visit.complaints.append(message.text) if message.type in ("error", "warning") else None
            ),
        )
        visit.page.goto(service)
        expect(visit.page.locator(".wz-example").first).to_be_visible(timeout=30000)
        return visit

    yield open_page
    for visit in visits:
        visit.page.context.close()
    assert [visit.outside for visit in visits] == [[] for _ in visits]
    assert [visit.complaints for visit in visits] == [[] for _ in visits]


def test_asking_streams_the_answer_and_a_number_leads_to_its_source(visit, scripted, go, answer):
    at = visit()
    at.ask(Q)
    expect(at.live).to_contain_text(ZH.phase_writing)
    expect(at.live.locator(".wz-text")).to_have_text(answer.text[:6])
    expect(at.sources.locator(".wz-source")).to_have_count(2)
    expect(at.page.locator("#wz-box textarea")).to_have_value("")
    expect(at.page.locator("#wz-stop")).to_be_visible()
    go.set()
    at.done()
    expect(at.page.locator("#wz-send")).to_be_visible()
    expect(at.page.locator("#wz-welcome")).to_have_text("")
    number = at.live.locator(".wz-ref").first
    number.hover()
    expect(at.page.locator("#wz-tip")).to_contain_text(answer.citations[0].quote)
    number.click()
    source = at.page.locator("#wz-1-source-1")
    expect(source).to_have_class(re.compile("wz-target"))
    expect(source).to_be_in_viewport()
    expect(source).to_be_focused()
    expect(source.locator("mark")).to_have_text(answer.citations[0].quote)
    assert urlsplit(at.page.url).fragment == ""
    expect(at.live.locator("del")).to_have_attribute("title", ZH.unsupported.format(reason="原文没有公园。"))
    expect(at.page.locator("#wz-announcement [role=status]")).to_contain_text("28个")
    others = at.sources.locator("details")
    expect(others.locator(".wz-source")).to_be_hidden()
    others.locator("summary").click()
    expect(others.locator(".wz-source")).to_be_visible()


def test_stop_stops_the_run(visit, scripted):
    at = visit()
    at.ask(LONG)
    expect(at.live).to_contain_text(ZH.phase_writing)
    at.page.click("#wz-stop")
    at.done("stopped")
    assert scripted.stops[0].is_set()
    expect(at.page.locator("#wz-send")).to_be_visible()
    expect(at.page.locator("#wz-stop")).to_be_hidden()
    at.ask(REFUSED)
    at.done()


def test_closing_the_page_stops_the_run(visit, scripted):
    at = visit()
    at.ask(LONG)
    expect(at.live).to_contain_text(ZH.phase_writing)
    at.page.goto("about:blank")
    assert scripted.stops[0].wait(10)
    # Gradio's own script reports the connections that leaving cuts off.
    at.complaints.clear()


def test_closing_the_service_stops_the_run_and_is_quick_and_quiet(visit, app, scripted, caplog):
    at = visit()
    at.ask(LONG)
    expect(at.live).to_contain_text(ZH.phase_writing)
    began = time.monotonic()
    close(app)
    assert time.monotonic() - began < 1.5
    assert scripted.stops[0].is_set()
    assert [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []
    at.page.wait_for_timeout(300)
    # The page itself may say that its service has gone.
    at.complaints.clear()
    at.page.goto("about:blank")
    at.complaints.clear()


def test_the_page_says_when_its_service_has_gone_and_when_it_is_another(
    visit, app, scripted, settings, service
):
    at = visit()
    lost, restarted = at.page.locator(".wz-lost"), at.page.locator(".wz-restarted")
    expect(at.page.locator('html[data-wz-service=""]')).to_have_count(1)
    expect(lost).to_be_hidden()
    close(app)
    at.page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(lost).to_be_visible()
    another = build_app(scripted, settings)
    port = int(service.rstrip("/").rpartition(":")[2])
    launch(another, settings.model_copy(update={"port": port}), block=False)
    try:
        expect(restarted).to_be_visible(timeout=10000)
        expect(lost).to_be_hidden()
        restarted.get_by_role("button", name=ZH.reload).click()
        expect(at.page.locator(".wz-example").first).to_be_visible(timeout=30000)
        expect(restarted).to_be_hidden()
    finally:
        at.page.goto("about:blank")
        close(another)
        # The browser and Gradio's own script report the connections that were cut off.
        at.complaints.clear()


def test_a_refusal_looks_like_none_of_the_answers(visit):
    at = visit()
    at.ask(REFUSED)
    at.done()
    notice = at.live.locator(".wz-refused")
    expect(notice).to_contain_text(ZH.outcome_refused)
    expect(notice).to_contain_text("资料没有提到校长轮岗。")
    expect(at.sources).to_contain_text(ZH.sources_nearest)
    expect(at.sources.locator("mark")).to_have_count(0)


def test_an_error_looks_like_one_and_can_be_asked_again(visit, scripted):
    at = visit()
    at.ask(BROKEN)
    at.done("failed")
    alert = at.live.get_by_role("alert")
    expect(alert).to_contain_text(ZH.errors["EndpointUnreachable"])
    expect(alert).to_contain_text("Start it.")
    alert.get_by_role("button", name=ZH.retry).click()
    expect(at.live.locator('[data-turn="2"][data-phase="failed"]')).to_be_visible()
    assert scripted.asked == [BROKEN, BROKEN]


def test_examples_ask(visit, scripted, go):
    go.set()
    at = visit()
    at.page.locator(".wz-example").first.click()
    at.done()
    assert scripted.asked == [Q]


def test_earlier_questions_keep_their_sources(visit, go):
    go.set()
    at = visit()
    at.ask(Q)
    at.done()
    at.ask(REFUSED)
    expect(at.live).to_contain_text(ZH.outcome_refused)
    at.page.locator("#wz-past .wz-ref").first.click()
    expect(at.page.locator("#wz-1-source-1")).to_be_visible()
    expect(at.sources).to_be_hidden()
    at.page.get_by_role("button", name=ZH.sources_latest).click()
    expect(at.sources).to_be_visible()
    at.page.get_by_role("button", name=ZH.new_chat).click()
    expect(at.page.locator(".wz-example").first).to_be_visible()
    expect(at.page.locator(".wz-exchange")).to_have_count(0)


def test_enter_in_an_input_method_does_not_send(visit, scripted):
    at = visit()
    box = at.page.locator("#wz-box textarea")
    at.ask("")
    expect(at.page.get_by_role("alert").filter(has_text=ZH.hint_empty)).to_be_visible()
    box.fill(REFUSED)
    # As Chrome (isComposing), and as Safari, where the composition has just ended and only the key code tells.
    for composing, code in ((True, 229), (False, 229)):
        box.evaluate(
            """(box, [composing, code]) => {
                const make = (kind, keyCode) => new KeyboardEvent(kind, {
                    key: "Enter", bubbles: true, cancelable: true, isComposing: composing, keyCode });
                box.dispatchEvent(make("keydown", code));
                box.dispatchEvent(make("keypress", 13));
            }""",
            [composing, code],
        )
    box.press("Shift+Enter")
    at.page.wait_for_timeout(300)
    assert scripted.asked == []
    expect(box).to_have_value(REFUSED + "\n")
    box.press("Enter")
    at.done()
    assert scripted.asked == [REFUSED]


@pytest.mark.parametrize(
    ("locale", "texts"),
    [("zh-CN", ZH), ("zh-TW", TEXTS["zh-Hant"]), ("en-GB", EN)],
    ids=["Hans", "Hant", "en"],
)
def test_the_page_speaks_the_browsers_language(visit, locale, texts):
    at = visit(locale)
    expect(at.page.locator("#wz-send")).to_have_text(texts.send)
    expect(at.page.locator("#wz-fresh")).to_have_text(texts.new_chat)
    expect(at.page.locator("#wz-brand")).to_contain_text(texts.tagline)
    expect(at.page.locator("#wz-box textarea")).to_have_attribute("placeholder", texts.box_placeholder)
    expect(at.page.get_by_role("textbox", name=texts.box_label)).to_be_visible()
    expect(at.page.locator("#wz-status")).to_contain_text(texts.model_ready)
    expect(at.page.locator("html")).to_have_attribute("lang", texts.tag)
    assert "Gradio" not in at.page.inner_text("body")


def test_the_model_state_is_followed_until_it_is_ready(visit, scripted, make):
    scripted.model_status = make.status("loading")
    at = visit()
    expect(at.page.locator("#wz-status")).to_contain_text(ZH.model_loading)
    expect(at.page.locator("#wz-status")).to_contain_text("2026-03-15")
    scripted.model_status = make.status("ready")
    expect(at.page.locator("#wz-status")).to_contain_text(ZH.model_ready, timeout=8000)


def test_what_the_model_and_visitors_write_stays_text(visit):
    at = visit()
    title = at.page.title()
    at.ask(HOSTILE)
    at.done()
    expect(at.live.locator(".wz-question")).to_contain_text("<b>粗体</b>")
    expect(at.live.locator(".wz-text")).to_contain_text("<img src=x onerror=")
    expect(at.page.locator("#wz-app img")).to_have_count(0)
    assert at.page.title() == title


def test_a_narrow_screen_has_the_sources_in_a_sheet(visit, go):
    go.set()
    at = visit(width=390, height=844)
    panel = at.page.locator("#wz-panel")
    expect(panel).to_be_hidden()
    at.ask(Q)
    at.done()
    at.live.locator(".wz-ref").first.click()
    expect(at.page.locator("#wz-1-source-1 mark")).to_be_in_viewport()
    at.page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    at.live.get_by_role("button", name=ZH.show_sources.format(count=1)).click()
    expect(panel).to_be_visible()
    panel.get_by_role("button", name=ZH.sources_close).click()
    expect(panel).to_be_hidden()
    assert at.page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("width", [1440, 1100])
def test_a_wide_screen_has_the_sources_beside(visit, width):
    at = visit(width=width, height=800)
    chat, panel = at.page.locator("#wz-chat").bounding_box(), at.page.locator("#wz-panel").bounding_box()
    assert chat["x"] + chat["width"] <= panel["x"] + 1
    assert panel["x"] + panel["width"] <= width
    expect(at.page.get_by_role("button", name=ZH.sources_close)).to_have_count(0)


def test_two_visitors_see_their_own(visit, go):
    one, other = visit(), visit("en-GB")
    one.ask(Q)
    expect(one.live).to_contain_text(ZH.phase_writing)
    other.ask(REFUSED)
    other.done()
    expect(other.live).to_contain_text(EN.outcome_refused)
    expect(other.page.locator("#wz-app")).not_to_contain_text(Q)
    go.set()
    one.done()


def test_the_keyboard_reaches_everything(visit, go):
    go.set()
    at = visit()
    at.ask(Q)
    at.done()
    at.live.locator(".wz-ref").first.focus()
    at.page.keyboard.press("Enter")
    expect(at.page.locator("#wz-1-source-1")).to_be_focused()
    names = {at.page.evaluate("document.activeElement.id || document.activeElement.className")}
    for _ in range(14):
        at.page.keyboard.press("Tab")
        names.add(at.page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert "wz-fresh" in names or "wz-scroll" in names


def test_thumbs_are_stored_shown_and_taken_back(visit, go, settings):
    go.set()
    store = FeedbackStore(settings.home / "feedback")
    at = visit()
    at.ask(Q)
    at.done()
    up = at.live.get_by_role("button", name=ZH.feedback_up, exact=True)
    down = at.live.get_by_role("button", name=ZH.feedback_down, exact=True)
    said, form = at.live.locator(".wz-said"), at.live.locator(".wz-form")
    expect(form).to_be_hidden()
    up.focus()
    at.page.keyboard.press("Enter")
    expect(up).to_have_attribute("aria-pressed", "true")
    expect(up).to_be_focused()
    expect(said).to_have_text(ZH.feedback_thanks)
    assert [entry.verdict for entry in store.entries()] == ["up"]
    at.page.keyboard.press("Tab")
    at.page.keyboard.press("Space")
    expect(down).to_have_attribute("aria-pressed", "true")
    expect(up).to_have_attribute("aria-pressed", "false")
    expect(form).to_be_in_viewport()
    form.get_by_role("radio", name=ZH.reason_incomplete).check()
    form.get_by_label(ZH.feedback_better).fill("28个小区\n<b>8月底前</b>开工")
    # Another question draws the conversation anew: what has been begun stays.
    at.ask(REFUSED)
    expect(at.live.locator('[data-turn="2"][data-phase="done"]')).to_be_visible(timeout=15000)
    earlier = at.page.locator("#wz-past .wz-feedback")
    expect(earlier.get_by_label(ZH.feedback_better)).to_have_value("28个小区\n<b>8月底前</b>开工")
    expect(earlier.get_by_role("radio", name=ZH.reason_incomplete)).to_be_checked()
    earlier.get_by_role("button", name=ZH.feedback_send, exact=True).click()
    expect(earlier.locator(".wz-said")).to_have_text(ZH.feedback_thanks)
    expect(earlier.locator(".wz-form")).to_be_hidden()
    (entry,) = store.entries()
    assert (entry.verdict, entry.reason, entry.better) == (
        "down",
        "incomplete",
        "28个小区\n<b>8月底前</b>开工",
    )
    earlier.locator('[data-rate="down"]').click()
    expect(earlier.locator(".wz-said")).to_have_text(ZH.feedback_taken_back)
    expect(earlier.locator('[aria-pressed="true"]')).to_have_count(0)
    assert [entry.verdict for entry in store.entries()] == ["none"]


def test_feedback_that_is_not_stored_is_said_on_a_narrow_screen(visit, go, settings):
    go.set()
    at = visit("en-GB", width=390, height=844, color_scheme="dark")
    at.ask(Q)
    at.done()
    down = at.live.get_by_role("button", name=EN.feedback_down, exact=True)
    down.click()
    form = at.live.locator(".wz-form")
    expect(form).to_be_in_viewport()
    assert at.page.evaluate("document.documentElement.scrollWidth") == 390
    form.get_by_label(EN.feedback_comment).fill("No date")
    folder = settings.home / "feedback"
    folder.rename(settings.home / "away")
    folder.write_text("in the way")
    form.get_by_role("button", name=EN.feedback_send).click()
    expect(at.live.locator(".wz-said.wz-failed")).to_have_text(
        EN.feedback_failed.format(reason=EN.errors["LibraryError"])
    )
    expect(form.get_by_label(EN.feedback_comment)).to_have_value("No date")
    expect(down).to_have_attribute("aria-pressed", "true")
    form.get_by_role("button", name=EN.feedback_cancel).click()
    expect(form).to_be_hidden()
    expect(down).to_be_focused()


@pytest.mark.parametrize("width", [1280, 390])
def test_filters_are_set_kept_and_removed_by_keyboard(visit, scripted, go, width):
    go.set()
    at = visit(width=width, height=844)
    form, chosen = at.page.locator(".wz-filter-form"), at.page.locator("#wz-chosen")
    expect(form).to_be_hidden()
    at.page.locator(".wz-filter summary").focus()
    at.page.keyboard.press("Enter")
    form.get_by_label(ZH.filter_body).select_option(label="住建局")
    expect(chosen.locator(".wz-chip")).to_have_text(["住建局×"])
    form.get_by_label(ZH.filter_since).fill("2024-03-01")
    expect(chosen).to_contain_text("2024年3月1日以来")
    assert at.page.evaluate("document.documentElement.scrollWidth") == width
    at.ask(Q)
    at.done()
    housing = "住房和城乡建设局"
    assert scripted.filters == [(Filters((housing,), since="2024-03-01"), True)]
    chosen.get_by_role("button", name=ZH.filter_remove.format(name="住建局")).focus()
    at.page.keyboard.press("Enter")
    expect(chosen.locator(".wz-chip")).to_have_count(1)
    expect(form.get_by_label(ZH.filter_body)).to_have_value("")
    expect(form.get_by_label(ZH.filter_since)).to_have_value("2024-03-01")
    at.page.get_by_role("button", name=ZH.new_chat).click()
    expect(chosen.locator(".wz-chip")).to_have_count(0)
    expect(form.get_by_label(ZH.filter_since)).to_have_value("")


def test_a_filter_of_an_answer_is_removed_by_asking_again(visit, scripted):
    at = visit()
    at.ask(NARROWED)
    at.done()
    remove = at.live.get_by_role("button", name=ZH.filter_remove.format(name="2024年以来"))
    remove.focus()
    at.page.keyboard.press("Enter")
    expect(at.live.locator('[data-turn="2"][data-phase="done"]')).to_be_visible(timeout=15000)
    expect(at.page.locator("#wz-past .wz-chip")).to_have_text(["2024年以来"])
    assert scripted.asked == [NARROWED, NARROWED]
    assert scripted.filters == [(Filters(), True), (Filters(), False)]
    expect(at.page.locator("#wz-box textarea")).to_be_focused()
