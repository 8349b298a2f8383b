from __future__ import annotations

import os
from pathlib import Path

import pytest
from conftest import SHARED
from hypothesis import given
from hypothesis import strategies as st

from ingest.decoding import decode
from rag.errors import SourceUndecodable, SourceUnsupported

SIMPLIFIED = "区住建局局长田禾表示，将以装配式建造为突破口推动建筑业转型升级，改造老旧小区28个。\n咨询电话：0600-66102733。\n"
TRADITIONAL = "區住建局局長田禾表示，將以裝配式建造為突破口推動建築業轉型升級，改造老舊小區28個。\n諮詢電話：0600-66102733。\n"


@pytest.mark.parametrize(
    ("text", "encoding", "named"),
    [
        (SIMPLIFIED, "utf-8", "utf-8"),
        (SIMPLIFIED, "utf-8-sig", "utf-8-sig"),
        (SIMPLIFIED, "gbk", "gb18030"),
        (SIMPLIFIED, "gb18030", "gb18030"),
        (TRADITIONAL, "big5", "big5hkscs"),
        (TRADITIONAL, "gb18030", "gb18030"),
        (SIMPLIFIED, "utf-16", "utf-16"),
        (SIMPLIFIED, "utf-16-le", "utf-16-le"),
        (TRADITIONAL, "utf-16-be", "utf-16-be"),
        (SIMPLIFIED, "utf-32", "utf-32"),
        (TRADITIONAL, "utf-32-be", "utf-32-be"),
        ("The café's “plan” costs £5.\n" * 5, "cp1252", "cp1252"),
    ],
)
def test_encodings_are_told_apart(text: str, encoding: str, named: str) -> None:
    decoded = decode(text.encode(encoding), "a.txt")
    assert (decoded.text, decoded.encoding) == (text, named)


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.7 ...",
        b"PK\x03\x04" + bytes(50),
        b"\x89PNG\r\n\x1a\n" + bytes(50),
        b"\x7fELF" + bytes(50),
        b"abc\x00\x01\x02\x03\x04\x05" * 20,
        bytes(range(32)) * 10,
    ],
)
def test_binary_files_named_as_text_are_refused(data: bytes) -> None:
    with pytest.raises(SourceUnsupported, match=r"a\.txt is named as a text"):
        decode(data, "a.txt")


def test_bytes_in_no_known_encoding_are_refused() -> None:
    data = bytes(0x80 + (i * 37 + i * i * 11) % 127 for i in range(1, 600))
    with pytest.raises((SourceUndecodable, SourceUnsupported)):
        decode(data, "a.txt")


@pytest.mark.parametrize("encoding", ["iso2022_kr", "johab"])
def test_a_text_in_an_encoding_that_is_not_read_is_refused_not_loaded_as_rubbish(encoding: str) -> None:
    korean = (
        "국토교통부는 노후 주택 개량 사업을 올해 안에 마무리하겠다고 밝혔다. 예산은 모두 확보되었다. " * 4
    )
    with pytest.raises((SourceUndecodable, SourceUnsupported)):
        decode(korean.encode(encoding), "a.txt")


def test_a_short_note_with_a_rare_name_is_read() -> None:
    assert decode("联系人：龑玥".encode("gb18030"), "a.txt").text == "联系人：龑玥"


def test_a_damaged_utf16_file_says_where() -> None:
    with pytest.raises(SourceUndecodable, match="byte"):
        decode("区住建局".encode("utf-16") + b"\x00\xd8", "a.txt")


def test_a_few_damaged_bytes_in_a_long_text_are_marked() -> None:
    data = bytearray((SIMPLIFIED * 60).encode("gb18030"))
    data[2000:2001] = b"\xff"
    assert 1 <= decode(bytes(data), "a.txt").text.count("\ufffd") <= 3


@given(st.binary(max_size=400))
def test_any_bytes_give_a_text_or_a_clear_refusal(data: bytes) -> None:
    try:
        decoded = decode(data, "a.txt")
    except (SourceUndecodable, SourceUnsupported) as error:
        assert "a.txt" in error.what
        assert error.fix
    else:
        assert isinstance(decoded.text, str)


CORPUS = SHARED / "samples" / "encodings"


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the collection of encoded files is not beside this checkout")
def test_the_collection_of_encoded_files() -> None:
    families = {"big5": "big5", "big5hkscs": "big5", "cp950": "big5", "gb2312": "gb", "gb18030": "gb"}

    def family(name: str) -> str:
        plain = name.lower().replace("-", "")
        return families.get(plain, plain)

    wrong = []
    for path in sorted(CORPUS.rglob("*")):
        if path.is_file() and path.parent.name != "EUC-TW":
            found = decode(path.read_bytes(), path.name).encoding
            if family(found) != family(path.parent.name):
                wrong.append((str(Path(path.parent.name) / path.name), found))
    assert wrong == []
    for path in (CORPUS / "EUC-TW").iterdir():
        with pytest.raises(SourceUndecodable):
            decode(path.read_bytes(), path.name)


def test_a_long_file_decodes_in_reasonable_time_and_memory() -> None:
    data = (SIMPLIFIED * 20_000).encode("gb18030")
    assert len(decode(data, os.devnull).text) == len(SIMPLIFIED) * 20_000
