"""A scripted pipeline, and texts that try to become markup."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from rag.settings import Settings, load_settings
from rag.types import Answer, Chunk, Citation, Filters, Passage, Source, Turn

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run"),
]


@pytest.fixture(scope="module")
def browser():
    """The machine's browser; tests that need one are skipped where there is none."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed (the dev extra)"
    )
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"no browser is installed: none of {', '.join(BROWSERS)} is on the path")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def watch():
    """Notes what a page complains of, and what it asks of any host but its own."""

    def watched(page, home: str, complaints: list[str]) -> None:
        def asked(request) -> None:
            if not request.url.startswith((home, "data:", "blob:")):
                complaints.append(f"outside: {request.url}")

        def said(message) -> None:
            if message.type in ("error", "warning"):
                complaints.append(message.text)

        page.on("request", asked)
        page.on("console", said)
        page.on("pageerror", lambda error: complaints.append(str(error)))

    return watched


DOCUMENT = (
    "区住建局局长表示，2026年全区计划改造老旧小区28个。所有项目8月底前全部开工。"
    "改造后每个小区新增非机动车充电端口不少于每百户15个。"
)
PROMISE = "2026年全区计划改造老旧小区28个。"


@dataclass(frozen=True)
class Status:
    state: str = "ready"
    detail: str = ""


@dataclass(frozen=True)
class Overview:
    documents: int = 18
    chunks: int = 240
    latest: str | None = "2026-03-15"
    examples: tuple[str, ...] = ("住建局承诺了什么？", "What did the housing bureau promise?")
    bodies: tuple[str, ...] = ("教育局", "住房和城乡建设局")
    collections: tuple[str, ...] = ()


Step = Answer | Exception | threading.Event


@dataclass
class Scripted:
    """Plays one script for each question: snapshots, errors, and events to wait for (or for "stop")."""

    scripts: dict[str, list[Step]] = field(default_factory=dict)
    model_status: Status = field(default_factory=Status)
    library: Overview | Exception = field(default_factory=Overview)
    asked: list[str] = field(default_factory=list)
    histories: list[tuple[Turn, ...]] = field(default_factory=list)
    stops: list[threading.Event | None] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    suggested: tuple[str, ...] = ()
    filters: list[tuple[Filters | None, bool]] = field(default_factory=list)

    def overview(self) -> Overview:
        if isinstance(self.library, Exception):
            raise self.library
        return self.library

    def followups(self, answer: Answer) -> tuple[str, ...]:
        return self.suggested if answer.outcome == "answered" else ()

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        stop: threading.Event | None = None,
        *,
        filters: Filters | None = None,
        read: bool = True,
    ) -> Iterator[Answer]:
        self.asked.append(question)
        self.filters.append((filters, read))
        self.histories.append(tuple(history))
        self.stops.append(stop)
        try:
            for step in self.scripts[question]:
                if isinstance(step, threading.Event):
                    while not step.wait(0.01):
                        if stop is not None and stop.is_set():
                            return
                elif isinstance(step, Exception):
                    raise step
                else:
                    yield step
        finally:
            self.closed.append(question)


def make_passage(
    text: str = DOCUMENT, start: int = 0, end: int | None = None, name: str = "计划.md"
) -> Passage:
    stop = len(text) if end is None else end
    source = Source(
        name,
        f"2026/{name}",
        "2026年老旧小区改造计划",
        "0",
        "text/markdown",
        published="2026-02-10",
        issuer="区住建局",
    )
    return Passage(Chunk(name, 0, start, stop, text[start:stop]), source, 1.0)


def make_citation(number: int, passage: Passage, quote: str = PROMISE, text: str = DOCUMENT) -> Citation:
    start = text.index(quote)
    return Citation(number, passage, start, start + len(quote), quote)


def make_answer(question: str = "住建局承诺了什么？") -> Answer:
    first, second = make_passage(), make_passage(name="报告.txt")
    return Answer(
        question,
        "zh-Hans",
        text="住建局计划改造老旧小区28个[1]。",
        citations=(make_citation(1, first),),
        passages=(first, second),
        timings={"done": 1.25},
        done=True,
    )


@pytest.fixture
def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
def settings(tmp_path) -> Settings:
    return load_settings({"home": tmp_path, "port": 0}, {})


@pytest.fixture
def answer() -> Answer:
    return make_answer()


@pytest.fixture
def make():
    """The makers above, for tests that need other values."""

    @dataclass(frozen=True)
    class Makers:
        passage = staticmethod(make_passage)
        citation = staticmethod(make_citation)
        answer = staticmethod(make_answer)
        status = Status
        overview = Overview
        document = DOCUMENT
        promise = PROMISE

    return Makers
