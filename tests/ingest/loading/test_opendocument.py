"""OpenDocument files, put together by hand."""

from __future__ import annotations

import io
import random
import zipfile

import pytest

from ingest.loading.blocks import Block, Limits, Parsed, Task
from ingest.loading.opendocument import load
from rag import errors
from rag.types import Note

NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{urn}:1.0"'
    for name, urn in (
        ("office", "office"),
        ("text", "text"),
        ("table", "table"),
        ("style", "style"),
        ("draw", "drawing"),
    )
)


def package(body: str, styles: str = "", kind: str = "text", **extra: str) -> bytes:
    content = (
        f"<office:document-content {NAMES}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        file.writestr("content.xml", f'<?xml version="1.0" encoding="UTF-8"?>{content}')
        for name, text in extra.items():
            file.writestr(name.replace("__", "/").replace("_xml", ".xml"), text)
    return buffer.getvalue()


def read(body: str, styles: str = "", kind: str = "text", **extra: str) -> Parsed:
    return load(Task(package(body, styles, kind, **extra), "a.odt"))


TABLE = (
    "<table:table><table:table-row><table:table-cell><text:p>街镇</text:p></table:table-cell>"
    "<table:table-cell><text:p>投资</text:p></table:table-cell></table:table-row><table:table-row>"
    "<table:table-cell><text:p>青石镇</text:p></table:table-cell><table:table-cell><text:p>9</text:p></table:table-cell>"
    '<table:table-cell table:number-columns-repeated="16000"/></table:table-row>'
    '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row></table:table>'
)
SAMPLE = (
    '<text:h text:outline-level="2">总体<text:span>要求</text:span></text:h>'
    '<text:p>共<text:s text:c="2"/>12<text:tab/>项<text:line-break/>任务<text:note><text:note-citation>1</text:note-citation>'
    "<text:note-body><text:p>注文。</text:p></text:note-body></text:note></text:p>" + TABLE
)


def test_headings_paragraphs_notes_and_tables_in_order() -> None:
    assert read(SAMPLE).blocks == (
        Block("总体要求", "heading", 2),
        Block("共  12 项任务"),
        Block("注文。"),
        Block("街镇：青石镇；投资：9", "row"),
    )


def test_lists_are_numbered_and_go_on_where_told() -> None:
    styles = (
        '<text:list-style style:name="L1"><text:list-level-style-number text:level="1" style:num-format="一, 二, 三, ..." '
        'style:num-suffix="、"/><text:list-level-style-number text:level="2" style:num-format="1" style:num-suffix="." '
        'text:start-value="3"/></text:list-style><text:list-style style:name="L2">'
        '<text:list-level-style-bullet text:level="1"/></text:list-style>'
    )
    body = (
        '<text:list text:style-name="L1"><text:list-item><text:p>道路</text:p><text:list><text:list-item><text:p>湖堤路</text:p>'
        "</text:list-item></text:list></text:list-item><text:list-item><text:p>桥梁</text:p></text:list-item></text:list>"
        '<text:p>间断</text:p><text:list text:style-name="L1" text:continue-numbering="true"><text:list-item><text:p>公园</text:p>'
        '</text:list-item></text:list><text:list text:style-name="L2"><text:list-item><text:p>点</text:p></text:list-item></text:list>'
    )
    blocks = read(body, styles).blocks
    assert [b.text for b in blocks] == ["一、道路", "3. 湖堤路", "二、桥梁", "间断", "三、公园", "• 点"]
    assert [b.level for b in blocks] == [1, 2, 1, 0, 1, 1]


def test_deletions_hidden_text_and_properties() -> None:
    styles = '<style:style style:name="T1"><style:text-properties text:display="none"/></style:style>'
    body = (
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>删去</text:p></text:deletion>"
        '</text:changed-region></text:tracked-changes><text:p>留下<text:span text:style-name="T1">内部</text:span></text:p>'
    )
    meta = '<m xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>湖堤路改造方案</dc:title></m>'
    parsed = read(body, styles, meta_xml=meta)
    assert parsed.blocks == (Block("留下"),)
    assert parsed.notes == (Note("hidden_text", "1"),)
    assert parsed.title == "湖堤路改造方案"


def test_spans_reach_into_the_rows_below() -> None:
    def cell(text: str, spans: str = "") -> str:
        return f"<table:table-cell {spans}><text:p>{text}</text:p></table:table-cell>"

    rows = [
        cell("街镇") + cell("项目") + cell("投资"),
        cell("青石镇", 'table:number-rows-spanned="2"') + cell("湖堤") + cell("9"),
        "<table:covered-table-cell/>" + cell("桥") + cell("8"),
    ]
    table = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    assert [b.text for b in read(f"<table:table>{table}</table:table>").blocks] == [
        "街镇：青石镇；项目：湖堤；投资：9",
        "街镇：青石镇；项目：桥；投资：8",
    ]


def test_sheets_and_slides_are_read_too() -> None:
    sheet = read(TABLE.replace("<table:table>", '<table:table table:name="投资表">', 1), kind="spreadsheet")
    assert [b.text for b in sheet.blocks] == ["投资表", "街镇：青石镇；投资：9"]
    slides = read(
        "<draw:page><text:p>甲</text:p></draw:page><draw:page><text:p>乙</text:p></draw:page>",
        kind="presentation",
    )
    assert [(b.text, b.page) for b in slides.blocks] == [("甲", 1), ("乙", 2)]


def test_what_is_refused() -> None:
    manifest = "<manifest><encryption-data/></manifest>"
    with pytest.raises(errors.SourceEncrypted):
        read(SAMPLE, **{"META-INF__manifest_xml": manifest})
    with pytest.raises(errors.SourceUnsafe):
        read(SAMPLE, Basic__Standard__Module1_xml="<a/>")
    with pytest.raises(errors.SourceEmpty):
        read("<text:p/>")
    with pytest.raises(errors.SourceTooLarge):
        load(Task(package(TABLE), "a.odt", Limits(table_rows=1)))
    with pytest.raises(errors.SourceDamaged):
        read("<text:section>" * 3000 + "</text:section>" * 3000)


@pytest.mark.parametrize("seed", range(40))
def test_damaged_files_end_in_a_refusal_or_a_text(seed: int) -> None:
    chance = random.Random(seed)
    if seed % 2:
        data = bytearray(package(SAMPLE))
        for _ in range(chance.choice((1, 5, 50))):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        del data[chance.choice([len(data), chance.randrange(len(data))]) :]
    else:
        body = list(SAMPLE)
        body[chance.randrange(len(body))] = chance.choice('<>/"x0')
        data = bytearray(package("".join(body)))
    try:
        assert load(Task(bytes(data), "a.odt")).blocks
    except errors.SourceError as error:
        assert error.chinese
