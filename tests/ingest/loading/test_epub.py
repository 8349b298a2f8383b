from __future__ import annotations

import io
import random
import zipfile

import pytest

from ingest.loading.blocks import Parsed, Task
from ingest.loading.epub import load
from rag.errors import SourceDamaged, SourceEncrypted, SourceError, SourceUnsafe

CONTAINER = """<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""
INDEX = """<?xml version="1.0" encoding="utf-8"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>云沙区志</dc:title><dc:date>2025-11-01</dc:date>
<dc:publisher>云沙区地方志办公室</dc:publisher></metadata>
<manifest><item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="b" href="text/%E7%AC%AC%E4%BA%8C%E7%AB%A0.xhtml" media-type="application/xhtml+xml"/>
<item id="a" href="text/a.xhtml" media-type="application/xhtml+xml"/>
<item id="f" href="font.otf" media-type="font/otf"/></manifest>
<spine><itemref idref="nav"/><itemref idref="a"/><itemref idref="b"/></spine></package>"""
FIRST = """<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml">
<head><title/></head><body><h1>第一章　地理</h1><p>云沙区位于湖<br/>东。<a id="x"/></p>
<ol><li>面积312平方公里</li></ol><p style="display:none">水印</p></body></html>"""
SECOND = """<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body><h2>第二章&nbsp;人口</h2>
<table><tr><th>年份</th><th>人口</th></tr><tr><td>2024</td><td>68万</td></tr></table></body></html>"""
NAV = "<html xmlns='http://www.w3.org/1999/xhtml'><body><nav><ol><li><a href='text/a.xhtml'>目录里的一章</a></li></ol></nav></body></html>"


def book(**changed: str | None) -> bytes:
    parts: dict[str, str | None] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OEBPS/content.opf": INDEX,
        "OEBPS/nav.xhtml": NAV,
        "OEBPS/text/a.xhtml": FIRST,
        "OEBPS/text/第二章.xhtml": SECOND,
        "OEBPS/font.otf": "font",
    }
    names = {
        "container": "META-INF/container.xml",
        "index": "OEBPS/content.opf",
        "first": "OEBPS/text/a.xhtml",
        "second": "OEBPS/text/第二章.xhtml",
        "encryption": "META-INF/encryption.xml",
    }
    parts.update({names[key]: value for key, value in changed.items()})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in parts.items():
            if text is not None:
                package.writestr(name, text)
    return buffer.getvalue()


def read(data: bytes) -> Parsed:
    return load(Task(data, "区志.epub"))


def test_chapters_come_in_the_order_of_the_spine() -> None:
    parsed = read(book())
    assert [(block.kind, block.level, block.text) for block in parsed.blocks] == [
        ("heading", 1, "第一章　地理"),
        ("paragraph", 0, "云沙区位于湖"),
        ("paragraph", 0, "东。"),
        ("item", 1, "1. 面积312平方公里"),
        ("heading", 2, "第二章 人口"),
        ("row", 0, "年份：2024；人口：68万"),
    ]
    assert (parsed.title, parsed.published, parsed.issuer) == ("云沙区志", "2025-11-01", "云沙区地方志办公室")
    assert [note.key for note in parsed.notes] == ["hidden_text"]


def encryption(algorithm: str, uri: str) -> str:
    return f"""<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container" xmlns:enc="http://www.w3.org/2001/04/xmlenc#">
    <enc:EncryptedData><enc:EncryptionMethod Algorithm="{algorithm}"/><enc:CipherData><enc:CipherReference URI="{uri}"/>
    </enc:CipherData></enc:EncryptedData></encryption>"""


def test_an_encrypted_book_is_told_and_a_scrambled_font_is_none() -> None:
    with pytest.raises(SourceEncrypted):
        read(book(encryption=encryption("http://www.w3.org/2001/04/xmlenc#aes128-cbc", "OEBPS/text/a.xhtml")))
    fonts = encryption("http://www.idpf.org/2008/embedding", "OEBPS/font.otf")
    assert read(book(encryption=fonts)).title == "云沙区志"


def test_a_missing_chapter_is_noted_and_a_missing_book_is_damaged() -> None:
    parsed = read(book(first=None))
    assert [(note.key, note.detail) for note in parsed.notes] == [("truncated", "a.xhtml")]
    with pytest.raises(SourceDamaged):
        read(book(first=None, second=None))
    with pytest.raises(SourceDamaged):
        read(book(index=None))


def test_without_a_container_the_index_is_found() -> None:
    assert read(book(container=None)).title == "云沙区志"


def test_broken_chapters_are_read_as_html() -> None:
    parsed = read(book(first="<html><body><h1>第一章<p>没有关上的段落<br>下一行</body>"))
    assert "下一行" in "".join(block.text for block in parsed.blocks)


def test_a_date_of_change_is_no_publication() -> None:
    index = INDEX.replace(
        "<dc:date>", '<dc:date xmlns:opf="http://www.idpf.org/2007/opf" opf:event="modification">'
    )
    assert read(book(index=index)).published is None


def test_bombs_and_entities_are_refused() -> None:
    with pytest.raises(SourceUnsafe):
        read(book(first="<p>" + " " * 50_000_000 + "</p>"))
    entities = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10 if i else "x" * 10}">' for i in range(12))
    with pytest.raises(SourceUnsafe):
        read(book(first=f"<!DOCTYPE html [{entities}]><html><body>&a11;</body></html>"))


def test_nested_chapters_do_not_exhaust_it() -> None:
    parsed = read(
        book(first="<html><body>" + "<div>" * 100_000 + "深处" + "</div>" * 100_000 + "</body></html>")
    )
    assert "深处" in "".join(block.text for block in parsed.blocks)


@pytest.mark.parametrize("seed", range(20))
def test_damage_ends_in_a_text_or_a_source_error(seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(book())
    for _ in range(chance.choice((1, 5, 60))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    try:
        read(bytes(data[: chance.randrange(len(data))]) if seed % 4 == 0 else bytes(data))
    except SourceError:
        return


@pytest.mark.parametrize("seed", range(20))
def test_damage_inside_ends_in_a_text_or_a_source_error(seed: int) -> None:
    chance = random.Random(seed)
    which = chance.choice(("container", "index", "first", "second"))
    source = {"container": CONTAINER, "index": INDEX, "first": FIRST, "second": SECOND}[which]
    data = bytearray(source.encode())
    for _ in range(chance.choice((1, 10))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(7)
    try:
        read(book(**{which: data.decode("utf-8", "replace")}))
    except SourceError:
        return
