from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.documents import content_key, id_of, load, make_document
from ingest.loading import Block, Parsed
from rag.errors import SourceEmpty, SourceUnsupported


def test_a_file_becomes_a_cleaned_and_described_document(tmp_path: Path) -> None:
    path = tmp_path / "通知 【2025】.txt"
    path.write_bytes("关于补贴的通知\r\n发布日期：2025年6月16日\r\n补贴22万元。\r\n".encode("gb18030"))
    document = load(path)
    assert document.text == "关于补贴的通知\n发布日期：2025年6月16日\n补贴22万元。"
    assert document.source.title == "关于补贴的通知"
    assert document.source.published == "2025-06-16"
    assert document.source.encoding == "gb18030"
    assert document.source.id == id_of(str(path))


def test_the_id_stays_over_edits_and_the_digest_does_not(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("第一版。", encoding="utf-8")
    first = load(path)
    path.write_text("第二版。", encoding="utf-8")
    second = load(path)
    assert first.source.id == second.source.id
    assert first.source.digest != second.source.digest


@pytest.mark.parametrize("content", [b"", b"  \n\t ", "\ufeff \u200b\n".encode()])
def test_a_file_without_text_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "空.txt"
    path.write_bytes(content)
    with pytest.raises(SourceEmpty, match=r"空\.txt"):
        load(path)


def test_other_kinds_are_refused_with_the_kinds_that_are_read(tmp_path: Path) -> None:
    path = tmp_path / "图.dwg"
    path.write_bytes(b"AC1032")
    with pytest.raises(SourceUnsupported, match=r"\.txt") as caught:
        load(path)
    assert "不能读取" in caught.value.chinese


BLOCKS = (
    Block("关于老旧小区改造的通知", "heading", 1, 1),
    Block("各街道：", page=1),
    Block("一是改造屋面（wū miàn）；", "item", 1, 2),
    Block("小区：春江里；户数：320", "row", page=2),
)


def test_blocks_keep_their_roles_and_pages_through_cleaning() -> None:
    document = make_document(Parsed(BLOCKS, pages=2), path="/档案/通知.docx", digest="d")
    stretches = [(document.text[m.start : m.end], m.kind, m.level, m.page) for m in document.marks]
    assert stretches == [
        ("关于老旧小区改造的通知", "heading", 1, 1),
        ("各街道：", "paragraph", 0, 1),
        ("一是改造屋面；", "item", 1, 2),
        ("小区：春江里；户数：320", "row", 0, 2),
    ]
    assert document.source.title == "关于老旧小区改造的通知"
    assert document.source.pages == 2
    assert [change.kind for change in document.changes] == ["pinyin"]


def test_a_table_without_title_is_named_by_its_file() -> None:
    document = make_document(Parsed(BLOCKS[3:]), path="/档案/小区_清单.csv", digest="d")
    assert document.source.title == "小区 清单"


def test_blocks_that_cleaning_empties_or_joins_lose_nothing_else() -> None:
    blocks = (Block("甲段。"), Block("\u200b"), Block("乙\u2028段。"), Block("丙段。", "heading", 2))
    document = make_document(Parsed(blocks), path="a.html", digest="d")
    assert [document.text[m.start : m.end] for m in document.marks] == ["甲段。", "乙 段。", "丙段。"]
    assert document.marks[-1].kind == "heading"


@given(st.lists(st.text(max_size=40), max_size=12))
def test_marks_lie_on_whole_lines_in_order(texts: list[str]) -> None:
    blocks = tuple(Block(text) for text in texts)
    try:
        document = make_document(Parsed(blocks), path="a.html", digest="d")
    except SourceEmpty:
        return
    assert "\n".join(document.text[m.start : m.end] for m in document.marks) == document.text
    assert all("\n" not in document.text[m.start : m.end] for m in document.marks)


def test_the_content_key_is_of_the_words_alone() -> None:
    assert content_key("补贴 22 万元。\n第二段") == content_key("補貼22萬元第二段")
    assert content_key("补贴22万元") != content_key("补贴23万元")
