"""Rich text with Chinese in all the ways that programs write it."""

from __future__ import annotations

import random
import time

import pytest

from ingest.loading.blocks import Block, Limits, Parsed, Task
from ingest.loading.rtf import load
from rag import errors
from rag.types import Note


def hexed(text: str, encoding: str) -> str:
    return "".join(f"\\'{byte:02x}" for byte in text.encode(encoding))


def numbered(text: str) -> str:
    units = text.encode("utf-16-le")
    return "".join(
        f"\\u{int.from_bytes(units[i : i + 2], 'little', signed=True)}?" for i in range(0, len(units), 2)
    )


def read(body: str | bytes, page: int = 936) -> Parsed:
    data = body.encode("latin-1") if isinstance(body, str) else body
    fonts = rb"{\fonttbl{\f0\fnil\fcharset0 Arial;}{\f1\fnil\fcharset134 SimSun;}{\f2\fcharset136 PMingLiU;}{\f3\fcharset2 Symbol;}}"
    return load(Task(b"{\\rtf1\\ansi\\ansicpg%d\\deff0" % page + fonts + data + b"}", "a.rtf"))


def texts(body: str | bytes, page: int = 936) -> list[str]:
    return [block.text for block in read(body, page).blocks]


def test_bytes_of_the_code_page_numbers_and_raw_bytes() -> None:
    assert texts(hexed("湖堤路", "gbk") + "\\par " + numbered("改造𠮷") + "\\par") == ["湖堤路", "改造𠮷"]
    assert texts("改造方案".encode("gbk") + b"\\par") == ["改造方案"]
    assert texts(hexed("許功蓋", "cp950") + "\\par", 950) == ["許功蓋"]
    assert texts("{\\f2 " + hexed("許功蓋", "cp950") + "}{\\f1 " + hexed("简体", "gbk") + "}", 1252) == [
        "許功蓋简体"
    ]


def test_a_second_byte_may_be_a_letter() -> None:
    assert texts("\\'b3\\'5c", 950) == ["許"]
    assert texts(b"\\'81A" + b"\\par", 936) == [b"\x81A".decode("gbk")]


def test_fallbacks_after_numbers_are_passed_over() -> None:
    assert texts("\\uc2" + f"\\u{ord('湖')}\\'ba\\'fe" + f"\\u{ord('堤')}ab" + "c\\par") == ["湖堤c"]
    assert texts("\\uc0" + f"\\u{ord('湖')} " + f"\\u{ord('堤')} ok") == ["湖堤ok"]


def test_headings_lists_and_special_characters() -> None:
    body = (
        "{\\stylesheet{\\s0 Normal;}{\\s1\\f1 heading 1;}{\\s2\\outlinelevel1 Own;}}"
        "\\pard\\s1 One\\par\\pard\\s2 Two\\par\\pard\\outlinelevel2 Three\\par"
        "\\pard{\\listtext\\f3\\'b7\\tab}Point\\par{\\pntext 1.\\tab}First\\par\\pard a\\emdash b\\~c\\{d\\}\\line e\\par"
    )
    assert read(body).blocks == (
        Block("One", "heading", 1),
        Block("Two", "heading", 2),
        Block("Three", "heading", 3),
        Block("• Point", "item", 1),
        Block("1. First", "item", 1),
        Block("a—b c{d} e"),
    )


def test_tables_with_merged_cells() -> None:
    def row(
        *cells: str, edges: tuple[int, ...] = (1000, 2000, 3000), marks: tuple[str, ...] = ("", "", "")
    ) -> str:
        definition = "".join(f"{mark}\\cellx{edge}" for edge, mark in zip(edges, marks, strict=False))
        return (
            "\\trowd"
            + definition
            + "\\pard\\intbl "
            + "".join(f"{hexed(c, 'gbk')}\\cell " for c in cells)
            + "\\row "
        )

    body = (
        row("街镇", "项目", "投资") + row("青石镇", "湖堤", "9", marks=("\\clvmgf", "", ""))
        + row("", "桥", "8", marks=("\\clvmrg", "", "")) + row("合计", "17", edges=(2010, 3000))
        + "\\pard " + hexed("表后", "gbk") + "\\par"
    )  # fmt: skip
    assert texts(body) == [
        "街镇：青石镇；项目：湖堤；投资：9",
        "街镇：青石镇；项目：桥；投资：8",
        "合计；投资：17",
        "表后",
    ]


def test_what_is_not_text_is_left_out() -> None:
    body = (
        "{\\info{\\title ??}{\\*\\ud{\\title "
        + numbered("湖堤路改造方案")
        + "}}}{\\header H}{\\*\\unknown U}{\\pict 00ff}"
        "{\\v hidden}{\\deleted gone}shown{\\footnote A note.}\\par{\\field{\\*\\fldinst HYPERLINK x}{\\fldrslt link}}\\par"
    )
    parsed = read(body)
    assert [b.text for b in parsed.blocks] == ["shown", "A note.", "link"]
    assert parsed.title == "湖堤路改造方案"
    assert parsed.notes == (Note("hidden_text", "1"),)
    assert texts(b"{\\pict\\bin4 }}{{}a\\par") == ["a"]


def test_a_file_cut_off_says_so() -> None:
    parsed = load(Task(b"{\\rtf1\\ansi First.\\par Second.", "a.rtf"))
    assert [b.text for b in parsed.blocks] == ["First.", "Second."]
    assert [note.key for note in parsed.notes] == ["truncated"]


def test_what_is_refused() -> None:
    with pytest.raises(errors.SourceUnsupported):
        load(Task(b"plain text", "a.rtf"))
    with pytest.raises(errors.SourceEmpty):
        load(Task(b"{\\rtf1}", "a.rtf"))
    with pytest.raises(errors.SourceTooLarge):
        load(Task(b"{\\rtf1 " + b"abc\\par " * 50 + b"}", "a.rtf", Limits(text_chars=20)))


@pytest.mark.parametrize(
    "hostile", [b"{" * 1_000_000, b"{\\rtf1" + b"{\\*" * 300_000, b"\\u-99999999 " * 100_000, b"\\bin999999999 x",
                b"\\trowd" + b"\\cellx1" * 200_000 + b"\\intbl a\\cell\\row", b"\\'b9" * 200_000 + b"a\\'" * 100_000]
)  # fmt: skip
def test_hostile_files_end_soon(hostile: bytes) -> None:
    began = time.monotonic()
    try:
        load(Task(b"{\\rtf1 a" + hostile, "a.rtf"))
    except errors.SourceError as error:
        assert error.chinese
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("seed", range(40))
def test_damaged_files_end_in_a_refusal_or_a_text(seed: int) -> None:
    chance = random.Random(seed)
    body = (
        b"{\\stylesheet{\\s1 heading 1;}}\\s1 "
        + hexed("湖堤", "gbk").encode()
        + b"\\par\\trowd\\cellx1\\cellx2\\intbl a\\cell b\\cell\\row\\pard c\\par"
    )
    data = bytearray(b"{\\rtf1\\ansi\\ansicpg936{\\fonttbl{\\f1\\fcharset134 S;}}" + body + b"}")
    for _ in range(chance.choice((1, 5, 20))):
        data[chance.randrange(6, len(data))] ^= 1 << chance.randrange(8)
    del data[chance.choice([len(data), chance.randrange(len(data))]) :]
    try:
        assert load(Task(bytes(data), "a.rtf")).blocks
    except errors.SourceError as error:
        assert error.chinese
