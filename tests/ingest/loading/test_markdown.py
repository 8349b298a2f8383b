from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.loading.blocks import Block, Limits, Parsed, Task
from ingest.loading.markdown import load
from rag.errors import SourceEmpty, SourceError, SourceTooLarge

SAMPLES = Path(__file__).parents[3] / "samples"


def read(data: str | bytes, **limits: int) -> Parsed:
    return load(Task(data.encode() if isinstance(data, str) else data, "计划.md", Limits(**limits)))


def texts(parsed: Parsed) -> list[str]:
    return [block.text for block in parsed.blocks]


def test_structure_is_kept_and_marks_are_dropped() -> None:
    parsed = read(
        "# 云沙区2026年**绿化**计划\n\n## 一、目标\n\n全区计划植树*4.6万株*，详见[清单](http://example.invalid/a_b)。\n\n"
        "1. 湖东街道：`1200`株。\n   - 其中樟树800株\n2. 南汐街道：~~900~~950株。\n\n* 说明\n"
    )
    assert parsed.blocks == (
        Block("云沙区2026年绿化计划", "heading", 1),
        Block("一、目标", "heading", 2),
        Block("全区计划植树4.6万株，详见清单。"),
        Block("1. 湖东街道：1200株。", "item", 1),
        Block("• 其中樟树800株", "item", 2),
        Block("2. 南汐街道：900950株。", "item", 1),
        Block("• 说明", "item", 1),
    )
    assert parsed.title == "云沙区2026年绿化计划"


def test_tables_name_their_columns() -> None:
    parsed = read("| 科目 | 2026年预算 |\n|---|---:|\n| **教育** | 27.4 |\n| 卫生\\|健康 | 9.8 |\n")
    assert texts(parsed) == ["科目：教育；2026年预算：27.4", "科目：卫生|健康；2026年预算：9.8"]
    assert {block.kind for block in parsed.blocks} == {"row"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "发文字号：云住建〔2026〕7号\n发布日期：2026年2月10日",
            ["发文字号：云住建〔2026〕7号", "发布日期：2026年2月10日"],
        ),
        ("第一句说完了。\n第二句也说完了。", ["第一句说完了。", "第二句也说完了。"]),
        ("为贯彻落实上级部署，结合本区实际，现将本年度老旧小区改造工作的\n有关安排通知如下", None),
        ("云沙区住房和城乡建设局\n2026年2月10日", ["云沙区住房和城乡建设局", "2026年2月10日"]),
        ("The district will open\nthree new parks.", ["The district will open three new parks."]),
        ("前一行  \n后一行很长很长，用来说明强制换行总是会另起一行的规则", None),
    ],
)
def test_lines_of_the_source(source: str, expected: list[str] | None) -> None:
    if expected is None:
        joined = "  \n" not in source
        expected = [source.replace("\n", "")] if joined else source.replace("  \n", "\n").split("\n")
    assert texts(read(source)) == expected


def test_raw_html_loses_its_tags_and_keeps_its_words() -> None:
    parsed = read(
        "<div align=center>附表</div>\n\n水费<sup>1</sup>上调<br>电费不变\n\n<!-- 内部备注 -->\n\n"
        "<table><tr><th>项目</th><th>价格</th></tr><tr><td>居民用水</td><td>2.9元</td></tr></table>\n"
    )
    assert texts(parsed) == ["附表", "水费1上调", "电费不变", "项目：居民用水；价格：2.9元"]


def test_code_and_long_underlined_paragraphs_are_paragraphs() -> None:
    long = (
        "这一段话下面画了一条横线，它并不是标题，只是写作的人想要把前后两个部分隔开而已，所以要按照段落来读取，"
        * 2
    )
    parsed = read(f"```\n热线 0600-12345\n  时间 9:00\n```\n\n    缩进的一段\n\n{long}\n---\n\n小标题\n---\n")
    assert [(block.kind, block.text) for block in parsed.blocks] == [
        ("paragraph", "热线 0600-12345"),
        ("paragraph", "时间 9:00"),
        ("paragraph", "缩进的一段"),
        ("paragraph", long),
        ("heading", "小标题"),
    ]


def test_front_matter_describes_the_file() -> None:
    parsed = read(
        '---\ntitle: "停水公告"\ndate: 2026-03-05\n发布单位: 云沙区水务局\ntags: [水]\n---\n\n明日停水。\n'
    )
    assert (parsed.title, parsed.published, parsed.issuer) == ("停水公告", "2026-03-05", "云沙区水务局")
    assert texts(parsed) == ["停水公告", "明日停水。"]


def test_a_rule_at_the_top_is_no_front_matter() -> None:
    assert texts(read("---\n\n正文在这里。\n\n---\n\n第二部分。\n")) == ["正文在这里。", "第二部分。"]


def _words(text: str) -> str:
    return "".join(re.findall(r"[^\W_]", text))


def _is_within(needle: str, hay: str) -> bool:
    letters = iter(hay)
    return all(letter in letters for letter in needle)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.md")), ids=lambda path: path.stem)
def test_no_word_of_the_samples_is_lost(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    parsed = read(text)
    got = _words("".join(texts(parsed)))
    plain = [line for line in text.splitlines() if not line.lstrip().startswith("|")]
    assert _is_within(_words("".join(plain)), got)
    for line in text.splitlines():
        if line.startswith("|") and not re.fullmatch(r"[|\s:-]+", line):
            for cell in line.strip("|").split("|"):
                assert _words(cell) in got
    assert parsed.title == text.splitlines()[0].lstrip("# ")


PROSE = st.lists(
    st.tuples(
        st.sampled_from(["", "# ", "## ", "- ", "1. ", "> ", "  - ", "**", "\n"]),
        st.text(st.sampled_from("甲乙丙丁年月日区局abc19，。：；（）"), min_size=1, max_size=30),
    ),
    max_size=20,
)


@given(PROSE)
def test_no_word_of_any_prose_is_lost(lines: list[tuple[str, str]]) -> None:
    source = "\n".join(mark + line for mark, line in lines)
    try:
        parsed = read(source)
    except SourceEmpty:
        assert not _words(source)
        return
    assert _words("".join(texts(parsed))) == _words(source)


@pytest.mark.parametrize(
    "source",
    [
        "> " * 50_000 + "深处",
        "- " * 30_000 + "深处",
        "[" * 20_000 + "深处",
        "*" * 20_000 + "深处",
        "`" * 20_001 + "深处",
    ],
)
def test_nesting_does_not_exhaust_it(source: str) -> None:
    assert "深处" in "".join(texts(read(source)))


def test_long_files_are_read_in_parts_and_tell_of_it() -> None:
    beats = []
    source = "".join(f"## 第{i}节\n\n本节说明第{i}项工作的安排。\n\n" for i in range(12_000))
    parsed = load(Task(source.encode(), "长.md", beat=lambda: beats.append(1)))
    assert len(parsed.blocks) == 24_000
    assert len(beats) >= 2


def test_too_long_a_table_is_refused() -> None:
    with pytest.raises(SourceTooLarge):
        read("|a|b|\n|-|-|\n" + "|1|2|\n" * 50, table_rows=20)


@pytest.mark.parametrize("data", [b"", b" \n\n", b"---\n\n---\n", b"<!-- x -->\n"])
def test_a_file_without_words_is_empty(data: bytes) -> None:
    with pytest.raises(SourceEmpty):
        read(data)


@pytest.mark.parametrize("seed", range(20))
def test_damage_ends_in_a_text_or_a_source_error(seed: int) -> None:
    chance = random.Random(seed)
    source = "# 标题\n\n| 甲 | 乙 |\n|---|---|\n| 1 | 2 |\n\n<div>文字</div>\n\n1. 一\n2. 二\n" * 10
    data = bytearray(source.encode("utf-8" if seed % 2 else "gb18030"))
    for _ in range(chance.choice((1, 5, 100))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    try:
        read(bytes(data[: chance.randrange(1, len(data))]) if seed % 3 == 0 else bytes(data))
    except SourceError:
        return


@given(st.text(st.sampled_from("#*_-|<>[]()`~!&;:=\\ \n\t甲1a"), max_size=200))
def test_any_text_is_read_or_a_source_error(text: str) -> None:
    try:
        parsed = read(text)
    except SourceError:
        return
    assert all(block.text.strip() and "\n" not in block.text for block in parsed.blocks)
