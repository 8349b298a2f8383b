"""The HTML report: nothing from data gets out of its place, nothing is loaded, the size stays bounded."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.cases import Case
from eval.reporting import plots
from eval.reporting.markdown import markdown
from eval.reporting.markup import escape
from eval.reporting.page import RIGHT_SAMPLE, page
from eval.reporting.shapes import Curves
from eval.reporting.texts import LOSSES, figure, signed
from eval.results import CaseResult, Cited, Loss, Retrieved, RunInfo
from rag.types import Turn

EVIL = "</style></script><script>alert(1)</script><img src=x onerror=alert(2)>\"' \ud800\x00 --> | `x`\n# y"


@dataclass(frozen=True)
class Mean:
    value: float
    n: int
    low: float
    high: float


SUMMARY = {
    "recall@5": Mean(0.5, 400, 0.4, 0.6),
    "rare": Mean(0.4, 12, 0.1, 0.8),
    "long": Mean(84.0, 400, 80.0, 90.0),
}
GROUPS = {"type": {"事实": SUMMARY, "": SUMMARY}, "lang": {"zh": SUMMARY}}
CURVES = Curves([(0.1, 0.2, 5), (0.9, 0.8, 50)], [(0.5, 0.9), (1.0, 0.6)], 0.75, 0.05)
INFO = RunInfo(
    id="r1", benchmark="CMRC", form="cmrc", mode="open", only_retrieval=False, documents=3, chunks=9, cases=8,
    cases_of=50, seed=1, split="dev", settings={"passages": 6, "chat_api_key": "hunter2"}, model="m",
    embedding="e", commit="c", date="2026-01-02", machine="x", seconds=3700,
)  # fmt: skip


def result(name: str, loss: Loss = "none", text: str = "改造28个。", long: int = 40) -> CaseResult:
    passages = tuple(Retrieved(n, f"d{n}", "题", "文" * long, 0, 9, 1.0) for n in range(1, 13))
    return CaseResult(
        Case(name, f"问{name}？", answers=("28",), gold=("d12",), type="事实", history=(Turn("user", "前"),)),
        passages,
        (1, 2),
        text,
        "answered",
        citations=(Cited(1, "d1", "引"),),
        claims=((text, "supported"), ("没写进去", "unsupported")),
        confidence=0.5,
        timings={"done": 2.0},
        metrics={"recall@5": 1.0},
        loss=loss,
        error="broke" if loss == "failed" else "",
    )


def one_of_each() -> list[CaseResult]:
    return [result(f"q{i}", loss) for i, loss in enumerate(get_args(Loss))]


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes.extend(attrs)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def poisoned(text: str) -> tuple[RunInfo, list[CaseResult]]:
    case = Case(
        text,
        text,
        (text,),
        ((text, text),),
        (text,),
        False,
        (Turn("user", text),),
        text,
        text,
        text,
        (),
        (),
        (text,),
    )
    bad = CaseResult(
        case,
        (Retrieved(1, text, text, text, 0, 1, 0.0),),
        (1,),
        text,
        text,
        text,
        (Cited(1, text, text),),
        ((text, text), (text + "x", text)),
        0.5,
        {text: 1.0},
        1,
        2,
        text,
        {text: 1.0},
        "failed",
    )
    info = replace(INFO, id=text, benchmark=text, model=text, machine=text, settings={text: text})
    return info, [bad, *one_of_each()]


def rendered(text: str) -> str:
    info, results = poisoned(text)
    means = {text: Mean(0.5, 5, 0.4, 0.6)}
    groups = {"type": {text: means, "b": means}, text: {text: means}}
    return page(info, results, means, groups, CURVES, descriptions={text: text})


def shape(text: str) -> Counter[str]:
    return Tags(rendered(text)).tags


def test_untrusted_text_makes_no_elements() -> None:
    html = rendered(EVIL)
    html.encode("utf-8")
    assert "\x00" not in html
    assert Tags(html).tags == shape("harmless long text " * 8)
    assert html.count("<script") == 1
    assert not [
        name for name, _ in Tags(html).attributes if name.startswith("on") or name in ("src", "style")
    ]


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(codec=None), min_size=1, max_size=30))
def test_no_text_makes_elements(text: str) -> None:
    html = rendered(text)
    html.encode("utf-8")
    assert Tags(html).tags["script"] == 1
    assert Tags(html).tags["details"] == 1 + len(get_args(Loss))


def test_the_policy_allows_exactly_what_the_page_carries() -> None:
    html = page(INFO, one_of_each(), SUMMARY, GROUPS, CURVES)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy
    assert policy.group(1).startswith("default-src 'none';")
    for tag in ("style", "script"):
        inner = re.search(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert inner
        hashed = base64.b64encode(hashlib.sha256(inner.group(1).encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{hashed}'" in policy.group(1)
    assert "unsafe" not in policy.group(1)
    assert not re.search(r"https?://|url\(|@import|\sstyle=", html)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_category_is_there_and_links_to_its_cases(language: str) -> None:
    html = page(INFO, one_of_each(), SUMMARY, GROUPS, CURVES, language=language)  # type: ignore[arg-type]
    for loss in get_args(Loss):
        assert f'href="#loss-{loss}"' in html
        assert f'id="loss-{loss}"' in html
    assert set(LOSSES) == set(get_args(Loss))
    assert ("题数少" if language == "zh" else "n is small") in html
    assert f'lang="{"zh-Hans" if language == "zh" else "en"}"' in html


def test_a_case_shows_what_was_shown_what_is_gold_and_what_was_left_out() -> None:
    html = page(INFO, [result("q", "wrong")], SUMMARY, GROUPS, CURVES)
    assert html.count('class="passage is-shown"') == 2
    assert html.count('class="passage is-gold"') == 1
    assert "1 further passages" in html
    assert '<span class="v supported"' in html
    assert "Sentences left out" in html


def test_passages_are_cut() -> None:
    html = page(INFO, [result("q", "wrong", long=1000)], SUMMARY, GROUPS, CURVES)
    assert "文" * 399 + "…" in html
    assert "文" * 400 not in html


def test_right_cases_are_sampled_and_the_page_says_so() -> None:
    results = [result(f"r{i}") for i in range(300)] + [result("w", "wrong")]
    html = page(INFO, results, SUMMARY, GROUPS, CURVES)
    tags = Tags(html).tags
    assert tags["details"] == RIGHT_SAMPLE + 1
    assert html.count('class="case line"') == 100
    assert "201 cases open to full detail" in html
    assert html == page(INFO, results, SUMMARY, GROUPS, CURVES), "the sample must not change between readings"


def test_the_page_is_bounded_and_no_category_is_pushed_out() -> None:
    results = [result(f"w{i}", "wrong", long=500) for i in range(300)]
    results += [result(f"f{i}", "failed", long=500) for i in range(3)]
    html = page(INFO, results, SUMMARY, GROUPS, CURVES, detail_bytes=100_000)
    assert len(html.encode()) < 100_000 + 303 * 600 + 40_000
    failed = html[html.index('id="loss-failed"') :]
    assert failed.count("<details") == 3
    assert "did not fit" in html


def test_nothing_measured_still_makes_a_page() -> None:
    html = page(replace(INFO, only_retrieval=True), [], {}, {}, Curves())
    assert "retrieval alone" in html
    text = markdown(INFO, [], {}, {})
    assert "| right | 0 | 0.0% |" in text


def test_settings_that_differ_are_told_and_secrets_are_not() -> None:
    for text in (
        page(INFO, one_of_each(), SUMMARY, GROUPS, CURVES),
        markdown(INFO, one_of_each(), SUMMARY, GROUPS).replace("\\", ""),
    ):
        assert "passages = 6 (default: 4)" in text
        assert "hunter2" not in text


def test_markdown_says_what_happened() -> None:
    text = markdown(INFO, one_of_each(), SUMMARY, GROUPS, descriptions={"rare": "a | b"})
    assert "| recall@5 | 0.500 | [0.400, 0.600] | 400 |" in text
    assert "12 (n is small)" in text
    assert "a \\| b" in text
    assert "8 of 50 (split dev, seed 1)" in text
    assert "1 cases failed" in text
    order = [
        text.index(f"| {name} |") for name in ("not retrieved", "retrieved, not shown to the model", "right")
    ]
    assert order == sorted(order)
    assert "## By type" in text
    assert "1 h 1 min 40 s" in text


def test_markdown_keeps_untrusted_text_in_its_cell() -> None:
    info, results = poisoned(EVIL)
    text = markdown(info, results, SUMMARY, GROUPS)
    text.encode("utf-8")
    assert not re.search(r"(?<!\\)<script", text)
    assert not re.search(r"^# y", text, re.MULTILINE)
    for line in text.splitlines():
        if line.startswith("| ") and "alert" in line:
            assert len(re.findall(r"(?<!\\)\|", line)) == 4


def test_plots_leave_out_what_cannot_be_drawn() -> None:
    nan = float("nan")
    for svg in (
        plots.reliability([(nan, 0.5, 3), (0.5, 0.5, 0)], "x", "y", "t"),
        plots.coverage([(0.5, nan)], "x", "y", "t"),
        plots.bars({"a": Mean(nan, 1, nan, nan)}, "t"),
        plots.histogram([nan], "x", "y", "t"),
        plots.histogram([], "x", "y", "t"),
        plots.histogram([0.0, 0.0], "x", "y", "t"),
    ):
        assert "nan" not in svg
        assert svg.startswith("<svg")
    assert plots.interval_bar(Mean(84, 5, 80, 90)) == ""


def test_every_value_of_a_histogram_is_in_a_bar() -> None:
    svg = plots.histogram([0.1 * i for i in range(100)] + [500.0], "s", "n", "t")
    assert sum(int(n) for n in re.findall(r" s: (\d+)</title>", svg)) == 101


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.500"), (-0.25, "−0.250"), (12.34, "12.3"), (4210, "4,210"), (None, "–"), (-0.0001, "0.000")],
)
def test_figures(value: float | None, text: str) -> None:
    assert figure(value) == text


def test_differences_have_their_sign() -> None:
    assert [signed(x) for x in (0.5, -0.5, 0.0, 0.00001)] == ["+0.500", "−0.500", "0.000", "0.000"]


@given(st.text(st.characters(codec=None)))
def test_escaped_text_has_no_markup(text: str) -> None:
    assert not set("<>\"'") & set(escape(text))
