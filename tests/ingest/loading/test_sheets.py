"""Workbooks as they show themselves."""

from __future__ import annotations

import datetime
import io
import random
import re
import time
import zipfile
from typing import Any

import openpyxl
import pytest

from ingest.loading.blocks import Block, Limits, Parsed, Task
from ingest.loading.sheets import load
from rag import errors
from rag.types import Note


def saved(book: Any) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def read(book: Any) -> Parsed:
    return load(Task(saved(book), "a.xlsx"))


def sheet_of(*rows: list[Any], name: str = "Sheet1") -> Any:
    book = openpyxl.Workbook()
    book.active.title = name
    for row in rows:
        book.active.append(row)
    return book


def changed(data: bytes, pattern: str, replacement: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                content = re.sub(pattern, replacement, content.decode(), flags=re.DOTALL).encode()
            new.writestr(name, content)
    return buffer.getvalue()


def test_rows_name_their_columns_and_the_sheet_is_a_heading() -> None:
    book = sheet_of(
        ["2026年重点项目"], ["序号", "项目", "投资"], [1, "湖堤路", 12.5], [2, "桥", 8], name="重点项目"
    )
    book.active.merge_cells("A1:C1")
    assert read(book).blocks == (
        Block("重点项目", "heading", 1),
        Block("2026年重点项目", "heading", 2),
        Block("序号：1；项目：湖堤路；投资：12.5", "row"),
        Block("序号：2；项目：桥；投资：8", "row"),
    )


def test_a_plain_name_of_the_only_sheet_is_no_heading() -> None:
    assert [b.kind for b in read(sheet_of(["姓名", "职务"], ["祝青禾", "局长"])).blocks] == ["row"]


def test_blank_rows_divide_tables_and_a_text_alone_is_a_title() -> None:
    book = sheet_of(
        ["姓名", "职务"],
        ["祝青禾", "局长"],
        [],
        ["项目安排"],
        ["项目", "投资"],
        ["桥", 8],
        ["路", 9],
        [],
        ["注：以上为预计数。"],
    )
    assert [b.text for b in read(book).blocks] == [
        "姓名：祝青禾；职务：局长", "项目安排", "项目：桥；投资：8", "项目：路；投资：9", "注：以上为预计数。",
    ]  # fmt: skip


def test_numbers_and_dates_are_told_as_shown() -> None:
    values = [(0.125, "0.0%", "12.5%"), (7.0, "General", "7"), (1234567.0, "#,##0", "1234567"), (0.1 + 0.2, "General", "0.3"),
              (3.14159, "0.00", "3.14"), (7, "000", "007"), (datetime.date(2026, 3, 1), "yyyy年m月d日", "2026-03-01"),
              (datetime.date(2026, 3, 1), "yyyy年m月", "2026-03"), (datetime.datetime(2026, 3, 1, 9, 30), "yyyy-m-d h:mm", "2026-03-01 09:30"),
              (datetime.time(9, 30), "h:mm", "09:30"), (True, "General", "TRUE")]  # fmt: skip
    book = sheet_of(["项目", "数值"])
    for number, (value, code, _) in enumerate(values):
        book.active.append([f"第{number}个事", value])
        book.active.cell(number + 2, 2).number_format = code
    assert [b.text.split("数值：")[1] for b in read(book).blocks] == [shown for *_, shown in values]


def test_merged_cells_stand_in_every_row() -> None:
    book = sheet_of(["街镇", "项目", "投资"], ["青石镇", "湖堤", 9], [None, "桥", 8], ["合计", None, 17])
    book.active.merge_cells("A2:A3")
    book.active.merge_cells("A4:B4")
    assert [b.text for b in read(book).blocks] == [
        "街镇：青石镇；项目：湖堤；投资：9",
        "街镇：青石镇；项目：桥；投资：8",
        "合计；投资：17",
    ]


def test_hidden_sheets_rows_and_formulas_without_result_are_left_out_and_said() -> None:
    book = sheet_of(["项目", "投资"], ["桥", 8], ["密", 9], ["路", "=1+1"])
    book.active.row_dimensions[3].hidden = True
    book.create_sheet("内部")["A1"] = "内部"
    book["内部"].sheet_state = "hidden"
    parsed = read(book)
    assert [b.text for b in parsed.blocks] == ["项目：桥；投资：8", "项目：路"]
    assert parsed.notes == (Note("hidden_text", "2"), Note("formulas", "1"))


def test_the_size_a_sheet_claims_costs_nothing() -> None:
    data = saved(sheet_of(["姓名", "职务"], ["祝青禾", "局长"]))
    claimed = changed(data, r'<dimension ref="[^"]*"', '<dimension ref="A1:XFD1048576"')
    far = changed(claimed, "</sheetData>", '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>远</t></is></c></row></sheetData>'
                  '<mergeCells><mergeCell ref="A1:XFD1048576"/><mergeCell ref="A9:A1"/><mergeCell ref="x"/></mergeCells>')  # fmt: skip
    began = time.monotonic()
    assert "祝青禾" in load(Task(claimed, "a.xlsx")).blocks[0].text
    assert load(Task(far, "a.xlsx")).blocks[-1].text.endswith("远")
    assert time.monotonic() - began < 5


def test_limits_and_empty_books() -> None:
    book = sheet_of(*([["甲", n] for n in range(30)]))
    with pytest.raises(errors.SourceTooLarge):
        load(Task(saved(book), "a.xlsx", Limits(table_rows=20)))
    with pytest.raises(errors.SourceEmpty):
        read(openpyxl.Workbook())


@pytest.mark.parametrize("seed", range(40))
def test_damaged_files_end_in_a_refusal_or_a_text(seed: int) -> None:
    data = bytearray(saved(sheet_of(["姓名", "到任"], ["祝青禾", datetime.date(2026, 3, 1)])))
    chance = random.Random(seed)
    if seed % 3 == 0:
        del data[chance.randrange(len(data)) :]
    elif seed % 3 == 1:
        for _ in range(chance.choice((1, 5, 50))):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    else:
        data = bytearray(
            changed(
                bytes(data),
                chance.choice(["<v>", 'r="', 't="', "<row", 's="']),
                chance.choice(["", "<v>9e999", 'r="-1', 's="99']),
            )
        )
    try:
        assert load(Task(bytes(data), "a.xlsx")).blocks
    except errors.SourceError as error:
        assert error.chinese
