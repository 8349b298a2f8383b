"""Lines with places become paragraphs, headings, items and columns; furniture goes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.loading.pdf_layout import layout
from ingest.loading.pdf_lines import Line, Page, columns_of, join, spans, unhyphenated

LEFT, RIGHT, SIZE = 70.0, 520.0, 12.0


def line(
    text: str, row: int, left: float = LEFT, right: float = RIGHT, size: float = SIZE, **more: bool
) -> Line:
    top = 100.0 + 20 * row
    return Line(text, left, top, right, top + size, size, **more)


def page(number: int, *lines: Line) -> Page:
    return Page(number, 595, 842, lines)


def texts(*pages: Page) -> list[str]:
    return [block.text for block in layout(pages).blocks]


def test_full_lines_join_and_a_short_one_ends_the_paragraph() -> None:
    found = texts(
        page(
            1,
            line("槐荫区今年新建口袋公园十二处，其中", 0, LEFT + 24),
            line("东片五处已经完工。", 1, right=200),
            line("西片七处将在年底前开放，由区园林局", 2, LEFT + 24),
            line("负责管护。", 3, right=140),
        )
    )
    assert found == [
        "槐荫区今年新建口袋公园十二处，其中东片五处已经完工。",
        "西片七处将在年底前开放，由区园林局负责管护。",
    ]


def test_an_indented_line_begins_a_paragraph_after_a_full_one() -> None:
    found = texts(
        page(
            1,
            line("第一段写满了整整一行一直到右边的页边处。", 0, LEFT + 24),
            line("又写满了整整一行一直到右边的页边处为止。", 1),
            line("第二段缩进两格。", 2, LEFT + 24, 300),
        )
    )
    assert len(found) == 2
    assert found[1] == "第二段缩进两格。"


def test_latin_words_are_joined_by_a_space_and_hyphens_undone() -> None:
    result = layout(
        [
            page(
                1,
                line("The district council approved the redevel-", 0),
                line("opment of the old harbour and asked for a", 1),
                line("yearly report.", 2, right=150),
            )
        ]
    )
    assert [block.text for block in result.blocks] == [
        "The district council approved the redevelopment of the old harbour and asked for a yearly report."
    ]
    change = next(change for change in result.changes if change.kind == "hyphenation")
    assert (change.count, change.examples) == (1, (("redevel- opment", "redevelopment"),))


def test_a_title_over_two_lines_is_one_heading_and_levels_go_by_size() -> None:
    result = layout(
        [
            page(
                1,
                line("关于印发槐荫区养老服务", 0, 180, 415, 22),
                line("实施办法的通知", 1, 220, 375, 22),
                line("一、总体要求", 3, right=150),
                line("坚持以居家为基础、社区为依托，到明年底建成服务站二十个，", 4, LEFT + 24),
                line("基本覆盖全部街道。", 5, right=200),
                line("（一）主要目标", 6, right=170),
                line("建成服务站二十个，床位三百张，由区民政局牵头负责落实到位，", 7, LEFT + 24),
                line("每季度通报。", 8, right=150),
            )
        ]
    )
    assert [(b.text, b.level) for b in result.blocks if b.kind == "heading"] == [
        ("关于印发槐荫区养老服务实施办法的通知", 1),
        ("一、总体要求", 2),
        ("（一）主要目标", 3),
    ]


def test_lists_are_items_and_a_lone_number_is_none() -> None:
    result = layout(
        [
            page(
                1,
                line("● 老年食堂", 0, right=150),
                line("1. 身份证复印件", 1, right=160),
                line("2. 户口簿复印件", 2, right=160),
                line("7. 其他", 9, right=120),
            )
        ]
    )
    assert [(block.kind, block.text) for block in result.blocks] == [
        ("item", "• 老年食堂"),
        ("item", "1. 身份证复印件"),
        ("item", "2. 户口簿复印件"),
        ("paragraph", "7. 其他"),
    ]


def furnished(number: int, *body: Line) -> Page:
    head = Line("槐荫区政府公报", 240, 40, 350, 50, 9)
    foot = Line(f"- {number} -", 285, 800, 310, 810, 9)
    return Page(number, 595, 842, (head, *body, foot))


def test_headers_and_page_numbers_go_and_are_counted() -> None:
    pages = [furnished(n, line(f"正文第{n}段，全区共有{n * 7}个项目。", 5, right=300)) for n in range(1, 5)]
    result = layout(pages)
    assert len(result.blocks) == 4
    assert [block.page for block in result.blocks] == [1, 2, 3, 4]
    (change,) = result.changes
    assert (change.kind, change.count) == ("page-furniture", 8)
    assert ("槐荫区政府公报", "") in change.examples


def test_what_stands_on_one_page_only_is_kept() -> None:
    pages = [furnished(1, line("正文一。", 5, right=200)), page(2, Line("附件一览", 240, 40, 350, 50, 9))]
    assert "槐荫区政府公报" in texts(*pages)


def test_page_numbers_in_many_forms() -> None:
    for number in ("- 3 -", "— 12 —", "第3页 共10页", "3/10", "Page 3 of 10", "第三页", "7", "iv"):
        foot = Line(number, 280, 800, 310, 810, 9)
        assert texts(page(1, line("全区共有七个街道。", 4, right=260), foot)) == ["全区共有七个街道。"], (
            number
        )


def test_a_page_with_only_a_number_keeps_it() -> None:
    assert texts(page(1, Line("110", 280, 800, 310, 810, 9))) == ["110"]


def test_a_paragraph_goes_over_the_page_end() -> None:
    full = [line("这是写满一行的正文内容一直写到右边页边，", n) for n in range(6)]
    more = [line("这也是写满一行的正文内容一直到右页边，", n) for n in range(1, 7)]
    result = layout([page(1, *full), page(2, line("接着上一页没有写完的句子写完。", 0, right=300), *more)])
    assert "右边页边，接着上一页" in result.blocks[0].text
    assert result.blocks[0].page == 1


def test_two_columns_are_read_one_after_the_other() -> None:
    left = [line(f"左栏的第{n}行文字写得很满很满", n, 70, 280) for n in range(5)]
    right = [line(f"右栏的第{n}行文字写得很满很满", n, 310, 520) for n in range(5)]
    mixed = [part for pair in zip(left, right, strict=True) for part in pair]
    (first, second) = columns_of(mixed)
    assert [part.text for part in first] == [part.text for part in left]
    assert [part.text for part in second] == [part.text for part in right]


def test_labels_and_numbers_are_no_columns() -> None:
    rows = [part for n in range(6) for part in (line(f"项目{n}", n, 70, 120), line(str(n), n, 480, 490))]
    assert [part.text for part in columns_of(rows)[0]] == [f"项目{n} {n}" for n in range(6)]


def test_spans() -> None:
    assert spans([1, 4, 5, 6, 7, 9, 10]) == "1, 4-7, 9-10"
    assert spans([]) == ""


def test_hyphens_that_part_no_word_stay() -> None:
    assert unhyphenated("COVID-", "19 cases") is None
    assert unhyphenated("the Anglo-", "French line") is None


letters = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]), min_size=1, max_size=12
)
places = st.floats(0, 800, allow_nan=False)


@st.composite
def any_line(draw: st.DrawFn) -> Line:
    left, top = draw(places), draw(places)
    size = draw(st.floats(1, 60))
    return Line(
        draw(letters), left, top, left + draw(st.floats(0, 400)), top + size, size, draw(st.booleans())
    )


@given(st.lists(st.lists(any_line(), max_size=12), max_size=4), st.booleans())
def test_any_lines_lose_no_letter(pages: list[list[Line]], rough: bool) -> None:
    made = [Page(i + 1, 595, 842, tuple(lines), rough=rough) for i, lines in enumerate(pages)]
    result = layout(made, furniture=False)
    hyphens = sum(change.count for change in result.changes if change.kind == "hyphenation")
    before = sorted("".join(part.text for lines in pages for part in lines))
    after = sorted("".join(block.text.replace(" ", "") for block in result.blocks))
    bullets = "•●■◆▪◦‣·○□➢►▶★☆※-–—\uf0b7\uf06c\uf0d8\uf0a7\uf075"
    kept = [sign for sign in after if sign not in bullets]
    assert kept == [sign for sign in before if sign not in bullets]
    assert hyphens <= sum(text.count("-") for text in before)
    assert all(block.text == block.text.strip() and "\n" not in block.text for block in result.blocks)


@given(letters, letters)
def test_join_keeps_both(first: str, second: str) -> None:
    assert join(first, second).replace(" ", "") == first + second
