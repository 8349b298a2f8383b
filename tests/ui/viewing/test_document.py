"""A document's text as HTML: whole, escaped, marked where it is cited, in either script."""

from __future__ import annotations

import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from rag.types import Document, Mark, Source
from ui.viewing.document import WINDOW, View, joined_ranges, render_document, render_text
from ui.viewing.texts import VIEWER_TEXTS

ZH = VIEWER_TEXTS["zh-Hans"]


def document(text: str, marks: tuple[Mark, ...] = (), **source: object) -> Document:
    values = {
        "id": "a",
        "path": "x/通知.txt",
        "title": "通知",
        "digest": "0",
        "media_type": "text/plain",
    } | source
    return Document(Source(**values), text, (), marks)


def shown(html: str) -> str:
    """The text that a reader sees, without white space."""
    return re.sub(r"\s", "", unescape(re.sub(r"<[^>]*>", "", html)))


texts = st.text(st.characters(codec="utf-8"), max_size=200)
ranges = st.lists(st.tuples(st.integers(-5, 220), st.integers(-5, 220)), max_size=6)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    text = draw(texts)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    kinds = st.sampled_from(["paragraph", "heading", "item", "row"])
    marks = tuple(
        Mark(start, end, draw(kinds), draw(st.integers(0, 5)))
        for start, end in zip(cuts, cuts[1:], strict=False)
        if draw(st.booleans())
    )
    return document(text, marks)


@given(documents(), ranges)
def test_the_whole_text_is_shown_and_just_the_ranges_are_marked(found: Document, asked: list) -> None:
    html = render_text(found, "zh-Hans", View(tuple(asked)))
    assert shown(html) == re.sub(r"\s", "", found.text)
    marked = "".join(re.findall(r"<mark[^>]*>(.*?)</mark>", html, re.DOTALL))
    expected = "".join(found.text[start:end] for start, end in joined_ranges(asked, len(found.text)))
    assert re.sub(r"\s", "", unescape(marked)) == re.sub(r"\s", "", expected)
    assert html.count('id="wz-view-target"') <= 1


def test_marks_stand_where_they_belong_when_the_script_is_converted() -> None:
    text = "第一句。计划改造老旧小区28个。第三句。"
    start = text.index("计划")
    html = render_text(document(text), "zh-Hans", View(((start, start + 11),), "zh-Hant"))
    assert '<mark id="wz-view-target">計劃改造老舊小區28個</mark>' in html
    whole = render_document(document(text), "zh-Hans", View(script="zh-Hant"))
    assert ZH.converted in whole


def test_nothing_is_marked_in_a_version_that_was_not_cited() -> None:
    html = render_document(document("改过的文字。"), "zh-Hans", View(((0, 3),), changed=True))
    assert "<mark" not in html
    assert ZH.changed in html


def test_pages_and_headings_are_told() -> None:
    text = "标题\n甲\n乙"
    marks = (
        Mark(0, 2, "heading", 1, 1),
        Mark(3, 4, "paragraph", 0, 1),
        Mark(5, 6, "paragraph", 0, 2),
    )
    html = render_text(document(text, marks), "zh-Hans")
    assert 'role="heading"' in html
    assert html.index("第1页") < html.index("标题") < html.index("第2页") < html.index("乙")


def test_a_long_text_is_shown_around_the_cited_place_and_can_be_gone_through() -> None:
    lines = [f"第{n}段，内容。" for n in range(60_000)]
    text = "\n".join(lines)
    start = text.index("第40000段")
    html = render_text(document(text), "zh-Hans", View(((start, start + 5),)))
    assert len(shown(html)) < 1.1 * WINDOW
    assert "<mark" in html
    assert ZH.earlier in html
    assert ZH.later in html
    seen, around = set(), 0
    for _ in range(30):
        part = render_text(document(text), "zh-Hans", View(around=around))
        seen |= set(re.findall(r"第(\d+)段", part))
        later = re.findall(r'data-around="(\d+)">' + ZH.later, part)
        if not later:
            break
        around = int(later[0])
    assert len(seen) == 60_000


def test_titles_and_names_are_escaped_and_the_original_is_at_its_page() -> None:
    found = document(
        "字", title="<script>1</script>", media_type="application/pdf", path="x/<b>.pdf", pages=3
    )
    html = render_document(found, "en", View(page=2, original=True))
    assert "<script>" not in html
    assert "<b>" not in html
    assert "/original#page=2" in html
    assert "original#" not in render_document(found, "en", View(page=2))
    assert "data-script" not in render_document(document("Plain English."), "en")
