"""Word files as a reader of the printed page sees them."""

from __future__ import annotations

import io
import random
import zipfile
from typing import Any

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from ingest.loading.blocks import Block, Parsed, Task
from ingest.loading.word import load
from rag import errors
from rag.types import Note


def saved(document: Any) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def read(document: Any) -> Parsed:
    return load(Task(saved(document), "a.docx"))


def texts(document: Any) -> list[str]:
    return [block.text for block in read(document).blocks]


def add_xml(document: Any, xml: str) -> None:
    document.element.body.insert(
        -1, parse_xml(xml.replace("<w:", "<w:", 1).replace(">", f" {nsdecls('w')}>", 1))
    )


def sample() -> bytes:
    document = docx.Document()
    document.add_heading("湖堤路改造方案", 1)
    document.add_paragraph("区住建局负责湖堤路改造。")
    table = document.add_table(2, 2)
    for cell, text in zip(
        (c for row in table.rows for c in row.cells), ("姓名", "职务", "祝青禾", "局长"), strict=True
    ):
        cell.text = text
    return saved(document)


def replaced(data: bytes, member: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, content if name == member else old.read(name))
    return buffer.getvalue()


def test_headings_paragraphs_and_tables_come_in_order() -> None:
    assert load(Task(sample(), "a.docx")).blocks == (
        Block("湖堤路改造方案", "heading", 1),
        Block("区住建局负责湖堤路改造。"),
        Block("姓名：祝青禾；职务：局长", "row"),
    )


def test_the_title_style_and_outline_levels_make_headings() -> None:
    document = docx.Document()
    document.core_properties.title = "关于加装电梯的通知"
    document.add_heading("通知", 0)
    add_xml(document, '<w:p><w:pPr><w:outlineLvl w:val="2"/></w:pPr><w:r><w:t>三级</w:t></w:r></w:p>')
    style = document.styles.add_style("我的标题", 1)
    style.base_style = document.styles["Heading 2"]
    document.add_paragraph("二级", style=style)
    parsed = read(document)
    assert [(b.text, b.level) for b in parsed.blocks if b.kind == "heading"] == [
        ("通知", 1),
        ("三级", 3),
        ("二级", 2),
    ]
    assert parsed.title == "关于加装电梯的通知"
    assert parsed.published is None


def numbered(document: Any, levels: str) -> str:
    """Add a numbering definition; the number by which paragraphs refer to it."""
    part = document.part.numbering_part.element
    part.insert(0, parse_xml(f'<w:abstractNum {nsdecls("w")} w:abstractNumId="90">{levels}</w:abstractNum>'))
    part.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="90"><w:abstractNumId w:val="90"/></w:num>'))
    return "90"


def item(text: str, level: int) -> str:
    properties = f'<w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="90"/></w:numPr></w:pPr>'
    return f"<w:p>{properties}<w:r><w:t>{text}</w:t></w:r></w:p>"


def test_automatic_numbers_are_worked_out() -> None:
    document = docx.Document()
    levels = "".join(
        f'<w:lvl w:ilvl="{n}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for n, (kind, text) in enumerate(
            [("chineseCounting", "%1、"), ("chineseCounting", "（%2）"), ("decimal", "%2.%3")]
        )
    )
    numbered(document, levels)
    for text, level in [("总体要求", 0), ("目标", 1), ("细目", 2), ("任务", 1), ("组织保障", 0), ("领导", 1)]:
        add_xml(document, item(text, level))
    document.add_paragraph("圆点", style="List Bullet")
    parsed = read(document)
    assert [b.text for b in parsed.blocks] == [
        "一、总体要求", "（一）目标", "一.1 细目", "（二）任务", "二、组织保障", "（一）领导", "• 圆点",
    ]  # fmt: skip
    assert [b.level for b in parsed.blocks] == [1, 2, 3, 2, 1, 2, 1]


def test_tracked_changes_and_hidden_text() -> None:
    document = docx.Document()
    add_xml(
        document,
        "<w:p><w:r><w:t>补贴</w:t></w:r><w:ins><w:r><w:t>22万元</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>20万元</w:delText></w:r></w:del>"
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>内部</w:t></w:r></w:p>",
    )
    parsed = read(document)
    assert [b.text for b in parsed.blocks] == ["补贴22万元"]
    assert parsed.notes == (Note("hidden_text", "1"),)


def test_content_controls_links_and_merged_cells() -> None:
    document = docx.Document()
    add_xml(
        document,
        "<w:sdt><w:sdtContent><w:p><w:hyperlink><w:r><w:t>控件里</w:t></w:r></w:hyperlink></w:p></w:sdtContent></w:sdt>",
    )
    table = document.add_table(4, 3)
    for row, cells in zip(
        table.rows,
        [["街镇", "项目", "投资"], ["青石镇", "湖堤", "9"], ["", "桥", "8"], ["合计", "", "17"]],
        strict=True,
    ):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(3, 0).merge(table.cell(3, 1))
    assert texts(document) == [
        "控件里",
        "街镇：青石镇；项目：湖堤；投资：9",
        "街镇：青石镇；项目：桥；投资：8",
        "合计；投资：17",
    ]


def test_frames_of_one_cell_are_text_and_breaks_divide_only_what_is_complete() -> None:
    document = docx.Document()
    cell = document.add_table(1, 1).cell(0, 0)
    cell.text = "框内文字"
    cell.add_paragraph("项目", style="List Bullet")
    document.add_paragraph("第一句。\n第二句。")
    document.add_paragraph("关于湖堤路\n改造的报告")
    assert texts(document) == ["框内文字", "• 项目", "第一句。", "第二句。", "关于湖堤路改造的报告"]


def test_headers_and_footers_are_left_out() -> None:
    document = docx.Document(io.BytesIO(sample()))
    document.sections[0].header.paragraphs[0].text = "页眉"
    assert "页眉" not in "".join(texts(document))


def test_a_file_without_text_is_refused() -> None:
    with pytest.raises(errors.SourceEmpty):
        read(docx.Document())


def test_other_packages_are_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("xl/workbook.xml", "<a/>")
    with pytest.raises(errors.SourceUnsupported):
        load(Task(buffer.getvalue(), "a.docx"))


def test_strict_open_xml_is_read() -> None:
    data = sample()
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        content = package.read("word/document.xml")
    usual = b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    strict = replaced(
        data, "word/document.xml", content.replace(usual, b"http://purl.oclc.org/ooxml/wordprocessingml/main")
    )
    assert load(Task(strict, "a.docx")).blocks == load(Task(data, "a.docx")).blocks


def test_deep_nesting_and_absurd_spans_end_well() -> None:
    names = nsdecls("w")
    deep = "<w:tbl><w:tr><w:tc>" * 2000 + "<w:p/>" + "</w:tc></w:tr></w:tbl>" * 2000
    with pytest.raises(errors.SourceDamaged):
        load(
            Task(
                replaced(
                    sample(),
                    "word/document.xml",
                    f"<w:document {names}><w:body>{deep}</w:body></w:document>".encode(),
                ),
                "a.docx",
            )
        )
    cell = '<w:tc><w:tcPr><w:gridSpan w:val="999999999"/></w:tcPr><w:p><w:r><w:t>甲</w:t></w:r></w:p></w:tc>'
    wide = f"<w:document {names}><w:body><w:tbl><w:tr>{cell}{cell.replace('甲', '乙')}</w:tr></w:tbl></w:body></w:document>"
    assert (
        load(Task(replaced(sample(), "word/document.xml", wide.encode()), "a.docx")).blocks[0].text
        == "甲：乙"
    )


@pytest.mark.parametrize("seed", range(20))
def test_damaged_files_end_in_a_refusal_or_a_text(seed: int) -> None:
    data = bytearray(sample())
    chance = random.Random(seed)
    if seed % 2:
        del data[chance.randrange(len(data)) :]
    else:
        for _ in range(chance.choice((1, 5, 50))):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    try:
        assert load(Task(bytes(data), "a.docx")).blocks
    except errors.SourceError as error:
        assert error.chinese


@pytest.mark.parametrize("seed", range(20))
def test_damage_inside_the_document_ends_as_well(seed: int) -> None:
    data = sample()
    chance = random.Random(seed)
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        member = chance.choice(
            ["word/document.xml", "word/styles.xml", "word/numbering.xml", "_rels/.rels", "docProps/core.xml"]
        )
        content = bytearray(package.read(member))
    for _ in range(3):
        content[chance.randrange(len(content))] = chance.choice(b"<>/\"'x0\xff")
    try:
        assert load(Task(replaced(data, member, bytes(content)), "a.docx")).blocks
    except errors.SourceError as error:
        assert error.chinese
