from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.chunking import is_heading, split
from rag.types import Document, Mark, Source

TEXTS = st.lists(
    st.text(alphabet=st.sampled_from("区住建局表示，。！；： abc12.#一、（）"), max_size=60), max_size=12
).map("\n".join)


def document(text: str) -> Document:
    return Document(Source("id", "/a.txt", "标题", "d", "text/plain"), text)


@given(TEXTS, st.integers(40, 300))
def test_offsets_are_exact_and_everything_is_in_one_chunk(text: str, target: int) -> None:
    chunks = split(document(text), target)
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    outside = list(text)
    last = 0
    for chunk in chunks:
        assert last <= chunk.start < chunk.end
        assert chunk.text == text[chunk.start : chunk.end]
        assert chunk.text.strip() == chunk.text
        last = chunk.end
        outside[chunk.start : chunk.end] = " " * (chunk.end - chunk.start)
    assert not "".join(outside).strip()


@given(st.text(alphabet=st.sampled_from("区住建局，。；"), max_size=900), st.integers(40, 200))
def test_chunks_without_headings_stay_near_their_target(text: str, target: int) -> None:
    assert all(len(chunk.text) <= round(target * 1.5) for chunk in split(document(text), target))


def test_sentences_stay_whole() -> None:
    sentence = "区住建局改造老旧小区二十八个，惠及居民一万五千户。"
    chunks = split(document(sentence * 20), 100)
    assert all(chunk.text.endswith("。") and len(chunk.text) % len(sentence) == 0 for chunk in chunks)


def test_headings_open_the_chunk_below_them_and_are_its_context() -> None:
    text = "# 计划\n\n## 一、目标\n改造28个小区。\n\n## 二、保障\n投资4亿元。"
    chunks = split(document(text), 200)
    assert [(chunk.text, chunk.heading) for chunk in chunks] == [
        ("# 计划\n\n## 一、目标\n改造28个小区。", "计划 / 一、目标"),
        ("## 二、保障\n投资4亿元。", "计划 / 二、保障"),
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("# 标题", True),
        ("一、目标任务", True),
        ("第三章 附则", True),
        ("（二）加强保障", True),
        ("一、目标任务是改造二十八个小区。", False),
        ("区住建局局长表示", False),
        ("| 一、 | 二 |", False),
        ("", False),
    ],
)
def test_is_heading(line: str, expected: bool) -> None:
    assert is_heading(line) is expected


def test_a_heading_alone_is_a_chunk() -> None:
    assert [chunk.text for chunk in split(document("一、目标任务"), 100)] == ["一、目标任务"]
    assert split(document(""), 100) == []


def test_what_leads_up_to_a_speaker_stays_with_what_is_said() -> None:
    first = "区住建局局长田禾表示，" + "改造老旧小区，" * 12 + "建设好房子。"
    second = "平安是最基本的民生。区政法委书记程远表示，年内建成综治中心。"
    chunks = split(document(f"{first}\n{second}"), 260)
    assert [chunk.text for chunk in chunks] == [first, second]


MARKED = (
    ("鹿汀区老旧小区改造方案", "heading", 1, 1),
    ("重点任务", "heading", 2, 1),
    (
        "区住建局局长田禾表示，今年改造28个小区。" + "工程由各街道配合推进，十月底前完成。" * 6,
        "paragraph",
        0,
        1,
    ),
    ("他还承诺，每月通报一次。" + "工程量逐栋核对，材料逐批送检。" * 6, "paragraph", 0, 2),
    ("项目清单", "heading", 2, 3),
    *(
        (f"序号：{n}；小区：春江里{n}号院；户数：{n * 40}；责任单位：区住建局", "row", 0, 3)
        for n in range(1, 9)
    ),
    ("附则不是标题，只是一句话。", "item", 1, 4),
)


def marked(lines: tuple[tuple[str, str, int, int], ...]) -> Document:
    text, marks = "", []
    for line, kind, level, page in lines:
        marks.append(Mark(len(text), len(text) + len(line), kind, level, page))  # type: ignore[arg-type]
        text += line + "\n"
    return Document(
        Source("d", "/a.docx", "方案", "x", "application/x"), text.rstrip("\n"), marks=tuple(marks)
    )


def test_headings_pages_rows_and_speakers_survive_into_the_chunks() -> None:
    document = marked(MARKED)
    chunks = split(document, 120)
    assert all(document.text[c.start : c.end] == c.text for c in chunks)
    assert chunks[0].heading == "鹿汀区老旧小区改造方案 / 重点任务"
    rows = [c for c in chunks if "序号：" in c.text]
    assert {c.heading for c in rows} == {"鹿汀区老旧小区改造方案 / 项目清单"}
    assert all(c.page == 3 for c in rows)
    for n in range(1, 9):
        assert (
            sum(f"序号：{n}；小区：春江里{n}号院；户数：{n * 40}；责任单位：区住建局" in c.text for c in rows)
            == 1
        )
    later = [c for c in chunks if c.page == 2]
    assert later
    assert all([(s.speaker, s.body) for s in c.speeches] == [("局长田禾", "住房和城乡建设局")] for c in later)
    assert not any("住建局" in c.text for c in later)
    for chunk in chunks:
        assert all(chunk.start <= s.start < s.end <= chunk.end for s in chunk.speeches)


def test_what_the_file_calls_a_heading_is_one_and_an_item_is_none() -> None:
    lines = (
        ("关于补贴。", "heading", 1, 1),
        ("正文一句。", "paragraph", 0, 1),
        ("一、先说一点", "item", 1, 1),
        ("尾句。", "paragraph", 0, 1),
    )
    headings = [c.heading for c in split(marked(lines), 260)]
    assert headings == ["关于补贴。"]


def test_a_numbered_heading_is_seen_where_the_file_marks_none() -> None:
    lines = (
        ("总则", "heading", 1, 1),
        ("一、总体要求", "paragraph", 0, 1),
        ("要求一句。", "paragraph", 0, 1),
    )
    assert split(marked(lines), 260)[-1].heading == "总则 / 一、总体要求"
