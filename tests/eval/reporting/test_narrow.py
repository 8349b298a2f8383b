"""The reports on a telephone and in dark mode, in a real browser: nothing sticks out and everything can be read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eval.cases import Case
from eval.metrics import loss, score
from eval.reports import compared, write_reports
from eval.results import Agreement, CaseResult, Cited, Judgement, Rating, Retrieved, RunInfo
from eval.storage import RunFolder

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (the dev extra)")

pytestmark = pytest.mark.browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LONG = "a-very-long-model-name/with_a_path-and-quantisation-q4_k_m.gguf"
RATING = Rating(82, 0.72, 0.62, 0.81, 0.44, 0.25, 0.6, 3)
INFO = RunInfo(
    id="r1", benchmark="砚湖", form="wenzheng", mode="open", only_retrieval=False, documents=9, chunks=99, cases=12,
    cases_of=12, seed=0, split="", settings={"chat_model": LONG}, model=LONG, embedding="e", commit="",
    date="2026-01-02", machine="x", judge=Agreement(LONG, 2, "l", RATING, RATING),
)  # fmt: skip
READ = """() => {
  const light = (c) => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map((v) => {
    v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const under = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (c !== "rgba(0, 0, 0, 0)") return c; } return "rgb(255, 255, 255)"; };
  const faint = [];
  for (const e of document.querySelectorAll("body *:not(title)")) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
    const own = getComputedStyle(e), a = light(e instanceof SVGElement ? own.fill : own.color), b = light(under(e));
    if ((Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5) faint.push(e.outerHTML.slice(0, 80));
  }
  const root = document.documentElement;
  const cut = [...document.querySelectorAll(".scroll:not(:has(.groups))")].filter((e) => e.scrollWidth > e.clientWidth);
  return { wide: root.scrollWidth - root.clientWidth, cut: cut.map((e) => e.ariaLabel), faint };
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"no browser is installed: none of {', '.join(BROWSERS)} is on the path")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


def result(n: int, shift: int) -> CaseResult:
    address = "https://example.org/" + "a" * 90
    made = CaseResult(
        Case(
            f"case-{'x' * 40}-{n}",
            "改造多少个小区？",
            ("36个",),
            gold=("d",),
            type=f"type {n % 4}",
            lang="en",
        ),
        (Retrieved(1, "d", "题", f"改造36个。{address}", 0, 6, 1.0),),
        (1,),
        "36个。" if (n + shift) % 2 else f"63个。{address}",
        "answered",
        citations=(Cited(1, "d", "改造36个。"),),
        claims=(("36个。", "supported"), ("略去。", "unsupported")),
        confidence=n / 12,
        timings={"evidence": 0.1, "first_word": 12.5, "done": 1234.5},
        judgement=Judgement("yes", "no", LONG, 2),
    )
    made = replace(made, metrics=score(made))
    return replace(made, loss=loss(made))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("runs")
    for shift, name in enumerate(("one", "two")):
        store = RunFolder(root / name)
        info = replace(INFO, id=name, model=LONG if shift else "m")
        store.start(info)
        results = [result(n, shift) for n in range(12)]
        for each in results:
            store.append(each)
        store.finish(info)
        write_reports(root / name, info, results, "zh" if shift else "en")
    comparison = root / "compared.html"
    comparison.write_text(compared(root / "one", root / "two", page=True), encoding="utf-8")
    return {
        "en": root / "one" / "report.html",
        "zh": root / "two" / "report.html",
        "compared": comparison,
    }


@pytest.mark.parametrize("name", ["en", "zh", "compared"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_fits_a_telephone_and_can_be_read(
    browser: Any, pages: dict[str, Path], name: str, scheme: str
) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 780}, color_scheme=scheme)
    try:
        shown = context.new_page()
        shown.goto(pages[name].as_uri())
        shown.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert shown.evaluate(READ) == {"wide": 0, "cut": [], "faint": []}
    finally:
        context.close()
