from __future__ import annotations

import csv
import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.loading.blocks import Limits, Parsed, Task
from ingest.loading.delimited import find_delimiter, load
from rag.errors import SourceEmpty, SourceError, SourceTooLarge

ROWS = [
    ["序号", "小区名称", "户数", "备注"],
    ["1", "望舒一村", "1420", "含加装电梯，共12台"],
    ["2", "邮电新村", "486", "分两期\n先一后二"],
    ["3", '榆桥"北"苑', "872", ""],
]


def table(delimiter: str = ",", rows: list[list[str]] = ROWS) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows(rows)
    return buffer.getvalue()


def read(data: str | bytes, **limits: int) -> Parsed:
    return load(Task(data.encode() if isinstance(data, str) else data, "清单.csv", Limits(**limits)))


def texts(parsed: Parsed) -> list[str]:
    return [block.text for block in parsed.blocks]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_rows_name_their_columns(delimiter: str, encoding: str) -> None:
    parsed = read(table(delimiter).encode(encoding))
    assert texts(parsed) == [
        "序号：1；小区名称：望舒一村；户数：1420；备注：含加装电梯，共12台",
        "序号：2；小区名称：邮电新村；户数：486；备注：分两期先一后二",
        '序号：3；小区名称：榆桥"北"苑；户数：872',
    ]
    assert {block.kind for block in parsed.blocks} == {"row"}


def test_a_title_above_the_table_is_kept() -> None:
    parsed = read("云沙区老旧小区改造清单,,,\n" + table())
    assert texts(parsed)[0] == "云沙区老旧小区改造清单"
    assert texts(parsed)[1].startswith("序号：1")


def test_a_semicolon_table_with_decimal_commas_is_no_comma_table() -> None:
    assert find_delimiter("名称;金额;比例\n教育;25,9;5,8\n卫生;9,1;7,7\n交通;5,8;8,6\n") == ";"


def test_the_separator_that_a_spreadsheet_states_is_kept_to() -> None:
    assert texts(read("sep=;\r\n街道;户数\r\n湖东;12\r\n南汐;15\r\n")) == [
        "街道：湖东；户数：12",
        "街道：南汐；户数：15",
    ]


def test_zeros_in_front_survive() -> None:
    assert texts(read('名称,代码\n甲街道,="0012"\n乙街道,="0013"\n')) == [
        "名称：甲街道；代码：0012",
        "名称：乙街道；代码：0013",
    ]


def test_prose_is_read_line_by_line() -> None:
    prose = "各街道：\n请于月底前报送台账，逾期不再受理。\nDear all, please send your lists, thank you.\n"
    assert texts(read(prose)) == [line for line in prose.splitlines() if line]


def test_an_open_quotation_mark_does_not_swallow_the_rest() -> None:
    lines = ["街道,说明,户数"] + [f"第{i}街道,正常,{i}" for i in range(200)]
    lines[5] = '第4街道,"没有关上,4'
    parsed = read("\n".join(lines))
    assert len(parsed.blocks) == 200
    assert texts(parsed)[-1] == "街道：第199街道；说明：正常；户数：199"


def test_nothing_is_lost() -> None:
    rows = [["编号", "名称"]] + [[str(i), f"项目{i}"] for i in range(5000)]
    parsed = read(table(rows=rows))
    assert len(parsed.blocks) == 5000
    assert texts(parsed)[4999] == "编号：4999；名称：项目4999"


def test_too_many_rows_are_refused() -> None:
    with pytest.raises(SourceTooLarge):
        read("a,b\n" * 100, table_rows=50)


@pytest.mark.parametrize("cell", ["{}", '"{}"'])
def test_a_huge_cell_is_refused(cell: str) -> None:
    with pytest.raises(SourceTooLarge):
        read("名称,说明\n甲," + cell.format("x" * 50_000_000) + "\n乙,短\n")


@pytest.mark.parametrize("data", [b"", b" \n", b",,,\n,,,\n"])
def test_an_empty_table_is_empty(data: bytes) -> None:
    with pytest.raises(SourceEmpty):
        read(data)


@pytest.mark.parametrize("seed", range(20))
def test_damage_ends_in_a_text_or_a_source_error(seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(table().encode("utf-8" if seed % 2 else "gb18030") * 20)
    for _ in range(chance.choice((1, 5, 100))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    try:
        read(bytes(data[: chance.randrange(1, len(data))]) if seed % 3 == 0 else bytes(data))
    except SourceError:
        return


@given(st.text(max_size=300))
def test_any_text_is_read_or_a_source_error(text: str) -> None:
    try:
        parsed = read(text.encode("utf-8", "replace"))
    except SourceError:
        return
    assert all(block.text.strip() and "\n" not in block.text for block in parsed.blocks)


CELL = st.text(st.sampled_from("甲乙丙丁戊己庚辛abc123，。"), min_size=1, max_size=8)


@given(
    st.integers(3, 5).flatmap(
        lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n), min_size=3, max_size=8)
    )
)
def test_the_separator_of_a_regular_table_is_found(rows: list[list[str]]) -> None:
    for delimiter in (",", "\t", ";", "|"):
        assert find_delimiter(table(delimiter, rows)) == delimiter
