from __future__ import annotations

import base64
import quopri
import random

import pytest

from ingest.loading.blocks import Parsed, Task
from ingest.loading.mhtml import load
from rag.errors import SourceDamaged, SourceEmpty, SourceError

PAGE = """<html><head><meta http-equiv="Content-Type" content="text/html; charset={charset}">
<title>关于春季植树的通知_云沙区人民政府</title><meta name="PubDate" content="2026-03-01"></head>
<body><p>全区计划植树4.6万株，由各街道组织实施，3月20日前完成。</p></body></html>"""


def saved(
    charset: str = "gb2312", encoding: str = "quoted-printable", *, before: bytes = b"", start: str = ""
) -> bytes:
    page = PAGE.format(charset=charset).encode(charset)
    body = quopri.encodestring(page) if encoding == "quoted-printable" else base64.encodebytes(page)
    return (
        b"From: <Saved by Browser>\r\nSubject: =?utf-8?Q?page?=\r\nDate: Mon, 1 Jun 2026 08:00:00 +0800\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/related; type="text/html"; boundary="----B"'
        + (f'; start="{start}"'.encode() if start else b"")
        + b"\r\n\r\n"
        + before
        + b"------B\r\nContent-Type: text/html\r\nContent-ID: <main@page>\r\nContent-Transfer-Encoding: "
        + encoding.encode()
        + b"\r\nContent-Location: http://example.invalid/\r\n\r\n"
        + body
        + b"\r\n------B\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n------B--\r\n"
    )


def read(data: bytes) -> Parsed:
    return load(Task(data, "网页.mht"))


@pytest.mark.parametrize("charset", ["gb2312", "utf-8"])
@pytest.mark.parametrize("encoding", ["quoted-printable", "base64"])
def test_the_page_is_read(charset: str, encoding: str) -> None:
    parsed = read(saved(charset, encoding))
    assert [block.text for block in parsed.blocks] == [
        "全区计划植树4.6万株，由各街道组织实施，3月20日前完成。"
    ]
    assert parsed.title == "关于春季植树的通知"
    assert parsed.published == "2026-03-01"


def test_the_part_named_as_the_start_is_the_page() -> None:
    frame = b"------B\r\nContent-Type: text/html\r\nContent-ID: <frame@page>\r\n\r\n<p>Advertisement in a frame.</p>\r\n"
    parsed = read(saved(before=frame, start="<main@page>"))
    assert "植树" in parsed.blocks[0].text


def test_without_a_page_it_is_damaged() -> None:
    with pytest.raises(SourceDamaged):
        read(b"From: a\r\nContent-Type: image/png\r\n\r\nxxx")
    with pytest.raises(SourceEmpty):
        read(b"  ")


def test_deep_nesting_ends_in_a_source_error() -> None:
    data = b"".join(
        b'Content-Type: multipart/related; boundary="b%d"\r\n\r\n--b%d\r\n' % (i, i) for i in range(50_000)
    )
    with pytest.raises(SourceError):
        read(b"MIME-Version: 1.0\r\n" + data)


@pytest.mark.parametrize("seed", range(20))
def test_damage_ends_in_a_text_or_a_source_error(seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(saved(encoding="base64" if seed % 2 else "quoted-printable"))
    for _ in range(chance.choice((1, 10, 80))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    try:
        read(bytes(data[: chance.randrange(len(data))]) if seed % 3 == 0 else bytes(data))
    except SourceError:
        return
