"""Tables to rows that name their columns."""

from __future__ import annotations

import time

from hypothesis import example, given
from hypothesis import strategies as st

from ingest.loading.blocks import Block
from ingest.loading.tables import Cell, Merged, expand_spans, join_lines, one_line, table_blocks


def texts(grid: list[list[str]], header_rows: int | None = None) -> list[str]:
    return [block.text for block in table_blocks(grid, header_rows=header_rows)]


def test_each_row_names_its_columns() -> None:
    grid = [["序号", "姓名", "职务"], ["1", "祝青禾", "局长"], ["2", "", "副局长"]]
    assert table_blocks(grid, page=3) == [
        Block("序号：1；姓名：祝青禾；职务：局长", "row", page=3),
        Block("序号：2；职务：副局长", "row", page=3),
    ]


def test_an_english_table_takes_english_punctuation() -> None:
    assert texts([["Name", "Post"], ["Ann Lee", "Director"]]) == ["Name: Ann Lee; Post: Director"]


def test_a_header_is_known_by_the_numbers_below_it() -> None:
    assert texts([["街镇", "上半年", "全年"], ["青石镇", "12", "30"], ["柳湾镇", "8", "19"]]) == [
        "街镇：青石镇；上半年：12；全年：30",
        "街镇：柳湾镇；上半年：8；全年：19",
    ]


def test_years_over_numbers_are_a_header() -> None:
    assert texts([["", "2024年", "2025年"], ["财政收入", "31.2", "33.9"]]) == [
        "财政收入；2024年：31.2；2025年：33.9"
    ]


def test_data_without_a_header_stays_without_names() -> None:
    assert texts([["王甲", "李乙", "赵丙"], ["孙丁", "周戊", "吴己"]]) == [
        "王甲；李乙；赵丙",
        "孙丁；周戊；吴己",
    ]


def test_two_levels_of_header_are_joined() -> None:
    grid = [
        ["指标", "收入", Merged("收入")],
        ["指标", "上半年", "全年"],
        ["青石镇", "5", "5"],
        ["柳湾镇", "未报", Merged("未报")],
    ]
    assert texts(grid) == [
        "指标：青石镇；收入/上半年：5；收入/全年：5",
        "指标：柳湾镇；收入/上半年、收入/全年：未报",
    ]


def test_titles_above_the_header_are_paragraphs_or_headings() -> None:
    title = "重点项目表"
    grid = [
        [title, Merged(title), Merged(title)],
        ["", "", "单位：万元"],
        ["序号", "项目", "投资"],
        ["1", "湖堤", "90"],
    ]
    assert table_blocks(grid) == [
        Block(title),
        Block("单位：万元"),
        Block("序号：1；项目：湖堤；投资：90", "row"),
    ]
    assert table_blocks(grid, title_level=2)[0] == Block(title, "heading", 2)


def test_rows_under_a_section_say_which() -> None:
    section = "一、道路"
    grid = [
        ["序号", "项目", "投资"],
        [section, Merged(section), Merged(section)],
        ["1", "湖堤路", "90"],
        ["合计", Merged("合计"), "90"],
    ]
    assert texts(grid) == ["一、道路", "一、道路；序号：1；项目：湖堤路；投资：90", "合计；投资：90"]


def test_forms_pair_labels_with_values() -> None:
    grid = [
        ["项目名称", "滨江路改造", "责任单位", "区住建局"],
        ["联系人", "祝青禾", "电话", ""],
        ["备注", "分两期", Merged("分两期"), Merged("分两期")],
    ]
    assert texts(grid) == ["项目名称：滨江路改造；责任单位：区住建局", "联系人：祝青禾；电话", "备注：分两期"]
    assert texts([["项目名称：", "湖堤路"], ["完成时限：", "2026年6月"]]) == [
        "项目名称：湖堤路",
        "完成时限：2026年6月",
    ]


def test_a_column_of_labels_under_a_header_is_no_form() -> None:
    assert texts([["指标", "2025年"], ["总面积", "12"], ["总投资", "33"]]) == [
        "指标：总面积；2025年：12",
        "指标：总投资；2025年：33",
    ]


def test_a_table_of_one_column_is_text() -> None:
    assert table_blocks([["第一段。"], [""], ["第二段\n接着。"]]) == [
        Block("第一段。"),
        Block("第二段接着。"),
    ]


def test_a_header_repeated_on_a_later_page_is_dropped() -> None:
    grid = [["姓名", "职务"], ["祝青禾", "局长"], ["姓名", "职务"], ["卫长川", "科长"]]
    assert texts(grid) == ["姓名：祝青禾；职务：局长", "姓名：卫长川；职务：科长"]


def test_equal_values_side_by_side_are_values() -> None:
    assert (
        texts([["街镇", "上半年", "全年"], ["5", "5", "5"], ["无", "无", "无"]])[0]
        == "街镇：5；上半年：5；全年：5"
    )
    assert (
        texts([["姓名", "职务", "电话"], ["二、区级机关"] * 3, ["祝青禾", "局长", "1"]])[0] == "二、区级机关"
    )


def test_the_number_of_header_rows_may_be_given() -> None:
    grid = [["甲", "乙"], ["丙", "丁"]]
    assert texts(grid, header_rows=1) == ["甲：丙；乙：丁"]
    assert texts([["姓名", "职务"], ["祝青禾", "局长"]], header_rows=0) == ["姓名：职务", "祝青禾：局长"]


def test_ragged_and_empty_grids_do_no_harm() -> None:
    assert table_blocks([]) == []
    assert table_blocks([[], ["", " \n"]]) == []
    assert texts([["姓名", "职务"], ["祝青禾"], ["卫长川", "科长", "兼职"]]) == [
        "姓名：祝青禾",
        "姓名：卫长川；职务：科长；兼职",
    ]


def test_lines_are_joined_as_their_script_asks() -> None:
    assert one_line("责任\n单位") == "责任单位"
    assert one_line("work\r\n report\t2026") == "work report 2026"
    assert join_lines(["责任", "单位"]) == "责任单位"
    assert join_lines(["祝青禾局长", "卫长川科长"]) == "祝青禾局长 卫长川科长"


def test_spans_are_repeated_where_they_reach() -> None:
    grid = expand_spans([[Cell("甲", 2, 2), Cell("乙")], [Cell("丙")], [Cell("丁"), Cell("戊"), Cell("己")]])
    assert grid == [["甲", "甲", "乙"], ["甲", "甲", "丙"], ["丁", "戊", "己"]]
    assert isinstance(grid[0][1], Merged)
    assert not isinstance(grid[1][0], Merged)


def test_absurd_spans_are_bounded() -> None:
    began = time.monotonic()
    rows = [[Cell("甲", 10**9, 10**9), Cell("乙", 10**9)] for _ in range(2000)]
    grid = expand_spans(rows)
    assert sum(map(len, grid)) < 3_000_000
    assert expand_spans([[Cell("甲", -5, -5), Cell("乙", 10**9, 0)], [Cell("丙")]]) == [
        ["甲", "乙"],
        ["丙", "乙"],
    ]
    assert time.monotonic() - began < 10


def test_a_huge_cell_is_not_told_again_in_every_row() -> None:
    long = "字" * 100_000
    grid = expand_spans(
        [[Cell("姓名"), Cell("说明")], [Cell("甲"), Cell(long, 1, 0)], *([[Cell("乙")]] * 500)]
    )
    assert sum(len(text) for text in texts(grid)) < 200_000


_CELL = st.text(alphabet="甲乙1２.%\n\r\x0b\u2028a b：;单位名称年2025—·", max_size=12)
_GRID = st.lists(st.lists(_CELL, max_size=6), max_size=8)


@given(_GRID, st.none() | st.integers(-2, 9))
@example([["：", "："], ["：", "：", ""]], None)
def test_nothing_is_lost_and_no_line_is_broken(grid: list[list[str]], header_rows: int | None) -> None:
    blocks = table_blocks(grid, header_rows=header_rows)
    told = [block.text for block in blocks]
    assert all(text and len(text.splitlines()) == 1 and text == text.strip() for text in told)
    everything = "\n".join(told)
    rows = [cells for row in grid if (cells := [one_line(cell) for cell in row]) and any(cells)]
    # Without data below it, a header is told as data; else all that stands in the last row is in one block.
    if rows and rows[-1] not in rows[:-1]:
        wanted = [text for text in rows[-1] if text]
        assert any(all(text in told_row for text in wanted) for told_row in told) or all(
            text in everything for text in wanted
        )


@given(
    st.integers(2, 5).flatmap(
        lambda width: st.lists(st.lists(_CELL, min_size=width, max_size=width), min_size=1, max_size=6)
    )
)
def test_every_cell_of_a_row_of_data_is_in_its_block(grid: list[list[str]]) -> None:
    header = [f"栏{n}" for n in range(len(grid[0]))]
    told = texts([header, *grid], header_rows=1)
    for row in grid:
        cells = [one_line(cell) for cell in row]
        if any(cells):
            assert any(all(cell in text for cell in cells) for text in told)


@given(
    st.lists(st.lists(st.builds(Cell, _CELL, st.integers(-2, 5), st.integers(-2, 5)), max_size=5), max_size=6)
)
def test_spans_keep_every_text(rows: list[list[Cell]]) -> None:
    grid = expand_spans(rows)
    assert len(grid) == len(rows)
    for row, line in zip(rows, grid, strict=True):
        assert all(cell.text in line for cell in row)
